# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links with a rate - a host's network, a host's disk - and flows that share them fairly."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .clock import Clock

SLICE = 0.1  # seconds of a flow's time that one chunk takes
SMALLEST_CHUNK = 4 * 1024
LARGEST_CHUNK = 4 * 1024 * 1024
THREAD_FROM = 256 * 1024  # smaller chunks are moved in the event loop: handing them to a thread costs more

Move = Callable[[int, int], None]  # (offset, length): bring these bytes from here to there


@dataclass(eq=False)
class Link:
    """``rate`` in bytes per second; 0 means no limit. ``carried`` are the bytes that it has carried so far."""

    name: str
    rate: float
    carried: int = 0
    flows: set[Flow] = field(default_factory=set, repr=False)

    def set_rate(self, rate: float) -> None:
        self.rate = rate
        share({other for flow in self.flows for other in connected(flow)})


@dataclass(eq=False)
class Flow:
    """Bytes on their way over some links; a link that stands twice in ``links`` carries them twice."""

    links: Counter[Link]
    rate: float = math.inf


def connected(flow: Flow) -> set[Flow]:
    """All flows that share a link with this one, directly or through others."""
    found, todo = {flow}, [flow]
    while todo:
        for link in todo.pop().links:
            new = link.flows - found
            found |= new
            todo.extend(new)
    return found


def share(flows: set[Flow]) -> None:
    """Max-min fair: fill all flows alike; whose link is full stops, the others go on."""
    room = {link: link.rate for flow in flows for link in flow.links if link.rate > 0}
    rising = set(flows)
    for flow in rising:
        flow.rate = math.inf
    while rising and room:
        load = {link: sum(flow.links[link] for flow in rising) for link in room}
        loaded = {link: room[link] / weight for link, weight in load.items() if weight}
        if not loaded:
            return
        narrowest = min(loaded, key=lambda link: loaded[link])
        for flow in [flow for flow in rising if flow.links[narrowest]]:
            flow.rate = loaded[narrowest]
            rising.discard(flow)
            for link in flow.links.keys() & room.keys():
                room[link] = max(0.0, room[link] - flow.rate * flow.links[link])
        del room[narrowest]


class Transfers:
    """Moves bytes at the pace of their links. One for a lab: its threads do the real copying."""

    def __init__(
        self, clock: Clock, in_thread: Callable[[Callable[[], None]], asyncio.Future[None]] | None = None
    ) -> None:
        self.clock = clock
        self._in_thread = in_thread

    async def transfer(
        self,
        links: Sequence[Link],
        size: int,
        move: Move,
        on_bytes: Callable[[int], None] | None = None,
    ) -> None:
        """Move ``size`` bytes; ``on_bytes`` is told how many each time. Cancelling leaves what has been moved."""
        flow = Flow(Counter(links))
        for link in flow.links:
            link.flows.add(flow)
        share(connected(flow))
        try:
            await self._run(flow, size, move, on_bytes)
        finally:
            for link in flow.links:
                link.flows.discard(flow)
            share({other for link in flow.links for start in link.flows for other in connected(start)})

    async def _run(self, flow: Flow, size: int, move: Move, on_bytes: Callable[[int], None] | None) -> None:
        done, due = 0, self.clock.now()
        while done < size:
            rate = flow.rate
            length = min(size - done, self._chunk(rate))
            await self._move(move, done, length)
            done += length
            for link, times in flow.links.items():
                link.carried += length * times
            if on_bytes:
                on_bytes(length)
            due = await self._pace(due, length / rate)

    def _chunk(self, rate: float) -> int:
        if math.isinf(rate):
            return LARGEST_CHUNK
        return int(min(LARGEST_CHUNK, max(SMALLEST_CHUNK, rate * SLICE)))

    async def _move(self, move: Move, offset: int, length: int) -> None:
        if length < THREAD_FROM or self._in_thread is None:
            move(offset, length)
            return
        with self.clock.busy():
            moving = self._in_thread(lambda: move(offset, length))
            try:
                await asyncio.shield(moving)
            except asyncio.CancelledError:
                await asyncio.wait([moving])  # the files stay open until the thread is through with them
                raise

    async def _pace(self, due: float, seconds: float) -> float:
        """Wait until the bytes would have arrived; what was lost to a slow machine is not made up for in one burst."""
        due += seconds
        now = self.clock.now()
        await self.clock.sleep(max(0.0, due - now))
        return max(due, now - 1.0)
