# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance: who is in, what it means for others, and which revision comes out."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Checkpoint, Definition
from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_operation
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation, Owner
from ansible_collections.fanout.hyperv.plugins.module_utils.operations import (
    template,
    template_info,
    template_maintenance,
    vm_export,
)
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import (
    STAGING,
    T_ID,
    FakeHost,
    defaults,
    vm,
    work,
)

DISK = r"D:\VMs\gold.vhdx"
CHANGED = r"D:\VMs\gold_1.avhdx"
DEAD = 2**22 + 1
"""A process that there cannot be: whoever comes next finds its leases left behind."""
Values = dict[str, t.Any]


class Host(FakeHost):
    """With checkpoints: while there is one, the VM has its disk's child; ``merging`` polls pass until it is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, tuple[Checkpoint, VM]] = {}
        self.merging = 0
        self.never_merges = False

    def checkpoints(self, _vm_id: str) -> tuple[Checkpoint, ...]:
        return tuple(checkpoint for checkpoint, _vm in self.taken.values())

    def definition(self, vm_id: str) -> Definition:
        return replace(super().definition(vm_id), checkpoints=self.checkpoints(vm_id))

    def vm(self, vm_id: str) -> VM | None:
        if self.merging and not self.never_merges:
            self.merging -= 1
            if not self.merging:
                self._merged()
        return super().vm(vm_id)

    def take_checkpoint(self, vm_id: str, name: str) -> None:
        self.wrote("checkpoint", name)
        self.taken["c-1"] = (Checkpoint(id="c-1", name=name, type="Standard"), self.machines[vm_id])
        self.add_disk(CHANGED, parent_path=DISK)
        self.attached[vm_id] = [CHANGED]

    def write(self) -> None:
        """The guest writes."""
        self.guids[self.attached[T_ID][0]] = "other"

    def restore_checkpoint(self, checkpoint_id: str) -> None:
        self.wrote("restore", checkpoint_id)
        self.machines[T_ID] = self.taken[checkpoint_id][1]
        self.guids[CHANGED] = "guid-1"

    def remove_checkpoint(self, checkpoint_id: str) -> None:
        self.wrote("remove checkpoint", checkpoint_id)
        del self.taken[checkpoint_id]
        self.change(T_ID, statuses=("InService", "MergingDisks"))
        self.merging = 1

    def _merged(self) -> None:
        self.guids[DISK] = str(self.guids[CHANGED])
        self.attached[T_ID] = [DISK]
        self.change(T_ID, statuses=("Ok",))


@pytest.fixture
def host() -> Host:
    fake = Host()
    fake.add(vm(notes="Ask Ada."), DISK)
    run(fake, template.OPERATION, staging_path=STAGING)
    fake.writes.clear()
    return fake


def run(host: Host, operation: Operation, *, check_mode: bool = False, **given: t.Any) -> Values:
    params = defaults(operation, name="win11-gold", **given)
    mine = replace(work(params, host=host), owner=Owner(controller="c", pid=DEAD, run="r"))
    return run_operation(operation, mine, check_mode=check_mode, diff=True)


def enter(host: Host, **given: t.Any) -> Values:
    return run(host, template_maintenance.OPERATION, state="enter", by="anna", **given)


def leave(host: Host, **given: t.Any) -> Values:
    return run(host, template_maintenance.OPERATION, state="exit", **given)


def mark(host: Host) -> _stamp.Maintenance | None:
    stamp = _stamp.parse(host.machines[T_ID].notes, T_ID)
    assert stamp is not None and stamp.staging == STAGING
    assert host.machines[T_ID].notes.startswith("Ask Ada.")
    return stamp.maintenance


def no_chain(host: Host) -> bool:
    return not host.taken and host.attached[T_ID] == [DISK]


def test_who_is_in_and_since_when_stands_in_the_notes(host: Host) -> None:
    assert enter(host)["changed"]
    found = mark(host)
    assert found is not None
    assert (found.by, found.since[:10], found.checkpoint) == ("anna", "2026-11-20", None)
    assert found.revision
    again = enter(host)
    assert not again["changed"]
    assert again["maintenance"]["by"] == "anna"


def test_meanwhile_the_template_is_not_exported_and_its_findings_say_why(host: Host) -> None:
    enter(host)
    refused = run(host, vm_export.OPERATION)
    assert refused["error"]["code"] == "IN_MAINTENANCE"
    assert "since 2026-11-20" in refused["msg"] and "by anna" in refused["msg"]
    (shown,) = run(host, template_info.OPERATION)["templates"]
    assert "IN_MAINTENANCE" in [finding["code"] for finding in shown["findings"] if finding["severity"] == "error"]


def test_declaring_it_anew_meanwhile_does_not_end_it(host: Host) -> None:
    enter(host)
    run(host, template.OPERATION, targets=["hv02"])
    assert mark(host) is not None


CHANGES: list[tuple[str, bool, bool, bool]] = [
    # what is done, with a checkpoint, discarded, changed in the end
    ("nothing", False, False, False),
    ("nothing", True, False, False),
    ("nothing", True, True, False),
    ("write", False, False, True),
    ("write", True, False, True),
    ("write", True, True, False),
]


@pytest.mark.parametrize(("what", "checkpoint", "discard", "changed"), CHANGES)
def test_the_revision_that_comes_out(host: Host, what: str, checkpoint: bool, discard: bool, changed: bool) -> None:
    before = enter(host, checkpoint=checkpoint)["revision"]
    if what == "write":
        host.write()
    result = leave(host, discard=discard)
    assert result["changed"]
    assert result["previous_revision"] == before
    assert result["template_changed"] is changed
    assert (result["revision"] != before) is changed
    assert mark(host) is None
    assert no_chain(host)
    assert not leave(host)["changed"]


def test_left_already_it_still_says_that_what_was_distributed_is_older(host: Host) -> None:
    run(host, vm_export.OPERATION)
    enter(host)
    host.write()
    first = leave(host)
    again = leave(host)
    assert not again["changed"]
    assert again["template_changed"] and again["previous_revision"] == first["previous_revision"]
    assert first["revision"] in again["msg"] and first["previous_revision"] in again["msg"]


def test_a_pinned_revision_stays_whatever_the_template_is(host: Host) -> None:
    old = run(host, vm_export.OPERATION)["export"]["revision"]
    run(host, template.OPERATION, revision=old)
    enter(host)
    host.write()
    for left in (leave(host), leave(host)):
        assert left["pinned"]
        assert f"keep revision {old}, which is pinned" in left["msg"]
    assert not left["template_changed"]


def test_the_vm_has_to_be_off(host: Host) -> None:
    enter(host)
    host.change(T_ID, state="Running")
    assert leave(host)["error"]["code"] == "VM_NOT_OFF"
    assert mark(host) is not None


def test_without_a_checkpoint_nothing_can_be_discarded(host: Host) -> None:
    enter(host)
    host.write()
    assert leave(host, discard=True)["error"]["code"] == "NO_CHECKPOINT"
    assert mark(host) is not None


def test_a_merge_that_does_not_end_is_said_and_leaves_it_in_maintenance(host: Host) -> None:
    enter(host, checkpoint=True)
    host.never_merges = True
    assert leave(host, merge_timeout=0)["error"]["code"] == "MERGE_TIMED_OUT"
    assert mark(host) is not None


def test_a_vm_that_is_no_template_is_refused() -> None:
    fake = Host()
    fake.add(vm(), DISK)
    assert enter(fake)["error"]["code"] == "NOT_A_TEMPLATE"
    assert not fake.writes


def test_a_distribution_that_runs_is_not_disturbed(host: Host) -> None:
    host.change(T_ID, statuses=("InService", "ExportingVirtualMachine"))
    error = enter(host)["error"]
    assert (error["code"], error["transient"]) == ("DISTRIBUTION_RUNS", True)
    assert mark(host) is None


@pytest.mark.parametrize("go", [enter, leave])
def test_check_mode_writes_nothing(host: Host, go: Callable[..., Values]) -> None:
    if go is leave:
        enter(host, checkpoint=True)
        host.writes.clear()
    result = go(host, check_mode=True)
    assert result["changed"]
    assert not host.writes


class Killed(BaseException):
    pass


@pytest.mark.parametrize("discard", [True, False])
def test_killed_before_each_write_the_next_run_ends_it(discard: bool) -> None:
    """Whatever was done when the process ended: run again, and it is as if nothing had happened."""
    for deadly in range(30):
        fake = Host()
        fake.add(vm(notes="Ask Ada."), DISK)
        run(fake, template.OPERATION, staging_path=STAGING)
        left = deadly
        died = False

        def die(_what: str, _which: str) -> None:
            nonlocal left, died
            if left == 0 and not died:
                died = True
                raise Killed
            left -= 1

        def insist(step: Callable[[], Values], fake: Host = fake) -> Values:
            try:
                return step()
            except Killed:
                fake.time += timedelta(hours=1)
                return step()

        fake.before_write = die
        before = insist(lambda fake=fake: enter(fake, checkpoint=True))["revision"]  # type: ignore[misc]
        fake.write()
        result = insist(lambda fake=fake: leave(fake, discard=discard))  # type: ignore[misc]
        assert (result["revision"] == before) is discard
        assert mark(fake) is None
        assert no_chain(fake)
        if not died:
            return
    raise AssertionError("it was killed each time: more writes than expected")
