# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What stands in the way of a distribution, found before a byte moves. Pure functions; nothing in here asks a host."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.fanout.hyperv.plugins.module_utils._failures import DELEGATION
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import LONGEST_PATH, is_reserved, name_of, volume_of

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import (
        Computer,
        Definition,
        HostSettings,
        MigrationJob,
        PlannedVM,
        Switch,
        Volume,
    )
    from ansible_collections.fanout.hyperv.plugins.module_utils._stamp import Maintenance, Stamp

ERROR, WARNING = "error", "warning"

NOT_IN_A_FOLDER_NAME = frozenset('\\/:*?"<>|')
"""Export-VM makes a folder of the VM's name, so these cannot be in it (Win32 file naming rules)."""

LONGEST_NAME = 100
"""Characters in a VM's name (Msvm_VirtualSystemSettingData.ElementName)."""

VHD_SET = "VHDSet"

IN_MAINTENANCE = "IN_MAINTENANCE"

NO_DELEGATION = "NO_DELEGATION"
"""The same code as that of a move which ends for this reason."""

LOCAL_AUTHS = ("basic", "certificate")
"""WinRM takes accounts of the host itself this way, whom no other host knows."""
PLAIN_ENDPOINT = "microsoft.powershell"
"""Windows' own: behind it the user is who signed in, behind others it may be the computer's account."""

ROOM_FACTOR = 1.02
ROOM_EXTRA = 16 * 1024 * 1024
"""A copy needs its disks' bytes, a little for configuration files and what a file system takes for itself."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that preflight found. An ``error`` stops this provider (or, for the template, everything)."""

    severity: str
    code: str
    what: str
    remedy: str
    provider: str | None = None

    def to_dict(self) -> dict[str, t.Any]:
        return {
            "severity": self.severity,
            "provider": self.provider,
            "code": self.code,
            "what": self.what,
            "remedy": self.remedy,
        }

    def to_error(self) -> dict[str, t.Any]:
        """The same in the shape of an error of the status file."""
        return {
            "code": self.code,
            "layer": "distribution",
            "message": self.what,
            "cause": None,
            "remedy": self.remedy,
            "transient": False,
            "raw": None,
        }


@dataclass(frozen=True, kw_only=True)
class Provider:
    """What the survey shows of one provider, as far as preflight looks at it.

    ``auth`` and ``endpoint`` are how the session is signed in and where; empty when nobody knows. ``jobs`` are running.
    """

    name: str
    settings: HostSettings
    computer: Computer
    volumes: tuple[Volume, ...]
    switches: tuple[Switch, ...]
    migration_networks: tuple[str, ...]
    path: str
    auth: str = ""
    endpoint: str = ""
    jobs: tuple[MigrationJob, ...] = ()
    planned_vms: tuple[PlannedVM, ...] = ()

    @property
    def local_account(self) -> bool:
        """Whether the session can only be that of an account which no other host knows."""
        return self.auth in LOCAL_AUTHS and self.endpoint.lower() in ("", PLAIN_ENDPOINT)


def name_findings(name: str) -> Iterator[Finding]:
    """Why a template's name cannot be a VM's name and an export's folder name on every host."""
    remedy = "Rename the template VM, then run again."
    bad = sorted(set(name) & NOT_IN_A_FOLDER_NAME)
    control = [character for character in name if ord(character) < 32]
    if not name.strip():
        yield Finding(severity=ERROR, code="TEMPLATE_NAME", what="The template's name is empty.", remedy=remedy)
    elif bad or control:
        shown = " ".join(bad) or "control characters"
        what = f"The name {name!r} contains {shown}, which cannot be in a folder's name; Export-VM makes such a folder."
        yield Finding(severity=ERROR, code="TEMPLATE_NAME", what=what, remedy=remedy)
    elif name != name.rstrip(" .") or name != name.lstrip(" "):
        what = (
            f"The name {name!r} begins or ends with a space or ends with a dot, which Windows drops from folder names."
        )
        yield Finding(severity=ERROR, code="TEMPLATE_NAME", what=what, remedy=remedy)
    elif is_reserved(name):
        what = f"The name {name!r} is a reserved device name of Windows."
        yield Finding(severity=ERROR, code="TEMPLATE_NAME", what=what, remedy=remedy)
    elif len(name) > LONGEST_NAME:
        what = f"The name {name!r} has {len(name)} characters; Hyper-V takes at most {LONGEST_NAME}."
        yield Finding(severity=ERROR, code="TEMPLATE_NAME", what=what, remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a template needs of a target. ``size`` is the bytes of its disk files."""

    name: str
    version: str
    switches: tuple[str, ...]
    disk_names: tuple[str, ...]
    size: int

    @classmethod
    def of(cls, definition: Definition) -> Needs:
        return cls(
            name=definition.vm.name,
            version=definition.vm.version,
            switches=tuple(sorted({adapter.switch for adapter in definition.adapters if adapter.switch})),
            disk_names=tuple(name_of(disk.path) for disk in definition.disks),
            size=sum(disk.file_size for disk in definition.disks),
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, t.Any]) -> Needs:
        return cls(**{**values, "switches": tuple(values["switches"]), "disk_names": tuple(values["disk_names"])})


def template_findings(definition: Definition, stamp: Stamp | None = None) -> Iterator[Finding]:
    """What about the template itself forbids (error) or deserves (warning) attention."""
    if stamp is not None and stamp.maintenance is not None:
        yield in_maintenance(definition.vm.name, stamp.maintenance)
    yield from name_findings(definition.vm.name)
    yield from _state_findings(definition)
    yield from _disk_findings(definition)
    yield from _device_findings(definition)


def in_maintenance(name: str, maintenance: Maintenance) -> Finding:
    """Nobody distributes or recreates from a template that somebody changes."""
    return _error(
        IN_MAINTENANCE,
        f"{name} is in maintenance since {maintenance.since}, by {maintenance.by}.",
        f"Leave maintenance first: ansible-playbook fanout.hyperv.maintenance -e maintenance_template={name} "
        "-e maintenance_state=exit",
    )


def _state_findings(definition: Definition) -> Iterator[Finding]:
    vm = definition.vm
    if vm.state in ("Saved", "FastSaved", "Saving", "FastSaving"):
        yield _error(
            "TEMPLATE_SAVED_STATE",
            f"{vm.name} has a saved state.",
            "Start it and shut it down, or delete the saved state (Remove-VMSavedState).",
        )
    elif vm.state != "Off":
        yield _error("TEMPLATE_NOT_OFF", f"{vm.name} is {vm.state}, not Off.", "Shut the template down (Stop-VM).")
    if definition.checkpoints:
        names = ", ".join(checkpoint.name for checkpoint in definition.checkpoints)
        yield _error(
            "TEMPLATE_CHECKPOINTS",
            f"{vm.name} has checkpoints: {names}.",
            "Remove them (Remove-VMSnapshot) and wait until their disks are merged.",
        )
    if vm.is_clustered:
        yield _error(
            "TEMPLATE_CLUSTERED",
            f"{vm.name} is a clustered role.",
            "Remove it from the cluster (Remove-ClusterGroup) or use a template that is not clustered.",
        )
    if vm.replication_state not in ("Disabled", ""):
        yield _error(
            "TEMPLATE_REPLICATED",
            f"{vm.name} is replicated (Hyper-V Replica: {vm.replication_state}).",
            "Remove the replication (Remove-VMReplication) or use another template.",
        )


def _disk_findings(vm: Definition) -> Iterator[Finding]:
    if not vm.drives:
        yield _error("TEMPLATE_NO_DISK", f"{vm.vm.name} has no virtual hard disk.", "Attach the template's disk.")
    for drive in vm.drives:
        if drive.disk_number is not None:
            yield _error(
                "TEMPLATE_PASSTHROUGH_DISK",
                f"{vm.vm.name} uses physical disk {drive.disk_number} directly (pass-through).",
                "Convert it to a VHDX; a physical disk cannot be copied to other hosts.",
            )
        disk = vm.disk(drive)
        if drive.shared and (disk is None or disk.format != VHD_SET):
            yield _shared_disk(f"{drive.path} is a disk that several VMs may share (SupportPersistentReservations).")
    for disk in vm.disks:
        if disk.parent_path:
            yield _error(
                "TEMPLATE_DIFFERENCING_DISK",
                f"{disk.path} is a differencing disk of {disk.parent_path}.",
                "Merge it (Merge-VHD) or convert it to a full disk (Convert-VHD).",
            )
        if disk.format == VHD_SET:
            yield _shared_disk(f"{disk.path} is a shared VHD set.")


def _shared_disk(what: str) -> Finding:
    return _error("TEMPLATE_SHARED_DISK", what, "Use a template without shared disks.")


def _device_findings(vm: Definition) -> Iterator[Finding]:
    for dvd in vm.dvds:
        if dvd.path:
            yield _error(
                "TEMPLATE_ISO_MOUNTED",
                f"{vm.vm.name} has {dvd.path} in its DVD drive; the targets do not have that file.",
                "Eject it: Set-VMDvdDrive -VMName ... -Path $null.",
            )
    if vm.tpm:
        yield _warning(
            "TEMPLATE_VTPM",
            f"{vm.vm.name} has a virtual TPM; it starts only on hosts that hold its guardian's certificates.",
            "Export the certificates 'Shielded VM Local Certificates' with their keys from the source, "
            "and import them on every target.",
        )
    for adapter in vm.adapters:
        if adapter.static_mac:
            yield _warning(
                "TEMPLATE_STATIC_MAC",
                f"Adapter {adapter.name!r} of {vm.vm.name} has the static MAC address {adapter.static_mac}; "
                "every copy gets the same.",
                "Set it to dynamic (Set-VMNetworkAdapter -DynamicMacAddress) unless only one guest ever runs.",
            )


def provider_findings(target: Provider, source: Provider, needs: Needs) -> Iterator[Finding]:
    """Why ``target`` cannot be supplied with the template from ``source``, settings and paths only."""
    for finding in (
        *_migration_findings(target, source),
        *_version_findings(target, needs),
        *_switch_findings(target, needs),
        *path_findings(target.path, target.volumes, needs),
    ):
        yield Finding(**{**finding.to_dict(), "provider": target.name})


def _migration_findings(target: Provider, source: Provider) -> Iterator[Finding]:
    for provider in (source, target):
        if not provider.settings.migration_enabled:
            yield _error(
                "MIGRATION_DISABLED",
                f"Live migration is disabled on {provider.name}.",
                "Enable-VMMigration, and choose networks: Set-VMHost -UseAnyNetworkForMigration $true "
                "or Add-VMMigrationNetwork.",
            )
        elif not provider.settings.any_network and not provider.migration_networks:
            yield _error(
                "MIGRATION_NO_NETWORK",
                f"{provider.name} has no network for live migration.",
                "Add-VMMigrationNetwork, or Set-VMHost -UseAnyNetworkForMigration $true.",
            )
        yield from _closed(provider)
    here, there = source.settings.migration_authentication, target.settings.migration_authentication
    if here != there:
        yield _error(
            "MIGRATION_AUTHENTICATION_DIFFERS",
            f"{source.name} uses {here} for live migration and {target.name} {there}.",
            "Set the same on both: Set-VMHost -VirtualMachineMigrationAuthenticationType Kerberos.",
        )
    yield from _second_hop(target, source)
    if source.computer.clustered != target.computer.clustered:
        subtypes = {True: "a cluster node", False: "standalone"}
        here, there = (subtypes[provider.computer.clustered] for provider in (source, target))
        yield _error(
            "SUBTYPE_DIFFERS",
            f"{target.name} is {there}, {source.name} is {here}.",
            "Providers of one template have the same subtype; leave this one out of the list.",
        )


def _closed(provider: Provider) -> Iterator[Finding]:
    """A limit of 0 lets no move begin, however long it waits; a move with storage counts against both."""
    settings = provider.settings
    limits = {
        "MaximumVirtualMachineMigrations": settings.maximum_migrations,
        "MaximumStorageMigrations": settings.maximum_storage_migrations,
    }
    zero = [name for name, limit in limits.items() if limit == 0]
    if zero:
        yield _error(
            "MIGRATION_LIMIT_ZERO",
            f"{provider.name} allows no migration at all: {' and '.join(f'{name} is 0' for name in zero)}.",
            f"On {provider.name}: Set-VMHost {' '.join(f'-{name} 2' for name in zero)}.",
        )


def _second_hop(target: Provider, source: Provider) -> Iterator[Finding]:
    """Moves of which it is certain that the target will not let the source in; what is uncertain only a move shows."""
    clusters = source.computer.clustered and target.computer.clustered  # they may have certificates instead
    outside = [] if clusters else [one.name for one in (source, target) if not one.computer.part_of_domain]
    if outside:
        yield _error(
            "NOT_IN_DOMAIN",
            f"{' and '.join(outside)} {'are' if len(outside) > 1 else 'is'} in no domain, so {target.name} lets nobody "
            f"in who comes from {source.name}: Live Migration between them ends with 0x8009030E.",
            "Both hosts have to be in the same domain, or in domains that trust each other.",
        )
    elif source.local_account:
        yield _error(
            NO_DELEGATION,
            f"The session to {source.name} is signed in by {source.auth}, which is for accounts of {source.name} "
            f"itself: {target.name} does not know them, and Live Migration ends with 0x8009030E.",
            f"Sign in to {source.name} with an account of the domain (ansible_psrp_auth: kerberos, or negotiate, ntlm, "
            f"credssp). {DELEGATION}",
        )


def _version_findings(target: Provider, needs: Needs) -> Iterator[Finding]:
    supported = target.settings.supported_versions
    if supported and needs.version not in supported:
        yield _error(
            "VM_VERSION_UNSUPPORTED",
            f"{target.name} does not support configuration version {needs.version} (it has {', '.join(supported)}).",
            "Make the template on the oldest host's version (New-VM -Version); a version cannot be lowered.",
        )


def _switch_findings(target: Provider, needs: Needs) -> Iterator[Finding]:
    here = {switch.name for switch in target.switches}
    for name in sorted(set(needs.switches) - here):
        yield _error(
            "SWITCH_MISSING",
            f"{target.name} has no virtual switch {name!r}, which the template's adapter is connected to.",
            f"Create it there (New-VMSwitch -Name '{name}') or disconnect the template's adapter.",
        )


def path_findings(path: str, volumes: Iterable[Volume], needs: Needs) -> Iterator[Finding]:
    """Whether the folder for copies can be where it is said to be."""
    where = "Create it there or choose another path (distribute_target_path), then run again."
    if volume_of(path, [volume.name for volume in volumes]) is None:
        yield _error("PATH_VOLUME_MISSING", f"There is no volume for {path}.", where)
    longest = max((len(name) for name in needs.disk_names), default=0)
    # \fanout\<36>\<12>-<8>\Virtual Machines\<36>.vmcx, or ...\Virtual Hard Disks\<file>
    length = len(path) + len("\\fanout\\") + 36 + 1 + 21 + max(len("\\Virtual Machines\\") + 41, 20 + longest)
    if length > LONGEST_PATH:
        yield _error(
            "PATH_TOO_LONG",
            f"Files below {path} would have paths of {length} characters, more than {LONGEST_PATH}.",
            "Choose a shorter path (distribute_target_path), then run again.",
        )


def conflict_findings(provider: str, name: str, conflicts: Iterable[Mapping[str, t.Any]]) -> Iterator[Finding]:
    """VMs that have the template's name and are not ours: nobody touches them."""
    for vm in conflicts:
        yield Finding(
            severity=ERROR,
            provider=provider,
            code="NAME_CONFLICT",
            what=f"{provider} has a VM {name!r} (id {vm['id']}) that is not a copy made by us. It was not touched.",
            remedy="Rename or remove that VM yourself, then run again.",
        )


def planned_remedy(provider: str) -> str:
    """How somebody gets rid of a planned VM; no cmdlet does."""
    return (
        f"Restart the service vmms on {provider} (running VMs go on), or delete the planned VM there with the method "
        "DestroySystem of Msvm_VirtualSystemManagementService"
    )


def unreachable(provider: str, error: HyperVError | Mapping[str, t.Any]) -> Finding:
    """A provider that did not answer the survey, or whose survey failed."""
    shown = error if isinstance(error, Mapping) else error.to_dict()
    return Finding(
        severity=ERROR,
        provider=provider,
        code=shown["code"],
        what=shown["message"],
        remedy=shown.get("remedy") or "Check the provider and bring it back, then run again.",
    )


def room_for(size: int) -> int:
    """Bytes that have to be free for files of ``size`` bytes in all."""
    return int(size * ROOM_FACTOR) + ROOM_EXTRA


def free_at(path: str, volumes: Iterable[Volume]) -> int | None:
    """Free bytes of the volume that holds ``path``; None when no volume does."""
    by_name = {volume.name: volume for volume in volumes}
    name = volume_of(path, by_name)
    return None if name is None else by_name[name].free


def clones_that_fit(free: int, size: int, *, export_needed: bool, wanted: int) -> int:
    """How many clones may exist at once beside the export, at most ``wanted``; 0 when not even one fits."""
    left = free - (room_for(size) if export_needed else 0)
    return max(0, min(wanted, left // room_for(size)))


def gib(size: int) -> str:
    """Bytes as people read them."""
    value, units = float(size), ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while value >= 1024 and len(units) > 1:
        value /= 1024
        units.pop(0)
    return f"{value:.0f} {units[0]}" if units[0] == "B" else f"{value:.1f} {units[0]}"


def _error(code: str, what: str, remedy: str) -> Finding:
    return Finding(severity=ERROR, code=code, what=what, remedy=remedy)


def _warning(code: str, what: str, remedy: str) -> Finding:
    return Finding(severity=WARNING, code=code, what=what, remedy=remedy)


__all__ = (
    "ERROR",
    "IN_MAINTENANCE",
    "NO_DELEGATION",
    "WARNING",
    "Finding",
    "Provider",
    "clones_that_fit",
    "conflict_findings",
    "free_at",
    "gib",
    "name_findings",
    "path_findings",
    "planned_remedy",
    "provider_findings",
    "room_for",
    "template_findings",
    "unreachable",
)
