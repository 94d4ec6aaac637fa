# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of ansible-playbook at any point: nobody goes on as an orphan, and the next run ends well."""

from __future__ import annotations

import os
import signal
import subprocess
import typing as t
from pathlib import Path

import pytest

from .conftest import MakeSite
from .site import SOURCE, TARGETS, TEMPLATE, Site, config, wait_for


def running(site: Site, command: str) -> bool:
    return any(call["command"] == command and call["ended"] is None for call in site.lab.calls())


def called(site: Site, command: str) -> bool:
    return any(call["command"] == command for call in site.lab.calls())


def children(pid: int) -> list[int]:
    told = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(word) for word in told.split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


MOMENTS: dict[str, t.Callable[[Site], bool]] = {
    "export": lambda site: running(site, "Export-VM"),
    "clone": lambda site: running(site, "Import-VM"),
    "move": lambda site: running(site, "Move-VM"),
    "verification": lambda site: running(site, "Get-FileHash") and called(site, "Move-VM"),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_was_killed_is_continued_by_the_next_one(make_site: MakeSite, moment: str) -> None:
    site = make_site(config(network_rate="8MiB", disk_rate="24MiB"))
    with site.distributing(distribute_verify="hash") as process:
        wait_for(lambda: MOMENTS[moment](site), f"{moment} under way")
        workers = children(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        wait_for(lambda: not any(map(alive, workers)), "the end of all workers", 30)

    if moment == "verification":
        supplied = next(name for name in TARGETS if any(vm["name"] != TEMPLATE for vm in site.vms(name)))
        site.lab.clone(supplied, site.vms(supplied)[0]["id"])

    again = site.distribute(distribute_verify="hash")
    assert again.code == 0, again.output
    assert site.words() == {name: ("Ready", "OK") for name in TARGETS}
    for name in TARGETS:
        copies = [vm for vm in site.vms(name) if vm["name"] == TEMPLATE]
        assert len(copies) == 1, f"{name} has {site.names(name)}"
    assert site.names(SOURCE) == [TEMPLATE]
    assert not [path for path in site.files(SOURCE) if "/clones/" in path]
    third = site.distribute(distribute_verify="hash")
    assert (third.code, third.changed) == (0, {}), third.output
