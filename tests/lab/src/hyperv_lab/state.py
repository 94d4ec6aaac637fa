# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's state as JSON: what tests look at from outside."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .model import provision
from .model.host import Host
from .model.jobs import Job
from .model.vm import VirtualMachine
from .transport.endpoint import WinRM


def of_host(host: Host, winrm: WinRM) -> dict[str, Any]:
    return {
        "name": host.name,
        "dns": host.dns_name,
        "address": host.address,
        "version": host.version,
        "up": host.up,
        "listening": winrm.up,
        "shells": [_shell(winrm, shell_id) for shell_id in (shell.id for shell in winrm.shells)],
        "settings": asdict(host.settings),
        "switches": [{"name": one.name, "id": str(one.id), "type": one.type} for one in host.switches.values()],
        "network_rate": host.network.rate,
        "disk_rate": host.disk.rate,
        "network_carried": host.network.carried,
        "disk_carried": host.disk.carried,
        "volumes": _volumes(host),
        "vms": [of_vm(host, vm) for vm in host.sorted_vms()],
        "planned": [{"id": str(vm.id), "name": vm.name} for vm in host.planned.values()],
        "jobs": [_job(job) for job in host.jobs.all()],
        "faults": winrm.faults.to_list(),
    }


def of_vm(host: Host, vm: VirtualMachine) -> dict[str, Any]:
    return {
        "id": str(vm.id),
        "name": vm.name,
        "state": vm.state,
        "notes": vm.notes,
        "generation": vm.generation,
        "version": vm.version,
        "path": vm.path,
        "processors": vm.processors,
        "memory": vm.memory.startup,
        "activity": vm.activity,
        "clustered": vm.clustered,
        "replication": vm.replication,
        "tpm": vm.tpm,
        "secure_boot": vm.secure_boot,
        "adapters": [{"name": one.name, "switch": one.switch, "mac": one.mac, "vlan": one.vlan} for one in vm.adapters],
        "disks": [provision.disk_facts(host, disk) for disk in vm.disks],
        "checkpoints": [{"id": str(one.id), "name": one.name} for one in vm.checkpoints],
        "files": [path for path in vm.system_files if host.volumes.exists(path)],
    }


def _shell(winrm: WinRM, shell_id: str) -> dict[str, Any]:
    shell = winrm.shells.peek(shell_id)
    if shell is None:
        return {"id": shell_id}
    return {
        "id": shell.id,
        "owner": shell.owner.account.name,
        "mechanism": shell.owner.mechanism,
        "delegated": shell.owner.delegated,
        "uri": shell.resource_uri,
        "state": shell.state,
    }


def _volumes(host: Host) -> dict[str, dict[str, int]]:
    return {
        letter: {"capacity": host.volumes.capacity(f"{letter}:\\"), "free": host.volumes.free(f"{letter}:\\")}
        for letter in host.volumes.letters
    }


def _job(job: Job) -> dict[str, Any]:
    return {
        "id": str(job.id),
        "kind": job.kind,
        "vm": str(job.vm_id),
        "name": job.vm_name,
        "state": job.state,
        "percent": job.percent,
        "destination": job.destination,
        "incoming": job.incoming,
        "started": job.started,
        "ended": job.ended,
        "error": job.error_text or None,
    }
