# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What a target shows of a template: the copies that are ours, what is left over, and what stands in the way.

Ours is decided by identity alone: a stamp that names the VM's own id, or a place below the template's folder.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._baseline import Baseline, differences
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import (
    Layout,
    attempt_of,
    fold,
    join,
    name_of,
    relative,
)

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM

CURRENT, NONE, OLDER, DIFFERS = "current", "none", "older", "differs"


def temporary_name(vm_id: str) -> str:
    """The name of a VM of ours that is not (or no longer) the copy people use."""
    return f"fanout-{vm_id[:8]}"


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One VM of ours on a target. ``folder`` is its attempt folder; empty when its files lie elsewhere.

    ``finished``: it was verified once, so it has a baseline. ``reasons``: how it differs from that.
    """

    vm_id: str
    name: str
    state: str
    busy: bool
    revision: str | None
    folder: str
    finished: bool
    superseded: bool
    reasons: tuple[str, ...] = ()

    @property
    def unnamed(self) -> bool:
        """Whether it still has (or again has) the name of work in progress."""
        return self.name == temporary_name(self.vm_id)

    def to_dict(self) -> dict[str, t.Any]:
        return {
            "id": self.vm_id,
            "name": self.name,
            "state": self.state,
            "revision": self.revision,
            "folder": self.folder,
            "finished": self.finished,
            "superseded": self.superseded,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, kw_only=True)
class CopyState:
    """Everything about one template on one target."""

    verdict: str
    reasons: tuple[str, ...] = ()
    copies: tuple[Copy, ...] = ()
    conflicts: tuple[VM, ...] = ()
    foreign: tuple[VM, ...] = ()
    leftovers: tuple[str, ...] = ()
    current: Copy | None = None
    arrived: Copy | None = None

    def to_dict(self) -> dict[str, t.Any]:
        """For results: plain values only."""
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "copies": [copy.to_dict() for copy in self.copies],
            "conflicts": [{"id": vm.id, "name": vm.name} for vm in self.conflicts],
            "foreign": [{"id": vm.id, "name": vm.name} for vm in self.foreign],
            "leftovers": list(self.leftovers),
            "current": None if self.current is None else self.current.vm_id,
            "arrived": None if self.arrived is None else self.arrived.vm_id,
        }


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads one target. ``name`` and ``revision`` are what the copy should have."""

    host: Host
    layout: Layout
    name: str
    revision: str

    def read(self, *, vms: Iterable[VM] | None = None) -> CopyState:
        """Ask the host. Pass ``vms`` when its VMs were listed a moment ago."""
        shown = tuple(self.host.vms() if vms is None else vms)
        ours = [vm for vm in shown if self._is_ours(vm)]
        copies = tuple(self._copy(vm) for vm in ours)
        conflicts = tuple(vm for vm in shown if vm not in ours and fold(vm.name) == fold(self.name))
        leftovers = self._leftovers(copies)
        return self.judge(copies, conflicts, self._foreign(shown), leftovers)

    def judge(
        self,
        copies: tuple[Copy, ...],
        conflicts: tuple[VM, ...] = (),
        foreign: tuple[VM, ...] = (),
        leftovers: tuple[str, ...] = (),
    ) -> CopyState:
        """The verdict; pure."""
        alive = [copy for copy in copies if not copy.superseded]
        right = [copy for copy in alive if copy.finished and copy.revision == self.revision and not copy.reasons]
        current = next((copy for copy in right if copy.name == self.name), None)
        arrived = next((copy for copy in right if copy.unnamed), None) or next(
            (copy for copy in alive if not copy.finished and copy.revision == self.revision and not copy.busy), None
        )
        verdict, reasons = _verdict(alive, current, self.name, self.revision)
        return CopyState(
            verdict=verdict,
            reasons=reasons,
            copies=copies,
            conflicts=conflicts,
            foreign=foreign,
            leftovers=leftovers,
            current=current,
            arrived=None if current is not None else arrived,
        )

    def _is_ours(self, vm: VM) -> bool:
        stamp = _stamp.parse(vm.notes, vm.id)
        if stamp is not None:
            return stamp.kind == "copy" and stamp.template_id == self.layout.template_id
        return vm.id != self.layout.template_id and self.layout.owns(vm.path)

    def _foreign(self, vms: Iterable[VM]) -> tuple[VM, ...]:
        """VMs that somebody cloned from one of ours: they carry our line with another id."""
        found = []
        for vm in vms:
            stamp = _stamp.foreign(vm.notes, vm.id)
            if stamp is not None and stamp.template_id == self.layout.template_id and not self._is_ours(vm):
                found.append(vm)
        return tuple(found)

    def _copy(self, vm: VM) -> Copy:
        stamp = _stamp.parse(vm.notes, vm.id)
        folder = self._folder(vm)
        made_for = attempt_of(name_of(folder)) if folder else None
        revision = stamp.revision if stamp is not None else (made_for[0] if made_for else None)
        text = self.host.read_text(self.layout.baseline(folder)) if folder else None
        baseline = None if text is None else Baseline.from_json(text)
        superseded = stamp is not None and stamp.superseded
        reasons: list[str] = []
        if baseline is not None and not superseded and revision == self.revision:
            reasons = self._differences(vm, baseline)
        elif not folder:
            reasons = [f"It was moved: its files lie in {vm.path}."]
        return Copy(
            vm_id=vm.id,
            name=vm.name,
            state=vm.state,
            busy=vm.busy,
            revision=revision,
            folder=folder,
            finished=baseline is not None or (stamp is not None and not folder),
            superseded=superseded,
            reasons=tuple(reasons),
        )

    def _folder(self, vm: VM) -> str:
        """The attempt folder that the VM's configuration lies in; empty when it lies elsewhere."""
        if not self.layout.owns(vm.path):
            return ""
        first = relative(vm.path, self.layout.template).split("\\", 1)[0]
        return join(self.layout.template, first) if attempt_of(first.lower()) else ""

    def _differences(self, vm: VM, baseline: Baseline) -> list[str]:
        paths = [drive.path for drive in self.host.drives(vm.id) if drive.is_file]
        shown = Baseline(
            vm_id=vm.id, state=vm.state, revision=baseline.revision, disks=tuple(self.host.disk_facts(paths))
        )
        return differences(baseline, shown)

    def _leftovers(self, copies: Iterable[Copy]) -> tuple[str, ...]:
        """Attempt folders in which no VM of ours lives."""
        homes = {fold(copy.folder) for copy in copies if copy.folder}
        entries = self.host.entries(self.layout.template) or ()
        return tuple(
            entry.path
            for entry in entries
            if entry.is_folder and not entry.is_link and attempt_of(entry.name) and fold(entry.path) not in homes
        )


def _verdict(alive: Iterable[Copy], current: Copy | None, name: str, revision: str) -> tuple[str, tuple[str, ...]]:
    if current is not None:
        return CURRENT, ()
    finished = [copy for copy in alive if copy.finished]
    same = [copy for copy in finished if copy.revision == revision]
    if same:
        return DIFFERS, _reasons(same[0], name)
    if finished:
        return OLDER, (f"It holds revision {finished[0].revision or 'unknown'}.",)
    return NONE, ()


def _reasons(copy: Copy, name: str) -> tuple[str, ...]:
    renamed = () if copy.name == name or copy.unnamed else (f"It was renamed to {copy.name!r}.",)
    return (*copy.reasons, *renamed)


__all__ = ("CURRENT", "DIFFERS", "NONE", "OLDER", "Copy", "CopyState", "Reader", "temporary_name")
