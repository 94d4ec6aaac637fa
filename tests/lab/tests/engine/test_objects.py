# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects by their tables, conversions, and what remoting leaves of them at depth 1."""

from __future__ import annotations

import datetime
import uuid
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hyperv_lab.engine.binding_errors import Mismatch
from hyperv_lab.engine.clixml import to_wire
from hyperv_lab.engine.convert import converter
from hyperv_lab.engine.errors import LabBug
from hyperv_lab.engine.incoming import from_wire
from hyperv_lab.engine.objects import (
    I64,
    U32,
    U64,
    EnumValue,
    Noted,
    PSArray,
    PSObj,
    Version,
    enum,
    make_object,
    text,
)
from hyperv_lab.engine.tables import property_types
from psrpcore import types
from psrpcore._crypto import PSRemotingCrypto

HV = "Microsoft.HyperV.PowerShell."
UTC = datetime.timezone.utc


def vm(**values: Any) -> PSObj:
    return make_object(HV + "VirtualMachine", {"Name": "a", "State": "Running", **values})


# ---- make_object


def test_an_object_has_every_property_of_its_type_in_order() -> None:
    made = vm()
    assert list(made.properties) == list(property_types(HV + "VirtualMachine") or ())
    assert len(made.properties) == 71
    assert (made["Notes"], made["Uptime"], made["MemoryAssigned"]) == (None, datetime.timedelta(0), 0)
    assert made.type_names[-1] == "System.Object"


def test_numbers_are_what_the_type_declares() -> None:
    host = make_object(HV + "VMHost", {"MaximumStorageMigrations": 2, "MemoryCapacity": 1 << 40})
    assert type(host["MaximumStorageMigrations"]) is U32
    assert type(host["MemoryCapacity"]) is I64
    disk = make_object("Microsoft.Vhd.PowerShell.VirtualHardDisk", {"Size": 1 << 63})
    assert to_wire(disk).count("<U64 ") >= 2
    assert type(disk["Size"]) is U64


def test_aliases_follow_their_property() -> None:
    made = vm(Id=uuid.UUID(int=7))
    assert made["vmid"] == made["VMId"] == uuid.UUID(int=7)
    made.properties["Name"] = "renamed"
    assert made["VMName"] == "renamed"


@pytest.mark.parametrize(
    ("type_name", "values"),
    [
        (HV + "VirtualMachine", {"Nmae": "x"}),
        (HV + "VirtualMachine", {"State": "Sleeping"}),
        (HV + "VirtualMachine", {"MemoryStartup": "much"}),
        (HV + "VirtualMachine", {"IsClustered": 1}),
        (HV + "NoSuchType", {}),
    ],
)
def test_what_does_not_fit_a_type_is_a_bug_of_the_lab(type_name: str, values: dict[str, Any]) -> None:
    with pytest.raises(LabBug):
        make_object(type_name, values)


def test_enums() -> None:
    assert enum(HV + "VMState", "off") == enum(HV + "VMState", 3) == EnumValue(HV + "VMState", "Off", 3)
    assert enum(HV + "VMState", "Off") != enum(HV + "VMState", "Running")
    with pytest.raises(LabBug):
        enum(HV + "VMState", 77)


# ---- depth 1


def parsed(value: Any) -> ET.Element:
    return ET.fromstring(to_wire(value))


def read(value: Any) -> Any:
    """What psrpcore makes of it at the other end."""
    return types._serializer.deserialize(parsed(value), PSRemotingCrypto())


def member(element: ET.Element, group: str, name: str) -> ET.Element:
    found = [entry for entry in element.findall(f"{group}/*") if entry.get("N") == name]
    assert len(found) == 1, name
    return found[0]


def test_properties_of_an_object_are_flat() -> None:
    drive = make_object(HV + "HardDiskDrive", {"Path": "C:\\a.vhdx"})
    element = parsed(vm(HardDrives=[drive], OperationalStatus=["Ok", "InService"]))
    assert (member(element, "Props", "State").tag, member(element, "Props", "State").text) == ("S", "Running")
    drives = member(element, "Props", "HardDrives")
    assert [(item.tag, item.text) for item in drives.findall("LST/*")] == [("S", HV + "HardDiskDrive")]
    status = member(element, "Props", "OperationalStatus")
    assert [item.text for item in status.findall("LST/*")] == ["Ok", "InService"]
    assert status.find("TN/T") is not None and status.findtext("TN/T") == HV + "VMOperationalStatus[]"
    assert element.findtext("ToString") == HV + "VirtualMachine"


def test_type_names_are_the_live_ones_and_aliases_are_extended_members() -> None:
    element = parsed(vm())
    assert element.findtext("TN/T") == HV + "VirtualMachine"
    assert member(element, "MS", "VMName").text == "a"
    assert element.find("Props/*[@N='VMName']") is None


def test_notes_keep_the_depth_of_their_object() -> None:
    drive = make_object(HV + "HardDiskDrive", {"Path": "C:\\a.vhdx", "ControllerType": "SCSI"})
    selected = PSObj(
        ["Selected." + HV + "VirtualMachine", "System.Management.Automation.PSCustomObject", "System.Object"],
        notes={"State": enum(HV + "VMState", "Off"), "HardDrives": PSArray([drive], HV + "HardDiskDrive[]")},
    )
    element = parsed(selected)
    state = member(element, "MS", "State")
    assert (state.tag, state.findtext("ToString"), state.findtext("I32")) == ("Obj", "Off", "3")
    assert state.findtext("TN/T") == HV + "VMState"
    [shown] = member(element, "MS", "HardDrives").findall("LST/Obj")
    assert member(shown, "Props", "Path").text == "C:\\a.vhdx"
    assert member(shown, "Props", "ControllerType").text == "SCSI"
    assert element.find("ToString") is None


def test_an_enum_that_is_put_out_itself_is_an_object() -> None:
    element = parsed(enum(HV + "VMState", "Off"))
    assert (element.findtext("ToString"), element.findtext("I32"), element.find("Props")) == ("Off", "3", None)


def test_a_noted_value_is_an_extended_primitive() -> None:
    element = parsed(Noted("line", {"ReadCount": I64(1), "PSDrive": PSObj(["D"], {"Name": "C"}, to_string="C")}))
    assert (element.tag, element.findtext("S"), element.findtext("MS/I64")) == ("Obj", "line", "1")
    assert member(element.find("MS/Obj") or element, "Props", "Name").text == "C"
    assert element.find("TN") is None


def test_type_names_are_referred_to_when_they_come_again() -> None:
    element = parsed(PSArray([enum(HV + "VMState", "Off"), enum(HV + "VMState", "Running")]))
    first, second = element.findall("LST/Obj")
    assert first.find("TN") is not None
    assert second.find("TNRef").get("RefId") == first.find("TN").get("RefId")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (None, "<Nil />"),
        (True, "<B>true</B>"),
        (5, "<I32>5</I32>"),
        (1 << 31, "<I64>2147483648</I64>"),
        (U32(4294967295), "<U32>4294967295</U32>"),
        (1.5, "<Db>1.5</Db>"),
        (uuid.UUID(int=1), "<G>00000000-0000-0000-0000-000000000001</G>"),
        (Version("9.0"), "<Version>9.0</Version>"),
        (datetime.timedelta(seconds=10), "<TS>PT10S</TS>"),
        (datetime.timedelta(days=1, hours=2, seconds=0.5), "<TS>P1DT2H0.5S</TS>"),
        (datetime.timedelta(0), "<TS>PT0S</TS>"),
        (-datetime.timedelta(minutes=10), "<TS>-PT10M</TS>"),
        (datetime.timedelta(days=3), "<TS>P3D</TS>"),
        (datetime.datetime(2026, 5, 1, 2, 3, 4, 50, UTC), "<DT>2026-05-01T02:03:04.0000500Z</DT>"),
        (datetime.datetime(1, 1, 1), "<DT>0001-01-01T00:00:00</DT>"),
        (
            datetime.datetime(2026, 5, 1, tzinfo=datetime.timezone(-datetime.timedelta(hours=3, minutes=30))),
            "<DT>2026-05-01T00:00:00-03:30</DT>",
        ),
        ("a&<b>\"c'", "<S>a&amp;&lt;b&gt;&quot;c'</S>"),
        ("a\nb_x0041_", "<S>a_x000A_b_x005F_x0041_</S>"),
        ("\U0001f600 ü", "<S>_xD83D__xDE00_ ü</S>"),
        (b"\x00\x01", "<BA>AAE=</BA>"),
    ],
)
def test_simple_values_on_the_wire(value: Any, wire: str) -> None:
    assert to_wire(value) == wire


@pytest.mark.parametrize(
    "value", ["quotes ' \" $() ; *", "\x00\x1f\x7f", "_x000a_", "umlaut äöü", "\U0001f984", "", " spaces "]
)
def test_strings_come_back_as_they_were(value: str) -> None:
    assert str(read(value)) == value


def test_what_the_wire_does_not_know_is_a_bug_of_the_lab() -> None:
    with pytest.raises(LabBug):
        to_wire(object())


# ---- what clients send


def test_objects_of_a_client_are_no_live_ones() -> None:
    arrived = from_wire(read(vm(Id=uuid.UUID(int=3))))
    assert arrived.deserialized
    assert arrived.type_names[0] == "Deserialized." + HV + "VirtualMachine"
    assert (arrived["Id"], arrived["VMName"], arrived["State"]) == (uuid.UUID(int=3), "a", "Running")
    with pytest.raises(Mismatch):
        converter(HV + "VirtualMachine[]").convert(arrived)


@pytest.mark.parametrize(
    "value", [5, I64(5), U64(5), "x", True, None, uuid.UUID(int=9), b"ab", ["x", 1], {"a": [1]}, 2.5]
)
def test_simple_values_of_a_client(value: Any) -> None:
    assert from_wire(read(value)) == value
    assert type(from_wire(read(U64(5)))) is U64


# ---- conversions


@pytest.mark.parametrize(
    ("type_name", "value", "expected"),
    [
        ("System.Int32", "12", 12),
        ("System.Int32", " 0x1F ", 31),
        ("System.Int32", "", 0),
        ("System.Int32", "1.5", 2),
        ("System.Int32", 2.5, 2),
        ("System.Int32", True, 1),
        ("System.Int64", "4gb", 4 << 30),
        ("System.UInt64", str((1 << 64) - 1), (1 << 64) - 1),
        ("System.String", 5, "5"),
        ("System.String", True, "True"),
        ("System.String", uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("System.Boolean", 0, False),
        ("System.Management.Automation.SwitchParameter", 1, True),
        ("System.Guid", "{00000000-0000-0000-0000-000000000001}", uuid.UUID(int=1)),
        ("System.Guid", "0" * 31 + "1", uuid.UUID(int=1)),
        ("System.TimeSpan", "1.02:03:04", datetime.timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("System.TimeSpan", "00:00:10", datetime.timedelta(seconds=10)),
        ("System.DateTime", "2026-05-01T10:00:00Z", datetime.datetime(2026, 5, 1, 10, tzinfo=UTC)),
        ("System.Version", "10.0.1", "10.0.1"),
        ("System.String[]", "a", ["a"]),
        ("System.Int32[]", ["1", 2], [1, 2]),
        ("System.Object[]", {"Name": "x"}, [{"Name": "x"}]),
        ("System.Nullable[System.Int64]", "7", 7),
    ],
)
def test_conversions(type_name: str, value: Any, expected: Any) -> None:
    assert converter(type_name).convert(value) == expected


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("System.Int32", "twelve"),
        ("System.Int32", 1 << 31),
        ("System.Int32", "1 2"),
        ("System.UInt32", -1),
        ("System.Byte", 256),
        ("System.Boolean", "true"),
        ("System.Management.Automation.SwitchParameter", "yes"),
        ("System.Guid", "win11-gold"),
        ("System.Guid", 5),
        ("System.TimeSpan", "24:00:00"),
        ("System.DateTime", "soon"),
        ("System.Version", "1"),
        ("System.String", ["a", "b"]),
        ("System.Int32", [1]),
        ("System.Collections.Hashtable", "a=b"),
        ("System.Management.Automation.PSCredential", "admin"),
        (HV + "VirtualMachine", "win11-gold"),
        (HV + "VMSwitchType", "Externals"),
        (HV + "VMSwitchType", ""),
    ],
)
def test_what_cannot_be_converted(type_name: str, value: Any) -> None:
    with pytest.raises(Mismatch):
        converter(type_name).convert(value)


def test_enums_are_found_by_name_beginning_and_number() -> None:
    kind = converter(HV + "VMSwitchType")
    assert [kind.convert(value).name for value in ("external", "Ex", 1, "0")] == [
        "External",
        "External",
        "Internal",
        "Private",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "True"),
        (PSArray([1], "System.Byte[]"), "System.Byte[]"),
        (datetime.timedelta(hours=1), "01:00:00"),
        (datetime.datetime(2026, 5, 1, 13, 2, 3), "05/01/2026 13:02:03"),
        (PSObj(["System.Management.Automation.PSCustomObject"], notes={"a": 1, "b": None}), "@{a=1; b=}"),
    ],
)
def test_values_as_text(value: Any, shown: str) -> None:
    assert text(value) == shown
