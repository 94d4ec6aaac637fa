# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Makes guests of a template's copy on a provider, makes them anew from a newer copy, or removes them."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import NO_ANSWER, HyperVError, InvalidInput
from ansible_collections.fanout.hyperv.plugins.module_utils._guest_work import (
    ABSENT,
    PRESENT,
    RECREATED,
    GuestWork,
    Order,
    Seen,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._guests import (
    FULL,
    LINKED,
    PATTERN,
    check_names,
    names_of,
    summary,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import vm_id
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import check_folder, is_revision
from ansible_collections.fanout.hyperv.plugins.module_utils._work import (
    Change,
    Decision,
    Operation,
    Reporter,
    Same,
    Values,
    Work,
)

ROOM = len("\\fanout\\") + 36 + len("\\guests\\01234567\\Virtual Hard Disks\\") + 64
"""Characters that paths of guests need below their folder."""
LIMITS = {"memory_mb": (32, 12 * 1024 * 1024), "processors": (1, 2048), "vlan": (0, 4094), "count": (0, 10000)}


def order_of(work: Work) -> Order:
    """The options as one value, checked."""
    params = work.params
    for option, (least, most) in LIMITS.items():
        value = params[option]
        if value is not None and not least <= value <= most:
            raise InvalidInput(f"The option {option!r} is {value}; it has to be {least} to {most}.")
    if not is_revision(params["revision"]):
        raise InvalidInput(f"{params['revision']!r} is no revision: it has 12 hexadecimal digits.")
    target_path = params["target_path"] or work.host.settings().virtual_machine_path.rstrip("\\")
    names = tuple(params["names"] or ())
    if params["count"] is not None:
        names = names_of(params["pattern"], params["count"], template=params["name"], provider=work.provider)
    if params["state"] == ABSENT and not names:
        raise InvalidInput("No names: guests are removed by their names.")
    check_names(names, params["name"])
    path = check_folder(params["guest_path"], room=ROOM) if params["guest_path"] else None
    return Order(
        template_id=vm_id(params["template_id"], "template_id"),
        name=params["name"],
        revision=params["revision"],
        target_path=check_folder(target_path, room=ROOM),
        state=params["state"],
        names=names,
        wanted={
            "kind": params["kind"],
            "path": path,
            **{option: params[option] for option in ("memory_mb", "processors", "switch", "vlan", "start")},
        },
        everything=params["everything"],
        keep_macs=params["keep_macs"],
        keep_export=params["keep_export"],
        turn_off=params["turn_off"],
        shutdown_timeout=params["shutdown_timeout"],
        timeout=params["timeout"],
        lease_timeout=params["lease_timeout"],
        lease_seconds=params["lease_seconds"],
    )


def decide(work: Work) -> Decision:
    """Nothing when all is as asked; else the steps that are missing."""
    order = order_of(work)
    guests = GuestWork(work=replace(work, reporter=GuestReporter(work.reporter)), order=order)
    seen = guests.look()
    steps = guests.plan(seen).sentences
    if not steps:
        return Same(values=_values(work, seen, order), reason="up to date")

    def apply() -> Values:
        done = guests.carry_out()
        return {**done, **_values(work, guests.look(), order)}

    return Change(
        reason="; ".join(steps),
        before={"guests": _shown(seen), "steps": []},
        after={"guests": _shown(seen), "steps": list(steps)},
        plan=steps,
        values=_values(work, seen, order),
        apply=apply,
    )


def _shown(seen: Seen) -> Values:
    return {guest.vm.name: guest.stamp.revision for guest in seen.found.guests}


def _values(work: Work, seen: Seen, order: Order) -> Values:
    counts = summary(seen.found.guests, order.revision)
    return {
        "guests": [guest.to_dict(order.revision) for guest in seen.found.guests],
        "summary": counts,
        **_distribution(work, seen, order, counts),
    }


def _distribution(work: Work, seen: Seen, order: Order, counts: Values) -> Values:
    """What the status file learns; nothing of a host that is the source, or has no copy that names it."""
    stamps = [copy.stamp for copy in seen.copies.copies if copy.stamp is not None]
    source = next((stamp.source for stamp in stamps), None)
    if source in (None, work.provider):
        return {}
    template = {"id": order.template_id, "name": order.name, "source": source}
    return {"distribution": {"template": template, "providers": {work.provider: {"guests": counts}}}}


def on_error(work: Work, error: HyperVError) -> Values:
    """What goes wrong with a guest says nothing about the copy; only a host that does not answer does."""
    silent = isinstance(error, NO_ANSWER) and error.host == work.provider
    return {} if silent else {"distribution": {"providers": {work.provider: {}}}}


class GuestReporter:
    """Tells what is done with guests without saying that a copy is under way."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self.note = reporter.note
        self.check = reporter.check

    def phase(self, name: str, **fields: t.Any) -> None:
        """A phase in which nothing comes to the provider."""
        self._reporter.phase(name, **{**fields, "working": False})

    def progress(
        self,
        percent: float | None = None,
        bytes_done: int | None = None,
        bytes_total: int | None = None,
        **fields: t.Any,
    ) -> None:
        """How far it is; percents of a copy would be something else."""
        self._reporter.check()


_SECONDS: Values = {"type": "float"}
_NUMBER: Values = {"type": "int"}

OPERATION = Operation(
    name="guest",
    argument_spec={
        "template_id": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "revision": {"type": "str", "required": True},
        "target_path": {"type": "str"},
        "state": {"type": "str", "choices": [PRESENT, RECREATED, ABSENT], "default": PRESENT},
        "names": {"type": "list", "elements": "str"},
        "count": _NUMBER,
        "pattern": {"type": "str", "default": PATTERN},
        "kind": {"type": "str", "choices": [FULL, LINKED]},
        "memory_mb": _NUMBER,
        "processors": _NUMBER,
        "switch": {"type": "str"},
        "vlan": _NUMBER,
        "start": {"type": "bool"},
        "guest_path": {"type": "str"},
        "everything": {"type": "bool", "default": False},
        "keep_macs": {"type": "bool", "default": False},
        "keep_export": {"type": "bool", "default": False},
        "turn_off": {"type": "bool", "default": False},
        "shutdown_timeout": {**_SECONDS, "default": 300.0},
        "timeout": {**_SECONDS, "default": 86400.0},
        "lease_timeout": {**_SECONDS, "default": 3600.0},
        "lease_seconds": {**_SECONDS, "default": 120.0},
    },
    mutually_exclusive=[("names", "count")],
    decide=decide,
    on_error=on_error,
)
