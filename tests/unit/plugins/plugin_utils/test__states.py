# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said about a provider, for everything that it can show."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import (
    PROGRESS,
    STATES,
    Facts,
    Verdict,
    judge,
    template_distribution,
)

ROWS: list[tuple[str, dict[str, t.Any], tuple[str, str] | None, tuple[str, str]]] = [
    ("current copy", {"copy": "current"}, None, ("Ready", "OK")),
    ("current, whatever was", {"copy": "current"}, ("Needs update", "Failed to distribute"), ("Ready", "OK")),
    ("current, tried", {"copy": "current", "tried": "ok"}, None, ("Ready", "OK")),
    ("no answer, never seen", {"answers": False}, None, ("Not available", "OK")),
    ("no answer, was OK", {"answers": False}, ("Ready", "OK"), ("Not available", "OK")),
    (
        "no answer, had failed",
        {"answers": False},
        ("Needs update", "Failed to distribute"),
        ("Not available", "Failed to distribute"),
    ),
    (
        "no answer, was copying",
        {"answers": False},
        ("Needs update", "Distributing"),
        ("Not available", "Distributing"),
    ),
    (
        "no answer, copy was due",
        {"answers": False, "due": True},
        ("Ready", "OK"),
        ("Not available", "Failed to distribute"),
    ),
    (
        "went away while copying",
        {"answers": False, "tried": "failed"},
        ("Ready", "OK"),
        ("Not available", "Failed to distribute"),
    ),
    (
        "no answer, not leaving any more",
        {"answers": False},
        ("Not available", "Removing provider"),
        ("Not available", "OK"),
    ),
    ("no copy, never tried", {"copy": "none"}, None, ("Needs update", "OK")),
    ("older, never tried", {"copy": "older"}, ("Ready", "OK"), ("Needs update", "OK")),
    ("differs, never tried", {"copy": "differs"}, ("Ready", "OK"), ("Needs update", "OK")),
    ("not known, never tried", {"copy": "unknown"}, ("Ready", "OK"), ("Needs update", "OK")),
    ("no copy, due, not tried yet", {"copy": "none", "due": True}, None, ("Needs update", "OK")),
    ("no copy, tried", {"copy": "none", "tried": "failed"}, None, ("Needs update", "Failed to distribute")),
    ("older, tried", {"copy": "older", "tried": "failed"}, ("Ready", "OK"), ("Needs update", "Failed to distribute")),
    (
        "differs, last try failed",
        {"copy": "differs"},
        ("Needs update", "Failed to distribute"),
        ("Needs update", "Failed to distribute"),
    ),
    (
        "no copy, last try cut off",
        {"copy": "none"},
        ("Needs update", "Distributing"),
        ("Needs update", "Failed to distribute"),
    ),
    (
        "no copy, first try cut off",
        {"copy": "none"},
        ("Needs update", "Adding provider"),
        ("Needs update", "Failed to distribute"),
    ),
    ("older, last try went well", {"copy": "older", "tried": "ok"}, ("Needs update", "Failed to distribute"),
     ("Needs update", "OK")),
    ("first copy", {"copy": "none", "working": True, "joining": True}, None, ("Needs update", "Adding provider")),
    ("another copy", {"copy": "older", "working": True}, None, ("Needs update", "Distributing")),
    ("copy anew over a current one", {"copy": "current", "working": True}, None, ("Needs update", "Distributing")),
    ("copying, not asked", {"answers": None, "working": True}, ("Ready", "OK"), ("Needs update", "Distributing")),
    ("leaving, current", {"copy": "current", "leaving": True}, None, ("Ready", "Removing provider")),
    ("leaving, older", {"copy": "older", "leaving": True}, None, ("Needs update", "Removing provider")),
    ("leaving, being removed", {"copy": "current", "leaving": True, "working": True}, None,
     ("Ready", "Removing provider")),
    ("leaving, no answer", {"answers": False, "leaving": True, "due": True}, None,
     ("Not available", "Removing provider")),
    ("not asked, never seen", {"answers": None}, None, ("Needs update", "OK")),
    ("not asked", {"answers": None}, ("Not available", "Failed to distribute"),
     ("Not available", "Failed to distribute")),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "last", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_provider_is_judged_by_the_table(
    facts: dict[str, t.Any], last: tuple[str, str] | None, expected: tuple[str, str]
) -> None:
    shown = Facts().updated({"answers": True, **facts})
    assert judge(shown, Verdict(*last) if last else None) == expected


def test_every_combination_is_judged_with_words_that_exist_and_agree() -> None:
    flags = (True, False)
    lasts = [None, *(Verdict(state, word) for state in STATES for word in PROGRESS)]
    for answers, leaving, working, joining, due in itertools.product((None, *flags), flags, flags, flags, flags):
        for copy, tried, last in itertools.product(("current", "none", "older"), (None, "ok", "failed"), lasts):
            facts = Facts().updated(
                dict(answers=answers, leaving=leaving, working=working, joining=joining, due=due, copy=copy,
                     tried=tried)
            )  # fmt: skip
            state, progress = judge(facts, last)
            assert state in STATES
            assert progress in PROGRESS
            assert (progress == "Removing provider") == leaving or answers is not True
            if answers is True and state == "Ready":
                assert copy == "current"
            if answers is False:
                assert state == "Not available"


def test_every_word_can_be_reached() -> None:
    verdicts = {judge(Facts().updated({"answers": True, **facts}), Verdict(*last) if last else None)
                for _name, facts, last, _expected in ROWS}  # fmt: skip
    assert {state for state, _progress in verdicts} == set(STATES)
    assert {progress for _state, progress in verdicts} == set(PROGRESS)


@pytest.mark.parametrize(
    "report",
    [{"copy": "fresh"}, {"tried": "yes"}, {"working": 1}, {"answers": "yes"}, {"speed": True}, {"listed": None}],
)
def test_facts_that_do_not_exist_are_refused(report: dict[str, t.Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(report))):
        Facts().updated(report)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "OK"),
        (["OK", "OK"], "OK"),
        (["OK", "Failed to distribute"], "Failed to distribute"),
        (["Failed to distribute", "Removing provider", "OK"], "Removing provider"),
        (["Failed to distribute", "Adding provider", "Removing provider"], "Adding provider"),
        (["OK", "Distributing", "Adding provider", "Removing provider", "Failed to distribute"], "Distributing"),
    ],
)
def test_the_template_has_the_word_that_matters_most(words: list[str], expected: str) -> None:
    assert template_distribution(words) == expected
