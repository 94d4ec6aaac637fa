# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab with one host for all tests of the session, without faults at the start of each."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.module_utils._session import Session
from hyperv_lab.client import Lab

HOST, USER, GUEST, PASSWORD = "hv01", "labadmin", "guest", "Lab-Passw0rd!"
COMMANDS_PER_SHELL = 8
LAB = {
    "domain": "lab.test",
    "users": [
        {"name": USER, "password": PASSWORD, "groups": ["Administrators"], "local": True},
        {"name": GUEST, "password": PASSWORD, "groups": [], "local": True},
    ],
    "hosts": {
        HOST: {
            "address": "127.0.41.1",
            "http_port": 0,
            "https_port": 0,
            "disk_rate": "4MiB",
            "winrm": {"commands_per_shell": COMMANDS_PER_SHELL},
            "vms": [{"name": "one", "disks": [{"size": "1MiB"}]}, {"name": "two"}],
        }
    },
}


@dataclass
class Place:
    """The lab's host, and how to get there."""

    lab: Lab

    @property
    def where(self) -> dict[str, t.Any]:
        return self.lab.hosts[HOST]

    def options(self, **changes: t.Any) -> ConnectionOptions:
        protocol = changes.get("protocol", "https")
        given = {
            "server": self.where["address"],
            "port": self.where[protocol],
            "protocol": protocol,
            "username": USER,
            "password": PASSWORD,
            "auth": "basic" if protocol == "https" else "ntlm",
            "ca_cert": str(self.lab.ca),
            "ignore_proxy": True,
            "connection_timeout": 5,
            **changes,
        }
        return ConnectionOptions.from_params(given)

    def session(self, **changes: t.Any) -> Session:
        return Session(self.options(**changes), label=HOST)

    def fault(self, kind: str, **more: t.Any) -> None:
        self.lab.fault(HOST, kind=kind, **more)

    def calls(self, command: str) -> list[dict[str, t.Any]]:
        return [call for call in self.lab.calls(HOST) if call["command"] == command]


@pytest.fixture(scope="session")
def running_lab() -> Iterator[Lab]:
    with Lab.start(LAB) as lab:
        yield lab


@pytest.fixture
def place(running_lab: Lab) -> Iterator[Place]:
    running_lab.clear_faults(HOST)
    running_lab.clear_calls()
    yield Place(running_lab)
    running_lab.clear_faults(HOST)
    assert running_lab.bugs() == []


@pytest.fixture(params=["https", "http"])
def session(request: pytest.FixtureRequest, place: Place) -> Iterator[Session]:
    """Over HTTPS, and over HTTP with encrypted messages."""
    with place.session(protocol=request.param) as session:
        yield session
