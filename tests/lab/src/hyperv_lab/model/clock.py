# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's time: real, faster than real, or jumping from one event to the next."""

from __future__ import annotations

import asyncio
import datetime
import heapq
import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

EPOCH = datetime.datetime(2026, 11, 20, 13, 0, 0, tzinfo=datetime.timezone.utc)


class Clock(ABC):
    """Seconds since the lab started, the hosts' wall clock, and waiting."""

    scale: float = 1.0

    @abstractmethod
    def now(self) -> float: ...

    @abstractmethod
    async def sleep(self, seconds: float) -> None: ...

    @abstractmethod
    def wall(self) -> datetime.datetime: ...

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Real work that takes no lab time is under way: a jumping clock must not jump meanwhile."""
        yield


class RealClock(Clock):
    """``scale`` lab seconds pass in one real second. Wall clock and seconds agree with each other."""

    def __init__(self, scale: float = 1.0) -> None:
        if scale <= 0:
            raise ValueError("scale must be greater than 0")
        self.scale = scale
        self._start = time.monotonic()
        self._wall = datetime.datetime.now(datetime.timezone.utc)

    def now(self) -> float:
        return (time.monotonic() - self._start) * self.scale

    def wall(self) -> datetime.datetime:
        return self._wall + datetime.timedelta(seconds=self.now())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self.scale)


class FastClock(Clock):
    """Time stands still while anything runs and jumps to the next sleeper when everybody waits.

    "Everybody waits": the event loop has turned ``IDLE_TURNS`` times with no ``busy`` work left.
    """

    IDLE_TURNS = 12

    def __init__(self, start: datetime.datetime = EPOCH) -> None:
        self._now = 0.0
        self._start = start
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._busy = 0
        self._pump: asyncio.Task[None] | None = None

    def now(self) -> float:
        return self._now

    def wall(self) -> datetime.datetime:
        return self._start + datetime.timedelta(seconds=self._now)

    def advance(self, seconds: float) -> None:
        """Let time pass by hand; sleepers whose time has come wake."""
        self._now += seconds
        self._wake()

    @contextmanager
    def busy(self) -> Iterator[None]:
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiter = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), waiter))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.ensure_future(self._run())
        await waiter

    async def _run(self) -> None:
        while self._sleepers:
            await self._until_idle()
            if self._sleepers:
                self._now = max(self._now, self._sleepers[0][0])
                self._wake()

    async def _until_idle(self) -> None:
        turns = 0
        while turns < self.IDLE_TURNS:
            turns = 0 if self._busy else turns + 1
            await asyncio.sleep(0.0005 if self._busy else 0)

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self._now:
            waiter = heapq.heappop(self._sleepers)[2]
            if not waiter.done():
                waiter.set_result(None)


def make_clock(scale: float) -> Clock:
    return RealClock(scale)
