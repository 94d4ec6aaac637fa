# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of virtual machines on their hosts: folders made, bytes copied over links, leftovers removed."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from .failures import E_FILE_EXISTS, E_FILE_NOT_FOUND, E_PATH_NOT_FOUND, Failure
from .files import FileError
from .host import Host
from .jobs import Job
from .links import Link

INVALID_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]')
ABSOLUTE = re.compile(r"[A-Za-z]:\\|\\\\")
PIECE = 64 * 1024
SMALL = 256 * 1024  # a VM's system files: not worth pacing


def join(*parts: str) -> str:
    return "\\".join(part.strip("\\") if number else part.rstrip("\\") for number, part in enumerate(parts))


def parent(path: str) -> str:
    return path.rstrip("\\").rpartition("\\")[0]


def is_absolute(path: str) -> bool:
    return bool(ABSOLUTE.match(path))


class CopyError(Exception):
    """A file could not be copied, or a folder not made: where from, where to, and Windows' code."""

    def __init__(self, source: str, target: str, hresult: int) -> None:
        super().__init__(f"{source} -> {target}: 0x{hresult:08X}")
        self.source = source
        self.target = target
        self.hresult = hresult


class Work:
    """How far a job is. ``tell`` hears each new whole percent."""

    def __init__(self, job: Job, tell: Callable[[int], None] | None = None) -> None:
        self.job = job
        self.total = 0
        self.done = 0
        self._tell = tell

    def add(self, length: int) -> None:
        self.done += length
        percent = min(99, self.done * 100 // max(1, self.total))
        if percent > self.job.percent:
            self.job.percent = percent
            if self._tell:
                self._tell(percent)


@dataclass(frozen=True)
class Copy:
    source: str
    target: str


@dataclass
class Copier:
    """Copies files from one host to another, or within one; ``made`` is what it has laid down so far."""

    source: Host
    target: Host
    work: Work
    made: list[str] = field(default_factory=list)

    @property
    def links(self) -> Sequence[Link]:
        if self.source is self.target:
            return (self.source.disk, self.source.disk)  # read and written
        return (self.source.disk, self.source.network, self.target.network, self.target.disk)

    def plan(self, copies: Iterable[Copy]) -> None:
        """Know how much there will be to do. What is missing at the source fails when its turn comes."""
        for copy in copies:
            if self.source.volumes.exists(copy.source):
                self.work.total += self.source.volumes.size(copy.source)

    async def copy(self, copy: Copy) -> None:
        """One file. It is locked at both ends meanwhile; what has arrived stays when it breaks off."""
        self._check(copy)
        size = self.source.volumes.size(copy.source)
        try:
            with contextlib.ExitStack() as stack:
                stack.enter_context(self.source.volumes.using(copy.source))
                self.target.volumes.write(copy.target, b"")
                self.made.append(copy.target)
                stack.enter_context(self.target.volumes.using(copy.target, exclusive=True))
                self.target.being_written.add(copy.target.lower())
                stack.callback(self.target.being_written.discard, copy.target.lower())
                file = stack.enter_context(self.source.volumes.map(copy.source).open("rb"))
                await self._bytes(file, copy, size)
            if self.source.rules.copies_keep_read_only:
                attributes = self.source.volumes.attributes(copy.source) & {"ReadOnly"}
                self.target.volumes.set_attributes(copy.target, attributes)
        except FileError as error:
            raise CopyError(copy.source, copy.target, error.hresult) from error

    async def _bytes(self, file: BinaryIO, copy: Copy, size: int) -> None:
        def move(offset: int, length: int) -> None:
            file.seek(offset)
            chunk = file.read(length)
            try:
                self.target.volumes.write_chunk(copy.target, offset, chunk)
            except FileError:  # as much as fits is there afterwards
                for start in range(0, len(chunk), PIECE):
                    self.target.volumes.write_chunk(copy.target, offset + start, chunk[start : start + PIECE])

        if size <= SMALL:
            move(0, size)
            self.on_bytes(size)
            return
        await self.source.transfers.transfer(self.links, size, move, self.on_bytes)

    def on_bytes(self, length: int) -> None:
        self.work.add(length)
        for host in (self.source, self.target):
            if not host.up:
                raise HostLost(host)

    def _check(self, copy: Copy) -> None:
        if not self.source.volumes.exists(copy.source):
            raise CopyError(copy.source, copy.target, E_FILE_NOT_FOUND)
        if self.target.volumes.exists(copy.target):
            raise CopyError(copy.source, copy.target, E_FILE_EXISTS)

    def undo(self) -> None:
        for path in reversed(self.made):
            remove_quietly(self.target, path)


class HostLost(Exception):
    """A host went down in the middle."""

    def __init__(self, host: Host) -> None:
        super().__init__(host.name)
        self.host = host


def ensure_folder(host: Host, path: str) -> None:
    """Make a folder and what is missing above it."""
    if host.volumes.is_dir(path):
        return
    try:
        host.volumes.mkdir(path, parents=True)
    except FileError as error:
        raise CopyError(path, path, error.hresult) from error


def require_folder(host: Host, path: str, *, may_create: bool) -> None:
    """A folder that the caller named: its drive must be there, and itself where the service does not make it."""
    if host.volumes.is_dir(path):
        return
    if not may_create:
        raise CopyError(path, path, E_PATH_NOT_FOUND)
    ensure_folder(host, path)


def write_file(host: Host, path: str, content: bytes) -> None:
    try:
        host.volumes.write(path, content)
    except FileError as error:
        raise CopyError(path, path, error.hresult) from error


def remove_quietly(host: Host, path: str) -> None:
    with contextlib.suppress(FileError):
        host.volumes.remove(path)


def real_path(host: Host, path: str) -> Path:
    """Where the bytes of a host's file really lie."""
    return host.volumes.map(path)


def copy_failure(host: Host, error: CopyError, *heads: str) -> Failure:
    """The lines in which Hyper-V reports a file that could not be copied."""
    why = host.say_code(error.hresult)
    if error.source == error.target:
        last = host.say("folder_failed", target=error.target, why=why)
    else:
        last = host.say("copy_failed", source=error.source, target=error.target, why=why)
    return Failure(*heads, last, hresult=error.hresult)
