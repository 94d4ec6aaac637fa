# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of WSMan on shells (MS-WSMV): who may do what, and what comes back."""

from __future__ import annotations

import base64
import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from . import psrp, winrs
from . import wsman_faults as faults
from .auth import Principal
from .entrances import Entrances
from .psrp import PSShell, decode_data
from .shells import CONNECTED, DISCONNECTED, IDLE_DEFAULT, IDLE_RANGE, Opening, Premises, Shell, Shells, command_id_of
from .soap import NS, SHELL_URI, Message, WSManFault, envelope, seconds
from .winrs import CmdShell

TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
ENUMERATE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate"
CONFIG_URI = "http://schemas.microsoft.com/wbem/wsman/1/config"
OPENING = frozenset({"Create", "Command"})  # what a user cannot do any more whose quota is used up
COMMAND_NAME = re.compile(rb'<S N="Cmd">([^<]*)</S>')


@dataclass(frozen=True)
class Asked:
    """One request: what it says, who says it, and from where."""

    message: Message
    principal: Principal
    peer: str


class Service:
    """WSMan of one host."""

    def __init__(self, premises: Premises, shells: Shells) -> None:
        self._premises = premises
        self._config = premises.config
        self._shells = shells
        self._entrances = Entrances(premises.host, premises.config)
        operations: dict[str, Callable[[Asked], Awaitable[str]]] = {
            f"{TRANSFER}Create": self._create,
            f"{TRANSFER}Delete": self._delete,
            f"{TRANSFER}Get": self._get,
            ENUMERATE: self._enumerate,
        }
        for name in ("Command", "Receive", "Send", "Signal", "Disconnect", "Reconnect", "Connect"):
            operations[f"{SHELL_URI}/{name}"] = getattr(self, f"_{name.lower()}")
        self._operations = operations

    async def handle(self, asked: Asked) -> tuple[int, bytes]:
        """HTTP status and envelope of the answer."""
        message = asked.message
        try:
            if message.bad_timeout is not None:
                raise faults.bad_timeout(message.bad_timeout)
            operation = self._operations.get(message.action)
            if operation is None:
                raise faults.no_action(message.action)
            self._check_operations(asked)
            answer = envelope(f"{message.action}Response", message.message_id, await operation(asked))
            if len(answer) > message.max_envelope:
                raise faults.too_large()
        except WSManFault as fault:
            return 500, envelope(fault.action, message.message_id, fault.to_xml(self._config.name.upper()))
        return 200, answer

    def _check_operations(self, asked: Asked) -> None:
        limit = self._config.winrm.operations_per_user
        if asked.message.operation in OPENING and self._shells.operations(asked.principal) >= limit:
            raise faults.too_many_operations()

    def commands_of(self, message: Message) -> tuple[str, ...]:
        """The cmdlets that a request is about, without doing anything with it."""
        if message.operation == "Command":
            data = base64.b64decode(message.body.findtext("rsp:CommandLine/rsp:Arguments", "", NS) or "")
            return tuple(name.decode("utf-8", "replace") for name in COMMAND_NAME.findall(data))
        shell = self._shells.peek(message.shell_id)
        element = next((item for item in message.body.iter() if item.get("CommandId")), None)
        return () if shell is None or element is None else tuple(shell.names(command_id_of(element)))

    async def _create(self, asked: Asked) -> str:
        message, element = asked.message, asked.message.element("rsp:Shell")
        shell_id = (element.get("ShellId") or str(uuid.uuid4())).upper()
        self._shells.admit(asked.principal, shell_id)
        opening = Opening(
            shell_id=shell_id,
            resource_uri=message.resource_uri,
            owner=asked.principal,
            client=message.session_id,
            client_ip=asked.peer,
            idle_timeout=_idle_timeout(element.findtext("rsp:IdleTimeOut", None, NS)),
            now=self._premises.now,
            loads_profile=message.options.get("WINRS_NOPROFILE", "").lower() != "true",
            details="".join(_echoed(element)),
        )
        shell = self._open(opening, element.findtext("pwsh:creationXml", "", NS))
        self._shells.add(shell)
        return (
            f"<x:ResourceCreated><a:Address>{escape(message.to)}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{escape(message.resource_uri)}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{escape(shell_id)}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            f"</x:ResourceCreated>{shell.to_xml()}"
        )

    def _open(self, opening: Opening, creation: str) -> Shell:
        uri = opening.resource_uri
        if uri == winrs.URI:
            if not opening.owner.account.may_use_winrm:
                raise faults.denied()
            return CmdShell(opening, self._premises)
        name = uri.removeprefix(psrp.URI)
        if name == uri or not self._entrances.knows(name):
            raise faults.no_resource(uri)
        shell = PSShell(opening, self._premises, self._entrances.enter(opening.owner, name))
        shell.open(decode_data(creation))
        return shell

    async def _delete(self, asked: Asked) -> str:
        self._shells.remove(self._shell(asked), "deleted")
        return ""

    async def _get(self, asked: Asked) -> str:
        if asked.message.resource_uri == CONFIG_URI:
            size = f"<cfg:MaxEnvelopeSizekb>{self._config.winrm.envelope_kb}</cfg:MaxEnvelopeSizekb>"
            return f'<cfg:Config xmlns:cfg="{CONFIG_URI}">{size}</cfg:Config>'
        return self._shell(asked).to_xml()

    async def _enumerate(self, asked: Asked) -> str:
        self._shells.reap()
        uri = asked.message.resource_uri
        if uri == SHELL_URI:
            items = "".join(shell.to_xml() for shell in self._shells.of(asked.principal))
        elif uri == f"{SHELL_URI}/Command":
            items = self._commands_xml(asked)
        else:
            raise faults.no_resource(uri)
        return (
            "<n:EnumerateResponse><n:EnumerationContext></n:EnumerationContext>"
            f"{items and f'<w:Items>{items}</w:Items>'}<w:EndOfSequence/></n:EnumerateResponse>"
        )

    def _commands_xml(self, asked: Asked) -> str:
        selector = asked.message.body.find(".//w:Selector", NS)
        shell = self._shells.find(asked.principal, None if selector is None else selector.text)
        commands = shell.running() if isinstance(shell, PSShell) else {}
        return "".join(
            f'<rsp:Command ShellId="{escape(shell.id)}"><rsp:CommandId>{command_id}</rsp:CommandId>'
            f"<rsp:CommandLine></rsp:CommandLine><rsp:CommandState>{'Completed' if done else 'Running'}"
            "</rsp:CommandState></rsp:Command>"
            for command_id, done in commands.items()
        )

    async def _command(self, asked: Asked) -> str:
        command_id = self._my_shell(asked).command(asked.message)
        return f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"

    async def _receive(self, asked: Asked) -> str:
        stream = asked.message.element("rsp:Receive/rsp:DesiredStream")
        shell = self._my_shell(asked)
        return await shell.receive(command_id_of(stream), asked.message.timeout, asked.message.max_envelope)

    async def _send(self, asked: Asked) -> str:
        shell = self._my_shell(asked)
        stream = asked.message.element("rsp:Send/rsp:Stream")
        shell.send(command_id_of(stream), decode_data(stream.text or ""), stream.get("End", "").lower() == "true")
        return "<rsp:SendResponse/>"

    async def _signal(self, asked: Asked) -> str:
        shell = self._my_shell(asked)
        signal = asked.message.element("rsp:Signal")
        command_id = command_id_of(signal)
        if command_id is None:
            raise faults.no_command()
        if signal.findtext("rsp:Code", "", NS).lower().endswith("terminate"):
            shell.forget(command_id)
        else:
            shell.stop(command_id)
        return "<rsp:SignalResponse/>"

    async def _disconnect(self, asked: Asked) -> str:
        self._my_shell(asked).disconnect()
        return ""

    async def _reconnect(self, asked: Asked) -> str:
        shell = self._shell(asked)
        if self._other(shell, asked):
            raise faults.not_this_client() if shell.state == DISCONNECTED else faults.other_client()
        shell.reconnect(asked.message.session_id)
        return ""

    async def _connect(self, asked: Asked) -> str:
        shell = self._shell(asked)
        element = asked.message.element("rsp:Connect")
        if not isinstance(shell, PSShell):
            raise faults.no_action(asked.message.action)
        command_id = command_id_of(element)
        if command_id is not None:
            return self._connect_command(asked, shell, command_id)
        if self._config.winrm.strict_connect and not shell.client_is_gone:
            raise faults.other_client()
        answer = shell.connect(decode_data(element.findtext("pwsh:connectXml", "", NS)))
        shell.reconnect(asked.message.session_id)
        return (
            f"<rsp:ConnectResponse><rsp:InputStreams>{shell.input_streams}</rsp:InputStreams>"
            f"<rsp:OutputStreams>{shell.output_streams}</rsp:OutputStreams>"
            f'<connectResponseXml xmlns="{NS["pwsh"]}">{base64.b64encode(answer).decode()}</connectResponseXml>'
            "</rsp:ConnectResponse>"
        )

    def _connect_command(self, asked: Asked, shell: PSShell, command_id: str) -> str:
        if self._other(shell, asked):
            raise faults.other_client()
        if command_id not in shell.running():
            raise faults.no_command()
        return "<rsp:ConnectResponse/>"

    def _shell(self, asked: Asked) -> Shell:
        return self._shells.find(asked.principal, asked.message.shell_id)

    def _my_shell(self, asked: Asked) -> Shell:
        """The shell that a request is for: connected, and this client's."""
        shell = self._shell(asked)
        if self._other(shell, asked):
            raise faults.other_client()
        if shell.state != CONNECTED:
            raise faults.disconnected()
        shell.touch()
        return shell

    def _other(self, shell: Shell, asked: Asked) -> bool:
        return self._config.winrm.strict_connect and shell.client != asked.message.session_id


def _echoed(shell: ET.Element) -> Iterator[str]:
    """What the client asked for and the description of the shell repeats."""
    folder = shell.findtext("rsp:WorkingDirectory", None, NS)
    if folder is not None:
        yield f"<rsp:WorkingDirectory>{escape(folder)}</rsp:WorkingDirectory>"
    variables = "".join(
        f"<rsp:Variable Name={quoteattr(item.get('Name', ''))}>{escape(item.text or '')}</rsp:Variable>"
        for item in shell.findall("rsp:Environment/rsp:Variable", NS)
    )
    if variables:
        yield f"<rsp:Environment>{variables}</rsp:Environment>"


def _idle_timeout(text: str | None) -> float:
    if text is None:
        return IDLE_DEFAULT
    timeout = seconds(text, IDLE_DEFAULT) if text.strip().upper().startswith("P") else _bare_seconds(text)
    least, most = IDLE_RANGE
    if not least <= timeout <= most:
        raise faults.idle_timeout(least, most)
    return timeout


def _bare_seconds(text: str) -> float:
    return float(text) if text.strip().isdigit() else IDLE_DEFAULT
