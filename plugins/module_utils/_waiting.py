# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Waiting for a condition: bounded, with a clock that tests can hold."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable

Value = t.TypeVar("Value")


def wait_until(
    condition: Callable[[], Value | None],
    *,
    timeout: float,
    every: float,
    check: Callable[[], object] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Value | None:
    """What ``condition`` gives as soon as it is true; None when it is not within ``timeout`` seconds.

    It is asked at once and a last time when the time is up. ``check`` is called before each sleep and may raise.
    """
    deadline = clock() + timeout
    while True:
        value = condition()
        if value:
            return value
        left = deadline - clock()
        if left <= 0:
            return None
        if check is not None:
            check()
        sleep(min(every, left))


class Every:
    """Says once per interval that it is time; the first time at once."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._next = clock()

    def due(self) -> bool:
        """Whether it is time; starts the next interval if so."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


__all__ = ("Every", "wait_until")
