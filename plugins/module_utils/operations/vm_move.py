# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Moves a VM with its storage to another host, or waits for the move that is running."""

from __future__ import annotations

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Conflict, InvalidInput, NotFound, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import find
from ansible_collections.fanout.hyperv.plugins.module_utils._moving import Mover, is_moving, shows_moving
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import check_folder
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import planned_remedy
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Change, Decision, Operation, Same, Values, Work

ROOM_BELOW_DESTINATION = len("\\Virtual Machines\\") + 41


def decide(work: Work) -> Decision:
    """Nothing when the VM is at its destination; adopt the move that runs; else move it."""
    params, source = work.params, work.host
    folder = check_folder(params["destination_path"], room=ROOM_BELOW_DESTINATION)
    destination = work.other("destination") if work.has("destination") else None
    vm = find(source, params)
    if vm is None:
        return _gone(work, destination)
    if destination is not None:
        refuse_same_computer(source, destination)
    moving = shows_moving(vm) or is_moving(vm, source.jobs(), source.vms())
    if not moving:
        check_movable(vm)
        refuse_planned(vm, destination)
    values = {
        "vm": {"id": vm.id, "name": vm.name},
        "destination_host": params["destination_host"],
        "adopted": moving,
    }
    step = (
        "wait for the move that is running" if moving else f"move {vm.name} to {folder} on {params['destination_host']}"
    )
    return Change(
        reason="It is being moved already." if moving else f"{vm.name} is on {work.provider}.",
        before={"host": work.provider, "path": vm.path},
        after={"host": params["destination_host"], "path": folder},
        plan=(step,),
        values=values,
        apply=lambda: _apply(work, vm, folder, destination),
    )


def _gone(work: Work, destination: Host | None) -> Decision:
    """The VM is not on the source: it may have arrived before."""
    params = work.params
    there = None if destination is None else find(destination, params)
    if there is not None:
        values = {"vm": {"id": there.id, "name": there.name}, "destination_host": params["destination_host"]}
        return Same(values=values | {"adopted": False}, reason="The VM is at its destination.")
    wanted = params["id"] or repr(params["name"])
    where = "and not on its destination either" if destination is not None else "any more, or never was"
    raise NotFound(
        f"The VM {wanted} is not on {work.provider} {where}.",
        code="VM_NOT_FOUND",
        remedy="Check id and name"
        + (
            " with fanout.hyperv.vm_info." if destination else "; with 'destination' the destination is looked at, too."
        ),
    )


def refuse_same_computer(source: Host, destination: Host) -> None:
    """Two inventory names may mean one computer."""
    if source.computer().identity == destination.computer().identity:
        raise InvalidInput(
            f"{source.label} and {destination.label} are the same computer.",
            code="SAME_COMPUTER",
            remedy="Name another destination.",
        )


def refuse_planned(vm: VM, destination: Host | None) -> None:
    """What a broken move has left at the destination has this VM's id, and no second one can have it."""
    if destination is not None and any(planned.id == vm.id for planned in destination.planned_vms()):
        raise Conflict(
            f"A move of {vm.name} that broke off has left a planned VM ({vm.id}) on {destination.label}.",
            code="PLANNED_VM_LEFT",
            cause="The host takes no VM with this id while it has that one.",
            remedy=f"{planned_remedy(destination.label)}; then run again.",
        )


def check_movable(vm: VM) -> None:
    """What keeps a move from starting, where the host would only say that the VM is not in a valid state."""
    if vm.busy:
        raise Refused(
            f"{vm.name} is busy: {', '.join(vm.statuses)}.",
            code="VM_BUSY",
            remedy="Wait until the operation that holds it has ended, then run again.",
            transient=True,
        )


def _apply(work: Work, vm: VM, folder: str, destination: Host | None) -> Values:
    params = work.params
    disks = work.host.disks([drive.path for drive in work.host.drives(vm.id) if drive.is_file])
    mover = Mover(
        source=work.host,
        control=work.control(),
        destination=destination,
        vm=vm,
        destination_host=params["destination_host"],
        folder=folder,
        reporter=work.reporter,
        timeout=params["timeout"],
        wait_for_room=params["limit_timeout"],
        bytes_total=sum(disk.file_size for disk in disks),
    )
    if destination is not None:
        # Whether the host makes a folder that is missing is not documented.
        destination.files.ensure_folder(folder)
    return {"adopted": mover.carry_out() == "adopted"}


OPERATION = Operation(
    name="vm_move",
    argument_spec={
        "name": {"type": "str"},
        "id": {"type": "str"},
        "destination_host": {"type": "str", "required": True},
        "destination_path": {"type": "str", "required": True},
        "destination": {"type": "str"},
        "timeout": {"type": "float", "default": 86400.0},
        "limit_timeout": {"type": "float", "default": 3600.0},
    },
    mutually_exclusive=[("name", "id")],
    required_one_of=[("name", "id")],
    decide=decide,
    hosts=("destination",),
)
