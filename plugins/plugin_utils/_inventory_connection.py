# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""How an inventory host is reached, taken from the options of its own connection plugin (psrp or winrm).

The plugin's options are templated and follow Ansible's precedence; nothing is connected here.
"""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Mapping

from ansible import constants
from ansible.module_utils.common.text.converters import to_text
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import PORTS, ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase

Values = dict[str, t.Any]

_READERS = {"psrp": ConnectionOptions.from_psrp_options, "winrm": ConnectionOptions.from_winrm_options}


def kind_of(name: object) -> str | None:
    """``psrp`` or ``winrm`` when the connection plugin of that name is one that the collection understands."""
    last = str(name or "").removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")
    return last if last in _READERS else None


def plain(value: t.Any) -> t.Any:
    """The same value in Python's own types: without Ansible's tags, decrypted, as the serialiser wants it."""
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return "".join(list(to_text(value)))  # a tagged string's characters carry no tag


def own_options(action: ActionBase) -> ConnectionOptions | None:
    """How the task's own host (or the one it is delegated to) is reached; None for other connection plugins."""
    kind = kind_of(action._connection.transport)
    return None if kind is None else _read(kind, action._connection)


def _read(kind: str, connection: t.Any) -> ConnectionOptions:
    """The plugin's options; with the variables that winrm hands through to its library without declaring them."""
    options = dict(connection.get_options())
    if connection.allow_extras:
        options["_extras"] = connection.get_option("_extras")
    return _READERS[kind](plain(options))


def options_of(action: ActionBase, hostvars: Mapping[str, Values], host: str, *, option: str) -> ConnectionOptions:
    """How another host of the inventory is reached."""
    if host not in hostvars:
        raise InvalidInput(f"The inventory has no host {host!r} (option {option!r}).")
    variables = hostvars[host]
    kind = kind_of(variables.get("ansible_connection"))
    if kind is None:
        raise InvalidInput(
            f"The connection of {host!r} (option {option!r}) is neither psrp nor winrm: "
            f"give '{option}_connection', or set ansible_connection for that host."
        )
    loader = action._shared_loader_obj.connection_loader
    connection = loader.get(kind, action._play_context.copy(), task_uuid=action._task._uuid)
    wanted = constants.config.get_plugin_vars("connection", connection._load_name)
    known = {name: variables[name] for name in wanted if name in variables}
    extras = {name: variables[name] for name in variables if name.startswith(f"ansible_{kind}_") and name not in known}
    connection.set_options(var_options={**known, "_extras": extras})
    return _read(kind, connection)


def overridden(options: ConnectionOptions, given: Values, fallback: Values) -> ConnectionOptions:
    """What the task says wins over the inventory; what the environment says fills what neither names."""
    changes = {name: value for name, value in fallback.items() if getattr(options, name) is None} | given
    usual = PORTS.get(options.protocol or "") == options.port
    if usual and "protocol" in given and "port" not in given:
        changes["port"] = None
    if usual and given.get("port") in PORTS.values() and "protocol" not in given:
        changes["protocol"] = None
    return dataclasses.replace(options, **changes)
