# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The call log: order over all hosts, and no secrets."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

from hyperv_lab.calls import MASK, CallLog, in_order, writes
from psrpcore.types import PSSecureString, PSString, PSUInt

ABOUT = {"user": "LAB\\x", "shell": "S", "pipeline": "P", "parameter_set": "Name"}


def test_numbers_are_the_order_over_all_hosts_and_time_is_the_labs() -> None:
    now, numbers = iter([1.0, 2.0, 5.0]), itertools.count(1)
    logs = [CallLog(name, lambda: next(now), numbers) for name in ("hv01", "hv02")]
    first = logs[1].begin(command="Move-VM", parameters={}, **ABOUT)
    logs[0].begin(command="Get-VM", parameters={}, **ABOUT)
    logs[1].end(first, "OperationFailed")
    logs[1].end(first)
    assert [(call.n, call.host, call.started, call.ended, call.error) for call in in_order(logs)] == [
        (1, "hv02", 1.0, 5.0, "OperationFailed"),
        (2, "hv01", 2.0, None, None),
    ]
    assert [call.n for call in in_order(logs, since=1)] == [2]


def test_parameters_are_json_and_hold_no_secret() -> None:
    machine = SimpleNamespace(type_names=["VirtualMachine"], properties={"Name": "gold", "Id": "42"})
    parameters = {
        "Name": PSString("gold"), "Size": PSUInt(7), "VM": machine, "Hidden": PSSecureString("hush"),
        "Nested": [{"Password": "hush", "Plain": (1, None)}], "Credential": "hush", "Data": b"abc",
    }  # fmt: skip
    call = CallLog("hv01", lambda: 0.0).begin(command="Set-VM", parameters=parameters, **ABOUT)
    text = json.dumps(call.to_dict())
    assert "hush" not in text
    assert call.parameters["VM"] == "VirtualMachine gold 42"
    assert call.parameters["Nested"] == [{"Password": MASK, "Plain": [1, None]}]
    assert json.loads(text)["parameters"]["Size"] == 7


def test_which_verbs_write() -> None:
    reading = ["Get-VM", "Test-VHD", "Compare-VM", "Select-Object", "Where-Object", "Resolve-Path", "Out-Null"]
    writing = [
        "Move-VM",
        "New-Item",
        "Set-VM",
        "Remove-Item",
        "Export-VM",
        "Import-VM",
        "Rename-VM",
        "Invoke-CimMethod",
    ]
    assert [writes(name) for name in reading] == [False] * len(reading)
    assert [writes(name) for name in writing] == [True] * len(writing)
