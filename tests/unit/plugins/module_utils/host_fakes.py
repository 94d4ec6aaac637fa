# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for a host: a session that answers from a script, and files in memory with a clock of their own."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import PureWindowsPath

from ansible_collections.fanout.hyperv.plugins.module_utils._command import Command, Outcome
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import CommandFailed, ErrorRecord
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import Entry

VM_ID = "11111111-2222-3333-4444-555555555555"


def error(category: str, identifier: str = "Some") -> ErrorRecord:
    """An error record; the text says nothing on purpose."""
    return ErrorRecord(message="Es ging etwas schief.", error_id=f"{identifier},Class", category=category)


class ScriptedSession:
    """Answers each pipeline with what ``answer`` gives for it: a list of objects, or errors."""

    label = "hv01"

    def __init__(self, answer: Callable[[tuple[Command, ...]], t.Any]) -> None:
        self._answer = answer
        self.pipelines: list[tuple[Command, ...]] = []

    def run(self, *stages: Command, check: bool = True, **_options: t.Any) -> t.Any:
        self.pipelines.append(stages)
        answer = self._answer(stages)
        outcome = answer if isinstance(answer, Outcome) else Outcome(objects=answer)
        if not check:
            return outcome
        if outcome.errors:
            raise CommandFailed("failed", records=outcome.errors)
        return outcome.objects

    def run_together(self, *pipelines: tuple[Command, ...], **_options: t.Any) -> t.Any:
        outcomes = [self.run(*stages, check=False) for stages in pipelines]
        return None if any(outcome.errors for outcome in outcomes) else [outcome.objects for outcome in outcomes]

    def names(self) -> list[str]:
        """The pipelines as "Get-VM | Select-Object"."""
        return [" | ".join(stage.name for stage in stages) for stages in self.pipelines]


def vm_row(**changes: t.Any) -> dict[str, t.Any]:
    """A VM as ``Get-VM | Select-Object`` shows it."""
    row: dict[str, t.Any] = {
        "_type": "Selected.Microsoft.HyperV.PowerShell.VirtualMachine",
        "Id": VM_ID,
        "Name": "win11-gold",
        "State": "Off",
        "Notes": "",
        "Generation": 2,
        "Version": "9.0",
        "Path": r"D:\VMs\win11-gold",
        "ConfigurationLocation": r"D:\VMs\win11-gold",
        "SnapshotFileLocation": r"D:\VMs\win11-gold",
        "OperationalStatus": ["Ok"],
        "IsClustered": False,
        "ReplicationState": "Disabled",
        "ParentSnapshotId": None,
        "CreationTime": datetime(2026, 11, 20, 13, 9, tzinfo=timezone.utc),
    }
    return {**row, **changes}


class MemoryFiles:
    """Folders and files of a host, as far as leases need them; ``events`` runs something before the n-th call."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.folders: set[str] = set()
        self.texts: dict[str, tuple[str, datetime]] = {}
        self.calls: list[str] = []
        self.before: Callable[[str, str], None] = lambda _name, _path: None

    def _called(self, name: str, path: str) -> None:
        self.calls.append(name)
        self.before(name, path)

    def _entry(self, path: str) -> Entry | None:
        if path in self.folders:
            return _entry(path, True, 0, self._clock())
        if path in self.texts:
            text, modified = self.texts[path]
            return _entry(path, False, len(text), modified)
        return None

    def entry(self, path: str) -> Entry | None:
        self._called("entry", path)
        return self._entry(path)

    def entries(self, folder: str) -> tuple[Entry, ...] | None:
        self._called("entries", folder)
        if folder not in self.folders:
            return None
        below = [path for path in [*self.folders, *self.texts] if str(PureWindowsPath(path).parent) == folder]
        return tuple(entry for path in below if (entry := self._entry(path)) is not None)

    def read_plain(self, path: str) -> str | None:
        self._called("read_plain", path)
        return self.texts[path][0] if path in self.texts else None

    def ensure_folder(self, path: str) -> None:
        self._called("ensure_folder", path)
        self.folders |= {path, *(str(above) for above in PureWindowsPath(path).parents)}

    def create_text(self, path: str, content: str) -> bool:
        self._called("create_text", path)
        if str(PureWindowsPath(path).parent) not in self.folders:
            raise CommandFailed("no folder", records=[error("ObjectNotFound")])
        if path in self.texts:
            return False
        self.texts[path] = (content, self._clock())
        return True

    def write_in_place(self, path: str, content: str) -> None:
        self._called("write_in_place", path)
        if str(PureWindowsPath(path).parent) not in self.folders:
            raise CommandFailed("no folder", records=[error("ObjectNotFound")])
        self.texts[path] = (content, self._clock())

    def remove_files(self, entries: t.Sequence[Entry]) -> int:
        for entry in entries:
            self._called("remove_file", entry.path)
            self.texts.pop(entry.path, None)
        return len(entries)

    def remove_emptied_folder(self, path: str) -> bool:
        self._called("remove_folder", path)
        if any(str(PureWindowsPath(other).parent) == path for other in [*self.folders, *self.texts]):
            return False
        self.folders.discard(path)
        return True


def _entry(path: str, is_folder: bool, size: int, modified: datetime) -> Entry:
    return Entry(
        name=PureWindowsPath(path).name, path=path, is_folder=is_folder, size=size, modified=modified, is_link=False
    )


class MemoryHost:
    """A host with files and a clock, nothing else."""

    label = "hv01"

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
        self.files = MemoryFiles(lambda: self.time)

    def now(self) -> datetime:
        return self.time

    def later(self, **delta: float) -> None:
        """Let time pass on the host."""
        self.time += timedelta(**delta)
