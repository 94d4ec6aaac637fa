# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second door: every module of the collection is routed here by ``meta/runtime.yml``.

A task for a host whose connection is psrp or winrm, or one with ``ansible_connection: local``, runs its operation right
inside the Ansible worker. Every other connection is a machine that has to reach the Hyper-V hosts itself: there the
module is sent, as usual.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pkgutil
import typing as t
from collections.abc import Mapping
from importlib import import_module

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible_collections.fanout.hyperv.plugins.module_utils._arguments import (
    connection_params,
    full_spec,
    role_params,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError, Orphaned
from ansible_collections.fanout.hyperv.plugins.module_utils._running import Route, perform, routes_from_params
from ansible_collections.fanout.hyperv.plugins.module_utils._session import preload as preload_session
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation
from ansible_collections.fanout.hyperv.plugins.plugin_utils._inventory_connection import (
    kind_of,
    options_of,
    overridden,
    own_options,
    plain,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._reporting import FileReporter
from ansible_collections.fanout.hyperv.plugins.plugin_utils._slots import FileSlots

COLLECTION = "fanout.hyperv"
OPERATIONS = f"ansible_collections.{COLLECTION}.plugins.module_utils.operations"

COLLECT_AFTER = 20_000
"""New objects until garbage is looked for: with Python's own number that is a sixth of a survey's CPU."""

Values = dict[str, t.Any]


class Mistake(Exception):
    """The task says what it cannot say."""


def find_operation(name: str) -> Operation:
    """The operation of the module with that name."""
    try:
        module = import_module(f"{OPERATIONS}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{OPERATIONS}.{name}":
            raise
        raise Mistake(f"{COLLECTION} has no module {name!r}.") from None
    operation: Operation = module.OPERATION
    return operation


def preload() -> None:
    """Import what tasks need in the process that workers are forked from: once, instead of in each of them."""
    with contextlib.suppress(HyperVError):  # a library that is missing is said by the task that needs it
        preload_session()
    for module in pkgutil.iter_modules(import_module(OPERATIONS).__path__):
        import_module(f"{OPERATIONS}.{module.name}")
    gc.freeze()  # nothing of it is ever garbage: no need to look through it again, here or in a worker


def validate(operation: Operation, arguments: Values) -> ValidationResult:
    """Check a task's arguments as the module would, with the module's messages."""
    result = ArgumentSpecValidator(full_spec(operation), **operation.rules()).validate(arguments)
    if result.error_messages:
        message = result.errors.msg
        if isinstance(result.errors[0], UnsupportedError):
            message = f"Unsupported parameters for ({COLLECTION}.{operation.name}) module: {message}"
        raise Mistake(message)
    return result


class ActionModule(ActionBase):
    """Runs the operation that is named like the task's module."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        """Validate, find the hosts, run; the same result as the module gives."""
        try:
            return self._run(tmp, task_vars or {})
        except Mistake as mistake:
            return {"failed": True, "changed": False, "msg": str(mistake)}

    def _run(self, tmp: str | None, variables: Values) -> Values:
        name = self._task.action.rsplit(".", 1)[-1]
        operation = find_operation(name)
        if not self._runs_here(operation):
            # whatever ActionBase prepares (a folder on the other machine) is for this door
            result: Values = super().run(tmp, variables)
            return result | self._execute_module(module_name=f"{COLLECTION}.{name}", task_vars=variables)
        if self._task.async_val:
            raise Mistake(f"{COLLECTION}.{name} runs inside the Ansible worker: async is not possible.")
        return self._run_here(operation, variables)

    def _runs_here(self, operation: Operation) -> bool:
        transport = self._connection.transport
        return not operation.needs_host or transport == "local" or kind_of(transport) is not None

    def _run_here(self, operation: Operation, variables: Values) -> Values:
        gc.freeze()  # else each collection looks through (and so copies) what the worker has from its parent
        gc.set_threshold(COLLECT_AFTER, 10, 10)
        validation = validate(operation, self._task.args)
        params = plain(validation.validated_parameters)
        provider = self._provider(variables)
        try:
            result = perform(
                operation,
                params,
                provider=provider,
                routes=lambda: self._routes(operation, params, provider, variables.get("hostvars") or {}),
                reporter=FileReporter(provider, template_id=params.get("template_id") or params.get("id")),
                slots=FileSlots(scope=str(params.get("source") or "")),
                check_mode=bool(self._task.check_mode),
                diff=bool(self._task.diff),
            )
        except Orphaned:
            # Closing a shell would stop what runs in it; a move that goes on is adopted by the next run.
            os._exit(1)
        masked: Values = remove_values(result, validation._no_log_values)
        return masked

    def _provider(self, variables: Values) -> str:
        """The inventory name of the host whose connection is used."""
        if self._task.delegate_to and kind_of(self._connection.transport):
            return str(plain(self._task.delegate_to))
        return str(plain(variables.get("inventory_hostname", "localhost")))

    def _routes(
        self, operation: Operation, params: Values, provider: str, hostvars: Mapping[str, Values]
    ) -> dict[str, Route]:
        """How each host of the task is reached: first the task's own words, then inventory, then environment."""
        inventory = own_options(self)
        if inventory is None:
            routes = routes_from_params(operation, params)
        else:
            known = connection_params(params)
            given = {option: value for option, value in known.items() if option in self._task.args}
            environment = {option: value for option, value in known.items() if option not in given}
            routes = {"host": Route(label=provider, options=overridden(inventory, given, environment))}
        for role in operation.hosts:
            if params.get(role):
                routes[role] = Route(label=params[role], options=self._other(role, params, hostvars))
        return routes

    def _other(self, role: str, params: Values, hostvars: Mapping[str, Values]) -> ConnectionOptions:
        given = role_params(params, role)
        if given is not None:
            return ConnectionOptions.from_params(given)
        partly = connection_params(params.get(f"{role}_connection") or {})
        return overridden(options_of(self, hostvars, params[role], option=role), partly, {})


preload()
