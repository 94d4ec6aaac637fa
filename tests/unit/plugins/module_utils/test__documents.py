# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record, manifest and baseline: they travel as JSON, and what is damaged is said to be."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._baseline import Baseline, differences
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError
from ansible_collections.fanout.hyperv.plugins.module_utils._manifest import Manifest, ManifestFile
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import DiskFacts
from ansible_collections.fanout.hyperv.plugins.module_utils._record import Record, Wish
from hypothesis import given
from hypothesis import strategies as st

TEMPLATE = "cccccccc-0000-0000-0000-000000000003"
SAID = datetime(2026, 11, 20, 13, 9, 0, 123456, tzinfo=timezone.utc)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
sizes = st.integers(min_value=0, max_value=2**63)
disks = st.builds(
    DiskFacts,
    path=texts,
    size=sizes,
    identifier=texts,
    guid=st.none() | texts,
    file_size=sizes,
    modified=st.none() | st.just(SAID),
    parent=texts,
)
lists = st.lists(texts, max_size=4).map(tuple)
records = st.builds(
    Record,
    template_id=st.just(TEMPLATE),
    name=texts,
    multi_provider=st.booleans(),
    targets=lists,
    pending_removals=lists,
    unlisted=lists,
    joining=lists,
    computers=st.dictionaries(texts, texts, max_size=3),
    revision=st.none() | texts,
    kept=lists,
)
manifests = st.builds(
    Manifest,
    template_id=st.just(TEMPLATE),
    revision=texts,
    vmcx=texts,
    files=st.lists(st.builds(ManifestFile, path=texts, size=sizes, sha256=st.none() | texts), max_size=3).map(tuple),
    disks=st.lists(disks, max_size=3).map(tuple),
)
baselines = st.builds(
    Baseline, vm_id=st.just(TEMPLATE), state=texts, revision=texts, disks=st.lists(disks, max_size=3).map(tuple)
)
Document = Record | Manifest | Baseline


@given(records | manifests | baselines)
def test_what_is_written_is_read_again(document: Document) -> None:
    text = document.to_json()
    assert text.isascii()
    assert type(document).from_json(text) == document


RECORD = Record(template_id=TEMPLATE, name="win11-gold", multi_provider=True, targets=("hv02", "hv03"))


def _changed(**changes: t.Any) -> str:
    return json.dumps({**json.loads(RECORD.to_json()), **changes})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "DOCUMENT_DAMAGED"),
        (RECORD.to_json()[:-5], "DOCUMENT_DAMAGED"),
        ("[]", "DOCUMENT_DAMAGED"),
        ("[" * 100000, "DOCUMENT_DAMAGED"),
        (_changed(targets="hv02"), "DOCUMENT_DAMAGED"),
        (_changed(targets=[1]), "DOCUMENT_DAMAGED"),
        (_changed(multi_provider="yes"), "DOCUMENT_DAMAGED"),
        (_changed(revision=4), "DOCUMENT_DAMAGED"),
        ('{"schema": 1}', "DOCUMENT_DAMAGED"),
        (_changed(schema=2), "DOCUMENT_VERSION"),
        ("{}", "DOCUMENT_VERSION"),
    ],
)
def test_a_damaged_record_is_an_error(text: str, code: str) -> None:
    with pytest.raises(HyperVError) as caught:
        Record.from_json(text)
    assert caught.value.code == code


def test_a_record_of_before_there_were_providers_that_come_and_go_is_read() -> None:
    old = {name: value for name, value in json.loads(RECORD.to_json()).items() if name not in NEW_FIELDS}
    assert Record.from_json(json.dumps(old)) == RECORD


NEW_FIELDS = ("unlisted", "joining", "computers")
LISTED = replace(RECORD, computers={"hv02": "two", "hv03": "three"})


@pytest.mark.parametrize(
    ("wish", "targets", "pending", "unlisted", "joining"),
    [
        (Wish(), "hv02 hv03", "hv09", "hv08", ""),
        (Wish(targets=("hv03", "hv04", "hv03")), "hv03 hv04", "hv09", "hv08 hv02", "hv04"),
        (Wish(targets=("hv03",), unlisted="remove"), "hv03", "hv09 hv02", "hv08", ""),
        (Wish(add=("hv04",)), "hv02 hv03 hv04", "hv09", "hv08", "hv04"),
        (Wish(add=("hv02",)), "hv02 hv03", "hv09", "hv08", ""),
        (Wish(add=("hv08", "hv09")), "hv02 hv03 hv08 hv09", "", "", "hv08 hv09"),
        (Wish(remove=("hv02",)), "hv03", "hv09 hv02", "hv08", ""),
        (Wish(remove=("hv08", "hv05")), "hv02 hv03", "hv09 hv08 hv05", "", ""),
        (Wish(removed=("hv08", "hv09")), "hv02 hv03", "", "", ""),
        (Wish(remove=("hv02",), removed=("hv02",)), "hv03", "hv09", "hv08", ""),
        (Wish(add=("hv04",), supplied={"hv04": "four"}), "hv02 hv03 hv04", "hv09", "hv08", ""),
    ],
)
def test_what_becomes_of_the_list(wish: Wish, targets: str, pending: str, unlisted: str, joining: str) -> None:
    changed = replace(LISTED, pending_removals=("hv09",), unlisted=("hv08",)).changed(wish)
    lists = (changed.targets, changed.pending_removals, changed.unlisted, changed.joining)
    assert lists == tuple(tuple(names.split()) for names in (targets, pending, unlisted, joining))
    assert set(changed.computers) <= set(changed.targets)


MANIFEST = Manifest(
    template_id=TEMPLATE,
    revision="0123456789ab",
    vmcx=r"gold\Virtual Machines\a.vmcx",
    files=(ManifestFile(path=r"gold\a.vmcx", size=5), ManifestFile(path=r"gold\d.vhdx", size=7)),
    disks=(),
)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({r"GOLD\A.vmcx": 5, r"gold\d.vhdx": 7, r"gold\other": 1}, []),
        ({r"gold\a.vmcx": 5}, [r"gold\d.vhdx is missing"]),
        ({r"gold\a.vmcx": 4, r"gold\d.vhdx": 7}, [r"gold\a.vmcx has another size"]),
        ({}, [r"gold\a.vmcx is missing", r"gold\d.vhdx is missing"]),
    ],
)
def test_a_manifest_says_what_is_not_as_it_was(found: dict[str, int], expected: list[str]) -> None:
    assert MANIFEST.differences(found) == expected


def test_hashes_are_added_to_a_manifest() -> None:
    hashed = MANIFEST.with_hashes({r"GOLD\d.vhdx": "AB"})
    assert [file.sha256 for file in hashed.files] == [None, "ab"]
    assert hashed.size == 12
    assert hashed.file(r"gold\D.VHDX") == hashed.files[1]
    assert hashed.file("x") is None


DISK = DiskFacts(path=r"D:\x\a.vhdx", size=10, identifier="i", guid="g", file_size=4)
VHD = DiskFacts(path=r"D:\x\b.vhd", size=10, identifier="j", guid=None, file_size=4, modified=SAID)
BASELINE = Baseline(vm_id=TEMPLATE, state="Off", revision="0123456789ab", disks=(DISK, VHD))


@pytest.mark.parametrize(
    ("changes", "disk_changes", "expected"),
    [
        ({}, {}, []),
        ({}, {"path": r"d:\X\A.vhdx", "modified": SAID}, []),
        ({}, {"file_size": 5}, [r"The disk D:\x\a.vhdx is a file of 5 bytes and was one of 4."]),
        ({"state": "Running"}, {}, ["It was Off and is Running."]),
        ({"revision": "ba9876543210"}, {}, ["It was revision 0123456789ab and says ba9876543210."]),
        ({"vm_id": "x"}, {}, [f"The baseline is about another VM ({TEMPLATE})."]),
        ({}, {"guid": "h"}, [r"The disk D:\x\a.vhdx was written to."]),
        ({}, {"guid": None}, [r"The disk D:\x\a.vhdx cannot be read."]),
        ({}, {"size": 11}, [r"The disk D:\x\a.vhdx has another virtual size."]),
        ({}, {"parent": r"D:\p.vhdx"}, [r"The disk D:\x\a.vhdx has another parent."]),
        ({}, {"identifier": "k"}, [r"The disk D:\x\a.vhdx has another identifier."]),
        ({}, {"path": r"D:\y.vhdx"}, [r"The disk D:\x\a.vhdx is gone.", r"The disk D:\y.vhdx was added."]),
    ],
)
def test_differences(changes: dict[str, t.Any], disk_changes: dict[str, t.Any], expected: list[str]) -> None:
    shown = replace(BASELINE, disks=(replace(DISK, **disk_changes), VHD), **changes)
    assert differences(BASELINE, shown) == expected


def test_a_vhd_differs_by_size_or_time() -> None:
    for change in ({"file_size": 5}, {"modified": datetime(2027, 1, 1, tzinfo=timezone.utc)}):
        shown = replace(BASELINE, disks=(DISK, replace(VHD, **change)))
        assert differences(BASELINE, shown)[-1] == r"The disk D:\x\b.vhd was written to."
