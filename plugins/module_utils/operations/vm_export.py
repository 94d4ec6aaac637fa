# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Exports a VM: once per revision into the staging folder of a template, or into a folder that people name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.fanout.hyperv.plugins.module_utils import _revision
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Conflict, HyperVError, NotFound, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._exporting import Exporter, Place, exporting
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.plugins.module_utils._lease import Lease
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import find_one
from ansible_collections.fanout.hyperv.plugins.module_utils._manifest import Manifest
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Definition, DiskFacts
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import MANIFEST, check_folder, join
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import ERROR, in_maintenance, name_findings
from ansible_collections.fanout.hyperv.plugins.module_utils._record import Record
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import Remover
from ansible_collections.fanout.hyperv.plugins.module_utils._templates import (
    Template,
    change_record,
    disk_facts,
    found_files,
    read_template,
    refuse_users,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Change, Decision, Operation, Same, Values, Work

LONGEST_NAME_AND_FILES = 100 + len("\\Virtual Machines\\") + 41


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be exported where. ``template`` is None for a folder that people named."""

    definition: Definition
    facts: tuple[DiskFacts, ...]
    revision: str
    place: Place
    template: Template | None
    manifest: Manifest | None
    occupied: bool

    @property
    def vm(self) -> VM:
        """The VM."""
        return self.definition.vm

    @property
    def needs_hashes(self) -> bool:
        """Whether the export is complete and not all its hashes are known."""
        return self.manifest is not None and any(file.sha256 is None for file in self.manifest.files)


def decide(work: Work) -> Decision:
    """Nothing when a complete export of this revision is there, with its hashes if they are wanted."""
    wanted = look(work.host, work.params)
    hashing = work.params["hash"] and (wanted.manifest is None or wanted.needs_hashes)
    if wanted.manifest is not None and not hashing and not unrecorded(wanted):
        return Same(values=_values(wanted, wanted.manifest), reason="A complete export of this revision is there.")
    before = {"revision": wanted.revision if wanted.manifest is not None else None, "hashed": False}
    after = {"revision": wanted.revision, "hashed": bool(hashing)}
    if wanted.manifest is not None and not hashing:
        reason, plan = "The export is there, and not recorded yet.", ["record the revision"]
    elif wanted.manifest is not None:
        reason, plan = "The hashes are not known yet.", ["compute the SHA-256 of the exported files"]
    else:
        reason = "An incomplete export is replaced." if wanted.occupied else "There is no export of this revision."
        plan = ["throw the incomplete export away"] if wanted.occupied else []
        plan += [f"export {wanted.vm.name} to {wanted.place.subfolder}"]
        plan += ["compute the SHA-256 of the exported files"] if hashing else []
    return Change(
        reason=reason,
        before=before,
        after=after,
        plan=tuple(plan),
        values=_values(wanted, wanted.manifest),
        apply=lambda: apply(work),
    )


def look(host: Host, params: Values) -> Wanted:
    """What the host shows of the VM and of the place where its export goes."""
    for folder in (params["path"], params["staging_path"]):
        check_folder(folder or "C:\\")
    vm = find_one(host, params)
    definition = host.definition(vm.id)
    template = None if params["path"] else read_template(host, vm, params["staging_path"])
    kept = None if template is None else kept_export(host, definition, template, params["revision"])
    if kept is not None:
        return kept
    check_exportable(definition)
    facts = host.disk_facts(definition.disks)
    if template is None:
        revision = _revision.revision(definition, _revision.marks(facts))
        folder = check_folder(params["path"], room=LONGEST_NAME_AND_FILES)
        subfolder = join(folder, vm.name)
        place = Place(folder=folder, subfolder=subfolder, manifest=join(subfolder, MANIFEST))
    else:
        if template.stamp is not None and template.stamp.maintenance is not None:
            finding = in_maintenance(vm.name, template.stamp.maintenance)
            raise Refused(finding.what, code=finding.code, remedy=finding.remedy)
        revision = _revision.revision(definition, _revision.marks(disk_facts(host, definition, template)))
        place = template_place(template, revision)
    refuse_other_revision(vm, params["revision"], revision)
    manifest = _manifest(host, place, vm, revision)
    occupied = manifest is None and host.files.entry(place.subfolder if template is None else place.folder) is not None
    if occupied and template is None:
        raise Conflict(
            f"{place.subfolder} is there and is not a complete export of {vm.name} as it is now. It was not touched.",
            code="EXPORT_IN_THE_WAY",
            remedy="Remove or rename that folder, or export to another one.",
        )
    return Wanted(
        definition=definition,
        facts=facts,
        revision=revision,
        place=place,
        template=template,
        manifest=manifest,
        occupied=occupied,
    )


def kept_export(host: Host, definition: Definition, template: Template, asked: str | None) -> Wanted | None:
    """The export of a revision that is pinned or kept: it is what it was, whatever the template is by now.

    None when another revision is asked for. That of the pinned one cannot be made anew.
    """
    record = template.record
    pinned = record is not None and record.pinned and record.revision == asked
    if record is None or asked is None or not (pinned or asked in record.kept):
        return None
    place = template_place(template, asked)
    manifest = _manifest(host, place, definition.vm, asked)
    if manifest is None and pinned:
        raise NotFound(
            f"There is no complete export of the pinned revision {asked} of {definition.vm.name} any more.",
            code="EXPORT_MISSING",
            remedy="Pin another revision, or none: fanout.hyperv.rollback with rollback_revision=latest.",
        )
    if manifest is None:
        return None
    return Wanted(
        definition=definition,
        facts=(),
        revision=asked,
        place=place,
        template=template,
        manifest=manifest,
        occupied=True,
    )


def unrecorded(wanted: Wanted) -> bool:
    """Whether the record says that providers should hold another revision, and may say so."""
    record = None if wanted.template is None else wanted.template.record
    return record is not None and not record.pinned and record.revision != wanted.revision


def template_place(template: Template, revision: str) -> Place:
    """Where the export of a template's revision lies."""
    folder = template.layout.export(revision)
    return Place(folder=folder, subfolder=join(folder, template.vm.name), manifest=template.layout.manifest(revision))


def check_exportable(definition: Definition) -> None:
    """What an export would take along must not change while it runs, and the VM's name becomes a folder's name."""
    vm = definition.vm
    if vm.state != "Off":
        raise Refused(f"{vm.name} is {vm.state}, not Off.", code="VM_NOT_OFF", remedy="Shut it down, then run again.")
    for finding in name_findings(vm.name):
        if finding.severity == ERROR:
            raise Refused(finding.what, code=finding.code, remedy=finding.remedy)


def refuse_other_revision(vm: VM, asked: str | None, revision: str) -> None:
    """A plan was made for one revision; another one is another plan."""
    if asked and asked != revision:
        raise Refused(
            f"{vm.name} has revision {revision} now, not {asked}.",
            code="TEMPLATE_CHANGED",
            remedy="Run again: the plan is made anew for what the template is now.",
            transient=True,
        )


def _manifest(host: Host, place: Place, vm: VM, revision: str) -> Manifest | None:
    """The manifest of a complete export of this revision; a damaged one counts as none."""
    text = host.files.read_text(place.manifest)
    if text is None:
        return None
    try:
        manifest = Manifest.from_json(text)
    except HyperVError:
        return None
    if (manifest.template_id, manifest.revision) != (vm.id, revision):
        return None
    return None if manifest.differences(found_files(host, place.folder, place.subfolder)) else manifest


def apply(work: Work) -> Values:
    """Under the lease everything is looked at again: somebody else may have made the export meanwhile."""
    with _alone(work) as keep_alive:
        wanted = look(work.host, work.params)
        exporter = Exporter(
            host=work.host,
            control=work.control(),
            definition=wanted.definition,
            facts=wanted.facts,
            revision=wanted.revision,
            place=wanted.place,
            reporter=work.reporter,
            keep_alive=keep_alive,
            throw_away=lambda: throw_away(work, wanted),
            timeout=work.params["timeout"],
        )
        manifest = wanted.manifest
        if manifest is None:
            if wanted.occupied:
                throw_away(work, wanted)
            manifest = exporter.carry_out(hash_files=work.params["hash"])
        elif work.params["hash"] and wanted.needs_hashes:
            manifest = exporter.hashed(manifest)
            work.host.files.write_text(wanted.place.manifest, manifest.to_json())
        pin(work, wanted)
        return _values(wanted, manifest)


@contextlib.contextmanager
def _alone(work: Work) -> Iterator[Callable[[], None]]:
    """The export lease of the source, as long as the template's own folders are written; gives what keeps it alive."""
    params = work.params
    if params["path"]:
        yield lambda: None
        return
    template = read_template(work.host, find_one(work.host, params), params["staging_path"])
    work.host.files.ensure_folder(template.layout.leases)
    control = work.control()
    expiry = timedelta(seconds=params["lease_seconds"])
    lease = Lease(control, template.layout.export_lease, work.owner, expiry=expiry)
    work.reporter.phase("waiting", reason="the export lease")
    wait = params["lease_timeout"]
    with lease.held(lambda: exporting(control), wait=wait, every=5, check=work.reporter.check):
        yield lease.renew


def throw_away(work: Work, wanted: Wanted) -> None:
    """Remove an export in our own folder that is not complete. In a folder of other people nothing is touched."""
    if wanted.template is None:
        return
    folder = wanted.place.folder
    refuse_users(work.host, folder)
    work.host.files.remove_file(wanted.place.manifest)
    left = Remover(host=work.host, check=work.reporter.check).clear(folder)
    if left:
        raise Conflict(
            f"In {folder} lies what is not ours: {', '.join(left)}.",
            code="EXPORT_IN_THE_WAY",
            remedy="Look at it, move it elsewhere, then run again.",
        )


def pin(work: Work, wanted: Wanted) -> None:
    """From now on this is the revision that providers should hold."""
    if wanted.template is None or not unrecorded(wanted):
        return
    keep = work.params["keep_revisions"]

    def change(was: Record | None) -> Record | None:
        return was if was is None or was.pinned else was.holding(wanted.revision, keep=keep)

    change_record(work, wanted.template.layout, change)


def _values(wanted: Wanted, manifest: Manifest | None) -> Values:
    size = sum(disk.file_size for disk in wanted.definition.disks) if manifest is None else manifest.size
    hashed = manifest is not None and all(file.sha256 is not None for file in manifest.files)
    return {
        "export": {
            "vm_id": wanted.vm.id,
            "revision": wanted.revision,
            "folder": wanted.place.subfolder,
            "vmcx": wanted.place.vmcx(wanted.vm.id),
            "manifest": wanted.place.manifest,
            "size": size,
            "hashed": hashed,
        }
    }


OPERATION = Operation(
    name="vm_export",
    argument_spec={
        "name": {"type": "str"},
        "id": {"type": "str"},
        "path": {"type": "str"},
        "staging_path": {"type": "str"},
        "revision": {"type": "str"},
        "keep_revisions": {"type": "int"},
        "hash": {"type": "bool", "default": False},
        "timeout": {"type": "float", "default": 86400.0},
        "lease_timeout": {"type": "float", "default": 86400.0},
        "lease_seconds": {"type": "float", "default": 120.0},
    },
    mutually_exclusive=[("name", "id"), ("path", "staging_path")],
    required_one_of=[("name", "id")],
    decide=decide,
)
