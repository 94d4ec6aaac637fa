# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded conversation led once more, with the lab as the host.

The client's requests are the recorded ones, with the ids that the lab has given in place of those that the real host
gave. What a pipeline had to say on the real host (its script is not the lab's business) is said by the lab's own means:
its records, its states, its framing. Everything else comes from the lab alone.
"""

from __future__ import annotations

import asyncio
import re
import uuid
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from hyperv_lab.config import HostConfig, WinRMConfig
from hyperv_lab.engine.errors import PSError
from hyperv_lab.engine.output import Output
from hyperv_lab.faults import Faults
from hyperv_lab.transport import scripts
from hyperv_lab.transport.accounts import Account
from hyperv_lab.transport.auth import Principal
from hyperv_lab.transport.shells import REAPED_AFTER, Premises, Shells
from hyperv_lab.transport.soap import parse
from hyperv_lab.transport.wsman import Asked, Service
from psrpcore._payload import PSRPMessage
from psrpcore.types import ErrorCategory, HostMethodIdentifier, PSRPMessageType

from tests.recordings.exchanges import Conversation, Envelope, Exchange, Recording, local
from tests.recordings.fragments import BOM, Message

from .compare import GUID, Difference, answer, differences

USER = Principal(Account("LAB\\labadmin", frozenset({"Administrators"})), "negotiate/ntlm")
HOST = HostConfig("hv01", "127.0.77.1", 0, 0, version=2016, winrm=WinRMConfig())
BOUND = 10.0
SOON = 0.02
NO_SHELL, TIMED_OUT = 2150858843, 2150858793
DURATION = re.compile(r"P(\d+)DT(\d+)H(\d+)M(\d+)S")
ESCAPED = re.compile(r"_x([0-9A-F]{4})_")
SIMPLE: dict[str, Callable[[str], Any]] = {
    "S": lambda text: unescaped(text),
    "I32": int,
    "B": lambda text: text == "true",
}
STREAMS = {"DebugRecord": "debug", "VerboseRecord": "verbose", "WarningRecord": "warning"}
ENDINGS = {"4": "complete", "5": "fail", "3": "stopped"}


@dataclass(frozen=True)
class Pair:
    """What the real host answered, and the lab."""

    number: int
    operation: str
    status: tuple[int, int]
    differences: tuple[Difference, ...]


class RecordedRun:
    """Stands for the engine: says through the lab's streams what the recorded pipeline said, part by part."""

    feeds: defaultdict[uuid.UUID, asyncio.Queue[list[Message]]] = defaultdict(asyncio.Queue)

    def __init__(self, session: Any, pipeline: Any, flush: Callable[[], None]) -> None:
        self.pipeline, self.flush = pipeline, flush
        self.output = Output(pipeline, flush)
        self.input: asyncio.Queue[Any] = asyncio.Queue()

    async def execute(self, metadata: Any) -> None:
        feed, ended = self.feeds[self.pipeline.pipeline_id], False
        while not ended:
            for message in await feed.get():
                ended = self._say(message)
            feed.task_done()

    def _say(self, message: Message) -> bool:
        root = ET.fromstring(message.text)
        if message.kind == "PipelineState":
            return self._end(root)
        if message.kind == "PipelineOutput" and root.tag in SIMPLE:
            self.output.write(SIMPLE[root.tag](root.text or ""))
        elif message.kind in STREAMS:
            self.output.message(STREAMS[message.kind], named(root, "InformationalRecord_Message"))
        elif message.kind == "ErrorRecord":
            self.output.error(error_of(root))
        elif message.kind == "ProgressRecord":
            self.output.progress(progress_of(root))
        elif message.kind == "PipelineHostCall" and "SetShouldExit" in message.text:
            (given,) = (item for item in root.iter() if item.get("N") == "mp")
            codes = [int(item.text or 0) for item in given.iter("I32")]
            self.pipeline.host_call(HostMethodIdentifier.SetShouldExit, codes)
        else:
            self._as_it_came(message)
        return False

    def _end(self, root: ET.Element) -> bool:
        ending = ENDINGS[named(root, "PipelineState")]
        if ending == "fail":
            (record,) = (item for item in root.iter() if item.get("N") == "ExceptionAsErrorRecord")
            self.output.fail(error_of(record))
        else:
            getattr(self.output, ending)()
        return True

    def _as_it_came(self, message: Message) -> None:
        """Objects that only the script of the recording could make; their shape is another test's."""
        pool, kind = self.pipeline.runspace_pool, getattr(PSRPMessageType, message.kind)
        data = bytearray(replace(message, pool=pool.runspace_pool_id, pipeline=self.pipeline.pipeline_id).encode())
        assert BOM in data
        sent = PSRPMessage(kind, data, pool.runspace_pool_id, self.pipeline.pipeline_id, pool._fragment_counter)
        pool._send_buffer.append(sent)
        self.flush()


def unescaped(text: str) -> str:
    units = ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16")


def named(root: ET.Element, name: str) -> str:
    return next((item.text or "" for item in root.iter() if item.get("N") == name), "")


def error_of(root: ET.Element) -> PSError:
    """A recorded error record as the lab's cmdlets would raise it."""
    exception = next(item for item in root.iter() if item.get("N") == "Exception")
    types = [item.text or "" for item in exception.iter() if local(item.tag) == "T"]
    error = PSError(
        named(exception, "Message"),
        named(root, "FullyQualifiedErrorId"),
        category=ErrorCategory(int(named(root, "ErrorCategory_Category"))).name,
        exception_type=types[0] if types else "System.Exception",
    )
    error.activity = named(root, "ErrorCategory_Activity")
    error.target = next(
        (unescaped(item.text or "") for item in root.iter("S") if item.get("N") == "TargetObject"), None
    )
    error.target_name = unescaped(named(root, "ErrorCategory_TargetName"))
    error.target_type = named(root, "ErrorCategory_TargetType")
    return error


def progress_of(root: ET.Element) -> dict[str, Any]:
    return {
        "activity": named(root, "Activity"),
        "activity_id": int(named(root, "ActivityId")),
        "status": named(root, "StatusDescription"),
        "percent": int(named(root, "PercentComplete")),
        "seconds": int(named(root, "SecondsRemaining")),
        "completed": "Completed" in [item.text for item in root.iter()],
    }


class Replay:
    """One recording against one lab host."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.clock = 1000.0
        self.bugs: list[BaseException] = []
        host = SimpleNamespace(name="hv01", calls=None)
        premises = Premises(host, HOST, Faults(), lambda: self.clock, self.bugs.append)
        self._shells = Shells(HOST.winrm)
        self._service = Service(premises, self._shells)
        self._ids: dict[str, str] = {}
        self._real, self._lab = Conversation(), Conversation()

    async def run(self) -> list[Pair]:
        """Every exchange that has an answer to compare with."""
        try:
            exchanges = [item for item in enumerate(self.recording.exchanges) if item[1].response is not None]
            return [await self._exchange(*item) for item in exchanges]
        finally:
            self._shells.remove_all("replayed")
            await asyncio.sleep(0)

    async def _exchange(self, number: int, exchange: Exchange) -> Pair:
        request, real = self._mapped(exchange.request), exchange.response
        assert real is not None
        theirs = self._messages(self._real, exchange, real)
        await self._say(theirs)
        self._wait_as_recorded(real)
        message = parse(request.text.encode())
        if real.fault_code == TIMED_OUT:
            message = replace(message, timeout=SOON)
        status, data = await asyncio.wait_for(self._service.handle(Asked(message, USER, "127.0.0.1")), BOUND)
        lab = Envelope(data.decode())
        ours = self._messages(self._lab, replace(exchange, request=request), lab)
        self._learn(real, lab)
        found = differences(answer(self._mapped(real), theirs), answer(lab, ours))
        return Pair(number, real.operation, (exchange.status, status), tuple(found))

    def _messages(self, conversation: Conversation, exchange: Exchange, response: Envelope) -> list[Message]:
        request = exchange.request
        if not exchange.is_psrp:
            return []
        if request.operation == "Connect":
            conversation.restart(request.shell_id or "")
        return conversation.messages(response, "response", response.shell_id or request.shell_id or "")

    async def _say(self, messages: list[Message]) -> None:
        """Let the pipelines say what the real ones said before this answer."""
        by_pipeline: defaultdict[uuid.UUID, list[Message]] = defaultdict(list)
        for message in messages:
            if message.pipeline.int:
                by_pipeline[message.pipeline].append(message)
        for pipeline, part in by_pipeline.items():
            feed = RecordedRun.feeds[pipeline]
            feed.put_nowait(part)
            await asyncio.wait_for(feed.join(), BOUND)
        for _ in range(10):  # the end of a run is seen by its callbacks
            await asyncio.sleep(0)

    def _wait_as_recorded(self, real: Envelope) -> None:
        idle = DURATION.search(real.find("{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}ShellInactivity"))
        for shell in self._shells:
            if real.operation == "GetResponse" and idle:
                days, hours, minutes, rest = map(int, idle.groups())
                self.clock += ((days * 24 + hours) * 60 + minutes) * 60 + rest
            elif real.fault_code == NO_SHELL and "ProviderFault" in real.text:
                self.clock += shell.idle_timeout + REAPED_AFTER

    def _mapped(self, envelope: Envelope) -> Envelope:
        return Envelope(GUID.sub(lambda match: self._ids.get(match[0].upper(), match[0]), envelope.text))

    def _learn(self, real: Envelope, lab: Envelope) -> None:
        """Ids that hosts give: those of shells and commands, where the client has not chosen them."""
        for find in (_shell_id, _command_id):
            theirs, ours = find(real), find(lab)
            if theirs and ours and theirs != ours:
                self._ids[theirs.upper()] = ours.upper()


def _shell_id(envelope: Envelope) -> str | None:
    return envelope.shell_id if envelope.operation == "CreateResponse" else None


def _command_id(envelope: Envelope) -> str | None:
    found = envelope.find("{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}CommandId")
    return found if envelope.operation == "CommandResponse" else None


def script_answers(recording: Recording) -> Callable[..., scripts.Answer]:
    """What the recorded command lines gave, for the lab to say: it runs none itself."""
    found: dict[str, str] = defaultdict(str)
    code = 0
    for exchange in recording.exchanges:
        if exchange.response is None or exchange.response.operation != "ReceiveResponse":
            continue
        for item in exchange.response.carriers():
            found[item.get("Name", "")] += "".join(
                data.decode("utf-8", "replace") for data in Envelope(ET.tostring(item, "unicode")).payloads()
            )
        shell = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
        code = int(exchange.response.find(f"{shell}ExitCode") or code)
    result = scripts.Answer(found["stdout"].rstrip("\r\n"), found["stderr"], code)
    return lambda *_: result
