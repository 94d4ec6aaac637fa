# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows status files in the terminal, and puts into them what a survey has found. Runs on the control node alone."""

from __future__ import annotations

import os
import shutil
import time
import typing as t
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader
from ansible.utils.display import Display
from ansible_collections.fanout.hyperv.plugins.plugin_utils._inventory_connection import plain
from ansible_collections.fanout.hyperv.plugins.plugin_utils._reading import StatusError, documents, surveyed
from ansible_collections.fanout.hyperv.plugins.plugin_utils._run_directory import VARIABLE
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import FINISHED, Damaged, Document, Run, utc
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_file import StatusFile
from ansible_collections.fanout.hyperv.plugins.plugin_utils._table import table
from ansible_collections.fanout.hyperv.plugins.plugin_utils._tracking import Tracker

WIDTH_WITHOUT_TERMINAL = 160
LOOKUP = "fanout.hyperv.distribution_status"

Values = dict[str, t.Any]


def status_folder(given: str | None = None) -> Path:
    """The folder of the status files: that of the callback when it is enabled, else what it would be."""
    run = os.environ.get(VARIABLE)
    if run and not given:
        return Path(run).parents[1]
    lookup = lookup_loader.get(LOOKUP)
    if lookup is None:
        raise AnsibleError(f"The lookup {LOOKUP} is not installed.")
    lookup.set_options(direct={"status_dir": given} if given else {})
    folder: Path = lookup.folder()
    return folder


class ActionModule(ActionBase):
    """Reads, merges, prints."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False
    _callback_writes = False

    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        """The documents as data; the tables are printed."""
        del tmp, task_vars
        _validated, arguments = self.validate_argument_spec(
            {
                "templates": {"type": "list", "elements": "str", "default": []},
                "source": {"type": "str"},
                "plan": {"type": "dict"},
                "status_dir": {"type": "path"},
            }
        )
        arguments = plain(arguments)
        folder = status_folder(arguments["status_dir"])
        try:
            if arguments["plan"] is not None:
                return self._of_survey(folder, arguments["plan"])
            return self._of_files(folder, arguments["templates"], arguments["source"])
        except (StatusError, OSError, Damaged) as error:
            return {"failed": True, "changed": False, "msg": str(error)}

    def _of_files(self, folder: Path, templates: list[str], source: str | None) -> Values:
        found = documents(folder, templates, source)
        if not found:
            raise StatusError(f"There is no status file in {folder}.")
        for file, document in found:
            self._show(file, document)
        return {"changed": False, "status": [document.to_dict() for _file, document in found]}

    def _of_survey(self, folder: Path, plan: Values) -> Values:
        """What the hosts have shown, one template after the other; a template that cannot be judged is a failure."""
        plans = plan.get("results") or [plan]
        errors = [one["source_error"] for one in plans if one.get("source_error")]
        told = [self._of_plan(folder, one) for one in plans if not one.get("source_error")]
        results = [{"distribution": said} for _document, said in told]
        if not errors:
            return {"changed": False, "status": [document.to_dict() for document, _said in told], "results": results}
        message = " ".join(str(error["message"]) for error in errors)
        return {"failed": True, "changed": False, "msg": message, "error": errors[0], "results": results}

    def _of_plan(self, folder: Path, plan: Values) -> tuple[Document, Values]:
        """The callback writes what the result tells it. Without it the file is written here."""
        distribution = surveyed(plan["distribution"])
        template = distribution["template"]
        file = StatusFile.of(folder, template["name"], template["source"], warn=Display().warning)
        now = time.time()
        at = utc(now)
        run = Run(id=f"survey-{os.getpid()}-{now:.0f}", started=at, updated=at, finished=at, state=FINISHED)
        known = file.read()
        tracker = Tracker(run, template["name"], template["source"], known=known, warn=Display().warning)
        tracker.merge(distribution, now)
        patch = tracker.patch(now)
        self._callback_writes = bool(os.environ.get(VARIABLE))
        if self._callback_writes or self._task.check_mode:
            document = patch.apply(known)
        else:
            document = file.update(patch.apply)
            file.write_page(document)
        self._show(file, document)
        return document, distribution

    def _show(self, file: StatusFile, document: Document) -> None:
        width = shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns
        show = Display().display
        show("")
        show(table(document, width=width, now=time.time()))
        told = () if self._callback_writes else (("Status file", file.path), ("Report", file.page))
        for what, path in told:
            if path.exists():
                show(f"{what}: {path}")
        show("")
