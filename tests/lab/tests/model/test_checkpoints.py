# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkpoints and their differencing disks: what a guest has written is still there when they are merged."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hyperv_lab.config import MiB, VMConfig
from hyperv_lab.model import chains, provision, vhdx, vhdx_content, vhdx_writer
from hyperv_lab.model.host import Host
from hyperv_lab.model.storage import real_path
from hyperv_lab.model.vm import HardDisk, VirtualMachine

from tests.lab.tests.model.labs import Model, run
from tests.lab.tests.model.shells import Shell

Make = Callable[..., Model]
SIZE = 8 * MiB
Names = list[str]


def seen(host: Host, vm: VirtualMachine) -> bytes:
    """What a guest would read from its first disk."""
    chain = [real_path(host, path) for path in chains.chain(host, vm.disks[0].path)]
    return vhdx_content.read(chain, 0, vhdx.inspect(chain[0]).size)


def guest_writes(host: Host, vm: VirtualMachine, offset: int, content: bytes) -> None:
    chain = [real_path(host, path) for path in chains.chain(host, vm.disks[0].path)]
    vhdx.set_data_write_guid(chain[0])
    vhdx_content.write(chain, offset, content)


def avhdx_files(host: Host) -> list[str]:
    return [str(path) for path in real_path(host, "C:\\").rglob("*.avhdx")]


def three_checkpoints(shell: Shell) -> tuple[Host, VirtualMachine, bytes]:
    """a, b and c, each with something written after it."""
    host, vm = shell.model.host("hv01"), shell.model.vm()
    for number, name in enumerate("abc", start=1):
        assert not shell("Checkpoint-VM", Name="gold", SnapshotName=name).errors
        guest_writes(host, vm, number * 2 * MiB - 100, name.encode() * 200)
    assert len(avhdx_files(host)) == 3
    return host, vm, seen(host, vm)


@pytest.mark.parametrize(
    ("removed", "left"),
    [
        (["a"], 2),
        (["b"], 2),
        (["c"], 2),
        (["a", "b"], 1),
        (["a", "c"], 1),
        (["c", "b"], 1),
        (["a", "b", "c"], 0),
    ],
)
def test_whichever_is_removed_the_guest_sees_the_same(make: Make, removed: Names, left: int) -> None:
    shell = Shell(make())
    host, vm, content = three_checkpoints(shell)

    async def remove() -> None:
        records = await shell.send(("Remove-VMSnapshot", {"VMName": "gold", "Name": removed}))
        assert not records.errors
        assert vm.activity == "MergingDisks"
        await shell.model.clock.sleep(10)

    run(remove())
    assert vm.activity is None
    assert seen(host, vm) == content
    assert not shell.model.fabric.bugs
    assert len(avhdx_files(host)) == left
    assert sorted(one.name for one in vm.checkpoints) == sorted(set("abc") - set(removed))
    assert chains.is_intact(host, vm.disks[0].path)
    for checkpoint in vm.checkpoints:
        assert chains.is_intact(host, checkpoint.disks[0].path)
    assert (vm.current_checkpoint is None) is (left == 0)


def test_what_a_checkpoint_keeps_does_not_change(make: Make) -> None:
    shell = Shell(make())
    host, vm, _ = three_checkpoints(shell)
    middle = next(one for one in vm.checkpoints if one.name == "b")
    chain = [real_path(host, path) for path in chains.chain(host, middle.disks[0].path)]
    before = vhdx_content.read(chain, 0, SIZE)

    async def remove() -> None:
        await shell.send(("Remove-VMSnapshot", {"VMName": "gold", "Name": "a"}))
        await shell.model.clock.sleep(10)

    run(remove())
    chain = [real_path(host, path) for path in chains.chain(host, middle.disks[0].path)]
    assert vhdx_content.read(chain, 0, SIZE) == before


def test_a_merge_takes_the_time_of_the_disk(make: Make) -> None:
    shell = Shell(make())
    host, vm, content = three_checkpoints(shell)
    size = sum(Path(path).stat().st_size for path in avhdx_files(host))
    host.disk.set_rate(MiB)

    async def watch() -> tuple[float, Any]:
        start = shell.model.clock.now()
        assert not (await shell.send(("Remove-VMSnapshot", {"VMName": "gold"}))).errors
        shown = (await shell.send(("Get-VM", {}))).one
        while vm.activity is not None:
            await shell.model.clock.sleep(0.5)
        return shell.model.clock.now() - start, shown

    took, shown = run(watch())
    assert [str(one) for one in shown["OperationalStatus"]] == ["InService", "MergingDisks"]
    assert (shown["Status"], list(shown["StatusDescriptions"])) == (
        "Merging disks",
        ["Operating normally", "Merging disks"],
    )
    assert shell("Get-VM").one["Status"] == "Operating normally"
    assert 2 * size / MiB <= took < 4 * size / MiB  # a file grows that takes in another
    assert seen(host, vm) == content


def test_a_removed_vm_is_merged_too(make: Make) -> None:
    shell = Shell(make())
    host, vm, content = three_checkpoints(shell)
    base = chains.chain(host, vm.disks[0].path)[-1]

    async def remove() -> None:
        assert not (await shell.send(("Remove-VM", {"Name": "gold", "Force": True}))).errors
        await shell.model.clock.sleep(10)

    run(remove())
    assert not avhdx_files(host)
    assert vhdx_content.read([real_path(host, base)], 0, SIZE) == content


def test_a_parent_that_no_checkpoint_has_made_stays(make: Make) -> None:
    """A VM that stands on a golden disk of somebody else's keeps standing on it."""
    shell = Shell(make())
    host, vm = shell.model.host("hv01"), shell.model.vm()
    golden = vm.disks[0].path
    child = golden.replace("gold.vhdx", "own.vhdx")
    vhdx_writer.write_differencing(real_path(host, child), real_path(host, golden), golden)
    vm.disks[0].path = child
    before = host.volumes.read(golden)

    async def life() -> None:
        await shell.send(("Checkpoint-VM", {"Name": "gold", "SnapshotName": "s"}))
        guest_writes(host, vm, MiB, b"new" * 100)
        await shell.send(("Remove-VMSnapshot", {"VMName": "gold"}))
        await shell.model.clock.sleep(10)

    run(life())
    assert vm.disks[0].path == child
    assert host.volumes.read(golden) == before
    assert seen(host, vm)[MiB : MiB + 300] == b"new" * 100


def test_content_goes_through_the_chain(tmp_path: Path) -> None:
    base, child = tmp_path / "base.vhdx", tmp_path / "child.avhdx"
    vhdx_writer.write_dynamic(base, 5 * MiB, b"b" * 3 * MiB)
    vhdx_writer.write_differencing(child, base, "C:\\base.vhdx")
    chain = [child, base]
    assert vhdx_content.read(chain, 0, 5 * MiB) == b"b" * 3 * MiB + bytes(2 * MiB)
    vhdx_content.write(chain, 2 * MiB - 2, b"over")
    vhdx_content.write(chain, 5 * MiB - 3, b"end")
    expected = bytearray(b"b" * 3 * MiB + bytes(2 * MiB))
    expected[2 * MiB - 2 : 2 * MiB + 2], expected[-3:] = b"over", b"end"
    assert vhdx_content.read(chain, 0, 5 * MiB) == bytes(expected)
    assert vhdx_content.read([base], 0, 5 * MiB) == b"b" * 3 * MiB + bytes(2 * MiB)
    assert vhdx_content.merge(child, [base])
    assert vhdx_content.read([base], 0, 5 * MiB) == bytes(expected)
    assert not vhdx_content.merge(child, [base])
    assert vhdx.is_usable(base)
    assert vhdx.inspect(base).identifier != uuid.UUID(int=0)


def test_what_a_checkpoint_was_made_of_comes_back(make: Make) -> None:
    shell = Shell(make())
    host, vm = shell.model.host("hv01"), shell.model.vm()
    before, processors, guid = seen(host, vm), vm.processors, data_write_guid(host, vm)
    assert not shell("Set-VM", Name="gold", Notes="as it was").errors
    assert not shell("Checkpoint-VM", Name="gold", SnapshotName="a").errors
    guest_writes(host, vm, 0, b"changed")
    assert not shell("Set-VM", Name="gold", ProcessorCount=processors + 1, Notes="later").errors
    assert seen(host, vm) != before

    assert not shell("Restore-VMSnapshot", VMName="gold", Name="a", Confirm=False).errors
    assert (vm.processors, vm.notes, vm.name) == (processors, "as it was", "gold")
    assert seen(host, vm) == before
    assert len(avhdx_files(host)) == 1

    async def remove() -> None:
        await shell.send(("Remove-VMSnapshot", {"VMName": "gold"}))
        await shell.model.clock.sleep(10)

    run(remove())
    assert avhdx_files(host) == []
    assert seen(host, vm) == before
    assert data_write_guid(host, vm) == guid, "nothing was written into it"


def test_a_question_that_nobody_can_answer_restores_nothing(make: Make) -> None:
    shell = Shell(make())
    host, vm, content = three_checkpoints(shell)
    assert shell("Restore-VMSnapshot", VMName="gold", Name="a").errors
    assert seen(host, vm) == content


def data_write_guid(host: Host, vm: VirtualMachine) -> uuid.UUID | None:
    return vhdx.inspect(real_path(host, vm.disks[0].path)).data_write_guid


@pytest.mark.parametrize(
    ("switches", "shared", "stays"),
    [
        ({}, False, True),
        ({"RemoveSourceUnmanagedVhds": True}, False, False),
        ({"RemoveSourceUnmanagedVhds": True}, True, True),
        ({"RemoveSourceUnmanagedVhds": True, "RetainVhdCopiesOnSource": True}, False, True),
    ],
)
def test_parents_of_a_disk_that_moves(make: Make, switches: dict[str, bool], shared: bool, stays: bool) -> None:
    shell = Shell(make())
    host, vm = shell.model.host("hv01"), shell.model.vm()
    golden = vm.disks[0].path
    for name in ("own", "other")[: 2 if shared else 1]:
        child = golden.replace("gold.vhdx", f"{name}.vhdx")
        vhdx_writer.write_differencing(real_path(host, child), real_path(host, golden), golden)
    vm.disks[0].path = golden.replace("gold.vhdx", "own.vhdx")
    if shared:
        other = provision.add_vm(host, VMConfig("other", disks=()))
        other.disks.append(HardDisk(golden.replace("gold.vhdx", "other.vhdx")))
    move = {"DestinationHost": "hv02", "IncludeStorage": True, "DestinationStoragePath": "C:\\T"}
    assert not shell("Move-VM", Name="gold", **move, **switches).errors
    arrived = shell.model.vm("hv02")
    assert chains.is_intact(shell.model.host("hv02"), arrived.disks[0].path)
    assert len(chains.chain(shell.model.host("hv02"), arrived.disks[0].path)) == 2
    assert host.volumes.exists(golden) is stays
    assert not host.volumes.exists(golden.replace("gold.vhdx", "own.vhdx"))
