# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Lists VMs of a host."""

from __future__ import annotations

from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import selected, shown, shown_vm
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation, Values, Work


def gather(work: Work) -> Values:
    """The VMs that were asked for; with their definition when that is wanted, too."""
    vms = []
    for vm in selected(work.host, work.params):
        entry = shown_vm(vm)
        if work.params["definition"]:
            definition = shown(work.host.definition(vm.id))
            definition.pop("vm")
            entry["definition"] = definition
        vms.append(entry)
    return {"vms": vms}


OPERATION = Operation(
    name="vm_info",
    argument_spec={
        "name": {"type": "str"},
        "id": {"type": "str"},
        "definition": {"type": "bool", "default": False},
    },
    mutually_exclusive=[("name", "id")],
    gather=gather,
)
