# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""How fast something grows and when it will be done, from samples of how much is there."""

from __future__ import annotations

from collections import deque

WINDOW = 60.0
"""Seconds that a rate looks back on."""


class Rate:
    """A rate over the last minute.

    Only samples at which the amount has changed are kept: hosts tell whole percents, so the amount grows in steps that
    can be minutes apart. While nothing grows for longer than a step usually takes, the rate falls.
    """

    def __init__(self, window: float = WINDOW) -> None:
        self._window = window
        self._steps: deque[tuple[float, int]] = deque()

    def add(self, now: float, amount: int) -> None:
        """What was there at that time; an amount that shrinks is a new beginning."""
        if self._steps and amount < self._steps[-1][1]:
            self._steps.clear()
        if not self._steps or amount > self._steps[-1][1]:
            self._steps.append((now, amount))
        while len(self._steps) > 2 and self._steps[1][0] < now - self._window:
            self._steps.popleft()

    def per_second(self, now: float) -> float | None:
        """The rate, None as long as it is not known."""
        if len(self._steps) < 2:
            return None
        (first_at, first), (last_at, last) = self._steps[0], self._steps[-1]
        step = (last_at - first_at) / (len(self._steps) - 1)
        span = max(last_at, now - step) - first_at
        return (last - first) / span if span > 0 else None

    def seconds_left(self, now: float, total: int | None) -> float | None:
        """How long the rest takes at this rate."""
        rate = self.per_second(now)
        if total is None or not rate:
            return None
        return max(0.0, (total - self._steps[-1][1]) / rate - (now - self._steps[-1][0]))


__all__ = ("Rate",)
