# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cmdlets of the Hyper-V module have in common: rights, names, errors, and work that outlives its command."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeVar

from ..engine.errors import LabBug, NotSimulated, PSError, hyperv_error
from ..engine.registry import Bound, Context, cmdlet
from ..engine.wildcards import has_wildcards, matches
from ..model.directory import may_manage
from ..model.failures import Failure
from ..model.host import Host
from ..model.operations.common import missing
from ..model.vm import VirtualMachine

Implementation = Callable[[Context, Bound], AsyncIterator[Any]]
T = TypeVar("T")
# Parameters that real cmdlets have and the lab does not act on: using one must not look as if it had worked.
UNSUPPORTED = (
    "AsJob",
    "CimSession",
    "Credential",
    "DestinationCimSession",
    "DestinationCredential",
    "ResourcePoolName",
)
LOCAL_NAMES = (".", "localhost")


def hyperv(*names: str) -> Callable[[Implementation], Implementation]:
    """Register a cmdlet of the Hyper-V module: who may not manage the host is refused, failures become records."""

    def register(function: Implementation) -> Implementation:
        @functools.wraps(function)
        async def run(ctx: Context, args: Bound) -> AsyncIterator[Any]:
            _refuse_unsupported(ctx, args)
            try:
                check_service(ctx)
                async for item in function(ctx, args):
                    yield item
            except Failure as failure:
                ctx.write_error(record(ctx, failure))

        cmdlet(*names)(run)
        return run

    return register


def check_service(ctx: Context) -> None:
    """The virtualization service answers only those whom it knows, and only while it runs."""
    host: Host = ctx.host
    if not may_manage(ctx.session.caller):
        raise Failure(
            host.say("no_permission", host=host.computer_name), identifier="AccessDenied", category="PermissionDenied"
        )
    if not host.service_running:
        raise Failure(
            host.say("no_service", host=host.computer_name), identifier="ObjectNotFound", category="ObjectNotFound"
        )


def _refuse_unsupported(ctx: Context, args: Bound) -> None:
    for name in UNSUPPORTED:
        if name in args:
            raise NotSimulated(f"{ctx.command} -{name}")
    host: Host = ctx.host
    own = (*LOCAL_NAMES, host.name.lower(), host.computer_name.lower(), host.dns_name.lower())
    for name in as_list(args.get("ComputerName")):
        if str(name).lower() not in own:
            raise NotSimulated(f"{ctx.command} -ComputerName {name}")


def record(ctx: Context, failure: Failure) -> PSError:
    """The error record of a failure; raised instead where the lab's rules say that errors end their pipeline."""
    error = hyperv_error(ctx, failure.message, failure.identifier, failure.category, failure.target)
    if failure.hresult is not None:
        error.hresult = failure.hresult - 2**32 if failure.hresult >= 2**31 else failure.hresult
    host: Host = ctx.host
    if host.rules.errors_end_pipeline:
        error.activity = ctx.command
        raise error
    return error


def as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def live(value: Any, kind: type[T]) -> T:
    """The model's object behind an argument; the binder lets nothing else through."""
    found = getattr(value, "live", None)
    if not isinstance(found, kind):
        raise LabBug(f"{value!r} is no live {kind.__name__}")
    return found


def proceed(ctx: Context, target: str) -> bool:
    """Whether the command may go on with this object: -WhatIf says no."""
    return ctx.should_process(target)


# ---- which virtual machines are meant


def find_by_name(ctx: Context, name: str, *, wildcards: bool, own_error: bool = False) -> list[VirtualMachine]:
    """VMs by name, any case. A pattern that matches nothing may be no error; ``own_error``: Get-VM has its own kind."""
    host: Host = ctx.host
    if not wildcards:
        found = [vm for vm in host.sorted_vms() if vm.name.lower() == name.lower()]
    else:
        found = [vm for vm in host.sorted_vms() if matches(name, vm.name)]
        if has_wildcards(name) and not host.rules.unmatched_pattern_is_error:
            return found
    if not found:
        kind = ("InvalidParameter", "InvalidArgument") if own_error else ("ObjectNotFound", "ObjectNotFound")
        target = name if own_error else None
        raise Failure(host.say("not_found_name", name=name), identifier=kind[0], category=kind[1], target=target)
    return found


def chosen(ctx: Context, args: Bound, names: str = "Name") -> Iterator[VirtualMachine]:
    """The VMs that -VM or -Name/-VMName mean; what is not found is reported and left out."""
    host: Host = ctx.host
    for given in as_list(args.get("VM")):
        vm = live(given, VirtualMachine)
        if host.vms.get(vm.id) is vm:
            yield vm
        else:
            ctx.write_error(record(ctx, missing(host, vm)))
    for name in as_list(args.get(names)):
        try:
            yield from find_by_name(ctx, str(name), wildcards=host.rules.wildcards_everywhere)
        except Failure as failure:
            ctx.write_error(record(ctx, failure))


def each(ctx: Context, vms: Iterable[VirtualMachine], act: Callable[[VirtualMachine], T]) -> Iterator[T]:
    """What ``act`` gives for each VM; one that fails does not stop the others."""
    for vm in list(vms):
        try:
            yield act(vm)
        except Failure as failure:
            ctx.write_error(record(ctx, failure))


# ---- work that goes on when nobody waits for it any more


async def follow(ctx: Context, activity: str, start: Callable[[Callable[[int], None]], Coroutine[Any, Any, T]]) -> T:
    """Run work of the virtualization service and show its progress as long as somebody looks.

    A stopped pipeline cancels it or does not, and so does a lost shell: the lab's rules decide.
    """
    host: Host = ctx.host
    shown = {"on": True}

    def tell(percent: int) -> None:
        if shown["on"]:
            ctx.progress(activity, percent, f"{percent}%")

    task = host.start(start(tell))
    ctx.progress(activity, 0, "0%")
    try:
        result = await asyncio.shield(task)
    except asyncio.CancelledError as stopped:
        shown["on"] = False
        if not task.done() and _cancels(host, stopped):
            task.cancel()
        raise
    except Failure:
        ctx.progress(activity, 100, " ", completed=True)
        raise
    ctx.progress(activity, 100, "100%", completed=True)
    return result


def _cancels(host: Host, stopped: asyncio.CancelledError) -> bool:
    """Why the pipeline ends stands in the cancellation's message; a stop says nothing."""
    lost = any(re.search("shell", str(one), re.IGNORECASE) for one in stopped.args)
    return host.rules.lost_shell_cancels_work if lost else host.rules.stop_cancels_work
