# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""How a worker tells how far it is: a progress file for the status callback, and a line when people want to see one."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t
from collections.abc import Callable

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Orphaned
from ansible_collections.fanout.hyperv.plugins.plugin_utils._run_directory import RunDirectory
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_parts import PHASES_KEPT
from ansible_collections.fanout.hyperv.plugins.plugin_utils._table import printable

EVERY = 0.5

LINES = {
    "exporting": "exporting the template",
    "cloning": "making a clone on {source}",
    "waiting": "waiting for {reason}",
    "copying": "copying from {source}",
    "adopting": "a move that is already running is adopted",
    "verifying": "verifying the copy",
    "removing": "removing the copy",
    "cleaning": "removing what an earlier run left",
}
"""The phases that people see a line of. Other phases are told to the status file only."""

WORDS = {"source": "the source", "reason": "a free copy slot"}
"""What a line says when it is not told."""

LASTING = frozenset({"served_by", "source", "revision", "attempts", "facts"})
"""Fields that are still true in the next phase."""

Values = dict[str, t.Any]


def _display(text: str) -> None:
    """Print through Ansible, which brings a worker's lines into order. The only place here that needs Ansible."""
    from ansible.utils.display import Display

    Display().display(text)


class FileReporter:
    """Reports for one provider, about one template where that is known.

    It belongs to the process that made it: ``check`` compares that process's parent.

    The file is written when a phase begins, and at most every half second within a phase.
    """

    def __init__(
        self,
        provider: str,
        directory: RunDirectory | None = None,
        *,
        template_id: str | None = None,
        show: Callable[[str], None] = _display,
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        parent: Callable[[], int] = os.getppid,
    ) -> None:
        self._provider = provider
        self._directory = directory
        self._show = show
        self._every = every
        self._clock = clock
        self._wall = wall
        self._parent = parent
        self._parent_was = parent()
        self._worker: Values = {"provider": provider, "pid": os.getpid(), "started": wall()}
        if template_id is not None:
            self._worker["template_id"] = template_id
        self._told: Values = {}
        self._steps: list[tuple[str, float]] = []
        self._written: float | None = None
        self._pending = False

    def phase(self, name: str, **fields: t.Any) -> None:
        """A new phase: what was told about the one before is over, but for what lasts."""
        self.check()
        lasting = {key: value for key, value in self._told.items() if key in LASTING}
        self._told = {**lasting, **fields, "phase": name}
        if not self._steps or self._steps[-1][0] != name:
            self._steps = [*self._steps, (name, self._wall())][-PHASES_KEPT:]
        self._write()
        if name in LINES:
            words = {**WORDS, **{key: value for key, value in self._told.items() if value}}
            self.note(LINES[name].format_map({**words, "source": words.get("served_by", words["source"])}))

    def progress(
        self,
        percent: float | None = None,
        bytes_done: int | None = None,
        bytes_total: int | None = None,
        **fields: t.Any,
    ) -> None:
        """How far this phase is. What is None stays as it was."""
        amounts = {"percent": percent, "bytes_done": bytes_done, "bytes_total": bytes_total}
        self._told.update({key: value for key, value in amounts.items() if value is not None}, **fields)
        self._pending = True
        self._flush()

    def note(self, text: str) -> None:
        """A line for people."""
        self._show(f"{printable(self._provider)}: {printable(text)}")

    def check(self) -> None:
        """Raise Orphaned when ansible-playbook is gone; otherwise write what is waiting to be written."""
        if self._parent() != self._parent_was:
            raise Orphaned
        self._flush()

    def _flush(self) -> None:
        if self._pending and (self._written is None or self._clock() - self._written >= self._every):
            self._write()

    def _write(self) -> None:
        """A progress file that cannot be written stops no work."""
        with contextlib.suppress(OSError):
            if self._directory is None:
                self._directory = RunDirectory.of_worker()
            self._directory.write_progress(self._provider, self._values())
        self._written = self._clock()
        self._pending = False

    def _values(self) -> Values:
        return {**self._told, **self._worker, "phases": self._steps, "at": self._wall()}


__all__ = ("EVERY", "FileReporter")
