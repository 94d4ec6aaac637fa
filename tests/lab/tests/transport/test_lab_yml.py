# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab.yml: what it may say, and that every mistake is named by its key."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from hyperv_lab import lab_yml
from hyperv_lab.config import DelegationConfig, GiB, MiB
from hyperv_lab.reading import ConfigError


def hosts(**settings: Any) -> dict[str, Any]:
    return {"hosts": {"hv01": {"address": "127.0.77.9", **settings}}}


def vm(**settings: Any) -> dict[str, Any]:
    return hosts(vms=[{"name": "gold", **settings}])


def test_the_least_that_is_needed() -> None:
    (host,) = lab_yml.load(hosts()).hosts
    assert (host.http_port, host.https_port, host.version, host.network_rate) == (5985, 5986, 2022, 200 * MiB)
    assert [(volume.letter, volume.capacity) for volume in host.volumes] == [("C", 200 * GiB)]
    assert [switch.name for switch in host.switches] == ["Production"]


def test_defaults_and_what_a_host_says_itself() -> None:
    config = lab_yml.load(
        {
            "defaults": {"network_rate": "1.5MiB/s", "migration": {"simultaneous": 7, "authentication": "credssp"}},
            "hosts": {
                "hv01": {"address": "127.0.77.1", "migration": {"storage": 9}, "volumes": {"d": "1TiB"}},
                "hv02": {"address": "127.0.77.2", "https_port": None, "http_port": 0},
            },
        }
    )
    first, second = config.hosts
    assert first.network_rate == int(1.5 * MiB)
    assert (first.migration.simultaneous, first.migration.storage, first.migration.authentication) == (7, 9, "CredSSP")
    assert first.volumes[0].letter == "D"
    assert (second.http_port, second.https_port) == (0, None)


def test_a_whole_vm(tmp_path: Path) -> None:
    (tmp_path / "gold.vhdx").write_bytes(b"x")
    vm_id = uuid.uuid4()
    data = vm(
        id=str(vm_id),
        memory="4GiB",
        dynamic_memory={"minimum": "1GiB", "maximum": "8GiB"},
        static_mac="00-15-5d-00-00-01",
        disks=[{"file": "gold.vhdx"}, {"size": "1GiB", "controller": "IDE"}],
        state="off",
        checkpoints=["before"],
        tpm=True,
    )
    found = lab_yml.load(data, tmp_path).hosts[0].vms[0]
    assert (found.id, found.memory, found.static_mac, found.state) == (vm_id, 4 * GiB, "00155D000001", "Off")
    assert found.disks[0].file == (tmp_path / "gold.vhdx").resolve()
    assert found.disks[1].controller == "IDE"


def test_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "lab.yml"
    path.write_text("clock: {scale: 60}\ndelegation: {hv01: [hv01]}\nhosts: {hv01: {address: 127.0.77.9}}\n")
    config = lab_yml.load(path)
    assert config.clock == 60.0
    assert config.delegation == {"hv01": DelegationConfig({"hv01": frozenset({"cifs", "migration"})})}


@pytest.mark.parametrize(
    "data,message",
    [
        ({}, "hosts: is missing"),
        ({"hosts": {"hv01": {}}}, "hosts.hv01.address: is missing"),
        ({"hosts": {"hv 1": {"address": "127.0.0.2"}}}, "cannot be the name of a computer"),
        (hosts(adress="x"), "hosts.hv01.adress: unknown key; did you mean address?"),
        (hosts(network_rate="fast"), "hosts.hv01.network_rate: expected a size"),
        (hosts(network_rate=0), "hosts.hv01.network_rate: a rate has to be above zero"),
        (hosts(version=2012), "hosts.hv01.version: 2012 is none of 2016, 2019, 2022, 2025"),
        (hosts(volumes={"CC": 1}), "hosts.hv01.volumes: 'CC' is no drive letter"),
        (hosts(http_port=5986), "hosts.hv01.https_port: is the same as http_port"),
        (hosts(migration={"enabled": "yes"}), "hosts.hv01.migration.enabled: expected true or false"),
        (hosts(winrm={"authentication": ["Digest"]}), "hosts.hv01.winrm.authentication[0]"),
        (vm(memory="4 elephants"), "hosts.hv01.vms[0].memory: expected a size"),
        (vm(disks=[{"file": "nowhere.vhdx"}]), "hosts.hv01.vms[0].disks[0].file: there is no file"),
        (vm(disks=[{}]), "hosts.hv01.vms[0].disks[0]: a disk has either a file or a size"),
        (vm(id="7"), "hosts.hv01.vms[0].id: '7' is no GUID"),
        (vm(state="Asleep"), "hosts.hv01.vms[0].state: 'Asleep' is none of"),
        ({"defaults": {"nonsense": 1}, **hosts()}, "defaults.nonsense: unknown key"),
        ({"clock": {"scale": -1}, **hosts()}, "clock.scale"),
        ({"delegation": {"hv01": ["hv09"]}, **hosts()}, "delegation.hv01[0]: 'hv09' is none of hv01"),
        ({"users": [{"name": "LAB\\x", "password": "y"}], **hosts()}, "users[0].name"),
        ({"delegation": {"hv01": {"to": {"hv01": ["smb"]}}}, **hosts()}, "delegation.hv01.to.hv01[0]: 'smb'"),
        ({"delegation": {"hv01": {"from": "hv01"}}, **hosts()}, "delegation.hv01.from: expected a list"),
        ({"delegation": {"hv01": {"form": []}}, **hosts()}, "delegation.hv01.form: unknown key; did you mean from?"),
        ({"users": [{"name": "x"}], **hosts()}, "users[0].password: is missing"),
        ({"users": [{"name": "x", "password": "a\nb"}], **hosts()}, "users[0].password: has characters"),
        ({"users": [{"name": "x", "password": "y", "groups_on": {"hv9": []}}], **hosts()}, "users[0].groups_on: 'hv9'"),
        (
            {"users": [{"name": "x", "password": "y", "certificate": True, "local": False}], **hosts()},
            "users[0].local: Windows maps client certificates to local accounts only",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_named(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lab_yml.load(data)
    assert message in str(caught.value)


def test_nothing_but_loopback() -> None:
    with pytest.raises(ConfigError, match="no loopback address"):
        lab_yml.load({"hosts": {"hv01": {"address": "10.0.0.1"}}})


def test_two_hosts_on_one_port() -> None:
    with pytest.raises(ConfigError, match=r"hosts\.hv02\.address: 127\.0\.77\.9:5985 is hv01's already"):
        lab_yml.load({"hosts": {"hv01": {"address": "127.0.77.9"}, "hv02": {"address": "127.0.77.9"}}})


def test_passwords_do_not_show() -> None:
    config = lab_yml.load({"users": [{"name": "x", "password": "hush-hush"}], **hosts()})
    assert "hush-hush" not in repr(config)
