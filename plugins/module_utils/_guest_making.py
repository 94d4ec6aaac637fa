# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Makes one guest of a copy: whole from an export of the copy, or a VM of its own on disks that stand on the copy's.

The owner file comes first and goes last; the name comes when everything is set, then the guest is started and stamped
as finished. What a killed run has left is told by that: without its name it is thrown away, with it finished.
"""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Conflict
from ansible_collections.fanout.hyperv.plugins.module_utils._exporting import Exporter, Place
from ansible_collections.fanout.hyperv.plugins.module_utils._guests import (
    LINKED,
    Making,
    Unfinished,
    temporary_name,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._manifest import Manifest
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import (
    MANIFEST,
    OWNER,
    Layout,
    join,
    name_of,
    new_attempt,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import Remover
from ansible_collections.fanout.hyperv.plugins.module_utils._staging import FolderOwner
from ansible_collections.fanout.hyperv.plugins.module_utils._templates import found_files, refuse_users

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Definition, Drive
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Work

DISKS = "Virtual Hard Disks"
FIRST_ADAPTER = "Network Adapter"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What guests are made of: the copy on the host, and whose copy it is. ``layout`` is where the copy lies."""

    copy: Definition
    layout: Layout
    template_id: str
    template_name: str
    source: str
    revision: str


@dataclass(kw_only=True)
class Maker:
    """Makes guests of one origin on one host. ``alive`` is called while work goes on, before every writing step."""

    work: Work
    origin: Origin
    alive: Callable[[], None]
    timeout: float

    @property
    def host(self) -> Host:
        return self.work.host

    def make(self, name: str, making: Making, macs: Sequence[tuple[str, str]] = ()) -> VM:
        """A guest of that name, made, named, started if wanted and stamped."""
        self.alive()
        folder = Layout(making.path, self.origin.template_id).guest(new_attempt())
        self.host.files.ensure_folder(folder)
        self._own(folder)
        self.work.reporter.phase("making", reason=name)
        vm = self._linked(folder, making) if making.kind == LINKED else self._full(folder, making)
        self._adapters(vm.id, making, macs)
        self.alive()
        self.host.rename_vm(vm.id, name)
        self.finish(vm, making, folder, self._stamp_of(vm, making))
        return replace(vm, name=name)

    def _own(self, folder: str) -> None:
        owner = FolderOwner.of(
            self.work.owner,
            template_id=self.origin.template_id,
            revision=self.origin.revision,
            attempt=name_of(folder),
            target=self.host.label,
            folder=folder,
        )
        self.host.files.write_text(join(folder, OWNER), owner.to_json())

    def finish(self, vm: VM, making: Making, folder: str, stamp: _stamp.Stamp) -> None:
        """Start a guest that has its name, if that is wanted; say in its stamp that nothing is left to do."""
        self.alive()
        if stamp.unfinished:
            if making.start:
                self.host.start_vm(vm.id)
            self._write(vm, replace(stamp, unfinished=False))
        self.host.files.remove_file(join(folder, OWNER))

    def _mark(self, vm: VM, making: Making) -> None:
        self._write(vm, self._stamp_of(vm, making))

    def _stamp_of(self, vm: VM, making: Making) -> _stamp.Stamp:
        return _stamp.Stamp(
            kind="guest",
            vm_id=vm.id,
            template_id=self.origin.template_id,
            template_name=self.origin.template_name,
            source=self.origin.source,
            revision=self.origin.revision,
            made=making.to_dict(),
            unfinished=True,
        )

    def _write(self, vm: VM, stamp: _stamp.Stamp) -> None:
        self.alive()
        self.host.set_notes(vm.id, _stamp.merge(_stamp.remove(vm.notes), stamp))

    # Whole

    def _full(self, folder: str, making: Making) -> VM:
        manifest = self.export()
        self.alive()
        place = self.origin.layout.guest_export(self.origin.revision)
        vm = self.host.import_copy(
            join(place, manifest.vmcx),
            folder,
            timeout=self.timeout,
            on_progress=lambda record: self.work.reporter.progress(percent=record.percent),
            on_poll=self.alive,
        )
        self.host.rename_vm(vm.id, temporary_name(folder))
        self._mark(vm, making)
        drives = [drive for drive in self.host.drives(vm.id) if drive.is_file]
        for entry in self.host.files.found([drive.path for drive in drives]):
            if entry.is_read_only:  # as the copy's, when linked guests stand on that
                self.host.files.set_read_only(entry.path, False)
        self.host.set_resources(vm.id, making.over(self.origin.copy))
        if any(adapter.static_mac for adapter in self.origin.copy.adapters):
            self.host.forget_macs(vm.id)
        return vm

    def export(self) -> Manifest:
        """The export of the copy on this host; made once, and complete when its manifest is there."""
        copy, revision = self.origin.copy, self.origin.revision
        folder = self.origin.layout.guest_export(revision)
        place = Place(folder=folder, subfolder=join(folder, copy.vm.name), manifest=join(folder, MANIFEST))
        there = self._manifest(place)
        if there is not None:
            return there
        if self.host.files.entry(folder) is not None:
            self._throw_broken_export_away(folder)
        return Exporter(
            host=self.host,
            control=self.work.control(),
            definition=copy,
            facts=self.host.disk_facts(copy.disks),
            revision=revision,
            place=place,
            reporter=self.work.reporter,
            keep_alive=self.alive,
            throw_away=functools.partial(self._throw_broken_export_away, folder),
            timeout=self.timeout,
        ).carry_out(hash_files=False)

    def _manifest(self, place: Place) -> Manifest | None:
        text = self.host.files.read_text(place.manifest)
        manifest = None if text is None else Manifest.from_json(text)
        wanted = (self.origin.copy.vm.id, self.origin.revision)
        if manifest is None or (manifest.template_id, manifest.revision) != wanted:
            return None
        return None if manifest.differences(found_files(self.host, place.folder, place.subfolder)) else manifest

    def _throw_broken_export_away(self, folder: str) -> None:
        left = self.throw_export_away(folder)
        if left:
            raise Conflict(
                f"In {folder} lies what is not ours: {', '.join(left)}.",
                code="EXPORT_IN_THE_WAY",
                remedy="Look at it, move it elsewhere, then run again.",
            )

    def throw_export_away(self, folder: str) -> tuple[str, ...]:
        """Remove an export of a copy from the host. Says what is left because it is not ours."""
        self.alive()
        refuse_users(self.host, folder)
        self.host.files.remove_file(join(folder, MANIFEST))
        return self._remover().clear(folder)

    # Linked

    def _linked(self, folder: str, making: Making) -> VM:
        copy, disks = making.over(self.origin.copy), join(folder, DISKS)
        self.host.files.ensure_folder(disks)
        self._protect(copy)
        children = [(drive, join(disks, name_of(drive.path))) for drive in _in_order(copy)]
        for drive, child in children:
            self.alive()
            self.host.new_differencing_disk(child, drive.path)
        first, *more = _synthetic(copy)
        switch = making.switch or (None if first is None else first.switch)
        vm = self.host.new_vm(temporary_name(folder), folder, copy, children[0][1], switch)
        self._mark(vm, making)
        self.host.set_resources(vm.id, copy)
        self._firmware(vm, copy)
        for drive, child in children[1:]:
            self.host.add_drive(vm.id, drive, child)
        if first is not None and first.name != FIRST_ADAPTER:
            self.host.name_only_adapter(vm.id, first.name)
        if first is not None and first.vlan:
            self.host.set_vlan(vm.id, first.vlan)
        for adapter in more:
            if adapter is not None:
                self.host.add_adapter(vm.id, adapter.name, adapter.switch, adapter.vlan)
        return vm

    def _protect(self, copy: Definition) -> None:
        """Windows keeps everybody from writing to the disks that others stand on: one change would break them all."""
        for entry in self.host.files.found([drive.path for drive in copy.drives]):
            if not entry.is_read_only:
                self.host.files.set_read_only(entry.path, True)

    def _firmware(self, vm: VM, copy: Definition) -> None:
        if copy.secure_boot is not None:
            self.host.set_secure_boot(vm.id, (copy.secure_boot_template or "") if copy.secure_boot else None)
        if copy.tpm:
            self.host.add_tpm(vm.id)

    # Both

    def _adapters(self, vm_id: str, making: Making, macs: Sequence[tuple[str, str]]) -> None:
        if making.switch is not None:
            self.host.connect_adapters(vm_id, making.switch)
        if making.vlan is not None:
            self.host.set_vlan(vm_id, making.vlan)
        for name, mac in macs:
            self.host.set_mac(vm_id, name, mac)

    # What a killed run has left

    def throw_away(self, unfinished: Unfinished) -> tuple[str, ...]:
        """Remove what never became a guest. Says what is left because it is not ours."""
        self.alive()
        if unfinished.vm is None:
            return self._remover().clear(unfinished.folder)
        return self._remover().remove_vm(unfinished.vm, unfinished.folder)

    def remove(self, vm: VM, folder: str) -> tuple[str, ...]:
        """Remove a guest that is off, with what lies in its folder. The owner file shows a removal that was killed."""
        self.alive()
        self._own(folder)
        return self._remover().remove_vm(vm, folder)

    def _remover(self) -> Remover:
        return Remover(host=self.host, check=self.alive)


def _in_order(copy: Definition) -> list[Drive]:
    """The disk that a new VM starts from first."""
    kinds = {"IDE": 0, "SCSI": 1} if copy.vm.generation == 1 else {"SCSI": 0}
    return sorted(
        copy.drives, key=lambda drive: (kinds.get(drive.controller_type.upper(), 9), drive.number, drive.location)
    )


def _synthetic(copy: Definition) -> list[t.Any]:
    """The adapters of a VM of its own: legacy ones, from which old systems boot, are not made. None: it has none."""
    return [adapter for adapter in copy.adapters if not adapter.legacy] or [None]


__all__ = ("Maker", "Origin")
