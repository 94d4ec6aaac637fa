# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Runs an operation: the only place that knows check mode, results and failures. Used by both doors.

Door one is a module process (``run_module``); door two is the action plugin ``operation``, which calls ``perform``
inside the Ansible worker. Both give the same result.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
import typing as t
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fanout.hyperv.plugins.module_utils._arguments import (
    connection_params,
    full_spec,
    role_params,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    HyperVError,
    InvalidInput,
    Orphaned,
    sentences,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.plugins.module_utils._session import Session
from ansible_collections.fanout.hyperv.plugins.module_utils._work import (
    Change,
    Operation,
    Owner,
    Reporter,
    Slots,
    Values,
    Work,
)


@dataclass(frozen=True, kw_only=True)
class Route:
    """How a host is reached, and what it is called in messages."""

    label: str
    options: ConnectionOptions


class HostPool:
    """The hosts of one task, each opened when first used. Leaving closes the sessions, or drops them when orphaned."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._routes = routes
        self._opened: dict[tuple[str, bool], Host] = {}
        self._sessions = contextlib.ExitStack()

    def __enter__(self) -> HostPool:
        return self

    def __exit__(self, *exception: t.Any) -> None:
        self._sessions.__exit__(*exception)

    def has(self, role: str) -> bool:
        """Whether it is known how to reach the host of that role."""
        return role in self._routes

    def get(self, role: str, *, control: bool = False) -> Host:
        """The host of that role; with ``control`` over a second session of its own."""
        key = (role, control)
        if key not in self._opened:
            if role not in self._routes:
                raise InvalidInput(f"It is not known how to reach the {role}: give its inventory name or connection.")
            route = self._routes[role]
            session = self._sessions.enter_context(Session(route.options, label=route.label))
            self._opened[key] = Host(session)
        return self._opened[key]


class ParentWatch:
    """Notices that the process which started this one has gone; says nothing otherwise (the reporter of a module)."""

    def __init__(self, parent: Callable[[], int] = os.getppid) -> None:
        self._parent = parent
        self._first = parent()

    def phase(self, name: str, **fields: t.Any) -> None:
        """A module process has nobody to tell while it runs."""
        self.check()

    def progress(
        self,
        percent: float | None = None,
        bytes_done: int | None = None,
        bytes_total: int | None = None,
        **fields: t.Any,
    ) -> None:
        """A module process has nobody to tell while it runs."""
        self.check()

    def note(self, text: str) -> None:
        """A module process has nobody to tell while it runs."""

    def check(self) -> None:
        """Raise ``Orphaned`` when the parent is no longer the one of the start."""
        if self._parent() != self._first:
            raise Orphaned("the process that started this work has gone")


class LooseSlots:
    """The slots of a lone module process: no run directory to share, so only the moves that the source shows count."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep, every: float = 5) -> None:
        self._sleep = sleep
        self._every = every

    @contextlib.contextmanager
    def clone(self, limit: int, check: Callable[[], None]) -> Iterator[None]:
        """Nothing to wait for: this process makes one clone."""
        check()
        yield

    @contextlib.contextmanager
    def exclusive(self, name: str, check: Callable[[], None]) -> Iterator[None]:
        """Nothing to wait for: what must be alone across processes is a lease on the host."""
        check()
        yield

    @contextlib.contextmanager
    def copy(
        self,
        limit: int,
        vm_id: str,
        in_flight: Callable[[], Collection[str]],
        check: Callable[[], None],
    ) -> Iterator[None]:
        """Wait until the source shows fewer than ``limit`` moves other than the one of this VM."""
        while len(set(in_flight()) - {vm_id}) >= limit:
            check()
            self._sleep(self._every)
        yield


def run_operation(operation: Operation, work: Work, *, check_mode: bool, diff: bool) -> Values:
    """The result of one operation, as a task shows it; a ``HyperVError`` becomes a failed result."""
    begun = False
    try:
        if operation.gather is not None:
            return {"changed": False, **operation.gather(work)}
        decision = None if operation.decide is None else operation.decide(work)
        if not isinstance(decision, Change):
            reason = {} if decision is None or decision.reason is None else {"msg": decision.reason}
            return {"changed": False, **reason, **({} if decision is None else decision.values)}
        result = _promise(decision, diff=diff)
        if not check_mode:
            begun = True
            result |= decision.apply() or {}
        return result
    except HyperVError as error:
        extra = {} if operation.on_error is None else operation.on_error(work, error)
        return failure(error, work.provider, changed=begun) | extra


def _promise(change: Change, *, diff: bool) -> Values:
    result: Values = {"changed": True, "msg": change.reason, **change.values}
    if change.plan:
        result["plan"] = list(change.plan)
    if diff:
        result["diff"] = {"before": change.before, "after": change.after}
    return result


def failure(error: HyperVError, provider: str, *, changed: bool = False) -> Values:
    """A failed result: one readable sentence or two, and the same as data for programs."""
    told = error.to_dict()
    message = str(told["message"])
    where = error.host or provider
    parts = [message, *(str(told[key]) for key in ("cause", "remedy") if told.get(key) and told[key] not in message)]
    text = sentences(*parts)
    return {
        "failed": True,
        "changed": changed,
        "msg": text if message.startswith(f"{where}: ") else f"{where}: {text}",
        "error": told,
    }


def perform(
    operation: Operation,
    params: Values,
    *,
    provider: str,
    routes: Callable[[], Mapping[str, Route]],
    reporter: Reporter,
    slots: Slots,
    check_mode: bool,
    diff: bool,
    run: str | None = None,
) -> Values:
    """Find out how the hosts are reached, run the operation, close the sessions."""
    owner = Owner(controller=socket.gethostname(), pid=os.getpid(), run=run or f"{os.getppid()}-{os.getpid()}")
    try:
        known = routes() if operation.needs_host else {}
    except HyperVError as error:
        return failure(error, provider)
    warnings = list(dict.fromkeys(warning for route in known.values() for warning in route.options.warnings))
    with HostPool(known) as pool:
        work = Work(params=params, provider=provider, hosts=pool, reporter=reporter, slots=slots, owner=owner)
        result = run_operation(operation, work, check_mode=check_mode, diff=diff)
    return result | {"warnings": warnings + result.get("warnings", [])} if warnings else result


def routes_from_params(operation: Operation, params: Values) -> dict[str, Route]:
    """The hosts of a task that says itself how they are reached."""
    own = connection_params(params)
    if not own.get("server"):
        raise InvalidInput(
            "No server: give the option 'server' (or FANOUT_HYPERV_SERVER), or run the task for an inventory host "
            "whose connection is psrp or winrm."
        )
    routes = {"host": Route(label=own["server"], options=ConnectionOptions.from_params(own))}
    for role in operation.hosts:
        given = role_params(params, role)
        if given is not None:
            label = params.get(role) or given["server"]
            routes[role] = Route(label=label, options=ConnectionOptions.from_params(given))
    return routes


def run_module(operation: Operation) -> t.NoReturn:
    """The whole of a module's ``main()``."""
    module = AnsibleModule(argument_spec=full_spec(operation), supports_check_mode=True, **operation.rules())
    try:
        result = perform(
            operation,
            module.params,
            provider=module.params.get("server") or "this task",
            routes=lambda: routes_from_params(operation, module.params),
            reporter=ParentWatch(),
            slots=LooseSlots(),
            check_mode=module.check_mode,
            diff=module._diff,
        )
    except Orphaned:
        os._exit(1)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


__all__ = ("HostPool", "LooseSlots", "ParentWatch", "Route", "failure", "perform", "run_module", "run_operation")
