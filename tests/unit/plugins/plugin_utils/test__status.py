# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document: its schema, its summary, what is read back, and what a reader makes of a dead run."""

from __future__ import annotations

import copy
import json
import typing as t
from dataclasses import fields, replace
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import PROGRESS, STATES
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import (
    LAYERS,
    RUNS_KEPT,
    Damaged,
    Document,
    Phase,
    Provider,
    Run,
    Template,
    Throughput,
    Transfer,
    error_of,
    seconds,
    utc,
)

SCHEMA = json.loads((Path(__file__).parents[4] / "docs" / "status.schema.json").read_text(encoding="utf-8"))
BEGIN = "2026-11-20T13:09:00Z"
RUN = Run(id="20261120T130900Z-4711", started=BEGIN, updated=BEGIN, pid=4711, node="control")
PHASES = (Phase(phase="copying", started=BEGIN, finished=BEGIN),)
ERROR = error_of({"code": "DISK_FULL", "layer": "hyperv", "message": "voll", "remedy": "clean up", "raw": "0x80070070"})


def document() -> Document:
    return Document(
        template=Template(name="win11-gold", source="hv01", id="6d3c", revision="4f1c"),
        concurrency=2,
        runs=(RUN,),
        export=Transfer(phase="exporting", percent=10.0, rate=5, eta=BEGIN),
        source_phases=(Phase(phase="exporting", started=BEGIN),),
        throughput=Throughput(run=RUN.id, started=BEGIN, every=2, rates=(7, 9)),
        providers={
            "hv02": Provider(state="Ready", progress="OK", revision="4f1c", since=BEGIN, phases=PHASES),
            "hv03": Provider(state="Needs update", progress="Distributing", phase="copying", percent=42, run=RUN.id),
            "hv04": Provider(
                state="Needs update", progress="Failed to distribute", error=ERROR, reason="older", reasons=("x",)
            ),
            "hv05": Provider(state="Not available", progress="OK", findings=({"code": "X", "severity": "error"},)),
            "hv06": Provider(state="Needs update", progress="Adding provider", run=RUN.id, bytes_done=1, bytes_total=9),
            "hv07": Provider(state="Ready", progress="Removing provider"),
            "hv08": Provider(state="Needs update", progress="OK"),
        },
    )


def test_the_document_is_as_the_published_schema_says() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document().to_dict(), SCHEMA)


@pytest.mark.parametrize(
    ("part", "definition"),
    [
        (Run, "run"),
        (Transfer, "transfer"),
        (Provider, "provider"),
        (Template, "template"),
        (Phase, "phase"),
        (Throughput, "throughput"),
    ],
)
def test_schema_and_code_know_the_same_fields(part: t.Any, definition: str) -> None:
    described = SCHEMA["properties"]["template"] if part is Template else SCHEMA["$defs"][definition]
    inherited = set(SCHEMA["$defs"]["transfer"]["properties"]) if part is Provider else set()
    assert {item.name for item in fields(part)} == set(described["properties"]) | inherited
    assert set(described["required"]) == set(described["properties"])


def test_schema_and_code_know_the_same_words() -> None:
    definitions = SCHEMA["$defs"]
    assert set(document().to_dict()) == set(SCHEMA["properties"]) == set(SCHEMA["required"])
    assert tuple(definitions["state"]["enum"]) == STATES
    assert set(definitions["progress"]["enum"]) == set(PROGRESS)
    assert tuple(definitions["error"]["oneOf"][1]["properties"]["layer"]["enum"]) == LAYERS
    assert set(document().summary()) == set(SCHEMA["properties"]["summary"]["required"])
    assert SCHEMA["properties"]["runs"]["maxItems"] == RUNS_KEPT


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data["providers"]["hv02"].update(state="ready"),
        lambda data: data["providers"]["hv02"].pop("error"),
        lambda data: data["providers"]["hv03"].update(percent=101),
        lambda data: data["run"].update(updated="today"),
        lambda data: data.update(schema=3),
    ],
)
def test_the_schema_refuses_what_is_wrong(spoil: t.Any) -> None:
    data = document().to_dict()
    spoil(data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


def test_every_provider_is_counted_once() -> None:
    summary = document().summary()
    assert summary == {
        "providers": 7,
        "ok": 1,
        "distributing": 1,
        "adding": 1,
        "removing": 1,
        "needs_update": 1,
        "failed": 1,
        "not_available": 1,
    }
    assert sum(summary.values()) == 2 * summary["providers"]


def test_all_ok_means_every_provider_and_no_error_of_the_whole() -> None:
    good = replace(document(), providers={"hv02": document().providers["hv02"]})
    assert good.all_ok
    assert not replace(good, error=ERROR).all_ok
    assert not document().all_ok


def test_what_is_written_is_read_back() -> None:
    assert Document.from_dict(json.loads(json.dumps(document().to_dict()))) == document()


def test_the_text_has_a_line_per_provider_and_per_run() -> None:
    text = document().to_json()
    assert json.loads(text) == document().to_dict()
    assert text.count("\n") < 30
    (line,) = [line for line in text.splitlines() if line.startswith('  "hv04": ')]
    assert "DISK_FULL" in line
    empty = replace(document(), providers={}).to_json()
    assert json.loads(empty)["providers"] == {}


def test_schema_1_is_read() -> None:
    """The fixture was written by the version that knew no other."""
    data = json.loads(Path(__file__).with_name("status_schema_1.json").read_text(encoding="utf-8"))
    assert data["schema"] == 1
    read = Document.from_dict(data)
    plain = replace(document(), source_phases=(), throughput=None)
    plain = replace(plain, runs=(RUN,), providers={name: bare(entry) for name, entry in plain.providers.items()})
    assert read == plain
    assert read.to_dict()["schema"] == SCHEMA["properties"]["schema"]["const"]
    jsonschema.validate(read.to_dict(), SCHEMA)


def bare(entry: Provider) -> Provider:
    return replace(entry, phases=(), reason=None)


def test_a_later_schema_says_what_to_do() -> None:
    with pytest.raises(Damaged, match="install a newer one"):
        Document.from_dict({**document().to_dict(), "schema": 3})


def test_what_a_later_version_added_is_left_out() -> None:
    data = document().to_dict()
    data["new"] = data["template"]["new"] = data["providers"]["hv02"]["new"] = data["runs"][0]["new"] = 1
    assert Document.from_dict(data) == document()


def _without(*path: str) -> t.Callable[[t.Any], None]:
    def spoil(data: t.Any) -> None:
        for key in path[:-1]:
            data = data[key]
        del data[path[-1]]

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        _without("schema"),
        _without("template"),
        _without("template", "name"),
        _without("providers"),
        _without("providers", "hv02", "state"),
        _without("runs"),
        lambda data: data.update(schema=3),
        lambda data: data.update(schema="1"),
        lambda data: data.update(runs=[]),
        lambda data: data.update(runs="many"),
        lambda data: data.update(providers=[]),
        lambda data: data["providers"].update(hv02=None),
        lambda data: data["providers"]["hv02"].update(state="Fine"),
        lambda data: data["providers"]["hv02"].update(percent="42"),
        lambda data: data["providers"]["hv02"].update(since="yesterday"),
        lambda data: data["runs"][0].update(updated=7),
        lambda data: data.update(error="bad"),
        lambda data: data.update(source_phases="many"),
        lambda data: data.update(throughput={"run": "x", "started": BEGIN, "every": 0, "rates": []}),
        lambda data: data["throughput"].update(rates=["fast"]),
        lambda data: data["providers"]["hv02"]["phases"][0].update(started="once"),
    ],
)
def test_what_cannot_be_such_a_document_is_damaged(spoil: t.Callable[[t.Any], None]) -> None:
    data = copy.deepcopy(document().to_dict())
    spoil(data)
    with pytest.raises(Damaged):
        Document.from_dict(data)


@pytest.mark.parametrize("data", [None, [], "text", 1, {}])
def test_other_json_is_damaged(data: t.Any) -> None:
    with pytest.raises(Damaged):
        Document.from_dict(data)


def test_a_dead_run_is_interrupted_and_its_copies_failed() -> None:
    seen = document().seen(lambda run: False)
    assert seen.run.state == "interrupted"
    assert seen.export is None
    assert seen.distribution == "Removing provider"
    copying = seen.providers["hv03"]
    assert (copying.state, copying.progress, copying.phase) == ("Needs update", "Failed to distribute", None)
    assert copying.error is not None
    assert copying.error["code"] == "INTERRUPTED"
    assert "copying (42 %)" in copying.error["message"]
    assert copying.error["transient"]
    assert seen.providers["hv06"].progress == "Failed to distribute"
    for name in ("hv02", "hv04", "hv05", "hv07", "hv08"):
        assert seen.providers[name] == document().providers[name]
    jsonschema.validate(seen.to_dict(), SCHEMA)


def test_only_the_copies_of_the_dead_run_have_failed() -> None:
    other = replace(RUN, id="other")
    both = replace(document(), runs=(other, RUN))
    seen = both.seen(lambda run: run.id == "other")
    assert seen.run.id == "other"
    assert seen.providers["hv03"].progress == "Failed to distribute"
    taken_over = replace(both.providers["hv03"], run="other")
    seen = replace(both, providers={"hv03": taken_over}).seen(lambda run: run.id == "other")
    assert seen.providers["hv03"] == taken_over


def test_a_living_run_is_left_as_it_is() -> None:
    assert document().seen(lambda run: True) == document()


def test_a_run_that_is_running_speaks_before_a_newer_one_that_ended() -> None:
    newer = replace(RUN, id="newer", started="2026-11-20T14:00:00Z", state="finished")
    assert replace(document(), runs=(newer, RUN)).run == RUN
    ended = replace(RUN, state="finished")
    assert replace(document(), runs=(newer, ended)).run == newer


def test_errors_are_cut_to_what_the_document_has() -> None:
    error = error_of({"code": None, "layer": "moon", "message": "m" * 10_000, "password": "x", "transient": 1})
    assert (error["code"], error["layer"], error["transient"]) == ("UNKNOWN", "distribution", True)
    assert len(error["message"]) == 4000
    assert "password" not in error


def test_times_go_both_ways() -> None:
    assert utc(seconds(BEGIN)) == BEGIN
    with pytest.raises(Damaged):
        seconds("13:09")
