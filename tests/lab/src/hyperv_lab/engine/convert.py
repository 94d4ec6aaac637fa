# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversions to the declared .NET types of parameters, as LanguagePrimitives and the binder do them."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from .binding_errors import Mismatch, NotScalar
from .enums import members_of, to_enum
from .numbers import RANGES, to_double, to_integer
from .values import (
    Char,
    EnumValue,
    Noted,
    PSArray,
    PSObj,
    ScriptBlock,
    Version,
    base,
    text,
    type_of,
)

PSOBJECT = "System.Management.Automation.PSObject"
OBJECTS = frozenset({"System.Object", PSOBJECT})
SWITCH = "System.Management.Automation.SwitchParameter"
CREDENTIAL = "System.Management.Automation.PSCredential"
CIM_SESSION = "Microsoft.Management.Infrastructure.CimSession"
FILE_FLAGS = "System.Management.Automation.FlagsExpression`1[System.IO.FileAttributes]"
NULLABLE = re.compile(r"System\.Nullable\[(.+)\]")
GUID = re.compile(r"\s*(?:[{(])?([0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12})[})]?\s*")
TIMESPAN = re.compile(
    r"\s*(?P<sign>-?)(?:(?P<days>\d+)(?:\.|:(?=\d+:\d+:)))?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2})"
    r"(?::(?P<seconds>\d{1,2})(?:\.(?P<fraction>\d{1,7}))?)?\s*"
)
DAYS = re.compile(r"\s*(-?\d+)\s*")
DATE_FORMATS = (
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%d %B %Y",
    "%B %d, %Y",
)
ALIASES = {"SmbInstance": "System.Int32"}


@dataclass(frozen=True)
class Converter:
    """``fits``: the value is of the type already. ``convert``: make it one, or raise Mismatch."""

    type_name: str
    fits: Callable[[Any], bool]
    convert: Callable[[Any], Any]
    element: Converter | None = None  # of collections
    nullable: bool = True


def refuse(value: Any, type_name: str) -> Mismatch:
    return Mismatch(f'Cannot convert the "{text(value)}" value of type "{type_of(value)}" to type "{type_name}".')


def _scalar(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Lists never become one value."""

    def checked(value: Any) -> Any:
        if isinstance(value, (list, bytes)):
            raise NotScalar("Specified method is not supported.")
        return convert(value)

    return checked


# ---- single types


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, EnumValue):
        return value != 0
    raise NotScalar("")


def _to_guid(value: Any) -> uuid.UUID:
    if isinstance(value, uuid.UUID):
        return value
    if isinstance(value, str):
        match = GUID.fullmatch(value)
        if match:
            return uuid.UUID(match.group(1))
        raise Mismatch(
            f'Cannot convert value "{value}" to type "System.Guid". Error: "Guid should contain 32 digits with 4 '
            'dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."'
        )
    raise refuse(value, "System.Guid")


def _to_datetime(value: Any) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, str):
        parsed = _parse_datetime(value.strip())
        if parsed is not None:
            return parsed
        raise Mismatch(
            f'Cannot convert value "{value}" to type "System.DateTime". Error: "String was not recognized as a valid '
            'DateTime."'
        )
    if isinstance(value, int) and not isinstance(value, bool):
        return datetime.datetime(1, 1, 1) + datetime.timedelta(microseconds=value // 10)
    raise refuse(value, "System.DateTime")


def _parse_datetime(value: str) -> datetime.datetime | None:
    iso = re.sub(r"(\.\d{6})\d+", r"\1", value.replace("Z", "+00:00"))
    try:
        return datetime.datetime.fromisoformat(iso)
    except ValueError:
        pass
    for form in DATE_FORMATS:
        try:
            return datetime.datetime.strptime(value, form)
        except ValueError:
            continue
    return None


def _to_timespan(value: Any) -> datetime.timedelta:
    if isinstance(value, datetime.timedelta):
        return value
    if isinstance(value, str):
        return _parse_timespan(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return datetime.timedelta(microseconds=value / 10)
    raise refuse(value, "System.TimeSpan")


def _parse_timespan(value: str) -> datetime.timedelta:
    days = DAYS.fullmatch(value)
    if days:
        return datetime.timedelta(days=int(days.group(1)))
    match = TIMESPAN.fullmatch(value)
    if match is None or int(match["hours"]) > 23 or int(match["minutes"]) > 59 or int(match["seconds"] or 0) > 59:
        raise Mismatch(
            f'Cannot convert value "{value}" to type "System.TimeSpan". Error: "String was not recognized as a valid '
            'TimeSpan."'
        )
    span = datetime.timedelta(
        days=int(match["days"] or 0),
        hours=int(match["hours"]),
        minutes=int(match["minutes"]),
        seconds=int(match["seconds"] or 0),
        microseconds=int((match["fraction"] or "0").ljust(7, "0")) // 10,
    )
    return -span if match["sign"] else span


def _to_version(value: Any) -> Version:
    if isinstance(value, Version):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+){1,3}", value):
        return Version(value)
    raise refuse(value, "System.Version")


def _to_char(value: Any) -> Char:
    if isinstance(value, str) and len(value) == 1:
        return Char(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 0x10000:
        return Char(chr(value))
    raise refuse(value, "System.Char")


def _to_hashtable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return value
    raise refuse(value, "System.Collections.Hashtable")


def _to_script_block(value: Any) -> ScriptBlock:
    if isinstance(value, str):
        return ScriptBlock(value)
    raise refuse(value, "System.Management.Automation.ScriptBlock")


def _to_cim_session(value: Any) -> Any:
    """A string is a computer's name to connect to."""
    if isinstance(value, str):
        return PSObj([CIM_SESSION, "System.Object"], {"ComputerName": value}, live=value)
    if _is_live(CIM_SESSION)(value):
        return value
    raise refuse(value, CIM_SESSION)


def _is_live(type_name: str) -> Callable[[Any], bool]:
    """Only an object that lives in this session is of a class; one that came over the wire is a mere picture."""
    return lambda value: isinstance(value, PSObj) and not value.deserialized and type_name in value.type_names


def _live(type_name: str) -> Converter:
    fits = _is_live(type_name)

    def convert(value: Any) -> Any:
        if fits(value):
            return value
        raise refuse(value, type_name)

    return Converter(type_name, fits, convert)


def _is_credential(value: Any) -> bool:
    return type(value).__name__ == "PSCredential"


def _to_credential(value: Any) -> Any:
    if _is_credential(value):
        return value
    raise refuse(value, CREDENTIAL)


def _kind(type_name: str, kind: type | tuple[type, ...], convert: Callable[[Any], Any], nullable: bool) -> Converter:
    return Converter(type_name, lambda value: isinstance(value, kind), convert, nullable=nullable)


def _is_plain_string(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, (Version, Char, ScriptBlock))


SCALARS: dict[str, Converter] = {
    "System.String": Converter("System.String", _is_plain_string, text),
    "System.Boolean": _kind("System.Boolean", bool, _to_bool, False),
    SWITCH: _kind(SWITCH, bool, _to_bool, False),
    "System.Guid": _kind("System.Guid", uuid.UUID, _to_guid, False),
    "System.DateTime": _kind("System.DateTime", datetime.datetime, _to_datetime, False),
    "System.TimeSpan": _kind("System.TimeSpan", datetime.timedelta, _to_timespan, False),
    "System.Version": _kind("System.Version", Version, _to_version, True),
    "System.Char": _kind("System.Char", Char, _to_char, False),
    "System.Uri": Converter("System.Uri", lambda value: False, text),
    "System.Collections.Hashtable": _kind("System.Collections.Hashtable", Mapping, _to_hashtable, True),
    "System.Collections.IDictionary": _kind("System.Collections.IDictionary", Mapping, _to_hashtable, True),
    "System.Management.Automation.ScriptBlock": _kind(
        "System.Management.Automation.ScriptBlock", ScriptBlock, _to_script_block, True
    ),
    CREDENTIAL: Converter(CREDENTIAL, _is_credential, _to_credential),
    CIM_SESSION: Converter(CIM_SESSION, _is_live(CIM_SESSION), _to_cim_session),
    FILE_FLAGS: Converter(FILE_FLAGS, _is_plain_string, text),
    "System.Double": _kind("System.Double", float, lambda value: to_double(value, "System.Double"), False),
}


def _integer(type_name: str) -> Converter:
    def fits(value: Any) -> bool:
        return type_of(value) == type_name and not isinstance(value, EnumValue)

    return Converter(type_name, fits, lambda value: to_integer(value, type_name), nullable=False)


def _enum(type_name: str, names: tuple[str, ...]) -> Converter:
    def fits(value: Any) -> bool:
        return isinstance(value, EnumValue) and value.type_name == type_name

    return Converter(type_name, fits, lambda value: to_enum(type_name, names, value), nullable=False)


# ---- collections


def _collection(type_name: str, element: Converter) -> Converter:
    def items(value: Any) -> list[Any]:
        if isinstance(value, list):
            return value
        return list(value) if isinstance(value, bytes) else [value]

    def fits(value: Any) -> bool:
        return all(element.fits(base(item)) for item in items(value))

    def convert(value: Any) -> PSArray:
        return PSArray((_element(element, item) for item in items(value)), type_name)

    return Converter(type_name, fits, convert, element)


def _element(element: Converter, item: Any) -> Any:
    bare = item if element.type_name in OBJECTS else base(item)
    if bare is None:
        return _null_element(element)
    return bare if element.fits(bare) else element.convert(bare)


def _null_element(element: Converter) -> Any:
    if element.nullable:
        return None
    raise Mismatch(f'Cannot convert null to type "{element.type_name}".')


@cache
def converter(type_name: str, values: tuple[str, ...] = ()) -> Converter:
    """``values`` are the names that the documents list where an enum's members are not known otherwise."""
    match = NULLABLE.fullmatch(type_name)
    if match:
        inner = converter(match.group(1), values)
        return Converter(type_name, inner.fits, inner.convert)
    if type_name.endswith("[]"):
        return _collection(type_name, converter(type_name[:-2], values))
    if type_name == "System.Collections.Specialized.StringCollection":
        return _collection(type_name, converter("System.String"))
    found = _single(ALIASES.get(type_name, type_name), values)
    if type_name in OBJECTS:
        return found
    return Converter(found.type_name, found.fits, _scalar(found.convert), nullable=found.nullable)


def _single(type_name: str, values: tuple[str, ...]) -> Converter:
    if type_name in SCALARS:
        return SCALARS[type_name]
    if type_name == PSOBJECT:
        return Converter(type_name, lambda value: isinstance(value, (PSObj, Noted)), lambda value: value)
    if type_name in OBJECTS:
        return Converter(type_name, lambda value: True, lambda value: value)
    if type_name in RANGES:
        return _integer(type_name)
    if members_of(type_name, values):
        return _enum(type_name, values)
    return _live(type_name)
