# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's drives: Windows paths and rules over real folders, with a capacity, open files and junctions."""

from __future__ import annotations

import contextlib
import datetime
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .windows_paths import (
    ACCESS_DENIED,
    ALREADY_EXISTS,
    DISK_FULL,
    FILE_EXISTS,
    FILE_NOT_FOUND,
    LONG,
    MAX_FOLDER,
    NAME_TOO_LONG,
    NOT_A_DIRECTORY,
    NOT_SAME_DEVICE,
    PATH_NOT_FOUND,
    SHARING_VIOLATION,
    FileError,
    join,
    split,
    translated,
)

__all__ = ["FileError", "FileStat", "Volumes"]


@dataclass(frozen=True)
class FileStat:
    name: str
    size: int
    is_dir: bool
    modified: datetime.datetime  # aware, UTC
    created: datetime.datetime
    target: str | None = None  # of a junction

    @property
    def is_link(self) -> bool:
        return self.target is not None


class Volumes:
    """The drives of one host. Every path is absolute; names are found whatever their case.

    ``wall`` gives the host's time for new and changed files; without it they have the machine's.
    """

    def __init__(
        self,
        root: Path,
        capacities: Mapping[str, int],
        used: Mapping[str, int] | None = None,
        *,
        wall: Callable[[], datetime.datetime] | None = None,
        long_paths: bool = False,
    ) -> None:
        self.root = Path(root)
        self.wall = wall
        self.long_paths = long_paths
        self._capacity = {letter.upper(): size for letter, size in capacities.items()}
        self._base = {letter: (used or {}).get(letter, 0) for letter in self._capacity}
        self._files: dict[str, int] = {}
        self._counting = threading.Lock()
        self._open: dict[str, list[bool]] = {}
        self._attributes: dict[str, frozenset[str]] = {}
        self.held: Callable[[str], bool] = lambda path: False  # whether a running VM holds the file
        for letter in self._capacity:
            (self.root / letter).mkdir(parents=True, exist_ok=True)

    # ---- drives and space

    @property
    def letters(self) -> tuple[str, ...]:
        return tuple(self._capacity)

    def capacity(self, drive: str) -> int:
        return self._capacity[drive[0].upper()]

    def free(self, drive: str) -> int:
        """Free bytes of the drive of a path or letter, counted anew."""
        letter = drive[0].upper()
        self._files[letter] = self._count(letter)
        return self._left(letter)

    def left(self, drive: str) -> int:
        """The same without counting anew: what the lab knows from its own writing."""
        return self._left(drive[0].upper())

    def set_capacity(self, drive: str, size: int) -> None:
        self._capacity[drive[0].upper()] = size

    def set_free(self, drive: str, size: int) -> None:
        """Let so many bytes be free, by taking up or giving back what does not belong to the lab's files."""
        letter = drive[0].upper()
        self._base[letter] += self.free(letter) - size

    def _count(self, letter: str) -> int:
        total = 0
        for folder, _, names in os.walk(self.root / letter):
            total += sum(os.lstat(os.path.join(folder, name)).st_size for name in names)
        return total

    def _left(self, letter: str) -> int:
        if letter not in self._files:
            self._files[letter] = self._count(letter)
        return max(0, self._capacity[letter] - self._base[letter] - self._files[letter])

    def _grow(self, letter: str, size: int) -> None:
        """Count what has been written; copies run in threads."""
        self._left(letter)
        with self._counting:
            self._files[letter] += size

    # ---- paths

    def parts(self, path: str) -> tuple[str, list[str]]:
        letter, parts = split(path, long_paths=self.long_paths)
        if letter not in self._capacity:
            raise FileError(PATH_NOT_FOUND, path)
        return letter, parts

    def full(self, path: str) -> str:
        """The path as Windows normalises it."""
        return join(*self.parts(path))

    def map(self, path: str) -> Path:
        """Where the file really lies. Parts that exist are found in any case, others are kept as given."""
        letter, parts = self.parts(path)
        real = self.root / letter
        for part in parts:
            real = self._child(real, part)
        return real

    def true_name(self, path: str) -> str:
        """The path with its parts spelt as they are on the disk."""
        letter, parts = self.parts(path)
        real, spelt = self.root / letter, []
        for part in parts:
            real = self._child(real, part)
            spelt.append(real.name)
        return join(letter, spelt)

    @staticmethod
    def _child(folder: Path, name: str) -> Path:
        child = folder / name
        if os.path.lexists(child):
            return child
        wanted = name.casefold()
        with contextlib.suppress(OSError):
            return next((folder / entry for entry in os.listdir(folder) if entry.casefold() == wanted), child)
        return child

    def _windows_path(self, real: str) -> str:
        letter, *parts = Path(real).relative_to(self.root).parts
        return join(letter, parts)

    def _parent(self, path: str) -> Path:
        """The real path of something to be made; its folder must be there."""
        letter, parts = self.parts(path)
        if not parts:
            raise FileError(ACCESS_DENIED, path)
        folder = self.map(join(letter, parts[:-1]))
        if not folder.is_dir():
            raise FileError(PATH_NOT_FOUND, path)
        return self._child(folder, parts[-1])

    def _existing(self, path: str) -> Path:
        real = self.map(path)
        if os.path.lexists(real):
            return real
        raise FileError(FILE_NOT_FOUND if real.parent.is_dir() else PATH_NOT_FOUND, path)

    # ---- looking

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder; a path that Windows refuses does not exist."""
        try:
            return os.path.lexists(self.map(path))
        except FileError:
            return False

    def is_dir(self, path: str) -> bool:
        try:
            return self.map(path).is_dir()
        except FileError:
            return False

    def is_link(self, path: str) -> bool:
        return os.path.islink(self.map(path))

    def size(self, path: str) -> int:
        real = self._existing(path)
        with translated(path):
            return real.stat().st_size

    def stat(self, path: str) -> FileStat:
        return self._stat(self._existing(path), path)

    def _stat(self, real: Path, path: str) -> FileStat:
        with translated(path):
            info = os.lstat(real)
            link = os.readlink(real) if os.path.islink(real) else None
            is_dir = real.is_dir()
        return FileStat(
            name=real.name if real.parent != self.root else f"{real.name}:\\",
            size=0 if is_dir else info.st_size,
            is_dir=is_dir or link is not None,
            modified=datetime.datetime.fromtimestamp(info.st_mtime, datetime.timezone.utc),
            created=datetime.datetime.fromtimestamp(min(info.st_ctime, info.st_mtime), datetime.timezone.utc),
            target=None if link is None else self._windows_path(link),
        )

    def listdir(self, path: str) -> list[str]:
        """Names in the order NTFS gives them."""
        real = self._existing(path)
        if not real.is_dir():
            raise FileError(NOT_A_DIRECTORY, path)
        with translated(path):
            return sorted(os.listdir(real), key=str.upper)

    def attributes(self, path: str) -> frozenset[str]:
        """ReadOnly, Hidden, System, as far as a test has set them."""
        return self._attributes.get(str(self.map(path)), frozenset())

    def set_attributes(self, path: str, attributes: frozenset[str]) -> None:
        self._attributes[str(self._existing(path))] = attributes

    # ---- open files

    @contextlib.contextmanager
    def using(self, path: str, *, exclusive: bool = False) -> Iterator[None]:
        """Hold a file open: others may read it (not even that if exclusive), not write, move or delete it."""
        key = str(self._existing(path))
        self._open.setdefault(key, []).append(exclusive)
        try:
            yield
        finally:
            holders = self._open[key]
            holders.remove(exclusive)
            if not holders:
                del self._open[key]

    def in_use(self, path: str) -> bool:
        return str(self.map(path)) in self._open

    def _check_unused(self, real: Path, path: str) -> None:
        if str(real) in self._open or self.held(path):
            raise FileError(SHARING_VIOLATION, path)

    def _check_nothing_open_below(self, real: Path, path: str) -> None:
        below = str(real) + os.sep
        if any(key.startswith(below) for key in self._open):
            raise FileError(ACCESS_DENIED, path)

    # ---- changing

    def mkdir(self, path: str, *, parents: bool = False) -> None:
        """Make a folder; one that is there is an error (ALREADY_EXISTS), so that only one of two can make it."""
        letter, parts = self.parts(path)
        if not self.long_paths and not path.startswith(LONG) and len(join(letter, parts)) >= MAX_FOLDER:
            raise FileError(NAME_TOO_LONG, path)
        if parents:
            for count in range(1, len(parts)):
                above = join(letter, parts[:count])
                if not self.is_dir(above):
                    self.mkdir(above)
        if not parts:
            raise FileError(ALREADY_EXISTS, path)
        real = self._parent(path)
        with translated(path):
            os.mkdir(real)
        self._touch(real, real.parent)

    def check_readable(self, path: str) -> Path:
        """Where a file lies that may be read now."""
        real = self._existing(path)
        if real.is_dir():
            raise FileError(ACCESS_DENIED, path)
        if True in self._open.get(str(real), ()):
            raise FileError(SHARING_VIOLATION, path)
        return real

    def read(self, path: str) -> bytes:
        real = self.check_readable(path)
        with translated(path):
            return real.read_bytes()

    def write(self, path: str, data: bytes, *, new: bool = False, append: bool = False) -> None:
        """Write a whole file. On a full disk as much of it as fits is there afterwards, as on Windows."""
        real = self._parent(path)
        if new and os.path.lexists(real):
            raise FileError(FILE_EXISTS, path)
        if real.is_dir():
            raise FileError(ACCESS_DENIED, path)
        self._check_unused(real, path)
        if "ReadOnly" in self._attributes.get(str(real), ()):
            raise FileError(ACCESS_DENIED, path)
        letter = path.removeprefix(LONG)[0].upper()
        there = real.exists()
        before = real.stat().st_size if there else 0
        self._grow(letter, 0 if append else -before)
        fits = data[: self._left(letter)]
        with translated(path), open(real, "ab" if append else "wb") as file:
            file.write(fits)
        self._grow(letter, len(fits))
        self._touch(real, *(() if there else (real.parent,)))
        if len(fits) < len(data):
            raise FileError(DISK_FULL, path)

    def write_chunk(self, path: str, offset: int, data: bytes) -> None:
        """Part of a file that its caller holds open: no check of open files, but of the space."""
        real = self._existing(path)
        letter = path.removeprefix(LONG)[0].upper()
        with translated(path), open(real, "r+b") as file:
            growth = max(0, offset + len(data) - os.fstat(file.fileno()).st_size)
            if growth > self._left(letter):
                raise FileError(DISK_FULL, path)
            file.seek(offset)
            file.write(data)
        self._grow(letter, growth)
        self._touch(real)

    def remove(self, path: str) -> None:
        """Remove a file, a junction (never what it points to) or an empty folder."""
        real = self._existing(path)
        if not self.parts(path)[1]:
            raise FileError(ACCESS_DENIED, path)
        self._check_unused(real, path)
        if "ReadOnly" in self._attributes.get(str(real), ()):
            raise FileError(ACCESS_DENIED, path)
        size = os.lstat(real).st_size
        with translated(path):
            if real.is_dir() and not real.is_symlink():
                os.rmdir(real)
                size = 0
            else:
                os.unlink(real)
        self._attributes.pop(str(real), None)
        self._grow(path.removeprefix(LONG)[0].upper(), -size)
        self._touch(real.parent)

    def rename(self, source: str, target: str) -> None:
        """Move a file or folder to a name that is free. Folders stay on their drive."""
        real = self._existing(source)
        self._check_unused(real, source)
        self._check_nothing_open_below(real, source)
        new = self._parent(target)
        if os.path.lexists(new) and str(new).casefold() != str(real).casefold():
            raise FileError(ALREADY_EXISTS, target)
        letters = source.removeprefix(LONG)[0].upper(), target.removeprefix(LONG)[0].upper()
        if letters[0] != letters[1]:
            self._move_across(real, source, target)
            return
        with translated(target):
            os.rename(real, new.parent / self.parts(target)[1][-1])
        self._touch(real.parent, new.parent)

    def _move_across(self, real: Path, source: str, target: str) -> None:
        if real.is_dir():
            raise FileError(NOT_SAME_DEVICE, source)
        self.write(target, real.read_bytes(), new=True)
        self.remove(source)

    def make_junction(self, path: str, target: str) -> None:
        """A folder that is another one; for tests, which want to see who follows it."""
        real = self._parent(path)
        with translated(path):
            os.symlink(self.map(target), real, target_is_directory=True)

    def touch(self, path: str, when: datetime.datetime) -> None:
        """Set a file's time of last change."""
        stamp = when.timestamp()
        os.utime(self._existing(path), (stamp, stamp), follow_symlinks=False)

    def _touch(self, *changed: Path) -> None:
        """Files that were written, and folders in which something came or went."""
        if self.wall is not None:
            stamp = self.wall().timestamp()
            for real in changed:
                os.utime(real, (stamp, stamp))
