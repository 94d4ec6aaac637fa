# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines made from the lab's configuration, not by a command: at the start and through the admin port."""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..config import DiskConfig, VMConfig
from . import vhdx, vhdx_writer
from .host import Host
from .register import register
from .storage import INVALID_IN_NAMES, ensure_folder, join, parent, real_path
from .vm import Automatic, Checkpoint, Dvd, HardDisk, Memory, NetworkAdapter, VirtualMachine

HARD_LINK_FROM = 2 * 1024**3  # bigger templates are not copied when the lab starts; writing gives them own bytes
DEFAULT_PAYLOAD = 1024**2


def add_vm(host: Host, config: VMConfig) -> VirtualMachine:
    """Put a VM on a host as if it had always been there."""
    vm_id = config.id or uuid.uuid4()
    dynamic = config.dynamic_memory
    memory = Memory(config.memory)
    if dynamic is not None:
        memory = Memory(config.memory, True, dynamic.minimum, dynamic.maximum)
    vm = VirtualMachine(
        id=vm_id,
        name=config.name,
        path=config.path or host.settings.virtual_machine_path,
        created=host.clock.wall(),
        version=config.version or host.windows.default_vm_version,
        generation=config.generation,
        processors=config.processors,
        memory=memory,
        automatic=Automatic(),
        secure_boot=config.secure_boot and config.generation == 2,
        tpm=config.tpm,
        guardian=host.dns_name if config.tpm else None,
        notes=config.notes,
        clustered=config.clustered,
        replication=config.replication,
        shutdown=config.shutdown,
    )
    vm.snapshot_path = vm.paging_path = vm.path
    _devices(host, vm, config)
    if config.state == "Running":
        vm.started_at = host.clock.now()
    vm.state = config.state
    register(host, vm)
    for name in config.checkpoints:
        add_checkpoint(host, vm, name)
    host.volumes.free(vm.path)  # count what was laid down behind the drive's back
    return vm


def _devices(host: Host, vm: VirtualMachine, config: VMConfig) -> None:
    mac = (config.static_mac or "").replace(":", "").replace("-", "").upper()
    adapter = NetworkAdapter(switch=config.switch, vlan=config.vlan)
    if mac:
        adapter.mac, adapter.static_mac = mac, True
    vm.adapters.append(adapter)
    bus = "SCSI" if config.generation == 2 else "IDE"
    for number, disk in enumerate(config.disks):
        path = _disk(host, vm, disk, number)
        location = number if not config.iso or number < 1 else number + 1
        vm.disks.append(HardDisk(path, disk.controller or bus, 0, location))
    if config.iso:
        vm.dvds.append(Dvd(config.iso, bus, 0, 1))


def _disk(host: Host, vm: VirtualMachine, config: DiskConfig, number: int) -> str:
    folder = host.settings.virtual_hard_disk_path
    ensure_folder(host, folder)
    path = _free_path(host, folder, _file_name(vm, config, number))
    target = real_path(host, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if config.file is not None:
        _lay_down(config.file, target)
    else:
        vhdx_writer.write_dynamic(
            target,
            config.size or 40 * 1024**3,
            DEFAULT_PAYLOAD if config.payload is None else config.payload,
            seed=vm.id.int & 0xFFFF,
        )
    return path


def _file_name(vm: VirtualMachine, config: DiskConfig, number: int) -> str:
    if config.name:
        return config.name
    if config.file is not None:
        return config.file.name.removesuffix(".gz")
    return INVALID_IN_NAMES.sub("_", vm.name) + (f"-{number}" if number else "") + ".vhdx"


def _free_path(host: Host, folder: str, name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    path, number = join(folder, name), 1
    while host.volumes.exists(path):
        number += 1
        path = join(folder, f"{stem}-{number}{dot}{extension}")
    return path


def _lay_down(source: Path, target: Path) -> None:
    """The template's bytes at ``target``, cheaply where the file system can."""
    if source.name == "golden.vhdx" and not source.exists():
        vhdx_writer.unpack_golden(target)
        return
    if source.stat().st_size >= HARD_LINK_FROM:
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
        return
    shutil.copyfile(source, target)


def add_checkpoint(host: Host, vm: VirtualMachine, name: str) -> Checkpoint:
    """A checkpoint with its differencing disks; the VM goes on in the new ones."""
    checkpoint = Checkpoint(
        uuid.uuid4(),
        name,
        host.clock.wall(),
        [HardDisk(**vars(disk)) for disk in vm.disks],
        parent=vm.current_checkpoint,
        notes=vm.notes,
        settings=replace(vm.twin(), checkpoints=[]),
    )
    for disk in vm.disks:
        if disk.disk_number is not None:
            continue
        disk.path = branch_off(host, disk)
    vm.checkpoints.append(checkpoint)
    vm.current_checkpoint = checkpoint.id
    register(host, vm)
    host.volumes.free(vm.path)
    return checkpoint


def branch_off(host: Host, disk: HardDisk) -> str:
    """A new, empty differencing disk over this one, named as Hyper-V names those of checkpoints."""
    stem = disk.file_name.rpartition(".")[0].split("_")[0]
    child = join(parent(disk.path), f"{stem}_{str(uuid.uuid4()).upper()}.avhdx")
    vhdx_writer.write_differencing(real_path(host, child), real_path(host, disk.path), disk.path)
    return child


def disk_facts(host: Host, disk: HardDisk) -> dict[str, Any]:
    """A disk for the lab's state document."""
    if disk.disk_number is not None:
        return {"disk_number": disk.disk_number}
    exists = host.volumes.exists(disk.path)
    facts: dict[str, Any] = {"path": disk.path, "exists": exists, "controller": disk.controller_type}
    if exists:
        try:
            about = vhdx.inspect(real_path(host, disk.path))
        except vhdx.NotAVirtualDisk as error:
            return facts | {"damaged": str(error)}
        facts |= {
            "file_size": about.file_size,
            "size": about.size,
            "identifier": str(about.identifier),
            "data_write_guid": str(about.data_write_guid) if about.data_write_guid else None,
            "type": about.type,
            "parent": about.parent_path,
        }
    return facts
