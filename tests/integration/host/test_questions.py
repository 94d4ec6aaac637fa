# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every question to a host, answered by the lab as Windows would."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _revision
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import CommandFailed, NotFound
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.tests.integration.host.conftest import GOLD, GOLD_ID
from hyperv_lab.client import Lab


def test_settings(hv01: Host, hv02: Host) -> None:
    settings = hv01.settings()
    assert settings.name.upper() == "HV01"
    assert settings.fqdn_suffix == "lab.test"
    assert (settings.migration_enabled, settings.migration_authentication) == (True, "Kerberos")
    assert (settings.maximum_migrations, settings.maximum_storage_migrations) == (3, 4)
    assert settings.any_network is False and hv02.settings().any_network is True
    assert "9.0" in settings.supported_versions
    assert settings.virtual_machine_path.startswith("C:\\")
    assert settings.performance == "Compression"


def test_computer(hv01: Host, hv02: Host) -> None:
    first, second = hv01.computer(), hv02.computer()
    assert first.dns_name.lower() == "hv01" and first.fqdn.lower() == "hv01.lab.test"
    assert str(uuid.UUID(first.uuid)) == first.uuid
    assert first.identity != second.identity
    assert (first.clustered, second.clustered) == (False, True)
    assert "Windows Server" in first.os_caption and first.os_build.isdigit()
    assert hv01.computer() == first


def test_volumes(hv01: Host, lab: Lab) -> None:
    lab.set_free("hv01", "D", 5 << 30)
    volumes = {volume.name: volume for volume in hv01.volumes()}
    assert sorted(volumes) == ["C:\\", "D:\\"]
    assert (volumes["D:\\"].free, volumes["D:\\"].capacity) == (5 << 30, 100 << 30)
    lab.set_free("hv01", "D", 90 << 30)


def test_a_survey_asks_for_the_whole_machine_in_one_pipeline(hv01: Host, hv02: Host, lab: Lab) -> None:
    since = max((call["n"] for call in lab.calls()), default=0)
    machine = hv01.survey().machine
    assert (machine.computer, machine.jobs, machine.planned_vms) == (hv01.computer(), (), ())
    assert {volume.name for volume in machine.volumes} == {"C:\\", "D:\\"}
    assert hv02.survey().machine.computer.clustered
    asked = [call for call in lab.calls(host="hv01", since=since) if call["command"] == "Get-CimInstance"]
    assert asked[0]["parameters"]["ClassName"] == [
        "Win32_ComputerSystem",
        "Win32_ComputerSystemProduct",
        "Win32_OperatingSystem",
        "Win32_Service",
        "Win32_Volume",
        "Msvm_MigrationJob",
        "Msvm_PlannedComputerSystem",
    ]
    assert len(asked) == 2


def test_switches_and_networks(hv01: Host) -> None:
    assert {(switch.name, switch.type) for switch in hv01.switches()} == {
        ("Production", "External"),
        ("Lab only", "Private"),
    }
    assert hv01.survey().migration_networks == ("127.0.42.0/24",)


def test_the_hosts_clock(hv01: Host) -> None:
    assert abs(hv01.now() - datetime.now(timezone.utc)) < timedelta(seconds=30)


def test_nothing_moves(hv01: Host) -> None:
    assert hv01.jobs() == ()
    assert hv01.planned_vms() == ()


def test_names_are_no_patterns(hv01: Host) -> None:
    assert len(hv01.vms()) == 3
    [gold] = hv01.named(GOLD)
    assert (gold.id, gold.name, gold.state) == (GOLD_ID, GOLD, "Off")
    assert gold.notes.split() == ["made", "by", "Ann", "with", "care"]
    assert gold.statuses == ("Ok",) and not gold.busy
    assert hv01.named("win11*") == ()


def test_a_vm_by_id(hv01: Host) -> None:
    found = hv01.vm(GOLD_ID.upper())
    assert found is not None and found == hv01.named(GOLD)[0]
    assert found.created is not None and found.created.tzinfo is not None
    unknown = str(uuid.uuid4())
    assert hv01.vm(unknown) is None
    with pytest.raises(NotFound):
        hv01.definition(unknown)


def test_the_definition_of_a_modern_vm(hv01: Host) -> None:
    gold = hv01.definition(GOLD_ID)
    assert (gold.vm.generation, gold.processors, gold.memory_startup) == (2, 2, 4 << 30)
    assert (gold.dynamic_memory, gold.secure_boot, gold.tpm) == (False, True, False)
    assert gold.secure_boot_template == "MicrosoftWindows"
    [adapter] = gold.adapters
    assert (adapter.switch, adapter.vlan, adapter.static_mac) == ("Production", 42, None)
    assert [(drive.controller_type, drive.location) for drive in gold.drives] == [("SCSI", 0), ("SCSI", 1)]
    assert all(gold.disk(drive) is not None for drive in gold.drives)
    assert {disk.format for disk in gold.disks} == {"VHDX"}
    assert gold.checkpoints == ()


def test_the_definition_of_a_vm_with_a_tpm(hv01: Host) -> None:
    [vm] = hv01.named(GOLD.replace("[1]", "1"))
    other = hv01.definition(vm.id)
    assert (other.tpm, other.shielded, other.secure_boot) == (True, False, False)
    assert [adapter.switch for adapter in other.adapters] == [None]


def test_the_definition_of_an_old_vm(hv01: Host) -> None:
    [vm] = hv01.named("old")
    old = hv01.definition(vm.id)
    assert (old.vm.generation, old.secure_boot, old.tpm) == (1, None, False)
    assert (old.dynamic_memory, old.memory_minimum, old.memory_maximum) == (True, 512 << 20, 2 << 30)
    assert [adapter.static_mac for adapter in old.adapters] == ["00155D000001"]
    assert [checkpoint.name for checkpoint in old.checkpoints] == ["before"]
    assert old.drives[0].controller_type == "IDE"
    assert old.disk(old.drives[0]).parent_path, "with a checkpoint the drive shows a differencing disk"  # type: ignore[union-attr]


def test_drives_of_all_vms(hv01: Host) -> None:
    everyones = hv01.drives()
    assert len(everyones) == 4
    assert len([drive for drive in everyones if drive.vm_id == GOLD_ID]) == 2


def test_disks_and_their_content_marks(hv01: Host) -> None:
    definition = hv01.definition(GOLD_ID)
    paths = [drive.path for drive in definition.drives]
    disks = hv01.disks([*paths, r"D:\no such.vhdx"])
    assert disks == hv01.disks_of(GOLD_ID) == definition.disks
    guids = [hv01.data_write_guid(path) for path in paths]
    assert len(set(guids)) == 2 and all(str(uuid.UUID(str(guid))) == guid for guid in guids)
    facts = hv01.disk_facts(disks)
    assert [fact.guid for fact in facts] == guids
    assert all(hv01.test_disk(path) for path in paths)
    assert len(_revision.revision(definition, _revision.marks(facts))) == 12


def test_a_broken_disk_is_an_error_and_not_absent(hv01: Host) -> None:
    hv01.files.ensure_folder(r"D:\broken")
    hv01.files.write_in_place(r"D:\broken\a.vhdx", "no disk at all")
    with pytest.raises(CommandFailed):
        hv01.disks([r"D:\broken\a.vhdx"])


def test_looking_at_a_host_writes_nothing(hv01: Host, lab: Lab) -> None:
    since = lab.last_call()
    hv01.settings()
    hv01.definition(GOLD_ID)
    hv01.disk_facts(hv01.disks_of(GOLD_ID))
    assert [call["command"] for call in lab.calls(since=since) if call["writes"]] == []
