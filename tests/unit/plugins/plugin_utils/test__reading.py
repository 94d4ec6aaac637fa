# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a plan a survey may say to the status file."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._reading import surveyed
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Document, Run, seconds, utc
from ansible_collections.fanout.hyperv.plugins.plugin_utils._tracking import Tracker

T0 = seconds("2026-11-20T13:00:00Z")
DOWN = {"code": "CONNECTION_REFUSED", "layer": "connection", "message": "no"}
FULL = {"code": "DISK_FULL", "layer": "hyperv", "message": "voll"}
TEMPLATE = {"name": "gold", "source": "hv01", "id": "t-1"}
Values = dict[str, t.Any]


def written(report: Values, known: Document | None = None, *, survey: bool = True) -> Document:
    said: Values = {"template": TEMPLATE, "concurrency": 2, "providers": {"hv02": report}}
    one = Tracker(Run(id="now", started=utc(T0), updated=utc(T0)), "gold", "hv01", known=known)
    one.merge(surveyed(said) if survey else said, T0)
    return one.patch(T0).apply(known)


PLANNED = {"listed": True, "due": True, "tried": None, "working": False, "joining": True}
BEFORE = {"facts": {"answers": True, "copy": "none", "tried": "failed"}, "error": FULL}


@pytest.mark.parametrize(
    ("facts", "error", "words", "code"),
    [
        ({"answers": True, "copy": "current"}, None, ("Ready", "OK"), None),
        ({"answers": True, "copy": "none"}, None, ("Needs update", "OK"), None),
        ({"answers": True, "copy": "none", "tried": "failed"}, FULL, ("Needs update", "OK"), None),
        ({"answers": False, "copy": "unknown"}, DOWN, ("Not available", "OK"), "CONNECTION_REFUSED"),
        ({"answers": None, "copy": "unknown", "tried": "failed"}, DOWN, ("Needs update", "OK"), None),
        ({"answers": True, "copy": "current", "leaving": True}, None, ("Ready", "Removing provider"), None),
    ],
)
def test_a_look_is_no_try(facts: Values, error: Values | None, words: tuple[str, str], code: str | None) -> None:
    entry = written({"facts": {**PLANNED, **facts}, "error": error}).providers["hv02"]
    assert entry.verdict == words
    assert (entry.error or {}).get("code") == code


def test_a_failure_stays_until_it_is_mended() -> None:
    before = written(BEFORE, survey=False)
    looked = written({"facts": {**PLANNED, "answers": True, "copy": "none"}}, before)
    assert looked.providers["hv02"].verdict == ("Needs update", "Failed to distribute")
    assert (looked.providers["hv02"].error or {})["code"] == "DISK_FULL"
    mended = written({"facts": {**PLANNED, "answers": True, "copy": "current"}}, looked)
    assert (mended.providers["hv02"].verdict, mended.providers["hv02"].error) == (("Ready", "OK"), None)


def test_it_does_not_say_how_many_copies_may_run() -> None:
    assert written({"facts": {"answers": True}}).concurrency is None
