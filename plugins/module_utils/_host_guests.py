# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What makes, starts and stops guests on a host: VMs by their ids, an adapter among several by its name."""

from __future__ import annotations

from ansible_collections.fanout.hyperv.plugins.module_utils._command import Command, command
from ansible_collections.fanout.hyperv.plugins.module_utils._host_base import CHANGE, POLL_EVERY, OnPoll, select
from ansible_collections.fanout.hyperv.plugins.module_utils._host_vms import VM_PROPERTIES, VMQuestions, by_id
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Definition, Drive
from ansible_collections.fanout.hyperv.plugins.module_utils._shapes import need, text


class GuestChanges(VMQuestions):
    """What a host can do to make a guest of a copy."""

    # A VM of its own on disks that stand on the copy's

    def new_differencing_disk(self, path: str, parent: str) -> None:
        """An empty disk over ``parent``; its folder has to be there, the file must not."""
        self._session.run(
            command("New-VHD", Path=path, ParentPath=parent, Differencing=True),
            select(Property=["Path"]),
            timeout=CHANGE,
        )

    def new_vm(self, name: str, folder: str, like: Definition, disk: str, switch: str | None) -> VM:
        """A VM like another one (generation, version, memory), with one disk and one adapter.

        Its configuration lies in a folder of its name below ``folder``, which has to be there.
        """
        answers = self._session.run(
            command(
                "New-VM",
                Name=name,
                Path=folder,
                Generation=like.vm.generation,
                Version=like.vm.version,
                MemoryStartupBytes=like.memory_startup,
                VHDPath=disk,
                SwitchName=switch,
            ),
            select(Property=list(VM_PROPERTIES)),
            timeout=CHANGE,
        )
        if len(answers) != 1:
            raise self._unexpected(f"New-VM gave {len(answers)} VMs")
        return VM.from_row(self._row(answers[0]))

    def set_resources(self, vm_id: str, like: Definition) -> None:
        """Processors and memory of a VM that is off."""
        memory = {"StaticMemory": True, "MemoryStartupBytes": like.memory_startup}
        if like.dynamic_memory:
            memory = {
                "DynamicMemory": True,
                "MemoryStartupBytes": like.memory_startup,
                "MemoryMinimumBytes": like.memory_minimum,
                "MemoryMaximumBytes": like.memory_maximum,
            }
        self._change(vm_id, command("Set-VM", ProcessorCount=like.processors, **memory))

    def set_secure_boot(self, vm_id: str, template: str | None) -> None:
        """Secure Boot with this template; None: off. Generation 2 only."""
        if template is None:
            self._change(vm_id, command("Set-VMFirmware", EnableSecureBoot="Off"))
        else:
            self._change(vm_id, command("Set-VMFirmware", EnableSecureBoot="On", SecureBootTemplate=template))

    def add_tpm(self, vm_id: str) -> None:
        """A new virtual TPM, protected by this host's own guardian. Generation 2 only."""
        self._change(vm_id, command("Set-VMKeyProtector", NewLocalKeyProtector=True))
        self._change(vm_id, command("Enable-VMTPM"))

    def add_drive(self, vm_id: str, drive: Drive, path: str) -> None:
        """A disk where ``drive`` sits in another VM."""
        self._change(
            vm_id,
            command(
                "Add-VMHardDiskDrive",
                ControllerType=drive.controller_type,
                ControllerNumber=drive.number,
                ControllerLocation=drive.location,
                Path=path,
            ),
        )

    # Adapters

    def name_only_adapter(self, vm_id: str, name: str) -> None:
        """Another name for the adapter of a VM that has one."""
        self._change(vm_id, command("Get-VMNetworkAdapter"), command("Rename-VMNetworkAdapter", NewName=name))

    def add_adapter(self, vm_id: str, name: str, switch: str | None, vlan: int) -> None:
        """One more adapter; ``vlan`` 0: none."""
        added = command("Add-VMNetworkAdapter", Name=name, SwitchName=switch, Passthru=True)
        self._change(vm_id, added, *([_access(vlan)] if vlan else [command("Out-Null")]))

    def connect_adapters(self, vm_id: str, switch: str) -> None:
        """All adapters of the VM to this switch."""
        self._change(vm_id, command("Get-VMNetworkAdapter"), command("Connect-VMNetworkAdapter", SwitchName=switch))

    def set_vlan(self, vm_id: str, vlan: int) -> None:
        """All adapters of the VM into this VLAN; 0: into none."""
        self._change(vm_id, command("Get-VMNetworkAdapter"), _access(vlan))

    def forget_macs(self, vm_id: str) -> None:
        """The host chooses the addresses of all adapters of the VM, which has to be off."""
        self._change(vm_id, command("Get-VMNetworkAdapter"), command("Set-VMNetworkAdapter", DynamicMacAddress=True))

    def macs(self, vm_id: str) -> tuple[tuple[str, str], ...]:
        """The name and the address of each adapter, sorted; an address of zeros was never given."""
        rows = self._rows(by_id(vm_id), command("Get-VMNetworkAdapter"), properties=("Name", "MacAddress"))
        return tuple(sorted((text(need(row, "Name")), text(row.get("MacAddress")).upper()) for row in rows))

    def set_mac(self, vm_id: str, name: str, mac: str) -> None:
        """The address of the adapters of this name, of a VM that is off."""
        self._change(
            vm_id,
            command("Get-VMNetworkAdapter"),
            command("Where-Object", Property="Name", EQ=True, Value=name),
            command("Set-VMNetworkAdapter", StaticMacAddress=mac),
        )

    # On and off

    def start_vm(self, vm_id: str) -> None:
        """Start the VM; no error when it runs."""
        self._change(vm_id, command("Start-VM"))

    def shut_down(self, vm_id: str, timeout: float, on_poll: OnPoll | None = None) -> None:
        """Ask the guest to shut down and wait for it; OperationTimedOut when it has not within ``timeout`` seconds.

        Without -Force: a guest that somebody has locked would have to be asked about, and is an error here.
        """
        self._session.run(by_id(vm_id), command("Stop-VM"), timeout=timeout, on_poll=on_poll, poll_every=POLL_EVERY)

    def turn_off(self, vm_id: str) -> None:
        """Like cutting the power: what the guest has not written is lost."""
        self._change(vm_id, command("Stop-VM", TurnOff=True, Force=True))

    # Disks of checkpoints

    def checkpoint_drives(self) -> tuple[Drive, ...]:
        """The drives that the checkpoints of all VMs of the host hold."""
        properties = ("VMId", "Path", "ControllerType", "ControllerNumber", "ControllerLocation", "DiskNumber")
        stages = (command("Get-VM"), command("Get-VMSnapshot"), command("Get-VMHardDiskDrive"))
        return tuple(Drive.from_row(row) for row in self._rows(*stages, properties=properties))

    def _change(self, vm_id: str, *stages: Command) -> None:
        self._session.run(by_id(vm_id), *stages, timeout=CHANGE)


def _access(vlan: int) -> Command:
    if vlan:
        return command("Set-VMNetworkAdapterVlan", Access=True, VlanId=vlan)
    return command("Set-VMNetworkAdapterVlan", Untagged=True)


__all__ = ("GuestChanges",)
