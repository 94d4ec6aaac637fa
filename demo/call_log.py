# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the call log of the lab proves about a run. Pure: calls in, statements out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Call = Mapping[str, Any]
Interval = tuple[float, float]
STILL_RUNNING = float("inf")


@dataclass(frozen=True)
class Statement:
    """Something that has to be true, in words, with what was seen."""

    text: str
    true: bool

    def __str__(self) -> str:
        return f"  {'yes' if self.true else 'NO '}  {self.text}"


def named(calls: Iterable[Call], command: str) -> list[Call]:
    """The calls of one cmdlet, with or without the module's name before it."""
    return [call for call in calls if str(call["command"]).rpartition("\\")[2].casefold() == command.casefold()]


def interval(call: Call) -> Interval:
    ended = call["ended"]
    return float(call["started"]), STILL_RUNNING if ended is None else float(ended)


def most_at_once(intervals: Iterable[Interval]) -> int:
    """How many intervals overlap at most; one that begins when another ends does not overlap it."""
    steps = [step for start, end in intervals for step in ((start, 1), (end, -1))]
    count = most = 0
    for _moment, change in sorted(steps):
        count += change
        most = max(most, count)
    return most


def most_clones(calls: Sequence[Call]) -> int:
    """How many clones exist at most: from the start of their import to the end of their move."""
    steps = [(interval(call)[0], 1) for call in named(calls, "Import-VM") if call["error"] is None]
    steps += [(interval(call)[1], -1) for call in named(calls, "Move-VM") if call["error"] is None]
    count = most = 0
    for _moment, change in sorted(steps):
        count += change
        most = max(most, count)
    return most


def first_run(calls: Sequence[Call], *, concurrency: int, targets: int) -> list[Statement]:
    exports, moves = named(calls, "Export-VM"), named(calls, "Move-VM")
    moved = [call for call in moves if call["error"] is None]
    exports_at_once, moves_at_once = most_at_once(map(interval, exports)), most_at_once(map(interval, moves))
    clones = most_clones(calls)
    return [
        Statement(f"the template was exported once ({len(exports)} Export-VM)", len(exports) == 1),
        Statement(f"exports never overlapped (at most {exports_at_once} at once)", exports_at_once <= 1),
        Statement(f"every target was supplied by Live Migration ({len(moved)} Move-VM)", len(moved) == targets),
        Statement(
            f"network copies reached the cap of {concurrency} and never passed it (at most {moves_at_once} at once)",
            moves_at_once == min(concurrency, targets),
        ),
        Statement(
            f"at most {concurrency + 1} clones existed at the same time (at most {clones})",
            0 < clones <= concurrency + 1,
        ),
    ]


def second_run(calls: Sequence[Call]) -> list[Statement]:
    writing = sorted({f"{call['command']} on {call['host']}" for call in calls if call["writes"]})
    seen = f" ({', '.join(writing)})" if writing else ""
    return [
        Statement(f"the hosts were asked again ({len(calls)} commands)", len(calls) > 0),
        Statement(f"no command that changes a host was sent{seen}", not writing),
    ]
