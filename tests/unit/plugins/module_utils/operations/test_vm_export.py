# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An export counts when it is complete and is what the VM is now; everything else is made anew or refused."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import CommandFailed, Orphaned, OutcomeUnknown
from ansible_collections.fanout.hyperv.plugins.module_utils._manifest import Manifest
from ansible_collections.fanout.hyperv.plugins.module_utils._record import Record
from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_operation
from ansible_collections.fanout.hyperv.plugins.module_utils.operations import template, vm_export
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import (
    OTHER_ID,
    STAGING,
    T_ID,
    FakeHost,
    FakeReporter,
    defaults,
    vm,
    work,
)

DISK = r"D:\VMs\gold.vhdx"


@pytest.fixture
def host() -> FakeHost:
    fake = FakeHost()
    fake.add(vm(), DISK)
    declare = work(defaults(template.OPERATION, id=T_ID, staging_path=STAGING, targets=["hv02"]), host=fake)
    assert run_operation(template.OPERATION, declare, check_mode=False, diff=False)["changed"]
    fake.writes.clear()
    return fake


def run(host: FakeHost, *, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
    params = defaults(vm_export.OPERATION, **{"id": T_ID, "lease_timeout": 0, **given})
    return run_operation(vm_export.OPERATION, work(params, host=host), check_mode=check_mode, diff=True)


def exports(host: FakeHost) -> int:
    return sum(what == "export" for what, _which in host.writes)


def manifest(host: FakeHost, result: dict[str, t.Any]) -> Manifest:
    return Manifest.from_json(str(host.files.content[result["export"]["manifest"]]))


def leases(host: FakeHost) -> list[str]:
    return [path for path in host.files.content if "\\leases\\" in path]


def test_the_first_export(host: FakeHost) -> None:
    result = run(host)
    assert result["changed"]
    written = manifest(host, result)
    assert written.revision == result["export"]["revision"]
    assert [file.size for file in written.files] == [1000, 10]
    assert [(disk.size, disk.guid) for disk in written.disks] == [(10000, "guid-1")]
    assert not any(file.sha256 for file in written.files)
    assert host.files.content[result["export"]["vmcx"]] == 10
    record = Record.from_json(str(host.files.content[rf"{STAGING}\fanout\{T_ID}\record.json"]))
    assert record.revision == written.revision
    assert record.targets == ("hv02",)
    assert not leases(host), "the lease is given back"


def test_the_second_run_changes_nothing(host: FakeHost) -> None:
    first = run(host)
    host.writes.clear()
    second = run(host)
    assert not second["changed"]
    assert second["export"] == first["export"]
    assert not host.writes


def test_check_mode_writes_nothing_and_says_where_the_export_would_be(host: FakeHost) -> None:
    predicted = run(host, check_mode=True)
    assert not host.writes
    real = run(host)
    assert predicted["msg"] == real["msg"]
    assert predicted["diff"] == real["diff"]
    assert predicted["export"]["vmcx"] == real["export"]["vmcx"]
    assert predicted["export"]["manifest"] == real["export"]["manifest"]


def test_hashes_are_added_later_without_another_export(host: FakeHost) -> None:
    run(host)
    result = run(host, hash=True)
    assert result["changed"]
    assert result["export"]["hashed"]
    assert exports(host) == 1
    assert all(file.sha256 for file in manifest(host, result).files)
    assert not run(host, hash=True)["changed"]
    assert not run(host)["changed"], "hashes that are there do not disturb"
    assert len(host.hashed) == 2


@pytest.mark.parametrize("damage", ["no manifest", "damaged manifest", "missing file", "other size"])
def test_an_incomplete_export_is_thrown_away_and_made_anew(host: FakeHost, damage: str) -> None:
    first = run(host)
    disk = next(path for path in host.files.content if path.endswith("Virtual Hard Disks\\gold.vhdx"))
    if damage == "no manifest":
        del host.files.content[first["export"]["manifest"]]
    elif damage == "damaged manifest":
        host.files.content[first["export"]["manifest"]] = '{"schema": 1, '
    elif damage == "missing file":
        del host.files.content[disk]
    else:
        host.files.content[disk] = 999
    result = run(host)
    assert result["changed"]
    assert exports(host) == 2
    assert "throw the incomplete export away" in result["plan"]
    assert not run(host)["changed"]


def test_a_strange_file_in_the_way_is_not_removed(host: FakeHost) -> None:
    first = run(host)
    del host.files.content[first["export"]["manifest"]]
    strange = first["export"]["folder"] + "\\notes.docx"
    host.files.put(strange, "mine")
    result = run(host)
    assert result["error"]["code"] == "EXPORT_IN_THE_WAY"
    assert strange in result["msg"]
    assert strange in host.files.content


def test_an_export_in_use_is_not_thrown_away(host: FakeHost) -> None:
    first = run(host)
    del host.files.content[first["export"]["manifest"]]
    disk = next(path for path in host.files.content if path.endswith("Virtual Hard Disks\\gold.vhdx"))
    host.add(vm(OTHER_ID, "linked"), r"D:\VMs\child.vhdx", parent_path=disk)
    assert run(host)["error"]["code"] == "FOLDER_IN_USE"
    assert disk in host.files.content


def test_another_content_is_another_revision_beside_the_old_one(host: FakeHost) -> None:
    first = run(host)
    host.guids[DISK] = "guid-2"
    second = run(host)
    assert second["changed"]
    assert second["export"]["revision"] != first["export"]["revision"]
    assert second["export"]["folder"] != first["export"]["folder"]
    assert first["export"]["vmcx"] in host.files.content


def test_a_template_that_changes_meanwhile_makes_no_export(host: FakeHost) -> None:
    def somebody_writes(what: str, _which: str) -> None:
        if what == "export":
            host.guids[DISK] = "guid-2"

    host.before_write = somebody_writes
    result = run(host)
    assert result["error"]["code"] == "TEMPLATE_CHANGED"
    assert "content" in result["msg"]
    assert not any(path.endswith((".vmcx", "manifest.json")) for path in host.files.content)
    assert not leases(host)


def test_a_template_that_is_started_meanwhile_makes_no_export(host: FakeHost) -> None:
    host.before_write = lambda what, _which: host.change(T_ID, state="Running") if what == "export" else None
    assert run(host)["error"]["code"] == "TEMPLATE_CHANGED"


def test_a_failed_export_leaves_nothing_and_says_why(host: FakeHost) -> None:
    def full(what: str, _which: str) -> None:
        if what == "export":
            raise CommandFailed("Failed to copy file during export.", code="0x80070070", remedy="Make room.")

    host.before_write = full
    result = run(host)
    assert result["error"]["code"] == "0x80070070"
    assert result["changed"], "something had begun"
    assert not any(path.endswith(".vmcx") for path in host.files.content)
    host.before_write = lambda _what, _which: None
    assert run(host)["changed"]


def test_a_lost_answer_is_waited_for_and_not_trusted(host: FakeHost) -> None:
    def lost(what: str, _which: str) -> None:
        if what == "export":
            raise OutcomeUnknown("the answer was lost")

    host.before_write = lost
    result = run(host)
    assert result["error"]["code"] == "OUTCOME_UNKNOWN"
    assert not any(path.endswith((".vmcx", "manifest.json")) for path in host.files.content)
    assert leases(host), "who comes next asks the host first"


def test_an_orphan_touches_nothing_any_more(host: FakeHost) -> None:
    params = defaults(vm_export.OPERATION, id=T_ID, lease_timeout=0)
    job = work(params, host=host)
    reporter = t.cast(FakeReporter, job.reporter)

    def gone() -> None:
        if any(path.endswith(".vmcx") for path in host.files.content):
            raise Orphaned

    reporter.on_check = gone
    with pytest.raises(Orphaned):
        run_operation(vm_export.OPERATION, job, check_mode=False, diff=False)
    assert any(path.endswith(".vmcx") for path in host.files.content)
    assert leases(host)


def test_another_holder_of_the_lease_is_named(host: FakeHost) -> None:
    host.files.put(
        rf"{STAGING}\fanout\leases\export\1\owner.json",
        '{"controller": "elsewhere", "pid": 7, "run": "run-7", "nonce": "n"}',
    )
    result = run(host)
    assert result["error"]["code"] == "LEASE_HELD"
    assert "elsewhere" in result["msg"]
    assert exports(host) == 0


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"state": "Running"}, "VM_NOT_OFF"),
        ({"state": "Saved"}, "VM_NOT_OFF"),
        ({"name": "a/b"}, "TEMPLATE_NAME"),
        ({"name": "con"}, "TEMPLATE_NAME"),
        ({"name": "x" * 101}, "TEMPLATE_NAME"),
    ],
)
def test_what_cannot_be_exported_is_refused_before_anything_is_written(
    host: FakeHost, changes: dict[str, str], code: str
) -> None:
    host.change(T_ID, **changes)
    result = run(host)
    assert result["error"]["code"] == code
    assert not result["changed"]
    assert not host.writes


@pytest.mark.parametrize("name", ['it\'s "quoted"'.replace('"', ""), "$(evil);", "gold[1]", "Ümläut ß", "x" * 100])
def test_names_of_all_kinds_are_folders(host: FakeHost, name: str) -> None:
    host.change(T_ID, name=name)
    assert run(host)["changed"]
    assert not run(host)["changed"]


def test_the_revision_that_was_planned_is_the_one_that_is_exported(host: FakeHost) -> None:
    result = run(host, revision="0123456789ab")
    assert result["error"]["code"] == "TEMPLATE_CHANGED"
    assert not host.writes


# A folder that people name


def test_a_plain_export(host: FakeHost) -> None:
    first = run(host, path=r"E:\Exports")
    assert first["changed"]
    assert first["export"]["folder"] == r"E:\Exports\win11-gold"
    assert first["export"]["manifest"] == r"E:\Exports\win11-gold\manifest.json"
    assert not run(host, path=r"E:\Exports")["changed"]
    assert not leases(host)


def test_a_plain_export_never_replaces_anything(host: FakeHost) -> None:
    run(host, path=r"E:\Exports")
    host.guids[DISK] = "guid-2"
    host.writes.clear()
    result = run(host, path=r"E:\Exports")
    assert result["error"]["code"] == "EXPORT_IN_THE_WAY"
    assert not host.writes


def test_a_failed_plain_export_leaves_what_is_there_to_people(host: FakeHost) -> None:
    def fails(what: str, _which: str) -> None:
        if what == "export":
            raise CommandFailed("Failed.")

    host.before_write = fails
    assert run(host, path=r"E:\Exports")["failed"]
    assert "remove" not in {what for what, _which in host.writes}
