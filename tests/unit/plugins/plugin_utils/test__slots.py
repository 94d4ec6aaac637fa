# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots and limits, with real locks; threads stand for workers, since every open file has a lock of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._slots import FileSlots

SOON = 10.0
POLL = 0.001


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(POLL)


def slots(folder: Path) -> FileSlots:
    return FileSlots(folder, poll=POLL, ask_again=0.01)


class Counter:
    """How many are inside now and were at most."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = self.most = self.through = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        try:
            yield
        finally:
            with self.lock:
                self.inside -= 1
                self.through += 1


class Gate:
    """A check that ends the waiting when it is told to."""

    def __init__(self) -> None:
        self.rounds = 0
        self.closed = False

    def __call__(self) -> None:
        self.rounds += 1
        if self.closed:
            raise InterruptedError


def in_threads(number: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(index,), daemon=True) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
        assert not thread.is_alive()


@pytest.mark.parametrize("limit", [1, 3])
def test_the_limit_of_copies_is_reached_and_never_exceeded(tmp_path: Path, limit: int) -> None:
    counter = Counter()

    def work(index: int) -> None:
        with slots(tmp_path).copy(limit, f"vm-{index}", list), counter.counted():
            deadline = time.monotonic() + 0.5
            while counter.inside < limit and counter.through == 0 and time.monotonic() < deadline:
                time.sleep(POLL)

    in_threads(8, work)
    assert (counter.most, counter.through) == (limit, 8)


def test_the_limit_of_clones_is_reached_and_never_exceeded(tmp_path: Path) -> None:
    counter = Counter()

    def work(_index: int) -> None:
        with slots(tmp_path).clone(2), counter.counted():
            deadline = time.monotonic() + 0.5
            while counter.inside < 2 and counter.through == 0 and time.monotonic() < deadline:
                time.sleep(POLL)

    in_threads(6, work)
    assert (counter.most, counter.through) == (2, 6)


def test_what_is_exclusive_is_done_by_one_at_a_time(tmp_path: Path) -> None:
    counter = Counter()

    def work(_index: int) -> None:
        with slots(tmp_path).exclusive("clone on C:\\ü/hv01"), counter.counted():
            time.sleep(POLL)

    in_threads(4, work)
    assert (counter.most, counter.through) == (1, 4)


def test_different_names_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with slots(tmp_path).exclusive("a"), slots(tmp_path).exclusive("b"), slots(tmp_path).clone(1):
        pass


def test_moves_of_others_count(tmp_path: Path) -> None:
    """A move that was started by a run which died: the source shows it, no slot stands for it."""
    running = {"ADOPTED"}
    entered = threading.Event()
    gate = Gate()

    def work(_index: int) -> None:
        with slots(tmp_path).copy(1, "mine", lambda: set(running), gate):
            entered.set()

    thread = threading.Thread(target=work, args=(0,), daemon=True)
    thread.start()
    wait_for(lambda: gate.rounds > 20)
    assert not entered.is_set()
    running.clear()
    thread.join(SOON)
    assert entered.is_set()


def test_a_move_with_a_slot_is_not_counted_twice(tmp_path: Path) -> None:
    running = {"VM-A", "vm-b"}
    with (
        slots(tmp_path).copy(3, "vm-a", list),
        slots(tmp_path).copy(3, "vm-b", list),
        slots(tmp_path).copy(3, "vm-c", lambda: running),
    ):
        pass


def test_a_running_move_is_adopted_at_once_and_then_counts(tmp_path: Path) -> None:
    running = {"one", "two"}
    gate = Gate()
    with slots(tmp_path).copy(1, "ONE", lambda: running), slots(tmp_path).copy(1, "two", lambda: running):
        running.clear()  # the source forgets a moment before the workers do
        waiter = threading.Thread(target=_expect_interrupt, args=(tmp_path, gate), daemon=True)
        waiter.start()
        wait_for(lambda: gate.rounds > 20)
        gate.closed = True
        waiter.join(SOON)
        assert not waiter.is_alive()


def _expect_interrupt(folder: Path, gate: Gate) -> None:
    with pytest.raises(InterruptedError), slots(folder).copy(1, "three", list, gate):
        raise AssertionError("there was no slot")


def test_the_source_is_asked_now_and_then_and_when_a_slot_is_freed(tmp_path: Path) -> None:
    asked = 0
    now = 0.0
    naps = 0

    def in_flight() -> set[str]:
        nonlocal asked
        asked += 1
        return {"stranger"}

    def sleep(seconds: float) -> None:
        nonlocal now, naps
        now += seconds
        naps += 1
        if naps == 100:
            raise InterruptedError

    waiting = FileSlots(tmp_path, poll=0.1, ask_again=1.0, clock=lambda: now, sleep=sleep)
    with pytest.raises(InterruptedError), waiting.copy(1, "mine", in_flight):
        raise AssertionError("there was no slot")
    assert 9 <= asked <= 12


def test_the_source_is_not_asked_while_the_slots_of_this_run_are_taken(tmp_path: Path) -> None:
    asked = 0
    gate = Gate()

    def in_flight() -> set[str]:
        nonlocal asked
        asked += 1
        return set()

    def work() -> None:
        with slots(tmp_path).copy(1, "second", in_flight, gate):
            pass

    with slots(tmp_path).copy(1, "first", list):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        wait_for(lambda: gate.rounds > 50)
        assert asked == 1
    thread.join(SOON)
    assert asked == 2


def test_nobody_takes_the_slot_that_another_one_asks_about(tmp_path: Path) -> None:
    """Two workers would both see room for one more: only the one that asks first may go."""
    asking, answer = threading.Event(), threading.Event()
    counter, gate = Counter(), Gate()
    questions = 0

    def slow() -> set[str]:
        nonlocal questions
        questions += 1
        if questions == 2:  # the first question is whether the move runs already
            asking.set()
            assert answer.wait(SOON)
        return set()

    def work(vm_id: str, in_flight: Callable[[], set[str]], check: Gate) -> None:
        with slots(tmp_path).copy(1, vm_id, in_flight, check), counter.counted():
            pass

    first = threading.Thread(target=work, args=("first", slow, Gate()), daemon=True)
    first.start()
    assert asking.wait(SOON)
    second = threading.Thread(target=work, args=("second", set, gate), daemon=True)
    second.start()
    wait_for(lambda: gate.rounds > 20 or counter.through > 0)
    assert counter.through == 0
    answer.set()
    for thread in (first, second):
        thread.join(SOON)
        assert not thread.is_alive()
    assert (counter.most, counter.through) == (1, 2)


def test_who_waits_checks_in_every_round_and_leaves_no_trace(tmp_path: Path) -> None:
    gate = Gate()

    def close() -> None:
        wait_for(lambda: gate.rounds > 5)
        gate.closed = True

    with slots(tmp_path).clone(1):
        closer = threading.Thread(target=close, daemon=True)
        closer.start()
        with pytest.raises(InterruptedError), slots(tmp_path).clone(1, gate):
            raise AssertionError("there was no slot")
        closer.join(SOON)
    with slots(tmp_path).clone(1, gate.__class__()):
        pass
    assert list(tmp_path.iterdir()) == []


HOLDER = """
import sys, time
from pathlib import Path
from ansible_collections.fanout.hyperv.plugins.plugin_utils._slots import FileSlots
slots = FileSlots(Path(sys.argv[1]))
with slots.clone(1), slots.exclusive("x"), slots.copy(1, "theirs", list):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_kernel_frees_what_a_killed_worker_held(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    gate = Gate()
    thread = threading.Thread(target=_take_all, args=(tmp_path, gate), daemon=True)
    thread.start()
    wait_for(lambda: gate.rounds > 5)
    assert thread.is_alive()
    holder.send_signal(signal.SIGKILL)
    holder.wait(SOON)
    thread.join(SOON)
    assert not thread.is_alive()
    holder.stdout.close()
    assert holder.stdin is not None
    holder.stdin.close()


def _take_all(folder: Path, gate: Gate) -> None:
    with slots(folder).clone(1, gate), slots(folder).exclusive("x", gate), slots(folder).copy(1, "m", list, gate):
        pass


def test_a_source_that_fails_is_told_to_the_caller_and_holds_up_nobody(tmp_path: Path) -> None:
    answers: list[set[str]] = [set()]

    def in_flight() -> set[str]:
        if answers:
            return answers.pop()
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError), slots(tmp_path).copy(1, "mine", in_flight):
        raise AssertionError("the question failed")
    with slots(tmp_path).copy(1, "other", list):
        pass


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_of_nothing_is_refused_instead_of_waiting_for_ever(tmp_path: Path, limit: int) -> None:
    with pytest.raises(ValueError, match="above 0"), slots(tmp_path).clone(limit):
        pass
    with pytest.raises(ValueError, match="above 0"), slots(tmp_path).copy(limit, "vm", list):
        pass


def test_ids_cannot_leave_the_folder(tmp_path: Path) -> None:
    inner = tmp_path / "slots"
    with slots(inner).copy(1, "../../evil", list), slots(inner).exclusive("../evil"):
        assert [path for path in tmp_path.rglob("*evil*") if path.parent != inner] == []
        assert len(list(inner.iterdir())) == 2
