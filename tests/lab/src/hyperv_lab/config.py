# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab.yml as frozen dataclasses. Reading it is in ``reading.py``'s hands; here is what there is to say."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .endpoints import Endpoint

MiB = 1024**2
GiB = 1024**3
VERSIONS = (2016, 2019, 2022, 2025)
SERVICES = ("cifs", "migration")  # that a computer account delegates to: storage, and the virtual machine itself


@dataclass(frozen=True)
class UserConfig:
    name: str
    password: str = field(repr=False)
    groups: frozenset[str] = frozenset({"Administrators"})
    groups_on: Mapping[str, frozenset[str]] = field(default_factory=dict)  # instead of these, on some hosts
    local: bool = False  # an account of each host instead of one of the domain
    certificate: bool = False  # signs in with a client certificate that the lab makes; so it is a local account
    sensitive: bool = False  # "Account is sensitive and cannot be delegated"

    def groups_at(self, host: str) -> frozenset[str]:
        return self.groups_on.get(host, self.groups)


@dataclass(frozen=True)
class DelegationConfig:
    """What the directory has on a host's computer account.

    ``to``: at which hosts it may act in the names of others, with which services. ``protocol``: "any" is *Use any
    authentication protocol*, "kerberos" is *Use Kerberos only*. ``accepts``: who may act so here (resource-based).
    ``unconstrained``: *Trust this computer for delegation to any service*; tickets for it say ok-as-delegate.
    """

    to: Mapping[str, frozenset[str]] = field(default_factory=dict)
    protocol: str = "any"
    accepts: tuple[str, ...] = ()
    unconstrained: bool = False


@dataclass(frozen=True)
class VolumeConfig:
    """A drive of a host; ``used`` is what already lies there apart from the lab's own files."""

    letter: str
    capacity: int
    used: int = 0


@dataclass(frozen=True)
class SwitchConfig:
    name: str
    type: str = "External"


@dataclass(frozen=True)
class MigrationConfig:
    enabled: bool = True
    authentication: str = "Kerberos"
    simultaneous: int = 2
    storage: int = 2
    any_network: bool = True
    networks: tuple[str, ...] = ()
    performance: str = "Compression"


@dataclass(frozen=True)
class DiskConfig:
    """A disk of a VM: a copy of ``file``, or a new one of ``size`` bytes of which ``payload`` are really written."""

    file: Path | None = None
    size: int | None = None
    payload: int | None = None
    controller: str | None = None  # SCSI or IDE; None: what the generation has
    name: str | None = None  # file name on the host; None: that of ``file``, or made from the VM's name


@dataclass(frozen=True)
class DynamicMemoryConfig:
    minimum: int
    maximum: int


@dataclass(frozen=True)
class VMConfig:
    name: str
    id: uuid.UUID | None = None
    generation: int = 2
    version: str | None = None
    memory: int = GiB
    dynamic_memory: DynamicMemoryConfig | None = None
    processors: int = 1
    switch: str | None = None
    vlan: int | None = None
    static_mac: str | None = None
    disks: tuple[DiskConfig, ...] = ()
    iso: str | None = None
    state: str = "Off"
    notes: str = ""
    secure_boot: bool = True
    tpm: bool = False
    checkpoints: tuple[str, ...] = ()
    clustered: bool = False
    replication: str = "Disabled"
    path: str | None = None  # folder of the configuration; None: the host's VirtualMachinePath
    shutdown: str = "now"  # how its guest takes it to be shut down: now, slow, ignores, locked, none


@dataclass(frozen=True)
class WinRMConfig:
    """How a host's WinRM is set up. Quotas: Windows' own defaults."""

    authentication: tuple[str, ...] = ("Negotiate", "Kerberos", "Basic")
    allow_unencrypted: bool = False
    cbt_hardening: str = "relaxed"  # CbtHardeningLevel: none, relaxed, strict
    shells_per_user: int = 30
    commands_per_shell: int = 1000
    users: int = 10  # who may have shells at the same time
    operations_per_user: int = 1500
    envelope_kb: int = 500  # of requests and answers
    memory_per_shell_mb: int = 1024  # what a shell's process holds back of its output for its client
    strict_connect: bool = True  # a shell belongs to its client until the host notices that the client is gone


@dataclass(frozen=True)
class HostConfig:
    name: str
    address: str
    http_port: int | None = 5985
    https_port: int | None = 5986
    version: int = 2022
    language: str = "en-US"
    network_rate: int = 200 * MiB
    disk_rate: int = 800 * MiB
    volumes: tuple[VolumeConfig, ...] = (VolumeConfig("C", 200 * GiB),)
    switches: tuple[SwitchConfig, ...] = (SwitchConfig("Production"),)
    migration: MigrationConfig = MigrationConfig()
    virtual_machine_path: str = "C:\\ProgramData\\Microsoft\\Windows\\Hyper-V"
    virtual_hard_disk_path: str = "C:\\ProgramData\\Microsoft\\Windows\\Hyper-V\\Virtual Hard Disks"
    cluster_node: bool = False
    domain_member: bool = True
    troubles: tuple[str, ...] = ()  # of model/troubles.py
    writable: tuple[str, ...] = ()  # folders that those may change who are no administrators
    vms: tuple[VMConfig, ...] = ()
    winrm: WinRMConfig = WinRMConfig()
    session_configurations: tuple[Endpoint, ...] = ()  # constrained endpoints beside Microsoft.PowerShell


@dataclass(frozen=True)
class LabConfig:
    """``delegation``: "any", "none", or what the directory has on each host. ``kerberos``: a KDC runs with the lab."""

    hosts: tuple[HostConfig, ...]
    domain: str = "lab.test"
    clock: float = 1.0  # 1.0: the real clock; n: n lab seconds pass in one real second
    users: tuple[UserConfig, ...] = ()
    kerberos: bool = False
    delegation: str | Mapping[str, DelegationConfig] = "any"
    rules: Mapping[str, Any] = field(default_factory=dict)  # switches of the model for facts that nobody has proved

    @property
    def netbios(self) -> str:
        """The domain's name in DOMAIN\\user."""
        return self.domain.partition(".")[0].upper()[:15]
