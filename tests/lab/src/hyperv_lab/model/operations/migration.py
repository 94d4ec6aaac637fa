# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move-VM: a virtual machine with its storage to another host."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .. import chains, jobs, register, troubles
from ..directory import Caller
from ..host import Host
from ..storage import (
    Copier,
    Copy,
    CopyError,
    HostLost,
    Work,
    copy_failure,
    ensure_folder,
    is_absolute,
    join,
    parent,
    real_path,
    remove_quietly,
    require_folder,
)
from ..vhdx_layout import shuffle
from ..vm import MIGRATING, MIGRATING_PLANNED, OFF, RUNNING, VirtualMachine
from .common import job_of, occupied
from .compatibility import Report, of_move, wrappers
from .preconditions import (
    Road,
    at_destination,
    at_source,
    check_access,
    check_id,
    check_limits,
    check_troubles,
    find_target,
)

LEFT_BEHIND = (
    "Virtual Machines",
    "Virtual Hard Disks",
    "Snapshots",
    "Planned Virtual Machines",
    "UndoLog Configuration",
)
E_CONNECTION_RESET = 0x80072746


@dataclass(frozen=True)
class MoveRequest:
    """Where to. ``storage_path``: everything below one folder; else each part by itself, or the target's defaults."""

    destination: str
    include_storage: bool = False
    storage_path: str | None = None
    vm_path: str | None = None
    snapshot_path: str | None = None
    paging_path: str | None = None
    vhds: tuple[tuple[str, str], ...] = ()
    remove_parents: bool = False  # of differencing disks, at the source; else they stay there

    @property
    def with_storage(self) -> bool:
        return self.include_storage or bool(self.vhds)


@dataclass
class _Move:
    road: Road
    request: MoveRequest
    arriving: VirtualMachine
    copies: dict[str, Copy]
    copier: Copier
    named: list[str]


async def compare_move(source: Host, vm: VirtualMachine, request: MoveRequest, caller: Caller) -> Report:
    """What would stand in the way; what prevents even asking the other host is an error."""
    target = await find_target(source, vm, request.destination)
    road = Road(source, target, vm, caller, request.with_storage)
    check_access(road)
    found = of_move(target, vm)
    if found:
        found += wrappers(source, target, vm)
    return Report(
        vm,
        "MoveVirtualMachineAndStorage" if request.with_storage else "MoveVirtualMachine",
        request.destination,
        path=request.storage_path or request.vm_path or target.settings.virtual_machine_path,
        snapshot_path=request.storage_path or request.snapshot_path or target.settings.virtual_machine_path,
        vhd_destination=request.storage_path or target.settings.virtual_hard_disk_path,
        incompatibilities=found,
        request=request,
    )


async def move_vm(
    source: Host,
    vm: VirtualMachine,
    request: MoveRequest,
    caller: Caller,
    *,
    tell: Callable[[int], None] | None = None,
) -> VirtualMachine:
    """The VM at its new host. On failure it stays where it was, as it was."""
    with occupied(source, vm, MIGRATING, _head(source, vm)):
        target = await find_target(source, vm, request.destination)
        road = Road(source, target, vm, caller, request.with_storage)
        check_access(road)
        check_limits(road)
        with _counted(road, request) as job:
            return await _migrate(road, request, Work(job, tell))


def _head(source: Host, vm: VirtualMachine) -> str:
    return source.say("move_failed_source", vm=vm.name, host=source.computer_name, id=vm.file_id)


@contextlib.contextmanager
def _counted(road: Road, request: MoveRequest) -> Iterator[jobs.Job]:
    """The migration stands in both hosts' books; the source's is the one that people can see."""
    source, target, vm = road.source, road.target, road.vm
    job = source.jobs.begin(
        jobs.MIGRATION, vm.id, vm.name, destination=request.destination, with_storage=road.with_storage
    )
    twin = target.jobs.begin(
        jobs.MIGRATION,
        vm.id,
        vm.name,
        destination=request.destination,
        with_storage=road.with_storage,
        incoming=True,
    )
    with job_of(target, twin), job_of(source, job):
        yield job


async def _migrate(road: Road, request: MoveRequest, work: Work) -> VirtualMachine:
    target, vm = road.target, road.vm
    check_id(road)
    found = of_move(target, vm)
    if found:
        wrong = target.say("not_compatible", vm=vm.name, host=target.computer_name)
        raise at_destination(target, vm, wrong, *(one.message for one in found))
    move = _plan(road, request, work)
    move.arriving.activity = MIGRATING_PLANNED
    target.planned[vm.id] = move.arriving
    try:
        await _copy(move)
    except BaseException:
        _after_failure(move)
        raise
    _arrive(move)
    _leave(move)
    return move.arriving


def _plan(road: Road, request: MoveRequest, work: Work) -> _Move:
    """Where everything goes; refused when the storage stays and nobody else can reach it."""
    source, target, vm = road.source, road.target, road.vm
    arriving = vm.twin()
    settings = target.settings
    arriving.path = request.storage_path or request.vm_path or settings.virtual_machine_path
    arriving.snapshot_path = request.storage_path or request.snapshot_path or arriving.path
    arriving.paging_path = request.storage_path or request.paging_path or arriving.path
    named = [one for one in (request.storage_path, request.vm_path, request.snapshot_path, request.paging_path) if one]
    if any(not is_absolute(path) for path in named):
        raise at_destination(target, vm, target.say("invalid_parameter"))
    places = {old.lower(): new for old, new in request.vhds}
    folder = request.storage_path or settings.virtual_hard_disk_path
    if request.storage_path and target.rules.move_uses_subfolders:
        folder = join(request.storage_path, "Virtual Hard Disks")
    copies: dict[str, Copy] = {}
    for disk in vm.all_disks():
        for path in chains.chain(source, disk.path):
            place = places.get(path.lower()) or (join(folder, _name(path)) if request.include_storage else None)
            if place is None:
                raise at_source(source, vm, source.say("move_storage_local", vm=vm.name, host=target.computer_name))
            if _name(place).lower() != _name(path).lower():
                raise at_source(source, vm, source.say("invalid_parameter"))
            copies.setdefault(path.lower(), Copy(path, place))
    for disk in [*arriving.disks, *(disk for checkpoint in arriving.checkpoints for disk in checkpoint.disks)]:
        disk.path = copies[disk.path.lower()].target
    return _Move(road, request, arriving, copies, Copier(source, target, work), named)


def _name(path: str) -> str:
    return path.rpartition("\\")[2]


async def _copy(move: _Move) -> None:
    source, target, vm = move.road.source, move.road.target, move.road.vm
    try:
        for folder in move.named:
            require_folder(target, folder, may_create=target.rules.move_creates_folder)
        for _, new in move.request.vhds:
            require_folder(target, parent(new), may_create=target.rules.move_creates_folder)
        for folder in _folders(move):
            ensure_folder(target, folder)
        check_troubles(move.road, troubles.COPY)
        move.copier.plan(move.copies.values())
        for copy in move.copies.values():
            await move.copier.copy(copy)
    except CopyError as error:
        side = at_source if error.source != error.target and not source.volumes.exists(error.source) else at_destination
        host = source if side is at_source else target
        failure = copy_failure(host, error)
        raise side(host, vm, *failure.lines, hresult=error.hresult) from error
    except HostLost as error:
        raise at_source(source, vm, source.say_code(E_CONNECTION_RESET), hresult=E_CONNECTION_RESET) from error


def _folders(move: _Move) -> list[str]:
    arriving = move.arriving
    folders = [arriving.configuration_folder, arriving.checkpoint_folder]
    folders += [parent(copy.target) for copy in move.copies.values()]
    if move.road.target.rules.move_leaves_empty_folders:
        folders.append(join(arriving.path, "Planned Virtual Machines"))
    return folders


def _after_failure(move: _Move) -> None:
    """What a broken migration leaves at its destination."""
    target = move.road.target
    if not target.rules.move_failure_leaves_files:
        move.copier.undo()
    if target.rules.move_failure_leaves_planned_vm:
        move.arriving.activity = None
        move.arriving.state = OFF
    else:
        target.planned.pop(move.arriving.id, None)


def _arrive(move: _Move) -> None:
    target, arriving = move.road.target, move.arriving
    arriving.activity = None
    if arriving.state == RUNNING:
        arriving.started_at = target.clock.now()  # the uptime starts again
    if target.rules.move_rewrites_disk_layout:
        for copy in move.copies.values():
            shuffle(real_path(target, copy.target))
    try:
        register.register(target, arriving)
    except CopyError as error:
        _after_failure(move)
        target.vms.pop(arriving.id, None)
        failure = copy_failure(target, error)
        raise at_destination(target, arriving, *failure.lines, hresult=error.hresult) from error
    target.hold(move.copier.made, target.rules.disks_stay_locked)


def _leave(move: _Move) -> None:
    """The source forgets the VM; its files go, its folders stay, empty."""
    source, vm = move.road.source, move.road.vm
    register.unregister(source, vm)
    own = {disk.path.lower() for disk in vm.all_disks()}
    for key, copy in move.copies.items():
        gone = key in own or move.request.remove_parents
        if gone and not _needed_by_others(source, copy.source):
            remove_quietly(source, copy.source)
    if source.rules.move_leaves_empty_folders:
        with contextlib.suppress(CopyError):
            for name in LEFT_BEHIND:
                ensure_folder(source, join(vm.path, name))


def _needed_by_others(host: Host, path: str) -> bool:
    """Whether a VM's disk is this file, or stands on it."""
    disks = [disk for vm in host.vms.values() for disk in vm.all_disks() if disk.disk_number is None]
    return any(path.lower() == one.lower() for disk in disks for one in chains.chain(host, disk.path))
