# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declaring a template and taking it back."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    Conflict,
    HyperVError,
    InvalidInput,
    NotFound,
    Refused,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._record import Record
from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_operation
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Change
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.template import OPERATION, decide
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

RECORD = rf"{STAGING}\fanout\{T_ID}\record.json"


@pytest.fixture
def host() -> FakeHost:
    fake = FakeHost()
    fake.add(vm(notes="Ask Ada before you change this."), r"D:\VMs\gold.vhdx")
    return fake


def run(host: FakeHost, *, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
    given = {"staging_path": STAGING, **given}
    if "id" not in given:
        given.setdefault("name", "win11-gold")
    return run_operation(OPERATION, work(defaults(OPERATION, **given), host=host), check_mode=check_mode, diff=True)


def record(host: FakeHost) -> Record:
    return Record.from_json(str(host.files.content[RECORD]))


def test_declare_writes_record_and_stamp_and_keeps_what_people_wrote(host: FakeHost) -> None:
    result = run(host, targets=["hv02", "hv03"])
    assert result["changed"]
    assert record(host).targets == ("hv02", "hv03")
    assert record(host).multi_provider
    notes = host.machines[T_ID].notes
    assert notes.startswith("Ask Ada before you change this.")
    stamp = _stamp.parse(notes, T_ID)
    assert stamp is not None
    assert (stamp.kind, stamp.source, stamp.staging) == ("template", "hv01", STAGING)
    places = [which for what, which in host.writes if what in ("write", "notes")]
    assert places == [RECORD, T_ID], "the record comes first"
    assert not [path for path in host.files.content if "leases" in path]


def test_declare_again_changes_nothing_also_without_the_staging_path(host: FakeHost) -> None:
    run(host, targets=["hv02"])
    host.writes.clear()
    result = run(host, targets=["hv02"], staging_path=None)
    assert not result["changed"]
    assert result["template"]["staging_path"] == STAGING
    assert not host.writes


def test_check_mode_tells_the_same_and_writes_nothing(host: FakeHost) -> None:
    predicted = run(host, targets=["hv02"], check_mode=True)
    assert not host.writes
    assert predicted == run(host, targets=["hv02"])


def test_targets_that_are_left_out_stay_and_those_that_leave_are_remembered(host: FakeHost) -> None:
    run(host, targets=["hv02", "hv03"])
    run(host)
    assert record(host).targets == ("hv02", "hv03")
    run(host, targets=["hv03", "hv04"])
    assert (record(host).targets, record(host).pending_removals, record(host).unlisted) == (
        ("hv03", "hv04"),
        (),
        ("hv02",),
    )
    run(host, targets=["hv02"], unlisted="remove")
    assert set(record(host).pending_removals) == {"hv03", "hv04"}
    assert record(host).unlisted == ()


def test_the_list_is_changed_by_names_too(host: FakeHost) -> None:
    run(host, targets=["hv02", "hv03"])
    run(host, add=["hv04"], remove=["hv02"])
    assert (record(host).targets, record(host).pending_removals) == (("hv03", "hv04"), ("hv02",))
    run(host, removed=["hv02"], supplied={"hv03": "uuid/hv03.lab.test"})
    assert (record(host).pending_removals, record(host).joining) == ((), ("hv04",))
    assert record(host).computers == {"hv03": "uuid/hv03.lab.test"}
    assert not run(host, add=["hv04"])["changed"]


def test_two_that_change_the_list_at_once_lose_nothing(host: FakeHost) -> None:
    run(host, targets=["hv02"])
    begun = decide(work(defaults(OPERATION, name="win11-gold", staging_path=STAGING, add=["hv03"]), host=host))
    assert isinstance(begun, Change)
    run(host, add=["hv04"])
    begun.apply()
    assert record(host).targets == ("hv02", "hv04", "hv03")


def test_another_name_of_the_vm_is_recorded(host: FakeHost) -> None:
    run(host)
    host.change(T_ID, name="win12-gold")
    assert run(host, id=T_ID)["changed"]
    assert record(host).name == "win12-gold"


@pytest.mark.parametrize("first, second", [(True, False), (False, True)])
def test_multi_provider_is_fixed_at_creation(host: FakeHost, first: bool, second: bool) -> None:
    run(host, multi_provider=first)
    host.writes.clear()
    result = run(host, multi_provider=second)
    assert result["failed"]
    assert not result["changed"]
    assert result["error"]["code"] == "MULTI_PROVIDER_FIXED"
    assert "deleted" in result["msg"]
    assert "recreated" in result["msg"]
    assert not host.writes
    assert not run(host, multi_provider=first)["changed"]


def test_a_template_for_one_provider_has_no_targets(host: FakeHost) -> None:
    with pytest.raises(InvalidInput):
        decide(work(defaults(OPERATION, name="win11-gold", multi_provider=False, targets=["hv02"]), host=host))


def test_the_staging_folder_is_fixed_too(host: FakeHost) -> None:
    run(host)
    result = run(host, staging_path=r"E:\Other")
    assert result["error"]["code"] == "STAGING_FIXED"


@pytest.mark.parametrize(
    "path", ["relative", r"D:\a*b", r"\\server\share", r"D:\a\..\b", r"D:\con", "D:\\" + "x" * 200]
)
def test_folders_that_cannot_be_used_are_refused(host: FakeHost, path: str) -> None:
    assert run(host, staging_path=path)["error"]["layer"] == "input"
    assert not host.writes


NAMES: list[tuple[dict[str, t.Any], type[HyperVError]]] = [
    ({"name": "win11"}, NotFound),
    ({"name": "win*"}, NotFound),
    ({"name": "WIN11-GOLD"}, NotFound),
    ({"name": " "}, InvalidInput),
    ({"id": "nonsense"}, InvalidInput),
    ({"id": "*"}, InvalidInput),
    ({"id": OTHER_ID}, NotFound),
]


@pytest.mark.parametrize("given, error", NAMES)
def test_only_the_exact_name_or_id_counts(host: FakeHost, given: dict[str, t.Any], error: type[HyperVError]) -> None:
    with pytest.raises(error) as caught:
        decide(work(defaults(OPERATION, staging_path=STAGING, **given), host=host))
    assert caught.value.remedy


def test_a_name_that_looks_like_a_pattern_means_one_vm(host: FakeHost) -> None:
    host.add(vm(OTHER_ID, "win11-gold[1]"))
    host.add(vm(COPY_ID, "win11-gold1"))
    run(host, name="win11-gold[1]")
    assert [which for what, which in host.writes if what == "notes"] == [OTHER_ID]


def test_one_name_for_two_vms_is_a_conflict_and_the_id_solves_it(host: FakeHost) -> None:
    host.add(vm(OTHER_ID))
    with pytest.raises(Conflict) as caught:
        decide(work(defaults(OPERATION, name="win11-gold"), host=host))
    assert T_ID in str(caught.value)
    assert OTHER_ID in str(caught.value)
    assert run(host, id=T_ID)["changed"]


def test_a_clone_on_its_way_does_not_make_the_name_ambiguous(host: FakeHost) -> None:
    place = rf"{STAGING}\fanout\{T_ID}\0123456789ab\clones\01234567"
    host.add(vm(OTHER_ID, path=place, configuration_location=place))
    assert run(host)["template"]["id"] == T_ID


def test_a_copy_is_not_a_template_but_a_clone_of_one_may_be(host: FakeHost) -> None:
    stamp = _stamp.Stamp(
        kind="copy", vm_id=T_ID, template_id=OTHER_ID, template_name="x", source="hv09", revision="0123456789ab"
    )
    host.change(T_ID, notes=stamp.line())
    assert run(host)["error"]["code"] == "IS_A_COPY"
    host.add(vm(COPY_ID, "cloned", notes=stamp.line()))
    assert run(host, name="cloned")["changed"]
    assert _stamp.parse(host.machines[COPY_ID].notes, COPY_ID) is not None


def test_a_failed_write_says_that_something_may_have_changed(host: FakeHost) -> None:
    def fail(what: str, _which: str) -> None:
        if what == "notes":
            raise Refused("no")

    host.before_write = fail
    result = run(host)
    assert result["failed"]
    assert result["changed"]
    host.before_write = lambda _what, _which: None
    assert run(host)["changed"], "the next run goes on"
    assert not run(host)["changed"]


# Taking back


def test_absent_removes_stamp_and_record_and_keeps_what_people_wrote(host: FakeHost) -> None:
    run(host)
    result = run(host, state="absent", staging_path=None)
    assert result["changed"]
    assert RECORD not in host.files.content
    assert host.machines[T_ID].notes == "Ask Ada before you change this."
    assert not run(host, state="absent")["changed"]


def test_absent_clears_the_staged_export_but_no_strange_file(host: FakeHost) -> None:
    run(host)
    export = rf"{STAGING}\fanout\{T_ID}\0123456789ab\export\win11-gold"
    host.files.put(rf"{export}\Virtual Hard Disks\gold.vhdx", 1)
    host.files.put(rf"{export}\report.docx", "mine")
    result = run(host, state="absent")
    assert result["left"] == [rf"{export}\report.docx"]
    assert rf"{export}\Virtual Hard Disks\gold.vhdx" not in host.files.content
    assert rf"{export}\report.docx" in host.files.content


def test_absent_is_refused_while_providers_may_hold_copies(host: FakeHost) -> None:
    run(host, targets=["hv02"])
    assert run(host, state="absent", check_mode=True)["changed"], "nothing was exported yet: there can be no copy"
    exported = Record(
        template_id=T_ID, name="win11-gold", multi_provider=True, targets=("hv02",), revision="0123456789ab"
    )
    host.files.content[RECORD] = exported.to_json()
    result = run(host, state="absent")
    assert result["error"]["code"] == "COPIES_KNOWN"
    assert "hv02" in result["msg"]
    assert RECORD in host.files.content
    assert run(host, state="absent", keep_copies=True)["changed"]


def test_absent_is_refused_while_a_vm_uses_the_export(host: FakeHost) -> None:
    run(host)
    disk = rf"{STAGING}\fanout\{T_ID}\0123456789ab\export\win11-gold\Virtual Hard Disks\gold.vhdx"
    host.add(vm(OTHER_ID, "registered in place"), disk)
    result = run(host, state="absent")
    assert result["error"]["code"] == "FOLDER_IN_USE"
    assert not result["changed"]
    assert OTHER_ID in result["msg"]
    assert disk in host.files.content
    assert _stamp.parse(host.machines[T_ID].notes, T_ID) is not None


def test_absent_of_a_vm_that_is_not_there_or_no_template_is_done(host: FakeHost) -> None:
    assert not run(host, state="absent")["changed"]
    assert not run(host, state="absent", name="nobody")["changed"]
    assert not host.writes
