# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits to be fetched by Receive: one outbox for a shell, and one for each of its commands."""

from __future__ import annotations

import asyncio
import base64
from collections import deque

from . import wsman_faults as faults
from .soap import SHELL_URI, WSManFault

Item = tuple[str, bytes] | None  # stream and data; None ends an answer though more is there


class Outbox:
    """Data in their order. Only one Receive can wait; a later one takes its place."""

    def __init__(self, command_id: str | None = None, end_streams: tuple[str, ...] = ()) -> None:
        self.command_id = command_id
        self.done = False
        self.size = 0  # bytes that wait
        self.exit_code = 0
        self._end_streams = end_streams
        self._items: deque[Item] = deque()
        self._waiter: asyncio.Future[WSManFault | None] | None = None

    def put(self, data: bytes, stream: str = "stdout") -> None:
        self._items.append((stream, data))
        self.size += len(data)
        self._wake(None)

    def put_break(self) -> None:
        """What follows comes in an answer of its own."""
        if self._items:
            self._items.append(None)

    def finish(self, exit_code: int = 0) -> None:
        if not self.done:
            self.done, self.exit_code = True, exit_code
            self._wake(None)

    def fail(self, fault: WSManFault) -> None:
        """End the Receive that waits, if there is one, with this fault."""
        self._wake(fault)

    def _wake(self, fault: WSManFault | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(fault)

    async def receive(self, timeout: float, max_envelope: int) -> str:
        """The body of a ReceiveResponse. Data that were handed out are gone, whether they arrive or not."""
        self.fail(faults.timed_out())
        if not self._items and not self.done:
            fault = await self._wait(timeout)
            if fault is not None:
                raise fault
        return f"<rsp:ReceiveResponse>{self._streams(max_envelope)}{self._state()}</rsp:ReceiveResponse>"

    async def _wait(self, timeout: float) -> WSManFault | None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[WSManFault | None] = loop.create_future()
        self._waiter = waiter
        timer = loop.call_later(timeout, self._expire, waiter)
        try:
            return await waiter
        finally:
            timer.cancel()
            if self._waiter is waiter:
                self._waiter = None

    @staticmethod
    def _expire(waiter: asyncio.Future[WSManFault | None]) -> None:
        if not waiter.done():
            waiter.set_result(faults.timed_out())

    @property
    def _at(self) -> str:
        return f' CommandId="{self.command_id}"' if self.command_id else ""

    def _streams(self, max_envelope: int) -> str:
        room = max_envelope * 3 // 4 - 4096
        parts: list[str] = []
        while self._items:
            item = self._items[0]
            if item is not None and parts and len(item[1]) > room:
                break
            self._items.popleft()
            if item is None:
                break
            room -= len(item[1])
            self.size -= len(item[1])
            parts.append(f'<rsp:Stream Name="{item[0]}"{self._at}>{base64.b64encode(item[1]).decode()}</rsp:Stream>')
        return "".join(parts)

    def _state(self) -> str:
        if self.command_id is None:
            return ""
        if self._items or not self.done:
            word = "Running" if self._end_streams else "Pending"  # command lines run, pipelines pend: as recorded
            return f'<rsp:CommandState{self._at} State="{SHELL_URI}/CommandState/{word}"></rsp:CommandState>'
        ends = "".join(f'<rsp:Stream Name="{name}"{self._at} End="true"></rsp:Stream>' for name in self._end_streams)
        return (
            f'{ends}<rsp:CommandState{self._at} State="{SHELL_URI}/CommandState/Done">'
            f"<rsp:ExitCode>{self.exit_code}</rsp:ExitCode></rsp:CommandState>"
        )
