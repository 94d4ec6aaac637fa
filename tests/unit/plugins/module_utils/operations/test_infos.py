# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that only look return."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._baseline import Baseline
from ansible_collections.fanout.hyperv.plugins.module_utils._copies import Copies, look
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    AuthenticationFailed,
    CommandFailed,
    HostUnreachable,
    HyperVError,
    OutcomeUnknown,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_operation
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation
from ansible_collections.fanout.hyperv.plugins.module_utils.operations import host_info, template_info, vm_info
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import (
    COPY_ID,
    OTHER_ID,
    STAGING,
    T_ID,
    FakeHost,
    defaults,
    vm,
    work,
)

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host

REVISION = "0123456789ab"
FOLDER = rf"D:\VMs\fanout\{T_ID}\{REVISION}-01234567"
DISK = rf"{FOLDER}\Virtual Hard Disks\gold.vhdx"


def run(operation: Operation, host: FakeHost, **given: t.Any) -> dict[str, t.Any]:
    result = run_operation(operation, work(defaults(operation, **given), host=host), check_mode=False, diff=True)
    assert not host.writes
    assert not result["changed"]
    json.dumps(result)
    return result


def stamp(vm_id: str, **changes: t.Any) -> str:
    values: dict[str, t.Any] = {
        "kind": "copy",
        "vm_id": vm_id,
        "template_id": T_ID,
        "template_name": "win11-gold",
        "source": "hv01",
        "revision": REVISION,
    }
    return _stamp.Stamp(**{**values, **changes}).line()


# vm_info


def test_vms_by_name_by_id_and_all() -> None:
    host = FakeHost()
    for vm_id, name in ((T_ID, "gold"), (OTHER_ID, "gold"), (COPY_ID, "gold*")):
        host.add(vm(vm_id, name))
    assert len(run(vm_info.OPERATION, host)["vms"]) == 3
    assert [one["id"] for one in run(vm_info.OPERATION, host, name="gold")["vms"]] == [T_ID, OTHER_ID]
    assert [one["id"] for one in run(vm_info.OPERATION, host, name="gold*")["vms"]] == [COPY_ID]
    assert [one["id"] for one in run(vm_info.OPERATION, host, id=T_ID.upper())["vms"]] == [T_ID]
    assert run(vm_info.OPERATION, host, name="Gold")["vms"] == []
    assert run(vm_info.OPERATION, host, id="dddddddd-0000-4000-8000-000000000003")["vms"] == []


def test_a_stamp_of_another_vm_is_shown_as_foreign() -> None:
    host = FakeHost()
    host.add(vm(COPY_ID, "copy", notes=stamp(COPY_ID)))
    host.add(vm(OTHER_ID, "cloned", notes=stamp(COPY_ID)))
    copy, cloned = run(vm_info.OPERATION, host)["vms"]
    assert (copy["stamp"]["kind"], copy["foreign_stamp"]) == ("copy", None)
    assert (cloned["stamp"], cloned["foreign_stamp"]["vm_id"]) == (None, COPY_ID)


def test_the_definition_on_demand() -> None:
    host = FakeHost()
    host.add(vm(), r"D:\gold.vhdx")
    assert "definition" not in run(vm_info.OPERATION, host)["vms"][0]
    definition = run(vm_info.OPERATION, host, definition=True)["vms"][0]["definition"]
    assert definition["disks"][0]["path"] == r"D:\gold.vhdx"


@pytest.mark.parametrize("given", [{"id": "gold"}, {"id": "*"}, {"name": ""}, {"name": "  "}])
def test_nonsense_is_refused(given: dict[str, str]) -> None:
    result = run_operation(
        vm_info.OPERATION, work(defaults(vm_info.OPERATION, **given), host=FakeHost()), check_mode=False, diff=False
    )
    assert result["error"]["layer"] == "input"


# host_info


def survey(host: FakeHost, **given: t.Any) -> dict[str, t.Any]:
    asked = {"template_id": T_ID, "template_name": "win11-gold", "revision": REVISION, "target_path": r"D:\VMs"}
    return run(host_info.OPERATION, host, **{**asked, **given})


def test_a_survey() -> None:
    result = run(host_info.OPERATION, FakeHost("hv02"))
    assert result["reachable"]
    assert result["target_path"] == r"D:\VMs"
    assert result["copy"] is None
    assert result["host"]["fqdn"] == "hv02.lab.test"
    assert result["host"]["identity"] == "uuid-hv02/hv02"
    assert result["host"]["subtype"] == "standalone"


@pytest.mark.parametrize("error", [HostUnreachable("down"), AuthenticationFailed("who"), OutcomeUnknown("cut")])
def test_a_host_without_an_answer_is_a_result_if_wanted(error: HyperVError, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_host: FakeHost) -> t.NoReturn:
        raise error

    monkeypatch.setattr(FakeHost, "settings", fail)
    result = run(host_info.OPERATION, FakeHost(), tolerate_unreachable=True)
    assert result["reachable"] is False
    assert result["error"]["code"] == error.code
    strict = run_operation(
        host_info.OPERATION, work(defaults(host_info.OPERATION), host=FakeHost()), check_mode=False, diff=False
    )
    assert strict["failed"]


def with_copy(**changes: t.Any) -> FakeHost:
    host = FakeHost("hv02")
    notes = changes.pop("notes", stamp(COPY_ID))
    machine = host.add(vm(COPY_ID, path=FOLDER, configuration_location=FOLDER, notes=notes), DISK)
    facts = host.disk_facts(host.disks([DISK]))
    baseline = Baseline(vm_id=COPY_ID, state="Off", revision=REVISION, disks=facts)
    host.files.put(rf"{FOLDER}\baseline.json", baseline.to_json())
    host.change(machine.id, **changes)
    return host


def test_a_true_copy_is_current() -> None:
    copy = survey(with_copy())["copy"]
    assert (copy["verdict"], copy["reasons"], copy["leftovers"], copy["conflicts"]) == ("current", [], [], [])


def test_nothing_there() -> None:
    assert survey(FakeHost())["copy"]["verdict"] == "none"


def test_without_a_revision_there_is_nothing_to_be_current_against() -> None:
    assert survey(with_copy(), revision=None)["copy"]["verdict"] == "unknown"


def test_another_revision_is_older() -> None:
    copy = survey(with_copy(), revision="ba9876543210")["copy"]
    assert copy["verdict"] == "older"
    assert REVISION in copy["reasons"][0]


def held(host: FakeHost, *, adopt: bool = False) -> Copies:
    asked = t.cast("Host", host)
    return look(asked, base=r"D:\VMs", template_id=T_ID, name="win11-gold", revision=REVISION, adopt=adopt)


def _disk(host: FakeHost, **changes: t.Any) -> None:
    host.disk_files[DISK] = replace(host.disk_files[DISK], **changes)


def _start(host: FakeHost) -> None:
    host.change(COPY_ID, state="Running")
    host.guids.clear()  # the disks of a VM that runs cannot be read


def _add_disk(host: FakeHost) -> None:
    host.attached[COPY_ID].append(r"D:\more.vhdx")
    host.add_disk(r"D:\more.vhdx")


def _write_and_rename(host: FakeHost) -> None:
    host.guids[DISK] = "guid-2"
    host.change(COPY_ID, name="mine now")


BY_HAND: dict[str, t.Callable[[FakeHost], t.Any]] = {
    "started": _start,
    "saved": lambda host: host.change(COPY_ID, state="Saved"),
    "written": lambda host: host.guids.update({DISK: "guid-2"}),
    "renamed": lambda host: host.change(COPY_ID, name="mine now"),
    "written and renamed": _write_and_rename,
    "moved": lambda host: host.change(COPY_ID, path=r"D:\Mine", configuration_location=r"D:\Mine"),
    "disk added": _add_disk,
    "disk gone": lambda host: host.attached[COPY_ID].clear(),
    "disk cut short": lambda host: _disk(host, file_size=999),
    "disk replaced": lambda host: _disk(host, identifier="disk-9"),
    "checkpoint": lambda host: _disk(host, parent_path=r"D:\base.vhdx"),
    "file gone": lambda host: host.disk_files.pop(DISK),
    "stamp gone": lambda host: host.change(COPY_ID, notes=""),
}


def changed(what: str) -> FakeHost:
    host = with_copy()
    BY_HAND[what](host)
    return host


@pytest.mark.parametrize(
    ("what", "reason", "word"),
    [
        ("started", "started", "It is Running"),
        ("saved", "started", "It is Saved"),
        ("written", "changed", "written"),
        ("renamed", "renamed", "'mine now'"),
        ("written and renamed", "changed", "'mine now'"),
        ("moved", "moved", "D:\\Mine"),
        ("disk added", "changed", "added"),
        ("disk gone", "changed", "gone"),
        ("disk cut short", "changed", "999 bytes"),
        ("disk replaced", "changed", "identifier"),
        ("checkpoint", "changed", "parent"),
        ("file gone", "changed", "gone"),
        ("stamp gone", "unstamped", "no stamp"),
    ],
)
def test_what_was_changed_by_hand_differs(what: str, reason: str, word: str) -> None:
    copy = survey(changed(what))["copy"]
    assert (copy["verdict"], copy["reason"]) == ("differs", reason)
    assert word in " ".join(copy["reasons"])


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (CommandFailed("the file is corrupt", code="VHD_INVALID"), "Its disks cannot be read: the file is corrupt."),
        (HyperVError("no header", code="VHDX_HEADER_INVALID"), "Its disks cannot be read: no header."),
        (CommandFailed("held", code="FILE_IN_USE", transient=True), None),
        (CommandFailed("no right", code="ACCESS_DENIED"), None),
        (OutcomeUnknown("cut"), None),
    ],
)
def test_only_a_disk_that_is_unreadable_by_itself_counts_as_changed(
    error: HyperVError, told: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = with_copy()

    def fail(*_arguments: t.Any) -> t.NoReturn:
        raise error

    monkeypatch.setattr(host, "disk_facts", fail)
    if told is not None:
        assert survey(host)["copy"]["reasons"] == [told]
    else:
        with pytest.raises(HyperVError) as raised:
            held(host)
        assert raised.value is error


@pytest.mark.parametrize(
    ("what", "codes"),
    [
        ("written", []),
        ("renamed", []),
        ("moved", []),
        ("started", ["COPY_RUNNING"]),
        ("saved", ["COPY_RUNNING"]),
        ("stamp gone", ["STAMP_MISSING"]),
    ],
)
def test_what_is_in_use_or_has_no_stamp_is_not_replaced(what: str, codes: list[str]) -> None:
    obstacles = survey(changed(what))["copy"]["obstacles"]
    assert [one["code"] for one in obstacles] == codes
    assert all(one["what"] and one["remedy"] for one in obstacles)


def test_a_copy_of_an_older_revision_that_runs_is_not_replaced_either() -> None:
    copy = survey(with_copy(state="Running"), revision="ba9876543210")["copy"]
    assert (copy["verdict"], copy["reason"]) == ("older", "older")
    assert [one["code"] for one in copy["obstacles"]] == ["COPY_RUNNING"]


def test_a_renamed_copy_has_only_to_be_named_again() -> None:
    assert survey(changed("renamed"))["copy"]["arrived"]["id"] == COPY_ID
    assert survey(changed("written and renamed"))["copy"]["arrived"] is None


def test_a_copy_without_its_last_step_has_arrived() -> None:
    copy = survey(with_copy(name=f"fanout-{COPY_ID[:8]}"))["copy"]
    assert (copy["verdict"], copy["reason"]) == ("none", "unverified")
    assert copy["arrived"]["id"] == COPY_ID


@pytest.mark.parametrize(("baseline", "adoptable"), [(True, True), (False, False)])
def test_only_what_its_baseline_knows_can_be_adopted(baseline: bool, adoptable: bool) -> None:
    host = changed("stamp gone")
    if not baseline:
        host.files.remove_file(rf"{FOLDER}\baseline.json")
    found = held(host, adopt=True)
    assert (found.arrived is not None) is adoptable
    assert [one.code for one in found.obstacles] == ([] if adoptable else ["STAMP_MISSING"])


def test_a_vm_of_the_same_name_is_a_conflict_and_a_clone_of_ours_is_not_ours() -> None:
    host = FakeHost()
    host.add(vm(OTHER_ID, "WIN11-gold", notes=stamp(COPY_ID)))
    copy = survey(host)["copy"]
    assert copy["verdict"] == "none"
    assert copy["copies"] == []
    assert [one["id"] for one in copy["conflicts"]] == [OTHER_ID]
    assert [one["id"] for one in copy["foreign"]] == [OTHER_ID]


def test_folders_of_attempts_without_a_vm_are_leftovers() -> None:
    host = with_copy()
    left = rf"D:\VMs\fanout\{T_ID}\{REVISION}-89abcdef"
    host.files.put(rf"{left}\Virtual Hard Disks\gold.vhdx", 700)
    host.files.put(rf"{left}\owner.json", '{"run": "run-7"}')
    host.files.make(rf"D:\VMs\fanout\{T_ID}\people's folder")
    copy = survey(host)["copy"]
    assert [(one["folder"], one["attempt"], one["owner"]["run"]) for one in copy["leftovers"]] == [
        (left, "89abcdef", "run-7")
    ]
    assert copy["leftover_bytes"] == 716


# template_info


def test_a_vm_that_is_no_template_is_described_when_asked_for() -> None:
    host = FakeHost()
    host.add(vm(), r"D:\gold.vhdx")
    assert run(template_info.OPERATION, host)["templates"] == []
    assert run(template_info.OPERATION, host, name="nobody")["templates"] == []
    one = run(template_info.OPERATION, host, name="win11-gold", staging_path=STAGING)["templates"][0]
    assert (one["declared"], one["record"], one["findings"]) == (False, None, [])
    assert len(one["revision"]) == 12
    assert one["export"]["complete"] is False
    assert one["needs"]["size"] == 1000


def test_a_disk_that_cannot_be_read_leaves_the_revision_open() -> None:
    host = FakeHost()
    host.add(vm(), r"D:\gold.vhdx")
    host.disk_files.clear()
    assert run(template_info.OPERATION, host, name="win11-gold")["templates"][0]["revision"] is None
