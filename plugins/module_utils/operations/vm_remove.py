# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Removes a copy or a guest of ours, with the files that it has in its own folder."""

from __future__ import annotations

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._copies import attempt_folder
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import shown, vm_id
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import FILE_FORMATS, VM
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import inside
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import REMOVABLE_STATES, Remover, dependents
from ansible_collections.fanout.hyperv.plugins.module_utils._retiring import guest_folder
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Change, Decision, Operation, Same, Values, Work


def decide(work: Work) -> Decision:
    """Nothing when no VM has the id; refused when the VM is not ours."""
    host = work.host
    vm = host.vm(vm_id(work.params["id"]))
    if vm is None:
        return Same(reason="There is no VM with this id.")
    stamp = our_stamp(vm)
    check_state(vm)
    folder = attempt_folder(vm, stamp.template_id) or guest_folder(vm, stamp.template_id)
    disks = [drive.path for drive in host.drives(vm.id) if drive.is_file]
    gone = [path for path in disks if folder is not None and inside(path, folder)]
    kept = [path for path in disks if path not in gone]
    refuse_dependents(host, vm, [*gone, *_disk_files(host, folder)])

    def apply() -> Values:
        work.reporter.phase("removing")
        if folder is None:
            host.remove_vm(vm.id)
            return {"left": []}
        left = Remover(host=host, check=work.reporter.check).remove_vm(vm, folder)
        return {"left": list(left)}

    return Change(
        reason=f"{vm.name} is a {stamp.kind} of {stamp.template_name}.",
        before={"id": vm.id, "name": vm.name, "stamp": shown(stamp), "files": gone},
        after={},
        plan=(f"remove {vm.name} ({vm.id})", *(f"delete {path}" for path in gone)),
        values={"vm": {"id": vm.id, "name": vm.name}, "files": gone, "kept_files": kept},
        apply=apply,
    )


def our_stamp(vm: VM) -> _stamp.Stamp:
    """The stamp of a copy or guest; anything else is not ours to remove."""
    stamp = _stamp.parse(vm.notes, vm.id)
    if stamp is not None and stamp.kind in ("copy", "guest"):
        return stamp
    if stamp is not None:
        raise Refused(
            f"{vm.name} ({vm.id}) is a template; it was not touched.",
            code="IS_A_TEMPLATE",
            remedy="Take it back first (fanout.hyperv.template with state: absent), then remove the VM by other means.",
        )
    foreign = _stamp.foreign(vm.notes, vm.id)
    cause = None if foreign is None else f"It was cloned from {foreign.vm_id}: the stamp in its notes is about that VM."
    raise Refused(
        f"{vm.name} ({vm.id}) is not a VM of this collection; it was not touched.",
        code="NOT_OURS",
        cause=cause,
        remedy="Remove it by other means, if it is really to go.",
    )


def check_state(vm: VM) -> None:
    """A VM that runs is in use by somebody."""
    if vm.state not in REMOVABLE_STATES:
        raise Refused(
            f"{vm.name} ({vm.id}) is {vm.state}; only a VM that is Off can be removed.",
            code="VM_NOT_OFF",
            remedy="Shut it down, then run again.",
        )


def refuse_dependents(host: Host, vm: VM, paths: list[str]) -> None:
    """Other VMs may have disks in the folder, or disks whose parent is one of these."""
    others = dependents(host, vm.id, paths) if paths else ()
    if others:
        raise Refused(
            f"Disks of {vm.name} are needed by the VMs {', '.join(others)}; nothing was touched.",
            code="DISK_IN_USE",
            remedy="Remove those VMs first, or give them disks of their own.",
        )


def _disk_files(host: Host, folder: str | None) -> list[str]:
    if folder is None:
        return []
    entries = host.files.tree(folder)
    return [entry.path for entry in entries if not entry.is_folder and entry.path.lower().endswith(FILE_FORMATS)]


OPERATION = Operation(
    name="vm_remove",
    argument_spec={"id": {"type": "str", "required": True}},
    decide=decide,
)
