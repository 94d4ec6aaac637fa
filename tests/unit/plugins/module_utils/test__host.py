# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host: which pipelines it sends, and what it makes of answers. Ids, never names."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from datetime import datetime, timezone

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._command import Command, Outcome
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    CommandFailed,
    HyperVError,
    NotFound,
    OperationTimedOut,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.host_fakes import (
    VM_ID,
    ScriptedSession,
    error,
    vm_row,
)
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.test__vhdx import FIRST, SECOND, header

Answer = Callable[[tuple[Command, ...]], t.Any]


def host_with(answer: Answer) -> tuple[Host, ScriptedSession]:
    session = ScriptedSession(answer)
    return Host(t.cast(t.Any, session)), session


def answering(answers: dict[str, t.Any]) -> Answer:
    """Answers by the last cmdlet before Select-Object; a CIM class counts as a cmdlet, its filter is not looked at."""

    def answer(stages: tuple[Command, ...]) -> t.Any:
        working = [stage for stage in stages if stage.name != "Select-Object"]
        if working[0].name == "Write-Output":
            asked = [one.values["ClassName"] for one in working[0].parameters["InputObject"]]
            return [row for name in reversed(asked) for row in answers[name]]
        return answers[working[-1].name]

    return answer


def failing(*records: t.Any, objects: t.Sequence[t.Any] = ()) -> Outcome:
    return Outcome(objects=list(objects), errors=records)


# One VM


def test_a_vm_is_asked_for_by_its_id() -> None:
    host, session = host_with(answering({"Get-VM": [vm_row()]}))
    vm = host.vm(VM_ID)
    assert vm is not None and vm.name == "win11-gold"
    [(get, _select)] = session.pipelines
    assert get.parameters == {"Id": VM_ID}


NOT_FOUND_FORMS = [
    error("InvalidArgument", "InvalidParameter"),
    error("ObjectNotFound", "ObjectNotFound"),
]


@pytest.mark.parametrize("record", NOT_FOUND_FORMS)
def test_an_unknown_id_is_nothing_once_the_list_agrees(record: t.Any) -> None:
    host, session = host_with(lambda stages: failing(record) if "Id" in stages[0].parameters else [{"Id": "another"}])
    assert host.vm(VM_ID) is None
    assert len(session.pipelines) == 2


@pytest.mark.parametrize("record", NOT_FOUND_FORMS)
def test_a_vm_that_the_list_shows_is_not_taken_for_absent(record: t.Any) -> None:
    host, _session = host_with(lambda stages: failing(record) if "Id" in stages[0].parameters else [{"Id": VM_ID}])
    with pytest.raises(CommandFailed):
        host.vm(VM_ID)


@pytest.mark.parametrize("record", NOT_FOUND_FORMS)
def test_a_host_that_cannot_list_does_not_say_absent(record: t.Any) -> None:
    """ "Object not found" is also what a stopped management service, or a lack of rights, looks like."""
    host, _session = host_with(lambda _stages: failing(record))
    with pytest.raises(CommandFailed):
        host.vm(VM_ID)


def test_access_denied_is_an_error_at_once() -> None:
    host, session = host_with(lambda _stages: failing(error("PermissionDenied", "AccessDenied")))
    with pytest.raises(CommandFailed):
        host.vm(VM_ID)
    assert len(session.pipelines) == 1


@pytest.mark.parametrize("rows", [[vm_row(Id="another")], [vm_row(), vm_row()], ["text"]])
def test_another_answer_than_the_vm_is_an_error(rows: list[t.Any]) -> None:
    host, _session = host_with(answering({"Get-VM": rows}))
    with pytest.raises(HyperVError) as caught:
        host.vm(VM_ID)
    assert caught.value.code == "UNEXPECTED_ANSWER"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("gold[1]", ["b"]), ("gold*", []), ("GOLD[1]", []), ("gold1", ["a", "c"]), ("", [])],
)
def test_names_are_compared_exactly_and_never_sent(name: str, expected: list[str]) -> None:
    rows = [vm_row(Id="a", Name="gold1"), vm_row(Id="b", Name="gold[1]"), vm_row(Id="c", Name="gold1")]
    host, session = host_with(answering({"Get-VM": rows}))
    assert [vm.id for vm in host.named(name)] == expected
    assert session.pipelines[0][0].parameters == {}


# Everything about one VM

DEFINITION: dict[str, t.Any] = {
    "Get-VM": [
        vm_row(
            ProcessorCount=2,
            MemoryStartup=4 << 30,
            DynamicMemoryEnabled=False,
            MemoryMinimum=512 << 20,
            MemoryMaximum=1 << 40,
        )
    ],
    "Get-VMHardDiskDrive": [
        {
            "VMId": VM_ID,
            "Path": r"D:\VMs\gold[1].vhdx",
            "ControllerType": "SCSI",
            "ControllerNumber": 0,
            "ControllerLocation": 0,
            "DiskNumber": None,
        }
    ],
    "Get-VMFirmware": [{"SecureBoot": "On", "SecureBootTemplate": "MicrosoftWindows"}],
    "Get-VMSecurity": [{"TpmEnabled": True, "Shielded": False}],
    "Get-VMNetworkAdapter": [
        {"Name": "LAN", "SwitchName": "Production", "DynamicMacAddressEnabled": True, "IsLegacy": False}
    ],
    "Get-VMDvdDrive": [],
    "Get-VMSnapshot": [],
    "Get-VHD": [
        {
            "Path": r"D:\VMs\gold[1].vhdx",
            "VhdFormat": "VHDX",
            "VhdType": "Dynamic",
            "FileSize": 4,
            "Size": 8,
            "DiskIdentifier": "ABC",
            "ParentPath": "",
            "Attached": False,
        }
    ],
}


def test_a_definition() -> None:
    host, session = host_with(answering(DEFINITION))
    definition = host.definition(VM_ID)
    assert (definition.secure_boot, definition.secure_boot_template, definition.tpm) == (True, "MicrosoftWindows", True)
    assert definition.disk(definition.drives[0]) == definition.disks[0]
    assert definition.disks[0].identifier == "abc"
    assert len(session.pipelines) == 8
    by_id = [stages[0].parameters for stages in session.pipelines if stages[0].name == "Get-VM"]
    assert by_id == [{"Id": VM_ID}] * 7
    [disks] = [stages[0].parameters for stages in session.pipelines if stages[0].name == "Get-VHD"]
    assert disks == {"VMId": VM_ID}, "a path could be taken for a pattern"


@pytest.mark.parametrize(("changes", "asked"), [({"Generation": 1}, (0, 0)), ({"Version": "5.0"}, (1, 0))])
def test_only_what_the_vm_can_have_is_asked_for(changes: dict[str, t.Any], asked: tuple[int, int]) -> None:
    host, session = host_with(answering({**DEFINITION, "Get-VM": [{**DEFINITION["Get-VM"][0], **changes}]}))
    definition = host.definition(VM_ID)
    text = " ".join(session.names())
    assert (text.count("Get-VMFirmware"), text.count("Get-VMSecurity")) == asked
    assert definition.tpm is False


def test_a_physical_disk_is_not_asked_for_as_a_file() -> None:
    drives = [*DEFINITION["Get-VMHardDiskDrive"], {**DEFINITION["Get-VMHardDiskDrive"][0], "Path": "", "DiskNumber": 3}]
    host, session = host_with(answering({**DEFINITION, "Get-VMHardDiskDrive": drives}))
    definition = host.definition(VM_ID)
    assert definition.disk(definition.drives[1]) is None
    assert session.pipelines[-1][0].parameters == {"Path": [r"D:\VMs\gold[1].vhdx"]}


def test_a_vm_that_is_gone_has_no_definition() -> None:
    host, _session = host_with(lambda stages: failing(NOT_FOUND_FORMS[0]) if "Id" in stages[0].parameters else [])
    with pytest.raises(NotFound):
        host.definition(VM_ID)


# Disks


def disk_row(path: str) -> dict[str, t.Any]:
    return {**DEFINITION["Get-VHD"][0], "Path": path}


def entry_row(path: str) -> dict[str, t.Any]:
    return {
        "Name": "x",
        "FullName": path,
        "PSIsContainer": False,
        "Length": 5,
        "Attributes": "Archive",
        "LastWriteTimeUtc": datetime(2026, 11, 20, tzinfo=timezone.utc),
    }


def test_disks_whose_files_are_gone_are_left_out() -> None:
    missing = error("ObjectNotFound")
    host, _session = host_with(
        answering(
            {"Get-VHD": failing(error("NotSpecified"), objects=[disk_row("D:\\a.vhdx")]), "Get-Item": failing(missing)}
        )
    )
    assert [disk.path for disk in host.disks(["D:\\A.vhdx", "D:\\b.vhdx"])] == ["D:\\a.vhdx"]


@pytest.mark.parametrize(
    "get_item",
    [failing(error("ObjectNotFound"), objects=[entry_row("D:\\b.vhdx")]), failing(error("PermissionDenied"))],
)
def test_a_disk_that_is_there_and_cannot_be_read_is_an_error(get_item: Outcome) -> None:
    host, _session = host_with(
        answering({"Get-VHD": failing(error("NotSpecified"), objects=[disk_row("D:\\a.vhdx")]), "Get-Item": get_item})
    )
    with pytest.raises(CommandFailed):
        host.disks(["D:\\a.vhdx", "D:\\b.vhdx"])


def test_no_disks_are_no_question() -> None:
    host, session = host_with(answering({}))
    assert host.disks([]) == ()
    assert session.pipelines == []


@pytest.mark.parametrize(
    ("answers", "expected"), [([True], True), ([False], False), ([], False), ([True, False], False)]
)
def test_test_disk(answers: list[bool], expected: bool) -> None:
    host, _session = host_with(answering({"Test-VHD": answers}))
    assert host.test_disk("D:\\a.vhdx") is expected


def serving(data: bytes, shape: Callable[[bytes], t.Any]) -> Answer:
    """Get-Content of a file, cut as it was asked for."""

    def answer(stages: tuple[Command, ...]) -> t.Any:
        read, select = stages[0].parameters, stages[1].parameters
        count = read["ReadCount"]
        content = data[: read["TotalCount"]]
        pieces = [content[start : start + count] for start in range(0, len(content), count)]
        return [shape(pieces[index]) for index in select["Index"] if index < len(pieces)]

    return answer


def vhdx(first: bytes, second: bytes) -> bytes:
    return bytes(64 << 10) + first.ljust(64 << 10, b"\0") + second.ljust(64 << 10, b"\0") + bytes(1 << 20)


TORN = bytearray(header(99, SECOND))
TORN[100] = 1


@pytest.mark.parametrize("shape", [bytes, list])
@pytest.mark.parametrize(
    ("first", "second", "expected", "pipelines"),
    [
        (header(7, FIRST), header(8, SECOND), SECOND, 1),
        (header(9, FIRST), header(8, SECOND), FIRST, 1),
        (header(7, FIRST), bytes(TORN), FIRST, 2),
        (header(7, FIRST), b"", FIRST, 2),
        (b"", header(8, SECOND), SECOND, 2),
        (header(5, FIRST), header(8, SECOND), SECOND, 2),
    ],
)
def test_data_write_guid(
    shape: Callable[[bytes], t.Any], first: bytes, second: bytes, expected: t.Any, pipelines: int
) -> None:
    host, session = host_with(serving(vhdx(first, second), shape))
    assert host.data_write_guid("D:\\a.VHDX") == str(expected)
    assert len(session.pipelines) == pipelines
    assert session.pipelines[0][0].parameters["TotalCount"] == 131136


@pytest.mark.parametrize("data", [b"", bytes(1 << 20), vhdx(bytes(TORN), b"")])
def test_a_file_without_a_valid_header_is_an_error(data: bytes) -> None:
    host, _session = host_with(serving(data, bytes))
    with pytest.raises(HyperVError) as caught:
        host.data_write_guid("D:\\a.vhdx")
    assert caught.value.code == "VHDX_HEADER_INVALID"


def test_a_vhd_has_a_time_instead() -> None:
    host, session = host_with(answering({"Get-VHD": [disk_row("D:\\a.vhd")], "Get-Item": [entry_row("D:\\a.vhd")]}))
    [facts] = host.disk_facts(host.disks(["D:\\a.vhd"]))
    assert (facts.guid, facts.mark) == (None, "vhd 4 2026-11-20T00:00:00+00:00")
    assert "Get-Content" not in " ".join(session.names())


# The machine

SETTINGS: dict[str, t.Any] = {
    "Name": "HV01",
    "FullyQualifiedDomainName": "lab.test",
    "VirtualMachinePath": "D:\\VMs",
    "VirtualHardDiskPath": "D:\\VMs",
    "VirtualMachineMigrationEnabled": True,
    "VirtualMachineMigrationAuthenticationType": "Kerberos",
    "MaximumVirtualMachineMigrations": 2,
    "MaximumStorageMigrations": 2,
    "UseAnyNetworkForMigration": True,
}
MACHINE: dict[str, t.Any] = {
    "Win32_ComputerSystem": [{"DNSHostName": "HV01", "Domain": "lab.test", "PartOfDomain": True}],
    "Win32_ComputerSystemProduct": [{"UUID": "4C4C4544-0000"}],
    "Win32_OperatingSystem": [{"Caption": "Microsoft Windows Server 2022 Standard", "BuildNumber": "20348"}],
    "Win32_Service": [],
}


@pytest.mark.parametrize(
    ("service", "clustered"), [([], False), ([{"State": "Stopped"}], False), ([{"State": "Running"}], True)]
)
def test_computer(service: list[t.Any], clustered: bool) -> None:
    host, session = host_with(answering({**MACHINE, "Win32_Service": service}))
    computer = host.computer()
    assert (computer.identity, computer.fqdn, computer.clustered) == ("4c4c4544-0000/hv01", "HV01.lab.test", clustered)
    assert session.names() == ["Write-Output | Get-CimInstance | Select-Object"]


def test_volumes_that_are_not_mounted_are_left_out() -> None:
    rows = [
        {"Name": "C:\\", "FreeSpace": 5, "Capacity": 9, "DriveType": 3},
        {"Name": "\\\\?\\Volume{1}\\", "FreeSpace": 5, "Capacity": 9, "DriveType": 3},
        {"Name": "D:\\", "FreeSpace": None, "Capacity": None, "DriveType": 3},
    ]
    host, _session = host_with(answering({"Win32_Volume": rows}))
    assert [(volume.name, volume.free) for volume in host.volumes()] == [("C:\\", 5)]


def test_one_question_for_the_whole_machine() -> None:
    """The host may give the instances of different classes in any order; each goes where it belongs."""
    job = {"JobState": 4, "InstanceID": "j", "VirtualSystemName": VM_ID, "DestinationHost": "HV02", "ElementName": "m"}
    planned = {"EnabledState": 3, "Name": VM_ID.upper(), "ElementName": "half", "JobState": None}
    volume = {"Name": "C:\\", "FreeSpace": 5, "Capacity": 9, "DriveType": 3, "JobState": None}
    rows = {
        **MACHINE,
        **dict.fromkeys(("Get-VM", "Get-VMSwitch", "Get-VMMigrationNetwork"), ()),
        "Get-VMHost": [SETTINGS],
        "Win32_Volume": [volume],
        "Msvm_MigrationJob": [job],
        "Msvm_PlannedComputerSystem": [planned],
    }
    host, session = host_with(answering(rows))
    machine = host.survey().machine
    assert machine.computer.fqdn == "HV01.lab.test"
    assert [volume.name for volume in machine.volumes] == ["C:\\"]
    assert [(job.id, job.running) for job in machine.jobs] == [("j", True)]
    assert [(vm.id, vm.name) for vm in machine.planned_vms] == [(VM_ID, "half")]
    [question] = [stages for stages in session.pipelines if stages[0].name == "Write-Output"]
    asked = [one.values for one in question[0].parameters["InputObject"]]
    assert asked[3] == {"ClassName": "Win32_Service", "Filter": "Name='ClusSvc'"}
    assert asked[-1] == {"ClassName": "Msvm_PlannedComputerSystem", "Namespace": r"root\virtualization\v2"}


def test_what_the_host_refuses_together_is_asked_one_by_one_and_named() -> None:
    refused = failing(error("PermissionDenied"))
    host, session = host_with(answering({**everything(), "Get-VMMigrationNetwork": (), "Get-VMSwitch": refused}))
    with pytest.raises(CommandFailed):
        host.survey()
    asked_together, alone = session.names()[:5], session.names()[5:]
    assert alone == asked_together[: len(alone)]
    assert alone[-1] == "Get-VMSwitch | Select-Object"


def everything() -> dict[str, t.Any]:
    """A host with nothing on it, as a survey sees it."""
    nothing = ("Get-VM", "Get-VMSwitch", "Win32_Volume", "Msvm_MigrationJob", "Msvm_PlannedComputerSystem")
    return {**MACHINE, **dict.fromkeys(nothing, ()), "Get-VMHost": [SETTINGS]}


def test_networks_are_not_needed_where_any_may_be_used() -> None:
    refused = failing(error("ObjectNotFound", "CommandNotFoundException"))
    host, _session = host_with(answering({**everything(), "Get-VMMigrationNetwork": refused}))
    assert host.survey().migration_networks == ()
    named = {**SETTINGS, "UseAnyNetworkForMigration": False}
    host, _session = host_with(answering({**everything(), "Get-VMHost": [named], "Get-VMMigrationNetwork": refused}))
    with pytest.raises(CommandFailed):
        host.survey()


def test_what_takes_too_long_together_is_asked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    host, session = host_with(answering(everything()))

    def too_long(*_pipelines: t.Any, **_options: t.Any) -> t.NoReturn:
        raise OperationTimedOut("It did not end in time.")

    monkeypatch.setattr(session, "run_together", too_long)
    assert host.survey().settings.name == "HV01"


def test_a_glance_shows_everything_or_nothing() -> None:
    folder, baseline = "D:\\fanout\\t", "D:\\fanout\\t\\a\\baseline.json"
    disk = {
        "Path": "D:\\a.vhdx",
        "VhdFormat": "VHDX",
        "VhdType": "Dynamic",
        "FileSize": 4,
        "Size": 9,
        "Attached": False,
    }
    entry = {
        "Name": "a",
        "FullName": folder + "\\a",
        "PSIsContainer": True,
        "LastWriteTimeUtc": datetime(2026, 11, 20, tzinfo=timezone.utc),
        "Attributes": "Directory",
    }
    rows: dict[str, t.Any] = {"Get-ChildItem": [entry], "Get-VHD": [disk], "Get-Content": ["\ufeff{}"]}
    seen = host_with(answering(rows))[0].glance(folder, {VM_ID: baseline})
    assert seen is not None
    assert [one.name for one in seen.entries] == ["a"]
    assert [one.path for one in seen.disks[VM_ID]] == ["D:\\a.vhdx"]
    assert seen.texts == {baseline: "{}"}
    missing = {**rows, "Get-Content": failing(error("ObjectNotFound"))}
    assert host_with(answering(missing))[0].glance(folder, {VM_ID: baseline}) is None


def test_the_hosts_clock() -> None:
    host, session = host_with(answering({"Get-Date": ["2026-11-20T13:09:00.1234567+01:00"]}))
    assert host.now() == datetime(2026, 11, 20, 12, 9, 0, 123456, tzinfo=timezone.utc)
    assert session.pipelines[0][0].parameters == {"Format": "o"}


# Changes: what is sent, exactly


def sent(change: Callable[[Host], object]) -> list[tuple[str, dict[str, t.Any]]]:
    host, session = host_with(lambda _stages: [])
    change(host)
    [stages] = session.pipelines
    return [(stage.name, dict(stage.parameters)) for stage in stages if stage.name != "Select-Object"]


THE_VM = ("Get-VM", {"Id": VM_ID})
FOLDER = r"E:\fanout\x"
MOVE = {"DestinationHost": "hv02.lab.test", "IncludeStorage": True, "DestinationStoragePath": FOLDER}


@pytest.mark.parametrize(
    ("change", "stage"),
    [
        (lambda host: host.export_vm(VM_ID, FOLDER), ("Export-VM", {"Path": FOLDER})),
        (lambda host: host.rename_vm(VM_ID, "a*'$(x)"), ("Rename-VM", {"NewName": "a*'$(x)"})),
        (lambda host: host.set_notes(VM_ID, ""), ("Set-VM", {"Notes": ""})),
        (lambda host: host.remove_vm(VM_ID), ("Remove-VM", {"Force": True})),
        (lambda host: host.move_vm(VM_ID, "hv02.lab.test", FOLDER), ("Move-VM", MOVE)),
        (lambda host: host.compare_move(VM_ID, "hv02.lab.test", FOLDER), ("Compare-VM", MOVE)),
    ],
)
def test_changes(change: Callable[[Host], object], stage: tuple[str, dict[str, t.Any]]) -> None:
    assert sent(change) == [THE_VM, stage]


def test_an_import_puts_all_files_below_the_folder() -> None:
    host, session = host_with(answering({"New-Item": [], "Import-VM": [vm_row()]}))
    assert host.import_copy(r"D:\e\a.vmcx", FOLDER).id == VM_ID
    [[make], [work, _select]] = session.pipelines
    assert make.parameters == {"Path": FOLDER + r"\Virtual Hard Disks", "ItemType": "Directory", "Force": True}
    parameters = work.parameters
    assert parameters == {
        "Path": r"D:\e\a.vmcx",
        "Copy": True,
        "GenerateNewId": True,
        "VirtualMachinePath": FOLDER,
        "SnapshotFilePath": FOLDER,
        "SmartPagingFilePath": FOLDER,
        "VhdDestinationPath": FOLDER + r"\Virtual Hard Disks",
    }


def test_an_import_without_an_answer_is_an_error() -> None:
    host, _session = host_with(answering({"New-Item": [], "Import-VM": []}))
    with pytest.raises(HyperVError):
        host.import_copy(r"D:\e\a.vmcx", FOLDER)
