# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold before a VM may start on its way to another host, in the order in which a host finds out."""

from __future__ import annotations

from dataclasses import dataclass

from .. import jobs, troubles
from ..directory import Caller, refusal
from ..failures import E_ACCESS_DENIED, E_HOST_NOT_FOUND, E_REFUSED, E_TIMED_OUT, Failure
from ..host import Host
from ..vm import VirtualMachine


@dataclass(frozen=True)
class Road:
    """From where to where, which VM, in whose name."""

    source: Host
    target: Host
    vm: VirtualMachine
    caller: Caller
    with_storage: bool


def at_source(host: Host, vm: VirtualMachine, *lines: str, hresult: int | None = None) -> Failure:
    head = host.say("move_failed_source", vm=vm.name, host=host.computer_name, id=vm.file_id)
    return Failure(head, *lines, category=host.rules.move_error_category, hresult=hresult)


def at_destination(host: Host, vm: VirtualMachine, *lines: str, hresult: int | None = None) -> Failure:
    head = host.say("move_failed_destination", vm=vm.name, host=host.computer_name, id=vm.file_id)
    return Failure(head, *lines, category=host.rules.move_error_category, hresult=hresult)


async def find_target(source: Host, vm: VirtualMachine, name: str) -> Host:
    """The destination by the name that the caller gave, as the source's name resolution and network see it."""
    if not source.settings.migration_enabled:
        raise Failure(source.say("move_disabled_source"), category="InvalidOperation")
    target = source.fabric.resolve(name)
    if target is None:
        raise no_connection(source, vm, name, E_HOST_NOT_FOUND)
    if target is source:
        raise at_source(source, vm, source.say("move_same_host", vm=vm.name, host=source.computer_name))
    if not target.up:
        await source.clock.sleep(source.rules.connect_timeout)
        raise no_connection(source, vm, name, E_TIMED_OUT)
    if not (target.service_running and target.listening):
        raise no_connection(source, vm, name, E_REFUSED)
    return target


def no_connection(source: Host, vm: VirtualMachine, name: str, hresult: int) -> Failure:
    why = source.say_code(hresult)
    return at_source(source, vm, source.say("move_connect", host=name, why=why), hresult=hresult)


def check_access(road: Road) -> None:
    """Credentials for the second hop, rights at the other end, and that the other end takes migrations at all."""
    source, target, vm = road.source, road.target, road.vm
    check_troubles(road, troubles.CONNECT)
    if (code := refusal(source, target, road.caller, with_storage=road.with_storage)) is not None:
        raise _not_let_in(road, code, source.say("move_authenticate"))
    if not source.fabric.directory.may_manage_at(road.caller, target.name, source.rules):
        raise _not_let_in(road, E_ACCESS_DENIED)
    if not target.settings.migration_enabled:
        raise Failure(source.say("move_disabled_destination"), category="InvalidOperation")
    for host in (source, target):
        if not (host.settings.any_network or host.settings.networks):
            raise at_source(source, vm, source.say("move_no_network", vm=vm.name, host=target.computer_name))


def check_troubles(road: Road, stage: str) -> None:
    """What somebody has ordered to be wrong with one of the two hosts. A connection that fails is the source's news."""
    found = troubles.meet(road.source, road.vm.name, stage, at_source=True, other=road.target.computer_name)
    if found is not None:
        raise at_source(road.source, road.vm, *found.lines, hresult=found.hresult)
    found = troubles.meet(road.target, road.vm.name, stage, at_source=False)
    if found is not None:
        side, host = (at_source, road.source) if stage == troubles.CONNECT else (at_destination, road.target)
        raise side(host, road.vm, *found.lines, hresult=found.hresult)


def _not_let_in(road: Road, code: int, *more: str) -> Failure:
    source = road.source
    wrong = source.say("move_connect", host=road.target.computer_name, why=source.say_code(code))
    return at_source(source, road.vm, wrong, *more, hresult=code)


def check_limits(road: Road) -> None:
    """Both hosts' limits; whoever comes too late is refused, nobody waits."""
    for host, fail in ((road.source, at_source), (road.target, at_destination)):
        running = host.jobs.running(jobs.MIGRATION)
        limit = host.settings.maximum_migrations
        if len(running) >= limit:
            raise fail(host, road.vm, host.say("move_limit", vm=road.vm.name, limit=limit))
        storage = sum(job.with_storage for job in running)
        if host.rules.exports_count_as_storage_migrations:
            storage += len(host.jobs.running(jobs.EXPORT))
        limit = host.settings.maximum_storage_migrations
        if road.with_storage and host.rules.storage_counts_as_migration and storage >= limit:
            raise fail(host, road.vm, host.say("move_storage_limit", vm=road.vm.name, limit=limit))


def check_id(road: Road) -> None:
    target, vm_id = road.target, road.vm.id
    check_troubles(road, troubles.PLANNED)
    if vm_id in target.vms or (target.rules.planned_vm_blocks_id and vm_id in target.planned):
        raise at_destination(target, road.vm, target.say("move_planned", why=target.say("same_id")))
    if not target.rules.names_may_repeat and any(vm.name == road.vm.name for vm in target.vms.values()):
        raise at_destination(target, road.vm, target.say("move_planned", why=target.say("invalid_parameter")))
