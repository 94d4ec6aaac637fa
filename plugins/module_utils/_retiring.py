# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Takes a template away from a provider: its copies, what attempts have left, and guests if that is wanted.

Everything is decided on what the provider shows, so a removal that was killed is finished by the next one.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PureWindowsPath

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._copies import look
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Conflict, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._lease import Lease
from ansible_collections.fanout.hyperv.plugins.module_utils._listing import obstacle
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import is_clone, our_place, shown
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import Layout, inside, is_revision, name_of
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import Remover, dependents
from ansible_collections.fanout.hyperv.plugins.module_utils._staging import (
    Clone,
    read_clones,
    under_way,
    works_with,
)

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._holdings import Copies
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Values, Work


@dataclass(frozen=True, kw_only=True)
class User:
    """A VM whose disks depend on a copy. ``kind`` is ``guest`` when it is a guest of that template, else ``other``."""

    id: str
    name: str
    kind: str
    state: str


def users_of(host: Host, found: Copies, template_id: str, vms: Iterable[VM]) -> tuple[User, ...]:
    """The VMs that need a disk of one of the copies, also through a chain; one that cannot be read counts."""
    copies = {copy.vm.id for copy in found.copies}
    if not copies:
        return ()
    disks = [drive.path for drive in host.drives() if drive.vm_id in copies and drive.is_file]
    ids = set(dependents(host, "", disks)) - copies
    return tuple(_user(vm, template_id) for vm in vms if vm.id in ids)


def _user(vm: VM, template_id: str) -> User:
    stamp = _stamp.parse(vm.notes, vm.id)
    ours = stamp is not None and stamp.kind == "guest" and stamp.template_id == template_id
    return User(id=vm.id, name=vm.name, kind="guest" if ours else "other", state=vm.state)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a provider has of the template, and who needs it."""

    copies: Copies
    users: tuple[User, ...]
    vms: tuple[VM, ...]

    @property
    def anything(self) -> bool:
        """Whether there is something that can go."""
        return bool(self.copies.copies or self.copies.cleanable)


@dataclass(kw_only=True)
class Retirement:
    """The removal of one template from one provider. ``carry_out`` is the whole of it.

    ``staging_path`` is the template's on the source, where clones for this provider may be on their way.
    """

    work: Work
    template_id: str
    name: str
    target_path: str
    staging_path: str | None
    remove_guests: bool
    lease_seconds: float
    left: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._here = Layout(self.target_path, self.template_id)
        self._lease = Lease(
            self.host, self._here.copy_lease, self.work.owner, expiry=timedelta(seconds=self.lease_seconds)
        )

    @property
    def host(self) -> Host:
        """The provider."""
        return self.work.host

    def look(self) -> Found:
        """What is there now."""
        vms = self.host.vms()
        copies = look(
            self.host,
            base=self.target_path,
            template_id=self.template_id,
            name=self.name,
            revision=None,
            vms=[vm for vm in vms if not is_clone(vm)],  # on the source they are on their way to others
        )
        return Found(copies=copies, users=users_of(self.host, copies, self.template_id, vms), vms=vms)

    def refuse(self, found: Found) -> None:
        """Raise when something stands in the way; nothing was touched then."""
        shown_copies: Values = {**found.copies.to_dict(), "users": shown(found.users)}
        finding = obstacle(self.host.label, shown_copies, remove_guests=self.remove_guests)
        if finding is not None:
            raise Refused(finding.what, code=finding.code, remedy=finding.remedy, host=self.host.label)

    def carry_out(self) -> Values:
        """Remove guests that depend on the copies, the copies, leftovers, and the folders that are empty then."""
        self.host.files.ensure_folder(self._here.leases)
        with self._lease.held(self._is_worked_for, check=self.work.reporter.check):
            found = self.look()
            self.refuse(found)
            self._refuse_moving()
            self.work.reporter.phase("removing")
            if self.remove_guests:
                self._remove([vm for vm in found.vms if vm.id in {user.id for user in found.users}])
            self._remove([copy.vm for copy in found.copies.copies], {c.vm.id: c.folder for c in found.copies.copies})
            for leftover in self.look().copies.cleanable:
                self._lease.check()
                self.left += self._remover().clear(leftover.folder)
            self._clear_exports()
            self._read_back()
            self._tidy(self._here.template)
        for folder in (self._here.leases, self._here.root):
            self._tidy(folder)
        return {"left": self.left}

    def _is_worked_for(self) -> bool:
        """Asked when the lease's holder has gone. A move on its way here is refused with a reason of its own."""
        clones = self._clones()
        if clones:
            mine = self.host.computer().identity
            clones = under_way(self.work.other("source"), clones, mine, self.name)
        return any(not clone.moving for clone in clones) or works_with(self.host, self.name)

    def _clones(self) -> tuple[Clone, ...]:
        """Clones on the source, if it is known."""
        if not self.work.has("source") or self.staging_path is None:
            return ()
        return read_clones(self.work.other("source"), Layout(self.staging_path, self.template_id))

    def _refuse_moving(self) -> None:
        """A copy that is on its way here would arrive after the removal."""
        clones = self._clones()
        mine = self.host.computer().identity if clones else ""
        moving = [clone for clone in clones if clone.moving and clone.owner and clone.owner.target == mine]
        if moving:
            raise Conflict(
                f"A copy of {self.name} is on its way to {self.host.label}; nothing was removed.",
                code="COPY_ON_ITS_WAY",
                remedy="Wait until it has arrived, then run again.",
                host=self.host.label,
                transient=True,
            )

    def _remove(self, vms: Iterable[VM], folders: dict[str, str | None] | None = None) -> None:
        for vm in vms:
            self._lease.check()
            folder = guest_folder(vm, self.template_id) if folders is None else folders[vm.id]
            if folder is not None:
                self.left += self._remover().remove_vm(vm, folder)
                continue
            # It was moved to a place that is not ours: its files are not, either.
            disks = [drive.path for drive in self.host.drives(vm.id) if drive.is_file]
            self.host.remove_vm(vm.id)
            self.left += disks

    def _clear_exports(self) -> None:
        """Exports of the copy from which guests are made lie among the guests."""
        for entry in self.host.files.entries(self._here.guests) or ():
            if entry.is_folder and not entry.is_link and is_guest_export(entry.name):
                self._lease.check()
                self.left += self._remover().clear(entry.path)
        self._tidy(self._here.guests)

    def _read_back(self) -> None:
        still = self.look().copies.copies
        if still:
            raise Conflict(
                f"{self.host.label} still has {', '.join(copy.vm.id for copy in still)} after the removal.",
                remedy="Run again.",
                host=self.host.label,
            )

    def _tidy(self, folder: str) -> None:
        self.host.files.remove_folder_if_empty(folder)

    def _remover(self) -> Remover:
        def check() -> None:
            self.work.reporter.check()
            self._lease.renew()

        return Remover(host=self.host, check=check)


def guest_folder(vm: VM, template_id: str) -> str | None:
    """The folder of its own that a guest has below the template's; None when it lies elsewhere."""
    path = vm.configuration_location or vm.path
    place = our_place(path)
    if place is None or place[0] != template_id or len(place[1]) < 2:
        return None
    parts = PureWindowsPath(path).parts
    base = str(PureWindowsPath(*parts[: len(parts) - len(place[1]) - 2]))
    layout = Layout(base, template_id)
    return layout.guest(place[1][1]) if inside(path, layout.guests) else None


def is_guest_export(name: str) -> bool:
    """Whether a folder among the guests has the name of an export of the copy."""
    _word, dash, revision = name.partition("-")
    return bool(dash) and is_revision(revision) and name_of(Layout("C:\\", "x").guest_export(revision)) == name


__all__ = ("Found", "Retirement", "User", "guest_folder", "users_of")
