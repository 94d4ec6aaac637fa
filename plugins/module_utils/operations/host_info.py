# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The survey of one provider: what it is, what it allows, what of ours is on it."""

from __future__ import annotations

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._copies import look
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    AuthenticationFailed,
    HostUnreachable,
    OperationTimedOut,
    OutcomeUnknown,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import shown, shown_vm, vm_id
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import check_folder
from ansible_collections.fanout.hyperv.plugins.module_utils._retiring import users_of
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation, Values, Work

NO_ANSWER = (HostUnreachable, AuthenticationFailed, OutcomeUnknown, OperationTimedOut)
"""What a provider that cannot be used now is told by; anything else is a mistake of ours or of the task."""


def gather(work: Work) -> Values:
    """The survey; with ``tolerate_unreachable`` a provider without an answer is a result, not a failure."""
    params = work.params
    wanted = vm_id(params["template_id"], "template_id") if params["template_id"] else None
    path = check_folder(params["target_path"]) if params["target_path"] else None
    try:
        return survey(work.host, wanted, path, params)
    except NO_ANSWER as error:
        if not params["tolerate_unreachable"]:
            raise
        return {"reachable": False, "error": error.to_dict(), "host": None, "target_path": path, "copy": None}


def survey(host: Host, template_id: str | None, path: str | None, params: Values) -> Values:
    """Ask the host everything that preflight and plan look at."""
    settings = host.settings()
    machine = host.overview()
    computer = machine.computer
    vms = host.vms()
    path = path or settings.virtual_machine_path.rstrip("\\")
    facts = {
        "computer": shown(computer),
        "identity": computer.identity,
        "fqdn": computer.fqdn,
        "subtype": "cluster_node" if computer.clustered else "standalone",
        "settings": shown(settings),
        "volumes": shown(machine.volumes),
        "switches": shown(host.switches()),
        "migration_networks": [] if settings.any_network else list(host.migration_networks()),
        "vms": [shown_vm(vm) for vm in vms if _carries_a_stamp(vm)],
        "jobs": [shown(job) for job in machine.jobs if job.running],
        "planned_vms": shown(machine.planned_vms),
    }
    copy = None
    if template_id is not None:
        name, revision = params["template_name"], params["revision"]
        found = look(host, base=path, template_id=template_id, name=name, revision=revision, vms=vms)
        copy = found.to_dict()
        if params["users"]:
            copy["users"] = shown(users_of(host, found, template_id, vms))
    return {"reachable": True, "error": None, "host": facts, "target_path": path, "copy": copy}


def _carries_a_stamp(vm: VM) -> bool:
    return _stamp.parse(vm.notes, vm.id) is not None or _stamp.foreign(vm.notes, vm.id) is not None


OPERATION = Operation(
    name="host_info",
    argument_spec={
        "template_id": {"type": "str"},
        "template_name": {"type": "str"},
        "revision": {"type": "str"},
        "target_path": {"type": "str"},
        "users": {"type": "bool", "default": False},
        "tolerate_unreachable": {"type": "bool", "default": False},
    },
    required_by={"revision": ["template_id"], "template_name": ["template_id"]},
    required_together=[("template_id", "template_name")],
    gather=gather,
)
