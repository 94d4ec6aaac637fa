# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody has proved: both behaviours of each switch, seen through cmdlets."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hyperv_lab.config import MiB, VMConfig
from hyperv_lab.model import provision
from hyperv_lab.model.vm import BACKING_UP, EXPORTING, MIGRATING

from tests.lab.tests.model.labs import DISK, KIND, Model, run
from tests.lab.tests.model.shells import Records, Shell

Make = Callable[..., Model]
CLASS = "Microsoft.HyperV.PowerShell.Commands."
MOVE = {"DestinationHost": "hv02", "IncludeStorage": True, "DestinationStoragePath": "C:\\T"}


def shell_with(make: Make, host: str = "hv01", **rules: Any) -> Shell:
    return Shell(make(rules=KIND | rules), host)


def told(records: Records) -> tuple[str, str, str]:
    """The one error's id without its class, its category, and the state in which the pipeline ended."""
    assert len(records.errors) == 1, records.errors
    identifier, _, _ = records.errors[0].error_id.partition(",")
    return identifier, records.errors[0].category, records.state


def export_and_import(shell: Shell, **more: Any) -> Any:
    """The copy of the template that an import with a new id makes, as an object."""
    template = shell.model.vm()

    async def both() -> Records:
        assert not (await shell.send(("Export-VM", {"Name": "gold", "Path": "C:\\Stage"}))).errors
        path = f"C:\\Stage\\gold\\Virtual Machines\\{template.file_id}.vmcx"
        return await shell.send(("Import-VM", {"Path": path, "Copy": True, "GenerateNewId": True, **more}))

    return run(both()).one


@pytest.mark.parametrize(("end", "state"), [(False, "Completed"), (True, "Failed")])
@pytest.mark.parametrize(
    ("command", "parameters"),
    [
        ("Get-VM", {"Name": "none"}),
        ("Get-VM", {"Id": uuid.UUID(int=7)}),
        ("Set-VM", {"Name": "none", "Notes": ""}),
        ("Export-VM", {"Name": "gold", "Path": "Z:\\missing"}),
    ],
)
def test_errors_may_end_their_pipeline(
    make: Make, end: bool, state: str, command: str, parameters: dict[str, Any]
) -> None:
    records = shell_with(make, errors_end_pipeline=end)(command, **parameters)
    assert told(records)[2] == state


@pytest.mark.parametrize("command", ["Get-VM", "Export-VM"])
@pytest.mark.parametrize("is_error", [False, True])
def test_a_pattern_that_nothing_matches(make: Make, is_error: bool, command: str) -> None:
    shell = shell_with(make, unmatched_pattern_is_error=is_error)
    more = {"Path": "C:\\Stage"} if command == "Export-VM" else {}
    records = shell(command, Name="none*", **more)
    assert (records.objects, bool(records.errors)) == ([], is_error)
    assert len(shell("Get-VM", Name="g*").objects) == 1


@pytest.mark.parametrize(
    ("error", "category"), [("InvalidParameter", "InvalidArgument"), ("ObjectNotFound", "ObjectNotFound")]
)
def test_an_unknown_id(make: Make, error: str, category: str) -> None:
    shell = shell_with(make, unknown_id_error=error)
    assert told(shell("Get-VM", Id=uuid.UUID(int=7)))[:2] == (error, category)


@pytest.mark.parametrize(
    ("error", "category"), [("InvalidState", "InvalidOperation"), ("OperationFailed", "NotSpecified")]
)
@pytest.mark.parametrize("activity", [EXPORTING, MIGRATING, BACKING_UP])
@pytest.mark.parametrize(
    ("command", "parameters"),
    [
        ("Export-VM", {"Path": "C:\\Stage"}),
        ("Move-VM", MOVE),
        ("Set-VM", {"Notes": "x"}),
        ("Rename-VM", {"NewName": "x"}),
        ("Remove-VM", {"Force": True}),
        ("Start-VM", {}),
        ("Checkpoint-VM", {}),
    ],
)
def test_one_thing_at_a_time(
    make: Make, activity: str, error: str, category: str, command: str, parameters: dict[str, Any]
) -> None:
    """What is exported, moved or backed up is left alone by everything else."""
    shell = shell_with(make, busy_error=error)
    vm = shell.model.vm()
    vm.activity = activity
    assert told(shell(command, Name="gold", **parameters))[:2] == (error, category)
    assert vm.activity == activity
    assert shell.model.host("hv01").vms[vm.id] is vm


@pytest.mark.parametrize("category", ["NotSpecified", "InvalidOperation"])
def test_the_category_of_a_failed_move(make: Make, category: str) -> None:
    shell = shell_with(make, move_error_category=category)
    shell.model.host("hv02").listening = False
    assert told(shell("Move-VM", Name="gold", **MOVE))[:2] == ("OperationFailed", category)


@pytest.mark.parametrize(("keeps", "state"), [(True, "Off"), (False, "Other")])
def test_the_state_of_a_busy_vm(make: Make, keeps: bool, state: str) -> None:
    shell = shell_with(make, busy_keeps_state=keeps)
    shell.model.vm().activity = EXPORTING
    assert str(shell("Get-VM").one["State"]) == state


@pytest.mark.parametrize(("says", "statuses"), [(True, ["InService", BACKING_UP]), (False, ["InService"])])
def test_a_vm_that_is_backed_up(make: Make, says: bool, statuses: list[str]) -> None:
    shell = shell_with(make, backup_says_so=says)
    shell.model.vm().activity = BACKING_UP
    found = shell("Get-VM").one
    assert [str(one) for one in found["OperationalStatus"]] == statuses
    assert str(found["PrimaryOperationalStatus"]) == "InService"
    assert (found["SecondaryOperationalStatus"] is None) is not says


@pytest.mark.parametrize(("parent", "below"), [(True, ""), (False, "\\Virtual Machines")])
def test_the_path_of_a_vm(make: Make, parent: bool, below: str) -> None:
    shell = shell_with(make, path_is_parent_folder=parent)
    found = shell("Get-VM").one
    assert found["Path"] == found["ConfigurationLocation"] == shell.model.vm().path + below


@pytest.mark.parametrize(("as_named", "below"), [(True, ""), (False, "\\Virtual Hard Disks")])
def test_where_an_import_puts_disks(make: Make, as_named: bool, below: str) -> None:
    shell = shell_with(make, import_vhd_folder_as_named=as_named)
    copy = export_and_import(shell, VirtualMachinePath="C:\\V", VhdDestinationPath="C:\\D")
    (disk,) = shell("Get-VHD", VMId=copy["Id"]).objects
    assert disk["Path"] == f"C:\\D{below}\\gold.vhdx"


@pytest.mark.parametrize(("survive", "notes"), [(True, "mine"), (False, "")])
def test_notes_of_an_import(make: Make, survive: bool, notes: str) -> None:
    shell = shell_with(make, notes_survive_import=survive)
    shell("Set-VM", Name="gold", Notes="mine")
    assert export_and_import(shell, VhdDestinationPath="C:\\D")["Notes"] == notes
    assert shell("Get-VM", Id=shell.model.vm().id).one["Notes"] == "mine"


@pytest.mark.parametrize(("subfolders", "below"), [(True, "\\Virtual Hard Disks"), (False, "")])
def test_where_a_move_puts_disks(make: Make, subfolders: bool, below: str) -> None:
    shell = shell_with(make, move_uses_subfolders=subfolders)
    assert not shell("Move-VM", Name="gold", **MOVE).errors
    assert shell.model.vm("hv02").disks[0].path == f"C:\\T{below}\\gold.vhdx"


@pytest.mark.parametrize("repeat", [True, False])
def test_names_that_are_there_already(make: Make, repeat: bool) -> None:
    shell = shell_with(make, names_may_repeat=repeat)
    for host, name in (("hv01", "other"), ("hv02", "gold")):
        provision.add_vm(shell.model.host(host), VMConfig(name, disks=(DISK,)))
    renamed = shell("Rename-VM", Name="other", NewName="gold")
    assert bool(renamed.errors) is not repeat
    shell("Get-VM", ("Rename-VM", {"NewName": "one"}), Id=shell.model.vm().id)
    provision.add_vm(shell.model.host("hv02"), VMConfig("one", disks=(DISK,)))
    assert bool(shell("Move-VM", Name="one", **MOVE).errors) is not repeat
    assert not [host.planned for host in shell.model.fabric.hosts.values() if host.planned]


@pytest.mark.parametrize("count", [False, True])
def test_whether_exports_count(make: Make, count: bool) -> None:
    shell = shell_with(make, exports_count_as_storage_migrations=count)
    host = shell.model.host("hv01")
    host.settings.maximum_storage_migrations = 1
    provision.add_vm(host, VMConfig("other", disks=(DISK,)))

    async def both() -> tuple[Records, Records, Records]:
        first = shell.start(("Export-VM", {"Name": "gold", "Path": "C:\\Stage"}))
        await shell.model.clock.sleep(0.01)
        second = await shell.send(("Export-VM", {"Name": "other", "Path": "C:\\Stage"}))
        third = await shell.send(("Move-VM", {"Name": "other", **MOVE}))
        return await first, second, third

    first, second, third = run(both())
    assert not first.errors
    assert [bool(second.errors), bool(third.errors)] == [count, count]
    assert "limit" in "".join(error.message for error in third.errors) or not count


@pytest.mark.parametrize("wants_off", [True, False])
def test_removing_a_vm_that_runs(make: Make, wants_off: bool) -> None:
    shell = shell_with(make, remove_wants_off=wants_off)
    shell("Start-VM", Name="gold")
    records = shell("Remove-VM", Name="gold", Force=True)
    assert bool(records.errors) is wants_off
    assert bool(shell.model.host("hv01").vms) is wants_off


@pytest.mark.parametrize("leaves", [True, False])
def test_folders_of_a_removed_vm(make: Make, leaves: bool) -> None:
    shell = shell_with(make, remove_leaves_folders=leaves)
    host, vm = shell.model.host("hv01"), shell.model.vm()
    assert not shell("Remove-VM", Name="gold", Force=True).errors
    assert host.volumes.exists(vm.configuration_folder) is leaves
    assert host.volumes.exists(vm.disks[0].path)


@pytest.mark.parametrize("stays", [True, False])
def test_what_a_stopped_move_leaves(make: Make, stays: bool) -> None:
    shell = shell_with(make, move_failure_leaves_files=stays, move_failure_leaves_planned_vm=stays)
    source, target, vm = shell.model.host("hv01"), shell.model.host("hv02"), shell.model.vm()

    async def stop() -> None:
        running = shell.start(("Move-VM", {"Name": "gold", **MOVE}))
        await shell.model.clock.sleep(0.2)
        running.cancel("stopped")
        await asyncio.wait([running])
        await shell.model.clock.sleep(5)

    run(stop())
    assert source.vms[vm.id] is vm
    assert source.volumes.exists(vm.disks[0].path)
    assert target.volumes.exists("C:\\T\\Virtual Hard Disks\\gold.vhdx") is stays
    assert (vm.id in target.planned) is stays
    assert [job.state for job in source.jobs.all()] == ["terminated"]


@pytest.mark.parametrize("stays", [True, False])
def test_what_a_stopped_export_leaves(make: Make, stays: bool) -> None:
    shell = shell_with(make, export_failure_leaves_files=stays)
    host = shell.model.host("hv01")
    host.disk.set_rate(MiB)

    async def stop() -> None:
        running = shell.start(("Export-VM", {"Name": "gold", "Path": "C:\\Stage"}))
        await shell.model.clock.sleep(1)
        running.cancel("stopped")
        await asyncio.wait([running])
        await shell.model.clock.sleep(5)

    run(stop())
    assert host.volumes.exists("C:\\Stage\\gold\\Virtual Hard Disks\\gold.vhdx") is stays
    assert shell.model.vm().activity is None


def test_a_saved_vm_moves_as_it_is(make: Make) -> None:
    shell = shell_with(make)
    shell("Start-VM", Name="gold")
    mac = shell.model.vm().adapters[0].mac
    shell("Save-VM", Name="gold")
    assert not shell("Move-VM", Name="gold", **MOVE).errors
    arrived = shell.model.vm("hv02")
    assert (arrived.state, arrived.adapters[0].mac) == ("Saved", mac)
    assert told(Shell(shell.model, "hv02")("Set-VM", Name="gold", ProcessorCount=2))[0] == "InvalidState"
