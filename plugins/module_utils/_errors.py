# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong, as types: callers decide on the type and the code, never on the text."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace

Layer = t.Literal["input", "connection", "authentication", "protocol", "host", "hyperv", "distribution"]

SHORTEST_SECRET = 4  # shorter ones are not taken out of texts: that would only show where they are

_HRESULT = re.compile(r"0x([0-9A-Fa-f]{8})(?![0-9A-Fa-f])")

# System.Management.Automation.ErrorCategory, by number.
CATEGORIES = (
    "NotSpecified",
    "OpenError",
    "CloseError",
    "DeviceError",
    "DeadlockDetected",
    "InvalidArgument",
    "InvalidData",
    "InvalidOperation",
    "InvalidResult",
    "InvalidType",
    "MetadataError",
    "NotImplemented",
    "NotInstalled",
    "ObjectNotFound",
    "OperationStopped",
    "OperationTimeout",
    "SyntaxError",
    "ParserError",
    "PermissionDenied",
    "ResourceBusy",
    "ResourceExists",
    "ResourceUnavailable",
    "ReadError",
    "WriteError",
    "FromStdErr",
    "SecurityError",
    "ProtocolError",
    "ConnectionError",
    "AuthenticationError",
    "LimitsExceeded",
    "QuotaExceeded",
    "NotEnabled",
)


def hresults(text: str) -> tuple[str, ...]:
    """The HRESULTs in a message, first one first, as ``0x8009030E``: the part of it that is not localised."""
    return tuple(dict.fromkeys(f"0x{digits.upper()}" for digits in _HRESULT.findall(text)))


def sentences(*parts: str | None) -> str:
    """The parts that say something, each with a mark at its end, as one text."""
    said = [part for part in parts if part]
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in said)


@dataclass(frozen=True)
class ErrorRecord:
    """One PowerShell error as the host reported it."""

    message: str
    error_id: str
    category: str = "NotSpecified"
    exception: str | None = None
    target: str | None = None
    command: str | None = None
    terminating: bool = False
    hresult: int | None = None  # of the exception; the message may hold others

    @property
    def identifier(self) -> str:
        """The error id without the class that raised it: ``ObjectNotFound``."""
        return self.error_id.split(",", 1)[0]

    @property
    def hresults(self) -> tuple[str, ...]:
        """Those that say something: .NET gives its own (0x8013....) to every exception that has no better one."""
        own = "" if self.hresult is None or self.hresult >> 16 == 0x8013 else f"0x{self.hresult:08X}"
        return tuple(dict.fromkeys((*hresults(self.message), *([own] if own else ()))))

    def without(self, secret: str) -> ErrorRecord:
        """The same with a secret taken out, should the host have repeated it."""
        if len(secret) < SHORTEST_SECRET:
            return self
        target = self.target.replace(secret, "***") if self.target else self.target
        return replace(self, message=self.message.replace(secret, "***"), target=target)

    def to_dict(self) -> dict[str, t.Any]:
        return {
            "message": self.message,
            "error_id": self.error_id,
            "category": self.category,
            "exception": self.exception,
            "target": self.target,
            "command": self.command,
            "terminating": self.terminating,
            "hresults": list(self.hresults),
        }


class HyperVError(Exception):
    """Anything that went wrong, with what an operator can do about it.

    ``code`` is stable (an UPPER_SNAKE word or an HRESULT) and is what programs look at; ``transient`` says that the
    same thing may well succeed later, without anybody changing anything.
    """

    code: str = "FAILED"
    layer: Layer = "distribution"
    transient: bool = False
    attempts: int = 1
    """How often it was tried before this was raised."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        layer: Layer | None = None,
        cause: str | None = None,
        remedy: str | None = None,
        transient: bool | None = None,
        raw: str | None = None,
        host: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.remedy = remedy
        self.raw = raw
        self.host = host
        if code is not None:
            self.code = code
        if layer is not None:
            self.layer = layer
        if transient is not None:
            self.transient = transient

    def __str__(self) -> str:
        return self.message

    def hide(self, secret: str) -> None:
        """Take a secret out of every text, should somebody have repeated it."""
        for name in ("message", "cause", "remedy", "raw"):
            text = getattr(self, name)
            if text and len(secret) >= SHORTEST_SECRET:
                setattr(self, name, text.replace(secret, "***"))
        self.args = (self.message,)

    def to_dict(self) -> dict[str, t.Any]:
        """The ``error`` of results and of the status file."""
        return {
            "code": self.code,
            "layer": self.layer,
            "message": self.message,
            "cause": self.cause,
            "remedy": self.remedy,
            "transient": self.transient,
            "raw": self.raw,
        }


class InvalidInput(HyperVError):
    """What was asked for cannot be right; nothing was sent."""

    code = "INVALID_INPUT"
    layer = "input"


class AuthenticationFailed(HyperVError):
    """The host (or the domain) did not accept who we are."""

    code = "AUTHENTICATION_FAILED"
    layer = "authentication"


class HostUnreachable(HyperVError):
    """The host could not be reached, and nothing was started on it."""

    code = "UNREACHABLE"
    layer = "connection"
    transient = True


class OutcomeUnknown(HyperVError):
    """Something was sent and its end was not seen: read the state back before doing anything again."""

    code = "OUTCOME_UNKNOWN"
    layer = "connection"
    transient = True


class OperationTimedOut(HyperVError):
    """The command did not end in time. ``stopped`` says whether the host confirmed that it was told to stop."""

    code = "TIMED_OUT"
    layer = "host"
    transient = True

    def __init__(self, message: str, *, stopped: bool = False, **details: t.Any) -> None:
        super().__init__(message, **details)
        self.stopped = stopped


class CommandFailed(HyperVError):
    """The host ran the command and reported errors."""

    code = "COMMAND_FAILED"
    layer = "hyperv"

    def __init__(self, message: str, *, records: t.Sequence[ErrorRecord] = (), **details: t.Any) -> None:
        super().__init__(message, **details)
        self.records = tuple(records)

    def has(self, *identifiers: str) -> bool:
        """Whether every one of the errors carries one of these ids (without class): ``error.has("ObjectNotFound")``."""
        return bool(self.records) and all(record.identifier in identifiers for record in self.records)


class Conflict(HyperVError):
    """Something that is not ours stands where ours should go. It was not touched."""

    code = "CONFLICT"


class Refused(HyperVError):
    """A safety rule or a precondition does not hold."""

    code = "REFUSED"


class LeaseHeld(HyperVError):
    """Somebody else is doing this at the moment."""

    code = "LEASE_HELD"
    transient = True


class LeaseLost(HyperVError):
    """Somebody took over what we were doing: stop, and write nothing more."""

    code = "LEASE_LOST"
    transient = True


class NotFound(HyperVError):
    """What was asked for is not there."""

    code = "NOT_FOUND"


NO_ANSWER = (HostUnreachable, AuthenticationFailed, OutcomeUnknown, OperationTimedOut)
"""What a provider that cannot be used now is told by; anything else is a mistake of ours or of the task."""


class VerificationFailed(HyperVError):
    """What was made is not what it should be."""

    code = "VERIFICATION_FAILED"


class Orphaned(BaseException):
    """The controlling process has gone. Work on the hosts goes on; sessions must not be closed.

    A BaseException, so that no ``except Exception`` on the way swallows it.
    """


__all__ = [
    "CATEGORIES",
    "NO_ANSWER",
    "AuthenticationFailed",
    "CommandFailed",
    "Conflict",
    "ErrorRecord",
    "HostUnreachable",
    "HyperVError",
    "InvalidInput",
    "Layer",
    "LeaseHeld",
    "LeaseLost",
    "NotFound",
    "OperationTimedOut",
    "Orphaned",
    "OutcomeUnknown",
    "Refused",
    "VerificationFailed",
    "hresults",
]
