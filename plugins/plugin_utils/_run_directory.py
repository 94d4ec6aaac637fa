# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Where one run keeps what its processes tell each other: a folder with the run's lock, progress files and slots.

The callback makes it below the status folder and names it in ``FANOUT_RUN_DIR``, which workers inherit. Without the
callback the workers of one ansible-playbook share a folder of their own below the temporary directory.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import stat
import tempfile
import time
import typing as t
from collections.abc import Iterator, Mapping
from pathlib import Path

from ansible_collections.fanout.hyperv.plugins.plugin_utils._files import (
    is_locked,
    safe_name,
    try_lock,
    unlock,
    write_whole,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import RUNNING, Damaged, Run, seconds

VARIABLE = "FANOUT_RUN_DIR"
ALIVE = "alive.lock"
KEPT = 10
REMOVED_AT_ONCE = 20
DEAD_AFTER = 60.0
"""Seconds without a heartbeat after which a run is taken for dead."""

Values = dict[str, t.Any]


class RunDirectory:
    """The folder of one run. Nothing is made before it is needed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._alive: int | None = None
        self._made: list[Path] = []

    @classmethod
    def below(cls, status: Path, now: float, pid: int) -> RunDirectory:
        """A new one for a run that begins now."""
        name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now)) + f"-{pid}"
        runs, number = status / "runs", 1
        while (runs / (name if number == 1 else f"{name}-{number}")).exists():
            number += 1
        return cls(runs / (name if number == 1 else f"{name}-{number}"))

    @classmethod
    def of_worker(cls, environment: Mapping[str, str] = os.environ, parent: int | None = None) -> RunDirectory:
        """The one of the run that this worker process belongs to."""
        if environment.get(VARIABLE):
            return cls(Path(environment[VARIABLE]))
        parent = os.getppid() if parent is None else parent
        base = _private(Path(tempfile.gettempdir()) / f"fanout-{os.getuid()}")
        path = base / f"run-{parent}-{_started(parent)}"
        if not path.exists():
            _forget_ended(base)
        return cls(path)

    @property
    def id(self) -> str:
        """The run's name."""
        return self.path.name

    @property
    def progress(self) -> Path:
        """Where progress files are."""
        return self.path / "progress"

    @property
    def slots(self) -> Path:
        """Where slots are."""
        return self.path / "slots"

    def begin(self) -> None:
        """Make the folder and hold the run's lock; the processes that are forked from now on hold it too."""
        for folder in (self.path.parent.parent, self.path.parent):
            if not folder.exists():
                self._made.insert(0, folder)
        self.path.parent.parent.mkdir(parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._alive is None:
            self._alive = try_lock(self.path / ALIVE)

    def end(self) -> None:
        """Free the lock."""
        if self._alive is not None:
            unlock(self._alive)
            self._alive = None

    def discard(self) -> None:
        """Leave nothing behind: the folder, and the ones around it that were made for it and are empty."""
        self.end()
        _remove(self.path)
        for folder in self._made:
            with contextlib.suppress(OSError):
                folder.rmdir()

    def write_progress(self, provider: str, values: Mapping[str, t.Any]) -> None:
        """How far a provider is, for others to read."""
        self.progress.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.progress / f"{safe_name(provider)}.json"
        write_whole(path, json.dumps(dict(values), default=str), sync=False)

    def clean(self) -> None:
        """Remove the folders of runs that ended, but the last ones; not more than a few at once."""
        try:
            ended = sorted(entry for entry in self.path.parent.iterdir() if entry.name != self.id and entry.is_dir())
        except FileNotFoundError:
            return
        for path in ended[:-KEPT][:REMOVED_AT_ONCE]:
            if (lock := _lock_of(path)) is not None:
                _remove(path)
                unlock(lock)


class ProgressReader:
    """Reads what has changed in the progress files."""

    def __init__(self, directory: RunDirectory) -> None:
        self._folder = directory.progress
        self._read: dict[str, int] = {}

    def changed(self) -> Iterator[Values]:
        """The files written since the last look; each has ``provider``, ``started``, ``at`` and what was reported."""
        try:
            names = [name for name in os.listdir(self._folder) if name.endswith(".json")]
        except FileNotFoundError:
            return
        for name in names:
            if (values := self._changed(name)) is not None:
                yield values

    def last(self, provider: str) -> Values | None:
        """The file of one provider, if it was written since the last look."""
        return self._changed(f"{safe_name(provider)}.json")

    def _changed(self, name: str) -> Values | None:
        with contextlib.suppress(OSError, ValueError):
            path = self._folder / name
            found = os.stat(path)
            inode = found.st_mtime_ns ^ found.st_ino
            if self._read.get(name) != inode:
                values = json.loads(path.read_text(encoding="utf-8"))
                self._read[name] = inode
                return values if isinstance(values, dict) else None
        return None


def is_alive(run: Run, status: Path, *, now: float, node: str | None = None) -> bool:
    """Whether a run that says it is running really is: it has a fresh heartbeat and, on this node, holds its lock."""
    if run.state != RUNNING:
        return False
    try:
        fresh = now - seconds(run.updated) < DEAD_AFTER
    except Damaged:
        return False
    lock = status / "runs" / safe_name(run.id) / ALIVE
    if not fresh or run.node != (node or platform.node()) or not lock.exists():
        return fresh
    try:
        return is_locked(lock)
    except OSError:
        return True


def _lock_of(path: Path) -> int | None:
    """The lock of a run that ended; None when it lives, or when it cannot be told."""
    try:
        return try_lock(path / ALIVE)
    except OSError:
        return None


def _remove(path: Path) -> None:
    """Remove a run's folder: files of the kinds that we write, and the folders that are empty then."""
    for folder in (path / "progress", path / "slots", path):
        if folder.is_symlink():
            continue
        with contextlib.suppress(OSError):
            for entry in list(os.scandir(folder)):
                if entry.is_file(follow_symlinks=False) and entry.name.endswith((".json", ".tmp", ".lock")):
                    os.unlink(entry.path)
            folder.rmdir()


def _private(path: Path) -> Path:
    """A folder that belongs to us and that nobody else can write to."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(f"{path} is not a folder of ours alone")
    return path


def _started(pid: int) -> str:
    """When a process started, in ticks of the kernel; so that a pid that is used again is another name."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return fields[19]
    except (OSError, IndexError):
        return "0"


def _forget_ended(base: Path) -> None:
    """Remove folders whose ansible-playbook is gone; not more than a few at once."""
    for path in sorted(base.glob("run-*-*"))[:REMOVED_AT_ONCE]:
        _, pid, started = path.name.split("-", 2)
        if pid.isdigit() and not _runs(int(pid), started):
            _remove(path)


def _runs(pid: int, started: str) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _started(pid) == started


__all__ = ("DEAD_AFTER", "VARIABLE", "ProgressReader", "RunDirectory", "is_alive")
