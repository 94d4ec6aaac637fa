# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was called on a host, by whom and when: tests assert on it, so it tells the truth and never a secret."""

from __future__ import annotations

import datetime
import enum
import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any

MASK = "********"
READING_VERBS = frozenset(
    "Get Test Select Compare Measure Where Sort Out Write Join Split ConvertTo ConvertFrom Group ForEach Resolve"
    " Find".lower().split()
)
SECRET_TYPES = frozenset({"PSSecureString", "PSCredential", "SecureString"})
SECRET_WORDS = ("password", "credential", "secret", "passphrase")


def writes(command: str) -> bool:
    """Whether a command of this name may change its host."""
    return command.partition("-")[0].lower() not in READING_VERBS


def describe(value: Any) -> Any:
    """A parameter's value as JSON can hold it. Types that carry secrets are masked wherever they stand."""
    if any(kind.__name__ in SECRET_TYPES for kind in type(value).__mro__):
        return MASK
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return describe_parameters(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [describe(item) for item in value]
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, (str, uuid.UUID, PurePath, datetime.datetime, datetime.timedelta)):
        return str(value)
    return _describe_object(value)


def _describe_object(value: Any) -> str:
    """Objects are told by their text; live ones, whose text says nothing, by type, name and id."""
    properties = getattr(value, "properties", None)
    if not isinstance(properties, Mapping):
        return str(value)
    names = getattr(value, "type_names", ["object"])
    told = [str(properties[key]) for key in ("Name", "Id", "Path") if properties.get(key) is not None]
    return " ".join([str(names[0]), *told])


def describe_parameters(parameters: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(name): MASK if any(word in str(name).lower() for word in SECRET_WORDS) else describe(value)
        for name, value in parameters.items()
    }


@dataclass
class Call:
    """One command of a pipeline, bound and started. ``ended`` is None while it runs; times are the lab's clock."""

    n: int
    host: str
    user: str
    shell: str
    pipeline: str
    command: str
    set: str
    parameters: dict[str, Any]
    started: float
    ended: float | None
    error: str | None
    writes: bool
    note: Any = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class CallLog:
    """The calls of one host. ``numbers`` is shared by the hosts of a lab, so that ``n`` is the order of all calls."""

    def __init__(self, host: str, now: Callable[[], float], numbers: Iterator[int] | None = None) -> None:
        self.host = host
        self._now = now
        self._numbers = itertools.count(1) if numbers is None else numbers
        self._calls: list[Call] = []

    def begin(
        self, *, user: str, shell: str, pipeline: str, command: str, parameter_set: str, parameters: Mapping[str, Any]
    ) -> Call:
        call = Call(
            n=next(self._numbers),
            host=self.host,
            user=user,
            shell=shell,
            pipeline=pipeline,
            command=command,
            set=parameter_set,
            parameters=describe_parameters(parameters),
            started=self._now(),
            ended=None,
            error=None,
            writes=writes(command),
        )
        self._calls.append(call)
        return call

    def end(self, call: Call, error: str | None = None) -> None:
        """The first end counts; an error that is known already stays."""
        call.error = call.error or error
        if call.ended is None:
            call.ended = self._now()

    def since(self, n: int = 0) -> list[Call]:
        """The calls with a number above ``n``, in their order."""
        return [call for call in self._calls if call.n > n]

    def clear(self) -> None:
        self._calls.clear()

    def __iter__(self) -> Iterator[Call]:
        return iter(tuple(self._calls))

    def __len__(self) -> int:
        return len(self._calls)


def in_order(logs: Iterable[CallLog], since: int = 0) -> list[Call]:
    return sorted((call for log in logs for call in log.since(since)), key=lambda call: call.n)
