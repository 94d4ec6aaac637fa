# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Exports one VM and writes down what the export is made of; the manifest comes last and means that it is complete."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass, replace

from ansible_collections.fanout.hyperv.plugins.module_utils import _revision
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    HyperVError,
    NotFound,
    OutcomeUnknown,
    Refused,
    VerificationFailed,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._manifest import Manifest, ManifestFile
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import fold, join, name_of, relative
from ansible_collections.fanout.hyperv.plugins.module_utils._templates import found_files
from ansible_collections.fanout.hyperv.plugins.module_utils._waiting import wait_until

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import Definition, DiskFacts
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Reporter

EXPORTING = "ExportingVirtualMachine"
"""A VM's operational status while it is exported."""
POLL = 5.0


def exporting(host: Host) -> bool:
    """Whether the host exports a VM at the moment, whoever ordered it."""
    return any(EXPORTING in vm.statuses for vm in host.vms())


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an export goes: Export-VM makes a folder of the VM's name in ``folder``."""

    folder: str
    subfolder: str
    manifest: str

    def vmcx(self, vm_id: str) -> str:
        """Where the configuration file will be."""
        return join(self.subfolder, "Virtual Machines", f"{vm_id}.vmcx")


@dataclass(kw_only=True)
class Exporter:
    """One export. ``control`` is a second session to the same host; ``keep_alive`` is called while work goes on.

    ``facts`` are the VM's disks as the host shows them; ``throw_away`` removes what a failed export has left.
    """

    host: Host
    control: Host
    definition: Definition
    facts: tuple[DiskFacts, ...]
    revision: str
    place: Place
    reporter: Reporter
    keep_alive: Callable[[], None]
    throw_away: Callable[[], None]
    timeout: float

    @property
    def size(self) -> int:
        """The bytes of the VM's disks."""
        return sum(disk.file_size for disk in self.definition.disks)

    def carry_out(self, *, hash_files: bool) -> Manifest:
        """Export, look whether the VM is still what it was, write the manifest."""
        vm = self.definition.vm
        self.reporter.phase("exporting", bytes_total=self.size)
        try:
            self._export()
            self._still_the_same()
            manifest = self._manifest()
        except OutcomeUnknown:
            # Nobody saw the end of it. When the host no longer exports, what is there cannot be trusted.
            self._wait_for_silence()
            self.throw_away()
            raise
        except HyperVError:
            if EXPORTING not in self._statuses():
                self.throw_away()
            raise
        if hash_files:
            manifest = self.hashed(manifest)
        self.keep_alive()
        self.host.files.write_text(self.place.manifest, manifest.to_json())
        self.reporter.note(f"exported {vm.name}, revision {self.revision}")
        return manifest

    def hashed(self, manifest: Manifest) -> Manifest:
        """The manifest with the SHA-256 of every file; the host reads all of them."""
        done, hashes = 0, {}
        self.reporter.phase("hashing", bytes_total=manifest.size)
        for file in manifest.files:
            if file.sha256 is None:
                path = join(self.place.folder, file.path)
                hashes[file.path] = self.host.files.sha256(path, on_poll=self._poll)
            done += file.size
            self.reporter.progress(percent=_percent(done, manifest.size), bytes_done=done)
        return manifest.with_hashes(hashes)

    def _export(self) -> None:
        vm = self.definition.vm
        self.host.files.ensure_folder(self.place.folder)
        self.host.export_vm(
            vm.id,
            self.place.folder,
            timeout=self.timeout,
            on_progress=lambda record: self._show(record.percent),
            on_poll=self._poll,
        )

    def _poll(self) -> None:
        self.reporter.check()
        self.keep_alive()

    def _show(self, percent: int | None) -> None:
        if percent is not None and 0 <= percent <= 100:
            self.reporter.progress(percent=percent, bytes_done=self.size * percent // 100, bytes_total=self.size)

    def _statuses(self) -> tuple[str, ...]:
        vm = self.control.vm(self.definition.vm.id)
        return () if vm is None else vm.statuses

    def _wait_for_silence(self) -> None:
        silent = wait_until(
            lambda: EXPORTING not in self._statuses(), timeout=self.timeout, every=POLL, check=self._poll
        )
        if not silent:
            raise OutcomeUnknown(
                f"The export of {self.definition.vm.name} still runs and nobody sees how far it is.",
                remedy="Wait until the VM is no longer being exported, then run again.",
            )

    def _still_the_same(self) -> None:
        """State and revision again: what was exported must be what was asked for."""
        now = self.host.definition(self.definition.vm.id)
        before = _revision.settings(self.definition, _revision.marks(self.facts))
        after = _revision.settings(now, _revision.marks(self.host.disk_facts(now.disks)))
        if now.vm.state != "Off" or before != after:
            why = _revision.explain(before, after) or [f"it is {now.vm.state}"]
            raise Refused(
                f"{now.vm.name} was changed while it was exported; the export was thrown away.",
                code="TEMPLATE_CHANGED",
                cause="; ".join(why),
                remedy="Leave the template alone while it is exported, then run again.",
                transient=True,
            )

    def _manifest(self) -> Manifest:
        files = found_files(self.host, self.place.folder, self.place.subfolder)
        vmcx = relative(self.place.vmcx(self.definition.vm.id), self.place.folder)
        by_name = {fold(name_of(path)): path for path in files}
        missing = [path for path in (vmcx,) if fold(path) not in {fold(found) for found in files}]
        missing += [name_of(fact.path) for fact in self.facts if fold(name_of(fact.path)) not in by_name]
        if missing:
            raise VerificationFailed(
                f"The export of {self.definition.vm.name} lacks {', '.join(missing)}; it was thrown away.",
                remedy="Look at the source's event log (Hyper-V-VMMS), then run again.",
            )
        return Manifest(
            template_id=self.definition.vm.id,
            revision=self.revision,
            vmcx=vmcx,
            files=tuple(ManifestFile(path=path, size=size) for path, size in sorted(files.items())),
            disks=self._exported_disks([by_name[fold(name_of(fact.path))] for fact in self.facts]),
        )

    def _exported_disks(self, paths: list[str]) -> tuple[DiskFacts, ...]:
        """The exported disks, which have to be what the template's are."""
        disks = self.host.disks([join(self.place.folder, path) for path in paths])
        exported = {fold(fact.path): fact for fact in self.host.disk_facts(disks)}
        facts = []
        for path, original in zip(paths, self.facts, strict=True):
            fact = exported.get(fold(join(self.place.folder, path)))
            if fact is None:
                raise NotFound(f"The exported disk {path} cannot be read.")
            if (fact.size, fact.identifier) != (original.size, original.identifier):
                raise VerificationFailed(f"The exported disk {path} is not a copy of {original.path}.")
            # Only of a VHD: its time stands for the template's content, not for when it was exported.
            facts.append(replace(fact, path=path, modified=original.modified))
        return tuple(facts)


def _percent(done: int, total: int) -> float:
    return 100.0 if total == 0 else 100.0 * done / total


__all__ = ("EXPORTING", "Exporter", "Place", "exporting")
