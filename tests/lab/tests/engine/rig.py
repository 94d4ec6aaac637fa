# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client and a server of psrpcore joined without sockets, with the lab's engine behind; its host has drives alone."""

from __future__ import annotations

import asyncio
import datetime
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psrpcore
from hyperv_lab.calls import CallLog
from hyperv_lab.cmdlets import core, core_filter, core_group, core_session, file_changes, file_content, files
from hyperv_lab.engine.pipeline import END, PipelineRun
from hyperv_lab.engine.session import Caller, Session, SessionConfiguration
from hyperv_lab.model.files import Volumes
from hyperv_lab.model.switches import Rules
from psrpcore import ClientPowerShell, ClientRunspacePool, Command, ServerPipeline, ServerRunspacePool

LOADED = (
    core,
    core_filter,
    core_group,
    core_session,
    file_changes,
    file_content,
    files,
)  # importing them registers their commands
Stage = tuple[str, Any]
WALL = datetime.datetime(2026, 11, 20, 13, 9, 30, 250000, datetime.timezone.utc)


class Clock:
    """Stands still but for what is slept."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def wall(self) -> datetime.datetime:
        return WALL + datetime.timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Host:
    def __init__(self, root: Path) -> None:
        self.name = "hv01"
        self.version = 2022
        self.rules = Rules()
        self.clock = Clock()
        self.calls = CallLog("hv01", self.clock.now, itertools.count(1))
        self.volumes = Volumes(root, {"C": 10 * 1024**2, "D": 1024**2}, wall=self.clock.wall)


@dataclass
class Result:
    """What the client of one pipeline has seen."""

    output: list[Any] = field(default_factory=list)
    errors: list[Any] = field(default_factory=list)
    reason: Any = None
    state: str = ""
    warnings: list[str] = field(default_factory=list)
    progress: list[Any] = field(default_factory=list)

    @property
    def one(self) -> Any:
        assert self.state == "Completed", self.reason
        assert not self.errors, [error.FullyQualifiedErrorId for error in self.errors]
        assert len(self.output) == 1, self.output
        return self.output[0]

    @property
    def error(self) -> Any:
        """The one error, terminating or not."""
        found = [*self.errors, *([self.reason] if self.reason is not None else [])]
        assert len(found) == 1, [entry.FullyQualifiedErrorId for entry in found]
        return found[0]

    @property
    def error_id(self) -> str:
        return str(self.error.FullyQualifiedErrorId)


class Rig:
    def __init__(self, host: Any, configuration: SessionConfiguration | None = None) -> None:
        self.host = host
        self.session = Session(host, Caller("LAB\\admin", frozenset({"Administrators"})))
        if configuration is not None:
            self.session.configuration = configuration
        self._client = ClientRunspacePool()
        self._server = ServerRunspacePool()
        self._client.open()
        self._pump()

    def __call__(self, *stages: Stage, inputs: Iterable[Any] | None = None) -> Result:
        return asyncio.run(self.send(*stages, inputs=inputs))

    async def send(
        self,
        *stages: Stage,
        inputs: Iterable[Any] | None = None,
        meanwhile: Callable[[asyncio.Task[None]], Any] | None = None,
    ) -> Result:
        """Run a pipeline; a stage called ";" ends a statement. ``meanwhile`` is awaited beside it."""
        shell = ClientPowerShell(self._client)
        shell.metadata.no_input = inputs is None
        for name, arguments in stages:
            self._add(shell, name, arguments)
        shell.start()
        pipeline = ServerPipeline(self._server, shell.pipeline_id)
        metadata = self._create()
        pipeline.start()
        run = PipelineRun(self.session, pipeline, lambda: None)
        for item in inputs or ():
            run.input.put_nowait(item)
        run.input.put_nowait(END)
        task = asyncio.ensure_future(run.execute(metadata))
        if meanwhile is not None:
            await meanwhile(task)
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is not None:
            raise task.exception()  # type: ignore[misc]
        return self._collect()

    @staticmethod
    def _add(shell: Any, name: str, arguments: Any) -> None:
        if name == ";":
            shell.metadata.commands[-1].end_of_statement = True
            return
        command = Command(name, is_script=arguments == "script")
        for key, value in arguments.items() if isinstance(arguments, dict) else ():
            command.add_parameter(key, value)
        for value in arguments if isinstance(arguments, list) else ():
            command.add_argument(value)
        shell.metadata.commands.append(command)

    def _create(self) -> Any:
        told = self._client.data_to_send()
        assert told is not None
        self._server.receive_data(told)
        while (event := self._server.next_event()) is not None:
            if isinstance(event, psrpcore.CreatePipelineEvent):
                return event.pipeline
        raise AssertionError("no pipeline arrived")

    def _pump(self) -> list[Any]:
        events: list[Any] = []
        for _ in range(20):
            moved = self._move(self._client, self._server, [])
            moved = self._move(self._server, self._client, events) or moved
            if not moved:
                return events
        raise AssertionError("client and server do not come to rest")

    @staticmethod
    def _move(source: Any, target: Any, events: list[Any]) -> bool:
        moved = False
        while (data := source.data_to_send()) is not None:
            moved = True
            target.receive_data(data)
        while (event := target.next_event()) is not None:
            moved = True
            events.append(event)
        return moved

    def _collect(self) -> Result:
        result = Result()
        for event in self._pump():
            kind = type(event).__name__
            if kind == "PipelineOutputEvent":
                result.output.append(event.data)
            elif kind == "ErrorRecordEvent":
                result.errors.append(event.record)
            elif kind == "WarningRecordEvent":
                result.warnings.append(event.record.Message)
            elif kind == "ProgressRecordEvent":
                result.progress.append(event.record)
            elif kind == "PipelineStateEvent":
                result.state, result.reason = event.state.name, event.reason
        return result
