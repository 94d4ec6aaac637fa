# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an implementation sees of the pipeline it runs in: its bound arguments, streams, host and session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from .errors import PSError
from .tables import CommandTable

if TYPE_CHECKING:
    from .session import Session


IMPACTS = ("low", "medium", "high", "none")  # as preference: from which impact on users are asked


class Bound(Mapping[str, Any]):
    """The parameters of one call, converted to their declared types, under their full names.

    ``set`` is the parameter set in use, ``input`` the pipeline object that was bound or None.
    """

    __slots__ = ("_values", "input", "set")

    def __init__(self, values: Mapping[str, Any], set_name: str, record: Any = None) -> None:
        self._values = values
        self.set = set_name
        self.input = record

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def switch(self, name: str) -> bool:
        """Whether a switch is present and not set to false."""
        return bool(self._values.get(name, False))


class Streams(Protocol):
    """Where a command's records go; the pipeline implements it."""

    def error(self, error: PSError) -> None: ...
    def message(self, kind: str, text: str) -> None: ...
    def progress(self, record: Mapping[str, Any]) -> None: ...


class Context:
    """One command of a running pipeline."""

    def __init__(self, table: CommandTable, session: Session, streams: Streams, common: Mapping[str, Any]) -> None:
        self.table = table
        self.session = session
        self.host = session.host
        self.common = common
        self.call: Any = None
        self._streams = streams

    @property
    def command(self) -> str:
        return self.table.name

    @property
    def clock(self) -> Any:
        return self.host.clock

    def write_error(self, error: PSError) -> None:
        """A non-terminating error; with -ErrorAction Stop it ends the pipeline."""
        error.activity = error.activity or self.command
        self._streams.error(error)

    def should_process(self, target: str, action: str = "") -> bool:
        """Whether to go on with this object: -WhatIf says no; a confirmation that would have to ask is an error."""
        if self.common.get("WhatIf") or self.session.variable("WhatIfPreference") is True:
            return False
        confirm = self.common.get("Confirm")
        preference = str(self.session.variable("ConfirmPreference") or "High").lower()
        impact = IMPACTS.index(self.table.impact.lower())
        if confirm or (confirm is None and impact >= IMPACTS.index(preference)):
            action = action or self.command
            raise self.cannot_ask(f'Performing the operation "{action}" on target "{target}".')
        return True

    def should_continue(self, question: str) -> None:
        """Ask the user, which cannot be done here: always an error. Callers check -Force before."""
        raise self.cannot_ask(question)

    def cannot_ask(self, question: str) -> PSError:
        error = PSError(
            "A command that prompts the user failed because the host program or the command type does not support user "
            f"interaction. The host was attempting to request confirmation with the following message: {question}",
            f"HostFunctionNotImplemented,{self.table.class_name}",
            "NotImplemented",
            "System.Management.Automation.Host.HostException",
        )
        error.activity = self.command
        return error

    def warning(self, message: str) -> None:
        self._streams.message("warning", message)

    def verbose(self, message: str) -> None:
        self._streams.message("verbose", message)

    def progress(
        self,
        activity: str,
        percent: int = -1,
        status: str = " ",
        *,
        activity_id: int = 0,
        seconds: int = -1,
        completed: bool = False,
    ) -> None:
        self._streams.progress(
            {
                "activity": activity,
                "percent": percent,
                "status": status,
                "activity_id": activity_id,
                "seconds": seconds,
                "completed": completed,
            }
        )


class Cmdlet:
    """Base of commands that see the beginning and the end of their input; every method may be left out.

    Each method may be an async generator, or a plain one where nothing is awaited.
    """

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    def begin(self, args: Bound) -> AsyncIterator[Any] | Iterable[Any]:
        return ()

    def process(self, args: Bound) -> AsyncIterator[Any] | Iterable[Any]:
        return ()

    def end(self, args: Bound) -> AsyncIterator[Any] | Iterable[Any]:
        return ()
