# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move happens once, and where the VM is decides whether it succeeded."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    CommandFailed,
    Conflict,
    HyperVError,
    OperationTimedOut,
    OutcomeUnknown,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._moving import Mover, has_room, in_flight, limit_of
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, MigrationJob, PlannedVM
from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_operation
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.vm_move import OPERATION
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import (
    COPY_ID,
    OTHER_ID,
    T_ID,
    FakeHost,
    FakeReporter,
    defaults,
    job,
    vm,
    work,
)

TARGET = "hv02.lab.test"
FOLDER = r"D:\VMs\new"


class Time:
    """A clock that moves when somebody sleeps; ``then`` are things that happen after so many sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps = 0
        self.then: dict[int, Callable[[], t.Any]] = {}

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.sleeps += 1
        assert self.sleeps < 5000, "this waits for ever"
        self.then.get(self.sleeps, lambda: None)()


@pytest.fixture
def pair() -> tuple[FakeHost, FakeHost]:
    source, target = FakeHost("hv01"), FakeHost("hv02")
    source.add(vm(), r"D:\VMs\gold.vhdx")
    source.peers[TARGET] = target
    return source, target


def mover(source: FakeHost, target: FakeHost | None, time: Time | None = None, **changes: t.Any) -> Mover:
    time = time or Time()
    values: dict[str, t.Any] = {
        "source": source,
        "control": source,
        "destination": target,
        "vm": source.machines.get(T_ID) or vm(),
        "destination_host": TARGET,
        "folder": FOLDER,
        "reporter": FakeReporter(),
        "timeout": 3600,
        "wait_for_room": 600,
        "clock": lambda: time.now,
        "sleep": time.sleep,
    }
    return Mover(**{**values, **changes})


def moves(host: FakeHost) -> int:
    return sum(what == "move" for what, _which in host.writes)


@pytest.mark.parametrize("known", [True, False])
def test_a_move(pair: tuple[FakeHost, FakeHost], known: bool) -> None:
    source, target = pair
    assert mover(source, target if known else None).carry_out() == "moved"
    assert T_ID in target.machines
    assert moves(source) == 1


def test_the_slot_is_held_for_the_move_and_not_for_what_can_be_asked_before_and_after(
    pair: tuple[FakeHost, FakeHost], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = pair
    asked: list[str] = []
    for host in pair:
        for name in ("settings", "vm", "vms", "jobs", "move_vm"):
            real = getattr(host, name)

            def noted(*args: t.Any, real: t.Any = real, name: str = name, **options: t.Any) -> t.Any:
                asked.append(name)
                return real(*args, **options)

            monkeypatch.setattr(host, name, noted)

    @contextmanager
    def slot() -> Iterator[None]:
        asked.append("taken")
        yield
        asked.append("free")

    assert mover(source, target, slot=slot).carry_out() == "moved"
    assert asked[asked.index("taken") : asked.index("free")] == ["taken", "jobs", "jobs", "move_vm"]
    assert "vm" in asked[asked.index("free") :]


def test_a_running_move_is_waited_for_and_not_started_again(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair
    source.running = [job(T_ID, percent=40)]
    time = Time()
    time.then = {
        2: lambda: source.running.__setitem__(0, job(T_ID, percent=80)),
        4: lambda: source.arrive(T_ID, TARGET, FOLDER),
    }
    move = mover(source, target, time)
    assert move.carry_out() == "adopted"
    assert moves(source) == 0
    assert t.cast(FakeReporter, move.reporter).percents[-1] == 80


def test_a_move_that_shows_only_in_the_vms_status_is_not_started_again(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair
    source.change(T_ID, statuses=("InService", "MigratingVirtualMachine"))
    target.planned = [PlannedVM(id=T_ID, name="win11-gold")]
    assert run(source, target, check_mode=True)["adopted"]
    time = Time()
    time.then = {1: lambda: source.running.append(job(T_ID)), 3: lambda: source.arrive(T_ID, TARGET, FOLDER)}
    assert mover(source, target, time).carry_out() == "adopted"
    assert moves(source) == 0


@pytest.mark.parametrize(
    "status",
    ["MigratingVirtualMachine", "MigratingPlannedVm", "StorageMigrationPhaseOne", "StorageMigrationPhaseTwo"],
)
def test_a_move_counts_as_soon_as_the_vm_shows_it(pair: tuple[FakeHost, FakeHost], status: str) -> None:
    """The job of a move that was started a moment ago is not in the list yet."""
    source, _target = pair
    source.add(vm(OTHER_ID, "mail"))
    assert in_flight(t.cast(t.Any, source), lambda _vm: True) == frozenset()
    source.change(T_ID, statuses=("InService", status))
    assert in_flight(t.cast(t.Any, source), lambda _vm: True) == {T_ID}
    assert in_flight(t.cast(t.Any, source), lambda vm: vm.id == OTHER_ID) == frozenset()
    assert run(source, _target, check_mode=True)["adopted"]


def test_a_job_that_names_its_vm_counts_only_if_the_name_is_unique(pair: tuple[FakeHost, FakeHost]) -> None:
    source, _target = pair
    source.running = [job("win11-gold")]
    assert in_flight(t.cast(t.Any, source), lambda _vm: True) == {T_ID}
    source.add(vm(OTHER_ID))
    assert in_flight(t.cast(t.Any, source), lambda _vm: True) == frozenset()


def test_a_running_move_to_another_host_is_a_conflict(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair
    source.running = [job(T_ID, destination="HV09")]
    with pytest.raises(Conflict) as caught:
        mover(source, target).carry_out()
    assert "HV09" in str(caught.value)
    assert moves(source) == 0


@pytest.mark.parametrize("shown", ["hv02", "HV02.LAB.TEST", "10.0.0.2", ""])
def test_a_destination_is_recognised_by_any_of_its_names(pair: tuple[FakeHost, FakeHost], shown: str) -> None:
    source, target = pair
    source.running = [job(T_ID, destination=shown)]
    time = Time()
    time.then = {1: lambda: source.arrive(T_ID, TARGET, FOLDER)}
    assert mover(source, target, time).carry_out() == "adopted"


def test_an_adopted_move_that_fails_is_a_failure(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair
    source.running = [job(T_ID)]
    time = Time()
    time.then = {2: lambda: source.running.clear()}
    with pytest.raises(CommandFailed) as caught:
        mover(source, target, time).carry_out()
    assert caught.value.code == "MOVE_FAILED"
    assert moves(source) == 0


def test_a_lost_answer_of_a_move_that_succeeded_is_a_success(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair

    def lost(host: FakeHost, machine: t.Any, destination: str, folder: str) -> None:
        host.arrive(machine.id, destination, folder)
        raise OutcomeUnknown("lost")

    source.on_move = lost
    assert mover(source, target).carry_out() == "moved"


def test_a_lost_answer_of_a_move_that_goes_on_is_followed(pair: tuple[FakeHost, FakeHost]) -> None:
    """The job shows up late, as on real hosts."""
    source, target = pair

    def lost(_host: FakeHost, *_move: t.Any) -> None:
        raise OutcomeUnknown("lost")

    source.on_move = lost
    time = Time()
    time.then = {1: lambda: source.running.append(job(T_ID)), 4: lambda: source.arrive(T_ID, TARGET, FOLDER)}
    assert mover(source, target, time).carry_out() == "moved"
    assert moves(source) == 1


def test_a_lost_answer_of_a_move_that_never_began_is_told(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair

    def lost(_host: FakeHost, *_move: t.Any) -> None:
        raise OutcomeUnknown("lost")

    source.on_move = lost
    with pytest.raises(OutcomeUnknown):
        mover(source, target).carry_out()
    assert moves(source) == 1, "it is not simply started again"


def test_the_hosts_error_is_kept_when_the_vm_stays(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair

    def full(_host: FakeHost, *_move: t.Any) -> None:
        raise CommandFailed("failed", code="0x80070070")

    source.on_move = full
    with pytest.raises(CommandFailed) as caught:
        mover(source, target).carry_out()
    assert caught.value.code == "0x80070070"
    assert T_ID in source.machines
    assert moves(source) == 1


def test_an_error_of_a_move_that_arrived_all_the_same_is_none(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair

    def arrives(host: FakeHost, machine: t.Any, destination: str, folder: str) -> None:
        host.arrive(machine.id, destination, folder)
        raise CommandFailed("The operation failed, or so it seemed.")

    source.on_move = arrives
    assert mover(source, target).carry_out() == "moved"


def test_a_vm_that_is_nowhere_is_never_a_success(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair
    source.peers.clear()
    with pytest.raises(OutcomeUnknown) as caught:
        mover(source, target).carry_out()
    assert caught.value.remedy


def test_a_timeout_while_it_goes_on_is_told_as_such(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair
    source.running = [job(T_ID)]
    with pytest.raises(OperationTimedOut) as caught:
        mover(source, target, timeout=60).carry_out()
    assert "adopted" in str(caught.value.remedy)
    assert moves(source) == 0


# Limits


@pytest.mark.parametrize("full", ["source", "target"])
def test_at_a_hosts_limit_it_waits(pair: tuple[FakeHost, FakeHost], full: str) -> None:
    source, target = pair
    busy = {"source": source, "target": target}[full]
    busy.running = [job(OTHER_ID), job("somebody else's")]
    assert not has_room(t.cast(t.Any, busy), limit_of(t.cast(t.Any, busy)))
    time = Time()
    time.then = {3: lambda: busy.running.pop()}
    move = mover(source, target, time)
    assert move.carry_out() == "moved"
    assert time.sleeps == 3
    assert t.cast(FakeReporter, move.reporter).phases == ["waiting", "copying"]


class OneSlot:
    """K = 1; whoever asks while it is taken would wait for ever."""

    def __init__(self) -> None:
        self.taken = False
        self.times = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        assert not self.taken, "somebody who waits at a limit holds the slot"
        self.taken, self.times = True, self.times + 1
        try:
            yield
        finally:
            self.taken = False


FULL = (job(OTHER_ID), job("somebody else's"))


def fill_before(host: FakeHost) -> None:
    host.running = list(FULL)


def fill_in_the_slot(host: FakeHost, slot: OneSlot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is quicker than the worker that has just got the slot."""
    real = host.jobs

    def jobs() -> tuple[MigrationJob, ...]:
        if slot.taken and slot.times == 1:
            fill_before(host)
        return real()

    monkeypatch.setattr(host, "jobs", jobs)


def refuse_the_first_move(source: FakeHost) -> None:
    def limit(_host: FakeHost, machine: VM, *_where: str) -> None:
        if machine.id == T_ID and moves(source) == 1:
            raise CommandFailed("a text in any language")

    source.percent = None
    source.on_move = limit


@pytest.mark.parametrize("when", ["before the slot", "in the slot", "refused by the host"])
def test_who_waits_at_a_full_target_leaves_the_slot_to_the_copies_of_others(
    pair: tuple[FakeHost, FakeHost], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    source, target = pair
    idle, slot, time = FakeHost("hv03"), OneSlot(), Time()
    source.peers["hv03.lab.test"] = idle
    other = source.add(vm(COPY_ID, "second"))
    if when == "before the slot":
        fill_before(target)
    elif when == "in the slot":
        fill_in_the_slot(target, slot, monkeypatch)
    else:
        refuse_the_first_move(source)
    to_another = mover(source, idle, vm=other, destination_host="hv03.lab.test", slot=slot, limits=[2, 2])
    time.then = {1: to_another.carry_out, 2: lambda: target.running.clear()}
    reporter = FakeReporter()
    assert mover(source, target, time, slot=slot, limits=[2, 2], reporter=reporter).carry_out() == "moved"
    assert COPY_ID in idle.machines
    assert T_ID in target.machines
    assert reporter.phases[-2:] == ["waiting", "copying"]


def test_standing_in_the_line_for_a_slot_is_no_waiting_at_a_limit(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair
    time = Time()

    @contextmanager
    def slot() -> Iterator[None]:
        time.now += 10_000
        if time.sleeps == 0:
            fill_before(target)
        yield

    time.then = {3: lambda: target.running.clear()}
    assert mover(source, target, time, slot=slot, wait_for_room=60).carry_out() == "moved"


def test_it_does_not_wait_for_ever(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair
    source.running = [job(OTHER_ID), job("somebody else's")]
    with pytest.raises(HyperVError) as caught:
        mover(source, target, wait_for_room=60).carry_out()
    assert caught.value.code == "MIGRATION_LIMIT"
    assert caught.value.transient
    assert moves(source) == 0


def test_when_somebody_was_quicker_it_waits_and_tries_again(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair

    def limit(host: FakeHost, *_move: t.Any) -> None:
        if moves(host) == 1:
            host.running = [job(OTHER_ID), job("somebody else's")]
            raise CommandFailed("a text in any language")

    source.on_move = limit
    time = Time()
    time.then = {2: lambda: source.running.clear()}
    assert mover(source, target, time).carry_out() == "moved"
    assert moves(source) == 2


def test_when_the_place_was_taken_and_is_free_again_it_tries_again(pair: tuple[FakeHost, FakeHost]) -> None:
    """The refusal at a limit has no number, and what took the place may have ended before anybody looks."""
    source, target = pair
    source.percent = None

    def limit(host: FakeHost, *_move: t.Any) -> None:
        if moves(host) < 3:
            raise CommandFailed("a text in any language")

    source.on_move = limit
    assert mover(source, target).carry_out() == "moved"
    assert moves(source) == 3


def test_a_refusal_that_stays_is_told_as_it_was_at_first(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair
    source.percent = None

    def refused(host: FakeHost, *_move: t.Any) -> None:
        raise CommandFailed(f"refused {moves(host)}", code=None if moves(host) < 3 else "FILE_EXISTS")

    source.on_move = refused
    with pytest.raises(CommandFailed) as caught:
        mover(source, target).carry_out()
    assert caught.value.message == "refused 1"
    assert moves(source) == 3


def test_a_move_that_fails_on_its_way_is_not_tried_again(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair

    def breaks(_host: FakeHost, *_move: t.Any) -> None:
        raise CommandFailed("for no known reason")

    source.on_move = breaks
    with pytest.raises(CommandFailed):
        mover(source, target).carry_out()
    assert moves(source) == 1


def test_ended_jobs_do_not_count(pair: tuple[FakeHost, FakeHost]) -> None:
    source, _target = pair
    source.running = [job(OTHER_ID, state="completed"), job("x", state="failed"), job("y", state="completed")]
    assert has_room(t.cast(t.Any, source), limit_of(t.cast(t.Any, source)))


# The module's decision


def run(source: FakeHost, target: FakeHost | None, *, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
    given = {"destination_host": TARGET, "destination_path": FOLDER, **given}
    given.setdefault("id", T_ID)
    hosts = {"host": source} if target is None else {"host": source, "destination": target}
    job_of_work = work(defaults(OPERATION, **given), **hosts)
    return run_operation(OPERATION, job_of_work, check_mode=check_mode, diff=True)


def test_decision_and_repetition(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair
    predicted = run(source, target, check_mode=True)
    assert not source.writes
    result = run(source, target)
    assert result == predicted
    assert result["diff"] == {
        "before": {"host": "hv01", "path": r"D:\VMs\win11-gold"},
        "after": {"host": TARGET, "path": FOLDER},
    }
    again = run(source, target)
    assert not again["changed"]
    assert again["vm"]["id"] == T_ID


def test_by_name_too_after_it_has_arrived(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair
    assert run(source, target, id=None, name="win11-gold")["changed"]
    assert not run(source, target, id=None, name="win11-gold")["changed"]


def test_gone_and_nobody_to_ask(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair
    run(source, target)
    assert run(source, None)["error"]["code"] == "VM_NOT_FOUND"
    assert "destination" in run(source, None)["msg"]
    target.machines.clear()
    assert run(source, target)["error"]["code"] == "VM_NOT_FOUND"


def test_what_is_refused_before_it_starts(pair: tuple[FakeHost, FakeHost]) -> None:
    source, target = pair
    assert run(source, source)["error"]["code"] == "SAME_COMPUTER"
    assert run(source, target, destination_path="nowhere")["error"]["layer"] == "input"
    target.planned = [PlannedVM(id=T_ID, name="win11-gold")]
    assert run(source, target)["error"]["code"] == "PLANNED_VM_LEFT"
    target.planned = []
    source.change(T_ID, statuses=("InService", "ExportingVirtualMachine"))
    assert run(source, target)["error"]["code"] == "VM_BUSY"
    assert moves(source) == 0
