# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Supplies one target with a template: decides from what the target shows, then clones, moves, verifies and names."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from ansible_collections.fanout.hyperv.plugins.module_utils._copies import Copies
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    AuthenticationFailed,
    HostUnreachable,
    HyperVError,
    InvalidInput,
    Refused,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._local_supply import supply_of
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import vm_id
from ansible_collections.fanout.hyperv.plugins.module_utils._order import Order, refuse_conflicts
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import check_folder
from ansible_collections.fanout.hyperv.plugins.module_utils._retiring import Retirement
from ansible_collections.fanout.hyperv.plugins.module_utils._retrying import Retry
from ansible_collections.fanout.hyperv.plugins.module_utils._supply import Supply
from ansible_collections.fanout.hyperv.plugins.module_utils._work import (
    Change,
    Decision,
    Operation,
    Same,
    Values,
    Work,
)

DONE = {"answers": True, "copy": "current", "due": False, "tried": "ok", "working": False}
"""What the status file learns when a provider has its copy."""

GONE = {"answers": True, "copy": "none", "due": False, "tried": "ok", "working": False}
"""The same when its copy was removed."""


def check_limits(params: Values) -> None:
    """Refuse a limit that would let nothing happen, or be taken for another one."""
    for option in ("concurrency", "clones"):
        value = params[option]
        if value is not None and value < 1:
            raise InvalidInput(
                f"The option {option!r} is {value}; it has to be a whole number greater than 0.",
                remedy=f"Give {option} a whole number greater than 0, or leave it out.",
            )


def order_of(work: Work) -> Order:
    """The options as one value, checked."""
    params = work.params
    host = work.host
    target_path = params["target_path"] or host.settings().virtual_machine_path.rstrip("\\")
    return Order(
        template_id=vm_id(params["template_id"], "template_id"),
        name=params["name"],
        revision=params["revision"],
        source=params["source"] or work.other("source").label,
        staging_path=check_folder(params["staging_path"]),
        target_path=check_folder(target_path),
        migration_host=params["migration_host"] or host.computer().fqdn,
        concurrency=params["concurrency"],
        clones=params["concurrency"] + 1 if params["clones"] is None else params["clones"],
        verify=params["verify"],
        clone_timeout=params["clone_timeout"],
        move_timeout=params["move_timeout"],
        limit_timeout=params["limit_timeout"],
        lease_seconds=params["lease_seconds"],
        adopt=params["adopt"],
        keep=None if params["keep"] is None else tuple(params["keep"]),
    )


def decide(work: Work) -> Decision:
    """Nothing when the verified copy is there and nothing is left over; else the steps that are missing."""
    if work.params["problem"]:
        raise Refused(work.params["problem"], code="REFUSED_BY_PLAN")
    check_limits(work.params)
    if work.params["state"] == "absent":
        return _absent(work)
    retry = Retry(retries=work.params["retries"], delay=work.params["retry_delay"])
    order = order_of(work)
    supply = supply_of(work, order)
    order = supply.order
    found = supply.examine(supply.look())
    refuse_conflicts(found, work.host.label)
    before = _shown(found)
    if found.current is not None and not (found.cleanable or found.removable or found.surplus):
        return Same(values={"vm_id": found.current.vm.id, **_distribution(work, order, supply)}, reason="up to date")
    steps = plan(found, order)
    after = {"revision": order.revision, "name": order.name, "leftovers": [], "steps": list(steps)}

    def attempt() -> Values:
        work.reporter.progress(attempts=supply.attempts + 1)
        return supply.carry_out()

    def source_is_gone(error: HyperVError) -> bool:
        """It did not answer before anything was begun: all targets of a run would wait for it, each several times."""
        return isinstance(error, HostUnreachable) and error.host == order.source and not supply.begun

    def apply() -> Values:
        done = retry.run(attempt, waiting=_waiting(work), check=work.reporter.check, unless=source_is_gone)
        return {**done, "attempts": supply.attempts, **_distribution(work, order, supply)}

    values = {"reason": found.reason, "reasons": list(found.reasons)}
    return Change(reason="; ".join(steps), before=before, after=after, apply=apply, plan=steps, values=values)


def _waiting(work: Work) -> Callable[[HyperVError, int, float], None]:
    """Tells why it is waited, and for how long. No slot is held meanwhile."""

    def tell(error: HyperVError, tries: int, seconds: float) -> None:
        left = work.params["retries"] - tries + 1
        work.reporter.phase("waiting", reason="to try again", attempts=tries, error=error.to_dict())
        work.reporter.note(f"{error.code}: {error} It is tried again in {seconds:.0f} s ({left} more at most).")

    return tell


def _absent(work: Work) -> Decision:
    """Nothing when the provider has nothing of the template; refused when something there is still needed."""
    params, host = work.params, work.host
    retirement = Retirement(
        work=work,
        template_id=vm_id(params["template_id"], "template_id"),
        name=params["name"],
        target_path=check_folder(params["target_path"] or host.settings().virtual_machine_path.rstrip("\\")),
        staging_path=check_folder(params["staging_path"]),
        remove_guests=params["remove_guests"],
        lease_seconds=params["lease_seconds"],
    )
    found = retirement.look()
    if not found.anything:
        return Same(reason="nothing of the template is there")
    retirement.refuse(found)
    steps = [f"remove the guest {user.name} ({user.id})" for user in found.users]
    steps += [f"remove the copy {copy.vm.name} ({copy.vm.id})" for copy in found.copies.copies]
    steps += [f"clean {leftover.folder}" for leftover in found.copies.cleanable]
    before = {
        "copies": [copy.vm.id for copy in found.copies.copies],
        "guests": [user.id for user in found.users],
        "leftovers": [leftover.folder for leftover in found.copies.cleanable],
    }

    def apply() -> Values:
        left = retirement.carry_out()
        return left | _told(work, {"facts": GONE, "revision": None})

    after: Values = {"copies": [], "guests": [], "leftovers": []}
    return Change(reason="; ".join(steps), before=before, after=after, apply=apply, plan=tuple(steps))


def plan(found: Copies, order: Order) -> tuple[str, ...]:
    """The steps as sentences for people."""
    steps = []
    if found.at_hand is not None and found.at_hand.superseded:
        steps += [f"take the copy of revision {order.revision} that was kept"]
        steps += ["verify it (hash)"] if order.verify == "hash" else []
        steps.append(f"name it {order.name}")
    elif found.current is None:
        if found.arrived is None:
            steps += [f"clone revision {order.revision} on {order.source}", f"move it to {order.target_path}"]
            steps += [] if order.verify == "none" else [f"verify it ({order.verify})"]
        elif found.arrived.stripped:
            steps.append("verify and stamp the copy that is there")
        elif found.at_hand is None:
            steps.append("verify the copy that has arrived")
        steps.append(f"name it {order.name}")
    there = (found.current, found.arrived, found.at_hand, *found.surplus)
    others = [copy for copy in found.copies if copy not in there and copy.kept is None and not copy.retained]
    keep = [copy for copy in others if not copy.superseded and order.keeps(copy.revision)]
    steps += [f"keep the copy of revision {copy.revision} under another name" for copy in keep]
    older = [copy for copy in others if copy not in keep]
    steps += [f"remove the older copy of revision {copy.revision or 'unknown'}" for copy in older]
    steps += [f"remove the unfinished copy {copy.vm.name} ({copy.vm.id})" for copy in found.surplus]
    steps += [f"clean {leftover.folder}" for leftover in found.cleanable]
    return tuple(steps)


def _shown(found: Copies) -> Values:
    holder = found.current or next((copy for copy in found.copies if not copy.superseded), None)
    return {
        "revision": None if holder is None else holder.revision,
        "name": None if holder is None else holder.vm.name,
        "leftovers": [leftover.folder for leftover in found.leftovers],
        "steps": [],
    }


def _distribution(work: Work, order: Order, supply: Supply) -> Values:
    provider: Values = {
        "facts": DONE,
        "revision": order.revision,
        "served_by": order.source,
        "reason": None,
        "reasons": [],
        "error": None,
    }
    provider |= {"attempts": supply.attempts} if supply.attempts else {}
    return _told(work, provider)


def _told(work: Work, provider: Values) -> Values:
    """What the status file learns of this provider: of which template, too, for a run may have several."""
    name, source = work.params.get("name"), work.params.get("source")
    if work.provider == source:  # what lies there is for its own guests: it is no target
        return {}
    template = {"template": {"name": name, "source": source}} if name and source else {}
    return {"distribution": {**template, "providers": {work.provider: provider}}}


def on_error(work: Work, error: HyperVError) -> Values:
    """A failure as the status file learns of it."""
    if work.provider == work.params.get("source"):
        return {}
    if work.params.get("problem"):  # the plan has told it
        return {"problem": work.params["problem"], **_told(work, {})}
    facts = {"tried": "failed", "working": False, "due": work.params.get("state") != "absent"}
    if isinstance(error, (HostUnreachable, AuthenticationFailed)) and error.host == work.provider:
        facts["answers"] = False
    return _told(work, {"facts": facts, "error": error.to_dict(), "attempts": error.attempts})


_SECONDS: dict[str, t.Any] = {"type": "float"}

OPERATION = Operation(
    name="template_copy",
    argument_spec={
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "template_id": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "revision": {"type": "str"},
        "source": {"type": "str"},
        "staging_path": {"type": "str", "required": True},
        "target_path": {"type": "str"},
        "migration_host": {"type": "str"},
        "concurrency": {"type": "int", "default": 2},
        "clones": {"type": "int"},
        "verify": {"type": "str", "choices": ["none", "size", "hash"], "default": "size"},
        "clone_timeout": {**_SECONDS, "default": 86400.0},
        "move_timeout": {**_SECONDS, "default": 86400.0},
        "limit_timeout": {**_SECONDS, "default": 3600.0},
        "lease_seconds": {**_SECONDS, "default": 120.0},
        "retries": {"type": "int", "default": 2},
        "retry_delay": {**_SECONDS, "default": 10.0},
        "adopt": {"type": "bool", "default": False},
        "keep": {"type": "list", "elements": "str"},
        "remove_guests": {"type": "bool", "default": False},
        "problem": {"type": "str"},
    },
    required_if=[("state", "present", ("revision",))],
    decide=decide,
    on_error=on_error,
    hosts=("source",),
)
