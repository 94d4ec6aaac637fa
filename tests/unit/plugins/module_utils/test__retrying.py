# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried again, how often, and after how long; by a clock that is ours."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    AuthenticationFailed,
    CommandFailed,
    Conflict,
    HostUnreachable,
    HyperVError,
    InvalidInput,
    LeaseHeld,
    OperationTimedOut,
    Orphaned,
    OutcomeUnknown,
    Refused,
    VerificationFailed,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._retrying import LONGEST_PAUSE, Retry, may_pass


class Clock:
    """Time passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


class Tried:
    """Fails with these errors, one after the other, then succeeds; keeps when it was called and what was told."""

    def __init__(self, *errors: BaseException, retries: int = 2, delay: float = 10.0) -> None:
        self.clock = Clock()
        self.errors = list(errors)
        self.at: list[float] = []
        self.told: list[tuple[str, int, float]] = []
        self.checks = 0
        self.retry = Retry(retries=retries, delay=delay, clock=lambda: self.clock.now, sleep=self.clock.sleep)

    def act(self) -> str:
        self.at.append(self.clock.now)
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    def check(self) -> None:
        self.checks += 1

    def run(self) -> str:
        return self.retry.run(self.act, waiting=self.waiting, check=self.check)

    def waiting(self, error: HyperVError, tries: int, pause: float) -> None:
        self.told.append((error.code, tries, pause))


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (HostUnreachable("down"), True),
        (OutcomeUnknown("cut"), True),
        (LeaseHeld("busy"), True),
        (CommandFailed("no", transient=True), True),
        (CommandFailed("no"), False),
        (AuthenticationFailed("who"), False),
        (Conflict("there"), False),
        (Refused("no"), False),
        (VerificationFailed("wrong"), False),
        (OperationTimedOut("the user's own limit"), False),
        (HyperVError("the user's own limit", code="MIGRATION_LIMIT", transient=True), False),
    ],
)
def test_only_what_may_go_away_by_itself_is_tried_again(error: HyperVError, passes: bool) -> None:
    assert may_pass(error) is passes
    tried = Tried(error)
    if passes:
        assert tried.run() == "done"
        assert tried.at == [0.0, 10.0]
        return
    with pytest.raises(type(error)):
        tried.run()
    assert (tried.at, tried.told, error.attempts) == ([0.0], [], 1)


def test_pauses_grow_and_the_last_error_says_how_often_it_was_tried() -> None:
    tried = Tried(*[HostUnreachable(f"down {number}") for number in range(9)], retries=3)
    with pytest.raises(HostUnreachable, match="down 3") as raised:
        tried.run()
    assert raised.value.attempts == 4
    assert tried.at == [0.0, 10.0, 30.0, 70.0]
    assert tried.told == [("UNREACHABLE", 1, 10.0), ("UNREACHABLE", 2, 20.0), ("UNREACHABLE", 3, 40.0)]


def test_pauses_have_an_end() -> None:
    retry = Retry(retries=10_000, delay=10.0)
    assert retry.pause(6) == LONGEST_PAUSE
    assert retry.pause(10_000) == LONGEST_PAUSE


def test_an_error_of_another_kind_ends_it() -> None:
    tried = Tried(HostUnreachable("down"), VerificationFailed("wrong"))
    with pytest.raises(VerificationFailed) as raised:
        tried.run()
    assert raised.value.attempts == 2


def test_none_at_all_if_wanted() -> None:
    tried = Tried(HostUnreachable("down"), retries=0)
    with pytest.raises(HostUnreachable):
        tried.run()
    assert tried.at == [0.0]


def test_nobody_waits_for_a_dead_parent() -> None:
    tried = Tried(HostUnreachable("down"), delay=60.0)

    def check() -> None:
        if tried.clock.now > 5:
            raise Orphaned

    tried.check = check  # type: ignore[method-assign]
    with pytest.raises(Orphaned):
        tried.run()
    assert tried.clock.now < 10


def test_a_delay_of_nothing_still_looks_whether_anybody_waits() -> None:
    tried = Tried(HostUnreachable("down"), delay=0)
    assert tried.run() == "done"
    assert tried.checks == 1


@pytest.mark.parametrize("given", [{"retries": -1, "delay": 1.0}, {"retries": 1, "delay": -1.0}])
def test_what_cannot_be_is_refused(given: dict[str, t.Any]) -> None:
    with pytest.raises(InvalidInput, match="from 0 on"):
        Retry(**given)
