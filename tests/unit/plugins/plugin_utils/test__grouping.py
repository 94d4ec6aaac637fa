# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups and variables from status documents."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._grouping import (
    group_name,
    group_names,
    groups_of,
    told,
    variables_of,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import PROGRESS, STATES
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Document, Provider, Run, Template

NOW = "2026-11-20T12:00:00Z"


def document(name: str = "gold", **providers: tuple[str, str]) -> Document:
    return Document(
        template=Template(name=name, source="hv01"),
        runs=(Run(id="1", started=NOW, updated=NOW),),
        providers={host: Provider(state=state, progress=word) for host, (state, word) in providers.items()},
    )


def test_every_word_has_a_group_of_its_own() -> None:
    assert sorted(group_names().values()) == [
        "adding_provider",
        "distributing",
        "failed_to_distribute",
        "needs_update",
        "not_available",
        "ok",
        "ready",
        "removing_provider",
    ]
    assert set(group_names()) == {*STATES, *PROGRESS}


@pytest.mark.parametrize(
    ("prefix", "name"), [("", "needs_update"), ("gold_", "gold_needs_update"), ("_", "_needs_update")]
)
def test_a_prefix(prefix: str, name: str) -> None:
    assert group_name("Needs update", prefix) == name


@pytest.mark.parametrize("prefix", ["1", "gold-", "gold ", "ü", "a.b", "{{ x }}"])
def test_a_prefix_that_makes_no_group(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        group_names(prefix)


ORDER: list[tuple[str, str]] = [
    ("Ready", "Failed to distribute"),
    ("Not available", "OK"),
    ("Needs update", "OK"),
    ("Ready", "Removing provider"),
    ("Ready", "OK"),
]


@pytest.mark.parametrize("first", range(len(ORDER) - 1))
def test_what_most_needs_attention_comes_first(first: int) -> None:
    for later in ORDER[first + 1 :]:
        documents = [document("a", hv02=later), document("z", hv02=ORDER[first])]
        entries = told(documents)["hv02"]
        assert (entries[0]["state"], entries[0]["progress"]) == ORDER[first]
        assert [entry["template"] for entry in entries] == ["z", "a"]


def test_a_host_is_in_the_groups_of_all_its_distributions_and_other_templates_are_left_out() -> None:
    documents = [
        document("gold", hv02=("Ready", "OK"), hv03=("Not available", "OK")),
        document("other", hv02=("Needs update", "Adding provider")),
    ]
    assert groups_of(told(documents)["hv02"]) == ["adding_provider", "needs_update", "ok", "ready"]
    assert groups_of(told(documents, ["gold"])["hv02"], "x_") == ["x_ok", "x_ready"]
    assert list(told(documents, ["other"])) == ["hv02"]
    assert told(documents, []) == {}


def test_variables_say_everything_and_are_plain() -> None:
    error: dict[str, t.Any] = {"code": "UNREACHABLE", "message": "down"}
    provider = Provider(
        state="Not available", progress="Failed to distribute", error=error, attempts=3, reason="no_copy", since=NOW
    )
    one = document()
    values = variables_of(told([Document(template=one.template, runs=one.runs, providers={"hv02": provider})])["hv02"])
    assert values["fanout_state"] == "Not available"
    assert values["fanout_progress"] == "Failed to distribute"
    assert values["fanout_error"] == error
    assert values["fanout_reason"] == "no_copy"
    assert (values["fanout_attempts"], values["fanout_template"], values["fanout_source"]) == (3, "gold", "hv01")
    assert [entry["state"] for entry in values["fanout_distributions"]] == ["Not available"]
