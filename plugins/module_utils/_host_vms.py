# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Virtual machines of a host: ids, not names."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.fanout.hyperv.plugins.module_utils._command import Command, command
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import CommandFailed, NotFound
from ansible_collections.fanout.hyperv.plugins.module_utils._host_base import Question
from ansible_collections.fanout.hyperv.plugins.module_utils._host_disks import DiskQuestions
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import (
    VM,
    Adapter,
    Checkpoint,
    Definition,
    Disk,
    Drive,
    Dvd,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._shapes import Row, flag, guid, need, number, text

VM_PROPERTIES = (
    "Id",
    "Name",
    "State",
    "Notes",
    "Generation",
    "Version",
    "Path",
    "ConfigurationLocation",
    "SnapshotFileLocation",
    "OperationalStatus",
    "IsClustered",
    "ReplicationState",
    "ParentSnapshotId",
    "CreationTime",
)
_RESOURCES = ("ProcessorCount", "MemoryStartup", "DynamicMemoryEnabled", "MemoryMinimum", "MemoryMaximum")
_ADAPTER = ("Name", "SwitchName", "MacAddress", "DynamicMacAddressEnabled", "IsLegacy", "VlanSetting")
_DRIVE = (
    "VMId",
    "Path",
    "ControllerType",
    "ControllerNumber",
    "ControllerLocation",
    "DiskNumber",
    "SupportPersistentReservations",
)
_DVD = ("Path", "ControllerType", "ControllerNumber", "ControllerLocation")
_NOT_THERE = ("InvalidArgument", "ObjectNotFound")


def by_id(vm_id: str) -> Command:
    """The VM itself, as the first stage of a pipeline."""
    return command("Get-VM", Id=vm_id)


class VMQuestions(DiskQuestions):
    """What a host knows about VMs."""

    def vms(self) -> tuple[VM, ...]:
        """All VMs."""
        return self._ask(self._vms())

    def _vms(self) -> Question[tuple[VM, ...]]:
        return self._each(command("Get-VM"), properties=VM_PROPERTIES, read=VM.from_row)

    def vm(self, vm_id: str) -> VM | None:
        """The VM with this id; None when the host has none."""
        row = self._vm_row(vm_id, VM_PROPERTIES)
        return None if row is None else VM.from_row(row)

    def named(self, name: str) -> tuple[VM, ...]:
        """The VMs with exactly this name: a name is a pattern to the host, and several VMs may have it."""
        return tuple(vm for vm in self.vms() if vm.name == name)

    def _vm_row(self, vm_id: str, properties: Sequence[str]) -> Row | None:
        """How an unknown id is answered is not documented, and "not found" may also mean "not allowed".

        So whatever looks like it is settled by the list of all VMs, which says what there is or why it cannot.
        """
        try:
            rows = self._rows(by_id(vm_id), properties=properties)
        except CommandFailed as error:
            if not all(record.category in _NOT_THERE for record in error.records) or self._is_listed(vm_id):
                raise
            return None
        if rows:
            return self._the_one(rows, vm_id)
        return None

    def _the_one(self, rows: Sequence[Row], vm_id: str) -> Row:
        if len(rows) != 1 or guid(need(rows[0], "Id")) != vm_id.lower():
            raise self._unexpected(f"{len(rows)} VMs came for the id {vm_id}")
        return rows[0]

    def _is_listed(self, vm_id: str) -> bool:
        rows = self._rows(command("Get-VM"), properties=("Id",))
        return any(guid(need(row, "Id")) == vm_id.lower() for row in rows)

    def drives(self, vm_id: str | None = None) -> tuple[Drive, ...]:
        """The hard disk drives of a VM; without an id, of all VMs of the host."""
        return self._ask(self._drives(command("Get-VM") if vm_id is None else by_id(vm_id)))

    def _drives(self, vms: Command) -> Question[tuple[Drive, ...]]:
        return self._each(vms, command("Get-VMHardDiskDrive"), properties=_DRIVE, read=Drive.from_row)

    def adapters(self, vm_id: str) -> tuple[Adapter, ...]:
        """The network adapters of a VM, sorted: the host's order means nothing."""
        return self._ask(self._adapters(vm_id))

    def _adapters(self, vm_id: str) -> Question[tuple[Adapter, ...]]:
        def read(rows: list[Row]) -> tuple[Adapter, ...]:
            return tuple(sorted(map(Adapter.from_row, rows), key=repr))

        return self._about(by_id(vm_id), command("Get-VMNetworkAdapter"), properties=_ADAPTER, read=read)

    def dvds(self, vm_id: str) -> tuple[Dvd, ...]:
        """The DVD drives of a VM."""
        return self._ask(self._dvds(vm_id))

    def _dvds(self, vm_id: str) -> Question[tuple[Dvd, ...]]:
        return self._each(by_id(vm_id), command("Get-VMDvdDrive"), properties=_DVD, read=Dvd.from_row)

    def checkpoints(self, vm_id: str) -> tuple[Checkpoint, ...]:
        """The checkpoints of a VM."""
        return self._ask(self._checkpoints(vm_id))

    def _checkpoints(self, vm_id: str) -> Question[tuple[Checkpoint, ...]]:
        shown = ("Id", "Name", "SnapshotType")
        return self._each(by_id(vm_id), command("Get-VMSnapshot"), properties=shown, read=Checkpoint.from_row)

    def definition(self, vm_id: str) -> Definition:
        """Everything about a VM that the revision and the preflight look at: three questions, or more."""
        row = self._vm_row(vm_id, (*VM_PROPERTIES, *_RESOURCES))
        if row is None:
            raise NotFound(f"There is no VM with the id {vm_id}.", host=self._session.label)
        vm = VM.from_row(row)
        parts = (self._drives(by_id(vm_id)), self._adapters(vm_id), self._dvds(vm_id), self._checkpoints(vm_id))
        more = (self._firmware(vm), self._security(vm))
        drives, adapters, dvds, checkpoints, firmware, security = self._answers(*parts, *more)
        return Definition(
            vm=vm,
            processors=number(need(row, "ProcessorCount")),
            memory_startup=number(need(row, "MemoryStartup")),
            dynamic_memory=flag(need(row, "DynamicMemoryEnabled")),
            memory_minimum=number(need(row, "MemoryMinimum")),
            memory_maximum=number(need(row, "MemoryMaximum")),
            secure_boot=None if firmware is None else flag(need(firmware, "SecureBoot")),
            secure_boot_template=None if firmware is None else text(firmware.get("SecureBootTemplate")) or None,
            tpm=security is not None and flag(need(security, "TpmEnabled")),
            shielded=security is not None and flag(need(security, "Shielded")),
            adapters=adapters,
            drives=drives,
            dvds=dvds,
            checkpoints=checkpoints,
            disks=self._disks_behind(vm_id, drives),
        )

    def _firmware(self, vm: VM) -> Question[Row] | None:
        """UEFI firmware: generation 2 only."""
        if vm.generation < 2:
            return None
        return self._only(by_id(vm.id), command("Get-VMFirmware"), properties=("SecureBoot", "SecureBootTemplate"))

    def _security(self, vm: VM) -> Question[Row] | None:
        """TPM and shielding: generation 2 from configuration version 8 on."""
        if vm.generation < 2 or int(vm.version.partition(".")[0]) < 8:
            return None
        return self._only(by_id(vm.id), command("Get-VMSecurity"), properties=("TpmEnabled", "Shielded"))

    def _disks_behind(self, vm_id: str, drives: Sequence[Drive]) -> tuple[Disk, ...]:
        files = [drive.path for drive in drives if drive.is_file]
        if not files:
            return ()
        return self.disks_of(vm_id) if len(files) == len(drives) else self.disks(files)


__all__ = ("VM_PROPERTIES", "VMQuestions", "by_id")
