# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the task says wins over the inventory, which wins over the environment."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.plugin_utils._inventory_connection import kind_of, overridden, plain

INVENTORY = ConnectionOptions(server="hv01", username="me", auth="kerberos")


@pytest.mark.parametrize(
    "name, kind",
    [
        ("psrp", "psrp"),
        ("ansible.builtin.psrp", "psrp"),
        ("ansible.legacy.winrm", "winrm"),
        ("winrm", "winrm"),
        ("other.collection.psrp", None),
        ("ssh", None),
        ("local", None),
        (None, None),
    ],
)
def test_connection_plugins(name: str | None, kind: str | None) -> None:
    assert kind_of(name) == kind


def test_precedence() -> None:
    options = overridden(INVENTORY, {"username": "you"}, {"username": "env", "password": "env", "auth": "basic"})
    assert (options.username, options.password, options.auth, options.server) == ("you", "env", "kerberos", "hv01")


@pytest.mark.parametrize(
    "inventory, given, result",
    [
        ({}, {"protocol": "http"}, ("http", 5985)),
        ({}, {"port": 5985}, ("http", 5985)),
        ({}, {"port": 15986}, ("https", 15986)),
        ({"port": 15986}, {"protocol": "http"}, ("http", 15986)),
        ({"port": 5985}, {"protocol": "https"}, ("https", 5986)),
        ({"port": 5985}, {"port": 5986}, ("https", 5986)),
        ({}, {"protocol": "http", "port": 80}, ("http", 80)),
    ],
)
def test_port_and_protocol_follow_each_other(
    inventory: dict[str, t.Any], given: dict[str, t.Any], result: tuple[str, int]
) -> None:
    options = overridden(ConnectionOptions(server="hv01", **inventory), given, {})
    assert (options.protocol, options.port) == result


class Tagged(str):
    """Stands for a string that carries more than its characters."""


def test_plain_values() -> None:
    value = plain({Tagged("a"): [Tagged("b"), 1, True, None, 1.5], "c": (Tagged("d"),)})
    assert value == {"a": ["b", 1, True, None, 1.5], "c": ["d"]}
    assert all(type(item) is not Tagged for item in [*value, *value["a"], *value["c"]])
    assert value["a"][2] is True
