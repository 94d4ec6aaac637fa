# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of ansible-playbook at any point: nobody goes on as an orphan, and the next run ends well."""

from __future__ import annotations

import os
import signal
import subprocess
import typing as t
from collections import Counter
from pathlib import Path

import pytest

from demo.call_log import named

from .conftest import MakeSite
from .site import SOURCE, TARGETS, TEMPLATE, Site, Values, config, wait_for


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


ADOPTING = "adopting the move that is running already"

MOMENTS: dict[str, t.Callable[[Site], bool]] = {
    "export": lambda site: running(site, "Export-VM"),
    "clone": lambda site: running(site, "Import-VM"),
    "move": lambda site: running(site, "Move-VM"),
    "verification": lambda site: running(site, "Get-FileHash") and called(site, "Move-VM"),
}


def destinations(site: Site) -> Counter[str]:
    """How often the source was told to move a VM to each target."""
    moves = named(site.lab.calls(host=SOURCE), "Move-VM")
    return Counter(str(call["parameters"]["DestinationHost"]).partition(".")[0].lower() for call in moves)


def places(site: Site, host: str) -> set[str]:
    """What lies directly in the folder of ours for the template on a target, and leases that were not given back."""
    below = [path.partition("fanout/")[2].split("/") for path in site.files(host)]
    return {parts[1] for parts in below if len(parts) > 1}


def clone_by_hand(site: Site) -> tuple[str, Values]:
    """Somebody clones what has arrived at a target, before it is verified. The target and the VM as it is then."""
    supplied = next(name for name in TARGETS if any(vm["name"] != TEMPLATE for vm in site.vms(name)))
    made: Values = site.lab.clone(supplied, site.vms(supplied)[0]["id"])
    (shown,) = (vm for vm in site.vms(supplied) if vm["id"] == made["id"])
    return supplied, shown


def run_again(site: Site, moment: str) -> None:
    """The next run. Moves that were under way go on as slowly as it needs to see them."""
    with site.distributing(distribute_verify="hash") as process:
        if moment == "move":
            wait_for(lambda: ADOPTING in site.output or process.poll() is not None, "the adoption of a move")
            site.lab.patch(SOURCE, network_rate="8MiB")
        code = process.wait(site.timeout)
    assert code == 0, site.output
    assert (ADOPTING in site.output) == (moment == "move"), site.output


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_was_killed_is_continued_by_the_next_one(make_site: MakeSite, moment: str) -> None:
    site = make_site(config(network_rate="8MiB", disk_rate="24MiB"))
    with site.distributing(distribute_verify="hash") as process:
        wait_for(lambda: MOMENTS[moment](site), f"{moment} under way")
        if moment == "move":
            site.lab.patch(SOURCE, network_rate="128KiB")
        workers = children(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        wait_for(lambda: not any(map(alive, workers)), "the end of all workers", 30)

    cloned, own = clone_by_hand(site) if moment == "verification" else (None, None)
    run_again(site, moment)
    assert site.words() == {name: ("Ready", "OK") for name in TARGETS}
    assert destinations(site) == dict.fromkeys(TARGETS, 1)
    for name in TARGETS:
        mine = [vm for vm in site.vms(name) if name == cloned and own is not None and vm["id"] == own["id"]]
        assert mine == ([own] if name == cloned else []), "what somebody has cloned is not as it was"
        others = [vm["name"] for vm in site.vms(name) if vm not in mine]
        assert others == [TEMPLATE], f"{name} has {site.names(name)}"
        assert len(places(site, name)) == 1, f"{name} has {places(site, name)}"
        assert site.lab.state(name)["planned"] == []
    assert site.names(SOURCE) == [TEMPLATE]
    assert not [path for path in site.files(SOURCE) if "/clones/" in path]
    third = site.distribute(distribute_verify="hash")
    assert (third.code, third.changed) == (0, {}), third.output
