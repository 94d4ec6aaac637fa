# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of real hosts that the lab does not simulate: bound as any other, then refused by their own error id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hyperv_lab.engine.binding_errors import Mismatch
from hyperv_lab.engine.registry import implementation
from hyperv_lab.engine.shape import Slot, shape_of
from hyperv_lab.engine.tables import command_names

from tests.lab.tests.model.labs import Model
from tests.lab.tests.model.shells import Shell

Make = Callable[..., Model]
NOT_SIMULATED = [name for name in command_names() if implementation(name) is None]
VALUES: dict[str, Any] = {
    "System.Management.Automation.SwitchParameter": True,
    "System.Collections.IDictionary": {"a": 1},
    "System.Collections.Hashtable": {"a": 1},
}


def value_for(slot: Slot) -> Any:
    """Something that the parameter takes; None when only an object that lives on the host will do."""
    kind = slot.kind.element or slot.kind
    if kind.type_name in VALUES:
        return VALUES[kind.type_name]
    if slot.parameter.values:
        return slot.parameter.values[0]
    try:
        kind.convert("1")
    except Mismatch:
        return None
    return "1"


@pytest.mark.parametrize("name", NOT_SIMULATED)
def test_it_never_looks_like_an_answer(make: Make, name: str) -> None:
    shape = shape_of(name, 2022)
    flags = shape.default or 1
    mandatory = [slot for slot in shape.slots if any(role.mandatory for role in slot.matching(flags))]
    values = {slot.name: value_for(slot) for slot in mandatory}
    records = Shell(make())(name, **{key: "1" if value is None else value for key, value in values.items()})
    assert records.state == "Failed"
    assert not records.objects
    expected = "CannotConvertArgumentNoMessage" if None in values.values() else "NotSimulated"
    assert records.error_id.partition(",")[0] == expected, records.errors[0].message
    assert expected != "NotSimulated" or name in records.errors[0].message


def test_there_are_such_commands() -> None:
    assert "Move-VMStorage" in NOT_SIMULATED


def test_a_bug_of_the_lab_has_its_own_id(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Shell(make())
    monkeypatch.setattr("hyperv_lab.cmdlets.vm_info.vm_object", lambda host, vm: 1 // 0)
    records = shell("Get-VM")
    assert (records.state, records.error_id) == ("Failed", "LabBug")
