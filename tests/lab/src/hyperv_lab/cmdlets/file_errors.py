# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the FileSystem provider, with its ids, categories and exceptions."""

from __future__ import annotations

from typing import Any

from ..engine.errors import PSError
from ..engine.registry import Context
from ..model import windows_paths as win
from ..model.files import FileError

AUTOMATION = "System.Management.Automation."
IO = "System.IO."
TOO_LONG = (
    "The specified path, file name, or both are too long. The fully qualified file name must be less than 260 "
    "characters, and the directory name must be less than 248 characters."
)
DENIED = (win.ACCESS_DENIED,)
COMMANDS_WITH_OWN_ID = "Microsoft.PowerShell.Commands."


def full_id(ctx: Context, error_id: str) -> str:
    return f"{error_id},{ctx.table.class_name}"


def path_not_found(ctx: Context, path: str) -> PSError:
    return PSError(
        f"Cannot find path '{path}' because it does not exist.",
        full_id(ctx, "PathNotFound"),
        "ObjectNotFound",
        AUTOMATION + "ItemNotFoundException",
        path,
    )


def drive_not_found(ctx: Context, drive: str) -> PSError:
    return PSError(
        f"Cannot find drive. A drive with the name '{drive}' does not exist.",
        full_id(ctx, "DriveNotFound"),
        "ObjectNotFound",
        AUTOMATION + "DriveNotFoundException",
        drive,
    )


def exception_of(error: FileError) -> tuple[str, str]:
    """The .NET exception that a Win32 error becomes, and its message."""
    path = error.path
    if error.code == win.FILE_NOT_FOUND:
        return IO + "FileNotFoundException", f"Could not find file '{path}'."
    if error.code == win.PATH_NOT_FOUND:
        return IO + "DirectoryNotFoundException", f"Could not find a part of the path '{path}'."
    if error.code == win.ACCESS_DENIED:
        return "System.UnauthorizedAccessException", f"Access to the path '{path}' is denied."
    if error.code == win.NAME_TOO_LONG:
        return IO + "PathTooLongException", TOO_LONG
    if error.code == win.SHARING_VIOLATION:
        text = f"The process cannot access the file '{path}' because it is being used by another process."
        return IO + "IOException", text
    if error.code == win.FILE_EXISTS:
        return IO + "IOException", f"The file '{path}' already exists."
    if error.code == win.INVALID_NAME:
        return "System.ArgumentException", "Illegal characters in path."
    if error.code == win.DISK_FULL:
        return IO + "IOException", "There is not enough space on the disk.\r\n"
    return IO + "IOException", error.message + "\r\n"


def provider_error(
    ctx: Context, error: FileError, prefix: str, *, target: Any = None, target_type: str = "String"
) -> PSError:
    """``<prefix>IOError`` and its like, as the provider names what it catches."""
    exception, message = exception_of(error)
    suffix, category = "IOError", "WriteError"
    if exception == "System.UnauthorizedAccessException":
        suffix, category = "UnauthorizedAccessError", "PermissionDenied"
    elif exception == "System.ArgumentException":
        suffix, category = "ArgumentError", "InvalidArgument"
    found = made(ctx, error, prefix + suffix, category, exception, message)
    found.target = error.path if target is None else target
    found.target_type = target_type
    return found


def made(ctx: Context, error: FileError, error_id: str, category: str, exception: str, message: str) -> PSError:
    return PSError(message, full_id(ctx, error_id), category, exception, hresult=error.hresult - 2**32)


def not_caught(ctx: Context, error: FileError) -> PSError:
    """What the provider does not catch ends the command; its id is the exception's name."""
    exception, message = exception_of(error)
    return made(ctx, error, exception, "NotSpecified", exception, message)


def bad_path(ctx: Context, error: FileError) -> PSError:
    """A path that the provider cannot even look at."""
    exception, message = exception_of(error)
    error_id = "ItemExistsArgumentError"
    if error.code == win.NAME_TOO_LONG:
        error_id = "ItemExistsPathTooLongError"
    elif error.path.count(":") > 1:
        exception, error_id = "System.NotSupportedException", "ItemExistsNotSupportedError"
        message = "The given path's format is not supported."
    category = "InvalidOperation" if error_id == "ItemExistsNotSupportedError" else "InvalidArgument"
    found = made(ctx, error, error_id, category, exception, message)
    found.target = error.path
    return found
