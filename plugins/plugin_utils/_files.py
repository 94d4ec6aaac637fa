# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Small files that others read while they are written: whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_NAME = 120


def safe_name(text: str) -> str:
    """A file name made of any text: readable, of bounded length, different for different texts."""
    name = "".join(_safe(character) for character in text)
    if name.startswith("."):
        name = f"%2E{name[1:]}"
    if len(name) <= LONGEST_NAME:
        return name or "%"
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return f"{name[: LONGEST_NAME - 13]}~{digest}"


def _safe(character: str) -> str:
    if character.isascii() and (character.isalnum() or character in "-_."):
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))


def write_whole(path: Path, text: str, *, mode: int = 0o600, temporary: Path | None = None, sync: bool = True) -> None:
    """Put a file in place of the old one. A reader sees the old text or the new one, never a part."""
    temporary = temporary or path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        os.fchmod(descriptor, mode)
        with open(descriptor, "w", encoding="utf-8", errors="replace", closefd=False) as stream:
            stream.write(text)
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(temporary, path)


class Busy(Exception):
    """Somebody else holds the lock."""


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """Lock a file, made when missing; the open descriptor, or None when another one holds it.

    The kernel frees it when the last process that has the descriptor ends.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            if _is(descriptor, path):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        unlock(descriptor)  # the file was removed between opening and locking


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def unlock(descriptor: int) -> None:
    """Give a lock back, also where a forked process has inherited the descriptor."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock; without making the file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        return False
    finally:
        os.close(descriptor)


@contextmanager
def locked(
    path: Path,
    timeout: float,
    *,
    every: float = 0.01,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], t.Any] = time.sleep,
) -> Iterator[None]:
    """Hold the lock; ``Busy`` when it is not to be had in time."""
    deadline = clock() + timeout
    while (descriptor := try_lock(path)) is None:
        if clock() >= deadline:
            raise Busy(f"{path} is locked by another process")
        sleep(every)
    try:
        yield
    finally:
        unlock(descriptor)


__all__ = ("Busy", "is_locked", "locked", "safe_name", "try_lock", "unlock", "write_whole")
