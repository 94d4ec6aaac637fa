# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CIM classes: what a class is, and how its instances look to PowerShell."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.objects import PSObj, wrap
from ..model.host import Host

CIM = "Microsoft.Management.Infrastructure.CimInstance"
Rows = Callable[[Host], Iterable[Mapping[str, Any]]]

SHORT = {
    "s": "System.String",
    "s[]": "System.String[]",
    "b": "System.Boolean?",
    "u16": "System.UInt16?",
    "u16[]": "System.UInt16[]",
    "u32": "System.UInt32?",
    "u64": "System.UInt64?",
    "i16": "System.Int16?",
    "i32": "System.Int32?",
    "time": "System.DateTime?",
    "span": "System.TimeSpan?",
}


@dataclass(frozen=True)
class CimClass:
    """``properties``: name -> short type; ``keys`` are what -KeyOnly shows; ``parents`` nearest first."""

    name: str
    namespace: str
    parents: tuple[str, ...]
    keys: tuple[str, ...]
    properties: Mapping[str, str]
    rows: Rows

    @property
    def type_names(self) -> list[str]:
        path = self.namespace.replace("\\", "/")
        own = (self.name, *self.parents)
        return [*(f"{CIM}#{path}/{one}" for one in own), *(f"{CIM}#{one}" for one in own), CIM, "System.Object"]

    def instance(self, row: Mapping[str, Any], shown: frozenset[str] | None = None) -> PSObj:
        """An object with every property of the class; those not ``shown`` (lower case) are null."""
        values: dict[str, Any] = {}
        for name, kind in self.properties.items():
            value = row.get(name) if shown is None or name.lower() in shown else None
            declared = SHORT[kind]
            values[name] = None if value is None else wrap(declared, value)
        values["PSComputerName"] = None
        key = ", ".join(f'{name} = "{row.get(name)}"' for name in self.keys)
        return PSObj(self.type_names, values, to_string=f"{self.name} ({key})")


def properties(text: str) -> dict[str, str]:
    """``"Name:s Size:u64"`` as a mapping; a property without a type is a string."""
    found = {}
    for part in text.split():
        name, _, kind = part.partition(":")
        found[name] = kind or "s"
    return found


def local_time(host: Host) -> datetime.datetime:
    """The host's clock; its time zone is UTC."""
    return host.clock.wall()


MANAGED = "Caption Description InstallDate:time Name Status "
LOGICAL = ("CIM_LogicalElement", "CIM_ManagedSystemElement")
