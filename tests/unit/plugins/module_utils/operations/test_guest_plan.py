# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the providers showed to waves; what the source does not show is said."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_operation
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Values
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.guest_plan import OPERATION
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import (
    T_ID,
    FakeHost,
    defaults,
    work,
)

OLD, NEW = "0123456789ab", "ba9876543210"


def template(**changes: t.Any) -> Values:
    values: Values = {
        "id": T_ID,
        "name": "gold",
        "revision": NEW,
        "staging_path": "D:\\S",
        "record": None,
        "findings": [],
    }
    return {"templates": [{**values, **changes}]}


def guest(name: str, revision: str = OLD, *, finished: bool = True) -> Values:
    return {
        "name": name,
        "revision": revision,
        "finished": finished,
        "state": "Running",
        "made": {"start": True},
        "outdated": "not believed",
    }


def plan(**given: t.Any) -> Values:
    values: Values = {"source_name": "hv01", "template_name": "gold", "templates": template(), "surveys": {}}
    task = work(defaults(OPERATION, **{**values, **given}), host=FakeHost())
    return run_operation(OPERATION, task, check_mode=False, diff=False)


def test_the_recorded_revision_is_what_guests_should_have() -> None:
    shown = {"hv02": {"guests": [guest("a"), guest("b", NEW), guest("c", finished=False)]}}
    assert plan(surveys=shown)["waves"] == [{"hv02": ["a"]}]
    recorded = template(record={"revision": OLD})
    assert plan(surveys=shown, templates=recorded)["waves"] == [{"hv02": ["b"]}]
    assert plan(surveys=shown, templates=recorded, revision=NEW)["waves"] == [{"hv02": ["a"]}]


def test_a_provider_that_did_not_answer_is_told() -> None:
    error = {"code": "HOST_UNREACHABLE", "message": "hv03 does not answer."}
    done = plan(surveys={"hv02": {"guests": [guest("a")]}, "hv03": {"failed": False, "error": error}, "hv04": {}})
    assert done["waves"] == [{"hv02": ["a"]}]
    assert done["problems"]["hv03"]["message"] == "hv03 does not answer."
    assert done["problems"]["hv04"]["code"] == "NO_SURVEY"
    assert (done["total"], done["recreated"]) == (1, 1)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"templates": {"templates": []}}, "VM_NOT_FOUND"),
        ({"templates": {"error": {"code": "HOST_UNREACHABLE", "message": "no"}}}, "HOST_UNREACHABLE"),
        ({"serial": 0}, "INVALID_INPUT"),
        ({"max_unavailable": "some"}, "INVALID_INPUT"),
        (
            {
                "templates": template(findings=[{"code": "IN_MAINTENANCE", "what": "It is.", "remedy": "Leave."}]),
                "surveys": {"hv02": {"guests": []}},
            },
            "IN_MAINTENANCE",
        ),
    ],
)
def test_what_stands_in_the_way(given: Values, code: str) -> None:
    done = plan(**given)
    assert done["failed"]
    assert done["error"]["code"] == code
