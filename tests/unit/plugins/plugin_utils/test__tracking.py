# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run learns, and how it is merged into what the file says."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import (
    Document,
    Provider,
    Run,
    Template,
    seconds,
    utc,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._tracking import Tracker

T0 = seconds("2026-11-20T13:00:00Z")
GIB = 1 << 30
FULL = {"code": "DISK_FULL", "layer": "hyperv", "message": "the disk is full", "remedy": "make room"}


def run(name: str = "run-1", at: float = T0) -> Run:
    return Run(id=name, started=utc(at), updated=utc(at))


def tracker(known: Document | None = None, name: str = "run-1", at: float = T0, **options: t.Any) -> Tracker:
    return Tracker(run(name, at), "gold", "hv01", known=known, **options)


def report(**facts: t.Any) -> dict[str, t.Any]:
    return {"facts": {"answers": True, "copy": "none", **facts}}


def distribution(**providers: t.Any) -> dict[str, t.Any]:
    template = {"name": "gold", "source": "hv01", "id": "t-1", "revision": "aa"}
    return {"template": template, "concurrency": 2, "providers": providers}


def written(one: Tracker, existing: Document | None = None, at: float = T0) -> Document:
    document = one.patch(at).apply(existing)
    one.known = document
    return document


def words(document: Document) -> dict[str, tuple[str, str]]:
    return {name: (entry.state, entry.progress) for name, entry in document.providers.items()}


def test_a_copy_from_survey_to_the_end() -> None:
    one = tracker()
    one.merge(distribution(hv02=report(due=True, joining=True)), T0)
    assert words(written(one)) == {"hv02": ("Needs update", "OK")}

    one.live("hv02", {"phase": "cloning", "at": T0 + 1}, T0 + 1)
    entry = written(one).providers["hv02"]
    assert (entry.progress, entry.phase, entry.started, entry.attempts) == (
        "Adding provider",
        "cloning",
        utc(T0 + 1),
        1,
    )

    for second in range(11):
        moved = {"phase": "copying", "percent": second, "bytes_total": 100 * GIB, "at": T0 + 10 + second}
        one.live("hv02", {**moved, "served_by": "hv01"}, T0 + 10 + second)
    entry = written(one).providers["hv02"]
    assert (entry.percent, entry.bytes_done, entry.rate) == (10, 10 * GIB, GIB)
    assert (entry.eta, entry.served_by) == (utc(T0 + 20 + 90), "hv01")

    one.idle("hv02", T0)
    one.merge(distribution(hv02={**report(copy="current", tried="ok"), "revision": "aa"}), T0 + 120)
    one.settle("hv02", T0 + 120)
    entry = written(one).providers["hv02"]
    assert (entry.state, entry.progress, entry.phase, entry.rate, entry.eta) == ("Ready", "OK", None, None, None)
    assert (entry.percent, entry.bytes_done, entry.bytes_total) == (100, 100 * GIB, 100 * GIB)
    assert (entry.started, entry.finished, entry.since) == (utc(T0 + 1), utc(T0 + 120), utc(T0 + 120))
    assert (entry.revision, entry.error) == ("aa", None)


def test_bytes_without_percent_make_percent() -> None:
    one = tracker()
    one.live("hv02", {"phase": "copying", "bytes_done": 25, "bytes_total": 100}, T0)
    assert written(one).providers["hv02"].percent == 25


def test_a_failed_copy_keeps_how_far_it_came_and_why() -> None:
    one = tracker()
    one.merge(distribution(hv02=report(due=True)), T0)
    one.live("hv02", {"phase": "copying", "percent": 55, "bytes_total": 100}, T0 + 1)
    one.idle("hv02", T0)
    one.fail("hv02", FULL, T0 + 9)
    one.settle("hv02", T0 + 9)
    entry = written(one).providers["hv02"]
    assert (entry.state, entry.progress, entry.percent, entry.phase) == (
        "Needs update",
        "Failed to distribute",
        55,
        None,
    )
    assert entry.error is not None
    assert (entry.error["code"], entry.error["remedy"]) == ("DISK_FULL", "make room")
    assert entry.finished == utc(T0 + 9)


def test_tries_are_counted_until_one_goes_well() -> None:
    document: Document | None = None
    for attempt in (1, 2, 3):
        one = tracker(document, f"run-{attempt}")
        one.merge(distribution(hv02=report(due=True)), T0)
        one.live("hv02", {"phase": "copying"}, T0)
        one.idle("hv02", T0)
        one.fail("hv02", FULL, T0)
        document = written(one, document)
        assert document.providers["hv02"].attempts == attempt
    one = tracker(document, "run-4")
    one.live("hv02", {"phase": "copying"}, T0)
    assert written(one, document).providers["hv02"].error is None
    one.idle("hv02", T0)
    one.merge(distribution(hv02=report(copy="current", tried="ok")), T0)
    document = written(one, document)
    one = tracker(document, "run-5")
    one.live("hv02", {"phase": "copying"}, T0)
    assert written(one, document).providers["hv02"].attempts == 1


def test_tries_within_a_run_come_on_top_of_those_before_it() -> None:
    before = Provider(state="Needs update", progress="Failed to distribute", attempts=2, run="run-0")
    known = Document(template=Template(name="gold", source="hv01"), runs=(run("run-0"),), providers={"hv02": before})
    one = tracker(known, "run-1")
    one.live("hv02", {"phase": "cloning", "attempts": 1}, T0)
    one.live("hv02", {"phase": "waiting", "attempts": 1, "error": FULL}, T0 + 1)
    entry = written(one, known).providers["hv02"]
    assert (entry.attempts, entry.progress, (entry.error or {})["code"]) == (3, "Distributing", "DISK_FULL")
    one.live("hv02", {"phase": "cloning", "attempts": 2}, T0 + 2)
    one.idle("hv02", T0 + 3)
    one.merge(distribution(hv02={**report(copy="current", tried="ok"), "attempts": 2}), T0 + 3)
    one.settle("hv02", T0 + 3)
    entry = written(one, known).providers["hv02"]
    assert (entry.attempts, entry.progress, entry.error) == (4, "OK", None)


def test_what_a_phase_waits_for_is_not_why_an_update_is_needed() -> None:
    one = tracker()
    one.merge(distribution(hv02={**report(due=True), "reason": "older"}), T0)
    one.live("hv02", {"phase": "waiting", "reason": "a copy slot"}, T0)
    assert written(one).providers["hv02"].reason == "older"


def test_a_copy_that_turns_out_to_be_damaged_is_not_ready_when_a_new_one_cannot_be_made() -> None:
    one = tracker()
    one.merge(distribution(hv02=report(copy="current")), T0)
    one.live("hv02", {"phase": "checking", "facts": {"copy": "differs"}, "reasons": ["damaged"]}, T0)
    one.idle("hv02", T0)
    one.merge(distribution(hv02={"facts": {"tried": "failed", "working": False, "due": True}, "error": FULL}), T0)
    one.settle("hv02", T0)
    entry = written(one).providers["hv02"]
    assert (entry.state, entry.progress, entry.reasons) == ("Needs update", "Failed to distribute", ("damaged",))


def test_a_look_at_a_copy_that_is_there_leaves_no_phase_behind() -> None:
    one = tracker()
    one.merge(distribution(hv02=report(copy="current")), T0)
    one.live("hv02", {"phase": "checking", "bytes_done": 10, "bytes_total": 20}, T0 + 1)
    assert words(written(one)) == {"hv02": ("Ready", "OK")}
    one.idle("hv02", T0 + 2)
    one.merge(distribution(hv02=report(copy="current", tried="ok")), T0 + 2)
    one.settle("hv02", T0 + 2)
    entry = written(one).providers["hv02"]
    assert (entry.phase, entry.rate, entry.eta, entry.finished) == (None, None, None, None)
    assert (entry.percent, entry.bytes_done) == (100, 20)


def test_the_phases_before_a_copy_are_no_copy() -> None:
    one = tracker()
    one.merge(distribution(hv02=report()), T0)
    one.live("hv02", {"phase": "checking"}, T0)
    assert words(written(one)) == {"hv02": ("Needs update", "OK")}
    one.live("hv02", {"phase": "locking", "working": False}, T0)
    assert words(written(one)) == {"hv02": ("Needs update", "OK")}
    assert one.under_way == {}


def test_a_host_that_only_checks_gets_no_entry() -> None:
    one = tracker()
    one.live("hv99", {"phase": "surveying"}, T0)
    assert written(one).providers == {}


def test_no_answer_keeps_the_last_known_progress_but_fails_when_a_copy_was_due() -> None:
    one = tracker()
    one.merge(distribution(hv02=report(copy="current"), hv03=report(copy="current")), T0)
    document = written(one)
    later = tracker(document, "run-2")
    down = {"facts": {"answers": False}, "error": {"code": "UNREACHABLE", "layer": "connection", "message": "no"}}
    due = {"facts": {"answers": False, "due": True}, "error": down["error"]}
    later.merge(distribution(hv02=down, hv03=due), T0 + 5)
    document = written(later, document)
    assert words(document) == {
        "hv02": ("Not available", "OK"),
        "hv03": ("Not available", "Failed to distribute"),
    }
    assert document.providers["hv02"].error is not None
    assert document.providers["hv02"].since == utc(T0 + 5)
    again = tracker(document, "run-3")
    again.merge(distribution(hv02=report(copy="current")), T0 + 9)
    assert written(again, document).providers["hv02"].error is None


def test_unreachable_without_a_word_about_it() -> None:
    one = tracker()
    one.merge(distribution(hv02=report(due=True), hv03=report(copy="current")), T0)
    for name in ("hv02", "hv03"):
        one.fail(name, {"code": "UNREACHABLE", "layer": "connection", "message": "no"}, T0, unreachable=True)
    assert words(written(one)) == {
        "hv02": ("Not available", "Failed to distribute"),
        "hv03": ("Not available", "OK"),
    }


def test_a_provider_that_goes_away_while_it_is_copied_to_has_failed() -> None:
    one = tracker()
    one.merge(distribution(hv02=report(copy="current")), T0)
    one.live("hv02", {"phase": "copying"}, T0)
    one.idle("hv02", T0)
    one.fail("hv02", {"code": "UNREACHABLE", "layer": "connection", "message": "no"}, T0)
    assert words(written(one)) == {"hv02": ("Not available", "Failed to distribute")}


def test_a_failure_that_is_not_about_the_copy_leaves_a_good_copy_alone() -> None:
    one = tracker()
    one.merge(distribution(hv02=report(copy="current")), T0)
    one.idle("hv02", T0)
    one.fail("hv02", FULL, T0)
    entry = written(one).providers["hv02"]
    assert (entry.state, entry.progress, entry.error) == ("Ready", "OK", None)


def test_what_stops_everything_fails_those_that_need_a_copy() -> None:
    one = tracker()
    one.merge(distribution(hv02=report(), hv03=report(copy="current"), hv04={"facts": {"answers": False}}), T0)
    one.fail_all(FULL, T0)
    document = written(one)
    assert words(document) == {
        "hv02": ("Needs update", "Failed to distribute"),
        "hv03": ("Ready", "OK"),
        "hv04": ("Not available", "OK"),
    }
    assert document.error is not None
    assert document.error["code"] == "DISK_FULL"
    assert not document.all_ok
    one.end("finished", T0)
    document = written(one, document)
    assert written(tracker(document, "run-2"), document).error is None


def test_a_provider_that_left_the_list_leaves_the_file() -> None:
    one = tracker()
    one.merge(distribution(hv02=report(copy="current"), hv03=report(copy="current", leaving=True)), T0)
    document = written(one)
    assert words(document)["hv03"] == ("Ready", "Removing provider")
    assert document.distribution == "Removing provider"
    one.merge(distribution(hv03=report(listed=False, leaving=False)), T0)
    document = written(one, document)
    assert set(document.providers) == {"hv02"}
    assert set(written(one, None).providers) == {"hv02"}


def test_a_run_with_a_limit_leaves_the_others_as_they_were() -> None:
    one = tracker()
    one.merge(distribution(**{f"hv0{number}": report(copy="current") for number in range(2, 7)}), T0)
    document = written(one)
    limited = tracker(document, "run-2", T0 + 60)
    limited.merge({**distribution(hv05=report(copy="differs", tried="failed"))}, T0 + 60)
    merged = written(limited, document)
    assert {name: entry for name, entry in merged.providers.items() if name != "hv05"} == {
        name: entry for name, entry in document.providers.items() if name != "hv05"
    }
    assert words(merged)["hv05"] == ("Needs update", "Failed to distribute")
    assert merged.summary()["ok"] == 4
    assert [one.id for one in merged.runs] == ["run-2", "run-1"]


def test_only_what_has_changed_is_written_again() -> None:
    one, two = tracker(), tracker(name="run-2")
    one.merge(distribution(hv02=report(copy="current"), hv03=report(copy="current")), T0)
    document = written(one)
    two.merge(distribution(hv02=report(copy="differs", tried="failed")), T0)
    document = two.patch(T0).apply(document)
    one.merge(distribution(hv03=report(copy="older", tried="failed")), T0)
    document = one.patch(T0).apply(document)
    assert words(document) == {
        "hv02": ("Needs update", "Failed to distribute"),
        "hv03": ("Needs update", "Failed to distribute"),
    }


def test_a_lost_file_gets_everything_again() -> None:
    one = tracker()
    one.merge(distribution(hv02=report(copy="current"), hv03=report(copy="current")), T0)
    written(one)
    assert set(one.patch(T0).apply(None).providers) == {"hv02", "hv03"}


def test_what_was_not_written_is_said_again() -> None:
    one = tracker()
    one.merge(distribution(hv02=report(copy="current")), T0)
    document = written(tracker(name="other"))
    lost = one.patch(T0)
    assert not one.dirty
    one.again(lost)
    assert one.dirty
    assert set(one.patch(T0).apply(document).providers) == {"hv02"}


def test_who_only_looks_does_not_talk_over_a_run_that_copies() -> None:
    copying, looking = tracker(), tracker(name="run-2")
    copying.live("hv02", {"phase": "copying", "percent": 5}, T0)
    document = written(copying)
    looking.merge(distribution(hv02=report(), hv03=report()), T0)
    document = looking.patch(T0).apply(document)
    assert words(document) == {"hv02": ("Needs update", "Distributing"), "hv03": ("Needs update", "OK")}
    down = tracker(name="run-3")
    down.merge(distribution(hv02={"facts": {"answers": False}}), T0)
    assert down.patch(T0).apply(document).providers["hv02"].state == "Not available"


def test_a_template_made_anew_begins_anew() -> None:
    one = tracker()
    one.merge(distribution(hv02=report(tried="failed")), T0)
    document = written(one)
    fresh = tracker(document, "run-2")
    other = distribution(hv03=report())
    other["template"]["id"] = "t-2"
    fresh.merge(other, T0)
    fresh.merge({"providers": {"hv02": report()}}, T0)
    document = fresh.patch(T0).apply(document)
    assert (document.template.id, document.runs) == ("t-2", (fresh.run,))
    assert words(document) == {"hv02": ("Needs update", "OK"), "hv03": ("Needs update", "OK")}


def test_what_this_run_does_not_know_of_the_template_stays() -> None:
    one = tracker()
    one.merge(distribution(), T0)
    document = written(one)
    later = tracker(document, "run-2")
    later.merge({"template": {"name": "gold", "source": "hv01", "maintenance": True}}, T0)
    template = written(later, document).template
    assert (template.id, template.revision, template.maintenance) == ("t-1", "aa", True)
    assert written(later, document).concurrency == 2


def test_the_export_is_shown_while_it_runs() -> None:
    one = tracker()
    one.merge(distribution(hv02=report()), T0)
    for second in range(3):
        one.live("hv01", {"phase": "exporting", "percent": 10 * second, "bytes_total": 1000, "at": T0 + second}, T0 + 2)
    document = written(one)
    assert document.export is not None
    assert (document.export.percent, document.export.rate) == (20, 100)
    assert set(one.under_way) == {"hv01"}
    assert set(document.providers) == {"hv02"}
    one.export_ended(T0)
    assert written(one, document).export is None


@pytest.mark.parametrize("state", ["interrupted", "finished"])
def test_an_end_in_the_middle_of_a_copy_is_a_failed_copy(state: str) -> None:
    one = tracker()
    one.merge(distribution(hv02=report(), hv03=report(copy="current")), T0)
    one.live("hv02", {"phase": "copying", "percent": 42.4}, T0)
    one.end(state, T0 + 3)
    document = written(one)
    assert (document.run.state, document.run.finished) == (state, utc(T0 + 3))
    entry = document.providers["hv02"]
    assert entry.progress == "Failed to distribute"
    assert entry.error is not None
    assert (entry.error["code"], "(42 %)" in entry.error["message"]) == ("INTERRUPTED", True)
    assert words(document)["hv03"] == ("Ready", "OK")


def test_a_copy_that_was_cut_off_has_failed_until_it_is_tried_again() -> None:
    cut = Provider(state="Needs update", progress="Failed to distribute", attempts=1, run="run-0")
    document = replace(written(tracker(name="run-0")), providers={"hv02": cut})
    one = tracker(document, "run-1")
    one.merge(distribution(hv02=report()), T0)
    assert words(written(one, document))["hv02"] == ("Needs update", "Failed to distribute")
    one.live("hv02", {"phase": "adopting", "percent": 60}, T0)
    assert words(written(one, document))["hv02"] == ("Needs update", "Distributing")


def test_a_report_that_is_wrong_is_said_and_spoils_no_other() -> None:
    said: list[str] = []
    one = tracker(warn=said.append)
    wrong = {"hv03": report(copy="fresh"), "hv04": "down", "hv05": {"attempts": "many"}, "hv06": {"findings": 5}}
    wrong["hv07"] = {"started": 1795179600.0}
    one.merge(distribution(hv02=report(), **wrong), T0)
    assert words(written(one))["hv02"] == ("Needs update", "OK")
    assert [name for name in wrong if not any(name in text for text in said)] == []


def test_only_the_last_runs_are_kept() -> None:
    document: Document | None = None
    for number in range(25):
        document = written(tracker(document, f"run-{number}", T0 + number), document)
    assert document is not None
    assert [one.id for one in document.runs] == [f"run-{number}" for number in range(24, 4, -1)]
