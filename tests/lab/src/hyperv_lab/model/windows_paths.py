# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows' paths and the errors of its files: what a path may look like, and what Win32 says when it does not."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator

FILE_NOT_FOUND = 2
PATH_NOT_FOUND = 3
ACCESS_DENIED = 5
NOT_SAME_DEVICE = 17
SHARING_VIOLATION = 32
BAD_NETPATH = 53
FILE_EXISTS = 80
DISK_FULL = 112
INVALID_NAME = 123
DIR_NOT_EMPTY = 145
ALREADY_EXISTS = 183
NAME_TOO_LONG = 206
NOT_A_DIRECTORY = 267

MESSAGES = {
    FILE_NOT_FOUND: "The system cannot find the file specified.",
    PATH_NOT_FOUND: "The system cannot find the path specified.",
    ACCESS_DENIED: "Access is denied.",
    NOT_SAME_DEVICE: "The system cannot move the file to a different disk drive.",
    SHARING_VIOLATION: "The process cannot access the file because it is being used by another process.",
    BAD_NETPATH: "The network path was not found.",
    FILE_EXISTS: "The file exists.",
    DISK_FULL: "There is not enough space on the disk.",
    INVALID_NAME: "The filename, directory name, or volume label syntax is incorrect.",
    DIR_NOT_EMPTY: "The directory is not empty.",
    ALREADY_EXISTS: "Cannot create a file when that file already exists.",
    NAME_TOO_LONG: "The filename or extension is too long.",
    NOT_A_DIRECTORY: "The directory name is invalid.",
}
HRESULT = 0x80070000
MAX_PATH = 260  # with the terminating zero; folders leave room for an 8.3 name
MAX_FOLDER = 248
LONG = "\\\\?\\"
INVALID = re.compile(r'[<>:"|?*\x00-\x1f]')
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?")


FROM_ERRNO = {
    errno.ENOENT: FILE_NOT_FOUND,
    errno.ENOTDIR: PATH_NOT_FOUND,
    errno.EEXIST: ALREADY_EXISTS,
    errno.ENOTEMPTY: DIR_NOT_EMPTY,
    errno.EISDIR: ACCESS_DENIED,
    errno.EACCES: ACCESS_DENIED,
    errno.EPERM: ACCESS_DENIED,
    errno.ENOSPC: DISK_FULL,
    errno.ENAMETOOLONG: NAME_TOO_LONG,
    errno.EXDEV: NOT_SAME_DEVICE,
}


class FileError(Exception):
    """What Windows answers to a file operation: ``code`` is the Win32 error, ``hresult`` the same as HRESULT."""

    def __init__(self, code: int, path: str) -> None:
        super().__init__(f"{path}: {MESSAGES[code]}")
        self.code = code
        self.path = path
        self.message = MESSAGES[code]
        self.hresult = HRESULT | code


def split(path: str, *, long_paths: bool = False) -> tuple[str, list[str]]:
    """Drive letter and parts of an absolute path, normalised as Win32 does; FileError for what it refuses."""
    given = path
    path = path.replace("/", "\\")
    verbatim = path.startswith(LONG)
    path = path[len(LONG) :] if verbatim else path
    if path.startswith("\\\\"):
        raise FileError(BAD_NETPATH, given)
    if len(path) < 2 or path[1] != ":" or not path[0].isalpha() or (len(path) > 2 and path[2] != "\\"):
        raise FileError(INVALID_NAME, given)
    parts: list[str] = []
    for part in path[2:].split("\\"):
        _add_part(parts, part if verbatim else part.rstrip(". ") or part.strip(), given)
    if not (verbatim or long_paths) and 3 + sum(len(part) + 1 for part in parts) > MAX_PATH:
        raise FileError(NAME_TOO_LONG, given)
    return path[0].upper(), parts


def _add_part(parts: list[str], part: str, given: str) -> None:
    if part in ("", "."):
        return
    if part == "..":
        del parts[-1:]
        return
    if INVALID.search(part) or RESERVED.fullmatch(part):
        raise FileError(INVALID_NAME, given)
    if len(part) > 255:
        raise FileError(NAME_TOO_LONG, given)
    parts.append(part)


def join(letter: str, parts: list[str]) -> str:
    return f"{letter}:\\" + "\\".join(parts)


@contextlib.contextmanager
def translated(path: str) -> Iterator[None]:
    """What the real file system reports, as Windows would."""
    try:
        yield
    except OSError as error:
        raise FileError(FROM_ERRNO.get(error.errno or 0, ACCESS_DENIED), path) from error
