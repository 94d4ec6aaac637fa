# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The survey of one provider: what it is, what it allows, what of ours is on it."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._copies import look
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import NO_ANSWER, HyperVError, InvalidInput
from ansible_collections.fanout.hyperv.plugins.module_utils._guests import copy_name, guests_among, summary
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import is_clone, shown, shown_vm, vm_id
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Survey
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import check_folder
from ansible_collections.fanout.hyperv.plugins.module_utils._retiring import users_of
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation, Values, Work


def gather(work: Work) -> Values:
    """The survey; with ``tolerate_unreachable`` a provider without an answer is a result, not a failure."""
    params = work.params
    wanted = wanted_templates(params)
    path = check_folder(params["target_path"]) if params["target_path"] else None
    try:
        return survey(work.host, wanted, path, params)
    except NO_ANSWER as error:
        if not params["tolerate_unreachable"]:
            raise
        return silent(error, path)


def silent(error: HyperVError, path: str | None = None) -> Values:
    """The survey of a host that gives no answer."""
    return {"reachable": False, "error": error.to_dict(), "host": None, "target_path": path, "copy": None}


def wanted_templates(params: Values) -> list[Values]:
    """The templates that are asked about: id, name and revision of each."""
    given = [dict(one) for one in params["templates"]]
    if params["template_id"]:
        keys = {"id": "template_id", "name": "template_name", "revision": "revision"}
        given = [{key: params[option] for key, option in keys.items()}]
    unclear = [one for one in given if not one.get("id") or not one.get("name")]
    if unclear:
        raise InvalidInput(f"A template of the option 'templates' lacks id or name: {unclear[0]}.")
    return [{**one, "id": vm_id(str(one["id"]), "template_id")} for one in given]


def survey(host: Host, templates: list[Values], path: str | None, params: Values) -> Values:
    """Ask the host everything that preflight and plan look at."""
    seen = host.survey()
    found = described(host, seen, path)
    path = str(found["target_path"])
    users = params["users"]
    copies = {one["id"]: _held(host, one, path, seen.vms, users=users or bool(one.get("users"))) for one in templates}
    first = copies[templates[0]["id"]] if templates else None
    return {**found, "copy": first, "copies": copies}


def described(host: Host, seen: Survey, path: str | None = None) -> Values:
    """What was seen of a host, without any template."""
    settings, machine, vms = seen.settings, seen.machine, seen.vms
    computer = machine.computer
    path = path or settings.virtual_machine_path.rstrip("\\")
    facts = {
        "computer": shown(computer),
        "identity": computer.identity,
        "fqdn": computer.fqdn,
        "auth": host.auth,
        "endpoint": host.endpoint,
        "subtype": "cluster_node" if computer.clustered else "standalone",
        "settings": shown(settings),
        "volumes": shown(machine.volumes),
        "switches": shown(seen.switches),
        "migration_networks": [] if settings.any_network else list(seen.migration_networks),
        "vms": [shown_vm(vm) for vm in vms if _carries_a_stamp(vm)],
        "jobs": [shown(job) for job in machine.jobs if job.running],
        "planned_vms": shown(machine.planned_vms),
    }
    return {"reachable": True, "error": None, "host": facts, "target_path": path, "copy": None}


def _held(host: Host, template: Values, base: str, vms: Sequence[VM], *, users: bool) -> Values:
    """What the host holds of one template, and its guests; with ``users`` also which VMs need the copies."""
    revision = template.get("revision")
    guests = guests_among(vms, template["id"])
    found = look(
        host,
        base=base,
        template_id=template["id"],
        name=copy_name(str(template["name"]), template["id"], vms),
        revision=revision,
        vms=[vm for vm in vms if not is_clone(vm)],
        keep=template.get("keep"),
    )
    shown_guests = [guest.to_dict(revision) for guest in guests]
    copy = {**found.to_dict(), "guests": {**summary(guests, revision), "items": shown_guests}}
    if users:
        copy["users"] = shown(users_of(host, found, template["id"], vms))
    return copy


def _carries_a_stamp(vm: VM) -> bool:
    return _stamp.parse(vm.notes, vm.id) is not None or _stamp.foreign(vm.notes, vm.id) is not None


OPERATION = Operation(
    name="host_info",
    argument_spec={
        "template_id": {"type": "str"},
        "template_name": {"type": "str"},
        "revision": {"type": "str"},
        "templates": {"type": "list", "elements": "dict", "default": []},
        "target_path": {"type": "str"},
        "users": {"type": "bool", "default": False},
        "tolerate_unreachable": {"type": "bool", "default": False},
    },
    required_by={"revision": ["template_id"], "template_name": ["template_id"]},
    required_together=[("template_id", "template_name")],
    mutually_exclusive=[("template_id", "templates")],
    gather=gather,
)
