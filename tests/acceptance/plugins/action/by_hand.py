# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an administrator does by hand during the acceptance journey: a few structured commands on the task's host."""

from __future__ import annotations

import json
import os
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.fanout.hyperv.plugins.module_utils._command import Command
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError
from ansible_collections.fanout.hyperv.plugins.module_utils._session import Session
from ansible_collections.fanout.hyperv.plugins.plugin_utils._inventory_connection import own_options, plain

ALLOWED = frozenset({"Get-VM", "Select-Object", "Set-VM", "Remove-VM"})


class ActionModule(ActionBase):
    """``stages``: one pipeline, each a name and its parameters. ``into``: a file for the objects that come back."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        arguments = plain(self._task.args)
        stages = [Command(stage["name"], stage.get("parameters", {})) for stage in arguments["stages"]]
        options = own_options(self)
        refused = [stage.name for stage in stages if stage.name not in ALLOWED]
        if refused or options is None:
            return {"failed": True, "msg": f"not for this host: {', '.join(refused) or 'its connection'}"}
        try:
            with Session(options, label=str((task_vars or {})["inventory_hostname"])) as session:
                objects = session.run(*stages, timeout=600)
        except HyperVError as error:
            return {"failed": True, "msg": str(error)}
        if "into" in arguments:
            with open(os.open(arguments["into"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(objects, file, default=str)
        return {"changed": not all(stage.reads for stage in stages)}
