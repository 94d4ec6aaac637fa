# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action plugin for the tests of the callback: does on the way what it is told, and returns what it is told."""

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Orphaned
from ansible_collections.fanout.hyperv.plugins.plugin_utils._reporting import FileReporter

LONGEST = 30.0


class ActionModule(ActionBase):
    """Phases, then waiting for a file, then a result."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Tell."""
        told: dict[str, t.Any] = super().run(tmp, task_vars)
        arguments = self._task.args
        host = str((task_vars or {})["inventory_hostname"])
        reporter = FileReporter(host)
        for phase in arguments.get("phases") or ():
            reporter.phase(**{key: value for key, value in phase.items() if key in ("name", "served_by")})
            reporter.progress(percent=phase.get("percent"), bytes_total=phase.get("bytes_total"))
        if arguments.get("until"):
            self._wait(Path(arguments["until"]), reporter)
        if arguments.get("unreachable"):
            raise AnsibleConnectionFailure(arguments["unreachable"])
        told.update(arguments.get("result") or {})
        if arguments.get("report"):
            told["distribution"] = {"template": arguments["template"], "providers": {host: arguments["report"]}}
        return told

    def _wait(self, path: Path, reporter: FileReporter) -> None:
        deadline = time.monotonic() + LONGEST
        try:
            while not path.exists() and time.monotonic() < deadline:
                reporter.check()
                time.sleep(0.02)
        except Orphaned:
            path.with_name("orphan-stopped").touch()
            os._exit(1)
