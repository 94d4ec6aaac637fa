# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One command of a running statement: bound, logged, fed with records, and its streams under its preferences."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

from ..calls import describe_parameters
from .binder import Argument, Binder
from .binding_errors import BindError
from .context import Bound, Cmdlet, Context
from .errors import LabBug, NotSimulated, PSError, command_not_found
from .incoming import from_wire
from .output import Output
from .providers import provider_of
from .records import for_variable
from .registry import implementation
from .session import Session
from .tables import resolve
from .unlisted import is_unlisted
from .values import PSArray

Sink = Callable[[Any], Awaitable[None]]
LOGGED_RECORDS = 20  # of one call, that its log entry tells


class StopUpstream(Exception):
    """A command has all it wants: those before it are not asked any more."""

    def __init__(self) -> None:
        super().__init__("the commands before are to stop")
        self.index: int | None = None  # of the command that asked for it


class Streams:
    """Where a command's errors and messages go: -ErrorAction and its like decide."""

    def __init__(self, output: Output, session: Session, common: Mapping[str, Any]) -> None:
        self._output = output
        self._session = session
        self._common = common
        self.first_error: str | None = None

    def _preference(self, parameter: str, variable: str) -> str:
        value = self._common.get(parameter) or self._session.variable(variable)
        return str(value or "Continue").lower()

    def error(self, error: PSError) -> None:
        action = self._preference("ErrorAction", "ErrorActionPreference")
        self.first_error = self.first_error or error.error_id
        if action != "ignore":
            self._keep("ErrorVariable", for_variable(error))
        if action in ("stop", "inquire"):
            error.stops_batch = True
            raise error
        if action not in ("silentlycontinue", "ignore"):
            self._output.error(error)

    def message(self, kind: str, text: str) -> None:
        if kind == "warning":
            action = self._preference("WarningAction", "WarningPreference")
            self._keep("WarningVariable", text)
            if action not in ("silentlycontinue", "ignore"):
                self._output.message(kind, text)
        elif self._common.get(kind.capitalize()):
            self._output.message(kind, text)

    def progress(self, record: Mapping[str, Any]) -> None:
        if str(self._session.variable("ProgressPreference") or "Continue").lower() in ("continue", "inquire"):
            self._output.progress(record)

    def _keep(self, parameter: str, item: Any) -> None:
        name = self._common.get(parameter)
        if name:
            known = self._session.variable(name.lstrip("+"))
            items = known if isinstance(known, PSArray) and (name.startswith("+") or self.first_error) else PSArray()
            items.append(item)
            self._session.set_variable(name.lstrip("+"), items)


class Stage:
    """Made by binding its command line; ``start`` is when it counts as called."""

    def __init__(self, session: Session, command: Any, output: Output, *, expects_input: bool) -> None:
        name = str(command.command_text)
        known = resolve(name)
        offer = None if known is None else session.configuration.offer(name, known)
        if known is None and is_unlisted(name) and not session.configuration.no_language:
            raise NotSimulated(f"{name} is a command of real hosts that the lab knows by its name only")
        if known is None or offer is None:
            raise command_not_found(name)
        arguments: list[Argument] = [
            (None if key is None else str(key), from_wire(value)) for key, value in command.parameters
        ]
        self.session = session
        self.index = 0
        version = int(getattr(session.host, "version", 2022))
        self.shape = offer.shape(known, version, provider_of(known, arguments))
        self.expects_input = expects_input
        try:
            self.binder = Binder(self.shape, arguments, expects_input=expects_input)
        except PSError as error:
            error.activity = known
            raise
        if "PipelineVariable" in self.binder.common:
            raise NotSimulated("-PipelineVariable")
        self._streams = Streams(output, session, self.binder.common)
        self.ctx = Context(self.shape.table, session, self._streams, self.binder.common)
        self._sink: Sink | None = None
        self._cmdlet: Cmdlet | None = None
        self._function: Any = None
        self._logged = 0
        self._piped: dict[str, list[Any]] = {}
        self._begun = False
        self._out_variable = self._new_out_variable()

    @property
    def name(self) -> str:
        return self.shape.table.name

    def _new_out_variable(self) -> PSArray | None:
        name = self.binder.common.get("OutVariable")
        if not name:
            return None
        known = self.session.variable(name.lstrip("+"))
        kept = known if name.startswith("+") and known is not None else []
        items = PSArray(kept if isinstance(kept, list) else [kept], "System.Collections.ArrayList")
        self.session.set_variable(name.lstrip("+"), items)
        return items

    # ---- life

    def start(self, pipeline_id: str, sink: Sink) -> None:
        """The command begins: it stands in the host's call log from now on."""
        self._sink = sink
        bound = self.binder.bound()
        self.ctx.call = self.session.host.calls.begin(
            user=self.session.caller.user,
            shell=self.session.shell_id,
            pipeline=pipeline_id,
            command=self.name,
            parameter_set=bound.set,
            parameters=dict(bound),
        )
        target = implementation(self.name)
        if target is None:
            raise NotSimulated(f"{self.name} is a command of real hosts that the lab does not simulate")
        if isinstance(target, type) and issubclass(target, Cmdlet):
            self._cmdlet = target(self.ctx)
        else:
            self._function = target

    async def begin(self) -> None:
        """Once, and before the first record even if that comes out of another command's beginning."""
        if self._begun:
            return
        self._begun = True
        if self._cmdlet is not None:
            await self._drive(self._cmdlet.begin(self.binder.bound()))

    async def process(self, record: Any) -> None:
        """One pipeline object; one that cannot be bound is reported and passed over."""
        if not self._begun:
            await self.begin()
        try:
            args = self.binder.record(record)
        except BindError as error:
            error.target = record
            self.ctx.write_error(error)
            return
        self._log(args)
        await self._run(args)

    async def process_once(self) -> None:
        await self._run(self.binder.bound())

    async def _run(self, args: Bound) -> None:
        if self._cmdlet is not None:
            await self._drive(self._cmdlet.process(args))
        else:
            await self._drive(self._function(self.ctx, args))

    async def end(self) -> None:
        if self._cmdlet is not None:
            await self._drive(self._cmdlet.end(self.binder.bound()))

    def finish(self, error: str | None = None) -> None:
        """The command is over, however it ended."""
        if self.ctx.call is not None:
            self.session.host.calls.end(self.ctx.call, error or self._streams.first_error)

    # ---- output

    async def _drive(self, items: AsyncIterator[Any] | Iterable[Any] | None) -> None:
        if items is None:
            raise LabBug(f"{self.name} gives no iterator")
        try:
            if isinstance(items, AsyncIterator):
                async for item in items:
                    await self._emit(item)
            else:
                for item in items:
                    await self._emit(item)
        except PSError as error:
            error.activity = error.activity or self.name
            raise
        except StopUpstream as stop:
            if stop.index is None:
                stop.index = self.index
            raise
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()

    async def _emit(self, item: Any) -> None:
        if self._out_variable is not None:
            self._out_variable.append(item)
        assert self._sink is not None
        await self._sink(item)

    def _log(self, args: Bound) -> None:
        """What came through the pipeline is told too, but for what only flows through."""
        self._logged += 1
        if self._logged > LOGGED_RECORDS or self.ctx.call is None:
            return
        call = self.ctx.call
        call.set = args.set
        known = self.binder.bound()
        piped = {key: value for key, value in args.items() if key not in known and key != "InputObject"}
        for key, value in describe_parameters(piped).items():
            seen = self._piped.setdefault(key, [])
            seen += value if isinstance(value, list) else [value]
            call.parameters[key] = value if self._logged == 1 else list(seen)
