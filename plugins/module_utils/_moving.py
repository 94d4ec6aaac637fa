# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Moves one VM with its storage to another host, and never twice: what runs already is adopted.

What happened is decided by reading back where the VM is, never by what the command said: an answer may be lost, and the
work goes on in the host's management service when a client goes away.
"""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    CommandFailed,
    Conflict,
    HyperVError,
    OperationTimedOut,
    OutcomeUnknown,
)

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects_host import MigrationJob
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Reporter

POLL = 5.0
SETTLE = 30.0
"""Seconds in which a VM that was moved appears at its new host."""

REFUSALS = 3
"""How often a move that was refused for no known reason is asked for again."""

LATE = 10.0
"""Seconds in which a job that was just started may still be missing in the host's list."""

MOVING = frozenset(
    {"MigratingVirtualMachine", "MigratingPlannedVm", "StorageMigrationPhaseOne", "StorageMigrationPhaseTwo"}
)
"""Operational statuses of a VM that is being moved; they show at once, where the job may be late."""


def shows_moving(vm: VM) -> bool:
    """Whether the VM itself says that it is being moved."""
    return not MOVING.isdisjoint(vm.statuses)


def is_moving(vm: VM, jobs: Iterable[MigrationJob], vms: Iterable[VM]) -> bool:
    """Whether the host shows that this VM is being moved, by its status or by a job."""
    return shows_moving(vm) or job_of(jobs, vm, vms) is not None


def job_of(jobs: Iterable[MigrationJob], vm: VM, vms: Iterable[VM]) -> MigrationJob | None:
    """The running migration of this VM. Hosts name the VM of a job by id or by name; a name counts only if unique."""
    unique = sum(other.name == vm.name for other in vms) == 1
    name = vm.name if unique else None
    return next((job for job in jobs if job.running and job.concerns(vm.id, name)), None)


def in_flight(host: Host, ours: Callable[[VM], bool]) -> frozenset[str]:
    """The ids of the VMs for which ``ours`` holds and which the host shows on their way to another host."""
    vms = host.vms()
    jobs = [job for job in host.jobs() if job.running] if any(map(ours, vms)) else []
    return frozenset(vm.id for vm in vms if ours(vm) and is_moving(vm, jobs, vms))


def limit_of(host: Host) -> int:
    """How many migrations the host takes at the same time; a move with storage counts against both of its limits."""
    settings = host.settings()
    return min(settings.maximum_migrations, settings.maximum_storage_migrations)


def has_room(host: Host, limit: int) -> bool:
    """Whether the host takes one more migration now."""
    return sum(job.running for job in host.jobs()) < limit


def no_room(destination: str, seconds: float) -> HyperVError:
    """That a host stayed at its limit for as long as it was to be waited for."""
    return HyperVError(
        f"No room for one more migration within {seconds:.0f} s: the limit of the source or of {destination} is "
        "reached.",
        code="MIGRATION_LIMIT",
        layer="hyperv",
        remedy="Wait for the running migrations, or raise the limits: Set-VMHost -MaximumVirtualMachineMigrations and "
        "-MaximumStorageMigrations.",
        transient=True,
    )


def _first_label(host: str) -> str:
    """A host's name without its domain; empty for an address, which cannot be compared with a name."""
    is_address = ":" in host or host.replace(".", "").isdigit()
    return "" if is_address else host.split(".")[0].lower()


@dataclass(kw_only=True)
class Mover:
    """One move. ``control`` is a second session to the source; ``destination`` may be unknown to us (no credentials).

    ``on_poll`` is called every few seconds while something runs or is waited for (to renew leases for instance).
    ``slot`` is held while this move is counted: what can be asked before and after is not asked in there, and a host's
    limit is not waited for in there. ``limits`` of source and destination are given for a VM that was made a moment
    ago, of which no move can be under way. ``wait_for_room``: seconds for all waiting at limits; standing in the line
    for a slot does not count.
    """

    source: Host
    control: Host
    destination: Host | None
    vm: VM
    destination_host: str
    folder: str
    reporter: Reporter
    timeout: float
    wait_for_room: float
    bytes_total: int | None = None
    on_poll: Callable[[], None] = lambda: None
    slot: Callable[[], AbstractContextManager[object]] = nullcontext
    limits: Sequence[int] | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self._percent = 0.0
        self._turned_away: list[CommandFailed] = []
        self._waited = 0.0

    def running(self) -> MigrationJob | None:
        """The migration of this VM that the source shows."""
        jobs = self.control.jobs()
        return job_of(jobs, self.vm, self.control.vms()) if any(job.running for job in jobs) else None

    def under_way(self) -> bool:
        """Whether the source shows that the VM is being moved, by a job or by the VM's status."""
        job = self.running()
        if job is not None:
            self._check_destination(job)
            return True
        return self._shows_moving()

    def _shows_moving(self) -> bool:
        here = self.control.vm(self.vm.id)
        return here is not None and shows_moving(here)

    def arrived(self) -> bool:
        """Whether the VM has left the source and, as far as we may ask there, is at its destination."""
        if self.control.vm(self.vm.id) is not None:
            return False
        return self.destination is None or self.destination.vm(self.vm.id) is not None

    def carry_out(self) -> str:
        """Move the VM, or wait for the move that runs. Returns ``moved`` or ``adopted``."""
        if self.limits is None and self.under_way():
            self.follow()
            return "adopted"
        how = self._move(list(self.limits or self._limits()))
        if not self._settles():
            raise self._not_arrived(None)
        return how

    def _move(self, limits: list[int]) -> str:
        """Take a slot when there is room, and give it back as long as there is none: others may have room."""
        limits = self._wait_for_room(limits)
        while (how := self._move_in_slot(limits)) is None:
            limits = self._wait_for_room(self._limits(), refused=True)
        return how

    def _move_in_slot(self, limits: Sequence[int]) -> str | None:
        """How the move came about; None when there was no room, so that it did not."""
        with self.slot():
            if self._full(self._hosts, limits):
                return None
            if self._attempt():
                return "moved"
            if self.under_way():
                self.follow()
                return "adopted"
            return None

    def follow(self) -> None:
        """Wait until the running move has ended, then see where the VM is."""
        self.reporter.phase("copying")
        deadline = self.clock() + self.timeout
        last: MigrationJob | None = None
        while (job := self.running()) is not None or self._shows_moving():
            if job is not None:
                last = job
                self._show(job.percent)
            self._pause()
            if self.clock() > deadline:
                raise OperationTimedOut(
                    f"The move of {self.vm.name} ({self.vm.id}) to {self.destination_host} still runs after "
                    f"{self.timeout:.0f} s.",
                    remedy="It goes on. Run again: the move is adopted. Or give it more time.",
                )
        if not self._settles():
            raise self._not_arrived(last)

    def _attempt(self) -> bool:
        """Start the move and wait for its end; False when it did not start and should be looked at again."""
        self.reporter.phase("copying")
        try:
            self.source.move_vm(
                self.vm.id,
                self.destination_host,
                self.folder,
                timeout=self.timeout,
                on_progress=lambda record: self._show(record.percent),
                on_poll=self._poll,
            )
        except (OutcomeUnknown, OperationTimedOut) as error:
            if self._settles(patience=LATE):
                return True
            if isinstance(error, OperationTimedOut) or not self.under_way():
                raise
            self.follow()
            return True
        except CommandFailed as error:
            if self.arrived():
                return True
            if self.under_way():
                return False
            if self._full(self._hosts, self._limits()) or self._was_full(error):
                return False
            raise self._turned_away[0] if self._turned_away else error from None
        return True

    def _settles(self, patience: float = 0) -> bool:
        """Whether the VM turns out to have arrived. It has not when it lies idle at the source after ``patience``."""
        start = self.clock()
        while not self.arrived():
            waited = self.clock() - start
            here = self.control.vm(self.vm.id)
            idle = here is not None and not here.busy and waited >= patience
            if idle or waited > SETTLE or self.under_way():
                return False
            self._pause()
        return True

    def _check_destination(self, job: MigrationJob) -> None:
        """A move that runs is ours to wait for only if it goes where it should."""
        wanted, actual = (_first_label(name) for name in (self.destination_host, job.destination))
        if wanted and actual and wanted != actual:
            raise Conflict(
                f"{self.vm.name} ({self.vm.id}) is being moved to {job.destination}, not to {self.destination_host}.",
                remedy="Wait until that move has ended, then run again.",
            )

    def _not_arrived(self, job: MigrationJob | None) -> HyperVError:
        if self.control.vm(self.vm.id) is not None:
            why = None if job is None else self._reason(job)
            return CommandFailed(
                f"{self.vm.name} ({self.vm.id}) was not moved to {self.destination_host}; it is still on the source.",
                code="MOVE_FAILED",
                cause=why,
                transient=True,
            )
        return OutcomeUnknown(
            f"{self.vm.name} ({self.vm.id}) has left the source and is not shown by {self.destination_host}.",
            remedy="Look for it there (Get-VM, also planned VMs) before you run again.",
        )

    def _reason(self, job: MigrationJob) -> str | None:
        ended = next((other for other in self.control.jobs() if other.id == job.id), None)
        return ended.error_text or None if ended is not None else None

    @property
    def _hosts(self) -> list[Host]:
        return [self.control] if self.destination is None else [self.control, self.destination]

    def _limits(self) -> list[int]:
        return [limit_of(host) for host in self._hosts]

    def _full(self, hosts: Iterable[Host], limits: Iterable[int]) -> bool:
        return not all(has_room(host, limit) for host, limit in zip(hosts, limits, strict=True))

    def _was_full(self, error: CommandFailed) -> bool:
        """Whether the hosts may have been full when the move was asked for, and are no longer.

        The refusal has no number and its text is localised, so a move that fails for no known reason before its
        first byte is asked for again a few times.
        """
        if error.code != CommandFailed.code or self._percent > 0 or len(self._turned_away) >= REFUSALS:
            return False
        self._turned_away.append(error)
        return True

    def _wait_for_room(self, limits: list[int], *, refused: bool = False) -> list[int]:
        """Wait until the hosts have room, at least once after they have ``refused``. Returns their limits then.

        Before the first try the source is not looked at: our own moves fill its limit, too, and whoever stands in the
        line for a slot is served as soon as one of them ends, where looking now and then would come late.
        """
        begun, told, first = self.clock(), False, 0 if refused else 1
        while refused or self._full(self._hosts[first:], limits[first:]):
            if self._waited + self.clock() - begun >= self.wait_for_room:
                raise (
                    self._turned_away[0]
                    if refused and self._turned_away
                    else no_room(self.destination_host, self.wait_for_room)
                )
            if not told:
                self.reporter.phase("waiting", reason="the hosts' migration limit")
            told, refused = True, False
            self._pause()
            limits = self._limits()
        self._waited += self.clock() - begun
        return limits

    def _poll(self) -> None:
        self.reporter.check()
        self.on_poll()
        job = self.running()
        if job is not None:
            self._show(job.percent)

    def _pause(self) -> None:
        self.reporter.check()
        self.on_poll()
        self.sleep(POLL)

    def _show(self, percent: float | None) -> None:
        """Job and progress stream tell the same story at different times: show the one that is further."""
        if percent is None or percent < self._percent:
            return
        self._percent = float(percent)
        done = None if self.bytes_total is None else int(self.bytes_total * self._percent / 100)
        self.reporter.progress(percent=self._percent, bytes_done=done, bytes_total=self.bytes_total)


__all__ = ("Mover", "has_room", "in_flight", "is_moving", "job_of", "limit_of", "no_room", "shows_moving")
