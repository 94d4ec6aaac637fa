# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cmdlets that change: through the engine, on the model, with progress, questions and pipelines that end early."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hyperv_lab.config import DiskConfig, MiB, VMConfig
from hyperv_lab.model import jobs, vhdx, vmcx
from hyperv_lab.model.storage import real_path

from tests.lab.tests.model.labs import KIND, Model, host_config, run
from tests.lab.tests.model.shells import Records, Shell

Make = Callable[..., Model]
CLASS = "Microsoft.HyperV.PowerShell.Commands."
STAGE = "C:\\Stage"
CLONE = "C:\\Clones\\1"


@pytest.fixture
def shell(make: Make) -> Shell:
    return Shell(make())


def vmcx_of(vm_id: uuid.UUID) -> str:
    return f"{STAGE}\\gold\\Virtual Machines\\{str(vm_id).upper()}.vmcx"


def clone_parameters(vm_id: uuid.UUID) -> dict[str, Any]:
    return {
        "Path": vmcx_of(vm_id),
        "Copy": True,
        "GenerateNewId": True,
        "VirtualMachinePath": CLONE,
        "SnapshotFilePath": CLONE,
        "SmartPagingFilePath": CLONE,
        "VhdDestinationPath": CLONE + "\\Virtual Hard Disks",
    }


def test_the_road_of_a_template(shell: Shell) -> None:
    """Export, clone, rename, stamp, move, look: by ids all the way."""
    model = shell.model
    template = model.vm()

    async def road() -> None:
        exported = await shell.send(("Get-VM", {"Id": template.id}), ("Export-VM", {"Path": STAGE}))
        assert exported.state == "Completed"
        assert not exported.objects
        assert not exported.errors
        percents = [one["percent"] for one in exported.progress_records]
        assert percents[0] == 0
        assert percents == sorted(percents)
        assert exported.progress_records[-1]["completed"]
        clone = (await shell.send(("Import-VM", clone_parameters(template.id)))).one
        assert clone["Name"] == "gold"
        by_id = ("Get-VM", {"Id": clone["Id"]})
        assert not (await shell.send(by_id, ("Rename-VM", {"NewName": "fanout-1"}))).errors
        assert not (await shell.send(by_id, ("Set-VM", {"Notes": '{"fanout": 1}\nline'}))).errors
        move = {"DestinationHost": "hv02.lab.test", "IncludeStorage": True, "DestinationStoragePath": "C:\\T"}
        moved = await shell.send(by_id, ("Move-VM", move))
        assert moved.state == "Completed"
        assert not moved.objects
        assert not moved.errors
        there = Shell(model, "hv02")
        found = (await there.send(by_id)).one
        assert (found["Name"], found["Notes"]) == ("fanout-1", '{"fanout": 1}\nline')
        assert (await there.send(("Get-VHD", {"VMId": clone["Id"]}))).one[
            "Path"
        ] == "C:\\T\\Virtual Hard Disks\\gold.vhdx"
        gone = await shell.send(by_id)
        assert gone.error_id.startswith("InvalidParameter,")

    run(road())
    assert list(model.host("hv01").vms) == [template.id]


def test_the_documented_example_that_cannot_bind(shell: Shell) -> None:
    records = shell(
        "Move-VM", Name="gold", DestinationHost="hv02", IncludeStorage=True, VirtualMachinePath="C:\\T", Vhds=[{}]
    )
    assert records.state == "Failed"
    assert records.error_id == "AmbiguousParameterSet," + CLASS + "MoveVM"


def test_errors_of_the_service_carry_their_code(shell: Shell) -> None:
    shell.model.host("hv01").settings.authentication = "CredSSP"
    shell.model.host("hv02").settings.authentication = "CredSSP"
    records = shell("Move-VM", Name="gold", DestinationHost="hv02", IncludeStorage=True, DestinationStoragePath="C:\\T")
    [error] = records.errors
    assert records.state == "Completed"
    assert error.error_id == "OperationFailed," + CLASS + "MoveVM"
    assert error.category == "NotSpecified"
    assert "(0x8009030E)." in error.message
    assert len(error.message.splitlines()) == 3


def test_set_and_rename(shell: Shell) -> None:
    vm = shell.model.vm()
    shell("Set-VM", Name="gold", Notes="", ProcessorCount=3, AutomaticStopAction="TurnOff", NewVMName="silver")
    assert (vm.name, vm.notes, vm.processors, vm.automatic.stop_action) == ("silver", "", 3, "TurnOff")
    kept = vmcx.load(shell.model.host("hv01").volumes.read(vm.system_file("vmcx")))
    assert (kept.name, kept.processors, kept.id) == ("silver", 3, vm.id)
    assert vm.disks[0].path.endswith("\\gold.vhdx")
    long = shell("Rename-VM", Name="silver", NewName="x" * 101)
    assert long.error_id == "InvalidParameter," + CLASS + "RenameVM"
    assert not shell("Rename-VM", Name="silver", NewName="x" * 100).errors
    assert shell("Rename-VM", Name="x*", NewName="gold", WhatIf=True).objects == []
    assert vm.name == "x" * 100


def test_hardware_changes_want_the_vm_to_be_off(shell: Shell) -> None:
    shell("Start-VM", Name="gold")
    records = shell("Set-VM", Name="gold", ProcessorCount=4)
    assert records.error_id == "InvalidState," + CLASS + "SetVM"
    assert records.errors[0].message.splitlines() == [
        "Modifying the properties of 'gold' failed.",
        "The operation cannot be performed while the object is in its current state.",
    ]
    assert not shell("Set-VM", Name="gold", Notes="running").errors


def test_remove_asks_and_there_is_nobody_to_ask(shell: Shell) -> None:
    vm = shell.model.vm()
    for parameters in ({}, {"Confirm": False}):
        records = shell("Remove-VM", Name="gold", **parameters)
        assert records.state == "Failed"
        assert records.error_id.endswith("," + CLASS + "RemoveVM")
        assert vm.id in shell.model.host("hv01").vms
    shell("Remove-VM", Name="gold", Force=True, WhatIf=True)
    assert vm.id in shell.model.host("hv01").vms
    assert not shell("Remove-VM", Name="gold", Force=True).errors
    assert not shell.model.host("hv01").vms
    assert shell.model.host("hv01").volumes.exists(vm.disks[0].path)


def test_confirm_false_where_that_is_enough(make: Make) -> None:
    shell = Shell(make(rules={"remove_needs_force": False}))
    shell("Remove-VM", Name="gold", Confirm=False)
    assert not shell.model.host("hv01").vms


def test_remove_wants_off_or_saved(shell: Shell) -> None:
    shell("Start-VM", Name="gold")
    assert shell("Remove-VM", Name="gold", Force=True).error_id == "InvalidState," + CLASS + "RemoveVM"
    shell("Save-VM", Name="gold")
    assert not shell("Remove-VM", Name="gold", Force=True).errors


def test_a_live_object_of_a_removed_vm(shell: Shell) -> None:
    shell("Get-VM", ("Set-Variable", {"Name": "kept"}), Name="gold")
    shell("Remove-VM", Name="gold", Force=True)
    records = shell("Get-Variable", ("Set-VM", {"Notes": "x"}), Name="kept", ValueOnly=True)
    assert records.errors[0].error_id.startswith("ObjectNotFound,")


def test_starting_writes_to_the_disk_and_only_starting_does(shell: Shell) -> None:
    host, vm = shell.model.host("hv01"), shell.model.vm()
    path = vm.disks[0].path
    before, content = vhdx.inspect(real_path(host, path)), host.volumes.read(path)
    shell("Set-VM", Name="gold", Notes="touched")
    shell("Get-VHD", Path=path)
    shell("Test-VHD", Path=path)
    assert host.volumes.read(path) == content
    assert not shell("Start-VM", Name="gold").errors
    running = shell("Get-VM").one
    assert str(running["State"]) == "Running"
    assert running["MemoryAssigned"] == running["MemoryStartup"]
    assert shell("Get-VHD", Path=path).one["Attached"] is True
    after = vhdx.inspect(real_path(host, path))
    assert after.data_write_guid != before.data_write_guid
    assert after.identifier == before.identifier
    assert host.volumes.read(path)[5 * MiB - 512 :] != content[5 * MiB - 512 :]
    assert vm.adapters[0].mac != "000000000000"
    assert shell("Start-VM", Name="gold").warnings == [
        "warning: The virtual machine is already in the specified state."
    ]
    shell("Stop-VM", Name="gold", TurnOff=True)
    assert str(shell("Get-VM").one["State"]) == "Off"
    assert vhdx.inspect(real_path(host, path)).data_write_guid == after.data_write_guid


@pytest.mark.parametrize("started", [True, False])
def test_a_checkpoint_and_its_merge(shell: Shell, started: bool) -> None:
    host, vm = shell.model.host("hv01"), shell.model.vm()
    base = vm.disks[0].path
    before = vhdx.inspect(real_path(host, base))

    async def life() -> Records:
        assert (await shell.send(("Checkpoint-VM", {"Name": "gold", "SnapshotName": "s", "Passthru": True}))).one[
            "Name"
        ] == "s"
        child = vm.disks[0].path
        assert child.endswith(".avhdx")
        assert (await shell.send(("Test-VHD", {"Path": child}))).one is True
        if started:
            await shell.send(("Start-VM", {"Name": "gold"}))
            await shell.send(("Stop-VM", {"Name": "gold", "TurnOff": True}))
        assert not (await shell.send(("Remove-VMSnapshot", {"VMName": "gold"}))).errors
        assert vm.activity == "MergingDisks"
        busy = await shell.send(("Export-VM", {"Name": "gold", "Path": STAGE}))
        await shell.model.clock.sleep(5)
        assert not host.volumes.exists(child)
        return busy

    busy = run(life())
    assert busy.error_id == "InvalidState," + CLASS + "ExportVM"
    assert vm.activity is None
    assert vm.disks[0].path == base
    changed = vhdx.inspect(real_path(host, base)).data_write_guid != before.data_write_guid
    assert changed is started


def test_a_parent_that_changed_under_its_child(shell: Shell) -> None:
    host, vm = shell.model.host("hv01"), shell.model.vm()
    base = vm.disks[0].path
    shell("Checkpoint-VM", Name="gold")
    vhdx.set_data_write_guid(real_path(host, base))
    assert shell("Test-VHD", Path=vm.disks[0].path).one is False
    assert shell("Start-VM", Name="gold").errors[0].error_id.startswith("OperationFailed,")


def test_import_reports_and_mends(make: Make) -> None:
    """Compare-VM lists what is wrong, the report stays in the runspace, Import-VM goes on from it."""
    shell = Shell(make())
    host, template = shell.model.host("hv01"), shell.model.vm()

    async def mend() -> Any:
        await shell.send(("Export-VM", {"Name": "gold", "Path": STAGE}))
        host.switches.clear()
        await shell.model.clock.sleep(5)
        refused = await shell.send(("Import-VM", clone_parameters(template.id)))
        assert refused.error_id == "OperationFailed," + CLASS + "ImportVM"
        assert refused.errors[0].category == "InvalidOperation"
        await shell.send(("Compare-VM", clone_parameters(template.id)), ("Set-Variable", {"Name": "report"}))
        kept = ("Get-Variable", {"Name": "report", "ValueOnly": True})
        listed = ("Select-Object", {"ExpandProperty": "Incompatibilities"})
        incompatibility = (await shell.send(kept, listed)).one
        assert incompatibility["MessageId"] == 33012
        assert incompatibility["Message"] == "Could not find Ethernet switch 'Production'."
        source = ("Select-Object", {"ExpandProperty": "Source"})
        assert not (await shell.send(kept, listed, source, ("Disconnect-VMNetworkAdapter", {}))).errors
        assert (await shell.send(kept, listed)).objects  # the old report's list does not shrink
        again = await shell.send(kept, ("Compare-VM", {}))
        assert list(again.one["Incompatibilities"]) == []
        return (await shell.send(kept, ("Compare-VM", {}), ("Import-VM", {}))).one

    assert run(mend())["NetworkAdapters"][0]["Connected"] is False


def test_compare_move(shell: Shell) -> None:
    bad = shell(
        "Compare-VM", Name="gold", DestinationHost="hv03", IncludeStorage=True, DestinationStoragePath="C:\\T"
    ).one
    assert str(bad["OperationType"]) == "MoveVirtualMachineAndStorage"
    assert bad["Incompatibilities"][0]["MessageId"] == 33012
    good = shell(
        "Compare-VM", Name="gold", DestinationHost="hv02", IncludeStorage=True, DestinationStoragePath="C:\\T"
    ).one
    assert list(good["Incompatibilities"]) == []


@pytest.mark.parametrize(
    ("reason", "rules", "goes_on"),
    [
        ("stopped", {}, False),
        ("stopped", {"stop_cancels_work": False}, True),
        ("shell lost: idle for too long", {}, True),
        ("shell lost: idle for too long", {"lost_shell_cancels_work": True}, False),
    ],
)
def test_a_pipeline_that_ends_early(make: Make, reason: str, rules: dict[str, bool], goes_on: bool) -> None:
    model = make(rules=KIND | rules)
    shell, source, vm = Shell(model), model.host("hv01"), model.vm()
    move = {"Name": "gold", "DestinationHost": "hv02", "IncludeStorage": True, "DestinationStoragePath": "C:\\T"}

    async def end_early() -> None:
        running = shell.start(("Move-VM", move))
        await model.clock.sleep(0.2)
        assert source.jobs.running(jobs.MIGRATION)
        running.cancel(reason)
        with pytest.raises(asyncio.CancelledError):
            await running
        await model.clock.sleep(60)

    run(end_early())
    assert not source.jobs.running(jobs.MIGRATION)
    assert (vm.id in model.host("hv02").vms) is goes_on
    assert (vm.id in source.vms) is not goes_on
    assert vm.activity is None


def test_the_call_log_tells_writes_from_looks(shell: Shell) -> None:
    shell("Get-VM", Name="gold")
    shell("Set-VM", Name="gold", Notes="x")
    shell("Set-VM", Name="none", Notes="x")
    calls = list(shell.model.host("hv01").calls)
    assert [(call.command, call.writes) for call in calls] == [("Get-VM", False), ("Set-VM", True), ("Set-VM", True)]
    assert calls[1].parameters == {"Name": ["gold"], "Notes": "x"}
    assert calls[2].error == "ObjectNotFound," + CLASS + "SetVM"


def test_a_configuration_that_does_not_fit_any_more(shell: Shell) -> None:
    host, vm = shell.model.host("hv01"), shell.model.vm()
    host.volumes.set_free("C", 0)
    before = host.volumes.read(vm.system_file("vmcx"))
    notes = "".join(chr(0x4E00 + number * 7 % 20000) for number in range(9000))
    records = shell("Set-VM", Name="gold", Notes=notes, NewVMName="silver")
    assert records.error_id == "OperationFailed," + CLASS + "SetVM"
    assert "(0x80070070)." in records.errors[0].message
    assert (vm.notes, vm.name) == ("", "gold")
    assert host.volumes.read(vm.system_file("vmcx")) == before
    assert not shell("Rename-VM", Name="gold", NewName="silver").errors


def test_no_checkpoint_of_a_broken_disk(shell: Shell) -> None:
    host, vm = shell.model.host("hv01"), shell.model.vm()
    host.volumes.write(vm.disks[0].path, b"broken")
    assert "0xC03A0005" in shell("Checkpoint-VM", Name="gold").errors[0].message
    assert not vm.checkpoints


def test_two_exports_side_by_side_share_the_disk(make: Make) -> None:
    disk = DiskConfig(size=16 * MiB)
    vms = tuple(VMConfig(name, disks=(disk,)) for name in ("one", "two"))
    model = make(hosts=(host_config("hv01", 1, vms=vms),))
    shell, other = Shell(model), Shell(model)

    async def both() -> None:
        await asyncio.gather(
            shell.send(("Export-VM", {"Name": "one", "Path": STAGE})),
            other.send(("Export-VM", {"Name": "two", "Path": STAGE})),
        )

    run(both())
    host = model.host("hv01")
    size = host.volumes.size(model.vm(name="one").disks[0].path)
    assert model.clock.now() == pytest.approx(2 * size * 2 / (100 * MiB), rel=0.1)
    assert host.volumes.listdir(STAGE) == ["one", "two"]
