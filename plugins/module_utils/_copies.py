# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What a target holds of one template: copies, leftovers of attempts, and VMs that are in the way.

Ours is decided by identity alone: a stamp that names the VM's own id, or a place in an attempt's folder.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._baseline import Baseline, differences
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import our_place, shown
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import (
    BASELINE,
    OWNER,
    ROOT,
    Layout,
    attempt_of,
    fold,
    join,
    name_of,
    parent,
    same,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import (
    REMOVABLE_STATES,
    dependents,
    is_stuck,
)

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Entry
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Values


def temporary_name(vm_id: str) -> str:
    """The name of a VM of ours that is not, or no longer, the copy people use."""
    return f"fanout-{vm_id[:8]}"


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A VM on a target that is ours for this template. ``folder`` is its attempt's folder; None when it lies elsewhere.

    ``verified``: it was right once, so it has a baseline. ``reasons``: how it differs from that. ``kept``: why a
    superseded copy cannot be removed now.
    """

    vm: VM
    stamp: _stamp.Stamp | None
    folder: str | None
    verified: bool
    reasons: tuple[str, ...] = ()
    kept: str | None = None

    @property
    def revision(self) -> str | None:
        """The revision that it is a copy of: by its stamp, else by its folder's name."""
        if self.stamp is not None and self.stamp.revision is not None:
            return self.stamp.revision
        attempt = None if self.folder is None else attempt_of(name_of(self.folder).lower())
        return None if attempt is None else attempt[0]

    @property
    def superseded(self) -> bool:
        """Whether a newer copy has taken its place."""
        return self.stamp is not None and self.stamp.superseded

    @property
    def removable(self) -> bool:
        """Whether it is only still there because nobody has removed it."""
        return self.superseded and self.kept is None

    @property
    def finished(self) -> bool:
        """Whether everything was done to it: the name comes last."""
        named = self.vm.name != temporary_name(self.vm.id)
        return self.stamp is not None and not self.superseded and named and (self.verified or self.folder is None)

    def to_dict(self) -> Values:
        """For results."""
        return {
            "id": self.vm.id,
            "name": self.vm.name,
            "state": self.vm.state,
            "revision": self.revision,
            "folder": self.folder,
            "verified": self.verified,
            "superseded": self.superseded,
            "removable": self.removable,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """An attempt's folder in which no VM lies: of an attempt that failed, or of one that is still on its way.

    ``stuck``: what is left in it is not ours, so it stays.
    """

    folder: str
    revision: str
    attempt: str
    owner: Values | None
    size: int
    stuck: bool = False


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Everything that a target holds of a template, seen from the revision that it should hold."""

    name: str
    revision: str | None
    copies: tuple[Copy, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    conflicts: tuple[VM, ...] = ()
    foreign: tuple[VM, ...] = ()

    @property
    def current(self) -> Copy | None:
        """The verified, unchanged copy of the revision."""
        return next((copy for copy in self._finished() if self._is_right(copy) and not copy.reasons), None)

    @property
    def arrived(self) -> Copy | None:
        """A copy of the revision that lies on the target and was not finished."""
        if self.current is not None:
            return None
        unfinished = (copy for copy in self.copies if not copy.superseded and not copy.finished)
        return next((copy for copy in unfinished if copy.folder is not None and self._is_right(copy)), None)

    @property
    def cleanable(self) -> tuple[Leftover, ...]:
        """Leftovers of which something can go."""
        return tuple(leftover for leftover in self.leftovers if not leftover.stuck)

    @property
    def removable(self) -> tuple[Copy, ...]:
        """Superseded copies that can go."""
        return tuple(copy for copy in self.copies if copy.removable)

    @property
    def verdict(self) -> str:
        """One word: current, differs, older or none; unknown as long as the revision is not known."""
        if self.revision is None:
            return "unknown"
        if self.current is not None:
            return "current"
        finished = self._finished()
        if any(self._is_right(copy) for copy in finished):
            return "differs"
        return "older" if finished or any(copy.superseded for copy in self.copies) else "none"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why what is there is not taken for a copy of the revision."""
        if self.current is not None:
            return ()
        finished = self._finished()
        differing = tuple(reason for copy in finished if self._is_right(copy) for reason in copy.reasons)
        older = tuple(f"It holds revision {copy.revision or 'unknown'}." for copy in finished)
        return differing or older[:1]

    def _finished(self) -> list[Copy]:
        return [copy for copy in self.copies if copy.finished]

    def _is_right(self, copy: Copy) -> bool:
        return self.revision is not None and copy.revision == self.revision

    def to_dict(self) -> Values:
        """For results."""
        return {
            "verdict": self.verdict,
            "copies": [copy.to_dict() for copy in self.copies],
            "arrived": None if self.arrived is None else self.arrived.to_dict(),
            "conflicts": [{"id": vm.id, "name": vm.name} for vm in self.conflicts],
            "foreign": [{"id": vm.id, "name": vm.name} for vm in self.foreign],
            "leftovers": shown(self.leftovers),
            "leftover_bytes": sum(leftover.size for leftover in self.cleanable),
            "reasons": list(self.reasons),
        }


def look(
    host: Host,
    *,
    base: str,
    template_id: str,
    name: str,
    revision: str | None,
    vms: Iterable[VM] | None = None,
) -> Copies:
    """Ask a target what it holds of the template. Pass ``vms`` when its VMs were listed a moment ago."""
    everything = tuple(host.vms() if vms is None else vms)
    ours = [vm for vm in everything if is_ours(vm, template_id)]
    others = [vm for vm in everything if vm not in ours]
    copies = tuple(_copy(host, vm, template_id, name, revision) for vm in ours)
    folders = [copy.folder for copy in copies if copy.folder is not None]
    return Copies(
        name=name,
        revision=revision,
        copies=copies,
        leftovers=tuple(_leftovers(host, Layout(base, template_id), folders)),
        conflicts=tuple(vm for vm in others if fold(vm.name) == fold(name)),
        foreign=tuple(vm for vm in others if _is_foreign(vm, template_id)),
    )


def is_ours(vm: VM, template_id: str) -> bool:
    """Whether the VM is a copy of this template by its valid stamp, or lies in an attempt's folder of it."""
    stamp = _stamp.parse(vm.notes, vm.id)
    if stamp is not None:
        return stamp.kind == "copy" and stamp.template_id == template_id
    return vm.id != template_id and attempt_folder(vm, template_id) is not None


def _is_foreign(vm: VM, template_id: str) -> bool:
    """Whether somebody cloned the VM from one of ours: it carries our line with another id."""
    stamp = _stamp.foreign(vm.notes, vm.id)
    return stamp is not None and stamp.template_id == template_id


def attempt_folder(vm: VM, template_id: str) -> str | None:
    """The attempt's folder that the VM's configuration lies in; None when it lies elsewhere."""
    path = vm.configuration_location or vm.path
    place = our_place(path)
    if place is None or place[0] != template_id or not place[1] or attempt_of(place[1][0].lower()) is None:
        return None
    while not _is_attempt_of(path, template_id, place[1][0]):
        path = parent(path)
    return path


def _is_attempt_of(path: str, template_id: str, attempt: str) -> bool:
    template = parent(path)
    names = (name_of(path), name_of(template), name_of(parent(template)))
    return tuple(map(fold, names)) == tuple(map(fold, (attempt, template_id, ROOT)))


def _copy(host: Host, vm: VM, template_id: str, name: str, wanted: str | None) -> Copy:
    stamp = _stamp.parse(vm.notes, vm.id)
    folder = attempt_folder(vm, template_id)
    baseline = None if folder is None else _baseline(host, folder)
    verified = baseline is not None and baseline.vm_id == vm.id
    copy = Copy(vm=vm, stamp=stamp, folder=folder, verified=verified)
    if copy.superseded:
        return replace(copy, kept=_why_kept(host, copy))
    if copy.revision != wanted:
        return copy
    reasons: list[str] = []
    if folder is None:
        reasons.append(f"It was moved: its configuration lies in {vm.configuration_location or vm.path}.")
    if baseline is not None and verified:
        reasons += differences(baseline, show(host, vm, copy.revision or baseline.revision))
    if vm.name not in (name, temporary_name(vm.id)):
        reasons.append(f"It was renamed to {vm.name!r}.")
    return Copy(vm=vm, stamp=stamp, folder=folder, verified=verified, reasons=tuple(reasons))


def _why_kept(host: Host, copy: Copy) -> str | None:
    """Why a superseded copy has to stay for now; None when it can go."""
    if copy.folder is None:
        return "it was moved out of our folder"
    if copy.vm.state not in REMOVABLE_STATES:
        return f"it is {copy.vm.state}"
    users = dependents(host, copy.vm.id, [drive.path for drive in host.drives(copy.vm.id) if drive.is_file])
    return f"the disks of {len(users)} VMs depend on it" if users else None


def show(host: Host, vm: VM, revision: str) -> Baseline:
    """What a copy looks like now, in the form in which it is compared."""
    paths = [drive.path for drive in host.drives(vm.id) if drive.is_file]
    return Baseline(vm_id=vm.id, state=vm.state, revision=revision, disks=host.disk_facts(host.disks(paths)))


def _baseline(host: Host, folder: str) -> Baseline | None:
    """The baseline in the folder. A damaged one counts as none: the copy is then verified again."""
    text = host.files.read_text(join(folder, BASELINE))
    if text is None:
        return None
    try:
        return Baseline.from_json(text)
    except HyperVError:
        return None


def _leftovers(host: Host, layout: Layout, taken: Iterable[str]) -> Iterator[Leftover]:
    homes = list(taken)
    for entry in host.files.entries(layout.template) or ():
        named = attempt_of(entry.name.lower()) if entry.is_folder and not entry.is_link else None
        if named is None or any(same(entry.path, folder) for folder in homes):
            continue
        owner = owner_of(host, entry.path)
        inner = host.files.tree(entry.path)
        size, stuck = size_of(inner), is_stuck(host, inner)
        yield Leftover(folder=entry.path, revision=named[0], attempt=named[1], owner=owner, size=size, stuck=stuck)


def owner_of(host: Host, folder: str) -> Values | None:
    """What the owner file of a clone's or attempt's folder says; None when there is none that we can read."""
    text = host.files.read_text(join(folder, OWNER))
    try:
        values = json.loads(text) if text is not None else None
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def size_of(entries: Iterable[Entry]) -> int:
    """The bytes of the files of a folder of ours, links left aside."""
    return sum(entry.size for entry in entries if not entry.is_folder and not entry.is_link)


__all__ = (
    "Copies",
    "Copy",
    "Leftover",
    "attempt_folder",
    "is_ours",
    "look",
    "owner_of",
    "show",
    "size_of",
    "temporary_name",
)
