# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What arrives becomes values, in whatever shape it comes; what is missing is never invented."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _shapes
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import (
    VM,
    Adapter,
    Computer,
    DiskFacts,
    Drive,
    Entry,
    Incompatibility,
    MigrationJob,
)
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.host_fakes import VM_ID, vm_row

UTC = timezone.utc


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-20T13:09:00.1234567+01:00", datetime(2026, 11, 20, 12, 9, 0, 123456, tzinfo=UTC)),
        ("2026-11-20T13:09:00Z", datetime(2026, 11, 20, 13, 9, tzinfo=UTC)),
        ("2026-11-20T13:09:00-0330", datetime(2026, 11, 20, 16, 39, tzinfo=UTC)),
        ("2026-11-20 13:09:00.5", datetime(2026, 11, 20, 13, 9, 0, 500000, tzinfo=UTC)),
        (datetime(2026, 11, 20, 13, 9), datetime(2026, 11, 20, 13, 9, tzinfo=UTC)),
        (
            datetime(2026, 11, 20, 13, 9, tzinfo=timezone(timedelta(hours=2))),
            datetime(2026, 11, 20, 11, 9, tzinfo=UTC),
        ),
    ],
)
def test_moment(value: t.Any, expected: datetime) -> None:
    assert _shapes.moment(value) == expected


@pytest.mark.parametrize("value", ["", "gestern", None, "20.11.2026 13:09:00"])
def test_a_moment_that_is_none(value: t.Any) -> None:
    with pytest.raises(HyperVError):
        _shapes.moment(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ()), ("Ok", ("Ok",)), (["Ok", None, "InService"], ("Ok", "InService")), ([], ())],
)
def test_words(value: t.Any, expected: tuple[str, ...]) -> None:
    assert _shapes.words(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (False, False), ("On", True), ("Off", False), ("True", True), (None, False), (1, True), (0, False)],
)
def test_flag(value: t.Any, expected: bool) -> None:
    assert _shapes.flag(value) is expected


def test_a_vm() -> None:
    vm = VM.from_row(vm_row(Id="{AAAAAAAA-2222-3333-4444-555555555555}", ParentSnapshotId=VM_ID.upper()))
    assert vm.id == "aaaaaaaa-2222-3333-4444-555555555555"
    assert vm.parent_snapshot_id == VM_ID
    assert not vm.busy


@pytest.mark.parametrize(
    ("statuses", "busy"),
    [(["Ok"], False), ([], False), (["InService", "ExportingVirtualMachine"], True), (["Ok", "MergingDisks"], True)],
)
def test_busy(statuses: list[str], busy: bool) -> None:
    assert VM.from_row(vm_row(OperationalStatus=statuses)).busy is busy


@pytest.mark.parametrize("name", ["Id", "Name", "State", "Generation", "Version"])
def test_what_has_to_be_there(name: str) -> None:
    with pytest.raises(HyperVError) as caught:
        VM.from_row(vm_row(**{name: None}))
    assert (caught.value.code, caught.value.layer) == ("UNEXPECTED_ANSWER", "protocol")
    assert name in caught.value.message


def adapter_row(**changes: t.Any) -> dict[str, t.Any]:
    return {"Name": "LAN", "SwitchName": "Production", "DynamicMacAddressEnabled": True, "IsLegacy": False, **changes}


@pytest.mark.parametrize(
    ("changes", "vlan", "mac"),
    [
        ({"MacAddress": "00155d000001"}, 0, None),
        ({"MacAddress": "00155d000001", "DynamicMacAddressEnabled": False}, 0, "00155D000001"),
        ({"VlanSetting": {"_type": "X", "OperationMode": "Access", "AccessVlanId": 42}}, 42, None),
        ({"VlanSetting": {"_type": "X", "OperationMode": "Untagged", "AccessVlanId": 0}}, 0, None),
        ({"VlanSetting": "Microsoft.HyperV.PowerShell.VMNetworkAdapterVlanSetting"}, 0, None),
        ({"VlanSetting": None}, 0, None),
    ],
)
def test_adapters(changes: dict[str, t.Any], vlan: int, mac: str | None) -> None:
    adapter = Adapter.from_row(adapter_row(**changes))
    assert (adapter.vlan, adapter.static_mac, adapter.switch) == (vlan, mac, "Production")


def test_an_adapter_without_a_switch() -> None:
    assert Adapter.from_row(adapter_row(SwitchName=None)).switch is None
    assert Adapter.from_row(adapter_row(SwitchName="")).switch is None


@pytest.mark.parametrize(
    ("path", "disk_number", "is_file"),
    [
        (r"D:\a.VHDX", None, True),
        (r"D:\a.vhd", None, True),
        (r"D:\a.avhdx", None, True),
        ("Disk 2 10.00 GB Bus 0", 2, False),
        ("", None, False),
    ],
)
def test_drives(path: str, disk_number: int | None, is_file: bool) -> None:
    row = {"VMId": VM_ID, "Path": path, "ControllerType": "SCSI", "ControllerNumber": 0, "ControllerLocation": 1}
    assert Drive.from_row({**row, "DiskNumber": disk_number}).is_file is is_file


@pytest.mark.parametrize(("shown", "shared"), [(True, True), (False, False), (None, False)])
def test_a_shared_drive(shown: bool | None, shared: bool) -> None:
    row = {
        "VMId": VM_ID,
        "Path": r"D:\a.vhdx",
        "ControllerType": "SCSI",
        "ControllerNumber": 0,
        "ControllerLocation": 1,
    }
    assert Drive.from_row({**row, "SupportPersistentReservations": shown}).shared is shared
    assert Drive.from_row(row).shared is False


def test_a_computer_is_the_same_by_any_name() -> None:
    values = {"domain": "lab.test", "uuid": "u", "os_caption": "", "os_build": "", "clustered": False}
    first = Computer(dns_name="HV01", part_of_domain=True, **values)  # type: ignore[arg-type]
    second = Computer(dns_name="hv01", part_of_domain=False, **values)  # type: ignore[arg-type]
    assert first.identity == second.identity == "u/hv01"
    assert (first.fqdn, second.fqdn) == ("HV01.lab.test", "hv01")


def job_row(**changes: t.Any) -> dict[str, t.Any]:
    return {"InstanceID": "j", "VirtualSystemName": VM_ID.upper(), "JobState": 4, "ErrorCode": 0, **changes}


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [
        (2, 0, "running"),
        (3, 0, "running"),
        (4, None, "running"),
        (5, 0, "running"),
        (6, 0, "running"),
        (7, 0, "completed"),
        (7, 32768, "failed"),
        (8, 0, "failed"),
        (9, 0, "failed"),
        (10, 32768, "failed"),
    ],
)
def test_job_states(state: int, code: int | None, expected: str) -> None:
    job = MigrationJob.from_row(job_row(JobState=state, ErrorCode=code))
    assert (job.state, job.running) == (expected, expected == "running")


@pytest.mark.parametrize(
    ("told", "name", "expected"),
    [
        (VM_ID.upper(), None, True),
        ("{" + VM_ID + "}", None, True),
        ("fanout-11111111", "fanout-11111111", True),
        ("fanout-11111111", None, False),
        ("FANOUT-11111111", "fanout-11111111", False),
        ("", "", False),
        ("other", "fanout-11111111", False),
    ],
)
def test_whom_a_job_concerns(told: str, name: str | None, expected: bool) -> None:
    assert MigrationJob.from_row(job_row(VirtualSystemName=told)).concerns(VM_ID, name) is expected


@pytest.mark.parametrize(
    "source",
    [
        "Microsoft.HyperV.PowerShell.VMNetworkAdapter",
        {"_type": "Microsoft.HyperV.PowerShell.VMNetworkAdapter", "Name": "LAN"},
    ],
)
def test_incompatibilities(source: t.Any) -> None:
    found = Incompatibility.from_row({"MessageId": 33012, "Message": "x", "Source": source})
    assert (found.message_id, found.source) == (33012, "VMNetworkAdapter")


@pytest.mark.parametrize(
    ("attributes", "is_link"), [("Archive", False), ("Directory, ReparsePoint", True), ("ReparsePoint", True)]
)
def test_entries(attributes: str, is_link: bool) -> None:
    row = {"Name": "a", "FullName": r"D:\a", "PSIsContainer": True, "Length": None, "Attributes": attributes}
    entry = Entry.from_row({**row, "LastWriteTimeUtc": datetime(2026, 1, 1, tzinfo=UTC)})
    assert (entry.is_link, entry.size, entry.is_folder) == (is_link, 0, True)


def test_a_disk_that_shows_too_little_has_no_mark() -> None:
    facts = DiskFacts(path="a", size=1, identifier="", guid=None, file_size=1)
    assert facts.mark is None
