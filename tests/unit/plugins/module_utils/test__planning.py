# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: from what was surveyed to what is done, without any host."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._listing import Request
from ansible_collections.fanout.hyperv.plugins.module_utils._objects_host import Volume
from ansible_collections.fanout.hyperv.plugins.module_utils._planning import (
    CLEAN,
    COPY,
    EXAMINE,
    NOTHING,
    Plan,
    Step,
    Template,
    make_plan,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import (
    ERROR,
    Finding,
    Needs,
    Provider,
    room_for,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._record import Record
from ansible_collections.fanout.hyperv.plugins.module_utils._surveys import Shown

from .test__preflight import definition, provider

SOURCE = provider("hv01")
NO_COPY: dict[str, t.Any] = {"verdict": "none", "copies": [], "conflicts": [], "leftovers": [], "reasons": []}
CURRENT = {**NO_COPY, "verdict": "current", "copies": [{"id": "1"}]}


def template(**changes: t.Any) -> Template:
    values: dict[str, t.Any] = {
        "id": "t",
        "name": "win11-gold",
        "revision": "0123456789ab",
        "needs": Needs.of(definition()),
        "findings": (),
        "record": recorded("hv02", "hv03"),
        "export_complete": False,
    }
    return Template(**{**values, **changes})


def recorded(*targets: str, **changes: t.Any) -> Record:
    """A record of a list in which everybody had a copy once."""
    known = {name: provider(name).computer.identity for name in targets}
    record = Record(template_id="t", name="win11-gold", multi_provider=True, targets=targets, computers=known)
    return replace(record, **changes)


def shown(name: str, copy: dict[str, t.Any] | None = None, target: Provider | None = None) -> Shown:
    return Shown(name=name, provider=target or provider(name), copy=copy or NO_COPY, migration_host=f"{name}.lab.test")


def down(name: str) -> Shown:
    return Shown(name=name, provider=None, error={"code": "UNREACHABLE", "message": "gone", "remedy": "look"})


def plan(*providers: Shown, of: Template | None = None, **options: t.Any) -> Plan:
    values: dict[str, t.Any] = {
        "template": of or template(),
        "source": SOURCE,
        "shown": providers,
        "request": Request(),
        "candidates": [one.name for one in providers],
        "concurrency": 2,
    }
    return make_plan(**{**values, **options})


def asked(targets: list[str]) -> Request:
    return Request(targets=tuple(targets), named=frozenset(targets))


def step(made: Plan, name: str) -> Step:
    return next(step for step in made.steps if step.name == name)


def test_who_has_it_is_left_alone_and_who_has_not_is_supplied() -> None:
    made = plan(shown("hv02", CURRENT), shown("hv03"))
    assert step(made, "hv02").action == NOTHING
    assert step(made, "hv03").action == COPY
    assert made.export_needed


RUNNING = {"code": "COPY_RUNNING", "what": "The copy 'win11-gold' is Running.", "remedy": "Shut it down."}
UNSTAMPED = {"code": "STAMP_MISSING", "what": "It carries no stamp.", "remedy": "Add it."}
STANDING = {"verdict": "differs", "reason": "started", "reasons": ["It is Running, not Off."]}


def test_a_copy_that_somebody_uses_stops_its_provider_before_a_byte_moves() -> None:
    made = plan(shown("hv02", {**NO_COPY, **STANDING, "obstacles": [RUNNING]}))
    one = step(made, "hv02")
    error = one.to_error()
    assert error is not None
    assert (one.action, error["code"], error["message"]) == (NOTHING, "COPY_RUNNING", f"hv02: {RUNNING['what']}")
    assert (one.facts["copy"], one.facts["tried"]) == ("differs", "failed")
    assert (one.reason, one.reasons) == ("started", ("It is Running, not Off.",))
    assert not made.export_needed


@pytest.mark.parametrize(
    ("options", "action"),
    [({}, NOTHING), ({"adopt": True}, COPY), ({"request": Request(add=("hv02",))}, COPY)],
)
def test_a_copy_without_a_stamp_is_told_or_adopted_when_asked_for(options: dict[str, t.Any], action: str) -> None:
    unstamped = {"id": "1", "name": "win11-gold", "verified": True, "stamped": False}
    made = plan(
        shown("hv02", {**NO_COPY, "verdict": "differs", "copies": [unstamped], "obstacles": [UNSTAMPED]}), **options
    )
    one = step(made, "hv02")
    assert (one.action, one.adopt) == (action, action == COPY)
    assert [finding.code for finding in one.findings] == ([] if action == COPY else ["STAMP_MISSING"])


def test_an_older_copy_that_has_to_stay_is_told() -> None:
    old = {"id": "1", "name": "fanout-1", "superseded": True, "kept": "it is Running"}
    one = step(plan(shown("hv02", {**CURRENT, "copies": [old]})), "hv02")
    assert (one.action, [finding.code for finding in one.findings]) == (NOTHING, ["COPY_KEPT"])


@pytest.mark.parametrize("complete", [False, True])
def test_with_hash_copies_that_look_right_are_read_and_the_export_is_there(complete: bool) -> None:
    made = plan(shown("hv02", CURRENT), of=template(export_complete=complete), examine=True)
    assert step(made, "hv02").action == EXAMINE
    assert made.export_needed is not complete
    assert made.clones == 0


def test_when_everybody_has_it_nothing_is_exported() -> None:
    made = plan(shown("hv02", CURRENT), shown("hv03", CURRENT))
    assert not made.export_needed
    assert not made.declare
    assert made.clones == 0


def test_a_complete_export_is_not_repeated() -> None:
    assert not plan(shown("hv02"), of=template(export_complete=True)).export_needed


def test_leftovers_beside_a_current_copy_are_cleaned() -> None:
    made = plan(shown("hv02", {**CURRENT, "leftovers": [{"folder": "x"}]}), shown("hv03", CURRENT))
    assert step(made, "hv02").action == CLEAN
    assert not made.export_needed


def test_one_that_is_down_holds_up_nobody() -> None:
    made = plan(down("hv02"), shown("hv03"))
    assert step(made, "hv02").action == NOTHING
    assert step(made, "hv02").facts["answers"] is False
    assert step(made, "hv02").error is not None
    assert step(made, "hv03").action == COPY


def test_without_a_recorded_list_all_eligible_providers_are_taken_also_those_that_are_down() -> None:
    no_switch = replace(provider("hv04"), switches=())
    made = plan(shown("hv02"), down("hv03"), shown("hv04", target=no_switch), of=template(record=None))
    assert made.targets == ("hv02", "hv03")
    assert made.declare
    assert not step(made, "hv04").listed


def test_a_run_over_a_part_of_the_providers_does_not_narrow_the_first_list() -> None:
    made = plan(shown("hv05"), of=template(record=None), candidates=["hv02", "hv05", "hv06"])
    assert made.targets == ("hv02", "hv05", "hv06")


def test_the_recorded_list_stays_and_others_are_left_alone() -> None:
    made = plan(shown("hv02"), shown("hv03"), shown("hv04", CURRENT))
    assert made.targets == ("hv02", "hv03")
    assert (step(made, "hv04").action, step(made, "hv04").listed) == (NOTHING, False)
    assert "left alone" in step(made, "hv04").why


def test_an_explicit_list_replaces_the_recorded_one() -> None:
    made = plan(shown("hv02"), shown("hv03"), request=asked(["hv03"]))
    assert made.targets == ("hv03",)
    assert made.declare


def test_one_that_was_asked_for_and_cannot_be_supplied_fails_loudly() -> None:
    no_switch = replace(provider("hv02"), switches=())
    made = plan(shown("hv02", target=no_switch), request=asked(["hv02"]))
    found = step(made, "hv02").error
    assert found is not None
    assert found.code == "SWITCH_MISSING"
    assert step(made, "hv02").facts["tried"] == "failed"


def test_what_is_wrong_with_the_template_stops_who_needs_it_only() -> None:
    finding = Finding(severity=ERROR, code="TEMPLATE_CHECKPOINTS", what="It has checkpoints.", remedy="Remove them.")
    made = plan(shown("hv02", CURRENT), shown("hv03"), of=template(findings=(finding,)))
    assert step(made, "hv02").error is None
    found = step(made, "hv03").error
    assert found is not None
    assert found.code == "TEMPLATE_CHECKPOINTS"
    assert not made.export_needed


def test_two_names_of_one_computer_and_the_source_among_the_targets() -> None:
    twin = replace(provider("hv03"), computer=provider("hv02").computer)
    itself = replace(provider("hv04"), computer=SOURCE.computer)
    made = plan(
        shown("hv02"), shown("hv03", target=twin), shown("hv04", target=itself), request=asked(["hv02", "hv03", "hv04"])
    )
    assert step(made, "hv02").action == COPY
    for name in ("hv03", "hv04"):
        found = step(made, name).error
        assert found is not None
        assert found.code == "SAME_COMPUTER"


def test_a_conflict_is_said_and_nothing_done() -> None:
    made = plan(shown("hv02", {**NO_COPY, "conflicts": [{"id": "9", "name": "win11-gold"}]}), shown("hv03"))
    found = step(made, "hv02").error
    assert found is not None
    assert found.code == "NAME_CONFLICT"
    assert step(made, "hv02").action == NOTHING


@pytest.mark.parametrize("rooms, clones, error", [(20, 3, None), (3, 2, None), (2, 1, None), (1, 0, "SPACE_SOURCE")])
def test_few_clones_when_the_source_is_short_of_space(rooms: int, clones: int, error: str | None) -> None:
    size = template().needs.size
    source = replace(SOURCE, volumes=(Volume(name="C:\\", free=rooms * room_for(size), capacity=10**15),))
    made = plan(
        *(shown(f"hv{n:02}") for n in range(2, 8)), source=source, request=asked([f"hv{n:02}" for n in range(2, 8)])
    )
    assert made.clones == clones
    found = step(made, "hv02").error
    assert (found.code if found else None) == error
    assert made.export_needed == (error is None)


def test_no_more_clones_than_copies_are_due() -> None:
    assert plan(shown("hv02"), shown("hv03", CURRENT), concurrency=8).clones == 1


def test_a_concurrency_above_the_hosts_limit_is_said() -> None:
    made = plan(
        *(shown(f"hv{n:02}") for n in range(2, 8)), request=asked([f"hv{n:02}" for n in range(2, 8)]), concurrency=4
    )
    assert [finding.code for finding in made.findings] == ["MIGRATION_LIMIT"]


def test_a_template_whose_disks_cannot_be_read_is_not_judged() -> None:
    finding = Finding(severity=ERROR, code="TEMPLATE_NOT_OFF", what="It is Running.", remedy="Stop it.")
    made = plan(shown("hv02", {**NO_COPY, "verdict": "unknown"}), of=template(revision=None, findings=(finding,)))
    assert step(made, "hv02").facts["copy"] == "unknown"
    assert step(made, "hv02").action == NOTHING


@pytest.mark.parametrize("changes", [{"maximum": 0}, {"storage": 0}])
def test_who_takes_no_migration_is_in_no_first_list(changes: dict[str, int]) -> None:
    closed = provider("hv02", **changes)
    made = plan(shown("hv02", target=closed), shown("hv03"), of=template(record=None))
    assert made.targets == ("hv03",)
    found = step(plan(shown("hv02", target=closed), request=asked(["hv02"])), "hv02").error
    assert found is not None
    assert found.code == "MIGRATION_LIMIT_ZERO"


def test_a_source_that_lets_no_migration_out_stops_those_that_need_one() -> None:
    made = plan(shown("hv02", CURRENT), shown("hv03"), source=provider("hv01", maximum=0))
    assert step(made, "hv02").to_error() is None
    error = step(made, "hv03").to_error()
    assert error is not None
    assert error["code"] == "MIGRATION_LIMIT_ZERO"
    assert "hv01" in error["message"]
    assert not made.export_needed


@pytest.mark.parametrize(
    ("source", "warned"),
    [
        ({"auth": "kerberos"}, True),
        ({"auth": "negotiate"}, True),
        ({"auth": "kerberos", "endpoint": "Fanout"}, True),
        ({"auth": "credssp"}, False),
        ({"auth": ""}, False),
        ({"auth": "kerberos", "authentication": "Kerberos"}, False),
        ({"auth": "credssp", "build": "26100"}, True),
        ({"auth": "credssp", "authentication": "Kerberos", "build": "26100"}, False),
    ],
)
def test_credssp_hosts_need_a_session_that_brings_credentials(source: dict[str, t.Any], warned: bool) -> None:
    wanted = {"authentication": "CredSSP", **source}
    target = shown("hv03", target=provider("hv03", authentication=wanted["authentication"]))
    made = plan(target, source=provider("hv01", **wanted), request=asked(["hv03"]))
    assert step(made, "hv03").action == COPY
    assert [finding.code for finding in made.findings] == (["NO_DELEGATION"] if warned else [])
