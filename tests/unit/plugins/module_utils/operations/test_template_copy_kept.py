# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of older revisions that are kept, and taken again; whatever step a run was killed at, the next one ends it."""

from __future__ import annotations

import json

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._manifest import Manifest
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Drive
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import join

from .fake_host import OTHER_ID, vm
from .test_template_copy import (
    HERE,
    NAME,
    OLDER,
    REVISION,
    THERE,
    Killed,
    Pair,
    kill_at,
    new_pair,
    older_copy,
    supply,
    survive,
)


@pytest.fixture
def pair() -> Pair:
    return both_held(new_pair())


def both_held(pair: Pair) -> Pair:
    """The target has the current copy and the kept one of the older revision."""
    old = older_copy(pair)
    baseline = HERE.baseline(old.configuration_location)
    values = json.loads(str(pair[1].files.read_text(baseline)).replace(OLDER, REVISION))  # the folder keeps its name
    pair[1].files.put(baseline, json.dumps({**values, "revision": OLDER}))
    done = supply(pair, keep=[OLDER])
    assert not done.get("failed"), done
    for host in pair:
        host.writes.clear()
    return pair


def held(pair: Pair) -> dict[str, VM]:
    found = {}
    for machine in pair[1].machines.values():
        stamp = _stamp.parse(machine.notes, machine.id)
        if stamp is None:
            continue  # a guest
        assert stamp.revision is not None
        assert (machine.name == NAME) is not stamp.superseded
        assert stamp.superseded or not stamp.kept
        found[stamp.revision] = machine
    return found


def current(pair: Pair) -> str:
    (revision,) = (revision for revision, machine in held(pair).items() if machine.name == NAME)
    return revision


def moved(pair: Pair) -> list[str]:
    return [what for host in pair for what, *_ in host.writes if what in ("import", "move")]


def test_an_older_copy_is_kept_off_under_another_name(pair: Pair) -> None:
    assert set(held(pair)) == {REVISION, OLDER}
    assert current(pair) == REVISION
    stamp = _stamp.parse(held(pair)[OLDER].notes, held(pair)[OLDER].id)
    assert stamp is not None
    assert (stamp.superseded, stamp.kept) == (True, True)


def test_the_second_time_nothing_is_written_or_asked_of_it(pair: Pair) -> None:
    asked: list[str] = []
    drives = pair[1].drives

    def counted(vm_id: str | None = None) -> tuple[Drive, ...]:
        asked.append(str(vm_id))
        return drives(vm_id)

    pair[1].drives = counted  # type: ignore[method-assign]
    assert not supply(pair, keep=[OLDER])["changed"]
    assert [host.writes for host in pair] == [[], []]
    assert held(pair)[OLDER].id not in asked
    assert "None" not in asked, "the drives of all VMs were asked for"


def test_without_being_told_what_to_keep_marked_copies_stay(pair: Pair) -> None:
    assert not supply(pair)["changed"]


def test_the_surplus_goes(pair: Pair) -> None:
    done = supply(pair, keep=[])
    assert done["msg"] == f"remove the older copy of revision {OLDER}"
    assert set(held(pair)) == {REVISION}


@pytest.mark.parametrize("export", [False, True])
def test_back_and_forward_without_a_disk_moved(pair: Pair, export: bool) -> None:
    """No export is needed for it, either."""
    if not export:
        pair[0].files.content.pop(THERE.manifest(REVISION))
    disks = {revision: pair[1].attached[machine.id] for revision, machine in held(pair).items()}
    for wanted, other in ((OLDER, REVISION), (REVISION, OLDER)):
        planned = supply(pair, revision=wanted, keep=[other], check_mode=True)
        assert planned["plan"] == [
            f"take the copy of revision {wanted} that was kept",
            f"name it {NAME}",
            f"keep the copy of revision {other} under another name",
        ]
        done = supply(pair, revision=wanted, keep=[other])
        assert done["changed"], done
        assert current(pair) == wanted
        assert {revision: pair[1].attached[machine.id] for revision, machine in held(pair).items()} == disks
    assert moved(pair) == []


@pytest.mark.parametrize("export", [False, True])
def test_killed_before_any_of_its_writes_the_next_run_ends_well(export: bool) -> None:
    finished = False
    for count in range(1, 60):
        pair = both_held(new_pair())
        if not export:
            pair[0].files.content.pop(THERE.manifest(REVISION))
        kill_at(pair, count)
        try:
            supply(pair, revision=OLDER, keep=[REVISION])
            finished = True
        except Killed:
            pass
        survive(pair)
        names = [machine.name for machine in pair[1].machines.values()]
        assert names.count(NAME) <= 1, "two VMs have the template's name"
        again = supply(pair, revision=OLDER, keep=[REVISION])
        assert not again.get("failed"), (count, again)
        assert (current(pair), set(held(pair))) == (OLDER, {REVISION, OLDER})
        assert moved(pair) == []
        if finished:
            assert count > 5, "too few steps were looked at"
            return
    raise AssertionError("it never ended")


def test_a_kept_copy_that_is_not_what_it_was_is_not_taken(pair: Pair) -> None:
    target = pair[1]
    disk = target.attached[held(pair)[OLDER].id][0]
    target.guids[disk] = "changed"
    done = supply(pair, revision=OLDER, keep=[REVISION])
    assert done["error"]["code"] == "EXPORT_MISSING", done
    assert current(pair) == REVISION


def test_what_depends_on_either_copy_does_not_matter(pair: Pair) -> None:
    target = pair[1]
    for number, machine in enumerate(held(pair).values()):
        guest = vm(OTHER_ID.replace("0", str(number + 1)), f"desktop-{number}")
        target.add(guest, rf"D:\Guests\{number}.vhdx", parent_path=target.attached[machine.id][0])
    done = supply(pair, revision=OLDER, keep=[REVISION])
    assert not done.get("failed"), done
    assert current(pair) == OLDER


def test_a_current_copy_that_runs_is_not_superseded(pair: Pair) -> None:
    target = pair[1]
    target.change(held(pair)[REVISION].id, state="Running")
    refused = supply(pair, revision=OLDER, keep=[REVISION])
    assert refused["error"]["code"] == "COPY_RUNNING"
    assert [host.writes for host in pair] == [[], []]


def with_export(pair: Pair, revision: str) -> None:
    """The kept export of that revision, of the same disk."""
    manifest = Manifest.from_json(str(pair[0].files.read_text(THERE.manifest(REVISION))))
    for file in manifest.files:
        pair[0].add_disk(join(THERE.export(revision), file.path))
    text = str(pair[0].files.read_text(THERE.manifest(REVISION))).replace(REVISION, revision)
    pair[0].files.put(THERE.manifest(revision), text)


def test_a_provider_without_the_copy_gets_it_from_the_kept_export() -> None:
    pair = new_pair()
    supply(pair)
    with_export(pair, OLDER)
    done = supply(pair, revision=OLDER, keep=[REVISION])
    assert not done.get("failed"), done
    assert (current(pair), set(held(pair))) == (OLDER, {REVISION, OLDER})
    assert HERE.template in held(pair)[OLDER].configuration_location


def test_the_surplus_goes_before_a_new_copy_needs_the_room(pair: Pair) -> None:
    newer = "cccccccccccc"
    with_export(pair, newer)
    old = held(pair)[OLDER].id
    done = supply(pair, revision=newer, keep=[REVISION])
    assert not done.get("failed"), done
    assert (current(pair), set(held(pair))) == (newer, {newer, REVISION})
    steps = [(what, which) for what, which in pair[1].writes if what in ("remove_vm", "rename")]
    assert steps[0] == ("remove_vm", old), steps
