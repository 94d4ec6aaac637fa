# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What was done when (the phases of a provider) and how many bytes moved when (the throughput of a run)."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_parts import (
    PHASES_KEPT,
    Phase,
    Throughput,
    closed,
    utc,
)

NOT_TOLD = frozenset({"connecting", "checking", "surveying", "planning", "queued"})
"""Phases without a place in the time line: nothing is done for a copy in them."""

MOST = 120
"""Numbers of a throughput, at most; then each stands for twice the time."""

Values = dict[str, t.Any]
Step = tuple[str, float]


class Trail:
    """The phases of one provider in one run: those of the worker that works now, after those of earlier ones."""

    def __init__(self) -> None:
        self._worker: t.Any = None
        self._earlier: tuple[Phase, ...] = ()
        self._steps: list[Step] = []
        self._ended: float | None = None

    def told(self, values: Mapping[str, t.Any], now: float) -> bool:
        """What the worker's progress file says; whether it is another worker than before."""
        worker, phase, steps = values.get("started"), values.get("phase"), values.get("phases")
        is_other = worker != self._worker
        if is_other:
            self._earlier, self._steps = self.phases(now), []
            self._worker = worker
        self._ended = None
        if steps:
            self._steps = [(str(name), float(at)) for name, at in steps]
        elif phase and (not self._steps or self._steps[-1][0] != phase):
            self._steps.append((str(phase), now))
        return is_other

    def end(self, now: float) -> None:
        """The worker has ended."""
        if self._ended is None:
            self._ended = now

    def span(self, phase: str, now: float) -> tuple[float, float] | None:
        """From when to when this worker was in a phase the last time."""
        for number in reversed(range(len(self._steps))):
            name, began = self._steps[number]
            if name == phase:
                following = [at for _name, at in self._steps[number + 1 : number + 2]]
                return began, max(began, following[0] if following else self._ended or now)
        return None

    def phases(self, at: float | None = None) -> tuple[Phase, ...]:
        """All phases, the last ones when there are many; with ``at`` none is open any more."""
        ends = [*(began for _name, began in self._steps), self._ended][1:]
        mine = tuple(
            Phase(phase=name, started=utc(began), finished=None if end is None else utc(max(began, end)))
            for (name, began), end in zip(self._steps, ends, strict=False)
            if name not in NOT_TOLD
        )
        found = (*self._earlier, *mine)[-PHASES_KEPT:]
        return found if at is None else closed(found, utc(at))


class Flow:
    """How many bytes moved when: each amount is spread evenly over the time in which it moved."""

    def __init__(self) -> None:
        self._every = 1
        self._started = 0.0
        self._until = 0.0
        self._amounts: list[float] = []

    def add(self, begin: float, end: float, amount: float) -> None:
        """Bytes that moved between two times. What moved before the first ``begin`` counts as moved then."""
        if amount <= 0:
            return
        if not self._amounts:
            self._started = float(int(begin))
        begin = max(begin, self._started)
        end = max(end, begin + 0.001)
        self._until = max(self._until, end)
        while end - self._started > self._every * MOST:
            self._coarsen()
        first, last = self._slot(begin), self._slot(end - 0.0005)
        self._amounts += [0.0] * (last + 1 - len(self._amounts))
        for slot in range(first, last + 1):
            slot_begin = self._started + slot * self._every
            shared = min(end, slot_begin + self._every) - max(begin, slot_begin)
            self._amounts[slot] += amount * shared / (end - begin)

    def of(self, run: str) -> Throughput | None:
        """As it stands in the document; None before anything has moved."""
        if not self._amounts:
            return None
        rates = [round(amount / self._every) for amount in self._amounts]
        last = self._until - self._started - (len(rates) - 1) * self._every
        if 0 < last < self._every:
            rates[-1] = round(self._amounts[-1] / max(last, self._every / 4))
        return Throughput(run=run, started=utc(self._started), every=self._every, rates=tuple(rates))

    def _slot(self, at: float) -> int:
        return min(MOST - 1, int((at - self._started) / self._every))

    def _coarsen(self) -> None:
        self._every *= 2
        self._amounts = [sum(self._amounts[number : number + 2]) for number in range(0, len(self._amounts), 2)]


__all__ = ("Flow", "Trail")
