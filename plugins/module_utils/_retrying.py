# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Tries something again after an error that may well go away by itself, with a pause that grows.

What is tried has to read the hosts' state back before it changes anything, every time.
"""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    HyperVError,
    InvalidInput,
    OperationTimedOut,
)

LONGEST_PAUSE = 300.0
"""Seconds between two tries, however often it was tried."""

SLICE = 1.0
"""Seconds of a pause between two looks whether anybody still waits for the result."""

WAITED_LONG = frozenset({"MIGRATION_LIMIT"})
"""Errors that come after a time which the user has set: trying again would multiply that."""

Value = t.TypeVar("Value")


def may_pass(error: HyperVError) -> bool:
    """Whether the same may succeed shortly. A time that the user has set and that is over is none of these."""
    return error.transient and not isinstance(error, OperationTimedOut) and error.code not in WAITED_LONG


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often something is tried again, and after how many seconds; each further pause is twice as long."""

    retries: int
    delay: float
    cap: float = LONGEST_PAUSE
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep

    def __post_init__(self) -> None:
        if self.retries < 0 or not 0 <= self.delay < float("inf"):
            raise InvalidInput(
                f"{self.retries} retries after {self.delay} seconds cannot be: both are numbers from 0 on.",
                remedy="Set distribute_retries (0: none) and distribute_retry_delay.",
            )

    def pause(self, tries: int) -> float:
        """Seconds after so many tries that failed."""
        return min(max(self.cap, self.delay), self.delay * 2.0 ** min(tries - 1, 64))

    def run(
        self,
        action: Callable[[], Value],
        *,
        waiting: Callable[[HyperVError, int, float], None],
        check: Callable[[], None],
        unless: Callable[[HyperVError], bool] = lambda error: False,
    ) -> Value:
        """What ``action`` gives; its last error when it fails for good, with ``attempts`` set.

        Before each pause ``waiting`` is told the error, how many tries failed, and the pause's seconds. ``check`` is
        called while it lasts, and may raise. Errors for which ``unless`` holds are not tried again.
        """
        tries = 0
        while True:
            tries += 1
            try:
                return action()
            except HyperVError as error:
                error.attempts = tries
                if tries > self.retries or not may_pass(error) or unless(error):
                    raise
                pause = self.pause(tries)
                waiting(error, tries, pause)
            self._wait(pause, check)

    def _wait(self, seconds: float, check: Callable[[], None]) -> None:
        end = self.clock() + seconds
        while (left := end - self.clock()) > 0:
            check()
            self.sleep(min(SLICE, left))
        check()


__all__ = ("LONGEST_PAUSE", "Retry", "may_pass")
