# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stamp: counts for one id only, survives any name, and leaves people's notes alone."""

from __future__ import annotations

import json

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput
from ansible_collections.fanout.hyperv.plugins.module_utils._stamp import Stamp
from hypothesis import example, given
from hypothesis import strategies as st

ID = "aaaaaaaa-0000-0000-0000-000000000001"
OTHER = "bbbbbbbb-0000-0000-0000-000000000002"
TEMPLATE = "cccccccc-0000-0000-0000-000000000003"


def stamp(**changes: object) -> Stamp:
    values: dict[str, object] = {
        "kind": "copy",
        "vm_id": ID,
        "template_id": TEMPLATE,
        "template_name": "win11-gold",
        "source": "hv01",
        "revision": "0123456789ab",
    }
    return Stamp(**{**values, **changes})  # type: ignore[arg-type]


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
notes = st.text(st.characters(exclude_categories=["Cs"]), max_size=200).filter(lambda text: "fanout.hyperv" not in text)


@given(notes, names, names)
@example("\r", "", "")
@example("a\r\n", "", "")
def test_what_was_merged_is_parsed_and_removed_again(text: str, name: str, source: str) -> None:
    put = stamp(template_name=name, source=source)
    merged = _stamp.merge(text, put)
    assert _stamp.parse(merged, ID) == put
    assert _stamp.remove(merged) == text
    assert merged.endswith(put.line())
    assert "\n" not in put.line() and put.line().isascii()


@given(notes, names)
def test_merging_again_replaces(text: str, name: str) -> None:
    once = _stamp.merge(text, stamp(template_name=name))
    twice = _stamp.merge(once, stamp(revision="fedcba987654"))
    assert twice == _stamp.merge(text, stamp(revision="fedcba987654"))


def test_a_stamp_of_another_id_is_foreign_and_does_not_count() -> None:
    text = _stamp.merge("built by Ann", stamp(vm_id=OTHER))
    assert _stamp.parse(text, ID) is None
    assert _stamp.foreign(text, ID) == stamp(vm_id=OTHER)
    assert _stamp.foreign(text, OTHER) is None


def test_the_id_counts_in_any_case() -> None:
    assert _stamp.parse(stamp(vm_id=ID.upper()).line(), ID.upper()) == stamp()


def test_people_may_add_lines_around_it_whatever_the_line_ends() -> None:
    text = f"first\r\n  {stamp().line()} \r\nlast"
    assert _stamp.parse(text, ID) == stamp()
    assert _stamp.remove(text) == "first\r\nlast"
    assert _stamp.remove(f"{stamp().line()}\nonly") == "only"


def test_of_several_stamps_the_last_counts_and_merge_leaves_one() -> None:
    text = f"{stamp(revision='000000000000').line()}\nx\n{stamp().line()}"
    assert _stamp.parse(text, ID) == stamp()
    assert _stamp.merge(text, stamp()) == f"x\n{stamp().line()}"


@pytest.mark.parametrize(
    "line",
    [
        stamp().line()[:-1],
        stamp().line().replace('"copy"', '"king"'),
        stamp().line().replace('"fanout.hyperv":1', '"fanout.hyperv":2'),
        stamp().line().replace('"hv01"', "7"),
        stamp().line().replace('"0123456789ab"', "[]"),
        json.dumps({"fanout.hyperv": 1}),
        '{"fanout.hyperv":' + "[" * 100000,
        '[{"fanout.hyperv":1}]',
    ],
)
def test_a_damaged_stamp_is_no_stamp(line: str) -> None:
    assert _stamp.parse(line, ID) is None
    assert _stamp.foreign(line, ID) is None


def test_all_fields_travel() -> None:
    full = stamp(kind="template", staging=r"D:\Stäging", superseded=True, revision=None)
    assert _stamp.parse(full.line(), ID) == full


def test_a_stamp_too_long_for_notes_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        stamp(source="x" * 3000).line()
    assert caught.value.code == "STAMP_TOO_LONG"


def test_a_guest_says_what_it_was_made_with() -> None:
    made = {"kind": "linked", "memory_mb": 4096, "switch": "Produktion äöü"}
    written = stamp(kind="guest", made=made, unfinished=True)
    assert _stamp.parse(written.line(), ID) == written


def test_a_stamp_of_before_is_read() -> None:
    line = stamp(kind="guest").line()
    assert "made" not in line
    assert _stamp.parse(line, ID) == stamp(kind="guest")
    odd = _stamp.parse(line.replace('"name"', '"made":7,"name"'), ID)
    assert odd is not None
    assert odd.made is None
