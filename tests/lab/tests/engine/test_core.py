# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Select-Object, Where-Object, Sort-Object and what else only works on objects."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hyperv_lab.engine.objects import PSArray, PSObj, enum
from hyperv_lab.engine.wildcards import has_wildcards, matches

from tests.lab.tests.engine.rig import WALL, Rig

PS = "Microsoft.PowerShell.Commands."
STATE = "Microsoft.HyperV.PowerShell.VMState"


@pytest.fixture
def vms(rig: Rig) -> Rig:
    """A variable of the runspace with three objects."""
    things = [
        PSObj(["Thing", "System.Object"], {"Name": name, "Size": size, "State": enum(STATE, state), "Tags": tags})
        for name, size, state, tags in (
            ("beta", 5, "Off", PSArray(["x"])),
            ("Alpha", 10, "Running", PSArray(["x", "y"])),
            ("gamma", None, "Off", PSArray()),
        )
    ]
    rig.session.set_variable("things", PSArray(things))
    return rig


THINGS = (("Get-Variable", {"Name": "things"}), ("Select-Object", {"ExpandProperty": "Value"}))


def names(rig: Rig, *stages: tuple[str, Any]) -> list[Any]:
    return rig(*THINGS, *stages, ("Select-Object", {"ExpandProperty": "Name"})).output


# ---- Select-Object


def test_new_objects_of_properties(vms: Rig) -> None:
    shown = vms(*THINGS, ("Select-Object", {"Property": ["nam*", "none", "STATE"], "First": 1})).one
    notes = {entry.name: entry.get_value(shown) for entry in shown.PSObject.extended_properties}
    assert notes == {"Name": "beta", "none": None, "State": 3}
    assert shown.PSTypeNames[:2] == [
        "Deserialized.Selected.Thing",
        "Deserialized.System.Management.Automation.PSCustomObject",
    ]


def test_calculated_properties_by_name(vms: Rig) -> None:
    shown = vms(*THINGS, ("Select-Object", {"Property": [{"n": "Label", "e": "Name"}], "Last": 1})).one
    assert shown.Label == "gamma"


def test_excluded_properties(vms: Rig) -> None:
    shown = vms(*THINGS, ("Select-Object", {"ExcludeProperty": ["S*", "Tags"], "First": 1})).one
    assert [entry.name for entry in shown.PSObject.extended_properties] == ["Name"]


def test_a_property_twice_is_an_error(vms: Rig) -> None:
    result = vms(*THINGS, ("Select-Object", {"Property": ["Name", "name"], "First": 1}))
    assert result.error_id == f"AlreadyExistingUserSpecifiedPropertyNoExpand,{PS}SelectObjectCommand"
    assert len(result.output) == 1


def test_expanding(vms: Rig) -> None:
    assert vms(*THINGS, ("Select-Object", {"ExpandProperty": "Tags"})).output == ["x", "x", "y"]
    assert vms(*THINGS, ("Select-Object", {"ExpandProperty": "Size"})).output == [5, 10]
    missing = vms(*THINGS, ("Select-Object", {"ExpandProperty": "No", "First": 1}))
    assert missing.error_id == f"ExpandPropertyNotFound,{PS}SelectObjectCommand"
    assert missing.state == "Completed"


def test_expanding_with_other_properties(vms: Rig) -> None:
    [first, *_] = vms(*THINGS, ("Select-Object", {"ExpandProperty": "Tags", "Property": "Name"})).output
    assert (str(first), first.Name) == ("x", "beta")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"First": 2}, ["beta", "Alpha"]),
        ({"Last": 2}, ["Alpha", "gamma"]),
        ({"Skip": 1}, ["Alpha", "gamma"]),
        ({"First": 1, "Skip": 1}, ["Alpha"]),
        ({"Last": 1, "Skip": 1}, ["Alpha"]),
        ({"First": 1, "Last": 1}, ["beta", "gamma"]),
        ({"SkipLast": 1}, ["beta", "Alpha"]),
        ({"Index": [2, 0]}, ["beta", "gamma"]),
        ({"Index": 7}, []),
        ({"First": 9}, ["beta", "Alpha", "gamma"]),
        ({"First": 0}, []),
    ],
)
def test_places(vms: Rig, arguments: dict[str, Any], expected: list[str]) -> None:
    assert names(vms, ("Select-Object", arguments)) == expected


def test_unique(rig: Rig) -> None:
    assert rig(("Select-Object", {"Unique": None}), inputs=["a", "b", "a", "A"]).output == ["a", "b", "A"]


# ---- Where-Object


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"Property": "Name", "EQ": True, "Value": "ALPHA"}, ["Alpha"]),
        ({"Property": "Name", "CEQ": True, "Value": "ALPHA"}, []),
        ({"Property": "Name", "NE": True, "Value": "beta"}, ["Alpha", "gamma"]),
        ({"Property": "Name", "Like": True, "Value": "*a"}, ["beta", "Alpha", "gamma"]),
        ({"Property": "Name", "NotLike": True, "Value": "b*"}, ["Alpha", "gamma"]),
        ({"Property": "Name", "In": True, "Value": ["beta", "gamma"]}, ["beta", "gamma"]),
        ({"Property": "Name", "NotIn": True, "Value": ["beta", "gamma"]}, ["Alpha"]),
        ({"Property": "State", "EQ": True, "Value": "off"}, ["beta", "gamma"]),
        ({"Property": "State", "EQ": True, "Value": 2}, ["Alpha"]),
        ({"Property": "Size", "GT": True, "Value": 5}, ["Alpha"]),
        ({"Property": "Size", "GE": True, "Value": "5"}, ["beta", "Alpha"]),
        ({"Property": "Size", "EQ": True, "Value": None}, ["gamma"]),
        ({"Property": "Tags", "Contains": True, "Value": "Y"}, ["Alpha"]),
        ({"Property": "Tags"}, ["beta", "Alpha"]),
        ({"Property": "NoSuch"}, []),
    ],
)
def test_filters(vms: Rig, arguments: dict[str, Any], expected: list[str]) -> None:
    assert names(vms, ("Where-Object", arguments)) == expected


def test_scripts_are_not_simulated(vms: Rig) -> None:
    assert vms(*THINGS, ("Where-Object", {"FilterScript": "$_.Name"})).error_id == "NotSimulated"
    assert vms(*THINGS, ("Where-Object", {"Property": "Name", "Match": True, "Value": "^b"})).error_id == "NotSimulated"


# ---- Sort-Object, Measure-Object


def test_sorting(vms: Rig) -> None:
    assert names(vms, ("Sort-Object", {"Property": "Name"})) == ["Alpha", "beta", "gamma"]
    assert names(vms, ("Sort-Object", {"Property": ["State", "Name"], "Descending": True})) == [
        "gamma",
        "beta",
        "Alpha",
    ]
    assert names(vms, ("Sort-Object", {"Property": "State", "Unique": True})) == ["Alpha", "beta"]


def test_measuring(vms: Rig) -> None:
    assert vms(*THINGS, ("Measure-Object", {})).one.Count == 3
    summed = vms(*THINGS, ("Select-Object", {"First": 2}), ("Measure-Object", {"Property": "Size", "Sum": True})).one
    assert (summed.Count, summed.Sum, summed.Average, summed.Property) == (2, 15.0, None, "Size")


# ---- ForEach-Object, Group-Object, Tee-Object, Out-String


def test_members(vms: Rig) -> None:
    assert vms(*THINGS, ("ForEach-Object", {"MemberName": "Name"})).output == ["beta", "Alpha", "gamma"]
    assert vms(*THINGS, ("ForEach-Object", {"MemberName": "Tags"})).output == ["x", "x", "y"]
    assert vms(*THINGS, ("ForEach-Object", {"MemberName": "Size"})).output == [5, 10]


@pytest.mark.parametrize(
    "arguments",
    [{"Process": "$_.Name"}, {"MemberName": "ToString"}, {"MemberName": "Trim", "ArgumentList": ["a"]}],
)
def test_scripts_and_methods_are_not_simulated(vms: Rig, arguments: dict[str, Any]) -> None:
    assert vms(*THINGS, ("ForEach-Object", arguments)).error_id == "NotSimulated"


def test_members_that_cannot_be(vms: Rig) -> None:
    found = vms(*THINGS, ("Select-Object", {"First": 1}), ("ForEach-Object", {"MemberName": "*a*"}))
    assert found.error_id == f"AmbiguousPropertyOrMethodName,{PS}ForEachObjectCommand"
    found = vms(*THINGS, ("Select-Object", {"First": 1}), ("ForEach-Object", {"MemberName": "zz*"}))
    assert found.error_id == f"PropertyOrMethodNotFound,{PS}ForEachObjectCommand"


def test_groups(vms: Rig) -> None:
    groups = vms(*THINGS, ("Group-Object", {"Property": "State"})).output
    assert [(group.Name, group.Count) for group in groups] == [("Off", 2), ("Running", 1)]
    bare = vms(*THINGS, ("Group-Object", {"Property": "State", "NoElement": True})).output[0]
    assert (bare.Count, list(bare.Group)) == (2, [])
    assert vms(*THINGS, ("Group-Object", {"AsHashTable": True})).error_id == "NotSimulated"


def test_a_tee_keeps_what_goes_through(vms: Rig) -> None:
    assert names(vms, ("Tee-Object", {"Variable": "kept"})) == ["beta", "Alpha", "gamma"]
    kept = (("Get-Variable", {"Name": "kept"}), ("Select-Object", {"ExpandProperty": "Value"}))
    assert vms(*kept, ("Measure-Object", {})).one.Count == 3
    assert vms(*THINGS, ("Tee-Object", {"FilePath": "C:\\x"})).error_id == "NotSimulated"


def test_strings_as_one(vms: Rig) -> None:
    lines = ("Write-Output", {"InputObject": ["a", "b"]})
    assert vms(lines, ("Out-String", {})).one == "a\r\nb\r\n"
    assert vms(lines, ("Out-String", {"Stream": True})).output == ["a", "b"]
    assert vms(*THINGS, ("Out-String", {})).error_id == "NotSimulated"


# ---- the rest


def test_paths_as_text(rig: Rig) -> None:
    assert rig(("Join-Path", {"Path": "C:\\a\\", "ChildPath": "\\b"})).one == "C:\\a\\b"
    cases = [
        ({"Path": "C:\\a\\b"}, "C:\\a"),
        ({"Path": "C:\\a"}, "C:\\"),
        ({"Path": "C:\\a\\b", "Leaf": None}, "b"),
        ({"Path": "C:\\a\\b", "Qualifier": None}, "C:"),
        ({"Path": "C:\\a\\b", "NoQualifier": None}, "\\a\\b"),
        ({"Path": "a\\b", "IsAbsolute": None}, False),
        ({"LiteralPath": "C:\\a[1]\\b"}, "C:\\a[1]"),
    ]
    assert [rig(("Split-Path", arguments)).one for arguments, _ in cases] == [part for _, part in cases]


def test_dates(rig: Rig) -> None:
    now = rig(("Get-Date", {})).one
    assert (now, now.utcoffset()) == (WALL, datetime.timedelta(0))
    assert rig(("Get-Date", {"Format": "o"})).one == "2026-11-20T13:09:30.2500000+00:00"
    assert rig(("Get-Date", {"Format": "dd"})).error_id == "NotSimulated"


def test_json(vms: Rig) -> None:
    shown = vms(*THINGS, ("Select-Object", {"First": 1}), ("ConvertTo-Json", {"Compress": None})).one
    assert shown == '{"Name":"beta","Size":5,"State":3,"Tags":["x"]}'


def test_sleeping_takes_the_hosts_time(rig: Rig) -> None:
    rig(("Start-Sleep", {"Seconds": 90}))
    rig(("Start-Sleep", {"Milliseconds": 500}))
    assert rig.host.clock.now() == 90.5


def test_commands_are_known(rig: Rig) -> None:
    shown = rig(("Get-Command", {"Name": "export-vm"})).one
    assert (shown.Name, shown.ModuleName, shown.CommandType) == ("Export-VM", "Hyper-V", "Cmdlet")
    missing = rig(("Get-Command", {"Name": "Export-VMs"}))
    assert missing.error_id == f"CommandNotFoundException,{PS}GetCommandCommand"


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("win*", "WIN11", True),
        ("win?", "win11", False),
        ("a[bc]d", "acd", True),
        ("a[b-d]e", "aCe", True),
        ("test[1]", "test1", True),
        ("test[1]", "test[1]", False),
        ("test`[1`]", "test[1]", True),
        ("a`*", "a*", True),
        ("[", "[", True),
        ("a.b", "axb", False),
    ],
)
def test_patterns(pattern: str, value: str, fits: bool) -> None:
    assert matches(pattern, value) is fits


def test_what_acts_as_a_pattern() -> None:
    assert [has_wildcards(text) for text in ("a*", "a`*", "a[1]", "plain", "`[1`]?")] == [
        True,
        False,
        True,
        False,
        True,
    ]
