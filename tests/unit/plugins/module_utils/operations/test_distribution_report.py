# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run says of itself to AWX: template, revision, counts, and for each provider that is not OK what to do."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.distribution_report import OPERATION, Ended
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import FakeHost, work

Values = dict[str, t.Any]
DOWN = {"code": "CONNECTION_REFUSED", "message": "refused", "remedy": "Check the host."}
FULL = {"code": "DISK_FULL", "message": "full", "remedy": "Make room."}


def step(**more: t.Any) -> Values:
    plain = {"action": "copy", "why": "no copy", "listed": True, "leaving": False, "error": None, "answers": True}
    return {**plain, "computer": None, **more}


def plan(**steps: Values) -> Values:
    template = {"id": "t-1", "revision": "985f74d2bff0", "staging_path": "C:\\s"}
    return {"name": "gold", "template": template, "providers": steps, "leaving": []}


def summary(steps: dict[str, Values], results: dict[str, Values], failed: dict[str, Values] | None = None) -> Values:
    return Ended(plan(**steps), results, failed or {}).summary("hv01")


def test_everything_that_a_job_s_artifacts_need() -> None:
    steps = {"hv02": step(), "hv03": step(action="none", error=DOWN, answers=False), "hv04": step()}
    results: dict[str, Values] = {
        "hv02": {"msg": "copied"},
        "hv04": {"failed": True, "msg": "hv04: full", "error": FULL},
    }
    told = summary(steps, results)
    assert (told["template"], told["revision"], told["source"]) == ("gold", "985f74d2bff0", "hv01")
    assert told["counts"] == {"ok": 1, "failed": 1, "not_available": 1, "removed": 0}
    assert (told["ok"], list(told["failed"]), list(told["not_available"])) == (["hv02"], ["hv04"], ["hv03"])
    assert told["errors"] == {"hv03": DOWN, "hv04": FULL}


@pytest.mark.parametrize(
    ("result", "failed", "code"),
    [
        ({"failed": True, "msg": "boom"}, {}, "UNKNOWN"),
        ({"skipped": True}, {"t-1": FULL}, "DISK_FULL"),
    ],
)
def test_what_has_no_error_of_its_own(result: Values, failed: dict[str, Values], code: str) -> None:
    (error,) = summary({"hv02": step()}, {"hv02": result}, failed)["errors"].values()
    assert error["code"] == code
    assert error["message"]


def test_without_a_template_there_is_no_revision() -> None:
    told = Ended({**plan(hv02=step(error=FULL)), "template": None}, {}, {}).summary("hv01")
    assert (told["revision"], told["errors"]["hv02"]["code"]) == (None, "DISK_FULL")


@pytest.mark.parametrize(("leaving", "failing"), [([], ["gold"]), (["hv02"], [])])
def test_in_maintenance_a_run_is_refused_that_has_nothing_to_do(leaving: list[str], failing: list[str]) -> None:
    """Each provider is as it should be, so that none of them fails. Who only takes copies away is not refused."""
    finding = {"code": "IN_MAINTENANCE", "what": "gold is in maintenance since noon, by anna.", "remedy": "Leave it."}
    up_to_date = plan(hv02=step(action="none", why="up to date"))
    refused = {**up_to_date, "findings": [finding], "leaving": leaving, "distribution": {}}
    asked: Values = {"source_name": "hv01", "plan": {"results": [refused]}, "steps": [], "copies": {}}
    assert OPERATION.gather is not None
    told = OPERATION.gather(work(asked, host=FakeHost("hv01")))
    assert told["untold"] == failing
    assert list(told["problems"].values()) == ["gold is in maintenance since noon, by anna. Leave it."] * len(failing)


def test_a_task_that_only_repeats_the_plan_hides_nothing_of_it() -> None:
    echo = {
        "failed": True,
        "msg": "refused",
        "error": {"code": "REFUSED_BY_PLAN", "message": "refused", "remedy": None},
    }
    told = summary({"hv02": step(action="none", error=DOWN, answers=False)}, {"hv02": echo})
    assert told["errors"] == {"hv02": DOWN}


def test_a_template_that_cannot_be_looked_at_is_a_problem_also_without_any_provider() -> None:
    lost = {**plan(), "template": None, "source_error": {"message": "hv01: no answer.", "remedy": "Check the host"}}
    assert OPERATION.gather is not None
    params = {"source_name": "hv01", "plan": {"results": [lost]}, "steps": [], "copies": {}}
    told = OPERATION.gather(work(params, host=FakeHost("hv01")))
    assert told["problems"] == {"gold": "hv01: no answer. Check the host."}
    assert told["untold"] == ["gold"]
