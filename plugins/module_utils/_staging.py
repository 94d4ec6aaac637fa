# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The clones of a template on their way, as the source shows them, and the owner files that say whose they are."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta

from ansible_collections.fanout.hyperv.plugins.module_utils._exporting import EXPORTING
from ansible_collections.fanout.hyperv.plugins.module_utils._lease import process_lives, process_started
from ansible_collections.fanout.hyperv.plugins.module_utils._moving import is_moving
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import Layout, fold, inside, join

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Entry
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Owner, Values

IN_SERVICE = "InService"
"""A VM's first operational status while the host works on it. Others besides Ok say that something is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class FolderOwner:
    """``owner.json`` of a clone's or an attempt's folder: who made it, and for which target.

    ``target`` is the identity of the target's computer, ``folder`` the attempt's folder there.
    """

    controller: str
    pid: int
    run: str
    started: str | None
    template_id: str
    revision: str
    attempt: str
    target: str
    folder: str

    @classmethod
    def of(
        cls, owner: Owner, *, template_id: str, revision: str, attempt: str, target: str, folder: str
    ) -> FolderOwner:
        """The owner file of work that this process begins."""
        return cls(
            controller=owner.controller,
            pid=owner.pid,
            run=owner.run,
            started=process_started(owner.pid),
            template_id=template_id,
            revision=revision,
            attempt=attempt,
            target=target,
            folder=folder,
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=True, indent=1)

    @classmethod
    def from_json(cls, text: str | None) -> FolderOwner | None:
        """The owner; None when there is no file, or not one of ours."""
        try:
            values = json.loads(text) if text is not None else None
            return None if values is None else cls(**{**values, "pid": int(values["pid"])})
        except (ValueError, TypeError, KeyError, RecursionError):
            return None


@dataclass(frozen=True, kw_only=True)
class Clone:
    """One clone's folder on the source. ``vm`` is None while the import runs, or when it left nothing but files."""

    folder: str
    revision: str
    attempt: str
    owner: FolderOwner | None
    vm: VM | None
    moving: bool
    silent: timedelta

    def abandoned(self, me: Owner, expiry: timedelta, lives: Callable[[int, str | None], bool] = process_lives) -> bool:
        """Whether nobody works with it: nothing moves, and its maker is dead or has been silent for too long."""
        if self.moving:
            return False
        if self.owner is not None and self.owner.controller == me.controller:
            return not lives(self.owner.pid, self.owner.started)
        return abs(self.silent) > expiry

    def to_dict(self) -> Values:
        """For results."""
        return {
            "folder": self.folder,
            "revision": self.revision,
            "attempt": self.attempt,
            "vm": None if self.vm is None else self.vm.id,
            "moving": self.moving,
            "target": None if self.owner is None else self.owner.target,
        }


def revision_folders(host: Host, layout: Layout) -> tuple[str, ...]:
    """The names of the folders in the template's staging folder: revisions, if nobody has put something else there."""
    found = host.files.entries(layout.template) or ()
    return tuple(entry.name for entry in found if entry.is_folder and not entry.is_link)


def read_clones(host: Host, layout: Layout, revisions: Iterable[str] | None = None) -> tuple[Clone, ...]:
    """All clones of the template, of every revision. Pass ``revisions`` when their folders were listed a moment ago."""
    folders = [
        (revision, entry)
        for revision in (revision_folders(host, layout) if revisions is None else revisions)
        for entry in host.files.entries(layout.clones(revision)) or ()
        if entry.is_folder and not entry.is_link
    ]
    if not folders:
        return ()
    vms = host.vms()
    jobs = host.jobs()
    now = host.now()
    clones = []
    for revision, entry in folders:
        vm = next((vm for vm in vms if lies_in(vm, entry.path)), None)
        inner = {fold(file.name): file for file in host.files.entries(entry.path) or ()}
        owner_file: Entry | None = inner.get(fold("owner.json"))
        owner = FolderOwner.from_json(host.files.read_text(layout.owner(entry.path)))
        clones.append(
            Clone(
                folder=entry.path,
                revision=revision,
                attempt=entry.name,
                owner=owner,
                vm=vm,
                moving=vm is not None and is_moving(vm, jobs, vms),
                silent=now - (owner_file or entry).modified,
            )
        )
    return tuple(clones)


def under_way(host: Host, clones: Iterable[Clone], target: str, name: str) -> tuple[Clone, ...]:
    """The clones for that target that the host works on, whoever has asked for it: it imports, moves or changes them.

    An import shows as a planned VM of the template's name. It does not say in which folder, so it counts for those in
    which there is no VM yet.
    """
    mine = [clone for clone in clones if clone.owner is not None and clone.owner.target == target]
    imports = any(clone.vm is None for clone in mine) and _imports(host, name)
    return tuple(
        clone for clone in mine if clone.moving or (imports if clone.vm is None else IN_SERVICE in clone.vm.statuses)
    )


def _imports(host: Host, name: str) -> bool:
    """Whether a VM of that name is being imported on the host."""
    return any(planned.name == name for planned in host.planned_vms())


def works_with(host: Host, name: str) -> bool:
    """Whether a host works with a copy of that name: it imports one (a guest has its name then, too), or exports it."""
    return any(vm.name == name and EXPORTING in vm.statuses for vm in host.vms()) or _imports(host, name)


def lies_in(vm: VM, folder: str) -> bool:
    """Whether the VM's configuration lies in this folder."""
    path = vm.configuration_location or vm.path
    return inside(join(path, "Virtual Machines"), folder)


__all__ = (
    "Clone",
    "FolderOwner",
    "lies_in",
    "read_clones",
    "revision_folders",
    "under_way",
    "works_with",
)
