# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking a template away from a provider: only what is ours goes, and only when nobody needs it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import CommandFailed
from ansible_collections.fanout.hyperv.plugins.module_utils._lease import Lease
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, PlannedVM
from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_operation
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Owner
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.template_copy import OPERATION
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import (
    COPY_ID,
    OTHER_ID,
    T_ID,
    FakeHost,
    defaults,
    vm,
    work,
)

Values = dict[str, t.Any]
BASE = r"D:\Templates"
HOME = rf"{BASE}\fanout\{T_ID}"
ATTEMPT = rf"{HOME}\0123456789ab-01234567"
DISK = rf"{ATTEMPT}\Virtual Hard Disks\gold.vhdx"
GUEST_HOME = rf"{HOME}\guests\89abcdef"
GUEST_DISK = rf"{GUEST_HOME}\Virtual Hard Disks\desk-1.vhdx"


def stamped(kind: str, vm_id: str, **changes: t.Any) -> str:
    stamp = _stamp.Stamp(
        kind=t.cast("_stamp.Kind", kind), vm_id=vm_id, template_id=T_ID, template_name="win11-gold", source="hv01"
    )
    return f"Ask Ada.\n{stamp.line()}"


def lying(folder: str, vm_id: str, name: str, **changes: t.Any) -> VM:
    return vm(vm_id, name, path=folder, configuration_location=folder, snapshot_location=folder, **changes)


@pytest.fixture
def host() -> FakeHost:
    """A provider with a copy, and a VM of somebody else."""
    fake = FakeHost("hv03")
    fake.add(lying(ATTEMPT, COPY_ID, "win11-gold", notes=stamped("copy", COPY_ID)), DISK)
    fake.files.put(rf"{ATTEMPT}\owner.json", "{}")
    fake.add(vm("dddddddd-0000-4000-8000-000000000004", "mail"), r"D:\VMs\mail\mail.vhdx")
    return fake


def guest(host: FakeHost, *, notes: str | None = None, **changes: t.Any) -> VM:
    notes = stamped("guest", OTHER_ID) if notes is None else notes
    return host.add(lying(GUEST_HOME, OTHER_ID, "desk-1", notes=notes, **changes), GUEST_DISK, parent_path=DISK)


def remove(host: FakeHost, *, check_mode: bool = False, **given: t.Any) -> Values:
    params = defaults(
        OPERATION,
        state="absent",
        template_id=T_ID,
        name="win11-gold",
        staging_path=r"D:\Staging",
        target_path=BASE,
        **given,
    )
    return run_operation(OPERATION, work(params, host=host), check_mode=check_mode, diff=True)


def test_the_copy_its_files_and_its_folders_go_and_nothing_else(host: FakeHost) -> None:
    result = remove(host)
    assert result["changed"]
    assert list(host.machines) == ["dddddddd-0000-4000-8000-000000000004"]
    assert not [path for path in (*host.files.content, *host.files.folders) if "fanout" in path]
    assert r"D:\VMs\mail\mail.vhdx" in host.files.content
    told = result["distribution"]["providers"][work({}, host=host).provider]
    assert told["facts"]["copy"] == "none"
    host.writes.clear()
    again = remove(host)
    assert not again["changed"]
    assert not host.writes


def abandoned_lease(host: FakeHost) -> None:
    """Linux gives no process such a number."""
    gone = Owner(controller="here", pid=2**22 + 1, run="run-0")
    Lease(t.cast(t.Any, host), rf"{BASE}\fanout\leases\copy-{T_ID}", gone).acquire(lambda: False)
    host.writes.clear()


def test_a_stale_lease_is_taken_over_when_nothing_is_made_for_the_provider(host: FakeHost) -> None:
    abandoned_lease(host)
    host.planned = [PlannedVM(id=OTHER_ID, name="win11-gold")]
    held = remove(host, retries=0)
    assert held["error"]["code"] == "LEASE_HELD"
    assert "its work still runs on the host" in held["msg"]
    assert COPY_ID in host.machines
    host.planned = []
    assert remove(host)["changed"]
    assert COPY_ID not in host.machines


def test_a_stale_lease_is_not_taken_over_while_the_copy_is_exported(host: FakeHost) -> None:
    abandoned_lease(host)
    host.change(COPY_ID, statuses=("InService", "ExportingVirtualMachine"))
    assert remove(host, retries=0)["error"]["code"] == "LEASE_HELD"


def test_check_mode_names_the_steps_and_writes_nothing(host: FakeHost) -> None:
    predicted = remove(host, check_mode=True)
    assert predicted["plan"] == [f"remove the copy win11-gold ({COPY_ID})"]
    assert not host.writes


def test_what_people_put_beside_the_copy_stays_and_is_named(host: FakeHost) -> None:
    mine = rf"{ATTEMPT}\mine.txt"
    host.files.put(mine, "x")
    result = remove(host)
    assert result["left"] == [mine]
    assert mine in host.files.content
    assert COPY_ID not in host.machines


def test_a_guest_that_needs_the_copy_keeps_it(host: FakeHost) -> None:
    guest(host)
    result = remove(host)
    assert result["error"]["code"] == "GUESTS_DEPEND"
    assert f"desk-1 ({OTHER_ID})" in result["msg"]
    assert not host.writes


def test_guests_go_with_the_copy_when_that_is_wanted(host: FakeHost) -> None:
    guest(host)
    result = remove(host, remove_guests=True)
    assert result["changed"], result
    assert list(host.machines) == ["dddddddd-0000-4000-8000-000000000004"]
    assert GUEST_DISK not in host.files.content
    assert not [path for path in host.files.folders if "fanout" in path]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "Running"}, "VM_NOT_OFF"),
        ({"notes": ""}, "DISK_IN_USE"),
        ({"notes": stamped("guest", COPY_ID)}, "DISK_IN_USE"),  # somebody cloned a guest
    ],
)
def test_other_vms_never_go(host: FakeHost, changes: Values, code: str) -> None:
    guest(host, **changes)
    result = remove(host, remove_guests=True)
    assert result["error"]["code"] == code
    assert not host.writes


def test_a_chain_that_cannot_be_read_counts_as_dependent(host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    guest(host, notes="")
    host.disk_files.pop(GUEST_DISK)
    assert remove(host)["error"]["code"] == "DISK_IN_USE"
    monkeypatch.setattr(host, "disks", _broken)
    assert remove(host)["error"]["code"] == "DISK_IN_USE"


def _broken(_paths: t.Sequence[str]) -> t.NoReturn:
    raise CommandFailed("the disk is damaged")


@pytest.mark.parametrize(
    ("changes", "code"), [({"state": "Running"}, "VM_NOT_OFF"), ({"notes": "Ask Ada."}, "STAMP_MISSING")]
)
def test_a_copy_that_somebody_uses_or_has_taken_stays(host: FakeHost, changes: Values, code: str) -> None:
    host.change(COPY_ID, **changes)
    result = remove(host)
    assert result["error"]["code"] == code
    assert not host.writes


def test_a_copy_that_was_moved_away_goes_and_its_files_stay_where_they_are(host: FakeHost) -> None:
    host.change(COPY_ID, path=r"E:\Else", configuration_location=r"E:\Else")
    host.attached[COPY_ID] = [r"E:\Else\gold.vhdx"]
    host.add_disk(r"E:\Else\gold.vhdx")
    result = remove(host)
    assert result["left"] == [r"E:\Else\gold.vhdx"]
    assert COPY_ID not in host.machines
    assert r"E:\Else\gold.vhdx" in host.files.content


def test_while_another_run_works_there_nothing_is_removed(host: FakeHost) -> None:
    lease = rf"{BASE}\fanout\leases\copy-{T_ID}\1"
    host.files.put(
        rf"{lease}\owner.json", '{"controller": "other", "pid": 1, "run": "r", "nonce": "n", "started": null}'
    )
    result = remove(host)
    assert result["error"]["code"] == "LEASE_HELD"
    assert COPY_ID in host.machines


def test_a_removal_that_was_cut_off_is_finished_by_the_next(host: FakeHost) -> None:
    def cut(what: str, which: str) -> None:
        if what == "remove" and "leases" not in which:
            raise CommandFailed("gone")

    host.before_write = cut
    assert remove(host)["failed"]
    assert COPY_ID not in host.machines
    host.before_write = lambda _what, _which: None
    result = remove(host)
    assert result["changed"]
    assert not result.get("failed")
    assert not [path for path in host.files.content if "fanout" in path]
