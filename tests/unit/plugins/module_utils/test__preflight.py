# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: every finding that the design names has a case, and the healthy template has none."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import (
    VM,
    Adapter,
    Checkpoint,
    Definition,
    Disk,
    Drive,
    Dvd,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._objects_host import Computer, HostSettings, Switch, Volume
from ansible_collections.fanout.hyperv.plugins.module_utils._plan_room import target_space
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import (
    ERROR,
    Finding,
    Needs,
    Provider,
    clones_that_fit,
    conflict_findings,
    gib,
    name_findings,
    provider_findings,
    room_for,
    template_findings,
    unreachable,
)

GIB = 1024**3
TEMPLATE_ID = "11111111-2222-3333-4444-555555555555"
DISK_PATH = "D:\\Gold\\disk0.vhdx"


def vm(**changes: t.Any) -> VM:
    values: dict[str, t.Any] = {
        "id": TEMPLATE_ID,
        "name": "win11-gold",
        "state": "Off",
        "notes": "",
        "generation": 2,
        "version": "10.0",
        "path": "D:\\Gold",
        "configuration_location": "D:\\Gold",
        "snapshot_location": "D:\\Gold",
        "statuses": ("Ok",),
        "is_clustered": False,
        "replication_state": "Disabled",
        "parent_snapshot_id": None,
        "created": None,
    }
    return VM(**{**values, **changes})


def disk(**changes: t.Any) -> Disk:
    values: dict[str, t.Any] = {
        "path": DISK_PATH,
        "format": "VHDX",
        "type": "Dynamic",
        "file_size": 10 * GIB,
        "size": 60 * GIB,
        "identifier": "abc",
        "parent_path": "",
        "attached": False,
    }
    return Disk(**{**values, **changes})


def drive(**changes: t.Any) -> Drive:
    values: dict[str, t.Any] = {
        "vm_id": TEMPLATE_ID,
        "path": DISK_PATH,
        "controller_type": "SCSI",
        "number": 0,
        "location": 0,
    }
    return Drive(**{**values, **changes})


def definition(**changes: t.Any) -> Definition:
    values: dict[str, t.Any] = {
        "vm": vm(),
        "processors": 2,
        "memory_startup": 4 * GIB,
        "dynamic_memory": False,
        "memory_minimum": 0,
        "memory_maximum": 0,
        "secure_boot": True,
        "secure_boot_template": "MicrosoftWindows",
        "tpm": False,
        "shielded": False,
        "adapters": (Adapter(name="Network Adapter", switch="Production", vlan=0, static_mac=None),),
        "drives": (drive(),),
        "dvds": (Dvd(path="", controller_type="SCSI", number=0, location=1),),
        "checkpoints": (),
        "disks": (disk(),),
    }
    return Definition(**{**values, **changes})


def provider(name: str = "hv02", **changes: t.Any) -> Provider:
    settings = HostSettings(
        name=name.upper(),
        fqdn_suffix="lab.test",
        virtual_machine_path="C:\\VMs",
        virtual_hard_disk_path="C:\\VHDs",
        migration_enabled=changes.pop("enabled", True),
        migration_authentication=changes.pop("authentication", "Kerberos"),
        maximum_migrations=changes.pop("maximum", 2),
        maximum_storage_migrations=changes.pop("storage", 2),
        any_network=changes.pop("any_network", True),
        supported_versions=changes.pop("versions", ("8.0", "9.0", "10.0")),
        performance="Compression",
    )
    computer = Computer(
        dns_name=name,
        domain="lab.test",
        part_of_domain=changes.pop("member", True),
        uuid=f"uuid-{name}",
        os_caption="Windows Server 2022",
        os_build=changes.pop("build", "20348"),
        clustered=changes.pop("clustered", False),
    )
    values: dict[str, t.Any] = {
        "name": name,
        "settings": settings,
        "computer": computer,
        "volumes": (Volume(name="C:\\", free=500 * GIB, capacity=1000 * GIB),),
        "switches": (Switch(name="Production", id="1", type="External"),),
        "migration_networks": (),
        "path": "C:\\VMs",
    }
    return Provider(**{**values, **changes})


def codes(findings: t.Iterable[Finding], severity: str | None = None) -> list[str]:
    return [finding.code for finding in findings if severity in (None, finding.severity)]


def test_a_healthy_template_has_no_findings() -> None:
    assert codes(template_findings(definition())) == []


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"vm": vm(state="Running")}, "TEMPLATE_NOT_OFF"),
        ({"vm": vm(state="Saved")}, "TEMPLATE_SAVED_STATE"),
        ({"vm": vm(is_clustered=True)}, "TEMPLATE_CLUSTERED"),
        ({"vm": vm(replication_state="Replicating")}, "TEMPLATE_REPLICATED"),
        ({"vm": vm(name="a*b")}, "TEMPLATE_NAME"),
        ({"checkpoints": (Checkpoint(id="1", name="before", type="Standard"),)}, "TEMPLATE_CHECKPOINTS"),
        ({"drives": (), "disks": ()}, "TEMPLATE_NO_DISK"),
        ({"drives": (drive(disk_number=3, path="Disk 3"),), "disks": ()}, "TEMPLATE_PASSTHROUGH_DISK"),
        ({"disks": (disk(parent_path="D:\\base.vhdx", type="Differencing"),)}, "TEMPLATE_DIFFERENCING_DISK"),
        ({"disks": (disk(format="VHDSet"),)}, "TEMPLATE_SHARED_DISK"),
        ({"drives": (drive(shared=True),)}, "TEMPLATE_SHARED_DISK"),
        ({"drives": (drive(shared=True),), "disks": (disk(format="VHDSet"),)}, "TEMPLATE_SHARED_DISK"),
        ({"drives": (drive(shared=True),)}, "TEMPLATE_SHARED_DISK"),
        ({"drives": (drive(shared=True),), "disks": (disk(format="VHDSet"),)}, "TEMPLATE_SHARED_DISK"),
        ({"dvds": (Dvd(path="D:\\w.iso", controller_type="SCSI", number=0, location=1),)}, "TEMPLATE_ISO_MOUNTED"),
    ],
)
def test_what_forbids_a_distribution(changes: dict[str, t.Any], code: str) -> None:
    assert codes(template_findings(definition(**changes)), ERROR) == [code]


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"tpm": True}, "TEMPLATE_VTPM"),
        ({"adapters": (Adapter(name="A", switch=None, vlan=0, static_mac="00155D010203"),)}, "TEMPLATE_STATIC_MAC"),
    ],
)
def test_what_deserves_a_warning(changes: dict[str, t.Any], code: str) -> None:
    found = list(template_findings(definition(**changes)))
    assert codes(found) == [code]
    assert codes(found, ERROR) == []


@pytest.mark.parametrize(
    "name",
    ["win11-gold", "win11-gold[1]", "it's; $(reboot) `x`", "grün ä ö ü", "two  spaces", "x" * 100, ".hidden", "%TEMP%"],
)
def test_names_that_work(name: str) -> None:
    assert list(name_findings(name)) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "a/b",
        "a\\b",
        "a:b",
        "a*",
        "a?",
        'a"b',
        "a<b",
        "a>b",
        "a|b",
        "a\nb",
        "x.",
        "x ",
        " x",
        "CON",
        "nul.txt",
    ]
    + ["com1", "x" * 101],
)
def test_names_that_are_refused(name: str) -> None:
    found = list(name_findings(name))
    assert codes(found) == ["TEMPLATE_NAME"]
    assert found[0].remedy


def test_a_healthy_provider_has_no_findings() -> None:
    assert codes(provider_findings(provider(), provider("hv01"), Needs.of(definition()))) == []


@pytest.mark.parametrize(
    "target, code",
    [
        (provider(enabled=False), "MIGRATION_DISABLED"),
        (provider(any_network=False), "MIGRATION_NO_NETWORK"),
        (provider(authentication="CredSSP"), "MIGRATION_AUTHENTICATION_DIFFERS"),
        (provider(maximum=0), "MIGRATION_LIMIT_ZERO"),
        (provider(storage=0), "MIGRATION_LIMIT_ZERO"),
        (provider(member=False), "NOT_IN_DOMAIN"),
        (provider(maximum=0), "MIGRATION_LIMIT_ZERO"),
        (provider(storage=0), "MIGRATION_LIMIT_ZERO"),
        (provider(member=False), "NOT_IN_DOMAIN"),
        (provider(clustered=True), "SUBTYPE_DIFFERS"),
        (provider(versions=("5.0", "8.0")), "VM_VERSION_UNSUPPORTED"),
        (provider(switches=()), "SWITCH_MISSING"),
        (provider(path="E:\\VMs"), "PATH_VOLUME_MISSING"),
        (provider(path="C:\\" + "x" * 180), "PATH_TOO_LONG"),
    ],
)
def test_why_a_provider_cannot_be_supplied(target: Provider, code: str) -> None:
    found = list(provider_findings(target, provider("hv01"), Needs.of(definition())))
    assert codes(found) == [code]
    assert found[0].provider == "hv02"
    assert found[0].remedy


def test_a_source_without_migration_is_found_as_well() -> None:
    found = provider_findings(provider(), provider("hv01", enabled=False), Needs.of(definition()))
    assert codes(found) == ["MIGRATION_DISABLED"]


def test_a_target_with_low_limits_is_no_finding() -> None:
    low = provider(maximum=1, storage=1)
    assert codes(provider_findings(low, provider("hv01"), Needs.of(definition()))) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"auth": "basic"}, ["NO_DELEGATION"]),
        ({"auth": "certificate"}, ["NO_DELEGATION"]),
        ({"auth": "certificate", "endpoint": "Fanout"}, []),  # there the source's computer account may be who comes
        ({"auth": "kerberos"}, []),
        ({"auth": "ntlm"}, []),
        ({"auth": "negotiate"}, []),
        ({"auth": "credssp"}, []),
        ({}, []),
        ({"member": False}, ["NOT_IN_DOMAIN"]),
        ({"auth": "basic", "authentication": "CredSSP"}, ["MIGRATION_AUTHENTICATION_DIFFERS", "NO_DELEGATION"]),
    ],
)
def test_a_second_hop_that_cannot_work_is_known_before(source: dict[str, t.Any], expected: list[str]) -> None:
    found = list(provider_findings(provider(), provider("hv01", **source), Needs.of(definition())))
    assert codes(found, ERROR) == codes(found) == expected
    assert all("hv01" in finding.what and finding.remedy for finding in found)


def test_clusters_without_a_domain_have_certificates() -> None:
    target, source = (provider(name, member=False, clustered=True) for name in ("hv02", "hv01"))
    assert codes(provider_findings(target, source, Needs.of(definition()))) == []


def test_switches_are_compared_by_exact_name() -> None:
    target = provider(switches=(Switch(name="production", id="1", type="External"),))
    assert codes(provider_findings(target, provider("hv01"), Needs.of(definition()))) == ["SWITCH_MISSING"]


def test_room_on_the_target() -> None:
    size = 10 * GIB
    enough = replace(provider(), volumes=(Volume(name="C:\\", free=room_for(size), capacity=1000 * GIB),))
    short = replace(provider(), volumes=(Volume(name="C:\\", free=room_for(size) - 1, capacity=1000 * GIB),))
    assert codes(target_space(enough, size)) == []
    assert codes(target_space(short, size)) == ["SPACE_TARGET"]
    assert codes(target_space(short, size, reclaimable=1)) == []


@pytest.mark.parametrize(
    "free_in_rooms, export_needed, wanted, clones",
    [(10, True, 3, 3), (3, True, 3, 2), (3, False, 3, 3), (2, True, 3, 1), (1, True, 3, 0), (0, False, 3, 0)],
)
def test_clones_that_fit_beside_the_export(free_in_rooms: int, export_needed: bool, wanted: int, clones: int) -> None:
    size = 7 * GIB
    free = free_in_rooms * room_for(size)
    assert clones_that_fit(free, size, export_needed=export_needed, wanted=wanted) == clones


def test_a_vm_of_the_same_name_is_named_with_its_id() -> None:
    found = list(conflict_findings("hv02", "win11-gold", [{"id": "42", "name": "win11-gold"}]))
    assert codes(found, ERROR) == ["NAME_CONFLICT"]
    assert "42" in found[0].what
    assert "not touched" in found[0].what


def test_a_provider_without_an_answer_keeps_its_reason() -> None:
    finding = unreachable("hv02", {"code": "UNREACHABLE", "message": "no route", "remedy": None})
    assert (finding.code, finding.what) == ("UNREACHABLE", "no route")
    assert finding.remedy


@pytest.mark.parametrize("size, text", [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (60 * GIB, "60.0 GiB")])
def test_sizes_as_people_read_them(size: int, text: str) -> None:
    assert gib(size) == text
