# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Watches one run: takes what the callback hears, reads progress files, and keeps the status files true."""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.fanout.hyperv.plugins.plugin_utils._files import Busy
from ansible_collections.fanout.hyperv.plugins.plugin_utils._run_directory import ProgressReader, RunDirectory
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import (
    FINISHED,
    INTERRUPTED,
    SURVEY,
    Damaged,
    Run,
    Transfer,
    utc,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_file import StatusFile
from ansible_collections.fanout.hyperv.plugins.plugin_utils._table import progress_line, table
from ansible_collections.fanout.hyperv.plugins.plugin_utils._tracking import Tracker

FASTEST = 0.5
"""Seconds between two writes, at least."""

HEARTBEAT = 10.0
"""Seconds after which the file is written although nothing has changed."""

PAGE_EVERY = 5.0
"""Seconds between two reports while a run goes on."""

SILENT_PHASES = frozenset({"waiting"})
QUARTER = 25

Values = dict[str, t.Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a task of this collection ended for a host."""

    host: str
    values: Mapping[str, t.Any] = field(default_factory=dict)
    failed: bool = False
    unreachable: bool = False
    run_once: bool = False

    @property
    def distributions(self) -> list[Mapping[str, t.Any]]:
        """What it says about distributions, also in the items of a loop."""
        results = [self.values, *(one for one in self.values.get("results") or () if isinstance(one, Mapping))]
        return [one["distribution"] for one in results if isinstance(one.get("distribution"), Mapping)]

    @property
    def is_loop(self) -> bool:
        """Whether it is the end of a loop, whose items were heard of before."""
        return isinstance(self.values.get("results"), list)

    @property
    def error(self) -> Values:
        """Why it failed."""
        error = self.values.get("error")
        if isinstance(error, Mapping) and error.get("code"):
            return dict(error)
        code, layer = ("UNREACHABLE", "connection") if self.unreachable else ("TASK_FAILED", "distribution")
        return {"code": code, "layer": layer, "message": str(self.values.get("msg") or "the task failed")}


class ProgressLines:
    """Decides when people see a line: now and then, and at every quarter."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._last: dict[str, tuple[str | None, float, int]] = {}

    def due(self, name: str, transfer: Transfer, now: float) -> bool:
        """Whether a line about it is to be printed now."""
        quarter = int((transfer.percent or 0) // QUARTER)
        phase, at, printed = self._last.get(name, (None, now, 0))
        if phase != transfer.phase:  # the worker itself has said that the phase begins
            phase, at, printed = transfer.phase, now, 0
        wait = 1.0 if quarter > printed else self._every
        is_due = now - at >= wait and transfer.phase not in SILENT_PHASES
        self._last[name] = (phase, now, quarter) if is_due else (phase, at, printed)
        return is_due


class Watch:
    """One run. Events come from one thread, ``tick`` from another."""

    def __init__(
        self,
        folder: Path,
        *,
        show: Callable[[str], t.Any],
        warn: Callable[[str], t.Any],
        mode: int = 0o600,
        interval: float = FASTEST,
        lines_every: float = 10.0,
        pid: int = 0,
        node: str | None = None,
        awx_job_id: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = folder
        self._show, self._warn, self._clock = show, warn, clock
        self._mode, self._interval = mode, max(FASTEST, interval)
        self.directory = RunDirectory.below(folder, clock(), pid)
        started = utc(clock())
        self._run = Run(
            id=self.directory.id, started=started, updated=started, pid=pid, node=node, awx_job_id=awx_job_id
        )
        self._reader = ProgressReader(self.directory)
        self._lines = ProgressLines(lines_every)
        self._lock = threading.Lock()  # what is known; held shortly
        self._write_lock = threading.Lock()  # the order of the writes
        self._trackers: dict[tuple[str, str], tuple[Tracker, StatusFile]] = {}
        self._current: Tracker | None = None
        self._at_work: dict[str, Tracker] = {}  # whose template the worker of a host reports about
        self._active: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._written = 0.0
        self._page_written = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    # events

    def task_started(self, host: str) -> None:
        """A task of this collection begins on a host; the worker is not forked yet."""
        with self._lock:
            self._active[host] = self._clock()
            self._at_work.pop(host, None)
        if self._thread is None:
            self.directory.begin()
            self._thread = threading.Thread(target=self._loop, name="fanout-status", daemon=True)
            self._thread.start()

    def item_ended(self, outcome: Outcome) -> None:
        """One item of a task's loop has ended on a host, that of another template for instance; the task goes on."""
        self._take(outcome, ended=False)

    def task_ended(self, outcome: Outcome) -> None:
        """A task of this collection has ended on a host."""
        self._take(outcome, ended=True)

    def _take(self, outcome: Outcome, *, ended: bool) -> None:
        with self._lock:
            first = not self._trackers
            now = self._clock()
            self._read_last(outcome, now)
            if ended:
                self._active.pop(outcome.host, None)
                self._ended[outcome.host] = now
            for tracker, _file in self._trackers.values():
                tracker.idle(outcome.host, now)
                if not self._active or (outcome.run_once and not ended):
                    tracker.export_ended(now)
            self._learn(outcome, now)
            for tracker, _file in self._trackers.values():
                tracker.settle(outcome.host, now)
            begun = first and bool(self._trackers)
        if begun:
            self.directory.clean()
            self.flush()

    def finish(self, width: int) -> None:
        """The playbook has ended: the last write, the tables."""
        self._end(FINISHED)
        for tracker, file in self._trackers.values():
            if tracker.known is None:
                continue
            if tracker.run.kind != SURVEY:  # there the task itself has shown it
                self._show("")
                self._show(table(tracker.known, width=width, now=self._clock()))
            self._show(f"Status file: {file.path}")
            self._show(f"Report: {file.page}")

    def interrupted(self) -> None:
        """The process ends before the playbook does."""
        self._end(INTERRUPTED)

    def tick(self) -> None:
        """Read the progress files, print lines, write when something has changed or the heartbeat is due."""
        with self._lock:
            now = self._clock()
            self._read_progress(now)
            moving = [pair for tracker, _file in self._trackers.values() for pair in tracker.under_way.items()]
            lines = [progress_line(name, moved, now) for name, moved in moving if self._lines.due(name, moved, now)]
            due = any(tracker.dirty for tracker, _file in self._trackers.values()) or now - self._written >= HEARTBEAT
        for line in lines:
            self._show(line)
        if due:
            self.flush()
        if now - self._page_written >= PAGE_EVERY:
            self.write_pages(now)

    def write_pages(self, now: float) -> None:
        """Write the reports, of what the status files say."""
        self._page_written = now
        for tracker, file in list(self._trackers.values()):
            if tracker.known is None:
                continue
            try:
                file.write_page(tracker.known)
            except OSError as error:
                self._warn(f"The report {file.page} could not be written: {error}")

    def flush(self) -> None:
        """Write what has changed into the status files."""
        with self._write_lock:
            for tracker, file in list(self._trackers.values()):
                with self._lock:
                    self._written = self._clock()
                    patch = tracker.patch(self._written)
                try:
                    known = file.update(patch.apply)
                except (OSError, Busy) as error:
                    self._warn(f"The status file {file.path} could not be written: {error}")
                    with self._lock:
                        tracker.again(patch)
                        tracker.known = patch.apply(tracker.known)
                else:
                    with self._lock:
                        tracker.known = known

    # how

    def _learn(self, outcome: Outcome, now: float) -> None:
        told: set[str] = set()
        for distribution in outcome.distributions:
            tracker = self._tracker(distribution.get("template") or {})
            if tracker is None:
                self._warn("A result tells of the distribution of a template that it does not name.")
                continue
            tracker.merge(distribution, now)
            told |= set(distribution.get("providers") or ())
        concerned = self._at_work.get(outcome.host, self._current)
        if (outcome.failed or outcome.unreachable) and concerned is not None and not outcome.is_loop:
            self._learn_failure(concerned, outcome, told, now)

    def _learn_failure(self, tracker: Tracker, outcome: Outcome, told: set[str], now: float) -> None:
        """Unless the result says itself what the failure means."""
        if outcome.run_once or outcome.host == tracker.source:
            if not told:
                tracker.fail_all(outcome.error, now)
        elif outcome.host not in told:
            tracker.fail(outcome.host, outcome.error, now, unreachable=outcome.unreachable)

    def _tracker(self, template: Mapping[str, t.Any]) -> Tracker | None:
        """The one of that template; without a name the one that was spoken of last."""
        if not template.get("name") or not template.get("source"):
            return self._current
        name, source = str(template["name"]), str(template["source"])
        if (name, source) not in self._trackers:
            file = StatusFile.of(self.folder, name, source, mode=self._mode, warn=self._warn, clock=self._clock)
            try:
                known = file.read()
            except (OSError, Damaged):
                known = None  # said when it is put aside
            tracker = Tracker(self._run, name, source, known=known, warn=self._warn)
            self._trackers[name, source] = tracker, file
        self._current = self._trackers[name, source][0]
        return self._current

    def _read_progress(self, now: float) -> None:
        if self._current is None or not self._active:
            return
        for values in self._reader.changed():
            self._live(values, now)

    def _read_last(self, outcome: Outcome, now: float) -> None:
        """What the worker of a task that has ended reported since the last look; the source's, if it ran once."""
        if self._current is None:
            return
        for name in {outcome.host, self._current.source} if outcome.run_once else {outcome.host}:
            values = self._reader.last(name)
            if values is not None:
                self._live(values, now)

    def _live(self, values: Mapping[str, t.Any], now: float) -> None:
        name, started = str(values.get("provider")), values.get("started")
        tracker = self._about(values.get("template_id"))
        if tracker is None or not isinstance(started, (int, float)) or started < self._since(name):
            return
        self._at_work[name] = tracker
        try:
            tracker.live(name, values, now)
        except (TypeError, ValueError) as error:
            self._warn(f"What the worker of {name} reports is not understood: {error}")

    def _about(self, template_id: object) -> Tracker | None:
        """The tracker of a template by its id; without one the template that was spoken of last."""
        if template_id is None:
            return self._current
        found = (tracker for tracker, _file in self._trackers.values() if tracker.template_id == template_id)
        return next(found, self._current)

    def _since(self, name: str) -> float:
        """Since when a worker that reports for that provider must have begun, to be one that works now.

        A task that runs once works on a provider that is not the task's host: the source.
        """
        if name in self._active:
            return self._active[name]
        return max(self._ended.get(name, 0.0), min(self._active.values()))

    def _loop(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self.tick()
            except Exception as error:  # the play goes on without status
                self._warn(f"The distribution's status could not be updated: {error!r}")

    def _end(self, state: str) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        with self._lock:
            for tracker, _file in self._trackers.values():
                tracker.end(state, self._clock())
        self.flush()
        self.write_pages(self._clock())
        if self._thread is not None and not self._trackers:
            self.directory.discard()
        self.directory.end()


__all__ = ("FASTEST", "Outcome", "ProgressLines", "Watch")
