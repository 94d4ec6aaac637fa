# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A password is nowhere but in the session: not in what is printed or written, not in any command line."""

from __future__ import annotations

import base64
import contextlib
import secrets
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .conftest import MakeSite
from .site import Site, config

INVENTORY = "inventory.yml"
"""The one file in which the password stands."""


def family(pid: int) -> set[int]:
    """A process and all that descends from it."""
    found = {pid}
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found |= family(int(child))
    return found


@dataclass
class Search:
    """Looks for a secret wherever a run could leave it; remembers where it has looked and what it has found."""

    site: Site
    secret: str
    files: set[str] = field(default_factory=set)
    lines: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        plain = self.secret.encode()
        # As it is in base64, wherever it begins in what was encoded.
        encoded = [base64.b64encode(bytes(before) + plain)[4 * (before > 0) : -4] for before in range(3)]
        self._forms = (plain, plain.hex().encode(), self.secret.encode("utf-16-le"), *encoded)

    def look(self, where: str, content: bytes) -> None:
        if any(form in content for form in self._forms):
            self.found.add(where)

    def in_files(self) -> None:
        """Everything beside the inventory: what is printed, the status file, the report, the run's folder."""
        for path in self.site.folder.rglob("*"):
            name = path.relative_to(self.site.folder).as_posix()
            self.look(f"the name {name}", name.encode())
            with contextlib.suppress(OSError):  # gone meanwhile, or a folder
                if name != INVENTORY:
                    self.look(name, path.read_bytes())
                    self.files.add(name)

    def in_command_lines(self, process: int) -> None:
        for pid in family(process):
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
                self.look(f"the command line of {pid}", line)
                self.lines.add(line.replace(b"\0", b" ").decode("utf-8", "replace"))


def watched(search: Search, process: subprocess.Popen[str]) -> int:
    """Search again and again until the run ends; its exit code."""
    while True:
        search.in_command_lines(process.pid)
        search.in_files()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(0.1)


@pytest.mark.slow
def test_a_password_is_found_nowhere(make_site: MakeSite) -> None:
    """With a host that takes it, and one that is told a wrong one, whose error is printed and written."""
    password = f"Fan0ut-{secrets.token_hex(12)}"
    lab = config(targets=2, network_rate="8MiB")
    lab["users"][0]["password"] = password
    site = make_site(lab)
    inventory = site.lab.inventory()
    inventory["hyperv"]["hosts"]["hv03"]["ansible_password"] = f"{password}-wrong"
    site.write_inventory(inventory)
    search = Search(site, password)
    with site.distributing("-vvv") as process:
        code = watched(search, process)
    search.in_files()
    assert search.found == set()
    assert code != 0
    assert site.words() == {"hv02": ("Ready", "OK"), "hv03": ("Not available", "Failed to distribute")}
    assert site.status()["providers"]["hv03"]["error"]["code"] == "BAD_CREDENTIALS"
    # It has looked where it should, and would have seen it.
    assert "task path: " in site.output
    looked = [path for path in search.files if path.startswith("fanout-status/")]
    assert {Path(path).suffix for path in looked} >= {".json", ".html", ".lock"}
    assert [path for path in looked if path.startswith("fanout-status/runs/")]
    assert [line for line in search.lines if "ansible-playbook" in line]
    search.look("the inventory", (site.folder / INVENTORY).read_bytes())
    assert search.found == {"the inventory"}
