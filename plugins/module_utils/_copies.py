# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Asks a target what it holds of one template: copies, leftovers of attempts, and VMs that are in the way.

Ours is decided by identity alone: a stamp that names the VM's own id, or a place in an attempt's folder.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._baseline import Baseline, differences
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    CommandFailed,
    HyperVError,
    sentences,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._holdings import (
    CHANGED,
    MOVED,
    OFF,
    RENAMED,
    STARTED,
    UNSTAMPED,
    Copies,
    Copy,
    Leftover,
    temporary_name,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import our_place
from ansible_collections.fanout.hyperv.plugins.module_utils._moving import shows_moving
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
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import dependents, is_stuck

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Disk, Entry, Glance
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Values


NOT_DAMAGE = frozenset({"ACCESS_DENIED"})
"""Errors of reading a disk that say nothing about the disk."""


def look(
    host: Host,
    *,
    base: str,
    template_id: str,
    name: str,
    revision: str | None,
    vms: Iterable[VM] | None = None,
    adopt: bool = False,
    keep: Collection[str] | None = None,
) -> Copies:
    """Ask a target what it holds of the template. Pass ``vms`` when its VMs were listed a moment ago.

    ``keep``: revisions whose superseded copies stay; None leaves those alone whose stamps say so.
    """
    everything = tuple(host.vms() if vms is None else vms)
    ours = [vm for vm in everything if is_ours(vm, template_id)]
    others = [vm for vm in everything if vm not in ours]
    layout = Layout(base, template_id)
    likely = _likely(ours, template_id, revision)
    seen = host.glance(layout.template, likely) if likely else None
    eye = _Eye(host=host, template_id=template_id, name=name, wanted=revision, keep=keep, seen=seen)
    copies = tuple(map(eye.copy, ours))
    folders = [copy.folder for copy in copies if copy.folder is not None]
    entries = host.files.entries(layout.template) if seen is None else seen.entries
    return Copies(
        name=name,
        revision=revision,
        copies=copies,
        leftovers=tuple(_leftovers(host, entries or (), folders)),
        conflicts=tuple(vm for vm in others if fold(vm.name) == fold(name)),
        foreign=tuple(vm for vm in others if _is_foreign(vm, template_id)),
        adopt=adopt,
    )


def _likely(vms: Iterable[VM], template_id: str, revision: str | None) -> dict[str, str]:
    """Copies that are as they should be as far as the list of VMs tells: the baseline's path by the VM's id."""
    found = {}
    for copy in (_first_look(vm, template_id) for vm in vms):
        if copy.folder is not None and copy.revision == revision and copy.vm.state == OFF and not copy.superseded:
            found[copy.vm.id] = join(copy.folder, BASELINE)
    return found


def _first_look(vm: VM, template_id: str) -> Copy:
    """What the list of VMs tells of a copy."""
    return Copy(vm=vm, stamp=_stamp.parse(vm.notes, vm.id), folder=attempt_folder(vm, template_id), verified=False)


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


@dataclass(frozen=True, kw_only=True)
class _Eye:
    """Looks closer at copies. What a glance has shown is not asked again."""

    host: Host
    template_id: str
    name: str
    wanted: str | None
    keep: Collection[str] | None
    seen: Glance | None

    def copy(self, vm: VM) -> Copy:
        """The copy, with how it differs from what it should be."""
        copy = _first_look(vm, self.template_id)
        folder = copy.folder
        if copy.superseded and copy.revision != self.wanted and _is_retained(copy, self.keep):
            return replace(copy, retained=True)  # nothing more is asked: each run would pay for it
        baseline = None if folder is None else self._baseline(folder)
        verified = baseline is not None and baseline.vm_id == vm.id
        copy = replace(copy, verified=verified)
        if copy.superseded or copy.unfinished:
            why = _why_kept(self.host, copy)
            size = 0 if why is not None or folder is None else size_of(self.host.files.tree(folder))
            copy = replace(copy, kept=why, size=size)
        if copy.stripped:
            return replace(copy, reasons=("It carries no stamp of ours in its Notes.",), word=UNSTAMPED)
        if copy.revision != self.wanted:
            return copy
        found = dict(self._differences(copy, baseline))
        return replace(copy, reasons=tuple(found), word=next(iter(found.values()), None))

    def _differences(self, copy: Copy, baseline: Baseline | None) -> Iterator[tuple[str, str]]:
        """How a copy of the wanted revision differs from what it was: sentences, each with its word; the name last."""
        vm = copy.vm
        if vm.state != OFF:
            yield f"It is {vm.state}, not {OFF}.", STARTED
        if copy.folder is None:
            yield f"It was moved: its configuration lies in {vm.configuration_location or vm.path}.", MOVED
        elif copy.verified and baseline is not None and vm.state == OFF:
            yield from ((text, CHANGED) for text in self._changes(vm, baseline, copy.revision or baseline.revision))
        if vm.name not in (self.name, temporary_name(vm.id)):
            yield f"It was renamed to {vm.name!r}.", RENAMED

    def _changes(self, vm: VM, baseline: Baseline, revision: str) -> list[str]:
        """How its disks differ from the baseline. A VM that runs lets nobody read them, so nothing is said of them."""
        disks = None if self.seen is None else self.seen.disks.get(vm.id)
        try:
            return differences(baseline, show(self.host, vm, revision, disks))
        except HyperVError as error:
            unreadable = isinstance(error, CommandFailed) or error.code == "VHDX_HEADER_INVALID"
            if not unreadable or error.transient or error.code in NOT_DAMAGE:
                raise
            return [sentences(f"Its disks cannot be read: {error}")]

    def _baseline(self, folder: str) -> Baseline | None:
        """The baseline in the folder. A damaged one counts as none: the copy is then verified again."""
        path = join(folder, BASELINE)
        known = None if self.seen is None else self.seen.texts.get(path)
        text = self.host.files.read_text(path) if known is None else known
        try:
            return None if text is None else Baseline.from_json(text)
        except HyperVError:
            return None


def _is_retained(copy: Copy, keep: Collection[str] | None) -> bool:
    if keep is None:
        return copy.stamp is not None and copy.stamp.kept
    return copy.revision in keep


def _why_kept(host: Host, copy: Copy) -> str | None:
    """Why a copy that is not used has to stay for now; None when it can go."""
    if copy.folder is None:
        return "it was moved out of our folder"
    if copy.vm.state != OFF:
        return f"it is {copy.vm.state}"
    if shows_moving(copy.vm):
        return "it is being moved"
    users = dependents(host, copy.vm.id, [drive.path for drive in host.drives(copy.vm.id) if drive.is_file])
    return f"the disks of {len(users)} VMs depend on it" if users else None


def show(host: Host, vm: VM, revision: str, disks: tuple[Disk, ...] | None = None) -> Baseline:
    """What a copy looks like now, in the form in which it is compared. Pass ``disks`` if they were just asked for."""
    shown = _disks(host, vm) if disks is None else disks
    return Baseline(vm_id=vm.id, state=vm.state, revision=revision, disks=host.disk_facts(shown))


def _disks(host: Host, vm: VM) -> tuple[Disk, ...]:
    """All disks of the VM in one question; those that are there, when that one is refused because some are not."""
    try:
        return host.disks_of(vm.id)
    except CommandFailed:
        return host.disks([drive.path for drive in host.drives(vm.id) if drive.is_file])


def _leftovers(host: Host, entries: Iterable[Entry], homes: Collection[str]) -> Iterator[Leftover]:
    for entry in entries:
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
