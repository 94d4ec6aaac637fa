# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as CLIXML, by the rules of remoting: depth 1, so that an object's properties are flat.

The properties of an object that a pipeline puts out are written at depth 0, where whatever is not simple (an enum, an
object, the items of an array) becomes its text. Containers do not count. Notes that were added to the very object
(which is all that Select-Object's objects have) keep the depth of their object, so below them enums and objects show.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from .errors import LabBug
from .values import (
    I16,
    I32,
    I64,
    U16,
    U32,
    U64,
    Byte,
    Char,
    EnumValue,
    Noted,
    PSArray,
    PSObj,
    ScriptBlock,
    Version,
    text,
)

REMOTING_DEPTH = 1
SPECIAL = re.compile("_(?=[xX])|[\x00-\x1f\x7f-\x9f\ud800-\udfff\U00010000-\U0010ffff]")
MARKUP = re.compile('[&<>"]')
ENUM_TYPES = ("System.Enum", "System.ValueType", "System.Object")
ARRAY_TYPES = ("System.Array", "System.Object")
HASHTABLE_TYPES = ("System.Collections.Hashtable", "System.Object")


def to_wire(value: Any, depth: int = REMOTING_DEPTH) -> str:
    """One output object of a pipeline as CLIXML."""
    writer = _Writer()
    writer.write(value, depth, "")
    return "".join(writer.parts)


def encode(value: str) -> str:
    """A string's characters as CLIXML escapes them, ready for XML text."""
    if SPECIAL.search(value):
        value = SPECIAL.sub(_escape, value)
    return escape(value, {'"': "&quot;"}) if MARKUP.search(value) else value


def _escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"_x{units[i]:02X}{units[i + 1]:02X}_" for i in range(0, len(units), 2))


def datetime_text(value: datetime.datetime) -> str:
    """A DateTime in XML form: ``Z`` for UTC, an offset for local time, nothing for unspecified kind."""
    body = value.replace(tzinfo=None).isoformat(timespec="microseconds" if value.microsecond else "seconds")
    if value.microsecond:
        body += "0"  # .NET writes ticks of 100 ns: seven digits
    if value.tzinfo is None:
        return body
    offset = value.utcoffset() or datetime.timedelta(0)
    if value.tzinfo is datetime.timezone.utc:
        return body + "Z"
    sign = "-" if offset < datetime.timedelta(0) else "+"
    minutes = abs(offset) // datetime.timedelta(minutes=1)
    return f"{body}{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def timespan_text(value: datetime.timedelta) -> str:
    """A TimeSpan as an XML duration."""
    sign = "-" if value < datetime.timedelta(0) else ""
    value = abs(value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or fraction or not (clock or value.days):
        clock += f"{seconds}{fraction}S"
    days = f"{value.days}D" if value.days else ""
    return f"{sign}P{days}" + (f"T{clock}" if clock else "")


def _int(value: int) -> tuple[str, str]:
    return ("I32" if -(2**31) <= value < 2**31 else "I64"), str(int(value))


SIMPLE: dict[type, Callable[[Any], tuple[str, str]]] = {
    str: lambda value: ("S", encode(value)),
    bool: lambda value: ("B", "true" if value else "false"),
    int: _int,
    I32: _int,
    I16: lambda value: ("I16", str(int(value))),
    U16: lambda value: ("U16", str(int(value))),
    U32: lambda value: ("U32", str(int(value))),
    I64: lambda value: ("I64", str(int(value))),
    U64: lambda value: ("U64", str(int(value))),
    Byte: lambda value: ("By", str(int(value))),
    Char: lambda value: ("C", str(ord(value))),
    Version: lambda value: ("Version", encode(value)),
    ScriptBlock: lambda value: ("SBK", encode(value)),
    float: lambda value: ("Db", repr(value).upper()),
    decimal.Decimal: lambda value: ("D", str(value)),
    uuid.UUID: lambda value: ("G", str(value)),
    datetime.datetime: lambda value: ("DT", datetime_text(value)),
    datetime.timedelta: lambda value: ("TS", timespan_text(value)),
    bytes: lambda value: ("BA", base64.b64encode(value).decode()),
}


class _Writer:
    """Writes one message; references to type names and objects hold within it."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._refs = 0
        self._types: dict[tuple[str, ...], int] = {}
        self._objects: dict[int, int] = {}

    def write(self, value: Any, depth: int, name: str) -> None:
        """``name`` is the N attribute, ready to be put into the tag, or empty."""
        if value is None:
            self.parts.append(f"<Nil{name} />")
            return
        simple = SIMPLE.get(type(value))
        if simple is not None:
            tag, body = simple(value)
            self.parts.append(f"<{tag}{name}>{body}</{tag}>")
        elif isinstance(value, list):
            self._list(value, depth, name)
        elif isinstance(value, Mapping):
            self._mapping(value, depth, name)
        elif isinstance(value, Noted):
            self._noted(value, depth, name)
        elif isinstance(value, (PSObj, EnumValue)):
            self._complex(value, depth, name)
        else:
            raise LabBug(f"{type(value).__name__} cannot be written to the wire")

    def _complex(self, value: PSObj | EnumValue, depth: int, name: str) -> None:
        if depth <= 0:
            self.parts.append(f"<S{name}>{encode(text(value))}</S>")
        elif isinstance(value, EnumValue):
            self._open(name, (value.type_name, *ENUM_TYPES))
            self.parts.append(f"<ToString>{encode(value.name)}</ToString><I32>{value.value}</I32></Obj>")
        elif id(value) in self._objects:
            self.parts.append(f'<Ref{name} RefId="{self._objects[id(value)]}" />')
        else:
            self._object(value, depth, name)

    def _open(self, name: str, types: tuple[str, ...]) -> None:
        self.parts.append(f'<Obj{name} RefId="{self._refs}">')
        self._refs += 1
        if not types:
            return
        known = self._types.get(types)
        if known is not None:
            self.parts.append(f'<TNRef RefId="{known}" />')
            return
        number = self._types[types] = len(self._types)
        names = "".join(f"<T>{encode(entry)}</T>" for entry in types)
        self.parts.append(f'<TN RefId="{number}">{names}</TN>')

    def _object(self, value: PSObj, depth: int, name: str) -> None:
        self._objects[id(value)] = self._refs
        self._open(name, tuple(value.type_names))
        if not value.is_custom:
            self.parts.append(f"<ToString>{encode(text(value))}</ToString>")
        if value.properties:
            self.parts.append("<Props>")
            for key, item in value.properties.items():
                self.write(item, depth - 1, f' N="{encode(key)}"')
            self.parts.append("</Props>")
        if value.notes or value.aliases:
            self.parts.append("<MS>")
            for key, target in value.aliases.items():
                self.write(value.get(target), depth - 1, f' N="{encode(key)}"')
            self._notes(value.notes, depth)
            self.parts.append("</MS>")
        self.parts.append("</Obj>")

    def _notes(self, notes: Mapping[str, Any], depth: int) -> None:
        for key, item in notes.items():
            self.write(item, depth, f' N="{encode(key)}"')

    def _noted(self, value: Noted, depth: int, name: str) -> None:
        inner = value.value
        if isinstance(inner, list):
            self._list(inner, depth, name, value.notes)
            return
        self._open(name, ())
        self.write(inner, depth, "")
        self.parts.append("<MS>")
        self._notes(value.notes, depth)
        self.parts.append("</MS></Obj>")

    def _list(self, items: list[Any], depth: int, name: str, notes: Mapping[str, Any] | None = None) -> None:
        type_name = items.type_name if isinstance(items, PSArray) else "System.Object[]"
        self._open(name, (type_name, *(ARRAY_TYPES if type_name.endswith("[]") else ("System.Object",))))
        self.parts.append("<LST>")
        for item in items:
            self.write(item, depth, "")
        self.parts.append("</LST>")
        if notes:
            self.parts.append("<MS>")
            self._notes(notes, depth)
            self.parts.append("</MS>")
        self.parts.append("</Obj>")

    def _mapping(self, items: Mapping[Any, Any], depth: int, name: str) -> None:
        self._open(name, HASHTABLE_TYPES)
        self.parts.append("<DCT>")
        for key, item in items.items():
            self.parts.append("<En>")
            self.write(key, depth, ' N="Key"')
            self.write(item, depth, ' N="Value"')
            self.parts.append("</En>")
        self.parts.append("</DCT></Obj>")
