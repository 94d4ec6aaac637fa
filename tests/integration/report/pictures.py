# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of docs/report.md, from real runs on simulated hosts: one that goes on, a failed one, a finished one.

python -m tests.integration.report.pictures [FOLDER]      needs Chromium; fonts-inter makes them look as intended
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from hyperv_lab.client import Lab

from tests.integration.distribution.site import ROOT, TEMPLATE, Site, config, vm, wait_for
from tests.integration.report.browser import MISSING, Browser, find

FULL, DOWN = "hv05", "hv07"
WIDTH = 1180
NAMES = ("running", "failed", "finished")


def runs(site: Pictured, folder: Path) -> None:
    """Three pages of the same template: while it runs, after it failed for two providers, after those were mended."""
    site.lab.down(DOWN)
    site.lab.set_free(FULL, "C", 1 << 20)
    with site.distributing() as process:
        wait_for(lambda: site.status_summary().get("ok", 0) >= 1 and copying(site) == 2, "two copies, one done", 120)
        page = site.status_file.with_suffix(".html")
        shutil.copy(page, folder / "before.html")
        wait_for(lambda: page.read_bytes() != (folder / "before.html").read_bytes(), "a page of that moment", 30)
        shutil.copy(page, folder / "running.html")
        process.wait(170)
    shutil.copy(page, folder / "failed.html")
    site.lab.up(DOWN)
    site.lab.set_free(FULL, "C", 50 << 30)
    again = site.distribute()
    if again.code:
        raise SystemExit(again.output)
    shutil.copy(page, folder / "finished.html")


def copying(site: Site) -> int:
    return sum(entry["phase"] == "copying" for entry in site.status()["providers"].values())


def main(target: Path) -> None:
    program = find()
    if program is None:
        raise SystemExit(MISSING)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        disk = {"size": "64GiB", "payload": "24MiB"}
        lab_config = config(vms=[vm(TEMPLATE, disks=[disk])], network_rate="3MiB", disk_rate="30MiB")
        with Lab.start(lab_config, data=folder / "lab") as lab:
            (folder / "controller").mkdir()
            runs(Pictured(lab=lab, folder=folder / "controller"), folder)
        with Browser(program) as browser:
            for name in NAMES:
                browser.look(width=WIDTH, dark=name == "finished")
                browser.open(folder / f"{name}.html")
                browser.picture(target / f"report-{name}.png")


class Pictured(Site):
    """A site whose status can be asked for before there is one."""

    def status_summary(self) -> dict[str, int]:
        if not list((self.folder / "fanout-status").glob("*.json")):
            return {}
        found: dict[str, int] = self.status()["summary"]
        return found


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
