# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pipeline's run over a scripted shell: what breaks when, and what follows."""

from __future__ import annotations

import struct
import typing as t
from collections.abc import Callable

import pytest
import requests
from ansible_collections.fanout.hyperv.plugins.module_utils._command import Outcome, ProgressRecord, command
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    AuthenticationFailed,
    ErrorRecord,
    HostUnreachable,
    OperationTimedOut,
    Orphaned,
    OutcomeUnknown,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._session_run import (
    Deadline,
    EndNotSeen,
    Interrupted,
    Order,
    Run,
)
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError

CUT = requests.ConnectionError("cut")
SLOW = requests.ReadTimeout("slow")
REFUSED = requests.ConnectionError("refused", ConnectionRefusedError(111, "refused"))
GONE = WSManFaultError(0x8033805B, "hv01", "gone", None, None, None)
BUSY = WSManFaultError(0x803381A5, "hv01", "quota", None, None, None)
BAD_REQUEST = WinRMTransportError("http", 400, "")
UNAVAILABLE = WinRMTransportError("http", 503, "")
DENIED = AuthenticationError("no")


class Clock:
    """Time passes only where the script says so, and in sleep."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Nothing(t.NamedTuple):
    """A Receive that is held for so long and brings nothing."""

    seconds: float


class Pipeline:
    def __init__(self) -> None:
        self.running = False


class ScriptedShell:
    """Does one step of the script at each Receive: an error, Nothing, progress records, or "end"."""

    auth = "ntlm"

    def __init__(self, clock: Clock, *script: t.Any, send: Exception | None = None) -> None:
        self.clock = clock
        self.script = list(script)
        self.sending = send
        self.order = Order()
        self.done: list[str] = []
        self.held: list[int] = []
        self.records: list[ProgressRecord] = []
        self.alive_answer: bool | Exception = True
        self.idle_answer: bool | None = False
        self.result = Outcome(["object"])
        self.accept_stop = True

    def send(self, pipeline: Pipeline, left: float) -> None:
        self.done.append("send")
        if self.sending is not None:
            raise self.sending
        pipeline.running = True

    def adopt(self, pipeline: Pipeline) -> None:
        self.done.append("adopt")
        pipeline.running = True

    def receive(self, pipeline: Pipeline, seconds: int, left: float) -> bool:
        self.held.append(seconds)
        step = self.script.pop(0) if self.script else Nothing(seconds)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Nothing):
            self.clock.now += step.seconds
            return False
        if step == "end":
            pipeline.running = False
        elif isinstance(step, ProgressRecord):
            self.records.append(step)
        return True

    def running(self, pipeline: Pipeline) -> bool:
        return pipeline.running

    def progress(self, pipeline: Pipeline) -> list[ProgressRecord]:
        records, self.records = self.records, []
        return records

    def outcome(self, pipeline: Pipeline) -> Outcome:
        return self.result

    def stop(self, pipeline: Pipeline) -> bool:
        self.done.append("stop")
        return self.accept_stop

    def idle(self, left: float) -> bool | None:
        self.done.append("idle")
        return self.idle_answer

    def alive(self, left: float) -> bool:
        self.done.append("alive")
        if isinstance(self.alive_answer, Exception):
            raise self.alive_answer
        return self.alive_answer

    def reset(self) -> None:
        self.done.append("reset")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run(shell: ScriptedShell, *, timeout: float = 100, patience: float = 60, **callbacks: t.Any) -> Outcome:
    return Run(
        shell,
        Pipeline(),
        [command("Move-VM", Name="x")],
        label="hv01",
        deadline=Deadline(shell.clock, timeout),
        clock=shell.clock,
        sleep=shell.clock.sleep,
        patience=patience,
        **callbacks,
    ).outcome()


def interrupted(shell: ScriptedShell, **options: t.Any) -> Interrupted:
    with pytest.raises(Interrupted) as caught:
        run(shell, **options)
    return caught.value


def test_a_command_that_ends(clock: Clock) -> None:
    shell = ScriptedShell(clock, Nothing(20), "end")
    assert run(shell).objects == ["object"]
    assert shell.done == ["send"]


def test_the_host_may_hold_an_answer_back_until_the_deadline_or_the_next_callback(clock: Clock) -> None:
    shell = ScriptedShell(clock, Nothing(10), Nothing(10), "end")
    run(shell, timeout=25, on_poll=lambda: None, poll_every=10)
    assert shell.held == [10, 10, 5]


# -- sending --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "code", "nothing_ran", "shell_usable"),
    [
        (REFUSED, HostUnreachable, "CONNECTION_REFUSED", False, False),
        (BAD_REQUEST, HostUnreachable, "NOT_WINRM", True, True),
        (GONE, HostUnreachable, "SHELL_GONE", True, False),
        (BUSY, HostUnreachable, "QUOTA", False, False),
        (DENIED, AuthenticationFailed, "BAD_CREDENTIALS", False, False),
    ],
)
def test_a_command_that_certainly_was_not_taken(
    clock: Clock, error: Exception, kind: type[Exception], code: str, nothing_ran: bool, shell_usable: bool
) -> None:
    caught = interrupted(ScriptedShell(clock, send=error))
    assert isinstance(caught.error, kind)
    assert (caught.error.code, caught.nothing_ran, caught.shell_usable) == (code, nothing_ran, shell_usable)


@pytest.mark.parametrize("lost", [CUT, SLOW, UNAVAILABLE])
def test_a_command_whose_acknowledgement_is_lost_and_that_runs(clock: Clock, lost: Exception) -> None:
    shell = ScriptedShell(clock, CUT, Nothing(1), Nothing(2), "end", send=lost)
    assert run(shell).objects == ["object"]
    assert shell.done[:4] == ["send", "adopt", "reset", "reset"]


def test_a_command_that_did_not_arrive(clock: Clock) -> None:
    caught = interrupted(ScriptedShell(clock, GONE, send=CUT))
    assert isinstance(caught.error, HostUnreachable)
    assert (caught.error.code, caught.nothing_ran, caught.shell_usable) == ("NOT_ARRIVED", False, True)


@pytest.mark.parametrize("alive", [False, CUT])
def test_a_lost_command_in_a_lost_shell_may_have_run(clock: Clock, alive: bool | Exception) -> None:
    shell = ScriptedShell(clock, GONE, send=CUT)
    shell.alive_answer = alive
    caught = interrupted(shell)
    assert isinstance(caught.error, OutcomeUnknown)
    assert not caught.nothing_ran and not caught.shell_usable


def test_a_lost_command_at_a_host_that_stays_silent(clock: Clock) -> None:
    caught = interrupted(ScriptedShell(clock, *[REFUSED] * 200, send=CUT), timeout=1000, patience=60)
    assert isinstance(caught.error, OutcomeUnknown)
    assert 60 < clock.now < 65


def test_a_mistake_of_ours_is_not_dressed_up(clock: Clock) -> None:
    with pytest.raises(TypeError):
        run(ScriptedShell(clock, send=TypeError("ours")))
    with pytest.raises(TypeError):
        run(ScriptedShell(clock, TypeError("ours")))


# -- waiting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [CUT, SLOW, REFUSED, UNAVAILABLE, BAD_REQUEST, BUSY, DENIED])
def test_a_connection_that_breaks_while_the_command_runs(clock: Clock, lost: Exception) -> None:
    shell = ScriptedShell(clock, lost, lost, "end")
    assert run(shell).objects == ["object"]
    assert shell.done == ["send", "reset", "reset"]
    assert 0 < clock.now < 2


def test_after_a_break_the_host_is_asked_soon_whether_it_still_works(clock: Clock) -> None:
    shell = ScriptedShell(clock, CUT, Nothing(2), Nothing(20), "end")
    assert run(shell).objects == ["object"]
    assert shell.held[1] == 2
    assert shell.done == ["send", "reset", "idle"]


def test_the_last_answer_is_lost(clock: Clock) -> None:
    shell = ScriptedShell(clock, CUT, Nothing(2), Nothing(1))
    shell.idle_answer = True
    caught = interrupted(shell)
    assert isinstance(caught.error, OutcomeUnknown) and caught.shell_usable


def test_the_last_answer_comes_while_the_host_is_asked(clock: Clock) -> None:
    shell = ScriptedShell(clock, CUT, Nothing(2), "end")
    shell.idle_answer = True
    assert run(shell).objects == ["object"]


def test_a_host_that_does_not_say_whether_it_works_is_waited_for(clock: Clock) -> None:
    shell = ScriptedShell(clock, CUT, Nothing(2), Nothing(20), "end")
    shell.idle_answer = None
    assert run(shell).objects == ["object"]


def test_done_without_an_end(clock: Clock) -> None:
    caught = interrupted(ScriptedShell(clock, EndNotSeen("done")))
    assert isinstance(caught.error, OutcomeUnknown) and caught.shell_usable


@pytest.mark.parametrize("alive", [True, False])
def test_a_command_that_the_host_no_longer_knows(clock: Clock, alive: bool) -> None:
    shell = ScriptedShell(clock, GONE)
    shell.alive_answer = alive
    caught = interrupted(shell)
    assert isinstance(caught.error, OutcomeUnknown)
    assert ("session is gone" in caught.error.message) is not alive


def test_a_host_that_falls_silent(clock: Clock) -> None:
    caught = interrupted(ScriptedShell(clock, *[REFUSED] * 200), timeout=1000, patience=60)
    assert isinstance(caught.error, OutcomeUnknown) and not caught.shell_usable
    assert 60 < clock.now < 65


def test_patience_begins_anew_with_every_answer(clock: Clock) -> None:
    shell = ScriptedShell(clock, *([REFUSED] * 20 + [Nothing(2)]) * 3, "end")
    assert run(shell, timeout=1000, patience=60).objects == ["object"]
    assert clock.now > 60


def test_a_silent_host_and_a_deadline(clock: Clock) -> None:
    caught = interrupted(ScriptedShell(clock, *[REFUSED] * 200), timeout=5, patience=60)
    assert isinstance(caught.error, OutcomeUnknown)
    assert clock.now == pytest.approx(5)


def test_something_lost_is_not_taken_for_a_success(clock: Clock) -> None:
    shell = ScriptedShell(clock, "end")
    shell.order.lost = True
    assert isinstance(interrupted(shell).error, OutcomeUnknown)


def test_something_lost_does_not_hide_a_failure(clock: Clock) -> None:
    shell = ScriptedShell(clock, "end")
    shell.order.lost = True
    shell.result = Outcome([], (ErrorRecord("no", "X", terminating=True),))
    assert run(shell).failed


# -- deadline and callbacks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("accepted", [True, False])
def test_the_deadline_stops_the_command(clock: Clock, accepted: bool) -> None:
    shell = ScriptedShell(clock)
    shell.accept_stop = accepted
    with pytest.raises(OperationTimedOut) as caught:
        run(shell, timeout=7)
    assert caught.value.stopped is accepted
    assert "7 s" in caught.value.message and "Move-VM" in caught.value.message
    assert clock.now == pytest.approx(7)
    assert shell.done == ["send", "stop"]


def test_progress_is_told_in_order_and_to_the_last(clock: Clock) -> None:
    half, whole = ProgressRecord("copy", percent=50), ProgressRecord("copy", percent=100)
    told: list[int | None] = []
    run(ScriptedShell(clock, half, whole, "end"), on_progress=lambda record: told.append(record.percent))
    assert told == [50, 100]


def test_the_callback_comes_as_often_as_asked_also_while_the_connection_is_broken(clock: Clock) -> None:
    calls: list[float] = []
    script: list[t.Any] = [Nothing(10), *[ProgressRecord("x")] * 5, Nothing(10), *[SLOW] * 8, Nothing(2), "end"]
    run(ScriptedShell(clock, *script), on_poll=lambda: calls.append(clock.now), poll_every=10)
    assert calls[:2] == [10, 20]
    assert len(calls) == 2 + int((clock.now - 20) // 10)


@pytest.mark.parametrize("which", ["on_progress", "on_poll"])
def test_what_a_callback_raises_stops_the_command(clock: Clock, which: str) -> None:
    shell = ScriptedShell(clock, ProgressRecord("x"), Nothing(1), "end")
    callbacks: dict[str, t.Any] = {which: raiser(KeyError("callback")), "poll_every": 0}
    with pytest.raises(KeyError):
        run(shell, **callbacks)
    assert shell.done == ["send", "stop"]


@pytest.mark.parametrize("error", [Orphaned(), KeyboardInterrupt(), SystemExit()])
def test_an_orphan_leaves_the_command_running(clock: Clock, error: BaseException) -> None:
    shell = ScriptedShell(clock, Nothing(1), "end")
    with pytest.raises(type(error)):
        run(shell, on_poll=raiser(error), poll_every=0)
    assert shell.done == ["send"]


def raiser(error: BaseException) -> Callable[..., None]:
    def call(*_: t.Any) -> None:
        raise error

    return call


# -- order ----------------------------------------------------------------------------------------------------------


def fragment(number: int, part: int = 0, *, last: bool = True, data: bytes = b"x") -> bytes:
    return struct.pack(">QQBI", number, part, (1 if part == 0 else 0) | (2 if last else 0), len(data)) + data


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ([fragment(1) + fragment(2)], [fragment(3)], False),
        ([fragment(1)], [fragment(3)], True),
        ([fragment(1, last=False)], [fragment(1, 1)], False),
        ([fragment(1, last=False)], [fragment(1, 2)], True),
        ([fragment(1, last=False)], [fragment(2)], True),
        ([fragment(1)], [b"", fragment(2) + fragment(9)], False),
        ([], [fragment(1)], True),
    ],
)
def test_a_gap_in_the_numbers_after_a_break(before: list[bytes], after: list[bytes], lost: bool) -> None:
    order = Order()
    for data in before:
        order.see(data)
    order.broke()
    for data in after:
        order.see(data)
    assert order.lost is lost


def test_without_a_break_a_host_may_number_as_it_likes() -> None:
    order = Order()
    for number in (7, 3, 100):
        order.see(fragment(number))
    assert not order.lost


def test_what_was_lost_before_is_no_concern_of_the_next_pipeline() -> None:
    order = Order()
    order.see(fragment(1))
    order.broke()
    order.begin()
    order.see(fragment(9))
    assert not order.lost
