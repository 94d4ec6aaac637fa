# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export and import: what lies where afterwards, and what stays when it breaks off."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

import pytest
from hyperv_lab.config import DiskConfig, MiB, VMConfig
from hyperv_lab.model import jobs, vhdx
from hyperv_lab.model.failures import Failure
from hyperv_lab.model.files import FileError
from hyperv_lab.model.operations import checkpoints, lifecycle
from hyperv_lab.model.operations.export import export_vm
from hyperv_lab.model.operations.importing import COPY, ImportRequest, compare_import, import_vm
from hyperv_lab.model.storage import join, real_path
from hyperv_lab.model.vm import VirtualMachine

from tests.lab.tests.model.labs import DISK, KIND, TEMPLATE, Model, host_config, run

Make = Callable[..., Model]
STAGE = "C:\\Stage"
BIG = VMConfig("gold", switch="Production", disks=(DiskConfig(size=64 * MiB),))
CLONE = "C:\\Clones\\1"


def fails(work: Callable[[], object]) -> Failure:
    with pytest.raises(Failure) as caught:
        work()
    return caught.value


def copy_of(vm: VirtualMachine, folder: str = CLONE) -> ImportRequest:
    return ImportRequest(
        join(STAGE, vm.name, "Virtual Machines", vm.file_id + ".vmcx"),
        COPY,
        new_id=True,
        vm_path=folder,
        vhd_path=join(folder, "Virtual Hard Disks"),
        snapshot_path=folder,
        paging_path=folder,
    )


async def exported(model: Model, name: str = "gold") -> VirtualMachine:
    vm = model.vm(name=name)
    await export_vm(model.host("hv01"), vm, STAGE)
    await model.clock.sleep(10)
    return vm


def test_export_lays_out_the_three_folders(make: Make) -> None:
    model = make()
    host, vm = model.host("hv01"), model.vm()
    seen: list[int] = []
    run(export_vm(host, vm, STAGE, tell=seen.append))
    root = join(STAGE, "gold")
    assert host.volumes.listdir(root) == ["Snapshots", "Virtual Hard Disks", "Virtual Machines"]
    assert host.volumes.listdir(join(root, "Virtual Machines")) == [
        f"{vm.file_id}.{one}" for one in ("vmcx", "vmgs", "vmrs")
    ]
    disk = join(root, "Virtual Hard Disks", "gold.vhdx")
    assert host.volumes.read(disk) == host.volumes.read(vm.disks[0].path)
    assert seen == sorted(seen)
    assert seen[-1] == 99
    assert model.clock.now() > 0
    assert vm.activity is None
    [job] = host.jobs.all()
    assert (job.kind, job.state, job.percent) == (jobs.EXPORT, jobs.COMPLETED, 100)
    assert vm.id in host.vms


def test_export_is_paced_by_the_disk(make: Make) -> None:
    model = make(vm=BIG, hosts=(host_config("hv01", 1, vms=(BIG,)),))
    size = model.host("hv01").volumes.size(model.vm().disks[0].path)
    run(export_vm(model.host("hv01"), model.vm(), STAGE))
    assert model.clock.now() == pytest.approx(size * 2 / (100 * MiB), rel=0.05)


def test_export_into_a_folder_that_is_there(make: Make) -> None:
    model = make()
    host, vm = model.host("hv01"), model.vm()
    host.volumes.mkdir(join(STAGE, "gold"), parents=True)
    failure = fails(lambda: run(export_vm(host, vm, STAGE)))
    assert failure.hresult == 0x80070050
    assert (failure.identifier, failure.category) == ("OperationFailed", "NotSpecified")
    assert host.volumes.listdir(join(STAGE, "gold")) == []
    model.fabric.set_rules(export_into_existing_folder=True)
    run(export_vm(host, vm, STAGE))
    failure = fails(lambda: run(export_vm(host, vm, STAGE)))
    assert "The file exists. (0x80070050)." in failure.message
    assert failure.lines[0] == "Failed to copy file during export."


def test_export_to_a_missing_folder_a_missing_drive_or_a_share(make: Make) -> None:
    model = make(rules={})
    host, vm = model.host("hv01"), model.vm()
    assert fails(lambda: run(export_vm(host, vm, STAGE))).hresult == 0x80070003
    assert fails(lambda: run(export_vm(host, vm, "Q:\\x"))).hresult == 0x80070003
    assert fails(lambda: run(export_vm(host, vm, "\\\\server\\share"))).hresult == 0x80070005
    assert fails(lambda: run(export_vm(host, vm, "relative"))).identifier == "InvalidParameter"
    model.fabric.set_rules(export_creates_path=True)
    assert fails(lambda: run(export_vm(host, vm, "Q:\\x"))).hresult == 0x80070003
    run(export_vm(host, vm, STAGE))


@pytest.mark.parametrize("name", ["a:b", "a*", "x?", 'say "hi"', "a<b", "a|b", "a\\b", "a/b", "dot."])
def test_a_name_that_cannot_be_a_folder(make: Make, name: str) -> None:
    model = make(vm=VMConfig(name, disks=(DISK,)))
    failure = fails(lambda: run(export_vm(model.host("hv01"), model.vm(name=name), STAGE)))
    assert failure.hresult == 0x8007007B


@pytest.mark.parametrize("stays", [True, False])
def test_a_full_disk_leaves_half_an_export(make: Make, stays: bool) -> None:
    model = make(rules=KIND | {"export_failure_leaves_files": stays})
    host, vm = model.host("hv01"), model.vm()
    size = host.volumes.size(vm.disks[0].path)
    host.volumes.set_free("C", size // 2 + 512 * 1024)
    failure = fails(lambda: run(export_vm(host, vm, STAGE)))
    assert failure.hresult == 0x80070070
    assert "There is not enough space on the disk. (0x80070070)." in failure.message
    part = join(STAGE, "gold", "Virtual Hard Disks", "gold.vhdx")
    assert host.volumes.exists(part) is stays
    if stays:
        assert 0 < host.volumes.size(part) < size
    assert host.volumes.is_dir(join(STAGE, "gold"))
    assert vm.activity is None
    assert host.jobs.all()[0].state == jobs.EXCEPTION


def test_a_missing_disk(make: Make) -> None:
    model = make()
    host, vm = model.host("hv01"), model.vm()
    host.volumes.remove(vm.disks[0].path)
    failure = fails(lambda: run(export_vm(host, vm, STAGE)))
    assert failure.hresult == 0x80070002
    assert failure.lines[:2] == (
        "An error occurred while attempting to export the virtual machine.",
        "gold failed to export.",
    )


def test_one_thing_at_a_time_per_vm(make: Make) -> None:
    model = make()
    host, vm = model.host("hv01"), model.vm()

    async def both() -> Failure:
        first = asyncio.ensure_future(export_vm(host, vm, STAGE))
        await model.clock.sleep(0.01)
        assert vm.activity == "ExportingVirtualMachine"
        with pytest.raises(Failure) as second:
            await export_vm(host, vm, "C:\\Other")
        with pytest.raises(Failure) as third:
            lifecycle.rename_vm(host, vm, "new")
        assert third.value.identifier == "InvalidState"
        await first
        return second.value

    failure = run(both())
    assert (failure.identifier, failure.category) == ("InvalidState", "InvalidOperation")
    assert vm.name == "gold"


def test_files_are_locked_while_they_are_copied(make: Make) -> None:
    model = make()
    host, vm = model.host("hv01"), model.vm()
    target = join(STAGE, "gold", "Virtual Hard Disks", "gold.vhdx")

    async def look() -> None:
        first = asyncio.ensure_future(export_vm(host, vm, STAGE))
        await model.clock.sleep(0.01)
        for touch in (host.volumes.read, host.volumes.remove):
            with pytest.raises(FileError) as caught:
                touch(target)
            assert caught.value.hresult == 0x80070020
        with pytest.raises(FileError):
            host.volumes.remove(vm.disks[0].path)
        await first
        with pytest.raises(FileError):
            host.volumes.remove(target)  # for a moment somebody still holds it
        await model.clock.sleep(5)
        host.volumes.remove(target)

    run(look())


def test_a_cancelled_export_leaves_its_part(make: Make) -> None:
    model = make()
    host, vm = model.host("hv01"), model.vm()

    async def cancel() -> None:
        work = asyncio.ensure_future(export_vm(host, vm, STAGE))
        await model.clock.sleep(0.02)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    run(cancel())
    assert host.jobs.all()[0].state == jobs.TERMINATED
    assert vm.activity is None
    part = join(STAGE, "gold", "Virtual Hard Disks", "gold.vhdx")
    assert host.volumes.size(part) < host.volumes.size(vm.disks[0].path)


def test_import_as_a_copy_with_a_new_id(make: Make) -> None:
    model = make(
        vm=VMConfig("gold", switch="Production", disks=(DISK,), notes="a note", static_mac="00:15:5D:01:02:03")
    )
    host = model.host("hv01")

    async def clone() -> tuple[VirtualMachine, VirtualMachine]:
        vm = await exported(model)
        return vm, await import_vm(host, copy_of(vm))

    vm, new = run(clone())
    assert new.id != vm.id
    assert host.vms[new.id] is new
    assert (new.name, new.notes, new.state) == ("gold", "a note", "Off")
    assert new.adapters[0].mac == "00155D010203"
    assert new.adapters[0].switch == "Production"
    assert new.disks[0].path == CLONE + "\\Virtual Hard Disks\\gold.vhdx"
    assert host.volumes.exists(f"{CLONE}\\Virtual Machines\\{new.file_id}.vmcx")
    assert host.volumes.read(new.disks[0].path) == host.volumes.read(vm.disks[0].path)
    assert not host.planned


def test_a_copy_into_the_same_folder_again(make: Make) -> None:
    model = make()
    host = model.host("hv01")

    async def twice() -> Failure:
        vm = await exported(model)
        await import_vm(host, copy_of(vm))
        with pytest.raises(Failure) as caught:
            await import_vm(host, copy_of(vm))
        return caught.value

    failure = run(twice())
    assert failure.hresult == 0x80070050
    assert len(host.vms) == 2


def test_the_same_id_is_refused_and_free_after_removal(make: Make) -> None:
    model = make()
    host = model.host("hv01")

    async def restore() -> VirtualMachine:
        vm = await exported(model)
        request = ImportRequest(copy_of(vm).path)
        for one in (request, ImportRequest(request.path, COPY, vhd_path="C:\\Restored")):
            with pytest.raises(Failure) as caught:
                await import_vm(host, one)
            assert "same identifier already exists" in caught.value.message
        await lifecycle.remove_vm(host, vm)
        return await import_vm(host, request)

    vm = run(restore())
    assert vm.path == join(STAGE, "gold")
    assert vm.disks[0].path == join(STAGE, "gold", "Virtual Hard Disks", "gold.vhdx")


def test_incompatibilities_are_listed_and_refuse_the_import(make: Make) -> None:
    model = make(vm=VMConfig("gold", switch="Production", disks=(DISK,), iso="C:\\iso\\win.iso"))
    host = model.host("hv01")

    async def compare() -> list[int]:
        vm = await exported(model)
        host.switches.clear()
        host.volumes.remove(join(STAGE, "gold", "Virtual Hard Disks", "gold.vhdx"))
        host.volumes.remove(vm.disks[0].path)
        report = compare_import(host, copy_of(vm))
        with pytest.raises(Failure) as caught:
            await import_vm(host, copy_of(vm))
        assert caught.value.category == "InvalidOperation"
        assert caught.value.message == (
            "Unable to import virtual machine due to configuration errors.  "
            "Please use Compare-VM to repair the virtual machine."
        )
        return [one.message_id for one in report.incompatibilities]

    assert run(compare()) == [33012, 40010, 40010]


def test_what_is_no_definition(make: Make) -> None:
    model = make(hosts=(host_config("hv01", 1, vms=(TEMPLATE,)), host_config("hv02", 2, version=2016)))
    host, old = model.host("hv01"), model.host("hv02")

    async def attempts() -> list[Failure]:
        vm = await exported(model)
        path = copy_of(vm).path
        host.volumes.write(join(STAGE, "broken.vmcx"), host.volumes.read(path)[:100])
        old.volumes.mkdir(STAGE)
        old.volumes.write(join(STAGE, "new.vmcx"), host.volumes.read(path))
        found = []
        for where, file in (
            (host, join(STAGE, "gold")),
            (host, join(STAGE, "none.vmcx")),
            (host, join(STAGE, "broken.vmcx")),
            (old, join(STAGE, "new.vmcx")),
        ):
            with pytest.raises(Failure) as caught:
                await import_vm(where, ImportRequest(file))
            found.append(caught.value)
        return found

    folder, nothing, broken, newer = run(attempts())
    assert folder.identifier == nothing.identifier == "ObjectNotFound"
    assert broken.hresult == 0x80070057
    assert "'32784'" in newer.message


def test_two_imports_of_one_definition(make: Make) -> None:
    model = make()
    host = model.host("hv01")

    async def both() -> Failure:
        vm = await exported(model)
        first = asyncio.ensure_future(import_vm(host, copy_of(vm, "C:\\A")))
        await model.clock.sleep(0.01)
        with pytest.raises(Failure) as caught:
            await import_vm(host, copy_of(vm, "C:\\B"))
        await first
        model.fabric.set_rules(import_locks_definition=False)
        await asyncio.gather(import_vm(host, copy_of(vm, "C:\\B")), import_vm(host, copy_of(vm, "C:\\D")))
        return caught.value

    assert run(both()).hresult == 0x80070020
    assert len(host.vms) == 4


def test_a_full_disk_leaves_part_of_a_copy_and_no_vm(make: Make) -> None:
    model = make()
    host = model.host("hv01")

    async def clone() -> Failure:
        vm = await exported(model)
        host.volumes.set_free("C", MiB)
        with pytest.raises(Failure) as caught:
            await import_vm(host, copy_of(vm))
        return caught.value

    assert run(clone()).hresult == 0x80070070
    assert len(host.vms) == 1
    assert not host.planned
    assert host.volumes.exists(CLONE + "\\Virtual Hard Disks\\gold.vhdx")


def test_named_folders_are_not_made_by_the_strict_lab(make: Make) -> None:
    model = make(rules={"export_creates_path": True})

    async def clone() -> Failure:
        vm = await exported(model)
        with pytest.raises(Failure) as caught:
            await import_vm(model.host("hv01"), copy_of(vm))
        return caught.value

    assert run(clone()).hresult == 0x80070003


def test_checkpoints_travel_with_their_chain(make: Make) -> None:
    model = make()
    host = model.host("hv01")

    async def clone() -> VirtualMachine:
        vm = model.vm()
        checkpoints.take(host, vm, "before")
        await exported(model)
        return await import_vm(host, copy_of(vm))

    vm = run(clone())
    assert [one.name for one in vm.checkpoints] == ["before"]
    assert vm.disks[0].path.endswith(".avhdx")
    assert vm.disks[0].path.startswith(CLONE)
    assert vm.checkpoints[0].disks[0].path == CLONE + "\\Virtual Hard Disks\\gold.vhdx"
    assert vhdx.inspect(real_path(host, vm.disks[0].path)).type == "Differencing"
    assert {one.rpartition(".")[2] for one in host.volumes.listdir(CLONE + "\\Snapshots")} == {"vmcx", "vmrs"}


def test_a_running_vm_is_exported_as_saved(make: Make) -> None:
    model = make(vm=VMConfig("gold", disks=(DISK,), state="Running"))
    host = model.host("hv01")

    async def clone() -> VirtualMachine:
        vm = await exported(model)
        assert vm.state == "Running"
        return await import_vm(host, copy_of(vm))

    assert run(clone()).state == "Saved"
    assert isinstance(model.vm().id, uuid.UUID)
