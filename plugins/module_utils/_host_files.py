# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Files and folders of a host. Never recursive, never through a link; ``-LiteralPath`` wherever a cmdlet has it."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from datetime import datetime

from ansible_collections.fanout.hyperv.plugins.module_utils._command import command
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    CommandFailed,
    ErrorRecord,
    NotFound,
    Refused,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._host_base import (
    CHANGE,
    NO_DRIVE,
    POLL_EVERY,
    OnPoll,
    Part,
    Question,
    is_missing,
    says_missing,
    select,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import Entry
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import TEMPORARY, fold
from ansible_collections.fanout.hyperv.plugins.module_utils._shapes import need, text

_ENTRY = ("Name", "FullName", "PSIsContainer", "Length", "LastWriteTimeUtc", "Attributes")
_DEEPEST = 8
_SYSTEM_DRIVE = "C:\\"
HASHING = 6 * 3600.0
"""Seconds for the hash of one file."""


class Files(Part):
    """``host.files``."""

    # Looking

    def entry(self, path: str) -> Entry | None:
        """The file or folder itself; None when it is not there."""
        found = self.found((path,))
        return found[0] if found else None

    def found(self, paths: Sequence[str]) -> tuple[Entry, ...]:
        """Those of the files and folders that are there."""
        if not paths:
            return ()
        outcome = self._session.run(
            command("Get-Item", LiteralPath=list(paths), Force=True),
            select(Property=list(_ENTRY)),
            check=False,
        )
        bad = [record for record in outcome.errors if not is_missing(record)]
        self._look_for_drives(outcome.errors)
        if bad:
            raise self._failed("Files could not be looked at", bad)
        return tuple(Entry.from_row(self._row(answer)) for answer in outcome.objects)

    def _look_for_drives(self, records: Sequence[ErrorRecord]) -> None:
        """A drive that is missing may mean that the session shows none: then every file seems to be missing."""
        if not any(record.identifier == NO_DRIVE for record in records):
            return
        outcome = self._session.run(command("Get-Item", LiteralPath=_SYSTEM_DRIVE, Force=True), check=False)
        if any(record.identifier == NO_DRIVE for record in outcome.errors):
            raise self._no_drives(outcome.errors)

    def _all_missing(self, error: CommandFailed) -> bool:
        self._look_for_drives(error.records)
        return says_missing(error)

    def entries(self, folder: str) -> tuple[Entry, ...] | None:
        """What lies in the folder; None when the folder is not there."""
        try:
            return self._ask(self.about_entries(folder))
        except CommandFailed as error:
            if self._all_missing(error):
                return None
            raise

    def about_entries(self, folder: str) -> Question[tuple[Entry, ...]]:
        """The question for what lies in a folder that is there."""
        children = command("Get-ChildItem", LiteralPath=folder, Force=True)
        return self._each(children, properties=_ENTRY, read=Entry.from_row)

    def modified(self, path: str) -> datetime:
        """When the file was last written, by the host's clock."""
        entry = self.entry(path)
        if entry is None:
            raise NotFound(f"{path} is not there.", host=self._session.label)
        return entry.modified

    def sha256(self, path: str, *, timeout: float = HASHING, on_poll: OnPoll | None = None) -> str:
        """The SHA-256 of the file, in lower case. The host reads all of it."""
        answers = self._session.run(
            command("Get-FileHash", LiteralPath=path, Algorithm="SHA256"),
            select(Property=["Hash"]),
            timeout=timeout,
            on_poll=on_poll,
            poll_every=POLL_EVERY,
        )
        if len(answers) != 1:
            raise NotFound(f"The host gave no hash of {path}.", host=self._session.label)
        return text(need(self._row(answers[0]), "Hash")).lower()

    # Text files

    def read_text(self, path: str) -> str | None:
        """The text of a file that ``write_text`` wrote; None when it was never written.

        Windows PowerShell 5.1 replaces a file by deleting it and renaming the new one. Who reads in between, or after a
        writer that was killed in between, finds only the temporary file, which is complete by then.
        """
        for place in (path, path + TEMPORARY, path):
            content = self.read_plain(place)
            if content is not None:
                return content
        return None

    def read_plain(self, path: str) -> str | None:
        """The text of exactly this file, without a byte order mark; None when it is not there."""
        try:
            return self._ask(self.about_text(path))
        except CommandFailed as error:
            if self._all_missing(error):
                return None
            raise

    def about_text(self, path: str) -> Question[str]:
        """The question for the text of a file that is there."""

        def read(answers: Sequence[t.Any]) -> str:
            return "".join(text(answer) for answer in answers).removeprefix("\ufeff")

        return Question((command("Get-Content", LiteralPath=path, Raw=True, Encoding="UTF8"),), read)

    def write_text(self, path: str, content: str) -> None:
        """Write the file whole: under a temporary name, then into its place. Its folder has to be there."""
        self.write_in_place(path + TEMPORARY, content)
        self._session.run(
            command("Move-Item", LiteralPath=path + TEMPORARY, Destination=path, Force=True), timeout=CHANGE
        )

    def write_in_place(self, path: str, content: str) -> None:
        """Write the file where it is; who reads meanwhile may see a part of it."""
        self._session.run(
            command("Set-Content", LiteralPath=path, Value=content, Encoding="UTF8", NoNewline=True, Force=True),
            timeout=CHANGE,
        )

    def create_text(self, path: str, content: str) -> bool:
        """Make the file with this content; False when it was there, whoever made it.

        The host opens the file with CREATE_NEW, so of several that try only one succeeds. (Making a folder is no such
        thing: the cmdlet looks first and then creates, and creating a folder that is there succeeds.)
        """
        try:
            self._session.run(command("New-Item", Path=path, ItemType="File", Value=content), timeout=CHANGE)
        except CommandFailed:
            if self.entry(path) is None:
                raise
            return False
        return True

    def set_read_only(self, path: str, on: bool) -> None:
        """Whether Windows refuses to write to the file."""
        self._session.run(command("Set-ItemProperty", LiteralPath=path, Name="IsReadOnly", Value=on), timeout=CHANGE)

    # Making and removing

    def make_folder(self, path: str) -> bool:
        """Make the folder and those above it; False when it was there."""
        try:
            self._session.run(command("New-Item", Path=path, ItemType="Directory"), timeout=CHANGE)
        except CommandFailed:
            entry = self.entry(path)
            if entry is None or not entry.is_folder:
                raise
            return False
        return True

    def ensure_folder(self, path: str) -> None:
        """The folder is there afterwards, with those above it."""
        self._session.run(command("New-Item", Path=path, ItemType="Directory", Force=True), timeout=CHANGE)

    def remove_file(self, path: str) -> bool:
        """Delete one file; False when it was not there. A link or a folder is refused by not being touched."""
        entry = self.entry(path)
        if entry is None:
            return False
        if entry.is_folder or entry.is_link:
            raise Refused(f"{path} is not a plain file; it was not touched.", code="NOT_A_FILE")
        return self._remove(path, force=True)

    def remove_files(self, entries: Sequence[Entry]) -> int:
        """Delete files that were just listed; links and folders among them are left. Says how many it deleted."""
        plain = [entry.path for entry in entries if not entry.is_folder and not entry.is_link]
        return sum(self._remove(path, force=True) for path in plain)

    def remove_folder_if_empty(self, path: str) -> bool:
        """Delete the folder if nothing is in it; False when something is, when it is a link or not there."""
        entry = self.entry(path)
        if entry is None or not entry.is_folder or entry.is_link or self.entries(path):
            return False
        return self.remove_emptied_folder(path)

    def remove_emptied_folder(self, path: str) -> bool:
        """Delete a folder of ours that was just emptied; False when something has come into it or it is not there.

        With neither -Recurse nor -Force the host would have to ask before it deletes what is in it, and cannot.
        """
        try:
            return self._remove(path, force=False)
        except CommandFailed:
            if self.entries(path):
                return False
            raise

    def remove_empty_folders(self, path: str) -> tuple[str, ...]:
        """Delete the folder and the folders in it as far as they are empty; what is left lies in the paths returned.

        Files are never deleted and links never followed: both are what may be left.
        """
        entry = self.entry(path)
        if entry is None:
            return ()
        if not entry.is_folder or entry.is_link:
            return (entry.path,)
        return self._prune(entry.path, _DEEPEST)

    def _prune(self, folder: str, depth: int) -> tuple[str, ...]:
        left: list[str] = []
        for entry in self.entries(folder) or ():
            if entry.is_folder and not entry.is_link and depth > 0:
                left += self._prune(entry.path, depth - 1)
            else:
                left.append(entry.path)
        if not left and not self.remove_emptied_folder(folder):
            left += [entry.path for entry in self.entries(folder) or ()]
        return tuple(left)

    def tree(self, folder: str, *, depth: int = _DEEPEST) -> tuple[Entry, ...]:
        """Everything below the folder, links as themselves. One question per folder."""
        everything: list[Entry] = []
        for entry in self.entries(folder) or ():
            everything.append(entry)
            if entry.is_folder and not entry.is_link and depth > 0 and fold(entry.path) != fold(folder):
                everything += self.tree(entry.path, depth=depth - 1)
        return tuple(everything)

    def _remove(self, path: str, *, force: bool) -> bool:
        """Delete one file or empty folder; False when it was not there. Force is for files that are read-only."""
        try:
            self._session.run(command("Remove-Item", LiteralPath=path, Force=force or None), timeout=CHANGE)
        except CommandFailed as error:
            if self._all_missing(error):
                return False
            raise
        return True


__all__ = ("Files",)
