# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRM of one host: its listeners, its shells, and what goes wrong by order."""

from __future__ import annotations

import asyncio
import ssl
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import HostConfig
from ..faults import Fault, Faults
from . import encryption
from .accounts import Directory
from .auth import Authenticator, Policy
from .http import CutConnection, Handler, Listener, Peer, Request, Response
from .negotiation import Terms
from .shells import Now, Premises, Shells
from .soap import BadEnvelope, parse
from .wsman import Asked, Service

PATH = "/wsman"
SOAP_TYPE = "application/soap+xml;charset=UTF-8"
BEFORE = frozenset({"cut", "cut_on_command", "hang", "http_status", "kill_shell", "restart_winrm"})
AFTER = frozenset({"lose_answer", "mute", "slow"})
Answer = tuple[int, bytes, int | None]
"""Status, text, and at how many bytes a second it goes out (None: as fast as it can)."""


@dataclass(frozen=True)
class Identity:
    """A host's certificate: ready for TLS, and the hash that channel bindings are made of."""

    tls: ssl.SSLContext
    binding: bytes


class WinRM:
    def __init__(
        self,
        host: Any,
        config: HostConfig,
        directory: Directory,
        identity: Identity | None,
        *,
        keytab: Path | None = None,
        now: Now = time.monotonic,
        report: Callable[[BaseException], None] = traceback.print_exception,
    ) -> None:
        self.config = config
        self.faults = Faults()
        self.shells = Shells(config.winrm)
        self._directory = directory
        self._keytab = None if keytab is None else str(keytab)
        self._report = report
        self._service = Service(Premises(host, config, self.faults, now, report), self.shells)
        self.http = self._listener(config.http_port, None)
        self.https = self._listener(config.https_port, identity)
        self._up = False
        self._restarting: asyncio.Task[None] | None = None

    def _listener(self, port: int | None, identity: Identity | None) -> Listener | None:
        if port is None:
            return None
        winrm = self.config.winrm
        terms = Terms(identity.binding if identity else None, winrm.cbt_hardening, self._keytab)
        policy = Policy(self._directory, self.config.name, winrm.authentication, identity is not None, terms)
        return Listener(
            self.config.address, port, lambda peer: self._serve(peer, policy), identity.tls if identity else None
        )

    @property
    def listeners(self) -> list[Listener]:
        return [listener for listener in (self.http, self.https) if listener is not None]

    @property
    def up(self) -> bool:
        return self._up

    async def start(self) -> None:
        self._up = True
        await self.settle()

    def stop(self, reason: str = "host down") -> None:
        """Nothing listens any more, connections break, and the shells are gone."""
        self._up = False
        for listener in self.listeners:
            listener.close()
            listener.cut_all()
        self.shells.remove_all(reason)

    async def restart(self) -> None:
        self.stop("WinRM restarted")
        await self.start()

    async def settle(self) -> None:
        """Listen or not, as the host's state and the faults `refuse` and `half_open` say."""
        kinds = {fault["kind"] for fault in self.faults.to_list()}
        for listener in self.listeners:
            if not self._up or "refuse" in kinds:
                listener.close()
            elif "half_open" in kinds:
                await listener.go_deaf()
            else:
                await listener.open()

    def _serve(self, peer: Peer, policy: Policy) -> Handler:
        authenticator = Authenticator(policy, peer.certificate)

        async def handle(request: Request) -> Response:
            try:
                return await self._handle(authenticator, peer, request)
            except (CutConnection, asyncio.CancelledError):
                raise
            except Exception as error:  # a bug of the lab: reported, and to the client no answer of Windows
                self._report(error)
                raise CutConnection from error

        return handle

    async def _handle(self, authenticator: Authenticator, peer: Peer, request: Request) -> Response:
        if request.path.lower().rstrip("/") != PATH:
            return Response(404)
        if request.method != "POST":
            return Response(405, (("Allow", "POST"),))
        principal, headers = authenticator.sign_in(request.headers.get("authorization"))
        if principal is None:
            return Response(401, headers)
        if not request.body:
            return Response(200, headers)
        content_type = request.headers.get("content-type", "")
        sealed = encryption.is_encrypted(content_type)
        if not sealed and not peer.tls and not self.config.winrm.allow_unencrypted:
            return Response(500, headers)  # what WinRM says where AllowUnencrypted is false: nothing more
        try:
            body = authenticator.open(content_type, request.body) if sealed else request.body
            if len(body) > self.config.winrm.envelope_kb * 1024:  # the envelope, without what encryption puts around it
                return Response(413, headers)
            message = parse(body)
        except encryption.BadEncryption:
            authenticator.forget()
            return Response(400, headers)
        except BadEnvelope:
            return Response(400, headers)
        status, text, rate = await self._answer(Asked(message, principal, peer.address))
        answer_type, answer = authenticator.seal(text) if sealed and text else (SOAP_TYPE, text)
        return Response(status, (*headers, ("Content-Type", answer_type)), answer, rate)

    async def _answer(self, asked: Asked) -> Answer:
        """The service's answer, and what a fault makes of it."""
        if not self.faults:
            return (*await self._service.handle(asked), None)
        action, commands = asked.message.operation, self._service.commands_of(asked.message)
        fault = self.faults.take(BEFORE, action=action, commands=commands)
        if fault is not None:
            instead = await self._suffer(fault, asked)
            if instead is not None:
                return instead
        after = self.faults.take(AFTER, action=action, commands=commands)
        status, text = await self._service.handle(asked)
        if after is None:
            return status, text, None
        if after.kind == "lose_answer":
            raise CutConnection
        if after.kind == "mute":
            await asyncio.Event().wait()  # until the client goes away
        return status, text, after.rate

    async def _suffer(self, fault: Fault, asked: Asked) -> Answer | None:
        """What comes instead of an answer; None: the request is handled all the same."""
        if fault.kind == "http_status":
            return fault.status, b"", None
        if fault.kind == "kill_shell":
            asyncio.get_running_loop().call_soon(self.shells.kill, asked.message.shell_id)  # while the request waits
            return None
        if fault.kind == "restart_winrm":
            self._restarting = asyncio.ensure_future(self.restart())  # it breaks this connection, and this task with it
        if fault.kind != "hang":
            raise CutConnection
        if fault.seconds is None:
            await asyncio.Event().wait()  # until the client goes away
        await asyncio.sleep(fault.seconds or 0)
        return None
