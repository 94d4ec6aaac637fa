# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enums of parameters: by name, by unambiguous beginning, by number, and several names where flags are meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from .binding_errors import Mismatch
from .tables import enum_members
from .values import EnumValue, text, type_of

ACTION_PREFERENCE = "System.Management.Automation.ActionPreference"
ENCODING = "Microsoft.PowerShell.Commands.FileSystemCmdletProviderEncoding"
PATH_TYPE = "Microsoft.PowerShell.Commands.TestPathType"
FILE_ATTRIBUTES = "System.IO.FileAttributes"
DISPLAY_HINT = "Microsoft.PowerShell.Commands.DisplayHintType"

# Enums of .NET and PowerShell themselves, which the tables do not hold.
KNOWN: dict[str, dict[str, int]] = {
    ACTION_PREFERENCE: {"SilentlyContinue": 0, "Stop": 1, "Continue": 2, "Inquire": 3, "Ignore": 4, "Suspend": 5},
    ENCODING: {
        "Unknown": 0,
        "String": 1,
        "Unicode": 2,
        "Byte": 3,
        "BigEndianUnicode": 4,
        "UTF8": 5,
        "UTF7": 6,
        "UTF32": 7,
        "Ascii": 8,
        "Default": 9,
        "Oem": 10,
        "BigEndianUTF32": 11,
    },
    PATH_TYPE: {"Any": 0, "Container": 1, "Leaf": 2},
    DISPLAY_HINT: {"Date": 0, "Time": 1, "DateTime": 2},
    FILE_ATTRIBUTES: {
        "ReadOnly": 1,
        "Hidden": 2,
        "System": 4,
        "Directory": 16,
        "Archive": 32,
        "Normal": 128,
        "Temporary": 256,
        "ReparsePoint": 1024,
    },
    "System.Management.Automation.ScopedItemOptions": {
        "None": 0,
        "ReadOnly": 1,
        "Constant": 2,
        "Private": 4,
        "AllScope": 8,
        "Unspecified": 16,
    },
    "System.Management.Automation.SessionStateEntryVisibility": {"Public": 0, "Private": 1},
    "System.Management.Automation.JobState": {
        "NotStarted": 0,
        "Running": 1,
        "Completed": 2,
        "Failed": 3,
        "Stopped": 4,
        "Blocked": 5,
        "Suspended": 6,
        "Disconnected": 7,
        "Suspending": 8,
        "Stopping": 9,
        "AtBreakpoint": 10,
    },
}
FLAGS = frozenset(
    {FILE_ATTRIBUTES, "System.Management.Automation.ScopedItemOptions", "System.Management.Automation.CommandTypes"}
)
INTEGER = re.compile(r"[+-]?\d+")


@cache
def members_of(type_name: str, values: tuple[str, ...] = ()) -> Mapping[str, int]:
    """Names and numbers of an enum. Of some only the names are documented; their numbers then are their places."""
    known = KNOWN.get(type_name) or enum_members(type_name)
    if known is not None:
        return known
    if type_name.startswith("System.") and not type_name.startswith("System.Management.Automation."):
        return {}  # a list of allowed strings or numbers is no enum
    return {name: number for number, name in enumerate(values)}


def flags(type_name: str, names: Mapping[str, int] | list[str]) -> EnumValue:
    """Several members of a flags enum as one value."""
    members = KNOWN[type_name]
    chosen = sorted(names, key=lambda name: members[name])
    return EnumValue(type_name, ", ".join(chosen), sum(members[name] for name in chosen))


def to_enum(type_name: str, values: tuple[str, ...], value: Any) -> EnumValue:
    members = members_of(type_name, values)
    if isinstance(value, EnumValue):
        if value.type_name == type_name:
            return value
        value = value.value
    if isinstance(value, str):
        return _from_string(type_name, members, value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _from_number(type_name, members, int(value))
    raise Mismatch(f'Cannot convert the "{text(value)}" value of type "{type_of(value)}" to type "{type_name}".')


def _from_number(type_name: str, members: Mapping[str, int], number: int) -> EnumValue:
    for name, value in members.items():
        if value == number:
            return EnumValue(type_name, name, number)
    if type_name in FLAGS and number > 0 and not number & ~sum(set(members.values())):
        return flags(type_name, [name for name, value in members.items() if value and number & value == value])
    listed = ", ".join(members)
    raise Mismatch(
        f'Cannot convert value "{number}" to type "{type_name}" due to enumeration values that are not valid. Specify '
        f'one of the following enumeration values and try again. The possible enumeration values are "{listed}".'
    )


def _from_string(type_name: str, members: Mapping[str, int], value: str) -> EnumValue:
    parts = [part.strip() for part in value.split(",")]
    if type_name in FLAGS and len(parts) > 1:
        return flags(type_name, [_member(type_name, members, part).name for part in parts])
    if len(parts) > 1:
        raise _no_member(type_name, members, value)
    return _member(type_name, members, parts[0])


def _member(type_name: str, members: Mapping[str, int], name: str) -> EnumValue:
    if INTEGER.fullmatch(name):
        return _from_number(type_name, members, int(name))
    wanted = name.lower()
    for known, number in members.items():
        if known.lower() == wanted:
            return EnumValue(type_name, known, number)
    begun = [known for known in members if wanted and known.lower().startswith(wanted)]
    if len(begun) == 1:
        return EnumValue(type_name, begun[0], members[begun[0]])
    raise _no_member(type_name, members, name)


def _no_member(type_name: str, members: Mapping[str, int], name: str) -> Mismatch:
    listed = ", ".join(members)
    return Mismatch(
        f'Cannot convert value "{name}" to type "{type_name}". Error: "Unable to match the identifier name {name} to a '
        f'valid enumerator name. Specify one of the following enumerator names and try again:\n{listed}"'
    )
