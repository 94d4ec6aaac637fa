# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export-VM, Import-VM, Compare-VM and Move-VM."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from ..engine.registry import Bound, Context
from ..model import troubles
from ..model.failures import Failure
from ..model.host import Host
from ..model.operations import export, importing, migration
from ..model.operations.compatibility import Report
from ..model.operations.importing import ImportRequest
from ..model.operations.migration import MoveRequest
from ..model.vm import VirtualMachine
from .host_shapes import report_object
from .hyperv import as_list, chosen, find_by_name, follow, hyperv, live, proceed, record
from .vm_shapes import vm_object


@hyperv("Export-VM")
async def export_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    capture = str(args["CaptureLiveState"]) if "CaptureLiveState" in args else None
    for vm in list(chosen(ctx, args)):
        if not proceed(ctx, vm.name):
            continue
        try:
            _meet(host, vm.name, troubles.EXPORT, at_source=True)
            await follow(
                ctx,
                "Exporting",
                lambda tell, vm=vm: export.export_vm(  # type: ignore[misc]
                    host, vm, args["Path"], capture=capture, tell=tell
                ),
            )
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        if args.switch("Passthru"):
            yield vm_object(host, vm)


def _meet(host: Host, vm: str, stage: str, *, at_source: bool) -> None:
    if (found := troubles.meet(host, vm, stage, at_source=at_source)) is not None:
        raise found


def _import_request(args: Bound) -> ImportRequest:
    return ImportRequest(
        path=args["Path"],
        kind=importing.COPY if args.switch("Copy") else importing.IN_PLACE,
        new_id=args.switch("GenerateNewId"),
        vm_path=args.get("VirtualMachinePath"),
        vhd_path=args.get("VhdDestinationPath"),
        snapshot_path=args.get("SnapshotFilePath"),
        paging_path=args.get("SmartPagingFilePath"),
        vhd_source=args.get("VhdSourcePath"),
    )


@hyperv("Import-VM")
async def import_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    report = live(args["CompatibilityReport"], Report) if "CompatibilityReport" in args else None
    if report is not None:
        if not isinstance(report.request, ImportRequest):
            raise Failure(host.say("invalid_parameter"), identifier="InvalidParameter", category="InvalidArgument")
        request = report.request
    else:
        request = _import_request(args)
    if not proceed(ctx, request.path):
        return
    _meet(host, request.path, troubles.IMPORT, at_source=False)
    vm = await follow(ctx, "Importing", lambda tell: importing.import_vm(host, request, tell=tell, repaired=report))
    yield vm_object(host, vm)


def _move_request(args: Bound) -> MoveRequest:
    vhds = [{str(key).lower(): str(value) for key, value in one.items()} for one in as_list(args.get("Vhds"))]
    return MoveRequest(
        destination=args["DestinationHost"],
        include_storage=args.switch("IncludeStorage"),
        storage_path=args.get("DestinationStoragePath"),
        vm_path=args.get("VirtualMachinePath"),
        snapshot_path=args.get("SnapshotFilePath"),
        paging_path=args.get("SmartPagingFilePath"),
        vhds=tuple((one.get("sourcefilepath", ""), one.get("destinationfilepath", "")) for one in vhds),
        remove_parents=args.switch("RemoveSourceUnmanagedVhds") and not args.switch("RetainVhdCopiesOnSource"),
    )


def _one_vm(ctx: Context, args: Bound) -> VirtualMachine:
    """-VM or -Name, which takes one name here; a pattern that several VMs match is refused."""
    host: Host = ctx.host
    if "VM" in args:
        vms = list(chosen(ctx, args))
        if not vms:
            raise _Reported
        return vms[0]
    vms = find_by_name(ctx, args["Name"], wildcards=host.rules.wildcards_everywhere)
    if not vms:
        kind = "ObjectNotFound"
        raise Failure(host.say("not_found_name", name=args["Name"]), identifier=kind, category=kind)
    if len(vms) > 1:
        raise Failure(host.say("invalid_parameter"), identifier="InvalidParameter", category="InvalidArgument")
    return vms[0]


class _Reported(Exception):
    """What was wrong has been said already."""


@hyperv("Move-VM")
async def move_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    try:
        if "CompatibilityReport" in args:
            report = live(args["CompatibilityReport"], Report)
            if not isinstance(report.request, MoveRequest):
                raise Failure(host.say("invalid_parameter"), identifier="InvalidParameter", category="InvalidArgument")
            vm, request = report.vm, report.request
        else:
            vm, request = _one_vm(ctx, args), _move_request(args)
    except _Reported:
        return
    if not proceed(ctx, vm.name):
        return
    caller = ctx.session.caller
    arrived = await follow(ctx, "Moving", lambda tell: migration.move_vm(host, vm, request, caller, tell=tell))
    if args.switch("Passthru"):
        target = host.fabric.resolve(request.destination)
        yield vm_object(target or host, arrived)


@hyperv("Compare-VM")
async def compare_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    try:
        report = await _compare(ctx, args)
    except _Reported:
        return
    yield report_object(host, report)


async def _compare(ctx: Context, args: Bound) -> Report:
    host: Host = ctx.host
    caller = ctx.session.caller
    if "CompatibilityReport" in args:
        report = live(args["CompatibilityReport"], Report)
        if isinstance(report.request, MoveRequest):
            return await migration.compare_move(host, report.vm, report.request, caller)
        return importing.compare_again(host, report)
    if "Path" in args:
        return importing.compare_import(host, _import_request(args))
    return await migration.compare_move(host, _one_vm(ctx, args), _move_request(args), caller)
