# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only what is ours goes, file by file; everything else is refused or left."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_operation
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.vm_remove import OPERATION
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import (
    COPY_ID,
    OTHER_ID,
    T_ID,
    FakeHost,
    defaults,
    vm,
    work,
)

FOLDER = rf"D:\VMs\fanout\{T_ID}\0123456789ab-01234567"
DISK = rf"{FOLDER}\Virtual Hard Disks\gold.vhdx"


def stamp(vm_id: str = COPY_ID, kind: t.Any = "copy") -> str:
    return _stamp.Stamp(
        kind=kind, vm_id=vm_id, template_id=T_ID, template_name="win11-gold", source="hv01", revision="0123456789ab"
    ).line()


@pytest.fixture
def host() -> FakeHost:
    fake = FakeHost("hv02")
    fake.add(vm(COPY_ID, path=FOLDER, configuration_location=FOLDER, notes=stamp()), DISK)
    fake.files.put(rf"{FOLDER}\owner.json", "{}")
    fake.files.put(rf"{FOLDER}\baseline.json", "{}")
    return fake


def run(host: FakeHost, vm_id: str = COPY_ID, *, check_mode: bool = False) -> dict[str, t.Any]:
    return run_operation(OPERATION, work(defaults(OPERATION, id=vm_id), host=host), check_mode=check_mode, diff=True)


def test_the_vm_its_files_and_empty_folders_go(host: FakeHost) -> None:
    predicted = run(host, check_mode=True)
    assert not host.writes
    assert predicted["files"] == [DISK]
    result = run(host)
    assert result["left"] == []
    assert COPY_ID not in host.machines
    assert not [path for path in [*host.files.content, *host.files.folders] if path.startswith(FOLDER)]
    assert not run(host)["changed"]


def test_files_elsewhere_and_files_of_others_stay(host: FakeHost) -> None:
    data = r"E:\Data\data.vhdx"
    host.attached[COPY_ID].append(data)
    host.add_disk(data)
    host.files.put(rf"{FOLDER}\readme.txt", "mine")
    result = run(host)
    assert result["kept_files"] == [data]
    assert result["left"] == [rf"{FOLDER}\readme.txt"]
    assert data in host.files.content


@pytest.mark.parametrize(
    "notes, code",
    [
        ("", "NOT_OURS"),
        ("people's text", "NOT_OURS"),
        (stamp(OTHER_ID), "NOT_OURS"),
        (stamp(kind="template"), "IS_A_TEMPLATE"),
        (stamp().replace("copy", "coppy"), "NOT_OURS"),
        (stamp()[:-3], "NOT_OURS"),
    ],
)
def test_what_is_not_ours_is_refused(host: FakeHost, notes: str, code: str) -> None:
    host.change(COPY_ID, notes=notes)
    result = run(host)
    assert result["error"]["code"] == code
    assert not host.writes


@pytest.mark.parametrize("state", ["Running", "Paused", "Starting", "Stopping"])
def test_a_vm_in_use_is_refused(host: FakeHost, state: str) -> None:
    host.change(COPY_ID, state=state)
    assert run(host)["error"]["code"] == "VM_NOT_OFF"
    assert not host.writes


def test_a_disk_that_a_guest_needs_stays(host: FakeHost) -> None:
    host.add(vm(OTHER_ID, "guest"), r"D:\VMs\guest\leaf.avhdx", parent_path=r"D:\VMs\guest\child.vhdx")
    host.add_disk(r"D:\VMs\guest\child.vhdx", parent_path=DISK)
    result = run(host)
    assert result["error"]["code"] == "DISK_IN_USE"
    assert OTHER_ID in result["msg"]
    assert not host.writes


def test_a_disk_of_another_vm_in_our_folder_stays(host: FakeHost) -> None:
    host.add(vm(OTHER_ID, "lodger"), rf"{FOLDER}\Virtual Hard Disks\lodger.vhdx")
    assert run(host)["error"]["code"] == "DISK_IN_USE"
    assert not host.writes


def test_a_stamped_vm_outside_our_folders_loses_no_file(host: FakeHost) -> None:
    disk = r"E:\Elsewhere\gold.vhdx"
    host.add(vm(OTHER_ID, "moved by hand", notes=stamp(OTHER_ID)), disk)
    result = run(host, OTHER_ID)
    assert result["kept_files"] == [disk]
    assert OTHER_ID not in host.machines
    assert disk in host.files.content


def test_a_guest_goes_with_its_own_folder(host: FakeHost) -> None:
    folder = rf"D:\VMs\fanout\{T_ID}\guests\89abcdef"
    place = rf"{folder}\fanout-89abcdef"
    guest = vm(OTHER_ID, "web", path=place, configuration_location=place, notes=stamp(OTHER_ID, "guest"))
    host.add(guest, rf"{folder}\Virtual Hard Disks\gold.vhdx", parent_path=DISK)
    assert run(host, OTHER_ID)["left"] == []
    assert not [path for path in [*host.files.content, *host.files.folders] if path.startswith(folder)]
    assert DISK in host.files.content
