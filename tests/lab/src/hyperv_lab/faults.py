# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that a test orders for a host: what shall go wrong, how often, and at which command."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

KINDS = {
    "refuse": "new connections are refused until the fault is taken back; open ones stay",
    "cut": "the connection breaks when a request arrives; nothing of it is done",
    "cut_on_command": "the connection breaks when a Command arrives; the pipeline is not started",
    "lose_answer": "the request is done, its answer is lost and the connection breaks",
    "half_open": "new connections are taken and nobody ever answers on them, until the fault is taken back",
    "hang": "the request is taken and never answered (or after `seconds`); nothing of it is done",
    "mute": "the request is done, its answer never comes, and the connection stays",
    "slow": "the answer trickles at `rate` bytes a second",
    "kill_shell": "the process of the shell that the request is for dies, and everything in it",
    "restart_winrm": "the WinRM service restarts when the request arrives: nothing of it is done, all shells are gone",
    "http_status": "answered with the HTTP status `status` and no body; nothing of it is done",
    "fail_command": "the command fails with `error_id` and `message` instead of running",
}
STANDING = frozenset({"refuse", "half_open"})
"""Faults of the listeners: they are not used up, but taken back."""


@dataclass
class Fault:
    """``count``: how many times (None: until taken back). ``action``: a WSMan action such as Receive."""

    kind: str
    count: int | None = 1
    command: str | None = None
    action: str | None = None
    status: int = 503
    seconds: float | None = None
    rate: int = 4096
    error_id: str = "OperationFailed"
    message: str = "The operation failed. (0x80004005)"
    category: str = "NotSpecified"

    def fits(self, action: str | None, commands: Collection[str]) -> bool:
        wanted = "Command" if self.kind == "cut_on_command" else self.action
        if wanted is not None and (action is None or wanted.lower() != action.lower()):
            return False
        return self.command is None or self.command.lower() in {name.lower() for name in commands}


def parse_fault(data: Mapping[str, Any]) -> Fault:
    """A fault from JSON; ValueError names what is wrong."""
    unknown = set(data) - {field.name for field in fields(Fault)}
    if unknown:
        raise ValueError(f"unknown key of a fault: {', '.join(sorted(unknown))}")
    kind = data.get("kind")
    if kind not in KINDS:
        raise ValueError(f"kind: {kind!r} is none of {', '.join(KINDS)}")
    if kind in STANDING and data.get("count") is not None:
        raise ValueError(f"count: {kind} holds until the fault is taken back")
    if kind == "fail_command" and not data.get("command"):
        raise ValueError("command: fail_command needs the name of a command")
    count = data.get("count", None if kind in STANDING else 1)
    if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
        raise ValueError(f"count: {count!r} is no positive whole number")
    rate = data.get("rate", Fault.rate)
    if not isinstance(rate, int) or isinstance(rate, bool) or rate < 1:
        raise ValueError(f"rate: {rate!r} is no number of bytes a second")
    return Fault(**{**data, "count": count})


class Faults:
    """The faults of one host, in the order in which they were ordered."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    def take(
        self, kinds: Collection[str], *, action: str | None = None, commands: Collection[str] = ()
    ) -> Fault | None:
        """The first fault of one of these kinds that fits here; it is used up once."""
        for fault in self._faults:
            if fault.kind in kinds and fault.fits(action, commands):
                self._use(fault)
                return fault
        return None

    def _use(self, fault: Fault) -> None:
        if fault.count is not None:
            fault.count -= 1
            if fault.count == 0:
                self._faults.remove(fault)

    def __bool__(self) -> bool:
        return bool(self._faults)

    def to_list(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._faults]
