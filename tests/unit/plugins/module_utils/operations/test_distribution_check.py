# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused before any host is asked, and what is only warned about."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput
from ansible_collections.fanout.hyperv.plugins.module_utils._outcomes import outcome
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.distribution_check import (
    OPERATION,
    check_names,
    chosen,
    forks_needed,
    template_names,
    whole_number,
)


@pytest.mark.parametrize("value, number", [(1, 1), ("2", 2), (" 12 ", 12), (300, 300)])
def test_whole_numbers(value: t.Any, number: int) -> None:
    assert whole_number(value) == number


@pytest.mark.parametrize("value", [0, -1, "0", "-2", 2.5, "2.5", 2.0, True, False, None, "", "two", "١", "1e3", [], {}])
def test_everything_else_is_refused_by_name(value: t.Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        whole_number(value)
    assert "distribute_concurrency" in str(caught.value)
    assert repr(value) in str(caught.value)
    assert caught.value.remedy


def params(**changes: t.Any) -> dict[str, t.Any]:
    values: dict[str, t.Any] = {
        "template": "win11-gold",
        "template_id": None,
        "source": "hv01",
        "targets": None,
        "add": [],
        "remove": [],
        "playing": None,
        "candidates": ["hv01", "hv02"],
        "known_hosts": ["hv01", "hv02"],
        "groups": {"hyperv": ["hv01", "hv02"]},
    }
    return {**values, **changes}


@pytest.mark.parametrize("targets", [None, [], ["hv02"], ["hyperv"], ["all"], ["hv02", "hyperv"]])
def test_lists_that_are_known(targets: list[str] | None) -> None:
    check_names(params(targets=targets))


@pytest.mark.parametrize(
    "changes, word",
    [
        ({"template": "a*"}, "a*"),
        ({"template": ""}, "empty"),
        ({"template": []}, "[]"),
        ({"template": ["gold", 4]}, "4"),
        ({"template": ["gold", "a*"]}, "a*"),
        ({"template": ["gold", "other"], "template_id": "x"}, "distribute_template_id"),
        ({"source": "hv9"}, "hv9"),
        ({"add": ["hv77"]}, "hv77"),
        ({"targets": ["hv02"], "remove": ["hv02"]}, "distribute_remove"),
        ({"targets": ["hv02", "hv77"]}, "hv77"),
    ],
)
def test_names_that_are_not(changes: dict[str, t.Any], word: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        template_names(params(**changes))
        check_names(params(**changes))
    assert word in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(("given", "names"), [("a,b", ["a,b"]), (["a", "b", "a"], ["a", "b"])])
def test_one_template_or_several(given: t.Any, names: list[str]) -> None:
    assert template_names(params(template=given)) == names


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"remove": ["hv02"]}, ["hv02"]),
        ({"add": ["hyperv"]}, ["hv02"]),
        ({"add": ["all"]}, ["hv02"]),
        ({}, []),
    ],
)
def test_the_providers_that_are_meant(changes: dict[str, t.Any], names: list[str]) -> None:
    assert chosen(params(playing=["hv01", "hv02"], **changes)) == names


@pytest.mark.parametrize(
    ("changes", "word"), [({"remove": ["hv01"]}, "is the source"), ({"remove": ["hv02"], "playing": ["hv01"]}, "limit")]
)
def test_providers_that_cannot_be_meant(changes: dict[str, t.Any], word: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        chosen(params(**{"playing": ["hv01", "hv02"], **changes}))
    assert word in f"{caught.value} {caught.value.cause}"


def test_hashing_needs_more_workers() -> None:
    assert (forks_needed(4, "size"), forks_needed(4, "hash")) == (8, 12)


def test_it_asks_no_host() -> None:
    assert not OPERATION.needs_host


ERROR = {"code": "X", "message": "It is down.", "remedy": "Start it."}


@pytest.mark.parametrize(
    "step, result, word, part",
    [
        ({"error": None, "answers": True, "why": "up to date"}, None, "ok", "up to date"),
        ({"error": None, "answers": True, "why": "no copy"}, {"changed": True, "msg": "made"}, "ok", "made"),
        (
            {"error": None, "answers": True, "why": "no copy"},
            {"failed": True, "msg": "disk full"},
            "failed",
            "disk full",
        ),
        ({"error": ERROR, "answers": False, "why": ""}, None, "not_available", "Start it."),
        ({"error": ERROR, "answers": True, "why": ""}, None, "failed", "It is down."),
        ({"error": ERROR, "answers": False, "why": ""}, {"skipped": True}, "not_available", "It is down."),
    ],
)
def test_how_a_provider_ended(step: dict[str, t.Any], result: dict[str, t.Any] | None, word: str, part: str) -> None:
    said = outcome("hv02", step, result)
    assert said[0] == word
    assert part in said[1]
