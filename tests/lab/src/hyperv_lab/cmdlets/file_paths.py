# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what -Path and -LiteralPath say to paths on the host's drives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import cast

from ..engine.errors import NotSimulated, PSError
from ..engine.providers import FILE_SYSTEM, split_provider
from ..engine.registry import Bound, Context
from ..engine.wildcards import has_wildcards, matches, unescape
from ..model import windows_paths as win
from ..model.directory import may_write
from ..model.files import FileError, Volumes
from .file_errors import bad_path, drive_not_found, path_not_found
from .file_rights import ReadOnly

DRIVE = re.compile(r"([^\\/:]+):(.*)", re.DOTALL)


def volumes_of(ctx: Context) -> Volumes:
    """As the caller may use them. Work of the virtualization service does not come this way: it may do everything."""
    found: Volumes = ctx.host.volumes
    if may_write(ctx.session.caller):
        return found
    return cast(Volumes, ReadOnly(found, (home(ctx), *ctx.host.config.writable)))


def home(ctx: Context) -> str:
    """Where a remote session starts."""
    user = ctx.session.caller.user.rpartition("\\")[2].partition("@")[0]
    return f"C:\\Users\\{user}\\Documents"


def absolute(ctx: Context, path: str) -> str:
    """A provider path as a full one. Drives of other providers are not the lab's."""
    provider, rest = split_provider(path)
    if provider.lower() != FILE_SYSTEM.lower():
        raise NotSimulated(f"the provider {provider}")
    rest = rest.replace("/", "\\")
    if rest.startswith("\\\\"):
        return rest
    match = DRIVE.match(rest)
    if match:
        tail = match.group(2)
        if not tail.startswith("\\"):
            tail = "\\" + tail
        return f"{match.group(1)}:{tail}"
    if rest.startswith("\\"):
        return "C:" + rest
    return home(ctx) + "\\" + rest


def drive_exists(ctx: Context, path: str) -> bool:
    """Whether the drive of a full path is there, for this session."""
    if path.startswith("\\\\"):
        return True
    drive = path.partition(":")[0]
    return ctx.session.configuration.providers and drive.upper() in volumes_of(ctx).letters


def given(args: Bound) -> Iterator[tuple[str, bool]]:
    """Each path and whether it is literal."""
    literal = "LiteralPath" in args
    values = args.get("LiteralPath") if literal else args.get("Path")
    for value in [values] if isinstance(values, str) else values or ():
        yield value, literal


def existing(
    ctx: Context,
    args: Bound,
    paths: Iterable[tuple[str, bool]] | None = None,
    *,
    report: Callable[[PSError], None] | None = None,
) -> Iterator[str]:
    """The items that the arguments mean, spelt as on the disk; what is not there is reported."""
    for value, literal in given(args) if paths is None else paths:
        yield from _existing(ctx, value, literal, report or ctx.write_error)


def _existing(ctx: Context, value: str, literal: bool, report: Callable[[PSError], None]) -> Iterator[str]:
    path = absolute(ctx, value)
    if not drive_exists(ctx, path):
        report(drive_not_found(ctx, path.partition(":")[0]))
        return
    if not literal and has_wildcards(path):
        yield from expand(ctx, path)
        return
    plain = path if literal else unescape(path)
    problem = _refused(ctx, plain)
    if problem is not None:
        report(problem)
    elif volumes_of(ctx).exists(plain):
        yield volumes_of(ctx).true_name(plain)
    else:
        report(path_not_found(ctx, plain))


def _refused(ctx: Context, path: str) -> PSError | None:
    """What the provider says of a path that cannot be one; shares just are not there."""
    try:
        volumes_of(ctx).parts(path)
    except FileError as error:
        if error.code not in (win.BAD_NETPATH, win.PATH_NOT_FOUND):
            return bad_path(ctx, error)
    return None


def expand(ctx: Context, path: str) -> Iterator[str]:
    """All items that fit a pattern; none is no error."""
    volumes = volumes_of(ctx)
    drive, _, rest = path.partition("\\")
    found = [drive + "\\"]
    for part in [one for one in rest.split("\\") if one]:
        following = []
        for folder in found:
            if not volumes.is_dir(folder):
                continue
            if has_wildcards(part):
                names = [name for name in volumes.listdir(folder) if matches(part, name)]
            else:
                names = [unescape(part)] if volumes.exists(below(folder, unescape(part))) else []
            following += [below(folder, name) for name in names]
        found = following
    yield from (volumes.true_name(item) for item in found)


def below(folder: str, name: str) -> str:
    return folder.rstrip("\\") + "\\" + name


def leaf(path: str) -> str:
    return path.rstrip("\\").rpartition("\\")[2] or path


def parent(path: str) -> str:
    """The folder of an item; of a drive's root, nothing."""
    above = path.rstrip("\\").rpartition("\\")[0]
    return above + "\\" if above.endswith(":") else above


def target_path(ctx: Context, value: str) -> str | None:
    """A place that need not exist; its drive must."""
    path = absolute(ctx, value)
    if not drive_exists(ctx, path):
        ctx.write_error(drive_not_found(ctx, path.partition(":")[0]))
        return None
    return path
