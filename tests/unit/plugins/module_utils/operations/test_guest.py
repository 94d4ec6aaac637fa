# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests are made, made anew and removed; and whatever step a run was killed at, the next one ends with the same."""

from __future__ import annotations

import itertools
import typing as t
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _guest_stopping, _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._baseline import Baseline
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import OperationTimedOut
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Definition, Drive, Entry
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import Layout, join, name_of
from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_operation
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Owner, Values
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.guest import OPERATION
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import (
    COPY_ID,
    OTHER_ID,
    T_ID,
    FakeHost,
    defaults,
    vm,
    work,
)

PATH, NAME = r"D:\Templates", "win11-gold"
REVISION, NEWER = "0123456789ab", "ba9876543210"
HERE = Layout(PATH, T_ID)
GONE = Owner(controller="here", pid=2**22 + 1, run="run-1")
NAMES = ("web-1", "web-2")


class Provider(FakeHost):
    """A host that can make, start and stop VMs; each writing call can be the last one."""

    def __init__(self) -> None:
        super().__init__("hv02")
        self.read_only: set[str] = set()
        self.how: dict[str, str] = {}
        self.addresses: dict[str, tuple[tuple[str, str], ...]] = {}

    def add_copy(self, revision: str, vm_id: str = COPY_ID, **changes: t.Any) -> VM:
        folder = HERE.attempt(revision, vm_id[:8])
        stamp = _stamp.Stamp(
            kind="copy", vm_id=vm_id, template_id=T_ID, template_name=NAME, source="hv01", revision=revision
        )
        place = {"path": folder, "configuration_location": folder, "notes": stamp.line()}
        made = vm(vm_id, NAME, **{**place, **changes})
        disk = join(folder, "Virtual Hard Disks", "gold.vhdx")
        self.add(made, disk)
        self.files.put(join(folder, "Virtual Machines", f"{vm_id}.vmcx"), 10)
        facts = self.disk_facts(self.disks([disk]))
        baseline = Baseline(vm_id=vm_id, state="Off", revision=revision, disks=facts)
        self.files.put(HERE.baseline(folder), baseline.to_json())
        return made

    def supersede(self, revision: str) -> None:
        """A newer copy arrives."""
        old = self.machines[COPY_ID]
        stamp = _stamp.parse(old.notes, COPY_ID)
        assert stamp is not None
        self.change(COPY_ID, name=f"fanout-{COPY_ID[:8]}", notes=replace(stamp, superseded=True).line())
        self.add_copy(revision, OTHER_ID)

    def new_differencing_disk(self, path: str, parent: str) -> None:
        self.wrote("new_disk", path)
        assert parent in self.read_only, "the parent can be written to"
        self.add_disk(path, size=10, parent_path=parent)

    def new_vm(self, name: str, folder: str, like: Definition, disk: str, switch: str | None) -> VM:
        self.wrote("new_vm", name)
        place = join(folder, name)
        made = vm(str(uuid.uuid4()), name, path=place, configuration_location=place)
        self.files.put(join(place, "Virtual Machines", f"{made.id}.vmcx"), 10)
        self.machines[made.id], self.attached[made.id] = made, [disk]
        return made

    def import_copy(self, vmcx: str, folder: str, **_options: t.Any) -> VM:
        self.wrote("import", folder)
        copy = next(one for one in self.machines.values() if one.name == NAME)
        assert vmcx.endswith(f"{copy.id}.vmcx")
        made = vm(str(uuid.uuid4()), NAME, path=folder, configuration_location=folder, notes=copy.notes)
        self.files.put(join(folder, "Virtual Machines", f"{made.id}.vmcx"), 10)
        disks = [join(folder, "Virtual Hard Disks", name_of(path)) for path in self.attached[copy.id]]
        self.read_only |= set(disks)
        return self.add(made, *disks)

    def remove_vm(self, vm_id: str) -> None:
        assert self.machines[vm_id].state == "Off"
        folder = self.machines[vm_id].configuration_location
        super().remove_vm(vm_id)
        self.files.content.pop(join(folder, "Virtual Machines", f"{vm_id}.vmcx"), None)

    def set_resources(self, vm_id: str, like: Definition) -> None:
        self.wrote("resources", f"{like.processors} processors, {like.memory_startup >> 20} MiB")

    def set_secure_boot(self, vm_id: str, template: str | None) -> None:
        self.wrote("firmware", vm_id)

    def add_drive(self, vm_id: str, drive: Drive, path: str) -> None:
        self.wrote("drive", path)
        self.attached[vm_id].append(path)

    def connect_adapters(self, vm_id: str, switch: str) -> None:
        self.wrote("connect", switch)

    def set_vlan(self, vm_id: str, vlan: int) -> None:
        self.wrote("vlan", str(vlan))

    def set_mac(self, vm_id: str, name: str, mac: str) -> None:
        self.wrote("mac", mac)
        self.addresses[vm_id] = ((name, mac),)

    def macs(self, vm_id: str) -> tuple[tuple[str, str], ...]:
        return self.addresses.get(vm_id, ())

    def start_vm(self, vm_id: str) -> None:
        self.wrote("start", vm_id)
        assert not self.read_only & set(self.attached[vm_id])
        self.change(vm_id, state="Running")

    def shut_down(self, vm_id: str, timeout: float, on_poll: Callable[[], None] | None = None) -> None:
        self.wrote("shut_down", vm_id)
        if self.how.get(vm_id) == "ignores":
            raise OperationTimedOut("it did not end")
        self.change(vm_id, state="Off")

    def turn_off(self, vm_id: str) -> None:
        self.wrote("turn_off", vm_id)
        self.change(vm_id, state="Off")


def provider() -> Provider:
    host = Provider()
    found = host.files.found

    def entries(paths: t.Sequence[str]) -> tuple[Entry, ...]:
        return tuple(replace(entry, is_read_only=entry.path in host.read_only) for entry in found(paths))

    def set_read_only(path: str, on: bool) -> None:
        host.wrote("read_only", path)
        (host.read_only.add if on else host.read_only.discard)(path)

    monkey: t.Any = host.files
    monkey.found, monkey.set_read_only = entries, set_read_only
    monkey.remove_folder_if_empty = host.files.remove_emptied_folder
    host.add_copy(REVISION)
    return host


def guests(host: Provider, *, check_mode: bool = False, **given: t.Any) -> Values:
    values = {"template_id": T_ID, "name": NAME, "revision": REVISION, "target_path": PATH, "names": list(NAMES)}
    task = work(defaults(OPERATION, **{**values, **given}), host=host)
    return run_operation(OPERATION, replace(task, owner=GONE), check_mode=check_mode, diff=True)


def ours(host: Provider) -> dict[str, VM]:
    found = {}
    for machine in host.machines.values():
        stamp = _stamp.parse(machine.notes, machine.id)
        if stamp is not None and stamp.kind == "guest":
            assert machine.name not in found
            found[machine.name] = machine
    return found


def assert_complete(host: Provider, names: t.Sequence[str], revision: str, kind: str, state: str = "Running") -> None:
    """Each guest once, named, stamped, started; nothing else in our folders but copies."""
    found = ours(host)
    assert sorted(found) == sorted(names)
    for machine in found.values():
        stamp = _stamp.parse(machine.notes, machine.id)
        assert stamp is not None
        assert (stamp.revision, stamp.unfinished, (stamp.made or {})["kind"]) == (revision, False, kind)
        assert machine.state == state
        (path,) = host.attached[machine.id]
        parent = host.disk_files[path].parent_path
        assert (revision in parent) is (kind == "linked")
    folders = {machine.configuration_location for machine in host.machines.values()}
    others = [path for path in host.files.content if not any(path.startswith(folder) for folder in folders)]
    disks = {path for paths in host.attached.values() for path in paths}
    # What is left of a copy whose removal was killed is a leftover that the next distribution cleans.
    kept = (HERE.leases, HERE.attempt(REVISION, COPY_ID[:8]))
    assert [path for path in others if path not in disks and not path.startswith(kept)] == []


@pytest.mark.parametrize("kind", ["full", "linked"])
def test_what_is_missing_is_made_and_nothing_else(kind: str) -> None:
    host = provider()
    done = guests(host, kind=kind, memory_mb=2048, processors=4, switch="Production", vlan=7)
    assert done["changed"], done
    assert_complete(host, NAMES, REVISION, kind)
    assert done["summary"] == {"count": 2, "outdated": 0}
    assert ("resources", "4 processors, 2048 MiB") in host.writes
    assert {("connect", "Production"), ("vlan", "7")} <= set(host.writes)
    host.writes.clear()
    again = guests(host, kind=kind, memory_mb=4096)
    assert not again["changed"], again
    assert host.writes == []
    assert guests(host, names=[*NAMES, "web-3"])["made"] == ["web-3"]


def test_check_mode_says_what_it_would_make() -> None:
    host = provider()
    planned = guests(host, check_mode=True, kind="linked")
    assert planned["changed"]
    assert planned["plan"] == ["make web-1 (linked)", "make web-2 (linked)"]
    assert host.writes == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"names": ["a", "A"]}, "INVALID_INPUT"),
        ({"names": [" "]}, "INVALID_INPUT"),
        ({"names": [NAME.upper()]}, "INVALID_INPUT"),
        ({"names": None, "count": 2, "pattern": "{template.__class__}"}, "INVALID_INPUT"),
        ({"names": None, "count": 2, "pattern": "same"}, "INVALID_INPUT"),
        ({"names": None, "count": 2, "pattern": "{index:99999999}"}, "INVALID_INPUT"),
        ({"count": -1, "names": None}, "INVALID_INPUT"),
        ({"vlan": 4095}, "INVALID_INPUT"),
        ({"revision": "latest"}, "INVALID_INPUT"),
        ({"guest_path": "guests"}, "INVALID_PATH"),
        ({"state": "absent", "names": None}, "INVALID_INPUT"),
        ({"revision": NEWER}, "NO_CURRENT_COPY"),
        ({"switch": "Nope"}, "SWITCH_MISSING"),
        ({"guest_path": "D:\\" + "x" * 200}, "INVALID_PATH"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_touched(given: Values, code: str) -> None:
    host = provider()
    done = guests(host, **given)
    assert done["failed"]
    assert done["error"]["code"] == code, done["msg"]
    assert host.writes == []


def test_names_by_number() -> None:
    host = provider()
    guests(host, names=None, count=2, kind="linked")
    assert sorted(ours(host)) == ["win11-gold-hv02-001", "win11-gold-hv02-002"]


@pytest.mark.parametrize("state", ["present", "recreated"])
def test_a_vm_of_that_name_that_is_not_ours_is_a_conflict(state: str) -> None:
    host = provider()
    stranger = host.add(vm(OTHER_ID, "WEB-2"), r"D:\VMs\web.vhdx")
    done = guests(host, state=state)
    assert done["error"]["code"] == "GUEST_NAME_CONFLICT"
    assert OTHER_ID in done["msg"]
    assert host.writes == []
    assert host.machines[OTHER_ID] == stranger


def test_a_guest_whose_notes_were_emptied_is_nobodys() -> None:
    host = provider()
    guests(host)
    machine = ours(host)["web-1"]
    host.change(machine.id, notes="")
    host.writes.clear()
    done = guests(host, state="recreated", everything=True)
    assert done["error"]["code"] == "GUEST_NAME_CONFLICT"
    assert host.writes == []


@pytest.mark.parametrize("kind", ["full", "linked"])
def test_outdated_guests_are_made_anew(kind: str) -> None:
    host = provider()
    guests(host, kind=kind, memory_mb=2048)
    before = {machine.id for machine in ours(host).values()}
    host.supersede(NEWER)
    assert guests(host, revision=NEWER)["summary"] == {"count": 2, "outdated": 2}
    done = guests(host, revision=NEWER, names=None, state="recreated")
    assert done["changed"], done
    assert_complete(host, NAMES, NEWER, kind)
    assert not before & set(host.machines)
    assert COPY_ID not in host.machines, "nobody needs the older copy any more"
    assert ("resources", "2 processors, 2048 MiB") in host.writes
    assert not guests(host, revision=NEWER, names=None, state="recreated")["changed"]


def test_the_older_copy_stays_while_one_guest_stands_on_it() -> None:
    host = provider()
    guests(host, kind="linked")
    host.supersede(NEWER)
    guests(host, revision=NEWER, names=["web-1"], state="recreated")
    assert COPY_ID in host.machines
    assert guests(host, revision=NEWER)["summary"] == {"count": 2, "outdated": 1}
    guests(host, revision=NEWER, names=["web-2"], state="recreated")
    assert COPY_ID not in host.machines


def test_a_disk_of_a_checkpoint_keeps_the_older_copy() -> None:
    host = provider()
    guests(host, kind="linked", names=["web-1"])
    disk = host.attached[COPY_ID][0]
    host.supersede(NEWER)
    stranger = host.add(vm("dddddddd-0000-4000-8000-000000000004", "mine"), r"D:\VMs\mine.vhdx")
    host.checkpointed[stranger.id] = [disk]
    done = guests(host, revision=NEWER, names=["web-1"], state="recreated")
    assert COPY_ID in host.machines
    assert any("is kept" in note for note in done["notes"])


@pytest.mark.parametrize("turn_off", [False, True])
def test_a_guest_that_does_not_shut_down(turn_off: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_guest_stopping, "POLL", 0.01)
    host = provider()
    guests(host)
    stubborn = ours(host)["web-1"]
    host.how[stubborn.id] = "ignores"
    done = guests(host, names=["web-1"], state="recreated", everything=True, turn_off=turn_off, shutdown_timeout=0.01)
    if turn_off:
        assert stubborn.id not in host.machines
        assert_complete(host, NAMES, REVISION, "full")
    else:
        assert done["error"]["code"] == "GUEST_DID_NOT_STOP"
        assert host.machines[stubborn.id].state == "Running"


def test_addresses_are_kept_if_wanted() -> None:
    host = provider()
    guests(host, names=["web-1"])
    host.addresses[ours(host)["web-1"].id] = (("LAN", "00155D010203"),)
    guests(host, names=["web-1"], state="recreated", everything=True, keep_macs=True)
    assert host.macs(ours(host)["web-1"].id) == (("LAN", "00155D010203"),)
    host.addresses[ours(host)["web-1"].id] = (("LAN", "00155D010203"), ("LAN", "00155D010204"))
    done = guests(host, names=["web-1"], state="recreated", everything=True, keep_macs=True)
    assert done["error"]["code"] == "ADAPTERS_ALIKE"


def test_guests_are_removed_by_name() -> None:
    host = provider()
    guests(host, kind="linked")
    done = guests(host, state="absent", names=["web-1", "nobody"])
    assert done["changed"]
    assert_complete(host, ["web-2"], REVISION, "linked")


def test_a_guest_that_was_moved_is_left_alone() -> None:
    host = provider()
    guests(host, names=["web-1"])
    machine = ours(host)["web-1"]
    host.change(machine.id, path=r"E:\Elsewhere", configuration_location=r"E:\Elsewhere")
    host.writes.clear()
    done = guests(host, names=["web-1"], state="recreated", everything=True)
    assert done["error"]["code"] == "GUEST_MOVED"
    assert host.writes == []


def test_what_a_killed_run_has_left_in_another_folder_is_found_by_the_guests_stamp() -> None:
    host = provider()
    elsewhere = r"E:\Guests"
    guests(host, names=["web-1"], guest_path=elsewhere)
    assert ours(host)["web-1"].configuration_location.startswith(elsewhere)
    folder = Layout(elsewhere, T_ID).guest("0123abcd")
    host.files.put(join(folder, "owner.json"), "{}")
    host.add_disk(join(folder, "Virtual Hard Disks", "gold.vhdx"))
    assert guests(host, names=["web-1"])["plan"] == [f"clean {folder}"]
    assert not [path for path in host.files.content if path.startswith(folder)]


class Killed(BaseException):
    """The process is gone at this point."""


def kill_at(host: Provider, count: int) -> None:
    numbers = itertools.count(1)

    def die(_what: str, _which: str) -> None:
        if next(numbers) == count:
            raise Killed

    host.before_write = die


def survive(host: Provider) -> None:
    host.before_write = lambda _what, _which: None


@pytest.mark.parametrize(
    ("how", "kind"),
    [("made", "full"), ("made", "linked"), ("made anew", "linked"), ("made anew, then looked at only", "full")],
)
def test_killed_before_any_of_its_writes_the_next_run_ends_well(how: str, kind: str) -> None:
    for count in range(1, 300):
        host = provider()
        revision = REVISION
        if how != "made":
            guests(host, kind=kind, names=["web-1"], memory_mb=2048)
            host.addresses[ours(host)["web-1"].id] = (("LAN", "00155D010203"),)
            host.supersede(NEWER)
            revision = NEWER
        asked: Values = {"revision": revision, "names": ["web-1"], "keep_macs": True}
        asked |= {"kind": kind} if how == "made" else {"state": "recreated"}
        kill_at(host, count)
        finished = True
        try:
            guests(host, **asked)
        except Killed:
            finished = False
        survive(host)
        if how.endswith("only") and not finished:
            asked["state"] = "present"
        again = guests(host, **asked)
        assert not again.get("failed"), (count, again)
        if how.endswith("only") and guests(host, **asked)["summary"]["outdated"]:
            revision = REVISION  # it was killed before the guest was removed, and nobody asked for a new one
        assert_complete(host, ["web-1"], revision, kind, ours(host)["web-1"].state)
        if how != "made" and revision == NEWER:
            assert host.macs(ours(host)["web-1"].id) == (("LAN", "00155D010203"),), count
            stamp = _stamp.parse(ours(host)["web-1"].notes, ours(host)["web-1"].id)
            assert stamp is not None
            assert (stamp.made or {})["memory_mb"] == 2048
        if finished:
            assert count > 12, "too few steps were looked at"
            return
    raise AssertionError("it never ended")
