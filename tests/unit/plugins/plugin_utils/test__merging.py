# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs in one document: who is believed about what."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Document, Run, seconds, utc
from ansible_collections.fanout.hyperv.plugins.plugin_utils._tracking import REMOVED, Tracker

T0 = seconds("2026-11-20T13:00:00Z")
HELD = {"code": "LEASE_HELD", "layer": "distribution", "message": "another run copies to it", "transient": True}
FULL = {"code": "DISK_FULL", "layer": "hyperv", "message": "the disk is full"}
Values = dict[str, t.Any]


def tracker(name: str, at: float = T0, known: Document | None = None) -> Tracker:
    one = Tracker(Run(id=name, started=utc(at), updated=utc(at)), "gold", "hv01", known=known)
    one.merge({"template": {"name": "gold", "source": "hv01", "id": "t-1"}}, at)
    return one


def tell(one: Tracker, at: float = T0, error: Mapping[str, t.Any] | None = None, **facts: t.Any) -> None:
    report: Values = {"facts": {"answers": True, "copy": "none", **facts}}
    one.merge({"providers": {"hv02": report | ({"error": error} if error else {})}}, at)


def words(document: Document) -> tuple[str, str]:
    return document.providers["hv02"].verdict


def copying(at: float = T0) -> tuple[Tracker, Document]:
    winner = tracker("winner", at)
    tell(winner, at, due=True)
    winner.live("hv02", {"started": 1, "phase": "copying", "percent": 40, "bytes_total": 1000, "at": at}, at)
    return winner, winner.patch(at).apply(None)


@pytest.mark.parametrize("error", [HELD, FULL])
def test_the_failure_of_another_run_does_not_talk_over_a_copy_under_way(error: Values) -> None:
    _winner, document = copying()
    loser = tracker("loser", T0 + 1, document)
    tell(loser, T0 + 1, error, due=True, tried="failed")
    document = loser.patch(T0 + 1).apply(document)
    assert words(document) == ("Needs update", "Distributing")
    assert document.providers["hv02"].run == "winner"
    assert {run.id for run in document.runs} == {"winner", "loser"}


def test_who_was_refused_says_nothing_about_what_the_other_has_brought_meanwhile() -> None:
    winner, document = copying()
    loser = tracker("loser", T0 + 1, document)
    winner.merge({"providers": {"hv02": {"facts": {"copy": "current", "working": False, "tried": "ok"}}}}, T0 + 5)
    winner.end("finished", T0 + 5)
    document = winner.patch(T0 + 5).apply(document)
    tell(loser, T0 + 6, HELD, due=True, tried="failed")
    assert words(loser.patch(T0 + 6).apply(document)) == ("Ready", "OK")


def test_a_lease_of_somebody_who_does_not_write_here_is_a_failure() -> None:
    before = tracker("before", T0 - 100)
    tell(before, T0 - 100, copy="older")
    before.end("finished", T0 - 90)
    document = before.patch(T0 - 90).apply(None)
    loser = tracker("loser", T0, document)
    tell(loser, T0, HELD, due=True, tried="failed")
    assert words(loser.patch(T0).apply(document)) == ("Needs update", "Failed to distribute")


def test_a_real_failure_after_the_other_run_has_ended_counts() -> None:
    winner, document = copying()
    winner.end("interrupted", T0 + 2)
    document = winner.patch(T0 + 2).apply(document)
    loser = tracker("loser", T0 + 3, document)
    tell(loser, T0 + 3, FULL, due=True, tried="failed")
    document = loser.patch(T0 + 3).apply(document)
    assert (document.providers["hv02"].error or {})["code"] == "DISK_FULL"


@pytest.mark.parametrize(("mine", "shown"), [(HELD, None), (FULL, "DISK_FULL"), (None, None)])
def test_what_stops_a_run_is_shown_unless_it_is_the_other_run(mine: Values | None, shown: str | None) -> None:
    _winner, document = copying()
    loser = tracker("loser", T0 + 1, document)
    if mine:
        loser.fail_all(mine, T0 + 1)
    assert (loser.patch(T0 + 1).apply(document).error or {}).get("code") == shown


def test_a_living_run_keeps_its_error_while_another_one_looks() -> None:
    winner, document = copying()
    winner.fail_all(FULL, T0)
    document = winner.patch(T0).apply(document)
    looking = tracker("looking", T0 + 1, document)
    assert (looking.patch(T0 + 1).apply(document).error or {})["code"] == "DISK_FULL"
    winner.end("finished", T0 + 2)
    document = winner.patch(T0 + 2).apply(document)
    assert looking.patch(T0 + 3).apply(document).error is None


def test_a_provider_that_was_removed_leaves_the_file() -> None:
    one = tracker("run-1")
    tell(one, copy="current", listed=False, leaving=True)
    document = one.patch(T0).apply(None)
    assert words(document) == ("Ready", "Removing provider")
    one.merge({"providers": {"hv02": REMOVED}}, T0)
    assert one.patch(T0).apply(document).providers == {}


def test_one_that_is_down_while_it_is_removed_stays() -> None:
    one = tracker("run-1")
    tell(one, answers=False, listed=False, leaving=True)
    assert words(one.patch(T0).apply(None)) == ("Not available", "Removing provider")


def test_a_run_that_only_asks_is_one_entry_of_the_history_and_speaks_for_nothing() -> None:
    first, document = copying()
    first.end("finished", T0 + 1)
    document = first.patch(T0 + 1).apply(document)
    for number in range(3):
        asking = tracker(f"survey-{number}", T0 + 10 + number, document)
        asking.merge({"survey": True}, T0 + 10 + number)
        tell(asking, T0 + 10 + number, copy="current")
        document = asking.patch(T0 + 10 + number).apply(document)
        asking.end("finished", T0 + 10 + number)
        document = asking.patch(T0 + 10 + number).apply(document)
    assert [run.id for run in document.runs] == ["survey-2", "winner"]
    assert [run.kind for run in document.runs] == ["survey", "distribution"]
    assert document.run.id == "winner"
    assert words(document) == ("Ready", "OK")


def test_a_run_says_what_it_has_done() -> None:
    one, document = copying()
    one.live("hv02", {"started": 1, "phase": "verifying", "at": T0 + 9}, T0 + 9)
    one.idle("hv02", T0 + 10)
    one.merge({"providers": {"hv02": {"facts": {"copy": "current", "tried": "ok"}}}}, T0 + 10)
    one.merge({"providers": {"hv03": {"facts": {"answers": True, "due": True, "tried": "failed"}}}}, T0 + 10)
    document = one.patch(T0 + 10).apply(document)
    run = document.run
    assert (run.copied, run.failed, run.bytes_copied) == (1, 1, 1000)
    assert [(one.phase, one.finished) for one in document.providers["hv02"].phases] == [
        ("copying", utc(T0 + 9)),
        ("verifying", utc(T0 + 10)),
    ]
    assert document.throughput is not None
    # 40 % were there when the move was seen first: when they moved is not known
    assert sum(document.throughput.rates) * document.throughput.every == pytest.approx(600, abs=10)


def test_why_an_update_is_needed_is_told_until_it_is_not_any_more() -> None:
    one = tracker("run-1")
    one.merge({"providers": {"hv02": {"facts": {"answers": True, "copy": "differs"}, "reason": "started"}}}, T0)
    document = one.patch(T0).apply(None)
    assert document.providers["hv02"].reason == "started"
    tell(one, copy="current")
    assert one.patch(T0).apply(document).providers["hv02"].reason is None
