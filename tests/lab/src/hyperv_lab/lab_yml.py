# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab.yml, or the same as a mapping, to a LabConfig."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .config import (
    VERSIONS,
    DiskConfig,
    DynamicMemoryConfig,
    HostConfig,
    LabConfig,
    MigrationConfig,
    SwitchConfig,
    VMConfig,
    VolumeConfig,
    WinRMConfig,
)
from .endpoints import endpoints
from .lab_directory import delegation, user
from .model.troubles import TROUBLES
from .reading import (
    ConfigError,
    Section,
    any_text,
    file_below,
    flag,
    list_of,
    one_of,
    optional,
    rate,
    size,
    text,
    whole,
)

HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
GOLDEN = "golden.vhdx"
STATES = ("Off", "Running", "Saved", "Paused")
SHUTDOWNS = ("now", "slow", "ignores", "locked", "none")
AUTHENTICATION = ("Negotiate", "Kerberos", "CredSSP", "Certificate", "Basic")
HARDENING = ("none", "relaxed", "strict")


def load(source: Path | str | Mapping[str, Any], folder: Path | None = None) -> LabConfig:
    """The configuration from a file or from a mapping; ``folder``: where relative file names of a mapping start."""
    if isinstance(source, Mapping):
        return _lab(Section("", source), folder or Path.cwd())
    path = Path(source)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), str(error.strerror)) from error
    except yaml.YAMLError as error:
        raise ConfigError(str(path), f"no YAML: {error}") from error
    return _lab(Section("", data), path.parent)


def read_vm(where: str, value: Any, folder: Path) -> VMConfig:
    """One VM, as lab.yml and the admin port know it."""
    section = Section(where, {"name": value} if isinstance(value, str) else value)
    vm = VMConfig(
        name=section.need("name", any_text),
        id=section.take("id", optional(_guid), None),
        generation=section.take("generation", whole(1, 2), 2),
        version=section.take("version", optional(any_text), None),
        memory=section.take("memory", size, VMConfig.memory),
        dynamic_memory=section.take("dynamic_memory", optional(_dynamic_memory), None),
        processors=section.take("processors", whole(1, 2048), 1),
        switch=section.take("switch", optional(text), None),
        vlan=section.take("vlan", optional(whole(1, 4094)), None),
        static_mac=section.take("static_mac", optional(_mac), None),
        disks=section.take("disks", list_of(_disk(folder)), ()),
        iso=section.take("iso", optional(text), None),
        state=section.take("state", one_of(*STATES), "Off"),
        notes=section.take("notes", any_text, ""),
        secure_boot=section.take("secure_boot", flag, True),
        tpm=section.take("tpm", flag, False),
        checkpoints=section.take("checkpoints", list_of(any_text), ()),
        clustered=section.take("clustered", flag, False),
        replication=section.take("replication", one_of("Disabled", "Primary", "Replica"), "Disabled"),
        path=section.take("path", optional(text), None),
        shutdown=section.take("shutdown", one_of(*SHUTDOWNS), "now"),
    )
    section.end()
    return vm


def _lab(section: Section, folder: Path) -> LabConfig:
    defaults = section.take("defaults", _defaults(folder), HostConfig("", ""))
    hosts = section.need("hosts", _hosts(defaults, folder))
    config = LabConfig(
        hosts=hosts,
        domain=section.take("domain", text, LabConfig.domain),
        clock=section.take("clock", _clock, 1.0),
        users=section.take("users", list_of(user({host.name for host in hosts})), ()),
        kerberos=section.take("kerberos", flag, False),
        delegation=section.take("delegation", delegation({host.name for host in hosts}), "any"),
        rules=section.take("rules", _rules, {}),
    )
    section.end()
    _unique("users", [one.name for one in config.users])
    return config


def _hosts(defaults: HostConfig, folder: Path) -> Callable[[str, Any], tuple[HostConfig, ...]]:
    def convert(where: str, value: Any) -> tuple[HostConfig, ...]:
        if not isinstance(value, Mapping) or not value:
            raise ConfigError(where, "expected host names with their settings")
        hosts = tuple(
            _host(f"{where}.{name}", name, settings or {}, defaults, folder) for name, settings in value.items()
        )
        _unique(where, [host.name for host in hosts])
        _unique_listeners(hosts)
        return hosts

    return convert


def _defaults(folder: Path) -> Callable[[str, Any], HostConfig]:
    def convert(where: str, value: Any) -> HostConfig:
        section = Section(where, value)
        host = HostConfig("", "", **_settings(section, HostConfig("", ""), folder))
        section.end()
        return host

    return convert


def _host(where: str, name: Any, value: Any, defaults: HostConfig, folder: Path) -> HostConfig:
    if not isinstance(name, str) or not HOST_NAME.fullmatch(name):
        raise ConfigError(where, f"{name!r} cannot be the name of a computer")
    section = Section(where, value)
    address = section.need("address", _loopback)
    host = HostConfig(
        name, address, vms=section.take("vms", list_of(_vm(folder)), ()), **_settings(section, defaults, folder)
    )
    section.end()
    _unique(f"{where}.vms", [str(vm.id) for vm in host.vms if vm.id])
    return host


def _settings(section: Section, base: HostConfig, folder: Path) -> dict[str, Any]:
    """What hosts and defaults have in common."""
    port = optional(whole(0, 65535))
    return {
        "http_port": section.take("http_port", port, base.http_port),
        "https_port": section.take("https_port", port, base.https_port),
        "version": section.take("version", one_of(*VERSIONS), base.version),
        "language": section.take("language", text, base.language),
        "network_rate": section.take("network_rate", rate, base.network_rate),
        "disk_rate": section.take("disk_rate", rate, base.disk_rate),
        "volumes": section.take("volumes", _volumes, base.volumes),
        "switches": section.take("switches", list_of(_switch), base.switches),
        "migration": section.take("migration", _migration(base.migration), base.migration),
        "virtual_machine_path": section.take("virtual_machine_path", text, base.virtual_machine_path),
        "virtual_hard_disk_path": section.take("virtual_hard_disk_path", text, base.virtual_hard_disk_path),
        "cluster_node": section.take("cluster_node", flag, base.cluster_node),
        "domain_member": section.take("domain_member", flag, base.domain_member),
        "writable": section.take("writable", list_of(text), base.writable),
        "troubles": section.take("troubles", list_of(one_of(*TROUBLES)), base.troubles),
        "winrm": section.take("winrm", _winrm(base.winrm), base.winrm),
        "session_configurations": section.take(
            "session_configurations", endpoints(base.session_configurations, folder), base.session_configurations
        ),
    }


def _vm(folder: Path) -> Callable[[str, Any], VMConfig]:
    return lambda where, value: read_vm(where, value, folder)


def _disk(folder: Path) -> Callable[[str, Any], DiskConfig]:
    def convert(where: str, value: Any) -> DiskConfig:
        section = Section(where, value)
        disk = DiskConfig(
            file=section.take("file", optional(_disk_file(folder)), None),
            size=section.take("size", optional(rate), None),
            payload=section.take("payload", optional(rate), None),
            controller=section.take("controller", optional(one_of("SCSI", "IDE")), None),
            name=section.take("name", optional(text), None),
        )
        section.end()
        if (disk.file is None) == (disk.size is None):
            raise ConfigError(where, "a disk has either a file or a size")
        return disk

    return convert


def _disk_file(folder: Path) -> Callable[[str, Any], Path]:
    """A file, or the small real VHDX that comes with the lab under the name golden.vhdx."""
    existing = file_below(folder)
    return lambda where, value: (
        Path(GOLDEN) if value == GOLDEN and not (folder / GOLDEN).exists() else existing(where, value)
    )


def _dynamic_memory(where: str, value: Any) -> DynamicMemoryConfig:
    section = Section(where, value)
    memory = DynamicMemoryConfig(section.need("minimum", size), section.need("maximum", size))
    section.end()
    if memory.minimum > memory.maximum:
        raise ConfigError(where, "the minimum is above the maximum")
    return memory


def _volumes(where: str, value: Any) -> tuple[VolumeConfig, ...]:
    if not isinstance(value, Mapping) or not value:
        raise ConfigError(where, "expected drive letters with their capacity")
    volumes = []
    for letter, item in value.items():
        if not isinstance(letter, str) or not re.fullmatch("[A-Za-z]", letter):
            raise ConfigError(where, f"{letter!r} is no drive letter")
        section = Section(f"{where}.{letter}", item if isinstance(item, Mapping) else {"capacity": item})
        volumes.append(VolumeConfig(letter.upper(), section.need("capacity", size), section.take("used", size, 0)))
        section.end()
    _unique(where, [volume.letter for volume in volumes])
    return tuple(volumes)


def _switch(where: str, value: Any) -> SwitchConfig:
    section = Section(where, {"name": value} if isinstance(value, str) else value)
    kind = section.take("type", one_of("External", "Internal", "Private"), "External")
    switch = SwitchConfig(section.need("name", text), kind)
    section.end()
    return switch


def _migration(base: MigrationConfig) -> Callable[[str, Any], MigrationConfig]:
    def convert(where: str, value: Any) -> MigrationConfig:
        section = Section(where, value)
        performance = one_of("TCPIP", "Compression", "SMB")
        migration = MigrationConfig(
            enabled=section.take("enabled", flag, base.enabled),
            authentication=section.take("authentication", one_of("Kerberos", "CredSSP"), base.authentication),
            simultaneous=section.take("simultaneous", whole(0, 1000), base.simultaneous),
            storage=section.take("storage", whole(0, 1000), base.storage),
            any_network=section.take("any_network", flag, base.any_network),
            networks=section.take("networks", list_of(text), base.networks),
            performance=section.take("performance", performance, base.performance),
        )
        section.end()
        return migration

    return convert


def _winrm(base: WinRMConfig) -> Callable[[str, Any], WinRMConfig]:
    def convert(where: str, value: Any) -> WinRMConfig:
        section = Section(where, value)
        count = whole(1, 2**31 - 1)
        winrm = WinRMConfig(
            authentication=section.take("authentication", list_of(one_of(*AUTHENTICATION)), base.authentication),
            allow_unencrypted=section.take("allow_unencrypted", flag, base.allow_unencrypted),
            cbt_hardening=section.take("cbt_hardening", one_of(*HARDENING), base.cbt_hardening),
            shells_per_user=section.take("shells_per_user", count, base.shells_per_user),
            commands_per_shell=section.take("commands_per_shell", count, base.commands_per_shell),
            users=section.take("users", count, base.users),
            operations_per_user=section.take("operations_per_user", count, base.operations_per_user),
            envelope_kb=section.take("envelope_kb", whole(32, 1024), base.envelope_kb),
            memory_per_shell_mb=section.take("memory_per_shell_mb", count, base.memory_per_shell_mb),
            strict_connect=section.take("strict_connect", flag, base.strict_connect),
        )
        section.end()
        return winrm

    return convert


def _clock(where: str, value: Any) -> float:
    if value == "real":
        return 1.0
    section = Section(where, value)
    scale = section.need("scale", lambda at, number: number)
    section.end()
    if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not 0 < scale <= 100000:
        raise ConfigError(f"{where}.scale", f"expected a number above zero, not {scale!r}")
    return float(scale)


def _rules(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(where, f"expected names of rules with values, not {value!r}")
    return {str(key): item for key, item in value.items()}


def _guid(where: str, value: Any) -> uuid.UUID:
    try:
        return uuid.UUID(text(where, value))
    except ValueError as error:
        raise ConfigError(where, f"{value!r} is no GUID") from error


def _mac(where: str, value: Any) -> str:
    digits = re.sub("[:-]", "", text(where, value)).upper()
    if not re.fullmatch("[0-9A-F]{12}", digits):
        raise ConfigError(where, f"{value!r} is no MAC address")
    return digits


def _loopback(where: str, value: Any) -> str:
    try:
        address = ipaddress.IPv4Address(text(where, value))
    except ValueError as error:
        raise ConfigError(where, f"{value!r} is no IPv4 address") from error
    if not address.is_loopback:
        raise ConfigError(where, f"{address} is no loopback address: the lab never listens anywhere else")
    return str(address)


def _unique(where: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise ConfigError(where, f"{name!r} is there twice")
        seen.add(name.lower())


def _unique_listeners(hosts: Iterable[HostConfig]) -> None:
    seen: dict[tuple[str, int], str] = {}
    for host in hosts:
        for port in filter(None, (host.http_port, host.https_port)):
            other = seen.setdefault((host.address, port), f"{host.name}")
            if other != host.name:
                raise ConfigError(f"hosts.{host.name}.address", f"{host.address}:{port} is {other}'s already")
        if host.http_port and host.http_port == host.https_port:
            raise ConfigError(f"hosts.{host.name}.https_port", "is the same as http_port")
