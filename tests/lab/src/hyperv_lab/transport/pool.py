# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server side of a runspace pool, with psrpcore; where real hosts differ from psrpcore, as they do."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import psrpcore
from psrpcore import ServerPipeline, ServerRunspacePool
from psrpcore.types import (
    ApplicationPrivateData,
    ErrorCategory,
    ErrorCategoryInfo,
    ErrorRecord,
    NETException,
    PSInvocationState,
    PSVersion,
    RunspacePoolInitData,
    RunspacePoolState,
)

BUILDS = {2016: 14393, 2019: 17763, 2022: 20348, 2025: 26100}


def private_data(version: int) -> dict[str, Any]:
    """What Windows PowerShell 5.1 of this Windows Server tells a client about itself."""
    build = BUILDS[version]
    return {
        "PSVersionTable": {
            "PSVersion": PSVersion(f"5.1.{build}.1"),
            "PSEdition": "Desktop",
            "PSCompatibleVersions": [PSVersion(text) for text in ("1.0", "2.0", "3.0", "4.0", "5.0", f"5.1.{build}.1")],
            "BuildVersion": PSVersion(f"10.0.{build}.1"),
            "CLRVersion": PSVersion("4.0.30319.42000"),
            "WSManStackVersion": PSVersion("3.0"),
        }
    }


def respelled(event: Any) -> Any:
    """Names of properties count in any case for PowerShell, but not for psrpcore: pypsrp writes CI."""
    for entry in event._ps_object.PSObject.extended_properties:
        if entry.name == "CI":
            entry.name = "ci"
    return event


class Pool(ServerRunspacePool):
    """``before_state`` is called before the pool says that it is open: that goes out in an answer of its own."""

    def __init__(self, version: int, before_state: Callable[[], None]) -> None:
        super().__init__(application_private_data=private_data(version))
        self._before_state = before_state

    def _change_state(self, state: RunspacePoolState, error: Any = None, emit: bool = True) -> None:
        if emit and state == RunspacePoolState.Opened:
            self._before_state()
        super()._change_state(state, error, emit)

    def _process_ConnectRunspacePool(self, event: Any) -> None:  # noqa: N802 (psrpcore's name)
        """A real host's answer holds the pool's sizes only; state and private data are fetched later."""
        self._max_runspaces = event.max_runspaces or self.max_runspaces
        self._min_runspaces = event.min_runspaces or self.min_runspaces
        self.prepare_message(RunspacePoolInitData(MinRunspaces=self.min_runspaces, MaxRunspaces=self.max_runspaces))

    def takes(self, event: Any) -> bool:
        """Whether a pool may have these limits: at least one runspace, the least not above the most."""
        if isinstance(event, psrpcore.SetMaxRunspacesEvent):
            return bool(event.count >= max(1, self.min_runspaces))
        return bool(1 <= event.count <= self.max_runspaces)

    def _process_SetMaxRunspaces(self, event: Any) -> None:  # noqa: N802 (psrpcore's name)
        super()._process_SetMaxRunspaces(respelled(event))

    def _process_SetMinRunspaces(self, event: Any) -> None:  # noqa: N802 (psrpcore's name)
        super()._process_SetMinRunspaces(respelled(event))

    def begin_connect(self) -> None:
        self.disconnect()
        count = self._fragment_count
        self.connect()
        self._fragment_count = count  # real hosts count on
        self.prepare_message(self.our_capability)

    def end_connect(self) -> None:
        self._change_state(RunspacePoolState.Opened)
        self._before_state()
        self.prepare_message(ApplicationPrivateData(ApplicationPrivateData=self.application_private_data))


class Pipeline(ServerPipeline):
    """Real hosts do not announce that a pipeline runs."""

    def start(self) -> None:
        if self.state != PSInvocationState.Running:
            self._change_state(PSInvocationState.Running, emit=False)

    @property
    def ended(self) -> bool:
        return self.state in (PSInvocationState.Completed, PSInvocationState.Failed, PSInvocationState.Stopped)

    def stop_now(self) -> None:
        """Stopped, wherever it was; nothing if it has ended."""
        if not self.ended:
            self.start()
            self.stop()

    def fail(self, message: str, error_id: str, category: str, exception: str, activity: str = "") -> None:
        """Failed with one error record."""
        error = NETException(Message=message, HResult=-2146233087)
        error.PSObject.type_names = [exception, "System.Exception", "System.Object"]
        error.PSObject.to_string = f"{exception}: {message}"
        info = ErrorCategoryInfo(
            Category=ErrorCategory[category], Activity=activity, Reason=exception.rpartition(".")[2]
        )
        record = ErrorRecord(Exception=error, CategoryInfo=info, FullyQualifiedErrorId=error_id)
        self._change_state(PSInvocationState.Failed, error=record)


class Runspaces:
    """The runspaces of a pool: a pipeline waits until one is free, the first that came goes first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def available(self) -> int:
        return max(0, self._capacity - self._busy)

    def resize(self, capacity: int) -> None:
        self._capacity = capacity
        self._admit()

    async def __aenter__(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._free()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._free()

    def _free(self) -> None:
        self._busy -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._busy < self._capacity:
            turn = self._waiting.popleft()
            if not turn.done():
                self._busy += 1
                turn.set_result(None)
