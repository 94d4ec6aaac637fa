# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values: what goes over the wire, what comes back, and what is refused."""

from __future__ import annotations

import copy
import datetime
import decimal
import enum
import pickle
import typing as t
import uuid
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _wire as wire
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput

UTC = datetime.timezone.utc


class Colour(enum.Enum):
    RED = 3


class Word(str):
    """As Ansible's tagged strings are: a str, but not quite."""

    __slots__ = ()


def sent(value: t.Any) -> t.Any:
    """What is sent, with elements as (tag, text)."""

    def show(item: t.Any) -> t.Any:
        if isinstance(item, ET.Element):
            return item.tag, item.text
        if isinstance(item, list):
            return [show(one) for one in item]
        return {key: show(one) for key, one in item.items()} if isinstance(item, dict) else item

    return show(wire.wire(value, lambda secret: f"sealed {secret!r}"))


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (None, None),
        (True, True),
        (0, ("I32", "0")),
        (2**31 - 1, ("I32", "2147483647")),
        (-(2**31), ("I32", "-2147483648")),
        (2**31, ("I64", "2147483648")),
        (-(2**31) - 1, ("I64", "-2147483649")),
        (64 * 2**30, ("I64", "68719476736")),
        (2**63, ("U64", "9223372036854775808")),
        (2**64 - 1, ("U64", "18446744073709551615")),
        (wire.Int64(5), ("I64", "5")),
        (wire.UInt32(2**32 - 1), ("U32", "4294967295")),
        (wire.UInt64(0), ("U64", "0")),
        (1.5, ("Db", "1.5")),
        (1e300, ("Db", "1e+300")),
        (float("inf"), ("Db", "INF")),
        (float("-inf"), ("Db", "-INF")),
        (float("nan"), ("Db", "NaN")),
        (decimal.Decimal("10.50"), ("D", "10.50")),
        ("a'b\"$(x);`\n\x00ä\U0001f600", "a'b\"$(x);`\n\x00ä\U0001f600"),
        (b"\x00\xff", b"\x00\xff"),
        (uuid.UUID(int=5), uuid.UUID(int=5)),
        (datetime.timedelta(seconds=90), ("TS", "P0DT0H1M30.000000S")),
        (-datetime.timedelta(days=1, microseconds=1), ("TS", "-P1DT0H0M0.000001S")),
        (datetime.datetime(2026, 11, 20, 13, 9, tzinfo=UTC), ("DT", "2026-11-20T13:09:00+00:00")),
        (Colour.RED, ("I32", "3")),
        ([1, "a", [2.0]], [("I32", "1"), "a", [("Db", "2.0")]]),
        (("a", None), ["a", None]),
        ({"SourceFilePath": "a", "n": 2**40}, {"SourceFilePath": "a", "n": ("I64", "1099511627776")}),
    ],
)
def test_what_is_sent(value: t.Any, form: t.Any) -> None:
    shown = sent(value)
    assert shown == form
    assert type(shown) is type(form)


def test_text_is_sent_as_plain_str() -> None:
    assert type(wire.wire(Word("x"), str)) is str
    assert type(next(iter(wire.wire({Word("k"): 1}, str)))) is str


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        object(),
        2**64,
        -(2**63) - 1,
        datetime.datetime(2026, 11, 20),
        datetime.date(2026, 11, 20),
        decimal.Decimal("NaN"),
        decimal.Decimal(2**96),
        datetime.timedelta.max,
        "half a character: \ud83d",
        {1: "key"},
        [object()],
        range(3),
        bytearray(b"x"),
    ],
)
def test_what_has_no_certain_form_is_refused(value: t.Any) -> None:
    with pytest.raises(InvalidInput):
        sent(value)


@pytest.mark.parametrize(("kind", "value"), [(wire.UInt32, -1), (wire.UInt32, 2**32), (wire.Int64, 2**63)])
def test_an_integer_outside_its_type_is_refused(kind: type[int], value: int) -> None:
    with pytest.raises(InvalidInput, match=kind.__name__):
        kind(value)


def test_an_object_is_made_of_properties_that_have_their_form() -> None:
    seen: list[t.Any] = []
    wire.wire(wire.Properties({"Name": "C:", "Size": wire.UInt64(5)}), seen.append)
    [made] = seen
    assert made.values["Name"] == "C:"
    assert (made.values["Size"].tag, made.values["Size"].text) == ("U64", "5")


@pytest.mark.parametrize(
    "text", ["", "plain", "a & b < c > d", "\"quotes'", "line\r\n\tend", "_x000A_", "ümlaut \U0001f600", "]]>", " "]
)
def test_messages_are_written_as_the_library_writes_them(text: str) -> None:
    message = ET.Element("Obj", RefId="0")
    ET.SubElement(message, "S", N=text).text = text
    ET.SubElement(ET.SubElement(message, "MS"), "Nil", N="empty")
    ET.SubElement(message, "ToString").text = None
    assert wire.clixml(message) == ET.tostring(message, encoding="utf-8", method="xml")


def test_secrets_are_sealed_and_show_nothing() -> None:
    secret = wire.Secret("hunter2")
    credential = wire.Credential("admin", secret)
    assert sent({"a": [secret]}) == {"a": ["sealed Secret(***)"]}
    assert "hunter2" not in f"{secret!r}{secret}{credential!r}{credential}"
    assert "admin" in repr(credential)
    assert secret.reveal() == "hunter2"
    for write in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            write(secret)


ENUM = (
    '<Obj N="State" RefId="1"><TN RefId="1"><T>Microsoft.HyperV.PowerShell.VMState</T><T>System.Enum</T></TN>'
    "<ToString>Running</ToString><I32>2</I32></Obj>"
)


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        ("<Nil/>", None),
        ("<S/>", ""),
        ("<S>a_x000A_b_x005F_x000A_</S>", "a\nb_x000A_"),
        ("<S>_xD83D__xDE00_</S>", "\U0001f600"),
        ("<B>true</B>", True),
        ("<B>false</B>", False),
        ("<I64>-5</I64>", -5),
        ("<U64>18446744073709551615</U64>", 2**64 - 1),
        ("<By>7</By>", 7),
        ("<C>65</C>", "A"),
        ("<Db>1.5E3</Db>", 1500.0),
        ("<Sg>-INF</Sg>", float("-inf")),
        ("<D>10.50</D>", decimal.Decimal("10.50")),
        ("<G>B47F8180-8556-443D-9811-625153C53522</G>", "b47f8180-8556-443d-9811-625153c53522"),
        ("<Version>9.0</Version>", "9.0"),
        ("<BA>AAH/</BA>", b"\x00\x01\xff"),
        ("<TS>PT0S</TS>", datetime.timedelta(0)),
        ("<TS>P1DT2H3M4.5000001S</TS>", datetime.timedelta(days=1, hours=2, minutes=3, seconds=4, microseconds=500000)),
        ("<TS>-PT1M30S</TS>", -datetime.timedelta(seconds=90)),
        ("<TS>P10675199DT2H48M5.4775807S</TS>", datetime.timedelta(10675199, 10085, 477580)),
        ("<DT>2024-05-01T12:30:15.1234567Z</DT>", datetime.datetime(2024, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)),
        (
            "<DT>2024-05-01T12:30:15.1+02:00</DT>",
            datetime.datetime(2024, 5, 1, 10, 30, 15, 100000, tzinfo=UTC),
        ),
        ("<DT>0001-01-01T00:00:00</DT>", datetime.datetime(1, 1, 1)),
        (ENUM, "Running"),
        ('<Obj RefId="0"><S>line</S><MS><S N="PSPath">C:\\x</S></MS></Obj>', "line"),
        ('<Obj RefId="0"><I64>5</I64><MS><I32 N="ReadCount">1</I32></MS></Obj>', 5),
        ('<Obj RefId="0"><LST><S>a</S><Nil/><Obj RefId="1"><LST/></Obj></LST></Obj>', ["a", None, []]),
        (
            '<Obj RefId="0"><DCT><En><S N="Key">k</S><I32 N="Value">1</I32></En>'
            '<En><I32 N="Key">2</I32><Nil N="Value"/></En></DCT></Obj>',
            {"k": 1, 2: None},
        ),
    ],
)
def test_what_is_read(xml: str, value: t.Any) -> None:
    read = wire.plain(xml)
    assert read == value
    assert type(read) is type(value)


def test_a_list_of_objects_whose_type_nobody_knows() -> None:
    xml = (
        '<Obj RefId="0"><TN RefId="0"><T>System.Collections.Generic.List`1[[Microsoft.HyperV.PowerShell.HardDiskDrive,'
        " Microsoft.HyperV.PowerShell.Objects]]</T><T>System.Object</T></TN><LST><S>one</S></LST></Obj>"
    )
    assert wire.plain(xml) == ["one"]


def test_an_object_and_both_shapes_of_enums() -> None:
    """State as text is what Get-VM sends; as an object, what comes through Select-Object."""
    xml = (
        '<Obj RefId="0"><TN RefId="0"><T>Microsoft.HyperV.PowerShell.VirtualMachine</T><T>System.Object</T></TN>'
        '<ToString>VM</ToString><Props><S N="State">Running</S><S N="a_x000A_b">x</S></Props>'
        f'<MS>{ENUM.replace("State", "Selected")}<Nil N="VMId"/></MS></Obj>'
    )
    assert wire.plain(xml) == {
        "State": "Running",
        "Selected": "Running",
        "a\nb": "x",
        "VMId": None,
        "_type": "Microsoft.HyperV.PowerShell.VirtualMachine",
    }


def test_references_to_objects_and_to_lists_of_types() -> None:
    xml = (
        '<Obj RefId="0"><LST><Obj RefId="1"><TN RefId="0"><T>T1</T></TN><Props><I32 N="a">1</I32></Props></Obj>'
        '<Obj RefId="2"><TNRef RefId="0"/><Props><Ref N="other" RefId="1"/></Props></Obj></LST></Obj>'
    )
    assert wire.plain(xml) == [{"a": 1, "_type": "T1"}, {"other": {"a": 1, "_type": "T1"}, "_type": "T1"}]


def test_a_secret_of_the_host_is_not_read() -> None:
    assert isinstance(wire.plain("<SS>AAAA</SS>"), wire.Secret)


@pytest.mark.parametrize(
    "xml", ["", "<S>", "<X/>", "<I32>one</I32>", "<TS>1 day</TS>", "<DT>today</DT>", '<Ref RefId="9"/>', "<D>x</D>"]
)
def test_what_cannot_be_read_is_an_error(xml: str) -> None:
    with pytest.raises(wire.UnreadableObject):
        wire.plain(xml)
