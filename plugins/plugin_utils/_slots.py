# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Slots: how many workers of one run do the same thing at the same time.

A slot is a locked file, freed by the kernel when its holder dies. Those who wait stand in a line: only its head looks
at the slots and asks the source, the others try one lock now and then, so that waiting costs next to nothing.
"""

from __future__ import annotations

import itertools
import os
import time
import typing as t
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.fanout.hyperv.plugins.plugin_utils._files import is_locked, safe_name, try_lock, unlock
from ansible_collections.fanout.hyperv.plugins.plugin_utils._run_directory import RunDirectory

POLL = 0.03
ASK_AGAIN = 1.0
"""Seconds between questions to the source while moves that are not of this run fill the limit."""

Check = Callable[[], None]


def _nothing() -> None:
    pass


class FileSlots:
    """The slots of this worker's run. ``scope`` keeps the slots of different things (sources) apart."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        scope: str = "",
        poll: float = POLL,
        ask_again: float = ASK_AGAIN,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], t.Any] = time.sleep,
    ) -> None:
        self._given = folder
        self._scope = f"{safe_name(scope)}-" if scope else ""
        self._poll = poll
        self._ask_again = ask_again
        self._clock = clock
        self._sleep = sleep
        self._numbers = itertools.count()

    @contextmanager
    def clone(self, limit: int, check: Check = _nothing) -> Iterator[None]:
        """One of ``limit`` clones."""
        name = f"{os.getpid()}-{id(self):x}-{next(self._numbers)}"
        with self._slot("clone", name, _positive(limit), check, lambda others: True):
            yield

    @contextmanager
    def copy(
        self, limit: int, vm_id: str, in_flight: Callable[[], Collection[str]], check: Check = _nothing
    ) -> Iterator[None]:
        """One of ``limit`` moves, this one of that VM.

        Counted are the workers that hold a slot, and the moves that the source shows (``in_flight``: the ids of their
        VMs) and no slot stands for. A move of this VM that is running already is not counted twice: its worker goes on
        at once, because waiting would not make the moves fewer.
        """
        limit, own = _positive(limit), _key(vm_id)
        if own in map(_key, in_flight()):
            with self._held(self._path("copy", own), check):
                yield
            return
        asked_at: float | None = None
        asked_with = 0

        def room(names: Collection[str]) -> bool:
            nonlocal asked_at, asked_with
            if asked_at is not None and len(names) >= asked_with and self._clock() - asked_at < self._ask_again:
                return False
            strangers = set(map(_key, in_flight())) - set(names) - {own}
            asked_at, asked_with = self._clock(), len(names)
            return len(names) + len(strangers) < limit

        with self._slot("copy", own, limit, check, room):
            yield

    @contextmanager
    def exclusive(self, name: str, check: Check = _nothing) -> Iterator[None]:
        """The only one that does what this name stands for."""
        with self._held(self._path("alone", safe_name(name)), check):
            yield

    @contextmanager
    def _slot(
        self, kind: str, name: str, limit: int, check: Check, room: Callable[[Collection[str]], bool]
    ) -> Iterator[None]:
        """Wait in the line of that kind until fewer than ``limit`` slots are held and there is ``room``."""
        with self._held(self._path("line", kind), check):
            while True:
                check()
                names = self._names(kind)
                if len(names) < limit and room(names):
                    break
                self._sleep(self._poll)
            own = self._take(self._path(kind, name), check)
        try:
            yield
        finally:
            self._free(self._path(kind, name), own)

    @contextmanager
    def _held(self, path: Path, check: Check) -> Iterator[None]:
        descriptor = self._take(path, check)
        try:
            yield
        finally:
            self._free(path, descriptor)

    def _take(self, path: Path, check: Check) -> int:
        check()
        while (descriptor := try_lock(path)) is None:
            self._sleep(self._poll)
            check()
        return descriptor

    def _free(self, path: Path, descriptor: int) -> None:
        """The file goes before the lock; whoever opened it meanwhile notices and makes it anew."""
        path.unlink(missing_ok=True)
        unlock(descriptor)

    def _names(self, kind: str) -> set[str]:
        """Who holds a slot of that kind."""
        start, end = f"{self._scope}{kind}-", ".lock"
        return {
            entry.name[len(start) : -len(end)]
            for entry in os.scandir(self._folder())
            if entry.name.startswith(start) and entry.name.endswith(end) and is_locked(Path(entry.path))
        }

    def _path(self, kind: str, name: str) -> Path:
        return self._folder() / f"{self._scope}{kind}-{name}.lock"

    def _folder(self) -> Path:
        """Made when first needed: most tasks take no slot."""
        if self._given is None:
            self._given = RunDirectory.of_worker().slots
        self._given.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._given


def _key(vm_id: str) -> str:
    return safe_name(vm_id.lower())


def _positive(limit: int) -> int:
    if limit < 1:
        raise ValueError(f"a limit is a whole number above 0, not {limit!r}")
    return limit


__all__ = ("FileSlots",)
