# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One target is supplied; and whatever step a run was killed at, the next run ends with the same result."""

from __future__ import annotations

import functools
import itertools
import typing as t
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp, _supply, _waiting
from ansible_collections.fanout.hyperv.plugins.module_utils._copies import look
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import CommandFailed, ErrorRecord
from ansible_collections.fanout.hyperv.plugins.module_utils._holdings import temporary_name
from ansible_collections.fanout.hyperv.plugins.module_utils._lease import Lease
from ansible_collections.fanout.hyperv.plugins.module_utils._manifest import Manifest, ManifestFile
from ansible_collections.fanout.hyperv.plugins.module_utils._moving import Mover
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, PlannedVM
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import Layout, join, name_of
from ansible_collections.fanout.hyperv.plugins.module_utils._running import run_operation
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Owner, Values
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.staging_clean import OPERATION as CLEAN
from ansible_collections.fanout.hyperv.plugins.module_utils.operations.template_copy import OPERATION
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import (
    COPY_ID,
    OTHER_ID,
    T_ID,
    FakeHost,
    defaults,
    job,
    vm,
    work,
)

STAGING, TARGET_PATH, DESTINATION = r"D:\Staging", r"D:\Templates", "hv02.lab.test"
REVISION, OLDER = "0123456789ab", "ba9876543210"
NAME = "win11-gold"
GONE = Owner(controller="here", pid=2**22 + 1, run="run-1")
"""A process that does not live: Linux gives no such number, so what it leaves behind is abandoned at once."""
HERE, THERE = Layout(TARGET_PATH, T_ID), Layout(STAGING, T_ID)


class Machine(FakeHost):
    """A host whose imports and moves bring their disks along."""

    def import_copy(self, vmcx: str, folder: str, **_options: t.Any) -> VM:
        self.wrote("import", folder)
        made = vm(str(uuid.uuid4()), NAME, path=folder, configuration_location=folder, notes=self.machines[T_ID].notes)
        disk = join(folder, "Virtual Hard Disks", "gold.vhdx")
        self.files.put(join(folder, "Virtual Machines", f"{made.id}.vmcx"), 10)
        return self.add(made, disk)

    def remove_vm(self, vm_id: str) -> None:
        folder = self.machines[vm_id].configuration_location
        super().remove_vm(vm_id)
        self.files.content.pop(join(folder, "Virtual Machines", f"{vm_id}.vmcx"), None)

    def arrive(self, vm_id: str, destination_host: str, folder: str) -> None:
        peer = self.peers[destination_host]
        disks = self.attached[vm_id]
        machine = self.machines[vm_id]
        super().arrive(vm_id, destination_host, folder)
        moved = replace(machine, path=folder, configuration_location=folder)
        peer.files.put(join(folder, "Virtual Machines", f"{vm_id}.vmcx"), 10)
        peer.add(moved, *[join(folder, "Virtual Hard Disks", name_of(path)) for path in disks])
        for path in [*disks, join(machine.configuration_location, "Virtual Machines", f"{vm_id}.vmcx")]:
            self.files.content.pop(path, None)
            self.disk_files.pop(path, None)

    def test_disk(self, path: str) -> bool:
        return path in self.disk_files


class Unasked:
    """Hosts of which none may be asked anything."""

    def has(self, role: str) -> bool:
        return True

    def get(self, role: str, *, control: bool = False) -> t.NoReturn:
        pytest.fail(f"the {role} was asked")


QUIET: Values = {"check_mode": False, "diff": False}


class Killed(BaseException):
    """The process is gone at this point."""


Pair = tuple[Machine, Machine]


@pytest.fixture
def pair() -> Pair:
    return new_pair()


def new_pair() -> Pair:
    source, target = Machine("hv01"), Machine("hv02")
    source.add(vm(notes="made by people"), r"D:\VMs\gold.vhdx")
    source.peers[DESTINATION] = target
    export = THERE.export(REVISION)
    disk = join(NAME, "Virtual Hard Disks", "gold.vhdx")
    source.add_disk(join(export, disk))
    facts = source.disk_facts(source.disks([join(export, disk)]))
    manifest = Manifest(
        template_id=T_ID,
        revision=REVISION,
        vmcx=join(NAME, "Virtual Machines", f"{T_ID}.vmcx"),
        files=(ManifestFile(path=disk, size=1000, sha256=None),),
        disks=tuple(replace(fact, path=disk) for fact in facts),
    )
    source.files.put(THERE.manifest(REVISION), manifest.to_json())
    return source, target


def params(**given: t.Any) -> Values:
    values = {
        "template_id": T_ID,
        "name": NAME,
        "revision": REVISION,
        "source": "hv01",
        "staging_path": STAGING,
        "target_path": TARGET_PATH,
        "migration_host": DESTINATION,
    }
    return defaults(OPERATION, **{**values, **given})


def supply(pair: Pair, *, check_mode: bool = False, **given: t.Any) -> Values:
    source, target = pair
    job_at_hand = work(params(**given), host=target, source=source)
    return run_operation(OPERATION, replace(job_at_hand, owner=GONE), check_mode=check_mode, diff=True)


def clean(source: Machine) -> Values:
    given = defaults(CLEAN, template_id=T_ID, staging_path=STAGING, keep=[REVISION])
    return run_operation(CLEAN, replace(work(given, host=source), owner=GONE), check_mode=False, diff=False)


def assert_supplied(pair: Pair) -> None:
    """One copy, named, stamped, with its baseline; nothing left over anywhere."""
    source, target = pair
    (copy,) = target.machines.values()
    assert copy.name == NAME
    stamp = _stamp.parse(copy.notes, copy.id)
    assert stamp is not None
    assert (stamp.kind, stamp.revision, stamp.template_id) == ("copy", REVISION, T_ID)
    folder = copy.configuration_location
    assert target.files.read_text(HERE.baseline(folder)) is not None
    # A lease that its dead holder could not give back is harmless: the next one to need it takes it over.
    others = [path for path in target.files.content if not path.startswith((folder, HERE.leases))]
    assert others == []
    assert list(source.machines) == [T_ID]
    assert not [path for path in source.files.content if "\\clones\\" in path]


def test_a_target_without_a_copy_gets_one(pair: Pair) -> None:
    done = supply(pair)
    assert done["changed"], done
    assert_supplied(pair)
    assert done["distribution"]["providers"]["hv02"]["facts"]["copy"] == "current"
    assert "made by people" in next(iter(pair[1].machines.values())).notes


def test_the_second_time_nothing_is_written(pair: Pair) -> None:
    supply(pair)
    for host in pair:
        host.writes.clear()
    again = supply(pair)
    assert not again["changed"]
    assert [host.writes for host in pair] == [[], []]


def test_check_mode_says_the_steps_and_takes_none(pair: Pair) -> None:
    planned = supply(pair, check_mode=True)
    assert planned["changed"]
    assert planned["plan"][-1] == f"name it {NAME}"
    assert planned["diff"]["before"]["revision"] is None
    assert planned["diff"]["after"]["revision"] == REVISION
    assert [host.writes for host in pair] == [[], []]


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("option", ["concurrency", "clones"])
@pytest.mark.parametrize("value", [0, -3])
def test_a_limit_that_is_none_is_refused_before_any_host_is_asked(option: str, value: int, state: str) -> None:
    given = params(state=state, target_path=None, migration_host=None, **{option: value})
    done = run_operation(OPERATION, replace(work(given, host=Machine("hv02")), hosts=Unasked()), **QUIET)
    assert (done["failed"], done["changed"], done["error"]["code"]) == (True, False, "INVALID_INPUT")
    assert f"The option {option!r} is {value}; it has to be a whole number greater than 0." in done["msg"]


def kill_at(pair: Pair, count: int) -> None:
    """The process dies when it is about to write for the ``count``-th time, on whichever host."""
    numbers = itertools.count(1)

    def die(_what: str, _which: str) -> None:
        if next(numbers) == count:
            raise Killed

    for host in pair:
        host.before_write = die


def survive(pair: Pair) -> None:
    for host in pair:
        host.before_write = lambda _what, _which: None


def test_killed_before_any_of_its_writes_the_next_run_ends_well() -> None:
    finished = False
    for count in range(1, 200):
        pair = new_pair()
        kill_at(pair, count)
        try:
            supply(pair)
            finished = True
        except Killed:
            pass
        survive(pair)
        clean(pair[0])
        again = supply(pair)
        assert not again.get("failed"), (count, again)
        assert_supplied(pair)
        if finished:
            assert count > 15, "too few steps were looked at"
            return
    raise AssertionError("it never ended")


def killed_while_moving(pair: Pair) -> tuple[VM, str]:
    """The clone that was on its way, and its folder at the target."""
    source, target = pair

    def die(_host: FakeHost, _machine: VM, _destination: str, _folder: str) -> None:
        raise Killed

    source.on_move = die
    with pytest.raises(Killed):
        supply(pair)
    clone = next(machine for machine in source.machines.values() if machine.id != T_ID)
    folder = next(path for path in target.files.folders if name_of(path).startswith(REVISION))
    return clone, folder


@pytest.mark.parametrize("shown", ["job", "status"])
def test_a_move_that_runs_is_adopted_and_not_started_twice(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, shown: str
) -> None:
    """The status is there at once; the job may come late."""
    source, _target = pair
    clone, folder = killed_while_moving(pair)
    if shown == "job":
        source.running.append(job(clone.id, destination=DESTINATION))
    else:
        source.change(clone.id, statuses=("InService", "MigratingVirtualMachine"))
    clean(source)
    assert clone.id in source.machines, "a running move was cleaned away"
    monkeypatch.setattr(_supply, "Mover", functools.partial(Mover, sleep=lambda _s: arrive()))

    def arrive() -> None:
        if clone.id in source.machines:
            source.change(clone.id, statuses=("Ok",))
            source.arrive(clone.id, DESTINATION, folder)

    source.on_move = lambda *_move: pytest.fail("the move was started a second time")
    done = supply(pair)
    assert not done.get("failed"), done
    assert_supplied(pair)
    assert list(pair[1].machines) == [clone.id]


def fail_with(text: str) -> Callable[..., None]:
    def fail(*_arguments: t.Any) -> None:
        raise CommandFailed(text, records=[ErrorRecord(message=text, error_id="OperationFailed,MoveVM")])

    return fail


def test_a_move_that_fails_leaves_nothing_behind(pair: Pair) -> None:
    source, target = pair
    source.on_move = fail_with("There is not enough space on the disk. (0x80070070)")
    done = supply(pair)
    assert done["failed"]
    assert done["changed"]
    assert done["distribution"]["providers"]["hv02"]["facts"]["tried"] == "failed"
    assert list(source.machines) == [T_ID]
    assert not [path for path in source.files.content if "\\clones\\" in path]
    assert target.machines == {}
    assert target.files.content == {}
    source.on_move = lambda *_move: None
    supply(pair)
    assert_supplied(pair)


def test_a_copy_that_is_not_what_was_exported_never_gets_the_name(pair: Pair) -> None:
    source, target = pair
    arrive = source.arrive

    def arrive_smaller(vm_id: str, destination_host: str, folder: str) -> None:
        arrive(vm_id, destination_host, folder)
        for path, disk in list(target.disk_files.items()):
            target.disk_files[path] = replace(disk, file_size=999)

    source.arrive = arrive_smaller  # type: ignore[method-assign]
    done = supply(pair)
    assert done["failed"]
    assert done["error"]["code"] == "VERIFICATION_FAILED"
    assert "file size is 999 instead of 1000" in done["msg"]
    assert target.machines == {}


def test_a_vm_of_that_name_that_is_not_ours_is_a_conflict(pair: Pair) -> None:
    own = pair[1].add(vm(OTHER_ID, NAME), r"D:\VMs\own.vhdx")
    done = supply(pair)
    assert done["error"]["code"] == "NAME_CONFLICT"
    assert [host.writes for host in pair] == [[], []]
    assert pair[1].machines == {OTHER_ID: own}


def older_copy(pair: Pair) -> VM:
    """A finished copy of an older revision."""
    supply(pair)
    target = pair[1]
    (copy,) = target.machines.values()
    stamp = _stamp.parse(copy.notes, copy.id)
    assert stamp is not None
    target.change(copy.id, notes=_stamp.merge(copy.notes, replace(stamp, revision=OLDER)))
    text = str(target.files.read_text(HERE.baseline(copy.configuration_location)))
    target.files.content[HERE.baseline(copy.configuration_location)] = text.replace(REVISION, OLDER)
    return copy


def test_an_older_copy_goes_when_the_new_one_is_there(pair: Pair) -> None:
    old = older_copy(pair)
    done = supply(pair)
    assert not done.get("failed"), done
    assert old.id not in pair[1].machines
    assert_supplied(pair)


def test_an_older_copy_stays_while_a_guest_depends_on_its_disk(pair: Pair) -> None:
    old = older_copy(pair)
    target = pair[1]
    parent_disk = target.attached[old.id][0]
    target.add(vm(OTHER_ID, "desktop-001"), r"D:\Guests\001.vhdx", parent_path=parent_disk)
    done = supply(pair)
    assert not done.get("failed"), done
    kept = target.machines[old.id]
    stamp = _stamp.parse(kept.notes, kept.id)
    assert stamp is not None
    assert stamp.superseded
    assert kept.name == f"fanout-{old.id[:8]}"
    assert parent_disk in target.files.content
    assert [machine.name for machine in target.machines.values()].count(NAME) == 1
    again = supply(pair)
    assert not again["changed"], again


def test_somebody_elses_clone_of_a_copy_is_not_touched(pair: Pair) -> None:
    supply(pair)
    target = pair[1]
    (copy,) = target.machines.values()
    target.machines[OTHER_ID] = replace(copy, id=OTHER_ID, name="test-01", path=r"D:\X", configuration_location=r"D:\X")
    target.attached[OTHER_ID] = []
    before = target.machines[OTHER_ID]
    target.writes.clear()
    assert not supply(pair)["changed"]
    assert target.machines[OTHER_ID] == before
    assert target.writes == []


def test_a_superseded_copy_goes_as_soon_as_nothing_holds_it(pair: Pair) -> None:
    old = older_copy(pair)
    target = pair[1]
    target.add(vm(OTHER_ID, "desktop-001"), r"D:\Guests\001.vhdx", parent_path=target.attached[old.id][0])
    assert not supply(pair).get("failed")
    target.remove_vm(OTHER_ID)
    target.change(old.id, state="Running")
    assert not supply(pair)["changed"]
    assert target.machines[old.id].state == "Running"
    target.change(old.id, state="Off")
    done = supply(pair)
    assert done["changed"]
    assert done["msg"] == f"remove the older copy of revision {OLDER}"
    assert old.id not in target.machines
    assert (r"D:\Guests\001.vhdx" in target.files.content) is True
    target.files.content.pop(r"D:\Guests\001.vhdx")
    assert_supplied(pair)


@pytest.mark.parametrize("state", ["Running", "Saved", "Paused"])
@pytest.mark.parametrize("older", [False, True])
def test_a_copy_that_somebody_started_is_replaced_only_when_it_is_off(pair: Pair, state: str, older: bool) -> None:
    if older:
        older_copy(pair)
    else:
        supply(pair)
    target = pair[1]
    (copy,) = target.machines.values()
    target.change(copy.id, state=state)
    target.guids[target.attached[copy.id][0]] = "guid-2"
    for host in pair:
        host.writes.clear()
    refused = supply(pair)
    assert refused["error"]["code"] == "COPY_RUNNING"
    assert state in refused["msg"]
    assert refused["distribution"]["providers"]["hv02"]["facts"]["tried"] == "failed"
    assert [host.writes for host in pair] == [[], []]
    target.change(copy.id, state="Off")
    done = supply(pair)
    assert not done.get("failed"), done
    assert copy.id not in target.machines
    assert_supplied(pair)


def test_a_copy_whose_stamp_was_wiped_is_told_and_left_alone(pair: Pair) -> None:
    supply(pair)
    target = pair[1]
    (copy,) = target.machines.values()
    target.change(copy.id, notes="mine")
    for host in pair:
        host.writes.clear()
    refused = supply(pair)
    assert refused["error"]["code"] == "STAMP_MISSING"
    assert copy.id in refused["msg"]
    assert [host.writes for host in pair] == [[], []]


def test_a_disk_in_a_leftover_that_somebody_uses_stays(pair: Pair) -> None:
    supply(pair)
    target = pair[1]
    folder = HERE.attempt(OLDER, "01234567")
    disk = join(folder, "Virtual Hard Disks", "gold.vhdx")
    target.files.put(HERE.owner(folder), "{}")
    target.files.put(join(folder, "Virtual Machines", "1.vmcx"), 10)
    target.add(vm(OTHER_ID, "desktop-001"), disk)
    assert supply(pair)["changed"]
    assert disk in target.files.content
    assert HERE.owner(folder) in target.files.content
    assert join(folder, "Virtual Machines", "1.vmcx") not in target.files.content
    assert not supply(pair)["changed"]


def test_what_is_not_ours_in_a_leftover_stays_and_is_no_change_every_time(pair: Pair) -> None:
    supply(pair)
    target = pair[1]
    folder = HERE.attempt(OLDER, "01234567")
    target.files.put(HERE.owner(folder), "{}")
    target.files.put(join(folder, "mine.txt"), "x")
    assert supply(pair)["changed"]
    assert HERE.owner(folder) not in target.files.content
    assert join(folder, "mine.txt") in target.files.content
    assert not supply(pair)["changed"]


# A lease whose holder has gone


class Waits:
    """What happens while it is waited for the end of what a run that has gone has left running."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, then: Callable[[], t.Any]) -> None:
        self.now, self.times, self._then = 0.0, 0, then
        real = _waiting.wait_until
        patched = functools.partial(real, clock=lambda: self.now, sleep=self.sleep)
        monkeypatch.setattr(_supply, "wait_until", patched)

    def sleep(self, seconds: float) -> None:
        self.now, self.times = self.now + seconds, self.times + 1
        if self.times == 2:
            self._then()


def killed_while_cloning(pair: Pair) -> None:
    """The import goes on: its folder is there, and a planned VM of the template's name."""

    def die(what: str, _which: str) -> None:
        if what == "import":
            raise Killed

    pair[0].before_write = die
    with pytest.raises(Killed):
        supply(pair)
    survive(pair)
    pair[0].planned.append(PlannedVM(id=OTHER_ID, name=NAME))


def imports(pair: Pair) -> int:
    return sum(what == "import" for what, _which in pair[0].writes)


def test_a_stale_lease_is_taken_over_when_the_import_for_its_target_has_ended(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _target = pair
    killed_while_cloning(pair)
    begun: list[int] = []

    def ends() -> None:
        begun.append(imports(pair))
        source.planned.clear()

    waits = Waits(monkeypatch, ends)
    done = supply(pair)
    assert not done.get("failed"), done
    assert (begun, waits.times, imports(pair)) == ([0], 2, 1)


def test_an_import_that_does_not_end_keeps_its_stale_lease(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_while_cloning(pair)
    Waits(monkeypatch, lambda: None)
    done = supply(pair, clone_timeout=60.0, move_timeout=60.0, retries=0)
    assert done["error"]["code"] == "LEASE_HELD"
    assert "its work still runs on the host" in done["msg"]
    assert imports(pair) == 0


def test_the_imports_for_other_targets_do_not_keep_a_stale_lease(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    source, _target = pair
    killed_while_cloning(pair)
    (owner,) = (path for path in source.files.content if path.endswith("owner.json"))
    source.files.content[owner] = str(source.files.content[owner]).replace("uuid-hv02", "uuid-hv03")
    waits = Waits(monkeypatch, lambda: None)
    assert not supply(pair).get("failed")
    assert waits.times == 0


def test_a_guest_that_is_being_made_on_the_target_keeps_a_stale_lease(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_cloning(pair)
    pair[0].planned.clear()
    pair[1].planned.append(PlannedVM(id=OTHER_ID, name=NAME))
    waits = Waits(monkeypatch, pair[1].planned.clear)
    assert not supply(pair).get("failed")
    assert waits.times == 2


def test_a_move_of_another_revision_is_waited_for_and_not_adopted(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = pair
    clone, folder = killed_while_moving(pair)
    source.on_move = lambda *_move: None
    source.running.append(job(clone.id, destination=DESTINATION))
    place = THERE.clone(OLDER, clone.configuration_location.rpartition("\\")[2])
    for path in [path for path in source.files.content if "\\clones\\" in path]:
        moved = path.replace(clone.configuration_location, place)
        source.files.put(moved, source.files.content.pop(path))
        source.disk_files[moved] = source.disk_files.pop(path, t.cast(t.Any, None))
    stamp = _stamp.parse(clone.notes, clone.id)
    assert stamp is not None
    notes = _stamp.merge(clone.notes, replace(stamp, revision=OLDER))
    source.change(clone.id, path=place, configuration_location=place, notes=notes)
    waits = Waits(monkeypatch, lambda: source.arrive(clone.id, DESTINATION, folder))
    done = supply(pair)
    assert not done.get("failed"), done
    assert waits.times == 2
    assert clone.id not in target.machines
    (copy,) = target.machines.values()
    assert copy.name == NAME


def test_nothing_is_asked_when_the_lease_is_free(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    for host in pair:
        monkeypatch.setattr(host, "planned_vms", lambda: pytest.fail("asked without a reason"))
    supply(pair)
    assert_supplied(pair)


def test_for_a_target_at_its_limit_nothing_is_cloned(pair: Pair) -> None:
    """K + 1 clones may exist: those for targets that are full would leave none for the others."""
    pair[1].running = [job(OTHER_ID), job("somebody else's")]
    done = supply(pair, limit_timeout=0.0)
    assert done["error"]["code"] == "MIGRATION_LIMIT"
    assert imports(pair) == 0


# Two controllers have both brought a copy


def two_copies(pair: Pair, *, revision: str = REVISION, verified: bool = False) -> tuple[VM, VM]:
    """The current copy and one beside it that nobody came to finish."""
    supply(pair)
    target = pair[1]
    (copy,) = target.machines.values()
    stamp = _stamp.parse(copy.notes, copy.id)
    assert stamp is not None
    folder = HERE.attempt(revision, "89abcdef")
    notes = _stamp.merge("", replace(stamp, vm_id=OTHER_ID, revision=revision))
    second = vm(OTHER_ID, temporary_name(OTHER_ID), path=folder, configuration_location=folder, notes=notes)
    target.files.put(HERE.owner(folder), "{}")
    target.files.put(join(folder, "Virtual Machines", f"{OTHER_ID}.vmcx"), 10)
    target.add(second, join(folder, "Virtual Hard Disks", "gold.vhdx"))
    if verified:
        text = str(target.files.read_text(HERE.baseline(copy.configuration_location)))
        there = text.replace(copy.id, OTHER_ID).replace(name_of(copy.configuration_location), name_of(folder))
        target.files.put(HERE.baseline(folder), there)
    for host in pair:
        host.writes.clear()
    return copy, second


@pytest.mark.parametrize("revision", [REVISION, OLDER])
@pytest.mark.parametrize("verified", [False, True])
def test_an_unfinished_copy_beside_the_current_one_goes(pair: Pair, revision: str, verified: bool) -> None:
    copy, second = two_copies(pair, revision=revision, verified=verified)
    planned = supply(pair, check_mode=True)
    assert planned["plan"] == [f"remove the unfinished copy {second.name} ({second.id})"]
    done = supply(pair)
    assert not done.get("failed"), done
    assert list(pair[1].machines) == [copy.id]
    assert_supplied(pair)
    assert not supply(pair)["changed"]


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "Running"},
        {"state": "Saved"},
        {"statuses": ("InService", "MigratingVirtualMachine")},
        {"notes": "mine"},
        {"name": "mine"},
    ],
)
def test_an_unfinished_copy_that_somebody_uses_or_has_taken_stays(pair: Pair, changes: Values) -> None:
    _copy, second = two_copies(pair)
    pair[1].change(second.id, **changes)
    assert not supply(pair)["changed"]
    assert second.id in pair[1].machines
    assert [host.writes for host in pair] == [[], []]


def test_an_unfinished_copy_whose_disk_somebody_uses_stays(pair: Pair) -> None:
    _copy, second = two_copies(pair)
    target = pair[1]
    target.add(vm(COPY_ID, "desktop-001"), r"D:\Guests\001.vhdx", parent_path=target.attached[second.id][0])
    assert not supply(pair)["changed"]
    assert second.id in target.machines


def test_an_unfinished_copy_whose_lease_is_held_stays(pair: Pair) -> None:
    _copy, second = two_copies(pair)
    living = Owner(controller="there", pid=1, run="run-2")
    Lease(t.cast(t.Any, pair[1]), HERE.copy_lease, living).acquire(lambda: False)
    done = supply(pair, retries=0)
    assert done["error"]["code"] == "LEASE_HELD"
    assert second.id in pair[1].machines


def test_the_plan_is_told_of_an_unfinished_copy() -> None:
    pair = new_pair()
    copy, second = two_copies(pair)
    found = look(t.cast(t.Any, pair[1]), base=TARGET_PATH, template_id=T_ID, name=NAME, revision=REVISION).to_dict()
    assert {one["id"]: one["removable"] for one in found["copies"]} == {copy.id: False, second.id: True}
    assert found["leftover_bytes"] > 1000
