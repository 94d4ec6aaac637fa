# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""A template on its source: its stamp, where its staging folder is, its record, its revision, its export."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.fanout.hyperv.plugins.module_utils import _revision, _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._lease import Lease
from ansible_collections.fanout.hyperv.plugins.module_utils._manifest import Manifest
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import FILE_FORMATS
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import (
    Layout,
    check_folder,
    fold,
    inside,
    join,
    name_of,
    relative,
    same,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._record import Record
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import dependents

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Definition, DiskFacts
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Work

RECORD_PATIENCE = 60.0
"""Seconds to wait while another run changes the record; that takes it a moment."""

ROOM_BELOW_STAGING = len("\\fanout\\") + 36 + len("\\012345678901\\clones\\01234567\\Virtual Machines\\") + 41
"""Characters that paths below a staging folder need."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """A VM as a template, declared or not yet."""

    vm: VM
    stamp: _stamp.Stamp | None
    layout: Layout
    record: Record | None

    @property
    def declared(self) -> bool:
        """Whether it carries the stamp of a template."""
        return self.stamp is not None and self.stamp.kind == "template"

    @property
    def staging_path(self) -> str:
        """The staging folder."""
        return self.layout.base


def read_template(host: Host, vm: VM, staging_path: str | None) -> Template:
    """The VM as a template. Its stamp says where its staging folder is; another one is refused once that is so."""
    stamp = _stamp.parse(vm.notes, vm.id)
    layout = Layout(_staging(host, stamp, staging_path), vm.id)
    return Template(vm=vm, stamp=stamp, layout=layout, record=read_record(host, layout))


def read_record(host: Host, layout: Layout) -> Record | None:
    """The template's record; None when there is none. Raises HyperVError when it is damaged, or another one's."""
    text = host.files.read_text(layout.record)
    record = None if text is None else Record.from_json(text, f"record {layout.record}")
    if record is not None and record.template_id != layout.template_id:
        raise HyperVError(
            f"The record {layout.record} is about another template ({record.template_id}).",
            code="DOCUMENT_DAMAGED",
            remedy="Look at the file on the host; it was changed by something else than this collection.",
        )
    return record


def change_record(work: Work, layout: Layout, change: Callable[[Record | None], Record | None]) -> Record | None:
    """Read the record, change it, write it; nobody else does so meanwhile. Returns what it is then."""
    host = work.host
    # Nothing on the host goes on without its holder: it is held while a small file is read and written.
    with Lease(host, layout.record_lease, work.owner).held(
        lambda: False, wait=RECORD_PATIENCE, every=0.5, check=work.reporter.check
    ) as lease:
        was = read_record(host, layout)
        record = change(was)
        if record is not None and record != was:
            host.files.ensure_folder(layout.template)
            lease.check()
            host.files.write_text(layout.record, record.to_json())
        return record


def _staging(host: Host, stamp: _stamp.Stamp | None, wanted: str | None) -> str:
    told = stamp.staging if stamp is not None and stamp.kind == "template" else None
    if wanted:
        folder = check_folder(wanted, room=ROOM_BELOW_STAGING)
        if told is not None and not same(told, folder):
            raise Refused(
                f"The staging folder of the template is {told}, and cannot be changed to {folder}.",
                code="STAGING_FIXED",
                remedy="Leave staging_path out. To use another folder, take the template back (state: absent) and "
                "declare it anew.",
            )
        return folder
    return told if told is not None else host.settings().virtual_machine_path.rstrip("\\")


def disk_facts(host: Host, definition: Definition, template: Template) -> tuple[DiskFacts, ...]:
    """What identifies the template's disks. For a VHD of which only the time differs, the content decides."""
    facts = host.disk_facts(definition.disks)
    if all(fact.guid is not None for fact in facts) or template.record is None or template.record.revision is None:
        return facts
    for revision in template.record.last_revisions:
        manifest = read_manifest(host, template.layout, revision)
        if manifest is not None:
            facts = tuple(_settled(host, fact, manifest, template) for fact in facts)
    return facts


def _settled(host: Host, fact: DiskFacts, manifest: Manifest, template: Template) -> DiskFacts:
    then = next((disk for disk in manifest.disks if fold(name_of(disk.path)) == fold(name_of(fact.path))), None)
    if then is None:
        return fact
    exported = manifest.file(then.path)

    def same_content() -> bool:
        known = None if exported is None else exported.sha256
        if known is None:
            known = host.files.sha256(join(template.layout.export(manifest.revision), then.path))
        return host.files.sha256(fact.path) == known

    return _revision.settle_vhd(fact, then, same_content)


def revision_of(host: Host, definition: Definition, template: Template) -> str:
    """The template's revision now; raises Refused when its disks do not show what they are."""
    return _revision.revision(definition, _revision.marks(disk_facts(host, definition, template)))


def read_manifest(host: Host, layout: Layout, revision: str) -> Manifest | None:
    """The manifest of an export; None when there is none, or a damaged one: then the export does not count."""
    text = host.files.read_text(layout.manifest(revision))
    if text is None:
        return None
    try:
        manifest = Manifest.from_json(text)
    except HyperVError:
        return None
    return manifest if (manifest.template_id, manifest.revision) == (layout.template_id, revision) else None


def found_files(host: Host, folder: str, below: str | None = None) -> dict[str, int]:
    """The size of each file in ``below`` (or the folder), by its path relative to the folder; links left aside."""
    entries = host.files.tree(below or folder)
    return {relative(e.path, folder): e.size for e in entries if not e.is_folder and not e.is_link}


def complete_export(host: Host, layout: Layout, revision: str) -> Manifest | None:
    """The manifest of the revision's export if all its files are there in their sizes."""
    manifest = read_manifest(host, layout, revision)
    if manifest is None or manifest.differences(found_files(host, layout.export(revision))):
        return None
    return manifest


def refuse_users(host: Host, folder: str) -> None:
    """Refuse when a VM lies in the folder, has a disk there, or one with a parent there: it cannot be cleared then."""
    entries = host.files.tree(folder)
    files = [entry.path for entry in entries if not entry.is_folder and entry.path.lower().endswith(FILE_FORMATS)]
    users = {vm.id for vm in host.vms() if inside(join(vm.configuration_location or vm.path, "x"), folder)}
    users |= set(dependents(host, "", files)) if files else set()
    if users:
        raise Refused(
            f"{folder} is in use by the VMs {', '.join(sorted(users))}; nothing in it was touched.",
            code="FOLDER_IN_USE",
            remedy="Remove those VMs, or move them elsewhere.",
        )


__all__ = (
    "Template",
    "change_record",
    "complete_export",
    "disk_facts",
    "found_files",
    "read_manifest",
    "read_record",
    "read_template",
    "refuse_users",
    "revision_of",
)
