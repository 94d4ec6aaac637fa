# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which revision is wanted, which are kept, and what a rollback makes of the record."""

from __future__ import annotations

import json

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import NotFound
from ansible_collections.fanout.hyperv.plugins.module_utils._pinning import kept_revisions, pinned, wanted_revision
from ansible_collections.fanout.hyperv.plugins.module_utils._record import Record

A, B, C, D = "aaaa00000000", "bbbb00000000", "cccc00000000", "dddd00000000"


def record(revision: str | None, *kept: str, pinned: bool = False) -> Record:
    return Record(template_id="t", name="gold", multi_provider=True, revision=revision, kept=kept, pinned=pinned)


@pytest.mark.parametrize(
    ("was", "own", "wanted"),
    [
        (None, A, A),
        (record(None), A, A),
        (record(A), B, B),
        (record(A, pinned=True), B, A),
        (record(A, pinned=True), None, A),
        (record(A), None, None),
    ],
)
def test_what_providers_should_hold(was: Record | None, own: str | None, wanted: str | None) -> None:
    assert wanted_revision(was, own) == wanted


@pytest.mark.parametrize(
    ("was", "wanted", "keep", "kept"),
    [
        (None, A, 3, ()),
        (record(None), A, 3, ()),
        (record(A), A, 3, ()),
        (record(A), B, 0, ()),
        (record(A), B, 1, (A,)),
        (record(B, A), C, 1, (B,)),
        (record(B, A), C, 2, (B, A)),
        (record(B, A), C, None, (B,)),
        (record(B, A), A, 2, (B,)),
        (record(C, B, A), C, 1, (B,)),
        (record(C, B, A), C, 0, ()),
        (record(A, C, B, pinned=True), A, 0, (C,)),
        (record(A, C, B, pinned=True), A, 1, (C,)),
        (record(B, A), None, 0, (B, A)),
    ],
)
def test_the_newest_that_were_current_are_kept(
    was: Record | None, wanted: str | None, keep: int | None, kept: tuple[str, ...]
) -> None:
    assert kept_revisions(was, wanted, keep) == kept


@pytest.mark.parametrize(
    ("was", "asked", "own", "after"),
    [
        (record(C, B, A), B, C, record(B, C, A, pinned=True)),
        (record(C, B, A), "AAA", C, record(A, C, B, pinned=True)),
        (record(B, A), B, B, record(B, A, pinned=True)),
        (record(A, C, B, pinned=True), B, C, record(B, A, C, pinned=True)),
        (record(A, C, B, pinned=True), "latest", C, record(C, A, B)),
        (record(A, C, pinned=True), "Latest", D, record(A, C)),
        (record(A, C, pinned=True), "latest", A, record(A, C)),
        (record(C, B), "latest", C, record(C, B)),
    ],
)
def test_a_rollback_changes_the_record_and_nothing_is_lost(was: Record, asked: str, own: str, after: Record) -> None:
    assert pinned(was, asked, own, "gold") == after
    assert pinned(after, asked, own, "gold") == after, "the second time something changed"


@pytest.mark.parametrize(
    ("was", "asked", "told"),
    [
        (None, A, "not distributed"),
        (record(None), "latest", "not distributed"),
        (record(C, B), A, "kept: bbbb00000000"),
        (record(C, B), "", "is not held"),
        (record(C), B, "none (distribute_keep_revisions"),
        (record(C, "cccc11111111"), "cccc", "means 2 revisions"),
    ],
)
def test_a_revision_that_is_not_held_is_refused_with_those_that_are(was: Record | None, asked: str, told: str) -> None:
    with pytest.raises(NotFound) as caught:
        pinned(was, asked, C, "gold")
    assert caught.value.code == "REVISION_UNKNOWN"
    assert told in str(caught.value)


def test_a_record_of_before_has_no_pin() -> None:
    old = json.loads(record(A, B).to_json())
    del old["pinned"]
    assert Record.from_json(json.dumps(old)) == record(A, B)
    assert Record.from_json(record(A, B, pinned=True).to_json()).pinned
