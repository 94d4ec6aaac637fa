# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Supplies one target with one revision: clone, move, verify, name. Each step reads the hosts before it writes.

A run that was killed at any point is continued from what the hosts show: a copy that has arrived is verified and named,
a move that is running is adopted, everything else is made anew and what was left is cleaned.
"""

from __future__ import annotations

import contextlib
import functools
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._baseline import Baseline
from ansible_collections.fanout.hyperv.plugins.module_utils._copies import Copies, Copy, show
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    HyperVError,
    LeaseLost,
    NotFound,
    OperationTimedOut,
    OutcomeUnknown,
    VerificationFailed,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._holdings import temporary_name
from ansible_collections.fanout.hyperv.plugins.module_utils._lease import Lease
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import is_clone
from ansible_collections.fanout.hyperv.plugins.module_utils._manifest import Manifest
from ansible_collections.fanout.hyperv.plugins.module_utils._moving import (
    POLL,
    Mover,
    has_room,
    in_flight,
    limit_of,
    no_room,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._order import (
    Order,
    look_for,
    refuse_conflicts,
    refuse_started,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import (
    Layout,
    attempt_of,
    join,
    name_of,
    new_attempt,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import Remover
from ansible_collections.fanout.hyperv.plugins.module_utils._staging import (
    Clone,
    FolderOwner,
    lies_in,
    read_clones,
    under_way,
    works_with,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._verifying import HASH, damage, verify
from ansible_collections.fanout.hyperv.plugins.module_utils._waiting import Every, wait_until

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, DiskFacts
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Values, Work

_GOES_ON = (OutcomeUnknown, OperationTimedOut, LeaseLost)
"""After these the work may still run on the hosts, or is somebody else's: nothing is cleaned up."""


@dataclass(kw_only=True)
class Supply:
    """One target's road from what is there to a verified copy. ``carry_out`` is the whole of it."""

    work: Work
    order: Order
    notes: list[str] = field(default_factory=list)
    attempts: int = 0
    """How often it was tried to carry it out."""
    begun: dict[str, str] = field(default_factory=dict)
    """The folders of clones that were begun and did not arrive, each with that of its attempt."""

    def __post_init__(self) -> None:
        self._here = Layout(self.order.target_path, self.order.template_id)
        self._there = Layout(self.order.staging_path, self.order.template_id)
        # Hashing keeps the target's session busy for long; the lease is renewed meanwhile.
        keeper = self.work.control() if self.order.verify == "hash" else self.work.host
        self._lease = Lease(
            keeper,
            self._here.copy_lease,
            self.work.owner,
            expiry=timedelta(seconds=self.order.lease_seconds),
        )
        self._heartbeat = Every(self.order.lease_seconds / 4)
        self._damage: dict[str, list[str]] = {}

    @property
    def target(self) -> Host:
        return self.work.host

    @property
    def source(self) -> Host:
        return self.work.other("source")

    def look(self) -> Copies:
        """What the target holds now, with what a closer look at copies that are there has brought."""
        found = look_for(self.order, self.target)
        for vm_id, wrong in self._damage.items():
            found = found.damaged(vm_id, wrong)
        return found

    def examine(self, found: Copies) -> Copies:
        """With ``hash``, read the disks of a copy that is there already; damage that sizes do not show is found so."""
        there = found.current or found.at_hand
        if self.order.verify != HASH or there is None or there.folder is None or there.vm.id in self._damage:
            return found
        wrong = damage(self.target, there.vm, there.folder, self._manifest, self.work.reporter)
        self._damage[there.vm.id] = wrong
        return found.damaged(there.vm.id, wrong)

    def carry_out(self) -> Values:
        """Supply the target. What is there already is kept, whatever killed the run that made it."""
        self.attempts += 1
        self.target.files.ensure_folder(self._here.template)
        with self._lease.held(self._work_goes_on, check=self.work.reporter.check):
            found = self.look()
            refuse_conflicts(found, self.target.label)
            if found.current is None:
                if found.removable:  # what is surplus already makes room for the new copy
                    self._retire(found)
                    found = self.look()
                self._make(found)
                found = self.look()
            self._retire(found)
            self._clean(found)
        return {"vm_id": None if found.current is None else found.current.vm.id, "notes": self.notes}

    def _work_goes_on(self) -> bool:
        """Asked when the lease's holder has gone: whether the hosts still work for it, after waiting for the end."""
        order = self.order
        told = False

        def ended() -> bool:
            nonlocal told
            if not self._is_worked_for():
                return True
            if not told:
                self.work.reporter.phase("waiting", reason="what a run that has gone has left running")
            told = True
            return False

        longest = max(order.clone_timeout, order.move_timeout)
        return not wait_until(ended, timeout=longest, every=POLL, check=self.work.reporter.check)

    def _is_worked_for(self) -> bool:
        """Whether something is under way for this target that cannot be adopted."""
        clones = under_way(self.source, read_clones(self.source, self._there), self._identity, self.order.name)
        return any(not self._adoptable(clone) for clone in clones) or works_with(self.target, self.order.name)

    def _adoptable(self, clone: Clone) -> bool:
        """Whether it is a copy of the revision on its way to this very computer."""
        right = clone.owner is not None and clone.owner.target == self._identity
        return right and clone.moving and clone.revision == self.order.revision

    def _make(self, found: Copies) -> None:
        """A verified copy under the template's name: one that was verified before has only to be stamped and named."""
        there = found.at_hand
        if there is not None and there.folder is not None:
            if there.superseded:
                self.notes.append(f"the copy of revision {there.revision} that was kept is the current one again")
            elif there.misnamed:
                self.notes.append(f"the copy that was renamed to {there.vm.name} has got its name back")
            disks = show(self.target, there.vm, self.order.revision).disks
            self._name(there.vm, there.folder, disks, found)
            return
        vm, folder = self._bring(found)
        self._finish(vm, folder, found)

    # Bringing a copy to the target

    def _bring(self, found: Copies) -> tuple[VM, str]:
        """A copy on the target that is to be verified: one that has arrived, one on its way, or a new one."""
        if found.arrived is not None:
            self.notes.append("a copy that had arrived before was taken")
            folder = str(found.arrived.folder)
            self._leave_behind(folder)
            return found.arrived.vm, folder
        clone = self._on_its_way()
        if clone is not None and clone.vm is not None and clone.owner is not None:
            self.work.reporter.note(f"{self.work.provider}: adopting the move that is running already")
            self._move(clone.vm, clone.owner.folder, clone.folder)
            vm = self._arrived(clone.vm.id)
            self._leave(clone.folder)
            return vm, clone.owner.folder
        self._clear_earlier_tries()
        self._wait_for_room()
        with self.work.slots.clone(self.order.clones, self._waiting):
            return self._clone_and_move()

    def _on_its_way(self) -> Clone | None:
        """A clone for this very computer that the source shows moving."""
        return next(filter(self._adoptable, read_clones(self.source, self._there)), None)

    def _clear_earlier_tries(self) -> None:
        """Clones that earlier tries of this very run have left idle. One whose import still runs is left to it."""
        vms = self.source.vms() if self.begun else ()
        for clone_folder, folder in list(self.begun.items()):
            if any(lies_in(vm, clone_folder) and not vm.busy for vm in vms):
                self._undo(clone_folder, folder)

    def _wait_for_room(self) -> None:
        """For a target at its limit nothing is cloned yet: such clones would keep others from theirs."""
        told = False

        def has_some() -> bool:
            nonlocal told
            if has_room(self.target, limit_of(self.target)):
                return True
            if not told:
                self.work.reporter.phase("waiting", reason="the hosts' migration limit")
            told = True
            return False

        if not wait_until(has_some, timeout=self.order.limit_timeout, every=POLL, check=self._waiting):
            raise no_room(self.order.migration_host, self.order.limit_timeout)

    def _clone_and_move(self) -> tuple[VM, str]:
        attempt = new_attempt()
        clone_folder = self._there.clone(self.order.revision, attempt)
        folder = self._here.attempt(self.order.revision, attempt)
        self.begun[clone_folder] = folder
        try:
            # All this before the clone is there: once it is, it can go into the line for a slot at once.
            self._prepare(attempt, folder)
            limits = [limit_of(host) for host in (self.work.control("source"), self.target)]
            with self.work.slots.exclusive("clone", self._waiting):
                vm = self._clone(attempt, clone_folder, folder)
            self._move(vm, folder, clone_folder, limits)
            vm = self._arrived(vm.id)
            self._leave(clone_folder)
        except _GOES_ON:
            raise
        except HyperVError:
            self._undo(clone_folder, folder)
            raise
        del self.begun[clone_folder]
        return vm, folder

    def _clone(self, attempt: str, clone_folder: str, folder: str) -> VM:
        """A VM of its own from the export: in its own folder, marked as ours before anything else."""
        self.work.reporter.phase("cloning")
        self._lease.check()
        self.source.files.ensure_folder(clone_folder)
        self._write_owner(self.source, self._there, clone_folder, attempt, folder)
        vm = self._imported(self.source, clone_folder, self._holding(clone_folder))
        shown = self.source.vm(vm.id)
        if shown is None:
            raise NotFound(f"The clone {vm.id} is not on {self.source.label} any more.", host=self.source.label)
        return shown

    def _imported(self, host: Host, folder: str, on_poll: Callable[[], None]) -> VM:
        """A VM of its own from the export, in this folder, named and stamped as one of ours."""
        vm = host.import_copy(
            join(self._there.export(self.order.revision), self._manifest.vmcx),
            folder,
            timeout=self.order.clone_timeout,
            on_progress=lambda record: self.work.reporter.progress(percent=record.percent),
            on_poll=on_poll,
        )
        host.rename_vm(vm.id, temporary_name(vm.id))
        host.set_notes(vm.id, _stamp.merge(_stamp.remove(vm.notes), self.order.stamp(vm.id)))
        return vm

    def _prepare(self, attempt: str, folder: str) -> None:
        """The attempt's folder on the target carries its owner file before the first byte arrives."""
        self._lease.check()
        self.target.files.ensure_folder(folder)
        self._write_owner(self.target, self._here, folder, attempt, folder)

    def _write_owner(self, host: Host, layout: Layout, place: str, attempt: str, folder: str) -> None:
        owner = FolderOwner.of(
            self.work.owner,
            template_id=self.order.template_id,
            revision=self.order.revision,
            attempt=attempt,
            target=self._identity,
            folder=folder,
        )
        host.files.write_text(layout.owner(place), owner.to_json())

    def _move(self, vm: VM, folder: str, clone_folder: str, limits: list[int] | None = None) -> None:
        hold = self._holding(clone_folder)  # an idle clone whose owner is silent is cleaned away
        Mover(
            source=self.source,
            control=self.work.control("source"),
            destination=self.target,
            vm=vm,
            destination_host=self.order.migration_host,
            folder=folder,
            reporter=self.work.reporter,
            timeout=self.order.move_timeout,
            wait_for_room=self.order.limit_timeout,
            bytes_total=sum(disk.file_size for disk in self._manifest.disks),
            on_poll=hold,
            slot=functools.partial(self._slot, vm.id, hold),
            limits=limits,
        ).carry_out()

    def _slot(self, vm_id: str, hold: Callable[[], None]) -> contextlib.AbstractContextManager[object]:
        """One of the run's copies, counting the moves that only the source shows."""
        self.work.reporter.phase("waiting", reason="a copy slot")
        moving = functools.partial(in_flight, self.work.control("source"), is_clone)
        return self.work.slots.copy(self.order.concurrency, vm_id, moving, hold)

    def _arrived(self, vm_id: str) -> VM:
        vm = self.target.vm(vm_id)
        if vm is None:
            raise NotFound(f"The copy {vm_id} is not on {self.target.label}.", host=self.target.label)
        return vm

    def _finish(self, vm: VM, folder: str, found: Copies) -> None:
        """Verify, write the baseline, stamp, and give the template's name last."""
        self.work.reporter.phase("verifying")
        try:
            facts = verify(
                self.target,
                vm,
                folder,
                self._manifest,
                how=self.order.verify,
                reporter=self.work.reporter,
                on_poll=self._lease.renew,
            )
        except VerificationFailed:
            self._lease.check()
            if found.arrived is None or not found.arrived.stripped:
                self._remover(self.target).remove_vm(vm, folder)
            raise
        self._name(vm, folder, facts, found)

    def _name(self, vm: VM, folder: str, disks: tuple[DiskFacts, ...], found: Copies) -> None:
        """A copy that is right gets its baseline, its stamp and, last, the template's name."""
        self._lease.check()
        if found.copies:  # bringing it took long: whoever has started an older copy meanwhile does not lose it
            refuse_started(found, self.target.vms(), self.target.label)
        self.work.reporter.phase("naming")
        baseline = Baseline(vm_id=vm.id, state=vm.state, revision=self.order.revision, disks=disks)
        self.target.files.write_text(self._here.baseline(folder), baseline.to_json())
        self.target.set_notes(vm.id, _stamp.merge(_stamp.remove(vm.notes), self.order.stamp(vm.id)))
        for old in found.copies:
            # One that was superseded by a run that was killed then may have the template's name still.
            if old.vm.id != vm.id and (not old.superseded or old.vm.name == self.order.name):
                self._supersede(old)
        self.target.rename_vm(vm.id, self.order.name)

    def _supersede(self, old: Copy) -> None:
        """Mark an older copy as such before the new one takes its name."""
        stamp = self.order.stamp(old.vm.id, revision=old.revision, superseded=True)
        self.target.set_notes(old.vm.id, _stamp.merge(_stamp.remove(old.vm.notes), stamp))
        self.target.rename_vm(old.vm.id, temporary_name(old.vm.id))

    def _retire(self, found: Copies) -> None:
        """Remove superseded copies that are not to be kept, and unfinished ones; none on whose disks a VM depends."""
        for old in found.copies:
            if old in (*found.removable, *found.surplus) and old.folder is not None:
                self._lease.check()
                self._remover(self.target).remove_vm(old.vm, old.folder)
            elif old.kept is not None and (note := f"{old.vm.name} is kept: {old.kept}") not in self.notes:
                self.notes.append(note)

    def _clean(self, found: Copies) -> None:
        """Remove the folders of attempts that nobody works on: the lease says that there is nobody else."""
        for leftover in found.cleanable:
            self._lease.check()
            left = self._remover(self.target).clear(leftover.folder)
            if left:
                self.notes.append(f"left in place: {', '.join(left)}")

    def _leave(self, clone_folder: str) -> None:
        """A move leaves empty folders at the source."""
        self._remover(self.source).clear(clone_folder)

    def _leave_behind(self, folder: str) -> None:
        """The same for a copy that has arrived in another run: its clone's folder has the attempt's name."""
        named = attempt_of(name_of(folder).lower())
        clone_folder = None if named is None else self._there.clone(*named)
        if clone_folder and not any(lies_in(vm, clone_folder) for vm in self.source.vms()):
            self._leave(clone_folder)

    def _undo(self, clone_folder: str, folder: str) -> None:
        """After a failure: take the clone and what came of it away. What cannot be removed now, the next run cleans."""
        with self._telling("clone"):
            vm = next((vm for vm in self.source.vms() if lies_in(vm, clone_folder)), None)
            remover = self._remover(self.source)
            if vm is not None:
                remover.remove_vm(vm, clone_folder)
            else:
                remover.clear(clone_folder)
        with self._telling("attempt"):
            if not any(lies_in(vm, folder) for vm in self.target.vms()):
                self._remover(self.target).clear(folder)

    @contextlib.contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """A clean-up that fails must not hide why it was needed."""
        try:
            yield
        except HyperVError as error:
            self.notes.append(f"the {what} could not be cleaned up now: {error}")

    @functools.cached_property
    def _identity(self) -> str:
        """The target's computer, however it is called in inventories."""
        return self.target.computer().identity

    @functools.cached_property
    def _manifest(self) -> Manifest:
        text = self.source.files.read_text(self._there.manifest(self.order.revision))
        if text is None:
            raise NotFound(
                f"There is no complete export of revision {self.order.revision} on {self.source.label}.",
                code="EXPORT_MISSING",
                remedy="Run the distribution again; it exports the template first.",
                host=self.source.label,
            )
        return Manifest.from_json(text)

    def _remover(self, host: Host) -> Remover:
        return Remover(host=host, check=self.work.reporter.check)

    def _waiting(self) -> None:
        self.work.reporter.check()
        self._lease.renew()

    def _holding(self, clone_folder: str) -> t.Callable[[], None]:
        """Called while a clone waits or is made: shows that its folder is in use."""

        def hold() -> None:
            self._waiting()
            if self._heartbeat.due():
                control = self.work.control("source")
                text = control.files.read_text(self._there.owner(clone_folder))
                if text is not None:
                    control.files.write_text(self._there.owner(clone_folder), text)

        return hold


__all__ = ("Supply",)
