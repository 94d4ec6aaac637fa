# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cmdlets for virtual disks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..engine.errors import NotSimulated
from ..engine.registry import Bound, Context
from ..model import chains, vhdx
from ..model.failures import E_CORRUPT_DISK, E_PATH_NOT_FOUND, E_SHARING_VIOLATION, Failure
from ..model.files import FileError
from ..model.host import Host
from ..model.storage import is_absolute
from .host_shapes import virtual_disk
from .hyperv import as_list, hyperv, record

EXTENSIONS = (".vhdx", ".vhd", ".avhdx", ".avhd", ".vhds")


@hyperv("Get-VHD")
async def get_vhd(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    if "DiskNumber" in args:
        raise NotSimulated("Get-VHD -DiskNumber")
    host: Host = ctx.host
    for path in _paths(ctx, args):
        try:
            check_path(host, path)
            yield virtual_disk(host, host.volumes.true_name(path))
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
        except vhdx.NotAVirtualDisk:
            ctx.write_error(record(ctx, _corrupt(host, path)))


def _paths(ctx: Context, args: Bound) -> Iterator[str]:
    """-Path as it is; -VMId: the disks that are attached to those VMs."""
    host: Host = ctx.host
    for path in as_list(args.get("Path")):
        yield str(path)
    for vm_id in as_list(args.get("VMId")):
        vm = host.vms.get(vm_id)
        if vm is None:
            kind = "ObjectNotFound"
            text = host.say("not_found_id", name=vm_id)
            ctx.write_error(record(ctx, Failure(text, identifier=kind, category=kind)))
            continue
        yield from (disk.path for disk in vm.disks if disk.disk_number is None)


def check_path(host: Host, path: str) -> None:
    """A file that may be a virtual disk, is there, and nobody writes it just now."""
    head = host.say("no_file_vhd", path=path)
    if not is_absolute(path) or not path.lower().endswith(EXTENSIONS):
        raise Failure(
            host.say("invalid_parameter"), identifier="InvalidParameter", category="InvalidArgument", target=path
        )
    if not host.volumes.exists(path) or host.volumes.is_dir(path):
        code = "file_not_found" if _folder_exists(host, path) else f"0x{E_PATH_NOT_FOUND:08X}"
        raise Failure(head, host.say(code), identifier="ObjectNotFound", category="ObjectNotFound", target=path)
    if host.is_being_written(path):
        raise Failure(head, host.say_code(E_SHARING_VIOLATION), hresult=E_SHARING_VIOLATION)


def _folder_exists(host: Host, path: str) -> bool:
    return bool(host.volumes.is_dir(path.rpartition("\\")[0] + "\\"))


def _corrupt(host: Host, path: str) -> Failure:
    return Failure(host.say("no_file_vhd", path=path), host.say_code(E_CORRUPT_DISK), hresult=E_CORRUPT_DISK)


@hyperv("Test-VHD")
async def test_vhd(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    """Whether a disk and the chain it stands on are usable; what is no file at all is an error."""
    if args.switch("SupportPersistentReservations"):
        raise NotSimulated("Test-VHD -SupportPersistentReservations")
    host: Host = ctx.host
    for path in as_list(args["Path"]):
        try:
            check_path(host, str(path))
            yield chains.is_intact(host, str(path))
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
        except (vhdx.NotAVirtualDisk, FileError):
            yield False
