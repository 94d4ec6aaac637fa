# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of two hosts, and hosts as the collection sees them."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.plugins.module_utils._session import Session
from hyperv_lab.client import Lab

USER, PASSWORD = "labadmin", "Lab-Passw0rd!"
GOLD = "win11-gold [1] 'größe' $(x)"
GOLD_ID = "0a0a0a0a-1111-2222-3333-444444444444"
CONFIG: dict[str, t.Any] = {
    "domain": "lab.test",
    "users": [{"name": USER, "password": PASSWORD, "groups": ["Administrators"]}],
    "delegation": "any",
    "rules": {"job_visible_after": 0.2, "disks_stay_locked": 0.2},
    "defaults": {
        "http_port": None,
        "https_port": 0,
        "network_rate": "8MiB",
        "disk_rate": "400MiB",
        "volumes": {"C": "60GiB", "D": "100GiB"},
        "switches": ["Production", {"name": "Lab only", "type": "Private"}],
        "migration": {
            "enabled": True,
            "authentication": "Kerberos",
            "simultaneous": 3,
            "storage": 4,
            "any_network": False,
            "networks": ["127.0.42.0/24"],
        },
    },
    "hosts": {
        "hv01": {
            "address": "127.0.42.1",
            "vms": [
                {
                    "name": GOLD,
                    "id": GOLD_ID,
                    "generation": 2,
                    "memory": "4GiB",
                    "processors": 2,
                    "switch": "Production",
                    "vlan": 42,
                    "notes": "made by Ann\r\nwith care",
                    "disks": [{"file": "golden.vhdx"}, {"size": "1GiB"}],
                },
                {"name": GOLD.replace("[1]", "1"), "tpm": True, "secure_boot": False, "disks": [{"size": "1GiB"}]},
                {
                    "name": "old",
                    "generation": 1,
                    "memory": "1GiB",
                    "dynamic_memory": {"minimum": "512MiB", "maximum": "2GiB"},
                    "switch": "Lab only",
                    "static_mac": "00155D000001",
                    "disks": [{"size": "1GiB", "controller": "IDE"}],
                    "checkpoints": ["before"],
                },
            ],
        },
        "hv02": {"address": "127.0.42.2", "cluster_node": True, "migration": {"enabled": True, "any_network": True}},
    },
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.start(CONFIG) as started:
        yield started
        assert started.bugs() == []


Open = Callable[[str], Host]


@pytest.fixture
def open_host(lab: Lab) -> Iterator[Open]:
    """A host by its name; each call is a session of its own."""
    sessions: list[Session] = []

    def open_one(name: str) -> Host:
        where = lab.hosts[name]
        options = ConnectionOptions(
            server=where["address"],
            port=where["https"],
            username=USER,
            password=PASSWORD,
            auth="ntlm",
            ca_cert=str(lab.ca),
            ignore_proxy=True,
        )
        sessions.append(Session(options, label=name).__enter__())
        return Host(sessions[-1])

    yield open_one
    for session in sessions:
        session.__exit__(None, None, None)


@pytest.fixture
def hv01(open_host: Open) -> Host:
    return open_host("hv01")


@pytest.fixture
def hv02(open_host: Open) -> Host:
    return open_host("hv02")
