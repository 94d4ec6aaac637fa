# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""From what a task says (an id or a name) to one VM; and from what a host shows to what a result shows.

Names are compared exactly, on our side: to Hyper-V they are wildcard patterns, and they are not unique.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t
from collections.abc import Iterable
from datetime import datetime
from pathlib import PureWindowsPath

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Conflict, InvalidInput, NotFound
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import ROOT, fold

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Values

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
NO_ID = "00000000-0000-0000-0000-000000000000"


def vm_id(text: str, option: str = "id") -> str:
    """The id in the form in which ids are compared; refuses what is none, before a host is asked."""
    plain = text.strip().strip("{}").lower()
    if not _ID.fullmatch(plain) or plain == NO_ID:
        raise InvalidInput(
            f"The option {option!r} is {text!r}, which is not the id of a VM.",
            remedy="Ids look like 0b9d2a5e-3f1c-4a77-9c1d-5e6f7a8b9c0d; fanout.hyperv.vm_info shows them.",
        )
    return plain


def vm_name(text: str, option: str = "name") -> str:
    """A name that a VM can have; an empty one would be the beginning of every mistake."""
    if not text.strip():
        raise InvalidInput(f"The option {option!r} is empty.", remedy="Give the exact name of the VM.")
    return text


def our_place(path: str) -> tuple[str, tuple[str, ...]] | None:
    """The template id and the parts below it when the path lies in a folder of ours, whichever base that has."""
    parts = PureWindowsPath(path).parts
    for index, part in enumerate(parts[:-1]):
        if fold(part) == fold(ROOT) and _ID.fullmatch(parts[index + 1].lower()):
            return parts[index + 1].lower(), parts[index + 2 :]
    return None


def is_clone(vm: VM) -> bool:
    """Whether the VM lies in a clone's folder of ours: it still has the template's name for a moment."""
    place = our_place(vm.configuration_location or vm.path)
    return place is not None and len(place[1]) > 2 and fold(place[1][1]) == fold("clones")


def find(host: Host, params: Values) -> VM | None:
    """The VM that the options ``id`` or ``name`` mean; None when there is none. Never one of several."""
    if params.get("id"):
        return host.vm(vm_id(params["id"]))
    name = vm_name(params["name"])
    found = [vm for vm in host.named(name) if not is_clone(vm)]
    if len(found) > 1:  # one that is just imported has the template's name for a moment
        found = [vm for vm in found if our_place(vm.configuration_location or vm.path) is None] or found
    if len(found) > 1:
        raise Conflict(
            f"There are {len(found)} VMs called {name!r}: {', '.join(vm.id for vm in found)}.",
            code="AMBIGUOUS_NAME",
            remedy="Say which one by its id.",
        )
    return found[0] if found else None


def find_one(host: Host, params: Values) -> VM:
    """The VM that the options mean; an error when there is none."""
    vm = find(host, params)
    if vm is None:
        wanted = f"the id {params['id']}" if params.get("id") else f"the name {params['name']!r}"
        raise NotFound(
            f"There is no VM with {wanted}.",
            code="VM_NOT_FOUND",
            remedy="Names are compared exactly, also in upper and lower case; fanout.hyperv.vm_info lists them.",
        )
    return vm


def selected(host: Host, params: Values) -> list[VM]:
    """The VMs that the options mean, all when they say nothing."""
    if params.get("id"):
        vm = host.vm(vm_id(params["id"]))
        return [] if vm is None else [vm]
    return chosen(host.vms(), params)


def chosen(vms: Iterable[VM], params: Values) -> list[VM]:
    """Those of a host's VMs that the options mean, all when they say nothing."""
    if params.get("id"):
        wanted = vm_id(params["id"])
        return [vm for vm in vms if vm.id == wanted]
    if params.get("name") is not None:
        name = vm_name(params["name"])
        return [vm for vm in vms if vm.name == name]
    return list(vms)


def shown(value: t.Any) -> t.Any:
    """What a result shows of a value of ours: dictionaries, lists, strings, numbers."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: shown(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [shown(item) for item in value]
    return value


def shown_vm(vm: VM) -> Values:
    """A VM with its stamp: ``stamp`` is ours, ``foreign_stamp`` one that came with a clone and does not count."""
    return {
        **shown(vm),
        "stamp": shown(_stamp.parse(vm.notes, vm.id)),
        "foreign_stamp": shown(_stamp.foreign(vm.notes, vm.id)),
    }


def stamped(vms: Iterable[VM], *, kind: str | None = None, template_id: str | None = None) -> list[VM]:
    """The VMs that carry our valid stamp, of that kind and template if given."""
    found = []
    for vm in vms:
        stamp = _stamp.parse(vm.notes, vm.id)
        if stamp is None or kind not in (None, stamp.kind) or template_id not in (None, stamp.template_id):
            continue
        found.append(vm)
    return found


__all__ = (
    "chosen",
    "find",
    "find_one",
    "is_clone",
    "our_place",
    "selected",
    "shown",
    "shown_vm",
    "stamped",
    "vm_id",
    "vm_name",
)
