# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Phases from what workers report, and throughput from the bytes that moved."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_parts import PHASES_KEPT, Phase, seconds, utc
from ansible_collections.fanout.hyperv.plugins.plugin_utils._timeline import MOST, Flow, Trail

T0 = seconds("2026-11-20T13:00:00Z")
Span = tuple[str, float, float | None]


def phases(*spans: Span) -> tuple[Phase, ...]:
    return tuple(
        Phase(phase=name, started=utc(T0 + begin), finished=None if end is None else utc(T0 + end))
        for name, begin, end in spans
    )


def told(trail: Trail, *steps: tuple[str, float], worker: float = 0.0) -> bool:
    return trail.told({"started": worker, "phases": [[name, T0 + at] for name, at in steps]}, T0)


def test_each_phase_ends_when_the_next_one_begins() -> None:
    trail = Trail()
    told(trail, ("cloning", 1))
    assert trail.phases() == phases(("cloning", 1, None))
    told(trail, ("cloning", 1), ("waiting", 4), ("copying", 9))
    assert trail.phases() == phases(("cloning", 1, 4), ("waiting", 4, 9), ("copying", 9, None))
    trail.end(T0 + 20)
    trail.end(T0 + 30)
    assert trail.phases()[-1] == phases(("copying", 9, 20))[0]


def test_the_next_worker_goes_on_after_the_first() -> None:
    trail = Trail()
    assert told(trail, ("cloning", 1), ("copying", 3))
    assert not told(trail, ("cloning", 1), ("copying", 3))
    trail.end(T0 + 5)
    assert told(trail, ("copying", 7), worker=6.0)
    assert trail.phases() == phases(("cloning", 1, 3), ("copying", 3, 5), ("copying", 7, None))


def test_a_worker_that_tells_only_its_phase_is_followed_too() -> None:
    trail = Trail()
    for second, phase in enumerate(["cloning", "cloning", "copying"]):
        trail.told({"started": 1.0, "phase": phase}, T0 + second)
    assert trail.phases() == phases(("cloning", 0, 2), ("copying", 2, None))


def test_preparations_are_no_part_of_it_and_old_phases_are_forgotten() -> None:
    trail = Trail()
    told(trail, ("connecting", 0), ("surveying", 1), *(("copying", 2 + number) for number in range(40)))
    found = trail.phases()
    assert len(found) == PHASES_KEPT
    assert {one.phase for one in found} == {"copying"}
    assert found[-1].started == utc(T0 + 41)


def test_a_trail_of_nothing_has_no_phases() -> None:
    trail = Trail()
    trail.end(T0)
    assert trail.phases() == ()
    assert trail.span("copying", T0) is None


def test_bytes_are_spread_over_the_time_in_which_they_moved() -> None:
    flow = Flow()
    flow.add(T0, T0 + 4, 400)
    flow.add(T0 + 2, T0 + 4, 100)
    throughput = flow.of("run-1")
    assert throughput is not None
    assert (throughput.run, throughput.started, throughput.every) == ("run-1", utc(T0), 1)
    assert throughput.rates[:4] == (100, 100, 150, 150)


@pytest.mark.parametrize("hours", [0.01, 1, 12])
def test_a_long_run_has_no_more_numbers_than_a_short_one(hours: float) -> None:
    flow = Flow()
    step = hours * 36
    for number in range(100):
        flow.add(T0 + number * step, T0 + (number + 1) * step, 1000 * step)
    throughput = flow.of("run-1")
    assert throughput is not None
    assert len(throughput.rates) <= MOST
    assert len(throughput.rates) * throughput.every >= hours * 3600
    assert all(rate == pytest.approx(1000, rel=0.02) for rate in throughput.rates[:-1])


@pytest.mark.parametrize("amount", [0, -5])
def test_what_did_not_move_is_nothing(amount: int) -> None:
    flow = Flow()
    flow.add(T0, T0 + 1, amount)
    assert flow.of("run-1") is None


def test_an_end_before_its_begin_does_no_harm() -> None:
    flow = Flow()
    flow.add(T0 + 5, T0 + 3, 100)
    flow.add(T0, T0 + 1, 10)
    throughput = flow.of("run-1")
    assert throughput is not None
    assert sum(throughput.rates) > 0


def test_where_a_phase_lies_in_time() -> None:
    trail = Trail()
    values: dict[str, t.Any] = {"started": 1.0, "phases": [["cloning", T0], ["copying", T0 + 2]]}
    trail.told(values, T0)
    assert trail.span("cloning", T0 + 9) == (T0, T0 + 2)
    assert trail.span("copying", T0 + 9) == (T0 + 2, T0 + 9)
    trail.end(T0 + 5)
    assert trail.span("copying", T0 + 9) == (T0 + 2, T0 + 5)
    assert trail.span("verifying", T0 + 9) is None
