# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan makes of surveys that failed, of lists that name nobody, and of providers that left the list."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    AuthenticationFailed,
    CommandFailed,
    HostUnreachable,
    HyperVError,
    InvalidInput,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import shown
from ansible_collections.fanout.hyperv.plugins.module_utils._objects_host import MigrationJob
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import Needs
from ansible_collections.fanout.hyperv.plugins.module_utils._record import Record
from ansible_collections.fanout.hyperv.plugins.module_utils._running import failure
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Values
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.distribution_plan import OPERATION
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.distribution_report import OPERATION as REPORT
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.template_copy import OPERATION as COPY
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import (
    FakeHost,
    FakeReporter,
    job,
    work,
)
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.test__preflight import definition, provider

ROOT = Path(__file__).resolve().parents[5]
SOURCE = "hv01"
NO_COPY: Values = {"verdict": "none", "copies": [], "conflicts": [], "leftovers": [], "reasons": []}
CURRENT: Values = {**NO_COPY, "verdict": "current", "copies": [{"id": "1"}]}


def survey(name: str, copy: Values | None = None, **changes: t.Any) -> Values:
    one = dataclasses.replace(provider(name), **changes)
    host: Values = {key: dataclasses.asdict(getattr(one, key)) for key in ("settings", "computer")}
    host |= {key: [dataclasses.asdict(item) for item in getattr(one, key)] for key in ("volumes", "switches")}
    host["migration_networks"] = list(one.migration_networks)
    return {"reachable": True, "host": host, "target_path": one.path, "copy": copy or NO_COPY}


def silent(error: HyperVError) -> Values:
    return {"reachable": False, "error": error.to_dict()}


def broken(error: HyperVError) -> Values:
    """A survey that failed, as the role registers it: its ``failed_when: false`` has the last word."""
    return {**failure(error, "hv02"), "failed": False, "failed_when_result": False}


REFUSED = InvalidInput("The folder 'x' is not a full path.", code="INVALID_PATH")
WITHOUT_HYPERV = CommandFailed(
    "hv02: Get-VMHost: The term is not recognized.",
    code="CMDLET_MISSING",
    cause="The cmdlet does not exist for this session.",
    raw="CommandNotFoundException  The term is not recognized.",
    host="hv02",
)


def info(targets: list[str] | None, **changes: t.Any) -> Values:
    known = {name: provider(name).computer.identity for name in targets or ()}
    record = Record(
        template_id="t", name="win11-gold", multi_provider=True, targets=tuple(targets or ()), computers=known
    )
    return {
        "id": "t",
        "name": "win11-gold",
        "revision": "0123456789ab",
        "needs": dataclasses.asdict(Needs.of(definition())),
        "findings": [],
        "record": None if targets is None else shown(record),
        "export": {"complete": False},
        "clones": [],
        "staging_path": provider(SOURCE).path,
        **changes,
    }


def told(*templates: Values, source: Values | None = None) -> Values:
    """What the source shows of itself and of its templates."""
    return {"templates": list(templates), "errors": {}, "source": source or survey(SOURCE)}


def plan(surveys: dict[str, Values], recorded: list[str] | None = None, **changes: t.Any) -> Values:
    assert OPERATION.gather is not None
    made: Values = OPERATION.gather(work(asked(surveys, recorded, **changes), host=FakeHost(SOURCE)))["results"][0]
    return made


def asked(surveys: dict[str, Values], recorded: list[str] | None, **changes: t.Any) -> Values:
    return {
        "source_name": SOURCE,
        "template_names": ["win11-gold"],
        "templates": told(info(recorded)),
        "surveys": surveys,
        "targets": None,
        "add": [],
        "remove": [],
        "unlisted": "keep",
        "remove_guests": False,
        "teardown": False,
        "multi_provider": True,
        "quiet": False,
        "candidates": list(surveys),
        "groups": {"hyperv": [SOURCE, *surveys]},
        "concurrency": 2,
        "verify": "size",
        "adopt": False,
        "keep_revisions": 0,
        **changes,
    }


def problems(made: Values, copies: Values | None = None) -> dict[str, str]:
    results = {name: {"results": [{**one, "item": {"template_id": "t"}}]} for name, one in (copies or {}).items()}
    params = {"source_name": SOURCE, "plan": {"results": [made]}, "steps": [], "copies": results}
    assert REPORT.gather is not None
    found: dict[str, str] = REPORT.gather(work(params, host=FakeHost(SOURCE)))["problems"]
    return found


def test_why_a_provider_did_not_answer_keeps_its_layer_and_cause() -> None:
    error = AuthenticationFailed(
        "hv02: not let in", code="BAD_CREDENTIALS", cause="It was not accepted.", remedy="Look"
    )
    made = plan({"hv02": silent(error), "hv03": survey("hv03")}, ["hv02", "hv03"])
    assert made["distribution"]["providers"]["hv02"]["error"] == error.to_dict()
    assert problems(made) == {"hv02": "Not available: hv02: not let in. Look."}


@pytest.mark.parametrize(
    "survey",
    [
        broken(REFUSED),
        {"failed": False, "failed_when_result": False, "changed": False, "msg": "The folder 'x' made a module stop."},
    ],
)
def test_a_survey_that_failed_is_no_silence_of_the_host(survey: Values) -> None:
    made = plan({"hv02": survey}, ["hv02"])
    told = made["distribution"]["providers"]["hv02"]
    assert (told["facts"]["answers"], told["facts"]["tried"]) == (None, "failed")
    assert "The folder 'x'" in told["error"]["message"]
    assert problems(made)["hv02"].startswith("Failed to distribute: ")


@pytest.mark.parametrize(
    "survey",
    [
        {},
        {"changed": False, "skipped": True},
        {"unreachable": True, "changed": False, "msg": "no route to host"},
        silent(HostUnreachable("hv02: the connection was refused")),
    ],
)
def test_who_gave_no_answer_is_silent(survey: Values) -> None:
    made = plan({"hv02": survey}, ["hv02"])
    assert made["distribution"]["providers"]["hv02"]["facts"]["answers"] is False
    assert problems(made)["hv02"].startswith("Not available: ")


def test_a_host_without_hyperv_is_told_in_plain_words() -> None:
    made = plan({"hv02": broken(WITHOUT_HYPERV)}, ["hv02"])
    (finding,) = made["providers"]["hv02"]["findings"]
    error = made["distribution"]["providers"]["hv02"]["error"]
    assert finding["code"] == error["code"] == "CMDLET_MISSING"
    for said in (finding["what"], error["message"], problems(made)["hv02"]):
        assert "Hyper-V or its PowerShell module is not installed on hv02" in said
    for said in (finding["remedy"], error["remedy"], problems(made)["hv02"]):
        assert "Install-WindowsFeature Hyper-V -IncludeManagementTools" in said
    assert error["raw"] == WITHOUT_HYPERV.raw
    assert error["layer"] == "hyperv"


@pytest.mark.parametrize("error", [WITHOUT_HYPERV, REFUSED], ids=["without Hyper-V", "survey failed"])
def test_the_first_list_has_nobody_whose_survey_failed_and_says_so(error: HyperVError) -> None:
    down = silent(HostUnreachable("hv04: the connection was refused"))
    made = plan({"hv02": broken(error), "hv03": survey("hv03"), "hv04": down})
    assert made["targets"] == ["hv03", "hv04"]
    assert made["record"]["targets"] == ["hv03", "hv04"]
    assert not made["providers"]["hv02"]["listed"]
    assert "left out of the list" in made["providers"]["hv02"]["why"]
    assert "hv02: none: left out of the list" in made["msg"]
    assert "hv02" not in problems(made)


def test_who_was_left_out_of_the_first_list_is_told_while_the_run_works() -> None:
    params = asked({"hv02": broken(WITHOUT_HYPERV), "hv03": survey("hv03")}, None)
    given = work(params, host=FakeHost(SOURCE))
    assert OPERATION.gather is not None
    OPERATION.gather(given)
    notes = "\n".join(t.cast(FakeReporter, given.reporter).notes)
    assert "plan: hv02: none: left out of the list" in notes
    assert "Install-WindowsFeature" in notes


def test_a_named_provider_without_hyperv_fails_loudly() -> None:
    made = plan({"hv02": broken(WITHOUT_HYPERV), "hv03": survey("hv03")}, targets=["hv02", "hv03"])
    assert made["targets"] == ["hv02", "hv03"]
    assert list(problems(made)) == ["hv02"]


def test_findings_are_errors_that_the_status_file_knows() -> None:
    made = plan({"hv02": survey("hv02", switches=())}, ["hv02"])
    schema = json.loads((ROOT / "docs" / "status.schema.json").read_text())
    layers = next(found for found in _enums(schema) if "connection" in found)
    assert made["distribution"]["providers"]["hv02"]["error"]["layer"] in layers


def _enums(schema: t.Any) -> t.Iterator[list[t.Any]]:
    """The choices of all properties in a schema."""
    below = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    if isinstance(schema, dict) and isinstance(schema.get("enum"), list):
        yield schema["enum"]
    for one in below:
        yield from _enums(one)


PLANNED = {"id": "c0ffee00-0000-4000-8000-000000000001", "name": "fanout-c0ffee00"}
MOVING = job(PLANNED["id"])


@pytest.mark.parametrize(
    ("planned", "jobs", "of_source", "said"),
    [
        (PLANNED, [], [], True),
        (PLANNED, [MOVING], [], False),
        (PLANNED, [], [MOVING], False),
        (PLANNED, [], [dataclasses.replace(MOVING, vm="fanout-c0ffee00")], False),
        ({**PLANNED, "name": "somebody's"}, [], [], False),
        ({"id": "t", "name": "win11-gold"}, [], [], True),
        ({"id": "1", "name": "win11-gold"}, [], [], True),
        ({"id": "2", "name": "win11-gold"}, [], [], False),
    ],
)
def test_what_a_broken_move_left_is_told(
    planned: Values, jobs: list[MigrationJob], of_source: list[MigrationJob], said: bool
) -> None:
    there, here = survey("hv02", CURRENT), survey(SOURCE)
    there["host"] |= {"planned_vms": [planned], "jobs": shown(jobs)}
    here["host"] |= {"jobs": shown(of_source)}
    made = plan({"hv02": there}, ["hv02"], templates=told(info(["hv02"]), source=here))
    found = made["providers"]["hv02"]["findings"]
    assert [(one["severity"], one["code"]) for one in found] == ([("warning", "PLANNED_VM_LEFT")] if said else [])
    assert problems(made) == {}
    if said:
        assert planned["id"] in found[0]["what"]
        assert "DestroySystem" in found[0]["remedy"]
        assert "hv02" in found[0]["remedy"]


def test_credssp_hosts_and_a_session_without_it() -> None:
    credssp = dataclasses.replace(provider().settings, migration_authentication="CredSSP")
    here = survey(SOURCE, settings=credssp)
    here["host"]["auth"] = "kerberos"
    given = told(info(["hv02"]), source=here)
    made = plan({"hv02": survey("hv02", settings=credssp)}, ["hv02"], templates=given)
    (finding,) = made["findings"]
    assert (finding["severity"], finding["code"], finding["provider"]) == ("warning", "NO_DELEGATION", SOURCE)
    assert "credssp" in finding["remedy"]
    assert plan({"hv02": survey("hv02", CURRENT, settings=credssp)}, ["hv02"], templates=given)["findings"] == []


def test_without_the_source_providers_keep_their_state() -> None:
    error = AuthenticationFailed("not let in", code="BAD_CREDENTIALS")
    made = plan({"hv02": survey("hv02"), "hv03": silent(error)}, templates={"templates": [], "source": silent(error)})
    shown = made["distribution"]["providers"]
    assert shown["hv02"]["facts"]["answers"] is None
    assert shown["hv03"]["facts"]["answers"] is False
    assert shown["hv02"]["error"]["message"] == "hv01: not let in"
    assert problems(made)["hv02"].startswith("Failed to distribute: ")
    assert problems(made)["hv03"].startswith("Not available: ")


def test_a_run_is_idle_only_when_nothing_is_to_be_done_anywhere() -> None:
    def idle(surveys: dict[str, Values], recorded: list[str] | None, **changes: t.Any) -> bool:
        given = told({**info(recorded), **changes})
        assert OPERATION.gather is not None
        made = OPERATION.gather(work(asked(surveys, recorded, templates=given), host=FakeHost(SOURCE)))
        return bool(made["idle"])

    current = {"hv02": survey("hv02", CURRENT)}
    assert idle(current, ["hv02"])
    assert not idle(current, None), "not declared yet"
    assert not idle(current, ["hv02"], clones=[{"folder": "x"}]), "a clone of a dead run"
    assert not idle({**current, "hv03": survey("hv03")}, ["hv02", "hv03"]), "a copy is missing"
    down = silent(AuthenticationFailed("not let in", code="BAD_CREDENTIALS"))
    assert not idle({**current, "hv03": down}, ["hv02", "hv03"]), "a provider has to fail"


def test_without_any_answer_the_reason_is_told() -> None:
    made = plan({"hv02": survey("hv02")}, templates={"failed": True, "msg": "no such host in the inventory"})
    assert "no such host in the inventory" in problems(made)["hv02"]


@pytest.mark.parametrize(
    ("recorded", "targets", "said"),
    [
        (None, [SOURCE], "no provider but the source"),
        (["hv02"], [], "no provider but the source"),
        ([], None, "recorded distribution list of win11-gold is empty"),
        (None, None, "No provider can hold win11-gold. hv02 has no virtual switch"),
    ],
)
def test_a_list_without_providers_is_no_success(
    recorded: list[str] | None, targets: list[str] | None, said: str
) -> None:
    made = plan({"hv02": survey("hv02", switches=())}, recorded, targets=targets)
    assert not made["declare"]
    assert said in problems(made)["hv02"]


def test_a_folder_that_no_target_can_have_is_told_and_the_list_is_whole() -> None:
    made = plan({"hv02": survey("hv02", path="E:\\VMs")})
    assert made["targets"] == ["hv02"]
    assert "There is no volume for E:\\VMs" in problems(made)["hv02"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("E:\\Staging", "no volume for the staging folder E:\\Staging"),
        ("C:\\" + "s" * 123, "paths of 260 characters, more than 259"),
    ],
)
def test_a_staging_folder_that_cannot_be_stops_all_before_anything_is_written(path: str, said: str) -> None:
    made = plan({"hv02": survey("hv02")}, templates=told(info(None, staging_path=path)))
    assert (made["declare"], made["copies"], made["export_needed"]) == (False, 0, False)
    assert said in problems(made)["hv02"]


@pytest.mark.parametrize(
    ("name", "longest"),
    [("a", 124), ("win11-go", 124), ("win11-gold", 122)],
)
def test_a_staging_folder_has_room_for_export_and_clones(name: str, longest: int) -> None:
    """Below the revision lie export\\<name> and clones\\<8 characters>, whichever is longer."""
    needs = {**info(None)["needs"], "name": name}
    for length, copies in ((longest, 1), (longest + 1, 0)):
        given = told(info(None, needs=needs, staging_path="C:\\" + "s" * length))
        made = plan({"hv02": survey("hv02")}, templates=given)
        assert made["copies"] == copies, (name, length)


def test_a_staging_folder_may_be_as_long_as_windows_takes_it() -> None:
    made = plan({"hv02": survey("hv02")}, templates=told(info(None, staging_path="C:\\" + "s" * 122)))
    assert made["copies"] == 1


def test_who_has_the_copy_is_ok_although_a_new_one_could_not_be_made() -> None:
    made = plan({"hv02": survey("hv02", CURRENT, switches=())}, ["hv02"])
    assert problems(made) == {}
    assert made["distribution"]["providers"]["hv02"]["error"] is None


def test_the_copy_of_one_computer_is_not_counted_for_two_names() -> None:
    made = plan({"hv02": survey("hv02", CURRENT), "twin": survey("hv02", CURRENT)}, ["hv02", "twin"])
    assert list(problems(made)) == ["twin"]
    facts = made["distribution"]["providers"]["twin"]["facts"]
    assert (facts["copy"], facts["tried"]) == ("unknown", "failed")


def test_the_status_file_forgets_who_left_the_list() -> None:
    made = plan({"hv02": survey("hv02"), "hv03": survey("hv03", CURRENT)}, ["hv02", "hv03", "hv04"], targets=["hv02"])
    shown = made["distribution"]["providers"]
    assert shown["hv03"] == shown["hv04"] == {"facts": {"listed": False, "leaving": False}}
    assert shown["hv02"]["facts"]["listed"]


def test_a_provider_of_the_list_that_the_inventory_does_not_know_is_told() -> None:
    groups = {"all": [SOURCE, "hv02"], "hyperv": [SOURCE, "hv02"]}
    made = plan({"hv02": survey("hv02", CURRENT)}, ["hv02", "hv03"], groups=groups)
    assert [(found["code"], found["provider"]) for found in made["findings"]] == [("NOT_IN_INVENTORY", "hv03")]
    assert "hv03 is in the distribution list" in made["msg"]


@pytest.mark.parametrize(("who", "word"), [("hv02", "Not available"), (SOURCE, "Failed to distribute")])
def test_a_target_that_falls_silent_while_it_is_copied_to_is_not_available(who: str, word: str) -> None:
    made = plan({"hv02": survey("hv02")}, ["hv02"])
    error = HostUnreachable(f"{who}: the connection was refused", host=who)
    assert COPY.on_error is not None
    told = COPY.on_error(work({}, host=FakeHost("hv02")), error)
    copies = {"hv02": {"failed": True, "msg": error.message, **told}}
    assert problems(made, copies) == {"hv02": f"{word}: {error.message}"}
