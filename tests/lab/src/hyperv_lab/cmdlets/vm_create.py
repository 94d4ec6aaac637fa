# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New-VM, New-VHD, and what a new VM gets besides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from ..engine.errors import NotSimulated
from ..engine.registry import Bound, Context
from ..model.failures import Failure
from ..model.host import Host
from ..model.operations import creation, lifecycle
from ..model.vm import VirtualMachine
from . import device_shapes
from .host_shapes import virtual_disk
from .hyperv import as_list, chosen, hyperv, live, proceed, record
from .vm_shapes import vm_object

DEFAULT_MEMORY = 1024**3


def _refuse(ctx: Context, args: Bound, *names: str) -> None:
    for name in names:
        if name in args:
            raise NotSimulated(f"{ctx.command} -{name}")


@hyperv("New-VM")
async def new_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    _refuse(ctx, args, "NewVHDPath", "BootDevice", "Prerelease", "Experimental", "SourceGuestStatePath")
    host: Host = ctx.host
    name = str(args.get("Name") or "New Virtual Machine")
    if not proceed(ctx, name):
        return
    vm = creation.new_vm(
        host,
        name,
        memory=int(args.get("MemoryStartupBytes") or DEFAULT_MEMORY),
        generation=int(args.get("Generation") or 1),
        folder=args.get("Path"),
        version=str(args.get("Version") or host.windows.default_vm_version),
        switch=args.get("SwitchName"),
        disk=args.get("VHDPath"),
    )
    yield vm_object(host, vm)


@hyperv("New-VHD")
async def new_vhd(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    if "ParentPath" not in args:
        raise NotSimulated("New-VHD without -ParentPath")
    _refuse(ctx, args, "SizeBytes", "BlockSizeBytes", "PhysicalSectorSizeBytes")
    host: Host = ctx.host
    for path in as_list(args["Path"]):
        if not proceed(ctx, str(path)):
            continue
        try:
            creation.new_differencing_disk(host, str(path), str(args["ParentPath"]))
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        yield virtual_disk(host, host.volumes.true_name(str(path)))


@hyperv("Set-VMFirmware")
async def set_vm_firmware(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    _refuse(ctx, args, "BootOrder", "FirstBootDevice", "SecureBootTemplateId", "PreferredNetworkBootProtocol")
    _refuse(ctx, args, "ConsoleMode", "PauseAfterBootFailure")
    host: Host = ctx.host

    def change(vm: VirtualMachine) -> None:
        if "EnableSecureBoot" in args:
            vm.secure_boot = str(args["EnableSecureBoot"]) == "On"
        if "SecureBootTemplate" in args:
            vm.secure_boot_template = str(args["SecureBootTemplate"])

    known = str(args.get("SecureBootTemplate") or "MicrosoftWindows") in device_shapes.SECURE_BOOT_TEMPLATES
    given = [live(one, VirtualMachine) for one in as_list(args.get("VMFirmware"))]
    for vm in [*given, *chosen(ctx, args, "VMName")]:
        try:
            if vm.generation == 1 or not known:
                text = host.say("invalid_parameter")
                raise Failure(text, identifier="InvalidParameter", category="InvalidArgument", target=vm.name)
            _change(ctx, vm, change)
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        if args.switch("Passthru"):
            yield device_shapes.firmware(host, vm)


@hyperv("Set-VMKeyProtector")
async def set_vm_key_protector(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    _refuse(ctx, args, "KeyProtector", "RestoreLastKnownGoodKeyProtector", "Passthru")
    host: Host = ctx.host
    for vm in list(chosen(ctx, args, "VMName")):
        try:
            _check_security(host, vm)
            _change(ctx, vm, lambda one: setattr(one, "guardian", host.dns_name))
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
    return
    yield


@hyperv("Enable-VMTPM")
async def enable_vm_tpm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    """Without a key protector there is nothing to protect the TPM's state with."""
    _refuse(ctx, args, "Passthru")
    host: Host = ctx.host
    for vm in list(chosen(ctx, args, "VMName")):
        try:
            _check_security(host, vm)
            if vm.guardian is None:
                raise Failure(host.say("modify_failed", vm=vm.name), host.say("invalid_parameter"))
            _change(ctx, vm, lambda one: setattr(one, "tpm", True))
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
    return
    yield


def _check_security(host: Host, vm: VirtualMachine) -> None:
    if vm.generation == 1:
        text = host.say("invalid_parameter")
        raise Failure(text, identifier="InvalidParameter", category="InvalidArgument", target=vm.name)


def _change(ctx: Context, vm: VirtualMachine, change: Callable[[VirtualMachine], None]) -> None:
    if proceed(ctx, vm.name):
        lifecycle.change_vm(ctx.host, vm, change, offline=True)
