# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""A lease on a host: one holder at a time, across controllers, for as long as it shows that it is alive.

A lease is a folder with a numbered folder per holder, its generation. To hold a generation is to have made
``owner.json`` in it: the host makes that file only if it is not there, so of several only one succeeds. (Making a
folder is not exclusive, hence the file.) The holder writes a heartbeat; time is the host's own. Taking over from a dead
holder means making the next generation, after the host shows that nothing of ours runs; the old holder then finds a
higher number and stops.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
import typing as t
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    CommandFailed,
    HyperVError,
    LeaseHeld,
    LeaseLost,
    OperationTimedOut,
    OutcomeUnknown,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import OWNER, join
from ansible_collections.fanout.hyperv.plugins.module_utils._waiting import Every, wait_until

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import Entry

EXPIRY = timedelta(minutes=3)
HEARTBEAT = "heartbeat.txt"
_RENEWALS_PER_EXPIRY = 4
_ATTEMPTS = 3

IsWorkRunning = Callable[[], bool]


class Controller(t.Protocol):
    """Who asks for a lease: a process of a run on a control node."""

    @property
    def controller(self) -> str:
        """The control node."""

    @property
    def pid(self) -> int:
        """The process there."""

    @property
    def run(self) -> str:
        """The run that it belongs to."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """What stands in ``owner.json``. ``nonce`` is unique to one attempt to get the lease."""

    controller: str
    pid: int
    run: str
    nonce: str
    started: str | None = None

    def to_json(self) -> str:
        """The text of ``owner.json``."""
        return json.dumps(asdict(self), ensure_ascii=True)

    @classmethod
    def from_json(cls, text: str) -> Holder | None:
        """The holder; None when the text is not (yet) whole."""
        try:
            values = json.loads(text)
            started = values.get("started")
            return cls(
                controller=str(values["controller"]),
                pid=int(values["pid"]),
                run=str(values["run"]),
                nonce=str(values["nonce"]),
                started=None if started is None else str(started),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


def process_started(pid: int) -> str | None:
    """When a process of this machine began, in the kernel's own units; None when it does not exist or nobody says."""
    fields = _process_fields(pid)
    return None if fields is None else fields[19]


def process_lives(pid: int, started: str | None) -> bool:
    """Whether this very process of this machine still runs: a number alone may have been given anew."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    fields = _process_fields(pid)
    if fields is None:
        return True
    state, began = fields[0], fields[19]
    return state not in ("Z", "X") and (started is None or started == began)


def _process_fields(pid: int) -> list[str] | None:
    """What Linux tells of a process, from its state on; None elsewhere."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return stat.rpartition(")")[2].split()


@dataclass(frozen=True, kw_only=True)
class _Generation:
    number: int
    holder: Holder | None
    claimed: bool
    age: timedelta | None
    unreadable: str | None = None


class Lease:
    """One lease on one host. ``with lease.held(is_work_running): ...``"""

    def __init__(
        self,
        host: Host,
        folder: str,
        owner: Controller,
        *,
        expiry: timedelta = EXPIRY,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        lives: Callable[[int, str | None], bool] = process_lives,
    ) -> None:
        self._host = host
        self._folder = folder
        self._expiry = expiry
        self._clock = clock
        self._sleep = sleep
        self._lives = lives
        self._me = Holder(
            controller=owner.controller,
            pid=owner.pid,
            run=owner.run,
            nonce=secrets.token_hex(8),
            started=process_started(owner.pid),
        )
        self._number: int | None = None
        self._beat = Every(expiry.total_seconds() / _RENEWALS_PER_EXPIRY, clock=clock)

    @property
    def is_held(self) -> bool:
        """Whether it was acquired and neither released nor seen lost."""
        return self._number is not None

    # Getting it

    @contextlib.contextmanager
    def held(
        self,
        is_work_running: IsWorkRunning,
        *,
        wait: float = 0,
        every: float = 10,
        check: Callable[[], object] | None = None,
    ) -> Iterator[Lease]:
        """Hold the lease meanwhile.

        It is not given back when the work may still run on the host (the outcome is unknown, or this process is to
        end): it expires by itself, and who comes next asks the host whether anything runs.
        """
        self.acquire(is_work_running, wait=wait, every=every, check=check)
        try:
            yield self
        except (OutcomeUnknown, OperationTimedOut):
            self._number = None
            raise
        except HyperVError:
            self._release_quietly()
            raise
        except BaseException:
            self._number = None
            raise
        self._release_quietly()

    def acquire(
        self,
        is_work_running: IsWorkRunning,
        *,
        wait: float = 0,
        every: float = 10,
        check: Callable[[], object] | None = None,
    ) -> None:
        """Get the lease, or raise LeaseHeld. With ``wait``, ask again every ``every`` seconds for so long."""
        refusal: list[LeaseHeld] = []

        def got_it() -> bool:
            try:
                self._acquire_now(is_work_running)
            except LeaseHeld as error:
                refusal[:] = [error]
                return False
            return True

        if not wait_until(got_it, timeout=wait, every=every, check=check, clock=self._clock, sleep=self._sleep):
            raise refusal[0]

    def _acquire_now(self, is_work_running: IsWorkRunning) -> None:
        for _attempt in range(_ATTEMPTS):
            generations = [self._look_at(number, path) for number, path in self._listed()]
            self._refuse_if_held(generations, is_work_running)
            number = _next_number(generations)
            if self._claim(number):
                self._confirm(number, {generation.number: generation.holder for generation in generations})
                return
        raise LeaseHeld(
            f"{self._folder} on {self._host.label} changes hands too fast.",
            remedy="Run again; several runs work on this host at the moment.",
        )

    def _refuse_if_held(self, generations: Sequence[_Generation], is_work_running: IsWorkRunning) -> None:
        claimed = [generation for generation in generations if generation.claimed]
        for generation in claimed:
            if not self._is_stale(generation):
                raise self._held_by(generation)
        if claimed and is_work_running():
            raise self._held_by(claimed[-1], "Its holder is gone, but its work still runs on the host.")

    def _claim(self, number: int) -> bool:
        """Whether the generation is ours now. Another run's tidying may take the folder away in between: not ours."""
        path = join(self._folder, str(number))
        self._host.files.ensure_folder(path)
        try:
            created = self._host.files.create_text(join(path, OWNER), self._me.to_json())
        except OutcomeUnknown:
            created = False
        except CommandFailed:
            if self._host.files.entry(path) is not None:
                raise
            return False
        return created or self._is_mine(number)

    def _confirm(self, number: int, judged: dict[int, Holder | None]) -> None:
        """Two may have claimed different numbers from different views: look again, and step back if so."""
        for listed, path in self._listed():
            other = None if listed == number else self._look_at(listed, path)
            if other is None or not other.claimed:
                continue
            known = listed in judged and judged[listed] == other.holder
            if listed > number or not known:
                self._remove(number)
                raise self._held_by(other)
        self._number = number
        self._beat.due()

    # Keeping it

    def check(self) -> None:
        """Raise LeaseLost unless it is still ours: before every writing step."""
        number = self._number
        if number is None:
            raise LeaseLost(f"The lease {self._folder} on {self._host.label} is not held.")
        if any(other > number for other, _path in self._listed()) or not self._is_mine(number):
            self._number = None
            raise LeaseLost(
                f"Another run took over {self._folder} on {self._host.label}.",
                cause="The lease was not renewed in time, or its folder was removed.",
                remedy="Run again: the next run continues from what the hosts show.",
            )

    def renew(self, *, force: bool = False) -> None:
        """Check it and write a heartbeat, if it is time for one. Call it as often as you like while work goes on."""
        if not force and not self._beat.due():
            return
        self.check()
        self._host.files.write_in_place(join(self._folder, str(self._number), HEARTBEAT), self._me.nonce)

    # Giving it back

    def release(self) -> None:
        """Give it back and remove what it made; generations that were taken over from, too."""
        number, self._number = self._number, None
        if number is None or not self._is_mine(number):
            return
        for other, _path in self._listed():
            if other < number:
                self._remove(other)
        self._remove(number)
        self._host.files.remove_emptied_folder(self._folder)

    def _release_quietly(self) -> None:
        """Whether giving it back succeeds decides nothing: it expires by itself."""
        with contextlib.suppress(HyperVError):
            self.release()

    def _remove(self, number: int) -> None:
        """The owner last: a generation without one counts as free at once."""
        path = join(self._folder, str(number))
        ours = [entry for entry in self._host.files.entries(path) or () if entry.name in (HEARTBEAT, OWNER)]
        self._host.files.remove_files(sorted(ours, key=lambda entry: entry.name == OWNER))
        self._host.files.remove_emptied_folder(path)

    # Looking

    def _listed(self) -> list[tuple[int, str]]:
        """All generations that there are, lowest number first."""
        entries = self._host.files.entries(self._folder) or ()
        return sorted((number, entry.path) for entry in entries if (number := _number_of(entry)) is not None)

    def _look_at(self, number: int, path: str) -> _Generation:
        inside = {entry.name: entry for entry in self._host.files.entries(path) or ()}
        owner = inside.get(OWNER)
        if owner is None:
            return _Generation(number=number, holder=None, claimed=False, age=None)
        last = max(entry.modified for entry in (owner, inside.get(HEARTBEAT, owner)))
        age = self._host.now() - last
        try:
            holder, unreadable = self._read(path), None
        except CommandFailed as error:  # it may be being written; if it stays so, its age tells
            holder, unreadable = None, str(error)
        return _Generation(number=number, holder=holder, claimed=True, age=age, unreadable=unreadable)

    def _read(self, path: str) -> Holder | None:
        content = self._host.files.read_plain(join(path, OWNER))
        return None if content is None else Holder.from_json(content)

    def _is_mine(self, number: int) -> bool:
        holder = self._read(join(self._folder, str(number)))
        return holder is not None and holder.nonce == self._me.nonce

    def _is_stale(self, generation: _Generation) -> bool:
        """Dead on this very control node, or silent for too long by the host's clock (which may have been set).

        One that this very lease held before an outcome became unknown is its own to take over.
        """
        holder = generation.holder
        if holder is not None and holder.nonce == self._me.nonce:
            return True
        local = holder is not None and holder.controller == self._me.controller
        if holder is not None and local and not self._lives(holder.pid, holder.started):
            return True
        return generation.age is not None and abs(generation.age) > self._expiry

    def _held_by(self, generation: _Generation, why: str | None = None) -> LeaseHeld:
        holder = generation.holder
        who = "another run" if holder is None else f"run {holder.run} (process {holder.pid} on {holder.controller})"
        return LeaseHeld(
            f"{self._folder} on {self._host.label} is held by {who}.",
            cause=why or generation.unreadable or "One job of this kind at a time runs on a host, whoever started it.",
            remedy="Wait until it has finished, then run again.",
        )


def _next_number(generations: Sequence[_Generation]) -> int:
    """The number to claim: a generation that was made and never claimed is used."""
    if not generations:
        return 1
    highest = generations[-1]
    return highest.number + 1 if highest.claimed else highest.number


def _number_of(entry: Entry) -> int | None:
    """The number of a generation's folder; None for anything else that lies there."""
    plain = entry.name.isascii() and entry.name.isdigit() and not entry.name.startswith("0")
    return int(entry.name) if plain and entry.is_folder and not entry.is_link else None


__all__ = ("EXPIRY", "HEARTBEAT", "Controller", "Holder", "Lease", "process_lives", "process_started")
