# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting, with a clock in the hand."""

from __future__ import annotations

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._waiting import Every, wait_until


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.mark.parametrize(
    ("true_after", "timeout", "expected", "slept"),
    [
        (0, 10, "yes", []),
        (0, 0, "yes", []),
        (1, 0, None, []),
        (2, 10, "yes", [4, 4]),
        (9, 10, None, [4, 4, 2]),
        (3, 10, "yes", [4, 4, 2]),
    ],
)
def test_wait_until(true_after: int, timeout: float, expected: str | None, slept: list[float]) -> None:
    clock = Clock()
    answers = [None] * true_after + ["yes"]
    found = wait_until(lambda: answers.pop(0), timeout=timeout, every=4, clock=clock, sleep=clock.sleep)
    assert (found, clock.slept) == (expected, slept)


def test_check_may_end_the_waiting() -> None:
    def check() -> None:
        raise KeyError("orphaned")

    clock = Clock()
    with pytest.raises(KeyError):
        wait_until(lambda: None, timeout=10, every=1, check=check, clock=clock, sleep=clock.sleep)
    assert clock.slept == []


def test_every() -> None:
    clock = Clock()
    beat = Every(5, clock=clock)
    seen = []
    for _second in range(12):
        seen.append(beat.due())
        clock.now += 1
    assert [second for second, due in enumerate(seen) if due] == [0, 5, 10]
