# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PSRP shell: WSMan's messages in, a runspace pool and its pipelines behind."""

from __future__ import annotations

import asyncio
import base64
import binascii
import struct
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import psrpcore
from psrpcore import PSRPPayload, StreamType
from psrpcore.types import HostMethodIdentifier

from ..engine.pipeline import END, PipelineRun
from ..engine.session import Session
from ..faults import Fault
from . import scripts
from . import wsman_faults as faults
from .entrances import Entry
from .outbox import Outbox
from .pool import Pipeline, Pool, Runspaces
from .shells import Opening, Premises, Shell, command_id_of
from .soap import NS, Message

URI = "http://schemas.microsoft.com/powershell/"
MAX_FRAGMENT = 32768
FRAGMENT_HEADER = 21
MESSAGE_HEADER = 40
VIRTUALIZATION = "Microsoft.HyperV.PowerShell.VirtualizationException"
# Everything that psrpcore raises for data that is no PSRP; anything else is a bug of the lab and stays one.
BAD_DATA = (psrpcore.PSRPCoreError, ValueError, KeyError, struct.error, ET.ParseError, binascii.Error)


@dataclass(eq=False)
class Command:
    """A pipeline of the shell, from its Command until its id is given up."""

    pipeline: Pipeline
    run: PipelineRun
    outbox: Outbox
    names: tuple[str, ...] = ()
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def cancel(self, reason: str) -> None:
        if self.task is not None:
            self.task.cancel(reason)


class PSShell(Shell):
    input_streams = "stdin pr"

    def __init__(self, opening: Opening, premises: Premises, entry: Entry) -> None:
        super().__init__(opening)
        self._premises = premises
        self._limit = premises.config.winrm.commands_per_shell
        self._memory = premises.config.winrm.memory_per_shell_mb * 1024**2
        self._commands: dict[str, Command] = {}
        self._by_pipeline: dict[uuid.UUID, Command] = {}
        self._pool = Pool(premises.config.version, self._before_state)
        self._runspaces = Runspaces(1)
        self.session = Session(
            premises.host, entry.caller, self.resource_uri[len(URI) :], self.id, configuration=entry.configuration
        )

    def open(self, creation: bytes) -> None:
        """What came along with Create; the answers to it are fetched by the first Receives."""
        self._feed(creation)
        self._runspaces.resize(max(1, self._pool.max_runspaces))

    def command(self, message: Message) -> str:
        element = message.element("rsp:CommandLine")
        data = decode_data(element.findtext("rsp:Arguments", "", NS))
        command_id = command_id_of(element) or str(uuid.uuid4()).upper()
        if command_id in self._commands:
            raise faults.command_id_taken()
        if len(self._commands) >= self._limit:
            raise faults.too_many_commands(self._limit)
        pipeline = Pipeline(self._pool, pipeline_id_of(data))
        run = PipelineRun(self.session, pipeline, self._flush)
        command = Command(pipeline, run, Outbox(command_id))
        self._commands[command_id] = self._by_pipeline[pipeline.pipeline_id] = command
        self.outboxes[command_id] = command.outbox
        try:
            self._feed(data)
        except Exception:
            self.forget(command_id)
            raise
        return command_id

    def send(self, command_id: str | None, data: bytes, end: bool) -> None:
        if command_id not in self.outboxes:
            raise faults.no_command()
        self._feed(data)

    def stop(self, command_id: str) -> None:
        self._command(command_id).cancel("stopped")

    def forget(self, command_id: str) -> None:
        self._drop(command_id, "terminated")

    def end(self, reason: str) -> None:
        for command_id in tuple(self._commands):
            self._drop(command_id, reason)
        self.outboxes.clear()

    def names(self, command_id: str | None) -> Collection[str]:
        command = self._commands.get(command_id or "")
        return command.names if command else ()

    def connect(self, data: bytes) -> bytes:
        """A new client takes the shell over; the messages that answer it."""
        self.outboxes[None].fail(faults.stream_disconnected())
        self.outboxes[None] = Outbox()
        self._pool.begin_connect()
        self._events(data)
        answer = b"".join(payload.data for payload in self._outgoing())
        self._pool.end_connect()
        self._flush()
        return answer

    def running(self) -> dict[str, bool]:
        """The ids of the commands, and whether they have ended."""
        return {command_id: command.outbox.done for command_id, command in self._commands.items()}

    def _command(self, command_id: str) -> Command:
        command = self._commands.get(command_id)
        if command is None:
            raise faults.no_command()
        return command

    def _drop(self, command_id: str, reason: str) -> None:
        command = self._command(command_id)
        command.cancel(reason)
        del self._commands[command_id], self.outboxes[command_id]
        self._by_pipeline.pop(command.pipeline.pipeline_id, None)
        self._pool.pipeline_table.pop(command.pipeline.pipeline_id, None)
        command.outbox.finish()

    def _feed(self, data: bytes) -> None:
        for event in self._events(data):
            self._handle(event)
        self._flush()

    def _events(self, data: bytes) -> list[Any]:
        """What the client says; psrpcore is strict with it, and that is the client's fault."""
        self._pool.receive_data(PSRPPayload(data, StreamType.default, None))
        events = []
        try:
            while (event := self._pool.next_event()) is not None:
                events.append(event)
        except BAD_DATA as error:
            raise faults.bad_data(str(error)) from error
        return events

    def _handle(self, event: Any) -> None:
        if isinstance(event, psrpcore.CreatePipelineEvent):
            self._start(self._by_pipeline[event.pipeline_id])
        elif isinstance(event, psrpcore.GetCommandMetadataEvent):
            self._refuse_metadata(self._by_pipeline[event.pipeline_id])
        elif isinstance(event, psrpcore.PipelineInputEvent):
            self._input(event.pipeline_id, event.data)
        elif isinstance(event, psrpcore.EndOfPipelineInputEvent):
            self._input(event.pipeline_id, END)
        else:
            self._handle_pool(event)

    def _handle_pool(self, event: Any) -> None:
        if isinstance(event, psrpcore.GetAvailableRunspacesEvent):
            self._pool.runspace_availability_response(event.ci, self._runspaces.available)
        elif isinstance(event, psrpcore.ResetRunspaceStateEvent):
            self.session.variables.clear()
            self._pool.runspace_availability_response(event.ci, True)
        elif isinstance(event, (psrpcore.SetMaxRunspacesEvent, psrpcore.SetMinRunspacesEvent)):
            self._pool.runspace_availability_response(event.ci, self._pool.takes(event))
            self._runspaces.resize(max(1, self._pool.max_runspaces))

    def _input(self, pipeline_id: uuid.UUID, item: Any) -> None:
        command = self._by_pipeline.get(pipeline_id)
        if command is not None:
            command.run.input.put_nowait(item)

    def _start(self, command: Command) -> None:
        metadata: Any = command.pipeline.metadata  # the event would read it anew
        command.names = tuple(str(item.command_text) for item in metadata.commands)
        command.task = asyncio.ensure_future(self._execute(command, metadata))
        command.task.add_done_callback(lambda _: self._ended(command))

    async def _execute(self, command: Command, metadata: Any) -> None:
        """The pipeline's whole life. It does not depend on any client being there."""
        try:
            async with self._runspaces:
                command.pipeline.start()
                await self._run(command, metadata)
        except Exception as error:  # a bug of the lab must never look like an answer of Windows
            self._premises.report(error)
            if not command.pipeline.ended:
                command.pipeline.fail(f"LabBug: {error!r}", "LabBug", "NotSpecified", "System.Exception")

    def _ended(self, command: Command) -> None:
        """However it ended, perhaps before it began: the client hears of it."""
        command.pipeline.stop_now()
        self._flush()
        command.outbox.finish()

    async def _run(self, command: Command, metadata: Any) -> None:
        fault = self._premises.faults.take({"fail_command"}, commands=command.names)
        if fault is not None:
            self._fail(command.pipeline, fault)
            return
        answer = self._script_answer(metadata)
        if answer is None:
            await command.run.execute(metadata)
            return
        if answer.stdout:
            command.pipeline.write_output(answer.stdout)
        command.pipeline.host_call(HostMethodIdentifier.SetShouldExit, [answer.exit_code])
        command.pipeline.complete()

    def _script_answer(self, metadata: Any) -> scripts.Answer | None:
        """What `raw` of Ansible sends is the only script text that the lab knows; the engine refuses the rest."""
        if len(metadata.commands) != 1 or not metadata.commands[0].is_script:
            return None
        line = scripts.strip_script(str(metadata.commands[0].command_text))
        return (
            None if line is None else scripts.answer(line, self._premises.config.name.upper(), self.session.caller.user)
        )

    @staticmethod
    def _fail(pipeline: Pipeline, fault: Fault) -> None:
        name = fault.command or ""
        error_id = fault.error_id
        if "," not in error_id:
            error_id = f"{error_id},Microsoft.HyperV.PowerShell.Commands.{name.replace('-', '')}"
        pipeline.fail(fault.message, error_id, fault.category, VIRTUALIZATION, name)

    @staticmethod
    def _refuse_metadata(command: Command) -> None:
        command.pipeline.start()
        text = "NotSimulated: command metadata"
        command.pipeline.fail(text, "NotSimulated", "NotImplemented", "System.NotImplementedException")
        command.outbox.finish()

    def _before_state(self) -> None:
        self._flush()
        self.outboxes[None].put_break()

    def _outgoing(self) -> list[PSRPPayload]:
        payloads = []
        while (payload := self._pool.data_to_send(MAX_FRAGMENT)) is not None:
            payloads.append(payload)
        return payloads

    def _flush(self) -> None:
        """What the pool has to say goes to where it will be asked for; of what was given up, nowhere."""
        for payload in self._outgoing():
            if payload.pipeline_id is None:
                outbox = self.outboxes.get(None)
            else:
                command = self._by_pipeline.get(payload.pipeline_id)
                outbox = command.outbox if command else None
            if outbox is not None:
                outbox.put(payload.data)
        if sum(outbox.size for outbox in self.outboxes.values()) > self._memory:
            self.crash()

    def _process_xml(self) -> str:
        return f"<rsp:ProcessId>{self.process_id}</rsp:ProcessId>"

    def _state_xml(self) -> str:
        return (
            "<rsp:MaxIdleTimeOut>PT2147483.647S</rsp:MaxIdleTimeOut><rsp:Locale>en-US</rsp:Locale>"
            "<rsp:DataLocale>en-US</rsp:DataLocale><rsp:CompressionMode>NoCompression</rsp:CompressionMode>"
            f"<rsp:ProfileLoaded>{'Yes' if self.loads_profile else 'No'}</rsp:ProfileLoaded>"
            f"<rsp:Encoding>UTF8</rsp:Encoding><rsp:BufferMode>Block</rsp:BufferMode><rsp:State>{self.state}</rsp:State>"
        )


def decode_data(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error as error:
        raise faults.bad_data(str(error)) from error


def pipeline_id_of(data: bytes) -> uuid.UUID:
    """The pipeline's id stands in the header of the message that the first fragment begins."""
    start = FRAGMENT_HEADER + MESSAGE_HEADER - 16
    if len(data) < start + 16:
        raise faults.bad_data("the first fragment is too short")
    return uuid.UUID(bytes_le=data[start : start + 16])
