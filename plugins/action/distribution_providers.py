# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists the providers of templates from a plan. Runs on the control node alone."""

from __future__ import annotations

import shutil
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.fanout.hyperv.plugins.action.distribution_status import WIDTH_WITHOUT_TERMINAL, status_folder
from ansible_collections.fanout.hyperv.plugins.plugin_utils._inventory_connection import plain
from ansible_collections.fanout.hyperv.plugins.plugin_utils._provider_list import rows, table
from ansible_collections.fanout.hyperv.plugins.plugin_utils._reading import StatusError, documents
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Document

Values = dict[str, t.Any]


class ActionModule(ActionBase):
    """Prints the lists and returns them."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        """One list per template of the plan."""
        del tmp, task_vars
        _validated, arguments = self.validate_argument_spec({"plan": {"type": "dict", "required": True}})
        show = Display().display
        width = shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns
        templates = []
        for plan in plain(arguments["plan"])["results"]:
            found = rows(plan, self._known(plan["distribution"]["template"]))
            show("")
            show(table(plan, found, width))
            templates.append({"name": plan["name"], "error": plan.get("source_error"), "providers": found})
        show("")
        errors = [str(one["error"]["message"]) for one in templates if one["error"]]
        return {"changed": False, "templates": templates} | (
            {"failed": True, "msg": " ".join(errors)} if errors else {}
        )

    def _known(self, template: Values) -> Document | None:
        """What the status file says; it need not be there."""
        try:
            ((_file, document),) = documents(status_folder(), [template["name"]], template["source"])
        except StatusError:
            return None
        return document
