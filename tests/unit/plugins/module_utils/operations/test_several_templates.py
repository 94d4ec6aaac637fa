# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several templates in one run: each is planned and reported by itself; what they share is the room on the hosts."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fanout.hyperv.plugins.module_utils._objects_host import Volume
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import room_for
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Values
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.distribution_plan import OPERATION
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.distribution_report import OPERATION as REPORT
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import (
    FakeHost,
    defaults,
    work,
)
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.test_distribution_plan import (
    NO_COPY,
    SOURCE,
    info,
    survey,
    told,
)

COPY: Values = {"id": "1", "name": "win11-gold", "state": "Off", "stamped": True, "revision": "0123456789ab"}
CURRENT: Values = {**NO_COPY, "verdict": "current", "copies": [COPY]}
GOLD, OTHER = "win11-gold", "server25-gold"


def template(name: str, template_id: str, recorded: list[str] | None = None, **changes: t.Any) -> Values:
    return {**info(recorded), "id": template_id, "name": name, **changes}


def plan(found: list[Values], surveys: dict[str, Values], *names: str, **changes: t.Any) -> Values:
    given: Values = {
        "source_name": SOURCE,
        "template_names": list(names) or [GOLD, OTHER],
        "templates": told(*found),
        "surveys": surveys,
        "candidates": list(surveys),
        "groups": {"hyperv": [SOURCE, *surveys]},
        "concurrency": 2,
    }
    assert OPERATION.gather is not None
    made: Values = OPERATION.gather(work(defaults(OPERATION, **{**given, **changes}), host=FakeHost(SOURCE)))
    return made


def holding(name: str, copies: dict[str, Values], **changes: t.Any) -> Values:
    return {**survey(name, **changes), "copies": copies}


def actions(made: Values) -> list[dict[str, str]]:
    return [{name: step["action"] for name, step in one["providers"].items()} for one in made["results"]]


def report(made: Values, copies: Values | None = None, steps: list[Values] | None = None) -> Values:
    assert REPORT.gather is not None
    params = {"source_name": SOURCE, "plan": made, "steps": steps or [], "copies": copies or {}}
    ended: Values = REPORT.gather(work(params, host=FakeHost(SOURCE)))
    return ended


BOTH = [template(GOLD, "t1", ["hv02"]), template(OTHER, "t2", ["hv02", "hv03"])]


def test_each_has_its_own_list_and_its_own_copies() -> None:
    surveys = {
        "hv02": holding("hv02", {"t1": CURRENT, "t2": NO_COPY}),
        "hv03": holding("hv03", {"t1": NO_COPY, "t2": NO_COPY}),
    }
    made = plan(BOTH, surveys)
    assert actions(made) == [{"hv02": "none", "hv03": "none"}, {"hv02": "copy", "hv03": "copy"}]
    assert {name: [job["name"] for job in jobs] for name, jobs in made["jobs"].items()} == {
        "hv02": [OTHER],
        "hv03": [OTHER],
    }


def test_one_that_is_not_there_does_not_stop_the_others() -> None:
    surveys = {"hv02": holding("hv02", {"t1": NO_COPY})}
    made = plan(
        [template(GOLD, "t1", ["hv02"])],
        surveys,
        GOLD,
        "missing",
        "damaged",
        templates={
            **told(template(GOLD, "t1", ["hv02"])),
            "errors": {"damaged": {"code": "DOCUMENT_DAMAGED", "message": "The record is damaged.", "remedy": "Look."}},
        },
    )
    assert actions(made) == [{"hv02": "copy"}, {"hv02": "none"}, {"hv02": "none"}]
    ended = report(made, {"hv02": {"results": [{"changed": True, "item": {"template_id": "t1"}}]}})
    assert ended["summary"]["templates"][0]["ok"] == ["hv02"]
    said = ended["problems"]["hv02"]
    assert "missing: Failed to distribute" in said
    assert "damaged: Failed to distribute" in said
    assert GOLD not in said


def test_room_is_counted_for_all_of_them() -> None:
    size = template(GOLD, "t1")["needs"]["size"]
    tight = (Volume(name="C:\\", free=room_for(size) + room_for(size) // 2, capacity=10**13),)
    surveys = {"hv02": holding("hv02", {"t1": NO_COPY, "t2": NO_COPY}, volumes=tight)}
    made = plan(BOTH, surveys)
    assert actions(made) == [{"hv02": "copy"}, {"hv02": "none"}]
    assert made["results"][1]["providers"]["hv02"]["error"]["code"] == "SPACE_TARGET"
    source = survey(SOURCE, volumes=(dataclasses.replace(tight[0], free=3 * room_for(size)),))
    roomy = {"hv02": holding("hv02", {"t1": NO_COPY, "t2": NO_COPY})}
    made = plan(BOTH, roomy, templates=told(*BOTH, source=source))
    assert actions(made) == [{"hv02": "copy"}, {"hv02": "copy"}]
    source = survey(SOURCE, volumes=(dataclasses.replace(tight[0], free=2 * room_for(size) + room_for(size) // 2),))
    assert actions(plan(BOTH, roomy, templates=told(*BOTH, source=source))) == [{"hv02": "copy"}, {"hv02": "none"}]


def test_an_export_that_failed_is_told_for_its_template_only() -> None:
    surveys = {"hv02": holding("hv02", {"t1": NO_COPY, "t2": NO_COPY})}
    made = plan(BOTH, surveys)
    error = {"code": "EXPORT_FAILED", "message": "The disk is full.", "remedy": "Make room."}
    copies = {
        "hv02": {
            "results": [
                {"skipped": True, "item": {"template_id": "t1"}},
                {"changed": True, "msg": "made", "item": {"template_id": "t2"}},
            ]
        }
    }
    ended = report(made, copies, [{"item": made["results"][0], "error": error}])
    assert ended["problems"] == {"hv02": f"{GOLD}: Failed to distribute: The disk is full. Make room."}
    (told,) = ended["results"]
    assert told["distribution"]["template"] == {"name": GOLD, "source": SOURCE}
    assert told["distribution"]["providers"]["hv02"]["facts"] == {"tried": "failed"}
    assert [record["id"] for record in ended["records"]] == []


def test_a_teardown_asks_all_that_hold_something_to_let_go() -> None:
    surveys = {
        "hv02": holding("hv02", {"t1": CURRENT}),
        "hv03": holding("hv03", {"t1": CURRENT}),
        "hv04": holding("hv04", {"t1": NO_COPY}),
    }
    made = plan([template(GOLD, "t1", ["hv02", "hv04"])], surveys, GOLD, teardown=True)
    assert actions(made) == [{"hv02": "remove", "hv03": "remove", "hv04": "none"}]
    assert made["results"][0]["record"]["removed"] == ["hv04"]
    done = {name: {"results": [{"changed": True, "item": {"template_id": "t1"}}]} for name in ("hv02", "hv03")}
    assert report(made, done)["left"] == {}
    failed = {**done, "hv03": {"results": [{"failed": True, "msg": "no", "item": {"template_id": "t1"}}]}}
    ended = report(made, failed)
    assert ended["left"] == {GOLD: ["hv03"]}
    assert ended["problems"] == {"hv03": "Not removed: no"}
    assert ended["records"][0]["removed"] == ["hv02"]


def test_a_teardown_of_what_is_not_declared_does_nothing() -> None:
    surveys = {"hv02": holding("hv02", {"t1": NO_COPY})}
    made = plan([template(GOLD, "t1")], surveys, GOLD, teardown=True)
    (one,) = made["results"]
    assert (one["targets"], one["declare"], one["export"], made["jobs"]) == ([], False, False, {})


def test_a_teardown_never_copies_to_who_refuses() -> None:
    users = [{"id": "9", "name": "desk-1", "kind": "guest", "state": "Off"}]
    held = {**CURRENT, "verdict": "older", "users": users}
    made = plan([template(GOLD, "t1", ["hv02"])], {"hv02": holding("hv02", {"t1": held})}, GOLD, teardown=True)
    assert actions(made) == [{"hv02": "none"}]
    assert [job for jobs in made["jobs"].values() for job in jobs if not job.get("problem")] == []
    ended = report(made)
    assert ended["left"] == {GOLD: ["hv02"]}
    assert "desk-1" in ended["problems"]["hv02"]


def test_the_switch_is_thrown_once() -> None:
    surveys = {"hv02": holding("hv02", {"t1": NO_COPY})}
    made = plan([template(GOLD, "t1", ["hv02"])], surveys, GOLD, multi_provider=False)
    assert made["results"][0]["source_error"]["code"] == "MULTI_PROVIDER_FIXED"
    never = plan([template(GOLD, "t1")], surveys, GOLD, multi_provider=False)
    assert never["results"][0]["providers"]["hv02"]["error"]["code"] == "NOT_MULTI_PROVIDER"
    assert not never["results"][0]["declare"]


def test_who_makes_no_clone_is_given_a_limit_that_is_one() -> None:
    """Removing and reading need no clone, and a limit of 0 is refused by the module."""
    users = {"hv02": holding("hv02", {"t1": CURRENT})}
    for options in ({"remove": ["hv02"]}, {"verify": "hash"}):
        made = plan([template(GOLD, "t1", ["hv02"])], users, GOLD, **options)
        assert [job["clones"] for job in made["jobs"]["hv02"]] == [1], options
