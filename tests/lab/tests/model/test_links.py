# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links share their rate fairly, whatever comes and goes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from hyperv_lab.model.clock import FastClock, RealClock
from hyperv_lab.model.links import Flow, Link, Transfers, share

from tests.lab.tests.model.labs import run

MB = 1000 * 1000


def nothing(offset: int, length: int) -> None:
    """Move no real bytes."""


class Race:
    """Flows that start at given times; when did each end?"""

    def __init__(self) -> None:
        self.clock = FastClock()
        self.transfers = Transfers(self.clock)

    async def flow(self, start: float, links: Sequence[Link], size: int) -> float:
        await self.clock.sleep(start)
        await self.transfers.transfer(links, size, nothing)
        return self.clock.now()


def test_one_flow_takes_size_over_rate() -> None:
    async def race() -> float:
        return await Race().flow(0, [Link("a", 10 * MB)], 300 * MB)

    assert run(race()) == pytest.approx(30, rel=0.01)


def test_two_flows_share_a_link_and_the_rest_is_free_afterwards() -> None:
    async def race() -> list[float]:
        one, link = Race(), Link("a", 10 * MB)
        return list(await asyncio.gather(one.flow(0, [link], 100 * MB), one.flow(0, [link], 200 * MB)))

    assert run(race()) == pytest.approx([20, 30], rel=0.03)


def test_a_flow_that_comes_later_slows_the_first() -> None:
    async def race() -> list[float]:
        one, link = Race(), Link("a", 10 * MB)
        return list(await asyncio.gather(one.flow(0, [link], 100 * MB), one.flow(5, [link], 100 * MB)))

    assert run(race()) == pytest.approx([15, 20], rel=0.03)


def test_a_flow_held_up_elsewhere_leaves_its_share() -> None:
    async def race() -> list[float]:
        one, shared, slow = Race(), Link("source", 10 * MB), Link("slow", 2 * MB)
        return list(await asyncio.gather(one.flow(0, [shared, slow], 20 * MB), one.flow(0, [shared], 80 * MB)))

    assert run(race()) == pytest.approx([10, 10], rel=0.03)


def test_a_link_used_twice_gives_half() -> None:
    async def race() -> float:
        link = Link("disk", 10 * MB)
        return await Race().flow(0, [link, link], 50 * MB)

    assert run(race()) == pytest.approx(10, rel=0.01)


def test_no_rate_is_no_limit_and_a_rate_may_change() -> None:
    async def race() -> float:
        one, link = Race(), Link("a", 0)
        await one.transfers.transfer([link], 100 * MB, nothing)
        assert one.clock.now() == 0
        link.set_rate(10 * MB)
        running = asyncio.ensure_future(one.flow(0, [link], 100 * MB))
        await one.clock.sleep(5)
        link.set_rate(5 * MB)
        return await running

    assert run(race()) == pytest.approx(15, rel=0.03)


def test_shares_never_exceed_a_link() -> None:
    links = [Link(str(number), (number + 1) * MB) for number in range(4)]
    flows = []
    for number in range(12):
        flow = Flow(Counter({links[number % 4]: 1, links[number // 4]: 1 + number % 2}))
        for link in flow.links:
            link.flows.add(flow)
        flows.append(flow)
    share(set(flows))
    for link in links:
        used = sum(flow.rate * flow.links[link] for flow in link.flows)
        assert used <= link.rate * 1.000001
    assert all(any(_full(link) for link in flow.links) for flow in flows)


def _full(link: Link) -> bool:
    return sum(flow.rate * flow.links[link] for flow in link.flows) >= link.rate * 0.999999


def test_a_cancelled_flow_gives_its_share_back_and_keeps_what_it_moved() -> None:
    async def race() -> tuple[float, int]:
        one, link = Race(), Link("a", 10 * MB)
        moved: list[int] = []
        lost = asyncio.ensure_future(one.transfers.transfer([link], 100 * MB, nothing, moved.append))
        other = asyncio.ensure_future(one.flow(0, [link], 100 * MB))
        await one.clock.sleep(10)
        lost.cancel()
        end = await other
        assert not link.flows
        return end, sum(moved)

    end, moved = run(race())
    assert end == pytest.approx(15, rel=0.03)
    assert moved == pytest.approx(50 * MB, rel=0.03)


def test_a_jumping_clock_waits_for_real_work() -> None:
    async def race() -> list[float]:
        clock, seen = FastClock(), []
        loop = asyncio.get_running_loop()

        async def works() -> None:
            with clock.busy():
                await loop.run_in_executor(None, lambda: None)
            seen.append(clock.now())

        async def sleeps() -> None:
            await clock.sleep(1000)
            seen.append(clock.now())

        await asyncio.gather(sleeps(), works())
        return seen

    assert run(race()) == [0, 1000]


def test_a_scaled_clock_runs_faster_and_never_back() -> None:
    with pytest.raises(ValueError, match="scale"):
        RealClock(0)
    clock = RealClock(1000)
    first, wall = clock.now(), clock.wall()
    run(clock.sleep(10))
    assert clock.now() - first >= 10
    assert (clock.wall() - wall).total_seconds() >= 9.9
