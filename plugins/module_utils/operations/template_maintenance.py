# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Takes a template into maintenance, and out of it again with the revision that it has then.

Every step can be repeated: the mark in the VM's notes is made first on entering and goes last on leaving.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import LeaseHeld, OperationTimedOut, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._exporting import exporting
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.plugins.module_utils._lease import Lease
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import find_one
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import Checkpoint
from ansible_collections.fanout.hyperv.plugins.module_utils._staging import read_clones
from ansible_collections.fanout.hyperv.plugins.module_utils._templates import Template, read_template, revision_of
from ansible_collections.fanout.hyperv.plugins.module_utils._waiting import wait_until
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Change, Decision, Operation, Same, Values, Work

MERGING = "MergingDisks"
"""A VM's operational status while the disks of a removed checkpoint are merged."""
OF_CHECKPOINTS = (".avhdx", ".avhd")
POLL = 2.0


def decide(work: Work) -> Decision:
    """What entering or leaving still has to do."""
    template = read_template(work.host, find_one(work.host, work.params), None)
    if not template.declared:
        raise Refused(
            f"{template.vm.name} is not a template.",
            code="NOT_A_TEMPLATE",
            remedy="Declare it first (fanout.hyperv.template), or distribute it.",
        )
    return _enter(work, template) if work.params["state"] == "enter" else _exit(work, template)


# Entering


def _enter(work: Work, template: Template) -> Decision:
    host, stamp = work.host, _declared(template)
    now = stamp.maintenance
    if now is None:
        refuse_distribution(work, template)
        by = work.params["by"] or work.owner.controller
        since = host.now().isoformat(timespec="seconds")
        checkpoint = f"fanout.hyperv {since}" if work.params["checkpoint"] else None
        now = _stamp.Maintenance(by=by, since=since, revision=_revision(host, template), checkpoint=checkpoint)
    missing = now.checkpoint is not None and _checkpoint(host, template, now) is None
    values = {"maintenance": _shown(now), "revision": now.revision, **_told(work, template, maintenance=True)}
    if stamp.maintenance is not None and not missing:
        return Same(values=values, reason=f"{template.vm.name} is in maintenance since {now.since}, by {now.by}.")

    def apply() -> None:
        with _alone(work, template):
            _write(host, template, replace(stamp, maintenance=now))
            if now.checkpoint is not None and _checkpoint(host, template, now) is None:
                host.take_checkpoint(template.vm.id, now.checkpoint)

    return Change(
        reason="The template is taken into maintenance.",
        before={"maintenance": _shown(stamp.maintenance)},
        after={"maintenance": _shown(now)},
        apply=apply,
        values=values,
        plan=("mark the template", *([f"make the checkpoint {now.checkpoint!r}"] if missing else [])),
    )


def refuse_distribution(work: Work, template: Template) -> None:
    """What is being exported or cloned for a distribution must not change under it."""
    expiry = timedelta(seconds=work.params["lease_seconds"])
    busy = [clone for clone in read_clones(work.host, template.layout) if not clone.abandoned(work.owner, expiry)]
    if busy or exporting(work.host):
        raise Refused(
            f"{template.vm.name} is being distributed: " + (f"{len(busy)} clones" if busy else "an export runs") + ".",
            code="DISTRIBUTION_RUNS",
            remedy="Wait until that run has ended, then run again.",
            transient=True,
        )


@contextlib.contextmanager
def _alone(work: Work, template: Template) -> Iterator[Lease]:
    """The export lease of the source, which nobody waits for here: who holds it distributes."""
    expiry = timedelta(seconds=work.params["lease_seconds"])
    work.host.files.ensure_folder(template.layout.leases)
    lease = Lease(work.host, template.layout.export_lease, work.owner, expiry=expiry)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lease.held(lambda: exporting(work.host), check=work.reporter.check))
        except LeaseHeld as error:
            raise Refused(
                f"{template.vm.name} is being distributed: {error}",
                code="DISTRIBUTION_RUNS",
                remedy="Wait until that run has ended, then run again.",
                transient=True,
            ) from error
        yield lease


# Leaving


def _exit(work: Work, template: Template) -> Decision:
    host, stamp = work.host, _declared(template)
    then = stamp.maintenance
    if then is None:
        return _left(work, template)
    if template.vm.state != "Off":
        raise Refused(
            f"{template.vm.name} is {template.vm.state}, not Off.",
            code="VM_NOT_OFF",
            remedy="Shut it down, then leave maintenance.",
        )
    checkpoint = _checkpoint(host, template, then)
    discard = work.params["discard"]
    if discard and checkpoint is None and _revision(host, template) != then.revision:
        raise Refused(
            f"{template.vm.name} has no checkpoint to go back to"
            + (f": {then.checkpoint!r} is not there any more." if then.checkpoint else "."),
            code="NO_CHECKPOINT",
            cause=None if then.checkpoint else "It was taken into maintenance without one.",
            remedy="Leave without discarding, or undo the changes by other means.",
        )
    plan = [f"go back to {then.checkpoint!r}"] if discard and checkpoint is not None else []
    plan += [f"remove the checkpoint {then.checkpoint!r} and wait for the merge"] if checkpoint is not None else []

    def apply() -> Values:
        with _alone(work, template) as lease:
            if checkpoint is not None:
                _give_up(work, template, checkpoint, lease, restore=discard)
            revision = revision_of(host, host.definition(template.vm.id), template)
            _write(host, template, replace(stamp, maintenance=None))
        recorded = None if template.record is None else template.record.revision
        compared = _compared(then.revision or recorded, revision)
        return {**compared, "msg": _outcome(template, compared) + _pin(template)}

    return Change(
        reason=f"It was in maintenance since {then.since}, by {then.by}.",
        before={"maintenance": _shown(then)},
        after={"maintenance": None},
        apply=apply,
        values={"maintenance": None, **_told(work, template, maintenance=False)},
        plan=(*plan, "compute the revision", "take the mark away"),
    )


def _left(work: Work, template: Template) -> Same:
    """Carried out already; what is left to do is told by the revision that was distributed last."""
    revision = _revision(work.host, template)
    distributed = None if template.record is None or template.record.pinned else template.record.revision
    compared = _compared(distributed or revision, revision)
    reason = f"{template.vm.name} is not in maintenance."
    if compared["template_changed"]:
        reason += f" It has revision {revision}, and {distributed} was distributed last."
    reason += _pin(template)
    return Same(values={"maintenance": None, **_told(work, template, maintenance=False), **compared}, reason=reason)


def _give_up(work: Work, template: Template, checkpoint: Checkpoint, lease: Lease, *, restore: bool) -> None:
    """Without checkpoint and chain: an export takes every checkpoint along."""

    def check() -> None:
        work.reporter.check()
        lease.renew()

    host, vm = work.host, template.vm
    if restore:
        host.restore_checkpoint(checkpoint.id)
    work.reporter.phase("merging")
    host.remove_checkpoint(checkpoint.id)
    timeout = work.params["merge_timeout"]
    if not wait_until(lambda: is_merged(host, vm.id, checkpoint), timeout=timeout, every=POLL, check=check):
        raise OperationTimedOut(
            f"The disks of {vm.name} are still being merged after {timeout:.0f} s.",
            code="MERGE_TIMED_OUT",
            remedy="The merge goes on. Run again: maintenance is left when it has ended.",
            transient=True,
        )


def is_merged(host: Host, vm_id: str, checkpoint: Checkpoint) -> bool:
    """Whether nothing is left of the checkpoint. Where there are others, the VM stays on differencing disks."""
    vm = host.vm(vm_id)
    if vm is None or MERGING in vm.statuses:
        return False
    left = host.checkpoints(vm_id)
    if any(other.id == checkpoint.id for other in left):
        return False
    return bool(left) or not any(drive.path.lower().endswith(OF_CHECKPOINTS) for drive in host.drives(vm_id))


# Small things


def _declared(template: Template) -> _stamp.Stamp:
    if template.stamp is None:
        raise AssertionError("decide() has refused the others")
    return template.stamp


def _checkpoint(host: Host, template: Template, maintenance: _stamp.Maintenance) -> Checkpoint | None:
    if maintenance.checkpoint is None:
        return None
    return next((one for one in host.checkpoints(template.vm.id) if one.name == maintenance.checkpoint), None)


def _revision(host: Host, template: Template) -> str | None:
    """None where the disks do not show what they are: with checkpoints of people for instance."""
    try:
        return revision_of(host, host.definition(template.vm.id), template)
    except Refused:
        return None


def _write(host: Host, template: Template, stamp: _stamp.Stamp) -> None:
    """Into the notes as they are now: going back to a checkpoint brings those of then."""
    vm = host.vm(template.vm.id) or template.vm
    host.set_notes(vm.id, _stamp.merge(vm.notes, stamp))


def _compared(previous: str | None, revision: str | None) -> Values:
    return {"previous_revision": previous, "revision": revision, "template_changed": revision != previous}


def _outcome(template: Template, compared: Values) -> str:
    name, revision = template.vm.name, compared["revision"]
    if not compared["template_changed"]:
        return f"{name} is out of maintenance and still has revision {revision}: nothing needs an update."
    return f"{name} is out of maintenance. It was modified and has revision {revision} now."


def _pin(template: Template) -> str:
    """A pinned revision stays where it is, whatever the template is by now."""
    record = template.record
    if record is None or not record.pinned:
        return ""
    return (
        f" Copies and guests keep revision {record.revision}, which is pinned, until it is given up: "
        "ansible-playbook fanout.hyperv.rollback -e rollback_revision=latest"
    )


def _told(work: Work, template: Template, *, maintenance: bool) -> Values:
    """The distribution list, and what the status file learns."""
    known = {"name": template.vm.name, "id": template.vm.id, "source": work.provider, "maintenance": maintenance}
    targets = [] if template.record is None else list(template.record.targets)
    pinned = template.record is not None and template.record.pinned
    return {"targets": targets, "pinned": pinned, "distribution": {"template": known}}


def _shown(maintenance: _stamp.Maintenance | None) -> Values | None:
    if maintenance is None:
        return None
    return {"by": maintenance.by, "since": maintenance.since, "checkpoint": maintenance.checkpoint}


OPERATION = Operation(
    name="template_maintenance",
    argument_spec={
        "name": {"type": "str"},
        "id": {"type": "str"},
        "state": {"type": "str", "choices": ["enter", "exit"], "required": True},
        "by": {"type": "str"},
        "checkpoint": {"type": "bool", "default": False},
        "discard": {"type": "bool", "default": False},
        "merge_timeout": {"type": "float", "default": 14400.0},
        "lease_seconds": {"type": "float", "default": 120.0},
    },
    mutually_exclusive=[("name", "id")],
    required_one_of=[("name", "id")],
    decide=decide,
)
