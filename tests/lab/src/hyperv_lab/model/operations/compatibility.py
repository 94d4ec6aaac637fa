# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host can take a VM: what Compare-VM lists and what makes Import-VM and Move-VM fail."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..failures import E_DEVICE_OPEN
from ..host import Host
from ..vm import RUNNING, Dvd, HardDisk, NetworkAdapter, VirtualMachine

NO_SWITCH = 33012
NO_DEVICE = 40010
# The numbers of the following are documented nowhere; nobody may rely on them.
WRAPPER = 21024
NOT_COMPATIBLE = 24000


@dataclass(frozen=True)
class Incompatibility:
    """``source`` is the VM or the device that is at fault."""

    message_id: int
    message: str
    source: VirtualMachine | NetworkAdapter | HardDisk | Dvd


@dataclass(eq=False)
class Report:
    """What Compare-VM found out, with all that Import-VM or Move-VM needs to go on from it."""

    vm: VirtualMachine
    operation: str  # MoveVirtualMachine, ImportVirtualMachine, MoveVirtualMachineAndStorage
    destination: str
    path: str = ""
    snapshot_path: str = ""
    vhd_destination: str = ""
    vhd_source: str = ""
    incompatibilities: list[Incompatibility] = field(default_factory=list)
    request: object = None


def of_import(host: Host, vm: VirtualMachine, missing_disks: list[HardDisk]) -> list[Incompatibility]:
    """``missing_disks``: those whose file is not where the import looks."""
    found = [*_switches(host, vm), *_isos(host, vm)]
    found += [Incompatibility(NO_DEVICE, host.say("no_device", path=disk.path), disk) for disk in missing_disks]
    found += _tpm(host, vm)
    return found


def of_move(target: Host, vm: VirtualMachine) -> list[Incompatibility]:
    """Real causes first; wrappers that only say that something is wrong are added where a report is made."""
    found = [*_version(target, vm), *_switches(target, vm)]
    found += [
        Incompatibility(
            NO_DEVICE,
            target.say("attachment", vm=vm.name, path=dvd.path, why=target.say_code(E_DEVICE_OPEN)),
            dvd,
        )
        for dvd in vm.dvds
        if dvd.path and not target.volumes.exists(dvd.path)
    ]
    found += [
        Incompatibility(NO_DEVICE, target.say("pass_through", vm=vm.name), disk)
        for disk in vm.disks
        if disk.disk_number is not None
    ]
    return found + _tpm(target, vm)


def wrappers(source: Host, target: Host, vm: VirtualMachine) -> list[Incompatibility]:
    """Beside the real cause a report of a move lists that the whole does not work."""
    failed = target.say("move_failed_destination", vm=vm.name, host=target.computer_name, id=vm.file_id)
    wrong = target.say("not_compatible", vm=vm.name, host=target.computer_name)
    return [Incompatibility(WRAPPER, failed, vm), Incompatibility(NOT_COMPATIBLE, wrong, vm)]


def _switches(host: Host, vm: VirtualMachine) -> list[Incompatibility]:
    return [
        Incompatibility(NO_SWITCH, host.say("no_switch", switch=adapter.switch), adapter)
        for adapter in vm.adapters
        if adapter.switch and host.switch_named(adapter.switch) is None
    ]


def _isos(host: Host, vm: VirtualMachine) -> list[Incompatibility]:
    return [
        Incompatibility(NO_DEVICE, host.say("no_device", path=dvd.path), dvd)
        for dvd in vm.dvds
        if dvd.path and not host.volumes.exists(dvd.path)
    ]


def _tpm(host: Host, vm: VirtualMachine) -> list[Incompatibility]:
    if not vm.tpm or vm.guardian in host.guardians:
        return []
    key = "vtpm_device" if vm.state == RUNNING else "vtpm"
    return [Incompatibility(NOT_COMPATIBLE, host.say(key, vm=vm.name, host=host.computer_name), vm)]


def _version(host: Host, vm: VirtualMachine) -> list[Incompatibility]:
    if vm.version in host.windows.vm_versions:
        return []
    text = host.say("version", vm=vm.name, version=vm.version, host=host.computer_name)
    return [Incompatibility(NOT_COMPATIBLE, text, vm)]
