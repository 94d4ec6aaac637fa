# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Declares a VM a template, changes what is recorded of it, or takes it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._exporting import exporting
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.plugins.module_utils._lease import Lease
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import find, find_one, shown
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import check_folder
from ansible_collections.fanout.hyperv.plugins.module_utils._pinning import LATEST, pinned
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import in_maintenance
from ansible_collections.fanout.hyperv.plugins.module_utils._record import KEEP, REMOVE, Record, Wish
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import Remover
from ansible_collections.fanout.hyperv.plugins.module_utils._staging import read_clones
from ansible_collections.fanout.hyperv.plugins.module_utils._templates import (
    Template,
    change_record,
    read_template,
    refuse_users,
    revision_of,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Change, Decision, Operation, Same, Values, Work


def decide(work: Work) -> Decision:
    """What has to be written on the source, in its record and in the VM's notes."""
    if work.params["staging_path"]:
        check_folder(work.params["staging_path"])
    if work.params["state"] == "absent":
        return _absent(work)
    return _present(work)


# Declaring


def _present(work: Work) -> Decision:
    params, host = work.params, work.host
    template = read_template(host, find_one(host, params), params["staging_path"])
    if template.stamp is not None and template.stamp.kind != "template":
        raise Refused(
            f"{template.vm.name} is a {template.stamp.kind} of the template {template.stamp.template_name!r} "
            "and cannot be a template itself.",
            code="IS_A_COPY",
            remedy="Clone it, and declare the clone.",
        )
    own = own_revision(host, template, params)
    record = wanted_record(template, params, own)
    stamp = wanted_stamp(template, work.provider)
    before = _state(template.stamp, template.record)
    after = _state(stamp, record)
    values = {"template": _shown(template, record), **_gone(work, template)}
    if before == after:
        return Same(values=values)

    def apply() -> None:
        # The record first: a stamp points to it.
        change_record(work, template.layout, lambda was: wanted_record(replace(template, record=was), params, own))
        _write_stamp(host, template, stamp)

    reason = "The template is declared." if not template.declared else "What is recorded of the template changes."
    return Change(reason=reason, before=before, after=after, apply=apply, values=values)


def own_revision(host: Host, template: Template, params: Values) -> str | None:
    """What the template is now, as far as that matters: nobody pins a revision while somebody changes the template."""
    if not params["revision"]:
        return None
    if template.stamp is not None and template.stamp.maintenance is not None:
        finding = in_maintenance(template.vm.name, template.stamp.maintenance)
        raise Refused(finding.what, code=finding.code, remedy=finding.remedy)
    if params["revision"].strip().lower() != LATEST:
        return None
    return revision_of(host, host.definition(template.vm.id), template)


def wanted_record(template: Template, params: Values, own: str | None = None) -> Record:
    """What is to be recorded: what the task says, and what it leaves out as it was."""
    was = template.record
    targets, multi = params["targets"], params["multi_provider"]
    if params["revision"]:
        was = pinned(was, params["revision"], own, template.vm.name)
    if was is None:
        multi = True if multi is None else multi
        was = Record(template_id=template.vm.id, name=template.vm.name, multi_provider=multi)
    elif multi is not None and multi != was.multi_provider:
        raise Refused(
            f"multi_provider of {template.vm.name} was set to {str(was.multi_provider).lower()} when the template was "
            "created, and cannot be changed.",
            code="MULTI_PROVIDER_FIXED",
            remedy="The template has to be deleted (state: absent) and recreated with the other setting.",
        )
    if (targets or params["add"]) and not was.multi_provider:
        raise InvalidInput(
            f"{template.vm.name} is not distributed to several providers (multi_provider is false): it has no targets.",
            code="NOT_MULTI_PROVIDER",
            remedy="Leave targets out, or take the template back and create it with multi_provider: true.",
        )
    keep = len(was.kept) if params["keep_revisions"] is None else params["keep_revisions"]
    return replace(was.changed(wish_of(params)).trimmed(keep), name=template.vm.name)


def _gone(work: Work, template: Template) -> Values:
    """What the status file learns of providers that have nothing of the template any more."""
    if not work.params["removed"]:
        return {}
    of = {"name": template.vm.name, "id": template.vm.id, "source": work.provider}
    facts = {"facts": {"listed": False, "leaving": False}}
    return {"distribution": {"template": of, "providers": dict.fromkeys(work.params["removed"], facts)}}


def wish_of(params: Values) -> Wish:
    """What the options ask of the record."""
    targets = params["targets"]
    return Wish(
        targets=None if targets is None else tuple(targets),
        add=tuple(params["add"]),
        remove=tuple(params["remove"]),
        unlisted=params["unlisted"],
        removed=tuple(params["removed"]),
        supplied={name: str(identity) for name, identity in params["supplied"].items()},
    )


def wanted_stamp(template: Template, source: str) -> _stamp.Stamp:
    """The stamp that a template's notes have. Its revision is in the record, where it changes with each export."""
    return _stamp.Stamp(
        kind="template",
        vm_id=template.vm.id,
        template_id=template.vm.id,
        template_name=template.vm.name,
        source=source,
        staging=template.staging_path,
        maintenance=None if template.stamp is None else template.stamp.maintenance,
    )


def _write_stamp(host: Host, template: Template, stamp: _stamp.Stamp) -> None:
    if stamp != template.stamp:
        host.set_notes(template.vm.id, _stamp.merge(template.vm.notes, stamp))


# Taking back


def _absent(work: Work) -> Decision:
    params, host = work.params, work.host
    vm = find(host, params)
    if vm is None:
        return Same(reason="There is no such VM.")
    template = read_template(host, vm, params["staging_path"])
    if template.stamp is not None and template.stamp.kind != "template":
        raise Refused(
            f"{vm.name} is a {template.stamp.kind}, not a template.",
            code="IS_A_COPY",
            remedy="fanout.hyperv.vm_remove removes copies.",
        )
    if not template.declared and template.record is None:
        return Same(reason="It is not a template.")
    if not params["keep_copies"]:
        refuse_known_copies(template)

    refuse_clones(host, template)
    refuse_users(host, template.layout.template)

    def apply() -> Values:
        left = _clear(work, template)
        if template.stamp is not None:
            host.set_notes(vm.id, _stamp.remove(vm.notes))
        return {"left": list(left)}

    before = _state(template.stamp, template.record)
    return Change(reason="The template is taken back.", before=before, after=_state(None, None), apply=apply)


def _clear(work: Work, template: Template) -> tuple[str, ...]:
    """Remove everything of the template from the staging folder, while nobody exports or changes the record."""
    host, layout, expiry = work.host, template.layout, timedelta(seconds=work.params["lease_seconds"])
    export = Lease(host, layout.export_lease, work.owner, expiry=expiry)
    record = Lease(host, layout.record_lease, work.owner, expiry=expiry)
    with (
        export.held(lambda: exporting(host), check=work.reporter.check) as lease,
        record.held(
            lambda: False, check=work.reporter.check
        ),  # held for a small file: nothing runs on without its holder
    ):
        refuse_clones(host, template)
        refuse_users(host, layout.template)
        lease.check()
        left = Remover(host=host, check=lambda: _keep(work, lease)).clear(layout.template)
    for folder in (layout.leases, layout.root):
        host.files.remove_folder_if_empty(folder)
    return left


def _keep(work: Work, lease: Lease) -> None:
    work.reporter.check()
    lease.renew()


def refuse_known_copies(template: Template) -> None:
    """Once the list is gone nobody knows who holds copies. Before the first export there can be none."""
    record = template.record
    if record is None or record.revision is None:
        return
    if record.holders:
        raise Refused(
            f"{template.vm.name} was distributed; these providers may hold copies of it: {', '.join(record.holders)}.",
            code="COPIES_KNOWN",
            remedy="Remove the copies first, or say keep_copies: true; the copies then stay as they are.",
        )


def refuse_clones(host: Host, template: Template) -> None:
    """Clones on their way lie in the folder that is about to go."""
    clones = read_clones(host, template.layout)
    if clones:
        raise Refused(
            f"There are clones of {template.vm.name} on the source: {', '.join(clone.folder for clone in clones)}.",
            code="CLONES_EXIST",
            remedy="Wait for the running distribution, or run it again so that it cleans up.",
        )


def _state(stamp: _stamp.Stamp | None, record: Record | None) -> Values:
    return {"stamp": shown(stamp), "record": shown(record)}


def _shown(template: Template, record: Record) -> Values:
    return {
        "id": template.vm.id,
        "name": template.vm.name,
        "staging_path": template.staging_path,
        "record": shown(record),
    }


OPERATION = Operation(
    name="template",
    argument_spec={
        "name": {"type": "str"},
        "id": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "multi_provider": {"type": "bool"},
        "targets": {"type": "list", "elements": "str"},
        "add": {"type": "list", "elements": "str", "default": []},
        "remove": {"type": "list", "elements": "str", "default": []},
        "unlisted": {"type": "str", "choices": [KEEP, REMOVE], "default": KEEP},
        "removed": {"type": "list", "elements": "str", "default": []},
        "supplied": {"type": "dict", "default": {}},
        "revision": {"type": "str"},
        "keep_revisions": {"type": "int"},
        "staging_path": {"type": "str"},
        "keep_copies": {"type": "bool", "default": False},
        "lease_seconds": {"type": "float", "default": 120.0},
    },
    mutually_exclusive=[("name", "id")],
    required_one_of=[("name", "id")],
    decide=decide,
)
