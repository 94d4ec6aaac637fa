# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases: one holder, whatever the others do, and whoever dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    HostUnreachable,
    LeaseHeld,
    LeaseLost,
    Orphaned,
    OutcomeUnknown,
    Refused,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._lease import (
    Lease,
    process_lives,
    process_started,
)
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.host_fakes import MemoryHost
from hypothesis import example, given, settings
from hypothesis import strategies as st

FOLDER = r"D:\fanout\leases\export"
OWNER = FOLDER + r"\{}\owner.json"


@dataclass(frozen=True)
class Owner:
    controller: str = "node-a"
    pid: int = 1000
    run: str = "run-1"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.on_sleep: t.Callable[[], object] = lambda: None

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.on_sleep()


def lease(host: MemoryHost, owner: Owner | None = None, *, dead: t.Collection[int] = (), **options: t.Any) -> Lease:
    clock = options.pop("clock", None) or Clock()
    return Lease(
        t.cast(t.Any, host),
        FOLDER,
        owner or Owner(),
        expiry=timedelta(seconds=100),
        clock=clock,
        sleep=clock.sleep,
        lives=lambda pid, _started: pid not in dead,
        **options,
    )


def idle() -> bool:
    return False


def working() -> bool:
    return True


def must_not_be_asked() -> bool:
    raise AssertionError("nobody holds the lease, so nothing has to be asked")


def owners(host: MemoryHost) -> list[str]:
    return sorted(path for path in host.files.texts if path.endswith("owner.json"))


def test_get_it_keep_it_give_it_back_and_leave_nothing() -> None:
    host = MemoryHost()
    mine = lease(host)
    with mine.held(must_not_be_asked):
        assert owners(host) == [OWNER.format(1)]
        assert mine.is_held
        mine.check()
        mine.renew(force=True)
    assert not mine.is_held
    assert host.files.texts == {}
    assert not any(FOLDER in folder for folder in host.files.folders)


def test_the_second_is_told_who_holds_it() -> None:
    host = MemoryHost()
    lease(host, Owner(run="run-7")).acquire(idle)
    with pytest.raises(LeaseHeld) as caught:
        lease(host, Owner("node-b", 5)).acquire(idle)
    assert "run-7 (process 1000 on node-a)" in caught.value.message
    assert caught.value.transient
    assert owners(host) == [OWNER.format(1)]


class Turns:
    """Lets threads go on one at a time, in the order of a schedule; who has ended is passed over."""

    def __init__(self, schedule: Sequence[int], players: int) -> None:
        self._schedule = list(schedule)
        self._playing = set(range(players))
        self._changed = threading.Condition()
        self._who = threading.local()

    def run(self, plays: Sequence[Callable[[], None]]) -> None:
        threads = [threading.Thread(target=self._play, args=(number, play)) for number, play in enumerate(plays)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
            assert not thread.is_alive()

    def _play(self, number: int, play: Callable[[], None]) -> None:
        self._who.number = number
        try:
            play()
        finally:
            with self._changed:
                self._playing.discard(number)
                self._changed.notify_all()

    def wait(self, _name: str, _path: str) -> None:
        """Called before each thing that a thread does on the host."""
        with self._changed:
            assert self._changed.wait_for(self._is_my_turn, timeout=20)
            if self._schedule:
                self._schedule.pop(0)
            self._changed.notify_all()

    def _is_my_turn(self) -> bool:
        while self._schedule and self._schedule[0] not in self._playing:
            self._schedule.pop(0)
        return not self._schedule or self._schedule[0] == self._who.number


@settings(deadline=None, max_examples=150)
@example(runs=[(0, 3), (1, 30), (2, 30)], stale=True, gives_back=[False, True, False])
@given(
    runs=st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, 2, 3, 4, 6, 30])), max_size=12),
    stale=st.booleans(),
    gives_back=st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_never_two_at_the_same_time_whatever_the_order(
    runs: list[tuple[int, int]], stale: bool, gives_back: list[bool]
) -> None:
    host = MemoryHost()
    if stale:
        lease(host).acquire(idle)
    contenders = [lease(host, Owner("node-a", 2000 + number), dead={1000}) for number in range(3)]
    believe: set[int] = set()
    doubled: list[set[int]] = []

    def play(number: int) -> None:
        try:
            contenders[number].acquire(idle)
        except LeaseHeld:
            return
        believe.add(number)
        if len(believe) > 1:
            doubled.append(set(believe))
        if gives_back[number]:
            believe.discard(number)
            contenders[number].release()

    turns = Turns([player for player, times in runs for _step in range(times)], 3)
    host.files.before = turns.wait
    turns.run([lambda number=number: play(number) for number in range(3)])  # type: ignore[misc]
    host.files.before = lambda _name, _path: None
    assert doubled == []
    for number in believe:
        contenders[number].check()


def test_a_dead_process_of_this_node_is_stale_at_once() -> None:
    host = MemoryHost()
    old = lease(host)
    old.acquire(idle)
    new = lease(host, Owner(pid=2000, run="run-2"), dead={1000})
    new.acquire(idle)
    assert owners(host) == [OWNER.format(1), OWNER.format(2)]
    new.check()
    with pytest.raises(LeaseLost):
        old.check()
    new.release()
    assert host.files.texts == {}


def test_a_dead_process_of_another_node_is_nothing_that_can_be_known() -> None:
    host = MemoryHost()
    lease(host, Owner("node-b", 1000)).acquire(idle)
    with pytest.raises(LeaseHeld):
        lease(host, dead={1000}).acquire(idle)


def test_a_stale_lease_is_not_taken_while_its_work_runs() -> None:
    host = MemoryHost()
    lease(host).acquire(idle)
    with pytest.raises(LeaseHeld) as caught:
        lease(host, Owner(pid=2000), dead={1000}).acquire(working)
    assert "still runs" in str(caught.value.cause)
    assert owners(host) == [OWNER.format(1)]


@pytest.mark.parametrize(("seconds", "free"), [(99, False), (101, True), (-99, False), (-101, True)])
def test_silence_ends_it_by_the_hosts_clock(seconds: int, free: bool) -> None:
    host = MemoryHost()
    lease(host, Owner("node-b")).acquire(idle)
    host.later(seconds=seconds)
    other = lease(host)
    if free:
        other.acquire(idle)
        assert other.is_held
    else:
        with pytest.raises(LeaseHeld):
            other.acquire(idle)


def test_a_heartbeat_keeps_it() -> None:
    host = MemoryHost()
    clock = Clock()
    mine = lease(host, Owner("node-b"), clock=clock)
    mine.acquire(idle)
    writes = 0
    for _step in range(20):
        host.later(seconds=20)
        clock.now += 20
        mine.renew()
        writes = host.files.calls.count("write_in_place")
        with pytest.raises(LeaseHeld):
            lease(host).acquire(idle)
    assert writes == 10, "a heartbeat is written a few times per expiry, not at every call"


def test_who_was_silent_too_long_finds_out_before_it_writes() -> None:
    host = MemoryHost()
    slow = lease(host, Owner("node-b"))
    slow.acquire(idle)
    host.later(seconds=200)
    with lease(host).held(idle):
        with pytest.raises(LeaseLost):
            slow.renew(force=True)
        assert not slow.is_held
    with pytest.raises(LeaseLost):
        slow.check()
    slow.release()
    assert host.files.texts == {}


def test_an_old_holder_does_not_take_the_number_of_a_new_one_for_its_own() -> None:
    host = MemoryHost()
    old = lease(host, Owner("node-b"))
    old.acquire(idle)
    host.later(seconds=200)
    with lease(host).held(idle):
        pass
    newest = lease(host, Owner("node-c"))
    newest.acquire(idle)
    assert owners(host) == [OWNER.format(1)]
    with pytest.raises(LeaseLost):
        old.check()
    old.release()
    newest.check()


def test_an_owner_file_that_is_not_whole_is_held_until_it_is_silent_for_too_long() -> None:
    host = MemoryHost()
    host.files.ensure_folder(FOLDER + r"\1")
    host.files.texts[OWNER.format(1)] = ("", host.now())
    with pytest.raises(LeaseHeld):
        lease(host).acquire(idle)
    host.later(seconds=101)
    lease(host).acquire(idle)
    assert owners(host) == [OWNER.format(1), OWNER.format(2)]


def test_a_generation_that_nobody_claimed_is_used_and_other_things_are_ignored() -> None:
    host = MemoryHost()
    for name in ("4", "05", "x", "²"):
        host.files.ensure_folder(rf"{FOLDER}\{name}")
    host.files.texts[FOLDER + r"\9"] = ("a file", host.now())
    mine = lease(host)
    mine.acquire(must_not_be_asked)
    assert owners(host) == [OWNER.format(4)]
    mine.check()


def test_a_lost_answer_to_the_claim_is_read_back() -> None:
    host = MemoryHost()
    create = host.files.create_text

    def create_and_lose(path: str, content: str) -> bool:
        create(path, content)
        raise OutcomeUnknown("gone")

    host.files.create_text = create_and_lose  # type: ignore[method-assign]
    mine = lease(host)
    mine.acquire(idle)
    mine.check()


def test_waiting_asks_again_until_it_is_free() -> None:
    host = MemoryHost()
    holder = lease(host, Owner("node-b"))
    holder.acquire(idle)
    clock = Clock()
    clock.on_sleep = lambda: holder.release() if clock.now == 20 else None
    mine = lease(host, clock=clock)
    mine.acquire(idle, wait=60, every=10)
    assert (clock.now, mine.is_held) == (20.0, True)


def test_waiting_ends() -> None:
    host = MemoryHost()
    lease(host, Owner("node-b")).acquire(idle)
    clock = Clock()
    checks: list[float] = []
    with pytest.raises(LeaseHeld):
        lease(host, clock=clock).acquire(idle, wait=25, every=10, check=lambda: checks.append(clock.now))
    assert (clock.now, checks) == (25.0, [0.0, 10.0, 20.0])


@pytest.mark.parametrize(
    ("error", "given_back"),
    [
        (Refused("no"), True),
        (HostUnreachable("gone"), True),
        (OutcomeUnknown("who knows"), False),
        (Orphaned(), False),
        (KeyboardInterrupt(), False),
        (ZeroDivisionError(), False),
    ],
)
def test_it_is_given_back_only_when_nothing_can_run_any_more(error: BaseException, given_back: bool) -> None:
    host = MemoryHost()
    mine = lease(host)
    with pytest.raises(type(error)), mine.held(idle):
        raise error
    assert (owners(host) == []) is given_back
    assert not mine.is_held


def test_trouble_while_giving_it_back_decides_nothing() -> None:
    host = MemoryHost()

    def unreachable(_name: str, _path: str) -> None:
        raise HostUnreachable("gone")

    with lease(host).held(idle):
        host.files.before = unreachable
    host.files.before = lambda _name, _path: None
    assert owners(host) == [OWNER.format(1)]


def test_the_owner_file_says_who_and_no_more() -> None:
    host = MemoryHost()
    lease(host, Owner(pid=os.getpid())).acquire(idle)
    [(text, _modified)] = host.files.texts.values()
    values = json.loads(text)
    assert sorted(values) == ["controller", "nonce", "pid", "run", "started"]
    assert (values["controller"], values["pid"], values["run"]) == ("node-a", os.getpid(), "run-1")


def test_processes() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = process_started(child.pid)
    assert process_lives(child.pid, started)
    assert process_lives(child.pid, None)
    if started is not None:
        assert not process_lives(child.pid, "12"), "another process that got the same number"
    child.kill()
    if started is not None:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not process_lives(child.pid, started), "dead, though nobody has collected it yet"
    child.communicate()
    assert not process_lives(child.pid, started)
