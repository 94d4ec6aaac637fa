# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells how a distribution is going: status file, progress lines, table."""

from __future__ import annotations

DOCUMENTATION = r"""
name: distribution_status
type: aggregate
short_description: Writes the status file of a distribution and prints its progress
version_added: 0.1.0
author:
  - The fanout.hyperv authors (@fanout-hyperv)
description:
  - Keeps one JSON document per template true from the first task of a distribution to its last one. It is replaced
    whole, so that it can be read at any moment. C(docs/status.schema.json) is its schema.
  - Prints how far running copies are, and at the end a table of all providers, what to do about errors, and where the
    status file is.
  - Does nothing in plays that distribute no template, and in check mode.
  - A fault of this plugin is a warning and never stops the play.
options:
  status_dir:
    description:
      - The folder of the status files. What the processes of a run tell each other lies in its folder C(runs).
      - Without it V(fanout-status) in the working directory, in AWX V(fanout) in the job's artifacts
        (E(AWX_ISOLATED_DATA_DIR)).
    type: path
    env:
      - name: FANOUT_STATUS_DIR
    ini:
      - section: callback_distribution_status
        key: status_dir
  mode:
    description:
      - The permissions of the status file, as an octal number.
    type: str
    default: "0600"
    env:
      - name: FANOUT_STATUS_MODE
    ini:
      - section: callback_distribution_status
        key: mode
  interval:
    description:
      - Seconds between two writes of the status file while things change. Less than V(0.5) counts as V(0.5).
    type: float
    default: 0.5
    env:
      - name: FANOUT_STATUS_INTERVAL
    ini:
      - section: callback_distribution_status
        key: interval
  progress_interval:
    description:
      - Seconds between two lines about the same copy; besides there is one at every quarter.
    type: float
    default: 10
    env:
      - name: FANOUT_PROGRESS_INTERVAL
    ini:
      - section: callback_distribution_status
        key: progress_interval
requirements:
  - To be enabled with C(callbacks_enabled = fanout.hyperv.distribution_status) in C(ansible.cfg), or with
    E(ANSIBLE_CALLBACKS_ENABLED).
"""

import atexit
import os
import platform
import shutil
import typing as t
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible_collections.fanout.hyperv.plugins.plugin_utils._run_directory import VARIABLE
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_file import default_folder
from ansible_collections.fanout.hyperv.plugins.plugin_utils._watch import Outcome, Watch

COLLECTION = "fanout.hyperv."
WIDTH_WITHOUT_TERMINAL = 120

M = t.TypeVar("M", bound=Callable[..., None])


def never_breaks(method: M) -> M:
    """What goes wrong in a callback is a warning."""

    @wraps(method)
    def guarded(self: CallbackModule, *args: t.Any, **options: t.Any) -> None:
        try:
            method(self, *args, **options)
        except Exception as error:
            self.warn(f"The distribution's status is not complete: {error!r}")

    return t.cast(M, guarded)


def parts_of(result: t.Any) -> tuple[str, t.Any, Mapping[str, t.Any]]:
    """Host, task and values of a task's result: compatibility.

    ansible-core before 2.19 has only the names with an underscore, which later versions take away.
    """
    if hasattr(result, "result"):
        return result.host.get_name(), result.task, result.result
    return result._host.get_name(), result._task, result._result


def is_ours(task: t.Any) -> bool:
    """Whether the task runs a module of this collection, under whatever name it was called.

    Asked of the attributes themselves: ansible-core 2.21 warns when the property is read too early.
    """
    known = vars(task)
    names = (task.action, known.get("_resolved_action"), known.get("resolved_action"))
    return any(isinstance(name, str) and name.startswith(COLLECTION) for name in names)


class CallbackModule(CallbackBase):
    """Hears what happens and hands it to the watch of the run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "fanout.hyperv.distribution_status"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **options: t.Any) -> None:
        super().__init__(*args, **options)
        self._pid = os.getpid()
        self._watch: Watch | None = None
        atexit.register(self._at_exit)

    def warn(self, text: str) -> None:
        """A warning for people; the same one is shown once."""
        self._display.warning(text)

    @never_breaks
    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """Say where this run's folder will be; workers inherit it. Nothing is made yet."""
        given = self.get_option("status_dir")
        self._watch = Watch(
            Path(given).absolute() if given else default_folder(),
            show=self._display.display,
            warn=self.warn,
            mode=int(str(self.get_option("mode")), 8),
            interval=self.get_option("interval"),
            lines_every=self.get_option("progress_interval"),
            pid=self._pid,
            node=platform.node(),
            awx_job_id=os.environ.get("JOB_ID") if "AWX_ISOLATED_DATA_DIR" in os.environ else None,
        )
        os.environ[VARIABLE] = str(self._watch.directory.path)

    @never_breaks
    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        """Called right before the worker is forked."""
        if self._watch is None or not is_ours(task):
            return
        try:
            self._watch.task_started(host.get_name())
        except OSError as error:
            self._watch = None
            os.environ[VARIABLE] = ""  # workers find a folder of their own
            self.warn(
                f"There is no status of this run, its folder cannot be made: {error}. "
                "FANOUT_STATUS_DIR names another one."
            )

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """A task has ended well."""
        self._ended(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """A task has failed; whether that is rescued or ignored makes no difference to the provider."""
        self._ended(result, failed=True)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """A host did not answer."""
        self._ended(result, unreachable=True)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        """A task had nothing to do on a host."""
        self._ended(result)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        """An item of a loop has ended well."""
        self._ended(result, item=True)

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        """An item of a loop has failed."""
        self._ended(result, item=True, failed=True)

    @never_breaks
    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """The end."""
        watch, self._watch = self._watch, None
        os.environ.pop(VARIABLE, None)
        if watch is not None:
            watch.finish(shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns)

    @never_breaks
    def _ended(self, result: t.Any, *, item: bool = False, failed: bool = False, unreachable: bool = False) -> None:
        if self._watch is None:
            return
        host, task, values = parts_of(result)
        if not is_ours(task):
            return
        if task.check_mode is True or context.CLIARGS.get("check"):
            values, failed, unreachable = {}, False, False
        outcome = Outcome(
            host=host, values=values, failed=failed, unreachable=unreachable, run_once=bool(task.run_once)
        )
        take = self._watch.item_ended if item else self._watch.task_ended
        take(outcome)

    @never_breaks
    def _at_exit(self) -> None:
        """After Ctrl-C; after SIGTERM and SIGKILL nothing is called, and readers find the run's lock free."""
        if self._watch is not None and os.getpid() == self._pid:
            self._watch.interrupted()
