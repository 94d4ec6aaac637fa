# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items removed, copied, moved and renamed, as the FileSystem provider of 5.1 does it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from ..engine.errors import NotSimulated, PSError
from ..engine.registry import Bound, Context, cmdlet
from ..engine.wildcards import has_wildcards
from ..model import windows_paths as win
from ..model.files import FileError, Volumes
from .file_errors import exception_of, full_id, made, not_caught, provider_error
from .file_paths import below, existing, leaf, parent, target_path, volumes_of
from .file_shapes import file_object
from .files import refuse_unsupported

PROTECTED = frozenset({"Hidden", "System", "ReadOnly"})
NO_RIGHTS = (
    "You do not have sufficient access rights to perform this operation or the item is hidden, system, or read only."
)


def _kind(volumes: Volumes, path: str) -> str:
    return "DirectoryInfo" if volumes.is_dir(path) else "FileInfo"


# ---- Remove-Item


@cmdlet("Remove-Item")
async def remove_item(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    refuse_unsupported(ctx, args, "Filter")
    volumes = volumes_of(ctx)
    for path in list(existing(ctx, args)):
        if volumes.is_dir(path) and volumes.listdir(path) and not args.switch("Recurse"):
            ctx.should_continue(
                f"The item at {path} has children and the Recurse parameter was not specified. If you continue, all "
                "children will be removed with the item. Are you sure you want to continue?"
            )
        _remove(ctx, path, args.switch("Force"), ask=True)
    return
    yield


def _remove(ctx: Context, path: str, force: bool, *, ask: bool) -> None:
    """Folders with all that is in them; of a junction only itself."""
    volumes = volumes_of(ctx)
    folder = volumes.is_dir(path) or volumes.is_link(path)
    if ask and not ctx.should_process(path, "Remove Directory" if folder else "Remove File"):
        return
    if folder and not volumes.is_link(path):
        names = [below(path, name) for name in volumes.listdir(path)]
        folders = [name for name in names if volumes.is_dir(name) or volumes.is_link(name)]
        for item in (*folders, *(name for name in names if name not in folders)):
            _remove(ctx, item, force, ask=False)
        if volumes.listdir(path):
            ctx.write_error(_not_empty(ctx, path))
            return
    _remove_one(ctx, path, force)


def _remove_one(ctx: Context, path: str, force: bool) -> None:
    volumes = volumes_of(ctx)
    if not force and volumes.attributes(path) & PROTECTED:
        ctx.write_error(_protected(ctx, path))
        return
    kind = _kind(volumes, path)
    try:
        if force:
            volumes.set_attributes(path, volumes.attributes(path) - PROTECTED)
        volumes.remove(path)
    except FileError as error:
        ctx.write_error(_remove_error(ctx, error, kind))


def _protected(ctx: Context, path: str) -> PSError:
    error = PSError(
        f"Cannot remove item {path}: {NO_RIGHTS}",
        full_id(ctx, "RemoveFileSystemItemUnAuthorizedAccess"),
        "PermissionDenied",
        "System.IO.IOException",
        path,
    )
    error.target_type = _kind(volumes_of(ctx), path)
    return error


def _remove_error(ctx: Context, error: FileError, kind: str) -> PSError:
    exception, message = exception_of(error)
    if exception == "System.UnauthorizedAccessException":
        error_id, category = "RemoveFileSystemItemUnAuthorizedAccess", "PermissionDenied"
    else:
        error_id, category = "RemoveFileSystemItemIOError", "WriteError"
    text = f"Cannot remove item {error.path}: {message.strip()}"
    found = made(ctx, error, error_id, category, exception, text)
    found.target, found.target_type = error.path, kind
    return found


def _not_empty(ctx: Context, path: str) -> PSError:
    error = PSError(
        f"Directory {path} cannot be removed because it is not empty.",
        full_id(ctx, "DirectoryNotEmpty"),
        "WriteError",
        "System.IO.IOException",
        path,
    )
    error.target_type = "DirectoryInfo"
    return error


# ---- Copy-Item


@cmdlet("Copy-Item")
async def copy_item(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    refuse_unsupported(ctx, args, "Filter", "FromSession", "ToSession")
    target = target_path(ctx, args.get("Destination") or ".")
    if target is None:
        return
    for path in list(existing(ctx, args)):
        for item in _copy(ctx, path, target, args):
            if args.switch("PassThru"):
                yield item


def _copy(ctx: Context, path: str, target: str, args: Bound) -> list[Any]:
    volumes = volumes_of(ctx)
    if not volumes.is_dir(path):
        return _copy_file(ctx, path, target, args)
    if volumes.is_dir(target):
        target = below(target, leaf(path))
    if not ctx.should_process(f"Item: {path} Destination: {target}", "Copy Directory"):
        return []
    made_items = _copy_folder(ctx, target, args)
    if args.switch("Recurse"):
        names = [below(path, name) for name in volumes.listdir(path)]
        for item in sorted(names, key=volumes.is_dir):
            made_items += _copy(ctx, item, target, args)
    return made_items


def _copy_folder(ctx: Context, target: str, args: Bound) -> list[Any]:
    volumes = volumes_of(ctx)
    if volumes.exists(target):
        if args.switch("Force") and volumes.is_dir(target):
            return []
        ctx.write_error(
            PSError(
                f"An item with the specified name {target} already exists.",
                full_id(ctx, "DirectoryExist"),
                "ResourceExists",
                "System.IO.IOException",
                target,
            )
        )
        return []
    try:
        volumes.mkdir(target, parents=True)
    except FileError as error:
        ctx.write_error(provider_error(ctx, error, "CreateDirectory"))
        return []
    return [file_object(ctx, volumes.true_name(target))]


def _copy_file(ctx: Context, path: str, target: str, args: Bound) -> list[Any]:
    """A file that is there is overwritten, with or without -Force; only a read-only one needs it."""
    volumes = volumes_of(ctx)
    if volumes.is_dir(target):
        target = below(target, leaf(path))
    if volumes.exists(target) and volumes.map(target) == volumes.map(path):
        text = f"Cannot overwrite the item {path} with itself."
        error = PSError(text, full_id(ctx, "CopyError"), "WriteError", "System.IO.IOException", target)
        ctx.write_error(error)
        return []
    if not ctx.should_process(f"Item: {path} Destination: {target}", "Copy File"):
        return []
    try:
        if args.switch("Force") and volumes.exists(target):
            volumes.set_attributes(target, volumes.attributes(target) - {"ReadOnly", "Hidden"})
        when = volumes.stat(path).modified
        volumes.write(target, volumes.read(path))
        volumes.touch(target, when)
    except FileError as error:
        if error.code != win.ACCESS_DENIED:
            raise not_caught(ctx, error) from error
        exception, message = exception_of(error)
        error_id = "CopyFileInfoItemUnauthorizedAccessError"
        found = made(ctx, error, error_id, "PermissionDenied", exception, message)
        found.target, found.target_type = path, "FileInfo"
        ctx.write_error(found)
        return []
    return [file_object(ctx, volumes.true_name(target))]


# ---- Move-Item, Rename-Item


@cmdlet("Move-Item")
async def move_item(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    refuse_unsupported(ctx, args, "Filter")
    target = target_path(ctx, args.get("Destination") or ".")
    if target is None:
        return
    if has_wildcards(target) and not volumes_of(ctx).exists(target):
        raise NotSimulated("Move-Item to a pattern")
    for path in list(existing(ctx, args)):
        item = _move(ctx, path, target, args)
        if item is not None and args.switch("PassThru"):
            yield item


def _move(ctx: Context, path: str, target: str, args: Bound) -> Any:
    volumes = volumes_of(ctx)
    folder = volumes.is_dir(path)
    if volumes.is_dir(target):
        target = below(target, leaf(path))
    action = "Move Directory" if folder else "Move File"
    if not ctx.should_process(f"Item: {path} Destination: {target}", action):
        return None
    if folder:
        if (target + "\\").lower().startswith(path.lower() + "\\"):
            ctx.write_error(_into_itself(ctx, target))
            return None
        return _moved(ctx, path, target, lambda: volumes.rename(path, target), "MoveDirectoryItem")
    return _moved(
        ctx, path, target, lambda: _move_file(volumes, path, target, args.switch("Force")), "MoveFileInfoItem"
    )


def _into_itself(ctx: Context, target: str) -> PSError:
    return PSError(
        "Destination path cannot be a subdirectory of the source: " + target,
        full_id(ctx, "MoveItemArgumentError"),
        "InvalidArgument",
        "System.IO.IOException",
        target,
    )


def _move_file(volumes: Volumes, path: str, target: str, force: bool) -> None:
    """With -Force a file that is in the way is deleted first, and then the other one moved: not one step."""
    try:
        volumes.rename(path, target)
    except FileError as error:
        if not force or error.code not in (win.ALREADY_EXISTS, win.FILE_EXISTS) or volumes.is_dir(target):
            raise
        volumes.set_attributes(target, volumes.attributes(target) - {"ReadOnly", "Hidden"})
        volumes.remove(target)
        volumes.rename(path, target)


def _moved(ctx: Context, path: str, target: str, move: Callable[[], None], prefix: str) -> Any:
    kind = _kind(volumes_of(ctx), path)
    try:
        move()
    except FileError as error:
        ctx.write_error(provider_error(ctx, error, prefix, target=path, target_type=kind))
        return None
    return file_object(ctx, volumes_of(ctx).true_name(target))


@cmdlet("Rename-Item")
async def rename_item(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    refuse_unsupported(ctx, args)
    volumes = volumes_of(ctx)
    value = args.get("LiteralPath") or args.get("Path")
    paths = [(str(value), "LiteralPath" in args)]
    for path in _renamed(ctx, args, paths):
        new = str(args["NewName"]).removeprefix(".\\")
        if parent(new).lower() == parent(path).lower():
            new = leaf(new)
        if "\\" in new or "/" in new or ":" in new:
            raise PSError(
                "Cannot rename the specified target, because it represents a path or device name.",
                full_id(ctx, "Argument"),
                "InvalidArgument",
                "System.Management.Automation.PSArgumentException",
            )
        target = below(parent(path), new)
        action = "Rename Directory" if volumes.is_dir(path) else "Rename File"
        if not ctx.should_process(f"Item: {path} Destination: {target}", action):
            continue
        item = _rename(ctx, path, target)
        if item is not None and args.switch("PassThru"):
            yield item


def _renamed(ctx: Context, args: Bound, paths: list[tuple[str, bool]]) -> list[str]:
    """Rename-Item has its own words for what is not there."""
    value, literal = paths[0]
    wildcard = not literal and has_wildcards(value)
    path = target_path(ctx, value)
    if path is None:
        return []
    if wildcard or volumes_of(ctx).exists(path):
        return list(existing(ctx, args, paths))
    ctx.write_error(
        PSError(
            f"Cannot rename because item at '{value}' does not exist.",
            full_id(ctx, "InvalidOperation"),
            "InvalidOperation",
            "System.Management.Automation.PSInvalidOperationException",
        )
    )
    return []


def _rename(ctx: Context, path: str, target: str) -> Any:
    try:
        volumes_of(ctx).rename(path, target)
    except FileError as error:
        ctx.write_error(provider_error(ctx, error, "RenameItem", target=path))
        return None
    return file_object(ctx, volumes_of(ctx).true_name(target))
