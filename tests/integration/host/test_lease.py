# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases on a real wire: two contenders, a holder that dies, a holder that falls silent."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import LeaseHeld, LeaseLost
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.plugins.module_utils._lease import Lease
from ansible_collections.fanout.hyperv.tests.integration.host.conftest import Open


@dataclass(frozen=True)
class Owner:
    controller: str
    pid: int
    run: str = "run"


HERE = Owner("here", os.getpid())


def idle() -> bool:
    return False


def folder(name: str) -> str:
    return rf"D:\leases of {name}\fanout\leases\export"


def test_one_holds_it_and_leaves_nothing(hv01: Host) -> None:
    where = folder("one")
    with Lease(hv01, where, HERE).held(idle) as lease:
        lease.check()
        lease.renew(force=True)
        with pytest.raises(LeaseHeld):
            Lease(hv01, where, Owner("there", 1)).acquire(idle)
    assert hv01.files.entry(where) is None


def test_of_four_that_start_together_at_most_one_gets_it(open_host: Open) -> None:
    where = folder("four")
    hosts = [open_host("hv01") for _number in range(4)]

    def attempt(numbered: tuple[int, Host]) -> Lease | None:
        number, host = numbered
        lease = Lease(host, where, Owner(f"node-{number}", 1))
        try:
            lease.acquire(idle)
        except LeaseHeld:
            return None
        return lease

    with ThreadPoolExecutor(4) as pool:
        got = [lease for lease in pool.map(attempt, enumerate(hosts)) if lease is not None]
    assert len(got) == 1
    got[0].check()
    got[0].release()
    assert hosts[0].files.entry(where) is None


def test_a_killed_holder_of_this_node_is_replaced_at_once(hv01: Host) -> None:
    where = folder("killed")
    holder = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    old = Lease(hv01, where, Owner("here", holder.pid))
    old.acquire(idle)
    with pytest.raises(LeaseHeld):
        Lease(hv01, where, HERE).acquire(idle)
    holder.kill()
    holder.communicate()
    with pytest.raises(LeaseHeld):
        Lease(hv01, where, HERE).acquire(lambda: True)
    with Lease(hv01, where, HERE).held(idle), pytest.raises(LeaseLost):
        old.check()
    assert hv01.files.entry(where) is None


def test_a_silent_holder_elsewhere_is_replaced_after_its_time(hv01: Host) -> None:
    where = folder("silent")
    old = Lease(hv01, where, Owner("there", 1), expiry=timedelta(seconds=1))
    old.acquire(idle)
    started = time.monotonic()
    new = Lease(hv01, where, HERE, expiry=timedelta(seconds=1))
    new.acquire(idle, wait=30, every=0.2)
    assert time.monotonic() - started >= 0.5
    with pytest.raises(LeaseLost):
        old.renew(force=True)
    new.check()
    new.release()
    assert hv01.files.entry(where) is None
