# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client sent (psrpcore's objects) as the engine's values. Objects that come so are never live."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable
from typing import Any

from psrpcore import types as ps

from .values import (
    I16,
    I64,
    U16,
    U32,
    U64,
    Byte,
    Char,
    EnumValue,
    PSArray,
    PSObj,
    ScriptBlock,
    Version,
)

DESERIALIZED = "Deserialized."
# Exact classes first: what psrpcore makes of primitive elements.
KINDS: dict[type, Callable[[Any], Any]] = {
    bool: bool,
    str: str,
    int: int,
    float: float,
    bytes: bytes,
    uuid.UUID: lambda value: value,
    ps.PSString: str,
    ps.PSInt: int,
    ps.PSInt16: I16,
    ps.PSInt64: I64,
    ps.PSUInt16: U16,
    ps.PSUInt: U32,
    ps.PSUInt64: U64,
    ps.PSByte: Byte,
    ps.PSSByte: I16,
    ps.PSSingle: float,
    ps.PSDouble: float,
    ps.PSDecimal: decimal.Decimal,
    ps.PSChar: lambda value: Char(chr(int(value))),
    ps.PSGuid: lambda value: uuid.UUID(int=value.int),
    ps.PSByteArray: bytes,
    ps.PSVersion: lambda value: Version(str(value)),
    ps.PSScriptBlock: ScriptBlock,
    ps.PSUri: str,
    ps.PSXml: str,
    ps.PSDateTime: lambda value: datetime.datetime.combine(value.date(), value.time(), value.tzinfo),
    ps.PSDuration: lambda value: datetime.timedelta(value.days, value.seconds, value.microseconds),
}
KEPT = (ps.PSSecureString, ps.PSCredential)


def from_wire(value: Any) -> Any:
    if value is None:
        return None
    kind = KINDS.get(type(value))
    if kind is not None:
        return kind(value)
    if isinstance(value, KEPT):
        return value
    if isinstance(value, (ps.PSEnumBase, ps.PSFlagBase)):
        return EnumValue(value.PSObject.type_names[0], str(value.name), int(value))
    if isinstance(value, dict):
        return {from_wire(key): from_wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return PSArray(from_wire(item) for item in value)
    return _object(value)


def _object(value: Any) -> Any:
    meta = value.PSObject
    custom = "System.Management.Automation.PSCustomObject"
    names = [
        name if name.startswith((DESERIALIZED, "Selected.")) or name == custom else DESERIALIZED + name
        for name in meta.type_names
    ]
    return PSObj(
        names or [custom],
        {entry.name: from_wire(entry.get_value(value)) for entry in meta.adapted_properties},
        {entry.name: from_wire(entry.get_value(value)) for entry in meta.extended_properties},
        to_string=meta.to_string,
        deserialized=True,
    )
