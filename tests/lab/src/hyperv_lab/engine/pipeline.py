# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pipeline as the client asked for it: statements, their commands, and the state it ends in.

As in PowerShell, all commands of a statement are bound before the first begins; objects are pushed from one to the next
as they come; a terminating error of a statement that is not the last goes to the error stream and the next statement
runs.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from .errors import LabBug, NotSimulated, PSError
from .incoming import from_wire
from .output import Output
from .session import Session
from .stage import Sink, Stage, StopUpstream

MERGES = ("merge_to", "merge_error", "merge_warning", "merge_verbose", "merge_debug", "merge_information")
END = object()  # put into ``input`` when the client has said that no more comes


class PipelineRun:
    """One pipeline of a shell. The transport feeds ``input``, awaits ``execute`` and cancels it to stop."""

    def __init__(self, session: Session, server_pipeline: Any, flush: Callable[[], None]) -> None:
        self.session = session
        self.pipeline = server_pipeline
        self.output = Output(server_pipeline, flush)
        self.input: asyncio.Queue[Any] = asyncio.Queue()

    async def execute(self, metadata: Any) -> None:
        """Run the PowerShell pipeline of ``metadata`` to its end, whatever that is."""
        try:
            await self._statements(_split(metadata.commands), takes_input=not metadata.no_input)
            self.output.complete()
        except PSError as error:
            self.output.fail(error)
        except asyncio.CancelledError:
            self.output.stopped()
            raise
        except Exception as error:  # a bug of the lab must never look like an answer of Windows
            self.output.fail(_lab_error(error))

    async def _statements(self, statements: Sequence[Sequence[Any]], *, takes_input: bool) -> None:
        last = len(statements) - 1
        for number, commands in enumerate(statements):
            try:
                await self._statement(commands, takes_input=takes_input and number == 0)
            except PSError as error:
                if number == last or error.stops_batch:
                    raise
                self.output.error(error)

    async def _statement(self, commands: Sequence[Any], *, takes_input: bool) -> None:
        stages = self._bind(commands, takes_input)
        reached = None
        try:
            self._start(stages)
            await self._feed(stages)
        except PSError as error:
            reached = error.error_id
            raise
        except asyncio.CancelledError:
            reached = "PipelineStopped"
            raise
        except Exception as error:
            reached = "NotSimulated" if isinstance(error, NotSimulated) else "LabBug"
            raise
        finally:
            for stage in stages:
                stage.finish(reached)

    def _bind(self, commands: Sequence[Any], takes_input: bool) -> list[Stage]:
        stages = []
        for number, command in enumerate(commands):
            self._check(command)
            stage = Stage(self.session, command, self.output, expects_input=takes_input or number > 0)
            stage.index = number
            stages.append(stage)
        return stages

    def _check(self, command: Any) -> None:
        if any(getattr(command, name, 0) for name in MERGES):
            raise NotSimulated("streams merged into others")
        if not command.is_script:
            return
        if self.session.configuration.no_language:
            raise PSError(
                "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
                "ScriptsNotAllowed",
                "ParserError",
                "System.Management.Automation.ParseException",
            )
        raise NotSimulated("the lab runs commands, not script text")

    def _start(self, stages: Sequence[Stage]) -> None:
        pipeline_id = str(self.pipeline.pipeline_id)
        sinks: list[Sink] = [stage.process for stage in stages[1:]]
        for stage, sink in zip(stages, [*sinks, self._write], strict=True):
            stage.start(pipeline_id, sink)

    async def _write(self, item: Any) -> None:
        self.output.write(item)

    async def _feed(self, stages: Sequence[Stage]) -> None:
        """Begin all, push all records through the first, end all; a command that has enough cuts this short."""
        first = 0
        try:
            for stage in stages:
                await stage.begin()
            await self._records(stages[0])
        except StopUpstream as stop:
            first = stop.index or 0
        while first < len(stages):
            try:
                await stages[first].end()
                first += 1
            except StopUpstream as stop:
                first = max(first + 1, stop.index or 0)

    async def _records(self, stage: Stage) -> None:
        if not stage.expects_input:
            await stage.process_once()
            return
        while (record := await self.input.get()) is not END:
            await stage.process(from_wire(record))


def _split(commands: Sequence[Any]) -> list[list[Any]]:
    statements: list[list[Any]] = [[]]
    for command in commands:
        statements[-1].append(command)
        if command.end_of_statement:
            statements.append([])
    return [statement for statement in statements if statement]


def _lab_error(error: Exception) -> PSError:
    if isinstance(error, NotSimulated):
        return PSError(f"NotSimulated: {error}", "NotSimulated", "NotImplemented", "System.NotImplementedException")
    if not isinstance(error, LabBug):
        traceback.print_exception(error, file=sys.stderr)
    return PSError(f"LabBug: {error!r}", "LabBug", "NotSpecified", "System.Exception")
