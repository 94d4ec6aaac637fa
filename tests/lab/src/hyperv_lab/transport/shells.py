# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every shell of a host has: an owner, a client, outboxes, and an end when nobody asks for it any more."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

from ..config import HostConfig, WinRMConfig
from ..faults import Faults
from . import wsman_faults as faults
from .auth import Principal
from .outbox import Outbox
from .soap import Message, WSManFault

Now = Callable[[], float]
IDLE_DEFAULT = 7200.0
IDLE_RANGE = (60, 2147483)
# A shell whose IdleTimeOut is over shows Disconnected and goes about a minute later, as recorded from a real host.
REAPED_AFTER = 60.0
# How long a host takes a silent client for alive, when another one wants to connect to its shell. Not proved.
CLIENT_GONE_AFTER = 60.0
CONNECTED, DISCONNECTED = "Connected", "Disconnected"
PROCESS_IDS = itertools.count(4100, 4)


@dataclass(frozen=True)
class Premises:
    """Where shells live: the host, how its WinRM is set up, what shall go wrong, and who hears of bugs of the lab."""

    host: Any
    config: HostConfig
    faults: Faults
    now: Now
    report: Callable[[BaseException], None]


@dataclass(frozen=True)
class Opening:
    """What a shell is made from."""

    shell_id: str
    resource_uri: str
    owner: Principal
    client: str | None
    client_ip: str
    idle_timeout: float
    now: Now
    loads_profile: bool = True
    details: str = ""
    """XML of what the client asked for and the description repeats."""


class Shell(ABC):
    input_streams = "stdin"
    output_streams = "stdout"

    def __init__(self, opening: Opening) -> None:
        self.id = opening.shell_id
        self.resource_uri = opening.resource_uri
        self.owner = opening.owner
        self.client = opening.client
        self.client_ip = opening.client_ip
        self.idle_timeout = opening.idle_timeout
        self.outboxes: dict[str | None, Outbox] = {None: Outbox()}
        self.process_id = next(PROCESS_IDS)
        self.loads_profile = opening.loads_profile
        self._details = opening.details
        self._now = opening.now
        self._born = self._last = opening.now()
        self._pending = 0
        self._state = CONNECTED
        self.crash: Callable[[], None] = lambda: None
        """End the shell's process; set where the shell is kept."""

    @abstractmethod
    def command(self, message: Message) -> str:
        """Start a command and return its id."""

    @abstractmethod
    def send(self, command_id: str | None, data: bytes, end: bool) -> None:
        """Input for a command, or for the shell itself."""

    @abstractmethod
    def stop(self, command_id: str) -> None:
        """Stop a command; what it has to say is still fetched."""

    @abstractmethod
    def forget(self, command_id: str) -> None:
        """Stop a command if it runs, and give its id up."""

    @abstractmethod
    def end(self, reason: str) -> None:
        """The shell's process ends, and everything that runs in it."""

    @abstractmethod
    def names(self, command_id: str | None) -> Collection[str]:
        """The cmdlets of a command, for faults that are meant for one of them."""

    @property
    def idle(self) -> float:
        return 0.0 if self._pending else self._now() - self._last

    @property
    def state(self) -> str:
        return DISCONNECTED if self.idle >= self.idle_timeout else self._state

    @property
    def expired(self) -> bool:
        return self.idle >= self.idle_timeout + REAPED_AFTER

    @property
    def client_is_gone(self) -> bool:
        return self._state == DISCONNECTED or self.idle >= min(CLIENT_GONE_AFTER, self.idle_timeout)

    def touch(self) -> None:
        self._last = self._now()

    async def receive(self, command_id: str | None, timeout: float, max_envelope: int) -> str:
        outbox = self.outboxes.get(command_id)
        if outbox is None:
            raise faults.no_command()
        self._pending += 1
        try:
            return await outbox.receive(timeout, max_envelope)
        finally:
            self._pending -= 1
            self.touch()

    def disconnect(self) -> None:
        self._state = DISCONNECTED
        for outbox in self.outboxes.values():
            outbox.fail(faults.stream_disconnected())

    def reconnect(self, client: str | None) -> None:
        self._state, self.client = CONNECTED, client
        self.touch()

    @property
    def operations(self) -> int:
        """Commands that were not given up, and Receives that wait."""
        return len([command_id for command_id in self.outboxes if command_id is not None]) + self._pending

    def abort(self, reason: str, fault: WSManFault) -> None:
        """End the shell, and the Receives that wait for it."""
        for outbox in self.outboxes.values():
            outbox.fail(fault)
        self.end(reason)

    def to_xml(self) -> str:
        age, idle = int(self._now() - self._born), int(self.idle)
        return (
            f"<rsp:Shell><rsp:ShellId>{escape(self.id)}</rsp:ShellId>"
            f"<rsp:ResourceUri>{escape(self.resource_uri)}</rsp:ResourceUri>"
            f"<rsp:Owner>{escape(self.owner.account.name)}</rsp:Owner><rsp:ClientIP>{self.client_ip}</rsp:ClientIP>"
            f"{self._process_xml()}{self._details}<rsp:IdleTimeOut>PT{self.idle_timeout:.3f}S</rsp:IdleTimeOut>"
            f"<rsp:InputStreams>{self.input_streams}</rsp:InputStreams>"
            f"<rsp:OutputStreams>{self.output_streams}</rsp:OutputStreams>{self._state_xml()}"
            f"<rsp:ShellRunTime>{_duration(age)}</rsp:ShellRunTime>"
            f"<rsp:ShellInactivity>{_duration(idle)}</rsp:ShellInactivity></rsp:Shell>"
        )

    def _process_xml(self) -> str:
        return ""

    def _state_xml(self) -> str:
        return ""


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"P{days}DT{hours}H{minutes}M{rest}S"


class Shells:
    """The shells of one host, with WinRM's quotas."""

    def __init__(self, config: WinRMConfig) -> None:
        self._config = config
        self._shells: dict[str, Shell] = {}

    def __iter__(self) -> Iterator[Shell]:
        return iter(tuple(self._shells.values()))

    def __len__(self) -> int:
        return len(self._shells)

    def of(self, owner: Principal) -> list[Shell]:
        return [shell for shell in self if shell.owner.account == owner.account]

    def admit(self, owner: Principal, shell_id: str) -> None:
        """Whether this user may have one more shell under this id."""
        self.reap()
        if shell_id in self._shells:
            raise faults.shell_id_taken()
        others = {shell.owner.account for shell in self} - {owner.account}
        if len(others) >= self._config.users:
            raise faults.too_many_users()
        if len(self.of(owner)) >= self._config.shells_per_user:
            raise faults.too_many_shells(self._config.shells_per_user)

    def add(self, shell: Shell) -> None:
        self._shells[shell.id] = shell
        shell.crash = partial(self.kill, shell.id)

    def operations(self, owner: Principal) -> int:
        """What this user has open: commands that were not given up, and Receives that wait."""
        return sum(shell.operations for shell in self.of(owner))

    def find(self, owner: Principal, shell_id: str | None) -> Shell:
        self.reap()
        shell = self._shells.get((shell_id or "").upper())
        if shell is None:
            raise faults.no_shell()
        if shell.owner.account != owner.account:
            raise faults.denied()
        return shell

    def peek(self, shell_id: str | None) -> Shell | None:
        return self._shells.get((shell_id or "").upper())

    def remove(self, shell: Shell, reason: str, fault: WSManFault | None = None) -> None:
        """The pipelines hear the reason in their cancellation: a lost shell is not a stopped pipeline."""
        if self._shells.pop(shell.id, None) is not None:
            shell.abort(f"shell lost: {reason}", fault or faults.aborted())

    def kill(self, shell_id: str | None) -> None:
        """The shell's process dies; who waits for it is told so, who comes later finds no shell."""
        shell = self.peek(shell_id)
        if shell is not None:
            self.remove(shell, "its process died", faults.process_gone())

    def remove_all(self, reason: str) -> None:
        for shell in self:
            self.remove(shell, reason)

    def reap(self) -> None:
        for shell in self:
            if shell.expired:
                self.remove(shell, "idle for too long")


def command_id_of(element: ET.Element) -> str | None:
    text = element.get("CommandId")
    return text.upper() if text else None
