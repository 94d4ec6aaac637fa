# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The status file: read at any moment, written whole, and merged under a lock so that two runs lose nothing."""

from __future__ import annotations

import glob
import json
import os
import time
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.fanout.hyperv.plugins.plugin_utils._files import locked, safe_name, write_whole
from ansible_collections.fanout.hyperv.plugins.plugin_utils._report import render
from ansible_collections.fanout.hyperv.plugins.plugin_utils._run_directory import is_alive
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Damaged, Document

LOCK_TIMEOUT = 5.0
Identity = tuple[int, int, int, int]
FOLDER = "fanout-status"


def _identity(path: Path) -> Identity:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def default_folder(environment: t.Mapping[str, str] = os.environ) -> Path:
    """Where status files are when nobody says otherwise."""
    awx = environment.get("AWX_ISOLATED_DATA_DIR")
    return Path(awx) / "fanout" if awx else Path.cwd() / FOLDER


@dataclass(frozen=True, kw_only=True)
class StatusFile:
    """One template's file. ``warn`` is told when a file had to be put aside."""

    path: Path
    mode: int = 0o600
    warn: Callable[[str], t.Any] = lambda text: None
    clock: Callable[[], float] = time.time
    timeout: float = LOCK_TIMEOUT
    known: dict[Identity, Document] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, folder: Path, template: str, source: str, **options: t.Any) -> StatusFile:
        """The file of a template on a source."""
        return cls(path=folder / f"{safe_name(template)}@{safe_name(source)}.json", **options)

    def read(self) -> Document | None:
        """The document as it has to be seen now, None when there is none; Damaged when it is no such document."""
        try:
            document = self._written()
        except FileNotFoundError:
            return None
        now = self.clock()
        return document.seen(lambda run: is_alive(run, self.path.parent, now=now))

    @property
    def page(self) -> Path:
        """Where the report is: beside the status file."""
        return self.path.with_suffix(".html")

    def write_page(self, document: Document) -> None:
        """Write the report of a document."""
        temporary = self.page.with_name(f".{self.page.name}.{os.getpid()}.tmp")
        text = render(document, now=self.clock(), file_name=self.path.name)
        write_whole(self.page, text, mode=self.mode, temporary=temporary, sync=False)

    def _written(self) -> Document:
        """The document as it was written. Of our own last one it is known without reading: nobody changes a file."""
        identity = _identity(self.path)
        if identity in self.known:
            return self.known[identity]
        try:
            return Document.from_dict(json.loads(self.path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            raise Damaged(f"{self.path}: not text") from None
        except Damaged as error:
            raise Damaged(f"{self.path}: {error}") from None
        except ValueError:
            raise Damaged(f"{self.path}: not JSON") from None

    def update(self, change: Callable[[Document | None], Document]) -> Document:
        """Read, change, write, while nobody else does. What cannot be understood is put aside, not lost."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.path.with_name(f".{self.path.name}.lock"), self.timeout):
            try:
                existing = self.read()
            except Damaged as problem:
                existing = None
                aside = self.path.with_suffix(".damaged")
                os.replace(self.path, aside)
                self.warn(f"{problem}. It was put aside as {aside.name}, a new one is begun.")
            document = change(existing)
            text = document.to_json()
            temporary = self.path.with_name(f".{self.path.name}.tmp")
            write_whole(self.path, text, mode=self.mode, temporary=temporary)
            self.known.clear()
            self.known[_identity(self.path)] = document
            return document


def files(folder: Path, template: str | None = None, source: str | None = None) -> list[Path]:
    """The status files of a folder, sorted; those of a template, or of one on a source."""
    pattern = "@".join("*" if name is None else glob.escape(safe_name(name)) for name in (template, source))
    return sorted(path for path in folder.glob(f"{pattern}.json") if not path.name.startswith("."))


__all__ = ("FOLDER", "StatusFile", "default_folder", "files")
