# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab as a whole: names, rules, rights, files at the start, and hundreds of hosts."""

from __future__ import annotations

import gzip
import string
import time
import uuid
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hyperv_lab.config import DiskConfig, GiB, HostConfig, LabConfig, MiB, VMConfig
from hyperv_lab.model import provision, texts, vmcx
from hyperv_lab.model.clock import FastClock
from hyperv_lab.model.fabric import Fabric
from hyperv_lab.model.operations.lifecycle import write_as_guest
from hyperv_lab.model.switches import Rules
from hyperv_lab.model.vhdx_writer import unpack_golden, write_dynamic
from hyperv_lab.model.vm import Checkpoint, HardDisk

from tests.lab.tests.model.labs import DISK, TEMPLATE, Model

Make = Callable[..., Model]


def test_hosts_are_found_by_the_names_that_others_use(make: Make) -> None:
    fabric = make().fabric
    for name in ("hv02", "HV02", "hv02.lab.test", "HV02.LAB.TEST.", "127.0.99.2"):
        assert fabric.resolve(name) is fabric.hosts["hv02"]
    for name in ("hv2", "hv02.other.test", ""):
        assert fabric.resolve(name) is None


def test_a_rule_is_known_and_of_its_type() -> None:
    rules = Rules()
    assert rules.changed({"job_life": 60}).job_life == 60
    with pytest.raises(ValueError, match="no such rule: typo"):
        rules.changed({"typo": True})
    with pytest.raises(ValueError, match="wants a bool"):
        rules.changed({"stop_cancels_work": 1})
    assert all(one.default is not None for one in fields(Rules))


def test_every_text_has_an_english_original_with_the_same_fields() -> None:
    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for table in texts.LANGUAGES.values():
        for key, text in table.items():
            assert names(text) == names(texts.ENGLISH[key]), key
    assert texts.say_code("en-US", 0x80070070) == "There is not enough space on the disk. (0x80070070)."
    assert texts.say_code("fr-FR", 0x80070050) == "The file exists. (0x80070050)."


def test_a_configuration_file_keeps_everything(make: Make) -> None:
    vm = make(vm=replace(TEMPLATE, notes='ä\n"{}"', iso="C:\\x.iso", vlan=3, tpm=True)).vm()
    vm.checkpoints.append(Checkpoint(uuid.uuid4(), "c", vm.created, [HardDisk("C:\\c.vhdx")]))
    vm.current_checkpoint = vm.checkpoints[0].id
    raw = vmcx.dump(vm)
    again = vmcx.load(raw)
    assert {one.name: getattr(again, one.name) for one in fields(again)} == {
        one.name: getattr(vm, one.name) for one in fields(vm)
    }
    for broken in (b"", raw[:50], raw[:30] + b"x" + raw[31:], b"y" + raw[1:]):
        with pytest.raises(vmcx.DamagedConfiguration):
            vmcx.load(broken)


def test_a_template_disk_is_copied_and_never_changed(make: Make, tmp_path: Path) -> None:
    disk = tmp_path / "golden.vhdx"
    unpack_golden(disk)
    before = disk.read_bytes()
    model = make(vm=VMConfig("gold", disks=(DiskConfig(file=disk), DISK, DiskConfig(file=disk))))
    vm, host = model.vm(), model.host("hv01")
    assert [one.file_name for one in vm.disks] == ["golden.vhdx", "gold-1.vhdx", "golden-2.vhdx"]
    assert host.volumes.read(vm.disks[0].path) == before
    write_as_guest(host, vm.disks[0].path)
    assert host.volumes.read(vm.disks[0].path) != before
    assert disk.read_bytes() == before


def test_a_huge_template_is_linked_until_somebody_writes(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision, "HARD_LINK_FROM", MiB)
    disk = tmp_path / "huge.vhdx"
    write_dynamic(disk, 8 * MiB, 2 * MiB)
    before = disk.read_bytes()
    model = make(vm=VMConfig("gold", disks=(DiskConfig(file=disk),)))
    host, path = model.host("hv01"), model.vm().disks[0].path
    assert host.volumes.map(path).stat().st_nlink == 2
    write_as_guest(host, path)
    assert host.volumes.map(path).stat().st_nlink == 1
    assert disk.read_bytes() == before
    assert host.volumes.read(path) != before


def test_the_packed_disk_is_small() -> None:
    packed = Path(provision.__file__).with_name("golden.vhdx.gz").read_bytes()
    assert len(packed) < 100 * 1024
    assert gzip.decompress(packed).startswith(b"vhdxfile")


def test_free_space_counts_what_lies_there(make: Make) -> None:
    model = make(vm=VMConfig("gold", disks=(DiskConfig(size=64 * GiB),)))
    host, vm = model.host("hv01"), model.vm()
    used = host.volumes.capacity("C") - host.volumes.free("C")
    assert used >= host.volumes.size(vm.disks[0].path)
    assert used < 16 * MiB


def test_facts_of_a_damaged_disk_do_not_stop_anybody(make: Make) -> None:
    model = make()
    host, vm = model.host("hv01"), model.vm()
    host.volumes.write(vm.disks[0].path, b"nothing")
    assert "damaged" in provision.disk_facts(host, vm.disks[0])


def test_three_hundred_hosts_start_quickly(tmp_path: Path) -> None:
    hosts = tuple(
        HostConfig(
            f"hv{number:03}", f"127.1.{number // 250}.{number % 250 + 1}", vms=(TEMPLATE,) if number == 0 else ()
        )
        for number in range(300)
    )
    begin = time.process_time()
    fabric = Fabric(LabConfig(hosts=hosts), tmp_path, FastClock())
    assert time.process_time() - begin < 3
    assert len(fabric.hosts) == 300
    assert len({host.id for host in fabric.hosts.values()}) == 300
