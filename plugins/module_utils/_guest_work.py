# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The guests of one template on one provider, from what is there to what is asked for.

Everything is decided on what the provider shows. A guest that is made anew leaves a note before it goes, so that a run
that was killed in between is finished by the next one.
"""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from ansible_collections.fanout.hyperv.plugins.module_utils._copies import look as look_at_copies
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Conflict, NotFound, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._guest_checks import (
    check_macs,
    guest_space,
    refuse_unlinkable,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._guest_making import Maker, Origin
from ansible_collections.fanout.hyperv.plugins.module_utils._guest_stopping import Stopper
from ansible_collections.fanout.hyperv.plugins.module_utils._guests import (
    FULL,
    LINKED,
    Found,
    Guest,
    Making,
    Pending,
    Unfinished,
    copy_name,
    guests_among,
    look,
    other_paths,
    pending_notes,
    pending_path,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._lease import Lease
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import is_clone
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import Layout, fold, same
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import REMOVABLE_STATES, Remover
from ansible_collections.fanout.hyperv.plugins.module_utils._staging import works_with

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._holdings import Copies, Copy
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Entry
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Values, Work

PRESENT, RECREATED, ABSENT = "present", "recreated", "absent"
ROOM_OF_A_LINKED_GUEST = 64 * 1024 * 1024
"""Bytes of a guest's configuration, its runtime state, and a differencing disk that is nearly empty."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is asked for. Times are seconds. ``wanted`` has None where the guest that was, or the copy, decides.

    ``names`` are exact; an empty list means, for guests that are made anew, all outdated ones.
    """

    template_id: str
    name: str
    revision: str
    target_path: str
    state: str
    names: tuple[str, ...]
    wanted: Mapping[str, t.Any]
    everything: bool
    keep_macs: bool
    keep_export: bool
    turn_off: bool
    shutdown_timeout: float
    timeout: float
    lease_timeout: float
    lease_seconds: float

    def making(self, was: Mapping[str, t.Any] | None = None) -> Making:
        """What a guest is made with: what is asked for, else what the guest before it was made with."""
        before = Making.from_dict(was)
        old: Mapping[str, t.Any] = {} if before is None else before.to_dict()
        asked = {name: value for name, value in self.wanted.items() if value is not None}
        return Making(**{"kind": FULL, "path": self.target_path, **old, **asked})


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the provider shows."""

    copies: Copies
    found: Found
    vms: tuple[VM, ...]


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What is to be done, in this order."""

    discard: tuple[Unfinished, ...] = ()
    finish: tuple[Guest, ...] = ()
    remake: tuple[tuple[Guest, Making], ...] = ()
    make: tuple[tuple[str, Making, tuple[tuple[str, str], ...]], ...] = ()
    remove: tuple[Guest, ...] = ()
    forget: tuple[str, ...] = ()
    retire: tuple[Copy, ...] = ()
    exports: tuple[Entry, ...] = ()

    @property
    def makings(self) -> tuple[Making, ...]:
        return (*(making for _guest, making in self.remake), *(making for _name, making, _macs in self.make))

    @property
    def sentences(self) -> tuple[str, ...]:
        return (
            *(f"clean {one.folder}" for one in self.discard),
            *(f"finish {guest.vm.name}" for guest in self.finish),
            *(f"make {guest.vm.name} anew ({making.kind})" for guest, making in self.remake),
            *(f"make {name} ({making.kind})" for name, making, _macs in self.make),
            *(f"remove {guest.vm.name}" for guest in self.remove),
            *(f"forget {path}" for path in self.forget),
            *(f"remove the older copy of revision {copy.revision or 'unknown'}" for copy in self.retire),
            *(f"remove the export {entry.path}" for entry in self.exports),
        )


@dataclass(kw_only=True)
class GuestWork:
    """All of it for one provider. ``carry_out`` does the steps."""

    work: Work
    order: Order
    notes: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._here = Layout(self.order.target_path, self.order.template_id)

    @property
    def host(self) -> Host:
        return self.work.host

    # Looking and deciding

    def look(self) -> Seen:
        """What is there now."""
        vms = self.host.vms()
        order = self.order
        copies = look_at_copies(
            self.host,
            base=order.target_path,
            template_id=order.template_id,
            name=copy_name(order.name, order.template_id, vms),
            revision=order.revision,
            vms=[vm for vm in vms if not is_clone(vm)],
        )
        others = [Layout(path, order.template_id) for path in self._other_paths(vms)]
        return Seen(copies=copies, found=look(self.host, [self._here, *others], order.template_id, vms), vms=vms)

    def _other_paths(self, vms: Sequence[VM]) -> list[str]:
        """Where guests may lie besides the copies' folder: where they are asked for, and where they were made."""
        made = [guest.stamp.made for guest in guests_among(vms, self.order.template_id)]
        made += [note.made for _path, note in pending_notes(self.host, self._here)]
        return other_paths(self.order.target_path, self.order.wanted.get("path"), made)

    def plan(self, seen: Seen) -> Steps:
        """The steps; refuses what stands in the way before anything is touched."""
        order, found = self.order, seen.found
        self._refuse_conflicts(found)
        goes = list(self._affected(found)) if order.state != PRESENT else []
        remake = [(guest, order.making(guest.stamp.made)) for guest in goes if order.state == RECREATED]
        make = list(self._missing(found)) if order.state != ABSENT else []
        steps = Steps(
            discard=tuple(one for one in found.unfinished if not one.stuck),
            finish=tuple(guest for guest in found.guests if not guest.finished and guest not in goes),
            remake=tuple(remake),
            make=tuple(make),
            remove=tuple(goes) if order.state == ABSENT else (),
            forget=tuple(self._forgettable(found)),
            retire=tuple(copy for copy in seen.copies.removable if copy.folder is not None),
            exports=tuple(self._exports(found)),
        )
        self._check(steps, seen)
        return steps

    def _affected(self, found: Found) -> Iterator[Guest]:
        """The guests that are removed, or made anew."""
        order = self.order
        for guest in found.guests:
            named = any(fold(guest.vm.name) == fold(name) for name in order.names)
            if order.names and not named:
                continue
            if order.state == ABSENT or order.everything or guest.outdated(order.revision):
                yield guest

    def _missing(self, found: Found) -> Iterator[tuple[str, Making, tuple[tuple[str, str], ...]]]:
        """Guests to make: those that a killed run has removed to make them anew, and those named that are not there."""
        order = self.order
        pending = {fold(note.name): note for _path, note in found.pending if found.named(note.name) is None}
        for name in order.names:
            if found.named(name) is None and fold(name) not in pending:
                yield name, order.making(), ()
        for note in pending.values():
            yield note.name, order.making(note.made), note.macs

    def _forgettable(self, found: Found) -> Iterator[str]:
        """Notes about guests that are there: they were written too late, or outlived their purpose."""
        for path, note in found.pending:
            if found.named(note.name) is not None or self.order.state == ABSENT:
                yield path

    def _exports(self, found: Found) -> Iterator[Entry]:
        """Exports of the copy that nobody needs any more; of other revisions in any case."""
        ours = self._here.guest_export(self.order.revision)
        for entry in found.exports:
            if not (self.order.keep_export and same(entry.path, ours)):
                yield entry

    # What stands in the way

    def _refuse_conflicts(self, found: Found) -> None:
        others = found.in_the_way([*self.order.names, *(note.name for _path, note in found.pending)])
        if others and self.order.state != ABSENT:
            raise Conflict(
                f"{self.host.label} has a VM {others[0].name!r} (id {others[0].id}) that is not a guest made by us of "
                f"{self.order.name}. Nothing was touched.",
                code="GUEST_NAME_CONFLICT",
                remedy="Rename or remove that VM yourself, or give the guests other names, then run again.",
                host=self.host.label,
            )

    def _check(self, steps: Steps, seen: Seen) -> None:
        for guest in (*(guest for guest, _making in steps.remake), *steps.remove):
            if guest.folder is None:
                raise Refused(
                    f"{guest.vm.name} ({guest.vm.id}) lies outside our folders, in {guest.vm.path}: it was moved. It "
                    "was not touched.",
                    code="GUEST_MOVED",
                    remedy="Remove it yourself, or leave it out.",
                    host=self.host.label,
                )
        if not steps.makings:
            return
        copy = seen.copies.current
        if copy is None:
            why = " ".join(seen.copies.reasons) or "It has none."
            raise Refused(
                f"{self.host.label} has no verified copy of {self.order.name}, revision {self.order.revision}. {why}",
                code="NO_CURRENT_COPY",
                remedy="Distribute the template to this provider (fanout.hyperv.distribute), then run again.",
                host=self.host.label,
            )
        self._check_copy(steps, seen, copy)

    def _check_copy(self, steps: Steps, seen: Seen, copy: Copy) -> None:
        definition = self.host.definition(copy.vm.id)
        if any(making.kind == LINKED for making in steps.makings):
            refuse_unlinkable(definition)
        known = {fold(switch.name) for switch in self.host.switches()}
        missing = sorted({one.switch for one in steps.makings if one.switch and fold(one.switch) not in known})
        if missing:
            raise NotFound(
                f"{self.host.label} has no virtual switch {missing[0]!r}; nothing was touched.",
                code="SWITCH_MISSING",
                remedy="Create it there (New-VMSwitch), or choose another one.",
                host=self.host.label,
            )
        size = sum(disk.file_size for disk in definition.disks)
        exported = any(same(entry.path, self._here.guest_export(self.order.revision)) for entry in seen.found.exports)
        export = size if any(making.kind == FULL for making in steps.makings) and not exported else 0
        needs: dict[str, int] = {self.order.target_path: export}
        for _name, making, _macs in steps.make:
            needed = size if making.kind == FULL else ROOM_OF_A_LINKED_GUEST
            needs[making.path] = needs.get(making.path, 0) + needed
        what = f"{len(steps.make)} new guests of {self.order.name}"
        finding = next(guest_space(self.host.label, self.host.volumes(), needs, what), None)
        if finding is not None:
            raise Refused(finding.what, code=finding.code, remedy=finding.remedy, host=self.host.label)

    # Doing it

    def carry_out(self) -> Values:
        """The steps, decided anew under the lease that keeps copy jobs of this template on this host apart."""
        self.host.files.ensure_folder(self._here.guests)
        alone = self._lease.held(
            self._is_worked_for, wait=self.order.lease_timeout, every=5, check=self.work.reporter.check
        )
        with alone:
            seen = self.look()
            steps = self.plan(seen)
            maker = self._maker(seen)
            for unfinished in steps.discard:
                self._discard(maker, unfinished)
            for guest in steps.finish:
                self._finish(maker, guest)
            for guest, making in steps.remake:
                self._remake(maker, guest, making)
            for name, making, macs in steps.make:
                maker.make(name, making, macs)
                self._forget(name, seen.found)
                self.made.append(name)
            for guest in steps.remove:
                self._remove(maker, guest)
            for path in steps.forget:
                self.host.files.remove_file(path)
            self._clean(maker)
        return {"notes": self.notes, "made": self.made, "removed": self.removed}

    def _is_worked_for(self) -> bool:
        """Asked when the lease's holder has gone: whether the host still makes a guest, or exports the copy for one."""
        return works_with(self.host, copy_name(self.order.name, self.order.template_id, self.host.vms()))

    def _maker(self, seen: Seen) -> Maker:
        """Without a copy nothing can be made, but what is left can be finished or cleaned."""
        return Maker(work=self.work, origin=self._origin(seen), alive=self._alive, timeout=self.order.timeout)

    def _origin(self, seen: Seen) -> Origin:
        copy = seen.copies.current
        source = "" if copy is None or copy.stamp is None else copy.stamp.source
        return Origin(
            copy=t.cast(t.Any, None) if copy is None else self.host.definition(copy.vm.id),
            layout=self._here,
            template_id=self.order.template_id,
            template_name=self.order.name,
            source=source,
            revision=self.order.revision,
        )

    def _discard(self, maker: Maker, unfinished: Unfinished) -> None:
        if unfinished.vm is not None and unfinished.vm.state not in REMOVABLE_STATES:
            self.host.turn_off(unfinished.vm.id)  # it never became a guest, so nobody works in it
        current = None if unfinished.vm is None else self.host.vm(unfinished.vm.id)
        self._left(maker.throw_away(Unfinished(folder=unfinished.folder, vm=current)))

    def _finish(self, maker: Maker, guest: Guest) -> None:
        making = Making.from_dict(guest.stamp.made) or self.order.making()
        if guest.folder is not None:
            maker.finish(guest.vm, making, guest.folder, guest.stamp)
            self.made.append(guest.vm.name)

    def _remake(self, maker: Maker, guest: Guest, making: Making) -> None:
        macs = check_macs(self.host.macs(guest.vm.id), guest.vm.name) if self.order.keep_macs else ()
        vm = self._stop(guest)
        path = pending_path(self._here, guest.vm.id)
        note = Pending(vm_id=guest.vm.id, name=guest.vm.name, made=making.to_dict(), macs=macs)
        self._alive()
        self.host.files.write_text(path, note.to_json())
        self._left(maker.remove(vm, str(guest.folder)))
        self.removed.append(guest.vm.id)
        maker.make(guest.vm.name, making, macs)
        self.made.append(guest.vm.name)
        self.host.files.remove_file(path)

    def _remove(self, maker: Maker, guest: Guest) -> None:
        vm = self._stop(guest)
        self._left(maker.remove(vm, str(guest.folder)))
        self.removed.append(guest.vm.id)

    def _forget(self, name: str, found: Found) -> None:
        for path, note in found.pending:
            if fold(note.name) == fold(name):
                self.host.files.remove_file(path)

    def _clean(self, maker: Maker) -> None:
        """Superseded copies go when nothing depends on them any more, and exports that nobody needs."""
        seen = self.look()
        for copy in seen.copies.copies:
            if copy.removable and copy.folder is not None:
                self._alive()
                self._left(Remover(host=self.host, check=self._alive).remove_vm(copy.vm, copy.folder))
            elif copy.superseded and not copy.retained:
                self.notes.append(f"{copy.vm.name} is kept: {copy.kept}")
        for entry in self._exports(seen.found):
            self._left(maker.throw_export_away(entry.path))
        self.host.files.remove_folder_if_empty(self._here.guests)

    def _left(self, paths: Sequence[str]) -> None:
        if paths:
            self.notes.append(f"left in place: {', '.join(paths)}")

    def _stop(self, guest: Guest) -> VM:
        self._alive()
        self.work.reporter.phase("stopping", reason=guest.vm.name)
        order = self.order
        stopper = Stopper(host=self.host, timeout=order.shutdown_timeout, turn_off=order.turn_off, alive=self._alive)
        return stopper.stop(guest.vm.id, guest.vm.name)

    # The lease

    @functools.cached_property
    def _lease(self) -> Lease:
        expiry = timedelta(seconds=self.order.lease_seconds)
        return Lease(self.work.control(), self._here.copy_lease, self.work.owner, expiry=expiry)

    def _alive(self) -> None:
        self.work.reporter.check()
        self._lease.renew()


__all__ = ("ABSENT", "PRESENT", "RECREATED", "GuestWork", "Order", "Seen", "Steps")
