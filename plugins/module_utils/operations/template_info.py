# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Tells what a source shows of its templates: record, revision, export, clones on their way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.fanout.hyperv.plugins.module_utils import _revision
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import NO_ANSWER, HyperVError, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import chosen, is_clone, shown, stamped
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import is_revision
from ansible_collections.fanout.hyperv.plugins.module_utils._pinning import kept_revisions, pinned, wanted_revision
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import Needs, template_findings
from ansible_collections.fanout.hyperv.plugins.module_utils._staging import read_clones, revision_folders
from ansible_collections.fanout.hyperv.plugins.module_utils._templates import (
    Template,
    disk_facts,
    found_files,
    read_manifest,
    read_template,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation, Values, Work
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.host_info import described, silent


def gather(work: Work) -> Values:
    """All declared templates of the host; a VM that is asked for by id or name also when it is not declared."""
    if not work.params["survey"]:
        return _told(work.host, work.params, work.host.vms())
    try:
        seen = work.host.survey()
        return {**_told(work.host, work.params, seen.vms), "source": described(work.host, seen)}
    except NO_ANSWER as error:
        return {"templates": [], "errors": {}, "asked": [], "source": silent(error)}


def _told(host: Host, params: Values, vms: Sequence[VM]) -> Values:
    if params["names"] is not None:
        return _several(host, params, vms)
    found = [_describe(host, vm, params) for vm in _wanted(vms, params)]
    return {"templates": found, "errors": {}, "asked": _asked(found, params)}


def _asked(found: Iterable[Values], params: Values) -> list[Values]:
    """What other hosts are asked about these templates."""
    users = {"users": True} if params["users"] else {}
    return [
        {"id": one["id"], "name": one["name"], "revision": one["wanted"], "keep": one["kept"], **users} for one in found
    ]


def _several(host: Host, params: Values, vms: Sequence[VM]) -> Values:
    """Each by itself: what is wrong with one is told and hides no other."""
    found: list[Values] = []
    errors: dict[str, Values] = {}
    for name in dict.fromkeys(params["names"]):
        try:
            found += [_describe(host, vm, params) for vm in _wanted(vms, {"name": name})]
        except HyperVError as error:
            if isinstance(error, NO_ANSWER):
                raise
            errors[name] = error.to_dict()
    return {"templates": found, "errors": errors, "asked": _asked(found, params)}


def _wanted(everything: Sequence[VM], params: Values) -> Iterable[VM]:
    vms = [vm for vm in chosen(everything, params) if not is_clone(vm)]
    if params.get("id") or params.get("name") is not None:
        return vms
    return stamped(vms, kind="template")


def _describe(host: Host, vm: VM, params: Values) -> Values:
    template = read_template(host, vm, params["staging_path"])
    definition = host.definition(vm.id)
    revision, settings = None, None
    try:
        marks = _revision.marks(disk_facts(host, definition, template))
        revision, settings = _revision.revision(definition, marks), _revision.settings(definition, marks)
    except Refused:
        pass  # the findings say which disk stands in the way
    maintenance = None if template.stamp is None else template.stamp.maintenance
    if maintenance is not None and maintenance.revision is not None:
        revision = maintenance.revision  # what it will be is told when maintenance ends
    record = template.record
    if params["pin"]:
        record = pinned(record, params["pin"], revision, vm.name)
    wanted = wanted_revision(record, revision)
    folders = revision_folders(host, template.layout)
    shown_definition = shown(definition)
    shown_definition.pop("vm")
    return {
        "id": vm.id,
        "name": vm.name,
        "state": vm.state,
        "busy": vm.busy,
        "declared": template.declared,
        "maintenance": shown(maintenance),
        "staging_path": template.staging_path,
        "stamp": shown(template.stamp),
        "record": shown(template.record),
        "revision": revision,
        "wanted": wanted,
        "pinned": record is not None and record.pinned,
        "kept": list(kept_revisions(record, wanted, params["keep_revisions"])),
        "staged": [name for name in folders if is_revision(name)],
        "settings": settings,
        "needs": shown(Needs.of(definition)),
        "definition": shown_definition,
        "findings": [finding.to_dict() for finding in template_findings(definition, template.stamp)],
        "export": _export(host, template, wanted),
        "clones": [clone.to_dict() for clone in read_clones(host, template.layout, folders)],
    }


def _export(host: Host, template: Template, revision: str | None) -> Values:
    """The export of the revision: ``present`` says that its manifest is there, ``complete`` that it is true."""
    manifest = None if revision is None else read_manifest(host, template.layout, revision)
    folder = None if revision is None else template.layout.export(revision)
    if manifest is None or folder is None:
        return {"present": False, "complete": False, "folder": folder, "size": None, "hashed": False, "differences": []}
    differences = manifest.differences(found_files(host, folder))
    return {
        "present": True,
        "complete": not differences,
        "folder": folder,
        "size": manifest.size,
        "hashed": all(file.sha256 is not None for file in manifest.files),
        "differences": differences,
    }


OPERATION = Operation(
    name="template_info",
    argument_spec={
        "name": {"type": "str"},
        "id": {"type": "str"},
        "names": {"type": "list", "elements": "str"},
        "staging_path": {"type": "str"},
        "keep_revisions": {"type": "int"},
        "pin": {"type": "str"},
        "survey": {"type": "bool", "default": False},
        "users": {"type": "bool", "default": False},
    },
    mutually_exclusive=[("name", "id", "names")],
    gather=gather,
)
