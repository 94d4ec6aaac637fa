# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CIM: classes, queries, errors, rights."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hyperv_lab.cmdlets.wql import BadQuery, parse_filter, parse_query
from hyperv_lab.config import GiB, VolumeConfig

from tests.lab.tests.model.labs import NOBODY, TEMPLATE, Model, host_config, run
from tests.lab.tests.model.shells import Records, Shell

Make = Callable[..., Model]
CLASS = "Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"
V2 = "root\\virtualization\\v2"
ROW = {"Name": "ClusSvc", "State": "Running", "Size": 5, "Free": None, "Big": True, "Path": "a\\b"}


@pytest.fixture
def shell(make: Make) -> Shell:
    return Shell(make())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Name='clussvc'", True),
        ('name = "ClusSvc" AND State <> "Stopped"', True),
        ("Name='x' OR (Size >= 5 AND NOT Size > 5)", True),
        ("Size<5 OR Size!=5", False),
        ("Size='5'", True),
        ("Big=TRUE AND Big<>false", True),
        ("Free IS NULL AND Size IS NOT NULL", True),
        ("Free > 3", False),
        ("Name LIKE 'clus%'", True),
        ("Name LIKE '_lussv[a-d]'", True),
        ("Name LIKE 'svc'", False),
        ("Path='a\\\\b'", True),
        ("NOT Name='ClusSvc'", False),
        ("Name='a' AND Name='b' OR Size=5", True),
        ("Name='a' AND (Name='b' OR Size=5)", False),
    ],
)
def test_conditions(text: str, found: bool) -> None:
    assert parse_filter(text).matches(ROW) is found


@pytest.mark.parametrize(
    "text",
    ["Name", "Name=", "Name='x", "='x'", "Name='x' AND", "(Name='x'", "Name ~ 'x'", "Name='x' Size=5", "Size='x'"],
)
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(BadQuery):
        parse_filter(text).matches(ROW)


def test_a_query() -> None:
    query = parse_query("select Name, State from Win32_Service where Name = 'vmms'")
    assert (query.class_name, query.properties) == ("Win32_Service", ("Name", "State"))
    assert parse_query("SELECT * FROM x").properties is None
    for text in ("SELECT FROM x", "SELECT * x", "DELETE * FROM x", "SELECT * FROM x WHERE"):
        with pytest.raises(BadQuery):
            parse_query(text)


def test_the_operating_system(shell: Shell) -> None:
    found = shell("Get-CimInstance", ClassName="Win32_OperatingSystem").one
    assert found.type_names[0] == "Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_OperatingSystem"
    assert "Microsoft.Management.Infrastructure.CimInstance" in found.type_names
    assert (found["Caption"], found["BuildNumber"]) == ("Microsoft Windows Server 2022 Datacenter", "20348")
    assert isinstance(found["LocalDateTime"], datetime.datetime)
    assert found["LocalDateTime"] == shell.model.clock.wall()


def test_the_computer(shell: Shell) -> None:
    computer = shell("Get-CimInstance", ClassName="Win32_ComputerSystem").one
    assert (computer["Name"], computer["DNSHostName"], computer["Domain"]) == ("HV01", "hv01", "lab.test")
    assert computer["PartOfDomain"] is True
    ids = {
        Shell(shell.model, name)("Get-CimInstance", ClassName="Win32_ComputerSystemProduct").one["UUID"]
        for name in shell.model.fabric.hosts
    }
    assert len(ids) == 3


def test_volumes_with_and_without_a_letter(make: Make) -> None:
    volumes = (VolumeConfig("C", 10 * GiB), VolumeConfig("E", 5 * GiB, used=GiB))
    shell = Shell(make(hosts=(host_config("hv01", 1, volumes=volumes),)))
    found = shell("Get-CimInstance", ClassName="Win32_Volume").objects
    assert [one["DriveLetter"] for one in found] == [None, "C:", "E:"]
    assert (found[2]["Name"], found[2]["Capacity"], found[2]["FreeSpace"]) == ("E:\\", 5 * GiB, 4 * GiB)
    assert type(found[2]["Capacity"]).__name__ == "U64"
    disks = shell("Get-CimInstance", ClassName="Win32_LogicalDisk", Filter="DriveType=3").objects
    assert [(one["DeviceID"], one["FreeSpace"]) for one in disks] == [("C:", 10 * GiB), ("E:", 4 * GiB)]
    assert shell("Get-CimInstance", ClassName="Win32_LogicalDisk", Filter="DriveType=5").one["Size"] is None


def test_services(make: Make) -> None:
    shell = Shell(make(hosts=(host_config("hv01", 1), host_config("hv02", 2, cluster_node=True))))
    cluster = {"ClassName": "Win32_Service", "Filter": "Name='ClusSvc'"}
    assert shell("Get-CimInstance", **cluster).objects == []
    assert Shell(shell.model, "hv02")("Get-CimInstance", **cluster).one["State"] == "Running"
    shell.model.host("hv01").service_running = False
    assert shell("Get-CimInstance", Query="SELECT * FROM Win32_Service WHERE Name='vmms'").one["State"] == "Stopped"


def test_only_some_properties(shell: Shell) -> None:
    some = shell("Get-CimInstance", ClassName="Win32_Service", Filter="Name='vmms'", Property=["State"]).one
    assert (some["State"], some["Name"], some["StartMode"]) == ("Running", "vmms", None)
    keys = shell("Get-CimInstance", ClassName="Win32_Service", Filter="Name='vmms'", KeyOnly=True).one
    assert (keys["Name"], keys["State"]) == ("vmms", None)


@pytest.mark.parametrize(
    ("parameters", "status", "category"),
    [
        ({"ClassName": "Win32_Nothing"}, 0x80041010, "MetadataError"),
        ({"ClassName": "Msvm_ComputerSystem"}, 0x80041010, "MetadataError"),
        ({"ClassName": "x", "Namespace": "root/none"}, 0x8004100E, "MetadataError"),
        ({"ClassName": "Win32_Service", "Filter": "Name=="}, 0x80041017, "InvalidArgument"),
        ({"ClassName": "Win32_Service", "Filter": "Nmae='x'"}, 0x80041017, "InvalidArgument"),
        ({"ClassName": "Msvm_MigrationJob", "Namespace": V2, "Filter": "Nmae='x'"}, 0x80041017, "InvalidArgument"),
        ({"Query": "SELECT"}, 0x80041017, "InvalidArgument"),
    ],
)
def test_errors(shell: Shell, parameters: dict[str, Any], status: int, category: str) -> None:
    records = shell("Get-CimInstance", **parameters)
    [error] = records.errors
    assert records.state == "Completed"
    assert error.error_id == f"HRESULT 0x{status:08x},{CLASS}"
    assert error.category == category
    assert error.exception_type == "Microsoft.Management.Infrastructure.CimException"


def test_classes_that_real_hosts_have_and_the_lab_has_not(shell: Shell) -> None:
    assert shell("Get-CimInstance", ClassName="Win32_Process").error_id == "NotSimulated"
    assert shell("Get-CimInstance", ClassName="Win32_Service", ComputerName="hv02").error_id == "NotSimulated"


@pytest.mark.parametrize("namespace", [V2, "root/virtualization/v2", "ROOT\\Virtualization\\V2"])
def test_virtual_machines(make: Make, namespace: str) -> None:
    shell = Shell(make(vm=replace(TEMPLATE, state="Running")))
    found = shell("Get-CimInstance", ClassName="Msvm_ComputerSystem", Namespace=namespace).objects
    assert [one["Caption"] for one in found] == ["Hosting Computer System", "Virtual Machine"]
    vm = shell.model.vm()
    assert (found[1]["ElementName"], found[1]["Name"], found[1]["EnabledState"]) == ("gold", vm.file_id, 2)


def test_rights_in_the_namespace_of_virtualization(make: Make) -> None:
    shell = Shell(make(), caller=NOBODY)
    records = shell("Get-CimInstance", ClassName="Msvm_ComputerSystem", Namespace=V2)
    assert records.error_id == f"HRESULT 0x80041003,{CLASS}"
    assert shell("Get-CimInstance", ClassName="Win32_ComputerSystem").one["Name"] == "HV01"


@pytest.mark.parametrize("named_by", ["id", "name"])
def test_a_migration_seen_through_cim(make: Make, named_by: str) -> None:
    model = make(rules={"move_creates_folder": True, "job_names_vm_by": named_by})
    shell, target, vm = Shell(model), Shell(model, "hv02"), model.vm()
    model.host("hv01").network.set_rate(512 * 1024)
    jobs = ("Get-CimInstance", {"ClassName": "Msvm_MigrationJob", "Namespace": V2})
    counts = ("Get-CimInstance", {"ClassName": "Msvm_VirtualSystemMigrationService", "Namespace": V2})
    planned = ("Get-CimInstance", {"ClassName": "Msvm_PlannedComputerSystem", "Namespace": V2})
    move = {"DestinationHost": "hv02", "IncludeStorage": True, "DestinationStoragePath": "C:\\T"}

    async def watch() -> Records:
        running = shell.start(("Move-VM", {"Name": "gold", **move}))
        await model.clock.sleep(0.5)
        assert (await Shell(model).send(jobs)).objects == []
        assert (await Shell(model).send(counts)).one["ActiveVirtualSystemMigrationCount"] == 1
        assert (await target.send(counts)).one["ActiveStorageMigrationCount"] == 1
        await model.clock.sleep(4)
        job = (await Shell(model).send(jobs)).one
        assert job["VirtualSystemName"] == (vm.file_id if named_by == "id" else "gold")
        assert (job["DestinationHost"], job["JobState"], job["ErrorCode"]) == ("hv02", 4, 0)
        assert 0 < job["PercentComplete"] < 100
        assert (await target.send(planned)).one["Name"] == vm.file_id
        busy = (await Shell(model).send(("Get-VM", {"Id": vm.id}))).one
        assert str(busy["SecondaryOperationalStatus"]) == "MigratingVirtualMachine"
        model.host("hv02").volumes.set_free("C", 0)
        await asyncio.wait([running])
        return await Shell(model).send(jobs)

    job = run(watch()).one
    assert (job["JobState"], job["ErrorCode"]) == (10, 32768)
    assert "0x80070070" in job["ErrorDescription"]
    assert job["TimeBeforeRemoval"] == datetime.timedelta(minutes=5)
