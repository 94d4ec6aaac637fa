# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of the file system: looking at them, listing, testing, making."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..engine.errors import NotSimulated, PSError
from ..engine.registry import Bound, Context, cmdlet
from ..engine.values import Noted, PSObj, text
from ..engine.wildcards import has_wildcards, matches, unescape
from ..model import windows_paths as win
from ..model.files import FileError
from .file_errors import bad_path, exception_of, full_id, made, provider_error
from .file_paths import absolute, below, drive_exists, existing, expand, given, leaf, parent, target_path, volumes_of
from .file_shapes import file_object, path_notes

UNSUPPORTED = ("Include", "Exclude", "Stream", "UseTransaction", "Credential", "Attributes")
ITEM_TYPES = ("directory", "file", "symboliclink", "junction", "hardlink")


def refuse_unsupported(ctx: Context, args: Bound, *names: str) -> None:
    for name in (*UNSUPPORTED, *names):
        if name in args:
            raise NotSimulated(f"{ctx.command} -{name}")


@cmdlet("Get-Item")
async def get_item(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    refuse_unsupported(ctx, args, "Filter")
    for path in existing(ctx, args):
        if _shown(ctx, path, args.switch("Force")):
            yield file_object(ctx, path)
        else:
            ctx.write_error(_hidden(ctx, path))


def _shown(ctx: Context, path: str, force: bool) -> bool:
    return force or not volumes_of(ctx).attributes(path) & {"Hidden", "System"}


def _hidden(ctx: Context, path: str) -> PSError:
    return PSError(
        f"Could not find item {path}.",
        full_id(ctx, "ItemNotFound"),
        "ObjectNotFound",
        "System.IO.IOException",
        path,
    )


# ---- Get-ChildItem


class Listing:
    """What Get-ChildItem is asked to list."""

    def __init__(self, ctx: Context, args: Bound) -> None:
        self.ctx = ctx
        self.names = args.switch("Name")
        self.folders_only = args.switch("Directory") and not args.switch("File")
        self.files_only = args.switch("File") and not args.switch("Directory")
        self.force = args.switch("Force") or args.switch("Hidden")
        self.filter = args.get("Filter")
        self.depth = int(args["Depth"]) if "Depth" in args else None
        self.recurse = args.switch("Recurse") or self.depth is not None
        self.required = {name for name in ("Hidden", "ReadOnly", "System") if args.switch(name)}

    def item(self, path: str, relative: str) -> Any:
        if self.names:
            return Noted(relative, {**path_notes(self.ctx, path), "PSIsContainer": volumes_of(self.ctx).is_dir(path)})
        return file_object(self.ctx, path, short=True)

    def _wants(self, path: str, is_dir: bool) -> bool:
        attributes = volumes_of(self.ctx).attributes(path)
        if not self.required <= attributes or (not self.force and attributes & {"Hidden", "System"}):
            return False
        if self.filter is not None and not matches(str(self.filter), leaf(path)):
            return False
        return not (self.files_only if is_dir else self.folders_only)

    def walk(self, folder: str, depth: int = 0, prefix: str = "") -> Iterator[Any]:
        """Folders, files, then what is in the folders. Junctions are followed, as 5.1 does."""
        volumes = volumes_of(self.ctx)
        try:
            entries = [below(folder, name) for name in volumes.listdir(folder)]
        except FileError as error:
            self.ctx.write_error(_unreadable(self.ctx, error))
            return
        folders = [path for path in entries if volumes.is_dir(path) or volumes.is_link(path)]
        for path in (*folders, *(path for path in entries if path not in folders)):
            if self._wants(path, path in folders):
                yield self.item(path, prefix + leaf(path))
        if self.recurse and (self.depth is None or depth < self.depth):
            for path in folders:
                if self.force or not volumes.attributes(path) & {"Hidden", "System"}:
                    yield from self.walk(path, depth + 1, prefix + leaf(path) + "\\")


def _unreadable(ctx: Context, error: FileError) -> PSError:
    exception, message = exception_of(error)
    category = "PermissionDenied" if exception == "System.UnauthorizedAccessException" else "ReadError"
    suffix = "UnauthorizedAccessError" if category == "PermissionDenied" else "IOError"
    found = made(ctx, error, "Dir" + suffix, category, exception, message)
    found.target = error.path
    return found


@cmdlet("Get-ChildItem")
async def get_child_item(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    refuse_unsupported(ctx, args, "FollowSymlink")
    listing = Listing(ctx, args)
    paths = list(given(args)) or [(".", True)]
    if paths == [(".", True)]:
        paths = [(absolute(ctx, "").rstrip("\\"), True)]
    for path in existing(ctx, args, paths):
        if volumes_of(ctx).is_dir(path):
            for item in listing.walk(path):
                yield item
        else:
            yield listing.item(path, leaf(path))


# ---- Test-Path, Resolve-Path


@cmdlet("Test-Path")
async def test_path(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    refuse_unsupported(ctx, args, "Filter", "OlderThan", "NewerThan", "IsValid")
    kind = text(args.get("PathType")) or "Any"
    for value, literal in given(args):
        yield _is_there(ctx, value, literal, kind)


def _is_there(ctx: Context, value: str, literal: bool, kind: str) -> bool:
    path = absolute(ctx, value)
    if not drive_exists(ctx, path) or path.startswith("\\\\"):
        return False
    volumes = volumes_of(ctx)
    if not literal and has_wildcards(path):
        found = list(expand(ctx, path))
    else:
        plain = path if literal else unescape(path)
        found = [plain] if volumes.exists(plain) else []
    if kind == "Container":
        return any(volumes.is_dir(one) for one in found)
    if kind == "Leaf":
        return any(not volumes.is_dir(one) for one in found)
    return bool(found)


@cmdlet("Resolve-Path")
async def resolve_path(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    refuse_unsupported(ctx, args, "Relative")
    for path in existing(ctx, args):
        notes = path_notes(ctx, path)
        yield PSObj(
            ["System.Management.Automation.PathInfo", "System.Object"],
            {"Drive": notes["PSDrive"], "Provider": notes["PSProvider"], "ProviderPath": path, "Path": path},
            to_string=path,
        )


# ---- New-Item


def _item_type(ctx: Context, name: str | None) -> str:
    wanted = (name or "file").lower()
    found = [one for one in ITEM_TYPES if one.startswith(wanted)] if wanted else []
    if not found:
        raise PSError(
            'The type is not a known type for the file system. Only "file","directory" or "symboliclink" can be '
            "specified.",
            full_id(ctx, "Argument"),
            "InvalidArgument",
            "System.Management.Automation.PSArgumentException",
            name,
        )
    if found[0] not in ("directory", "file"):
        raise NotSimulated(f"New-Item -ItemType {found[0]}")
    return found[0]


@cmdlet("New-Item")
async def new_item(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    refuse_unsupported(ctx, args)
    kind = _item_type(ctx, args.get("ItemType"))
    for value in args.get("Path") or [""]:
        path = target_path(ctx, below(value, args["Name"]) if "Name" in args else value)
        if path is None:
            continue
        action = "Create Directory" if kind == "directory" else "Create File"
        if not ctx.should_process(f"Destination: {path}", action):
            continue
        item = _make_folder(ctx, path, args) if kind == "directory" else _make_file(ctx, path, args)
        if item is not None:
            yield item


def _make_folder(ctx: Context, path: str, args: Bound) -> PSObj | None:
    """Folders above it are made too. One that is there is an error: of two that make it, only one does."""
    volumes = volumes_of(ctx)
    try:
        full = volumes.full(path)
        if volumes.exists(full):
            if args.switch("Force") and volumes.is_dir(full):
                return file_object(ctx, volumes.true_name(full))
            raise FileError(win.ALREADY_EXISTS, full)
        volumes.mkdir(full, parents=True)
    except FileError as error:
        ctx.write_error(_folder_error(ctx, error))
        return None
    return file_object(ctx, volumes.true_name(full))


def _folder_error(ctx: Context, error: FileError) -> PSError:
    if error.code == win.ALREADY_EXISTS:
        return PSError(
            f"An item with the specified name {error.path} already exists.",
            full_id(ctx, "DirectoryExist"),
            "ResourceExists",
            "System.IO.IOException",
            error.path,
        )
    if error.code == win.INVALID_NAME:
        return bad_path(ctx, error)
    return provider_error(ctx, error, "CreateDirectory")


def _make_file(ctx: Context, path: str, args: Bound) -> PSObj | None:
    volumes = volumes_of(ctx)
    value = args.get("Value")
    data = b"" if value is None else text(value).encode("utf-8")
    try:
        full = volumes.full(path)
        if args.switch("Force") and not volumes.is_dir(parent(full)):
            volumes.mkdir(parent(full), parents=True)
        volumes.write(full, data, new=not args.switch("Force"))
    except FileError as error:
        if error.code == win.INVALID_NAME:
            ctx.write_error(bad_path(ctx, error))
        else:
            ctx.write_error(provider_error(ctx, error, "NewItem"))
        return None
    return file_object(ctx, volumes.true_name(full))
