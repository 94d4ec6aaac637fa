# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The options that every module has: how the Hyper-V host is reached. Documented in the fragment ``_connection``.

No option has a default here, so that one which is left out can be told from one which is given: the action plugin fills
what is left out from the host's inventory variables, and ``ConnectionOptions`` knows the defaults.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible.module_utils.common.parameters import env_fallback

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation, Values

ENVIRONMENT_PREFIX = "FANOUT_HYPERV_"

_PLAIN: dict[str, dict[str, t.Any]] = {
    "server": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "port": {"type": "int"},
    "protocol": {"type": "str", "choices": ["https", "http"]},
    "auth": {"type": "str", "choices": ["negotiate", "kerberos", "ntlm", "credssp", "basic", "certificate"]},
    "cert_validation": {"type": "str", "choices": ["validate", "ignore"]},
    "ca_cert": {"type": "path"},
    "message_encryption": {"type": "str", "choices": ["auto", "always", "never"]},
    "configuration_name": {"type": "str"},
    "certificate_pem": {"type": "path"},
    "certificate_key_pem": {"type": "path", "no_log": False},
    "negotiate_delegate": {"type": "bool"},
    "negotiate_hostname_override": {"type": "str"},
    "negotiate_service": {"type": "str"},
    "ignore_proxy": {"type": "bool"},
    "operation_timeout": {"type": "int"},
    "read_timeout": {"type": "int"},
    "connection_timeout": {"type": "int"},
}

CONNECTION_OPTIONS: tuple[str, ...] = tuple(_PLAIN)


def connection_arguments(*, environment: bool = True) -> dict[str, dict[str, t.Any]]:
    """The argument spec of the connection options, with or without their environment variables."""
    spec = {name: dict(option) for name, option in _PLAIN.items()}
    if environment:
        for name, option in spec.items():
            option["fallback"] = (env_fallback, [ENVIRONMENT_PREFIX + name.upper()])
    return spec


def full_spec(operation: Operation) -> dict[str, t.Any]:
    """The whole argument spec of an operation's module."""
    spec: dict[str, t.Any] = {name: dict(option) for name, option in operation.argument_spec.items()}
    if not operation.needs_host:
        return spec
    for role in operation.hosts:
        spec[f"{role}_connection"] = {"type": "dict", "options": connection_arguments(environment=False)}
    return connection_arguments() | spec


def connection_params(params: Mapping[str, t.Any]) -> Values:
    """The connection options among a task's options, as far as they have a value."""
    return {name: params[name] for name in CONNECTION_OPTIONS if params.get(name) is not None}


def role_params(params: Mapping[str, t.Any], role: str) -> Values | None:
    """The connection options that a task gives for another host; None when it gives none with a server."""
    given = connection_params(params.get(f"{role}_connection") or {})
    return given if given.get("server") else None


__all__ = (
    "CONNECTION_OPTIONS",
    "ENVIRONMENT_PREFIX",
    "connection_arguments",
    "connection_params",
    "full_spec",
    "role_params",
)
