# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waves of guests: every provider its turn, never more at a time than allowed."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError
from ansible_collections.fanout.hyperv.plugins.module_utils._guest_planning import (
    Limits,
    candidates,
    excluded,
    is_down,
    share,
    waves,
)
from hypothesis import given
from hypothesis import strategies as st


def guest(name: str, *, outdated: bool = True, state: str = "Running", start: bool = True) -> dict[str, t.Any]:
    return {"name": name, "outdated": outdated, "state": state, "made": {"start": start}}


def guests(**counts: int) -> dict[str, list[dict[str, t.Any]]]:
    return {name: [guest(f"{name}-{number}") for number in range(1, count + 1)] for name, count in counts.items()}


def limits(serial: int = 1, run: int | None = None, unavailable: int | None = None) -> Limits:
    return Limits(per_provider=serial, per_run=run, unavailable=unavailable)


@pytest.mark.parametrize(
    ("asked", "planned"),
    [
        (limits(), [{"a": ["a-1"], "b": ["b-1"]}, {"a": ["a-2"]}, {"a": ["a-3"]}]),
        (limits(2), [{"a": ["a-1", "a-2"], "b": ["b-1"]}, {"a": ["a-3"]}]),
        (limits(9), [{"a": ["a-1", "a-2", "a-3"], "b": ["b-1"]}]),
        (limits(2, 2), [{"a": ["a-1"], "b": ["b-1"]}, {"a": ["a-2", "a-3"]}]),
        (limits(9, None, 1), [{"a": ["a-1"]}, {"a": ["a-2"]}, {"a": ["a-3"]}, {"b": ["b-1"]}]),
        (limits(9, 3, 2), [{"a": ["a-1"], "b": ["b-1"]}, {"a": ["a-2", "a-3"]}]),
    ],
)
def test_waves(asked: Limits, planned: list[dict[str, list[str]]]) -> None:
    found = candidates(guests(a=3, b=1), everything=False, exclude=[])
    assert waves(found, asked, set()) == planned


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 6), max_size=4),
    st.integers(1, 4),
    st.none() | st.integers(1, 5),
    st.none() | st.integers(1, 5),
)
def test_every_guest_once_and_no_limit_broken(
    counts: dict[str, int], serial: int, run: int | None, unavailable: int | None
) -> None:
    everyone = guests(**counts)
    planned = waves(candidates(everyone, everything=False, exclude=[]), limits(serial, run, unavailable), set())
    flat = [name for wave in planned for names in wave.values() for name in names]
    assert sorted(flat) == sorted(one["name"] for ones in everyone.values() for one in ones)
    for wave in planned:
        size = sum(map(len, wave.values()))
        assert max(map(len, wave.values())) <= serial
        assert size <= (run or size)
        assert size <= (unavailable or size)


def test_guests_that_are_down_go_first_and_cost_nothing() -> None:
    everyone = {"a": [guest("a-1"), guest("a-2", state="Off"), guest("a-3", state="Off", start=False)]}
    found = candidates(everyone, everything=False, exclude=[])
    assert [one.name for one in found] == ["a-2", "a-1", "a-3"]
    assert waves(found, limits(1, None, 1), {("a", "a-2")}) == [{"a": ["a-2"]}, {"a": ["a-1"]}, {"a": ["a-3"]}]


def test_nothing_is_begun_when_too_many_are_unavailable_already() -> None:
    found = candidates({"a": [guest("a-1")]}, everything=False, exclude=[])
    with pytest.raises(HyperVError, match="a-9") as raised:
        waves(found, limits(1, None, 1), {("a", "a-9")})
    assert raised.value.code == "TOO_MANY_UNAVAILABLE"


@pytest.mark.parametrize(
    ("name", "patterns", "out"),
    [
        ("web-1", [], False),
        ("web-1", ["WEB-1"], True),
        ("web-1", ["web"], False),
        ("web-1", ["web-*"], True),
        ("web-1", ["*-2", "w*1"], True),
        ("w[1]", ["w[1]"], True),
        ("w1", ["w[1]"], False),
        ("web.1", ["web-1", "web?1"], False),
    ],
)
def test_excluded(name: str, patterns: list[str], out: bool) -> None:
    assert excluded(name, patterns) is out


def test_only_outdated_ones_unless_everything_is_asked_for() -> None:
    everyone = {"a": [guest("a-1", outdated=False), guest("a-2"), guest("b-1")]}
    assert [one.name for one in candidates(everyone, everything=False, exclude=["b-*"])] == ["a-2"]
    assert [one.name for one in candidates(everyone, everything=True, exclude=["b-*"])] == ["a-1", "a-2"]


@pytest.mark.parametrize(
    ("text", "number"),
    [(None, None), ("", None), ("3", 3), (3, 3), ("25%", 3), ("1 %", 1), ("100%", 12)],
)
def test_share(text: str | int | None, number: int | None) -> None:
    assert share(text, 12, "max_unavailable") == number


@pytest.mark.parametrize("text", ["0", "-1", "0%", "101%", "many", "2.5", "٣"])
def test_no_share(text: str) -> None:
    with pytest.raises(HyperVError, match="max_unavailable"):
        share(text, 12, "max_unavailable")


def test_down() -> None:
    assert is_down(guest("a", state="Off"))
    assert not is_down(guest("a", state="Off", start=False))
    assert is_down({"name": "a", "state": "Saved", "made": None})
