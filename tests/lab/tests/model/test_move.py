# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves: what arrives, what is left, what counts, and everything that refuses one."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hyperv_lab.config import SERVICES, DelegationConfig, DiskConfig, HostConfig, MiB, VMConfig
from hyperv_lab.engine.session import Caller
from hyperv_lab.model import jobs, vhdx
from hyperv_lab.model.failures import Failure
from hyperv_lab.model.host import Host
from hyperv_lab.model.operations import lifecycle
from hyperv_lab.model.operations.migration import MoveRequest, compare_move, move_vm
from hyperv_lab.model.storage import join, real_path
from hyperv_lab.model.vhdx_writer import write_dynamic
from hyperv_lab.model.vm import Dvd, HardDisk, VirtualMachine

from tests.lab.tests.model.labs import ADMIN, DISK, NOBODY, TEMPLATE, Model, host_config, run

Make = Callable[..., Model]
TARGET = "C:\\Templates\\one"
TO_HV02 = MoveRequest("hv02.lab.test", include_storage=True, storage_path=TARGET)


def many(count: int, **values: Any) -> tuple[HostConfig, ...]:
    vms = tuple(VMConfig(f"vm{number}", disks=(DISK,)) for number in range(count))
    return (host_config("hv01", 1, vms=vms, **values), host_config("hv02", 2), host_config("hv03", 3))


def moved(model: Model, request: MoveRequest = TO_HV02, caller: Caller = ADMIN, name: str = "gold") -> VirtualMachine:
    return run(move_vm(model.host("hv01"), model.vm(name=name), request, caller))


def refused(model: Model, request: MoveRequest = TO_HV02, caller: Caller = ADMIN) -> Failure:
    """The move fails and the VM is where it was, as it was."""
    host, vm = model.host("hv01"), model.vm()
    disk = host.volumes.read(vm.disks[0].path)
    with pytest.raises(Failure) as caught:
        moved(model, request, caller)
    assert host.vms[vm.id] is vm
    assert vm.activity is None
    assert host.volumes.read(vm.disks[0].path) == disk
    assert vm.id not in model.host("hv02").vms
    assert not host.jobs.running(jobs.MIGRATION)
    assert not model.host("hv02").jobs.running(jobs.MIGRATION)
    return caught.value


def test_a_move_takes_everything_along_and_leaves_empty_folders(make: Make) -> None:
    model = make()
    source, target, vm = model.host("hv01"), model.host("hv02"), model.vm()
    old = vm.disks[0].path
    content = source.volumes.read(old)
    arrived = moved(model)
    assert arrived.id == vm.id
    assert target.vms[vm.id] is arrived
    assert not source.vms
    assert arrived.path == TARGET
    assert arrived.disks[0].path == TARGET + "\\Virtual Hard Disks\\gold.vhdx"
    assert target.volumes.read(arrived.disks[0].path) == content
    assert target.volumes.exists(f"{TARGET}\\Virtual Machines\\{vm.file_id}.vmcx")
    assert not source.volumes.exists(old)
    assert not source.volumes.exists(vm.system_file("vmcx"))
    assert source.volumes.is_dir(join(vm.configuration_folder, vm.file_id))
    left = source.volumes.listdir(vm.path)
    assert {"Planned Virtual Machines", "Snapshots", "UndoLog Configuration", "Virtual Machines"} <= set(left)
    assert not target.planned


def test_time_is_what_the_narrowest_link_makes_of_it(make: Make) -> None:
    model = make(hosts=many(2))
    size = sum(model.host("hv01").volumes.size(model.vm(name=f"vm{n}").disks[0].path) for n in range(2))

    async def both() -> None:
        await asyncio.gather(
            *(
                move_vm(model.host("hv01"), model.vm(name=f"vm{n}"), replace(TO_HV02, destination=f"hv0{n + 2}"), ADMIN)
                for n in range(2)
            )
        )

    run(both())
    assert model.clock.now() == pytest.approx(size / (10 * MiB), rel=0.1)


def test_the_job_appears_late_and_stays_five_minutes(make: Make) -> None:
    slow = (host_config("hv01", 1, vms=(TEMPLATE,)), host_config("hv02", 2))
    model = make(hosts=slow)
    source, target = model.host("hv01"), model.host("hv02")
    source.network.set_rate(MiB / 4)

    async def watch() -> list[Any]:
        task = asyncio.ensure_future(move_vm(source, model.vm(), TO_HV02, ADMIN))
        await model.clock.sleep(1)
        seen: list[Any] = [len(source.jobs.visible(source.rules))]
        await model.clock.sleep(2)
        [job] = source.jobs.visible(source.rules)
        seen += [job.state, 0 < job.percent < 100, job.destination, len(target.jobs.visible(target.rules))]
        await task
        seen += [job.state, job.percent]
        await model.clock.sleep(299)
        seen.append(len(source.jobs.visible(source.rules)))
        await model.clock.sleep(2)
        seen.append(len(source.jobs.visible(source.rules)))
        return seen

    assert run(watch()) == [0, "running", True, "hv02.lab.test", 0, "completed", 100, 1, 0]


def test_who_comes_over_the_limit_is_refused_at_once(make: Make) -> None:
    model = make(hosts=many(3))
    source = model.host("hv01")

    async def three() -> tuple[Failure, float]:
        tasks = [
            asyncio.ensure_future(
                move_vm(source, model.vm(name=f"vm{n}"), replace(TO_HV02, storage_path=f"C:\\{n}"), ADMIN)
            )
            for n in range(2)
        ]
        await model.clock.sleep(0.1)
        before = model.clock.now()
        with pytest.raises(Failure) as caught:
            await move_vm(source, model.vm(name="vm2"), replace(TO_HV02, storage_path="C:\\2"), ADMIN)
        took = model.clock.now() - before
        await asyncio.gather(*tasks)
        await move_vm(source, model.vm(name="vm2"), replace(TO_HV02, storage_path="C:\\2"), ADMIN)
        return caught.value, took

    failure, took = run(three())
    assert took == 0
    assert "migration limit '2' was reached" in failure.message
    assert "failed at migration source 'HV01'" in failure.lines[0]
    assert len(model.host("hv02").vms) == 3


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("maximum_migrations", "virtual machine migration limit '1'"),
        ("maximum_storage_migrations", "storage migration limit '1'"),
    ],
)
def test_the_destination_has_limits_too(make: Make, setting: str, text: str) -> None:
    model = make(hosts=many(2))
    source, target = model.host("hv01"), model.host("hv02")
    setattr(target.settings, setting, 1)

    async def two() -> Failure:
        first = asyncio.ensure_future(move_vm(source, model.vm(name="vm0"), TO_HV02, ADMIN))
        await model.clock.sleep(0.1)
        with pytest.raises(Failure) as caught:
            await move_vm(source, model.vm(name="vm1"), replace(TO_HV02, storage_path="C:\\1"), ADMIN)
        await first
        return caught.value

    failure = run(two())
    assert text in failure.message
    assert "failed at migration destination 'HV02'" in failure.lines[0]


# ---- the second hop

BOTH = frozenset(SERVICES)
TO_HV02_ONLY = {"hv01": DelegationConfig({"hv02": BOTH})}
CREDSSP = Caller("labadmin", frozenset({"Administrators"}), "credssp", delegated=True)
KERBEROS = Caller("labadmin", frozenset({"Administrators"}), "kerberos", delegated=True)


@pytest.mark.parametrize(
    ("delegation", "source", "target", "caller", "code"),
    [
        ("any", "Kerberos", "Kerberos", ADMIN, None),
        (TO_HV02_ONLY, "Kerberos", "Kerberos", ADMIN, None),
        ("none", "Kerberos", "Kerberos", ADMIN, 0x8009030E),
        ({"hv02": DelegationConfig({"hv01": BOTH})}, "Kerberos", "Kerberos", ADMIN, 0x8009030E),
        ({"hv01": DelegationConfig({"hv03": BOTH})}, "Kerberos", "Kerberos", ADMIN, 0x8009030E),
        ("none", "Kerberos", "Kerberos", KERBEROS, 0x8009030E),
        ("none", "Kerberos", "Kerberos", CREDSSP, 0x8009030E),
        ("any", "CredSSP", "CredSSP", ADMIN, 0x8009030E),
        ("none", "CredSSP", "CredSSP", CREDSSP, None),
        ("any", "CredSSP", "CredSSP", KERBEROS, 0x8009030E),
        ("any", "Kerberos", "CredSSP", ADMIN, 0x8009030D),
        ("any", "CredSSP", "Kerberos", CREDSSP, 0x8009030D),
    ],
)
def test_second_hop(make: Make, delegation: Any, source: str, target: str, caller: Caller, code: int | None) -> None:
    model = make(delegation=delegation)
    model.host("hv01").settings.authentication = source
    model.host("hv02").settings.authentication = target
    if code is None:
        moved(model, caller=caller)
        return
    failure = refused(model, caller=caller)
    assert failure.hresult == code
    assert f"(0x{code:08X})." in failure.lines[1]
    assert failure.lines[0].startswith(
        "Virtual machine migration operation for 'gold' failed at migration source 'HV01'"
    )
    assert "no suitable credentials available" in failure.lines[2]


def test_credential_guard_lets_no_credssp_through(make: Make) -> None:
    hosts = (host_config("hv01", 1, vms=(TEMPLATE,), version=2025), host_config("hv02", 2, version=2025))
    model = make(hosts=hosts)
    for host in model.fabric.hosts.values():
        host.settings.authentication = "CredSSP"
    assert refused(model, caller=CREDSSP).hresult == 0x8009030E


def test_hosts_of_a_workgroup_have_no_kerberos(make: Make) -> None:
    hosts = (host_config("hv01", 1, vms=(TEMPLATE,), domain_member=False), host_config("hv02", 2, domain_member=False))
    assert refused(make(hosts=hosts)).hresult == 0x8009030E


def test_a_forwarded_ticket_where_it_is_enough(make: Make) -> None:
    model = make(delegation="none", rules={"delegated_kerberos_is_enough": True, "move_creates_folder": True})
    moved(model, caller=KERBEROS)


def test_rights_at_the_other_end(make: Make) -> None:
    assert "0x80070005" in refused(make(), caller=NOBODY).message


# ---- everything else that refuses a move


def _disable_source(model: Model) -> None:
    model.host("hv01").settings.migration_enabled = False


def _disable_target(model: Model) -> None:
    model.host("hv02").settings.migration_enabled = False


def _down(model: Model) -> None:
    model.host("hv02").go_down()


def _deaf(model: Model) -> None:
    model.host("hv02").listening = False


def _no_switch(model: Model) -> None:
    model.host("hv02").switches.clear()


def _no_network(model: Model) -> None:
    model.host("hv02").settings.any_network = False


def _tpm(model: Model) -> None:
    model.vm().tpm, model.vm().guardian = True, "hv01.lab.test"


def _same_id(model: Model) -> None:
    model.host("hv02").planned[model.vm().id] = model.vm().twin()


def _file(model: Model) -> None:
    folder = TARGET + "\\Virtual Hard Disks"
    model.host("hv02").volumes.mkdir(folder, parents=True)
    model.host("hv02").volumes.write(folder + "\\gold.vhdx", b"somebody else's")


def _iso(model: Model) -> None:
    model.vm().dvds.append(Dvd("C:\\iso\\win.iso"))


def _pass_through(model: Model) -> None:
    model.vm().disks.append(HardDisk("", disk_number=3))


def _version(model: Model) -> None:
    model.host("hv02").version = 2016


@pytest.mark.parametrize(
    ("prepare", "text"),
    [
        (_disable_source, "The source host is not configured for live migration."),
        (_disable_target, "The destination host is not configured for live migration."),
        (_down, "0x8007274C"),
        (_deaf, "0x8007274D"),
        (_no_switch, "Could not find Ethernet switch 'Production'."),
        (_no_network, "no network that may be used"),
        (_tpm, "could not be unwrapped"),
        (_same_id, "same identifier already exists"),
        (_file, "The file exists. (0x80070050)"),
        (_iso, "0xC03A0014"),
        (_pass_through, "physical disk"),
        (_version, "configuration version 10.0"),
    ],
)
def test_refusals(make: Make, prepare: Callable[[Model], None], text: str) -> None:
    model = make()
    prepare(model)
    assert text in refused(model).message


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (replace(TO_HV02, destination="hv09"), "0x80072AF9"),
        (replace(TO_HV02, destination="hv01"), "already on the computer"),
        (replace(TO_HV02, storage_path="Q:\\x"), "0x80070003"),
        (replace(TO_HV02, storage_path="x\\y"), "not valid"),
        (replace(TO_HV02, include_storage=False), "IncludeStorage"),
        (MoveRequest("hv02", vm_path=TARGET), "IncludeStorage"),
    ],
)
def test_requests_that_cannot_be(make: Make, request_: MoveRequest, text: str) -> None:
    assert text in refused(make(), request_).message


def test_a_down_host_is_noticed_only_after_a_while(make: Make) -> None:
    model = make()
    model.host("hv02").go_down()
    refused(model)
    assert model.clock.now() == 5


def test_storage_part_by_part(make: Make) -> None:
    model = make()
    vm = model.vm()
    model.host("hv02").volumes.mkdir("C:\\D", parents=True)
    request = MoveRequest("HV02", vm_path="C:\\V", vhds=((vm.disks[0].path, "C:\\D\\gold.vhdx"),))
    arrived = moved(model, request)
    assert arrived.disks[0].path == "C:\\D\\gold.vhdx"
    assert arrived.path == "C:\\V"


# ---- breaking off half-way


@pytest.mark.parametrize("stays", [True, False])
def test_a_disk_full_half_way(make: Make, stays: bool) -> None:
    rules = {
        "move_creates_folder": True,
        "move_failure_leaves_files": stays,
        "move_failure_leaves_planned_vm": stays,
    }
    model = make(rules=rules)
    source, target, vm = model.host("hv01"), model.host("hv02"), model.vm()
    size = source.volumes.size(vm.disks[0].path)
    target.volumes.set_free("C", size // 2)
    failure = refused(model)
    assert failure.hresult == 0x80070070
    part = TARGET + "\\Virtual Hard Disks\\gold.vhdx"
    assert target.volumes.exists(part) is stays
    assert (vm.id in target.planned) is stays
    if not stays:
        target.volumes.set_free("C", 10 * size)
        moved(model)
        return
    assert 0 < target.volumes.size(part) < size
    target.volumes.set_free("C", 10 * size)
    assert "same identifier already exists" in refused(model, replace(TO_HV02, storage_path="C:\\Again")).message
    target.planned.clear()
    assert "0x80070050" in refused(model).message
    target.planned.clear()
    moved(model, replace(TO_HV02, storage_path="C:\\Again2"))


@pytest.mark.parametrize("lost", ["hv01", "hv02"])
def test_a_host_lost_half_way(make: Make, lost: str) -> None:
    model = make()
    source, target, vm = model.host("hv01"), model.host("hv02"), model.vm()

    async def lose() -> BaseException:
        task = source.start(move_vm(source, vm, TO_HV02, ADMIN))
        await model.clock.sleep(0.2)
        assert vm.id in target.planned
        model.host(lost).go_down()
        await asyncio.wait([task])
        if task.cancelled():
            return asyncio.CancelledError()
        error = task.exception()
        assert error is not None
        return error

    error = run(lose())
    assert source.vms[vm.id] is vm
    assert vm.activity is None
    assert vm.id not in target.vms
    if lost == "hv02":
        assert isinstance(error, Failure)
        assert error.hresult == 0x80072746
    else:
        assert isinstance(error, asyncio.CancelledError)


def test_a_vm_in_use_cannot_move(make: Make) -> None:
    model = make()
    source, vm = model.host("hv01"), model.vm()
    vm.activity = "BackingUpVirtualMachine"
    with pytest.raises(Failure) as caught:
        moved(model)
    assert caught.value.identifier == "InvalidState"
    vm.activity = None

    async def twice() -> Failure:
        first = asyncio.ensure_future(move_vm(source, vm, TO_HV02, ADMIN))
        await model.clock.sleep(0.1)
        with pytest.raises(Failure) as second:
            await move_vm(source, vm, replace(TO_HV02, storage_path="C:\\b"), ADMIN)
        await first
        return second.value

    assert run(twice()).identifier == "InvalidState"


def test_the_layout_may_change_on_the_way(make: Make, tmp_path: Path) -> None:
    rules = {"move_creates_folder": True, "move_rewrites_disk_layout": True}
    disk = tmp_path / "two.vhdx"
    write_dynamic(disk, 8 * MiB, 2 * MiB)
    model = make(vm=VMConfig("gold", disks=(DiskConfig(file=disk),)), rules=rules)
    source, vm = model.host("hv01"), model.vm()
    content, before = source.volumes.read(vm.disks[0].path), vhdx.inspect(real_path(source, vm.disks[0].path))
    arrived = moved(model)
    target: Host = model.host("hv02")
    after = vhdx.inspect(real_path(target, arrived.disks[0].path))
    assert target.volumes.read(arrived.disks[0].path) != content
    assert (after.data_write_guid, after.identifier) == (before.data_write_guid, before.identifier)


def test_compare_lists_causes_and_wrappers(make: Make) -> None:
    model = make()
    report = run(compare_move(model.host("hv01"), model.vm(), replace(TO_HV02, destination="hv03"), ADMIN))
    assert report.incompatibilities[0].message_id == 33012
    assert len(report.incompatibilities) == 3
    assert report.incompatibilities[0].source is model.vm().adapters[0]
    clean = run(compare_move(model.host("hv01"), model.vm(), TO_HV02, ADMIN))
    assert clean.incompatibilities == []


def test_removal_keeps_disks_and_locks_them_for_a_moment(make: Make) -> None:
    model = make()
    host, vm = model.host("hv01"), model.vm()

    async def remove() -> None:
        await lifecycle.remove_vm(host, vm)
        assert vm.id not in host.vms
        assert host.volumes.exists(vm.disks[0].path)
        assert not host.volumes.exists(vm.system_file("vmcx"))
        assert host.volumes.is_dir(vm.configuration_folder)
        await model.clock.sleep(0.5)
        assert host.volumes.in_use(vm.disks[0].path)
        await model.clock.sleep(2)
        host.volumes.remove(vm.disks[0].path)

    run(remove())
    assert isinstance(vm.id, uuid.UUID)
