# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The revision: the same on every host, another one for every real change."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _revision
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import (
    VM,
    Adapter,
    Definition,
    Disk,
    DiskFacts,
    Drive,
    Dvd,
)
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.host_fakes import VM_ID, vm_row

PATH = r"D:\VMs\gold.vhdx"
VMX = VM.from_row(vm_row())
DRIVE = Drive(vm_id=VM_ID, path=PATH, controller_type="SCSI", number=0, location=0)
DISK = Disk(
    path=PATH, format="VHDX", type="Dynamic", file_size=4, size=64, identifier="i", parent_path="", attached=False
)
LAN = Adapter(name="LAN", switch="Production", vlan=0, static_mac=None)
BACKUP = Adapter(name="Backup", switch="Production", vlan=7, static_mac="00155D000001")
GOLD = Definition(
    vm=VMX,
    processors=2,
    memory_startup=4,
    dynamic_memory=False,
    memory_minimum=1,
    memory_maximum=9,
    secure_boot=True,
    secure_boot_template="MicrosoftWindows",
    tpm=False,
    shielded=False,
    adapters=(LAN, BACKUP),
    drives=(DRIVE,),
    dvds=(Dvd(path="", controller_type="SCSI", number=0, location=1),),
    checkpoints=(),
    disks=(DISK,),
)
GUIDS: dict[str, str | None] = {PATH: "11111111-1111-1111-1111-111111111111"}


def revision_of(definition: Definition, guids: dict[str, str | None] | None = None) -> str:
    return _revision.revision(definition, GUIDS if guids is None else guids)


def test_it_is_twelve_hexadecimal_characters_and_stays_the_same_between_versions() -> None:
    assert revision_of(GOLD) == "7881ed79927e"


COPY_PATH = r"E:\fanout\x\GOLD.vhdx"


@pytest.mark.parametrize(
    "definition",
    [
        replace(GOLD, vm=VM.from_row(vm_row(Id="ffffffff-2222-3333-4444-555555555555", Name="other", Notes="x"))),
        replace(GOLD, vm=VM.from_row(vm_row(State="Running", OperationalStatus=["InService"], CreationTime=None))),
        replace(GOLD, vm=VM.from_row(vm_row(Path="E:\\", ConfigurationLocation="E:\\", IsClustered=True))),
        replace(GOLD, adapters=(BACKUP, LAN)),
        replace(GOLD, memory_minimum=2, memory_maximum=3),
        replace(GOLD, dvds=(replace(GOLD.dvds[0], path=r"D:\win.iso"),)),
        replace(GOLD, disks=(replace(DISK, file_size=5, attached=True),)),
        replace(GOLD, disks=(replace(DISK, path=PATH.upper()),)),
    ],
)
def test_what_belongs_to_the_host_or_the_moment_is_not_in_it(definition: Definition) -> None:
    assert revision_of(definition) == revision_of(GOLD)


def test_a_copy_elsewhere_has_the_revision_of_its_template() -> None:
    copy = replace(GOLD, drives=(replace(DRIVE, path=COPY_PATH, vm_id="x"),), disks=(replace(DISK, path=COPY_PATH),))
    assert revision_of(copy, {COPY_PATH: GUIDS[PATH]}) == revision_of(GOLD)


CHANGES: list[dict[str, t.Any]] = [
    {"vm": VM.from_row(vm_row(Generation=1))},
    {"vm": VM.from_row(vm_row(Version="10.0"))},
    {"processors": 4},
    {"memory_startup": 5},
    {"dynamic_memory": True},
    {"secure_boot": False},
    {"secure_boot_template": "MicrosoftUEFICertificateAuthority"},
    {"tpm": True},
    {"adapters": (LAN,)},
    {"adapters": (LAN, replace(BACKUP, vlan=8))},
    {"adapters": (LAN, replace(BACKUP, switch=None))},
    {"adapters": (LAN, replace(BACKUP, static_mac=None))},
    {"adapters": (LAN, LAN)},
    {"drives": (replace(DRIVE, location=1),)},
    {"dvds": ()},
    {"disks": (replace(DISK, size=65),)},
    {"disks": (replace(DISK, identifier="j"),)},
]


def test_every_real_change_gives_another_revision() -> None:
    found = [revision_of(replace(GOLD, **change)) for change in CHANGES]
    found += [revision_of(GOLD), revision_of(GOLD, {PATH: "22222222-1111-1111-1111-111111111111"})]
    assert len(set(found)) == len(found)


def test_dynamic_memory_has_bounds() -> None:
    dynamic = replace(GOLD, dynamic_memory=True)
    assert revision_of(dynamic) != revision_of(replace(dynamic, memory_maximum=10))


@pytest.mark.parametrize(
    ("definition", "guids"),
    [
        (replace(GOLD, disks=()), GUIDS),
        (GOLD, {PATH: None}),
        (GOLD, {}),
        (replace(GOLD, drives=(replace(DRIVE, path="", disk_number=2),)), GUIDS),
    ],
)
def test_a_disk_that_is_not_shown_makes_no_revision(definition: Definition, guids: dict[str, str | None]) -> None:
    with pytest.raises(Refused) as caught:
        revision_of(definition, guids)
    assert caught.value.code == "DISK_WITHOUT_REVISION"


def test_explain_says_what_changed() -> None:
    old = _revision.settings(GOLD, GUIDS)
    new = _revision.settings(replace(GOLD, processors=4, dynamic_memory=True), {PATH: "other"})
    assert _revision.explain(old, old) == []
    assert _revision.explain(old, new) == [
        "processors: 2 -> 4",
        "memory.dynamic: False -> True",
        "disks.SCSI 0 0.content: 11111111-1111-1111-1111-111111111111 -> other",
        "memory.minimum: nothing -> 1",
        "memory.maximum: nothing -> 9",
    ]


SAID = datetime(2026, 11, 20, tzinfo=timezone.utc)
VHD = DiskFacts(path=r"D:\a.vhd", size=10, identifier="i", guid=None, file_size=4, modified=SAID)
TOUCHED = replace(VHD, modified=SAID + timedelta(hours=1))


def test_marks_of_both_kinds_of_disk() -> None:
    vhdx = replace(VHD, path=r"D:\b.vhdx", guid="g")
    assert _revision.marks([VHD, vhdx]) == {
        r"D:\a.vhd": "vhd 4 2026-11-20T00:00:00+00:00",
        r"D:\b.vhdx": "g",
    }


@pytest.mark.parametrize(
    ("now", "same_content", "asked", "expected"),
    [
        (VHD, False, 0, VHD),
        (TOUCHED, True, 1, VHD),
        (TOUCHED, False, 1, TOUCHED),
        (replace(TOUCHED, file_size=5), True, 0, replace(TOUCHED, file_size=5)),
        (replace(TOUCHED, guid="g"), True, 0, replace(TOUCHED, guid="g")),
    ],
)
def test_a_vhd_that_was_only_touched_keeps_its_revision(
    now: DiskFacts, same_content: bool, asked: int, expected: DiskFacts
) -> None:
    questions: list[None] = []

    def ask() -> bool:
        questions.append(None)
        return same_content

    assert _revision.settle_vhd(now, VHD, ask) == expected
    assert len(questions) == asked
