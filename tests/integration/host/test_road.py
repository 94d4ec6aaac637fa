# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole road of one copy: export, clone, stamp, move, verify, name, remove. Every cmdlet of the host is bound."""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _host, _revision, _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._command import ProgressRecord
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import CommandFailed
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, MigrationJob
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import Layout, inside
from ansible_collections.fanout.hyperv.plugins.module_utils._stamp import Stamp
from ansible_collections.fanout.hyperv.tests.integration.host.conftest import GOLD, GOLD_ID, Open
from hyperv_lab.client import Lab

STAGING, TARGET = Layout(r"D:\staging", GOLD_ID), Layout(r"D:\copies", GOLD_ID)
ATTEMPT = "deadbeef"


def revision_of(host: Host, vm_id: str) -> str:
    definition = host.definition(vm_id)
    return _revision.revision(definition, _revision.marks(host.disk_facts(definition.disks)))


OF_GUESTS = ("_host_guests.py", "_host_checkpoints.py")
"""What no distribution needs: test_guests_and_checkpoints.py."""


def cmdlets_named(*names: str) -> set[str]:
    """The cmdlets that host files name (those of a distribution, when none are given), by the calls of command()."""
    folder = Path(str(_host.__file__)).parent
    calls = (
        node
        for path in folder.glob("_host*.py")
        if (path.name in names if names else path.name not in OF_GUESTS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "command"
    )
    return {str(node.args[0].value) for node in calls if isinstance(node.args[0], ast.Constant)}


def remove_with_files(host: Host, vm: VM, folder: str) -> tuple[str, ...]:
    """As a run does it: the files that the VM references, then folders that are empty."""
    disks = [drive.path for drive in host.drives(vm.id)]
    assert all(inside(path, folder) for path in disks)
    host.remove_vm(vm.id)
    assert host.vm(vm.id) is None
    for path in disks:
        for _attempt in range(50):
            try:
                host.files.remove_file(path)
                break
            except CommandFailed:  # the host keeps them open for a moment
                host.now()
    return host.files.remove_empty_folders(folder)


def export(host: Host, revision: str) -> str:
    """Export the template; gives the path of its configuration file."""
    folder = STAGING.export(revision)
    host.files.ensure_folder(folder)
    host.export_vm(GOLD_ID, folder, on_progress=lambda _record: None)
    found = [entry.path for entry in host.files.tree(folder) if entry.name.lower().endswith(".vmcx")]
    assert len(found) == 1
    return found[0]


def ask_the_rest(host: Host) -> None:
    """What the road itself does not need."""
    host.now()
    host.settings()
    host.computer()
    host.switches()
    host.survey()
    host.files.write_text(STAGING.record, "{}")
    host.files.read_text(STAGING.record)
    host.files.sha256(STAGING.record)
    host.files.set_read_only(STAGING.record, True)
    host.files.set_read_only(STAGING.record, False)
    host.files.found([STAGING.record])


def test_the_whole_road(hv01: Host, hv02: Host, open_host: Open, lab: Lab) -> None:
    control = open_host("hv01")
    revision = revision_of(hv01, GOLD_ID)
    definition = hv01.definition(GOLD_ID)
    vmcx = export(hv01, revision)
    assert revision_of(hv01, GOLD_ID) == revision, "exporting changes nothing"

    clone_folder = STAGING.clone(revision, ATTEMPT)
    clone = hv01.import_copy(vmcx, clone_folder)
    assert clone.id != GOLD_ID and clone.name == GOLD and clone.state == "Off"
    assert clone.notes == definition.vm.notes
    assert all(inside(drive.path, clone_folder) for drive in hv01.drives(clone.id))
    assert revision_of(hv01, clone.id) == revision, "a clone is what its template is"

    stamp = Stamp(
        kind="copy", vm_id=clone.id, template_id=GOLD_ID, template_name=GOLD, source="hv01", revision=revision
    )
    hv01.set_notes(clone.id, _stamp.merge(clone.notes, stamp))
    hv01.rename_vm(clone.id, f"fanout-{clone.id[:8]}")
    renamed = hv01.vm(clone.id)
    assert renamed is not None and renamed.name == f"fanout-{clone.id[:8]}"
    assert _stamp.parse(renamed.notes, clone.id) == stamp
    assert _stamp.remove(renamed.notes) == clone.notes

    folder = TARGET.attempt(revision, ATTEMPT)
    hv02.files.ensure_folder(folder)
    destination = lab.hosts["hv02"]["dns"]
    assert hv01.compare_move(clone.id, destination, folder) == ()
    progress: list[ProgressRecord] = []
    seen: list[MigrationJob] = []
    hv01.move_vm(
        clone.id,
        destination,
        folder,
        on_progress=progress.append,
        on_poll=lambda: seen.extend(job for job in control.jobs() if job.running),
        poll_every=0.2,
    )
    assert any(job.concerns(clone.id, renamed.name) and job.destination for job in seen)
    assert hv01.vm(clone.id) is None

    arrived = hv02.vm(clone.id)
    assert arrived is not None and arrived.name == renamed.name
    assert _stamp.parse(arrived.notes, clone.id) == stamp
    drives = hv02.drives(clone.id)
    assert len(drives) == 2 and all(inside(drive.path, folder) for drive in drives)
    assert all(hv02.test_disk(drive.path) for drive in drives)
    assert revision_of(hv02, clone.id) == revision, "a copy is what its template is"
    hv02.rename_vm(clone.id, GOLD)
    assert [vm.id for vm in hv02.named(GOLD)] == [clone.id]

    assert hv01.files.remove_empty_folders(clone_folder) == ()
    assert remove_with_files(hv02, arrived, folder) == ()
    assert hv02.files.entry(folder) is None
    others = {vm.name for vm in hv01.vms()}
    assert others == {GOLD, GOLD.replace("[1]", "1"), "old"}

    ask_the_rest(hv01)
    assert cmdlets_named() - {call["command"] for call in lab.calls()} == set()


@pytest.mark.parametrize("message_id", [33012])
def test_a_move_that_cannot_be_says_why_beforehand(hv01: Host, lab: Lab, message_id: int) -> None:
    vm = lab.add_vm("hv01", name="elsewhere", switch="Lab only", disks=[{"size": "1GiB"}])
    lab.patch("hv02", switches=["Production"])
    found = hv01.compare_move(vm["id"], lab.hosts["hv02"]["dns"], r"D:\elsewhere")
    assert message_id in [one.message_id for one in found]
    [missing] = [one for one in found if one.message_id == message_id]
    assert "Lab only" in missing.message
    assert missing.source == "VMNetworkAdapter"


def test_what_a_survey_costs(hv01: Host, lab: Lab) -> None:
    """Each pipeline is two requests; a run that changes nothing asks every provider these."""
    note = STAGING.record
    hv01.files.ensure_folder(STAGING.template)
    hv01.files.write_text(note, "{}")
    since = lab.last_call()
    assert GOLD_ID in [vm.id for vm in hv01.survey().vms]
    seen = hv01.glance(STAGING.template, {GOLD_ID: note})
    assert seen is not None
    assert (seen.texts, seen.disks[GOLD_ID]) == ({note: "{}"}, hv01.disks_of(GOLD_ID))
    assert note in [entry.path for entry in seen.entries]
    hv01.disk_facts(seen.disks[GOLD_ID][:1])
    pipelines: set[t.Any] = {call["pipeline"] for call in lab.calls(since=since)}
    assert len(pipelines) == 4, [call["command"] for call in lab.calls(since=since)]


def test_a_glance_at_what_is_not_there_shows_nothing(hv01: Host) -> None:
    assert hv01.glance(STAGING.export("0" * 12), {GOLD_ID: STAGING.record}) is None
