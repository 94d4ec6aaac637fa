# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects by type: the full property list of types.json, values wrapped as their .NET types are declared."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from .errors import LabBug
from .tables import enum_members, property_types
from .values import (
    CUSTOM,
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
    base,
    text,
    type_of,
)

__all__ = [
    "CUSTOM",
    "I16",
    "I32",
    "I64",
    "U16",
    "U32",
    "U64",
    "Byte",
    "Char",
    "EnumValue",
    "Noted",
    "PSArray",
    "PSObj",
    "ScriptBlock",
    "Version",
    "base",
    "enum",
    "make_object",
    "text",
    "type_of",
    "wrap",
]

HV = "Microsoft.HyperV.PowerShell."
VMBASE = (HV + "VirtualMachineBase", HV + "VirtualizationObject")
# Base classes as far as they are known; types that are not here have System.Object alone.
BASES: dict[str, tuple[str, ...]] = {
    HV + "VirtualMachine": VMBASE,
    HV + "VMSnapshot": VMBASE,
    HV + "VMHost": (HV + "VirtualizationObject",),
    HV + "VMSwitch": (HV + "VirtualizationObject",),
    HV + "VMNetworkAdapter": (HV + "VMNetworkAdapterBase", HV + "VMDevice", HV + "VirtualizationObject"),
    HV + "HardDiskDrive": (HV + "Drive", HV + "VMDevice", HV + "VirtualizationObject"),
    HV + "DvdDrive": (HV + "Drive", HV + "VMDevice", HV + "VirtualizationObject"),
    HV + "VMProcessor": (HV + "VMDevice", HV + "VirtualizationObject"),
    HV + "VMMemory": (HV + "VMDevice", HV + "VirtualizationObject"),
    HV + "VMFirmware": (HV + "VMComponentObject", HV + "VirtualizationObject"),
    HV + "VMSecurity": (HV + "VMComponentObject", HV + "VirtualizationObject"),
    HV + "VMMigrationNetwork": (HV + "VirtualizationObject",),
}
# Alias properties that Hyper-V.Types.ps1xml adds.
ALIASES: dict[str, dict[str, str]] = {
    HV + "VirtualMachine": {
        "VMName": "Name",
        "VMId": "Id",
        "CheckpointFileLocation": "SnapshotFileLocation",
        "ParentCheckpointId": "ParentSnapshotId",
        "ParentCheckpointName": "ParentSnapshotName",
    },
}
SIMPLE: dict[str, tuple[type, Any]] = {
    "System.String": (str, None),
    "System.Boolean": (bool, False),
    "System.Int32": (I32, I32(0)),
    "System.Int64": (I64, I64(0)),
    "System.UInt16": (U16, U16(0)),
    "System.UInt32": (U32, U32(0)),
    "System.UInt64": (U64, U64(0)),
    "System.Guid": (uuid.UUID, uuid.UUID(int=0)),
    "System.TimeSpan": (datetime.timedelta, datetime.timedelta(0)),
    "System.DateTime": (datetime.datetime, datetime.datetime(1, 1, 1)),
    "System.Version": (Version, None),
}
INTEGERS = (I32, I64, U16, U32, U64)
LIST_TYPES = {
    "List": "System.Collections.Generic.List`1[[{0}]]",
    "IList": "System.Collections.Generic.List`1[[{0}]]",
    "IReadOnlyList": "System.Collections.ObjectModel.ReadOnlyCollection`1[[{0}]]",
}
Wrapper = Callable[[Any], Any]


def enum(type_name: str, member: str | int | EnumValue) -> EnumValue:
    """A member of an enum by name (any case) or number."""
    members = enum_members(type_name)
    if members is None:
        raise LabBug(f"{type_name} is no enum of the tables")
    if isinstance(member, EnumValue):
        member = member.name
    if isinstance(member, str):
        for name, value in members.items():
            if name.lower() == member.lower():
                return EnumValue(type_name, name, value)
    else:
        for name, value in members.items():
            if value == int(member):
                return EnumValue(type_name, name, value)
    raise LabBug(f"{member!r} is no member of {type_name}")


def _enum_default(type_name: str) -> EnumValue:
    """An unset enum is zero, which need not be the number of any member."""
    names = [name for name, value in (enum_members(type_name) or {}).items() if value == 0]
    return EnumValue(type_name, names[0] if names else "0", 0)


def _simple(type_name: str) -> Wrapper:
    kind, default = SIMPLE[type_name]

    def convert(value: Any) -> Any:
        if value is None:
            return default
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        if kind is not bool and kind in INTEGERS and isinstance(value, int) and not isinstance(value, bool):
            return kind(value)
        if kind is uuid.UUID and isinstance(value, str):
            return uuid.UUID(value)
        if kind is Version and isinstance(value, str):
            return Version(value)
        raise LabBug(f"{value!r} is no {type_name}")

    return convert


def _collection(item_type: str, list_type: str) -> Wrapper:
    item = _wrapper(item_type)
    return lambda value: PSArray((item(entry) for entry in value or ()), list_type)


@cache
def _wrapper(type_name: str) -> Wrapper:
    if type_name.endswith("?"):
        inner = _wrapper(type_name[:-1])
        return lambda value: None if value is None else inner(value)
    if type_name == "System.Byte[]":
        return lambda value: value
    if type_name.endswith("[]"):
        return _collection(type_name[:-2], type_name)
    if type_name.endswith(">"):
        outer, _, inner_name = type_name[:-1].partition("<")
        return _collection(inner_name, LIST_TYPES[outer].format(inner_name))
    if type_name in SIMPLE:
        return _simple(type_name)
    if enum_members(type_name) is not None:
        return lambda value: _enum_default(type_name) if value is None else enum(type_name, value)
    return lambda value: value


def wrap(type_name: str, value: Any) -> Any:
    """A Python value as the declared .NET type; None gives the type's own default (null or zero)."""
    return _wrapper(type_name)(value)


@cache
def _plan(type_name: str) -> tuple[tuple[str, Wrapper, Any, bool], ...]:
    """Per property: name, wrapper, default, and whether the default may be shared (collections may not)."""
    types = property_types(type_name)
    if types is None:
        raise LabBug(f"{type_name} is no type of the tables")
    plan = []
    for name, declared in types.items():
        wrapper = _wrapper(declared)
        default = wrapper(None)
        plan.append((name, wrapper, default, not isinstance(default, list)))
    return tuple(plan)


def make_object(
    type_name: str,
    values: Mapping[str, Any],
    *,
    live: Any = None,
    extra_types: tuple[str, ...] = (),
) -> PSObj:
    """An object with every property of its type. ``extra_types`` replaces the known base classes."""
    properties: dict[str, Any] = {}
    for name, wrapper, default, shared in _plan(type_name):
        if name in values:
            properties[name] = wrapper(values[name])
        else:
            properties[name] = default if shared else wrapper(None)
    if not values.keys() <= properties.keys():
        raise LabBug(f"{type_name} has no property {', '.join(sorted(values.keys() - properties.keys()))}")
    bases = extra_types or BASES.get(type_name, ())
    return PSObj([type_name, *bases, "System.Object"], properties, aliases=ALIASES.get(type_name), live=live)
