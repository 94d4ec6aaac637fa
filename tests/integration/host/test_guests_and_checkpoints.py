# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What guests and maintenance ask of a host, each call once over the real protocol."""

from __future__ import annotations

from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.tests.integration.host.conftest import GOLD_ID
from ansible_collections.fanout.hyperv.tests.integration.host.test_road import OF_GUESTS, cmdlets_named
from hyperv_lab.client import Lab

FOLDER = r"D:\Guests\one"
OTHER = "fanout test"


def test_a_guest_on_a_disk_of_its_own(hv01: Host, lab: Lab) -> None:
    like = hv01.definition(GOLD_ID)
    parents = [drive.path for drive in hv01.drives(GOLD_ID)]
    children = [rf"{FOLDER}\{number}.vhdx" for number, _parent in enumerate(parents)]
    hv01.files.ensure_folder(FOLDER)
    for child, parent in zip(children, parents, strict=True):
        hv01.new_differencing_disk(child, parent)
    vm = hv01.new_vm(OTHER, FOLDER, like, children[0], like.adapters[0].switch)
    assert vm.name == OTHER and vm.id != GOLD_ID

    hv01.set_resources(vm.id, like)
    hv01.set_secure_boot(vm.id, None)
    hv01.set_secure_boot(vm.id, "MicrosoftWindows")
    hv01.add_tpm(vm.id)
    for drive, child in list(zip(hv01.drives(GOLD_ID), children, strict=True))[1:]:
        hv01.add_drive(vm.id, drive, child)
    hv01.name_only_adapter(vm.id, "first")
    hv01.add_adapter(vm.id, "second", None, 0)
    hv01.connect_adapters(vm.id, "Production")
    hv01.set_vlan(vm.id, 42)
    hv01.set_mac(vm.id, "second", "00155D010203")
    assert ("second", "00155D010203") in hv01.macs(vm.id)
    hv01.forget_macs(vm.id)

    made = hv01.definition(vm.id)
    assert (made.processors, made.memory_startup) == (like.processors, like.memory_startup)
    assert made.tpm and made.secure_boot
    assert [drive.path for drive in made.drives] == children
    assert {adapter.vlan for adapter in made.adapters} == {42}

    hv01.start_vm(vm.id)
    running = hv01.vm(vm.id)
    assert running is not None and running.state == "Running"
    hv01.shut_down(vm.id, 60)
    hv01.start_vm(vm.id)
    hv01.turn_off(vm.id)
    off = hv01.vm(vm.id)
    assert off is not None and off.state == "Off"

    hv01.take_checkpoint(vm.id, "before")
    [checkpoint] = hv01.checkpoints(vm.id)
    assert {drive.path for drive in hv01.checkpoint_drives() if drive.path in children} == set(children)
    hv01.restore_checkpoint(checkpoint.id)
    hv01.remove_checkpoint(checkpoint.id)
    assert hv01.checkpoints(vm.id) == ()
    assert cmdlets_named(*OF_GUESTS) - {call["command"] for call in lab.calls()} == set()
