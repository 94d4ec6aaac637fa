# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers as PowerShell converts them: ranges, rounding, and what a string may say."""

from __future__ import annotations

import decimal
import re
from typing import Any

from .binding_errors import Mismatch
from .values import I16, I32, I64, U16, U32, U64, Byte, EnumValue, text, type_of

RANGES: dict[str, tuple[type[int], int, int]] = {
    "System.Byte": (Byte, 0, 255),
    "System.Int16": (I16, -(2**15), 2**15 - 1),
    "System.UInt16": (U16, 0, 2**16 - 1),
    "System.Int32": (I32, -(2**31), 2**31 - 1),
    "System.UInt32": (U32, 0, 2**32 - 1),
    "System.Int64": (I64, -(2**63), 2**63 - 1),
    "System.UInt64": (U64, 0, 2**64 - 1),
}
UNITS = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "pb": 1 << 50}
NUMBER = re.compile(
    r"\s*(?P<sign>[+-]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|(?P<real>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))[lLdD]?"
    r"(?P<unit>[kmgtpKMGTP][bB])?\s*"
)


def scan(value: str) -> decimal.Decimal | None:
    """A number in a string as PowerShell reads it (hex, real, 4GB); None if it is none. Empty is zero."""
    if value == "":
        return decimal.Decimal(0)
    match = NUMBER.fullmatch(value)
    if match is None:
        return None
    digits = match["hex"]
    number = decimal.Decimal(int(digits, 16)) if digits else decimal.Decimal(match["real"])
    number *= UNITS.get((match["unit"] or "").lower(), 1)
    return -number if match["sign"] == "-" else number


def _number(value: Any, type_name: str) -> decimal.Decimal:
    if isinstance(value, EnumValue):
        return decimal.Decimal(value.value)
    if isinstance(value, (bool, int)):
        return decimal.Decimal(int(value))
    if isinstance(value, float):
        return decimal.Decimal(repr(value))
    if isinstance(value, decimal.Decimal):
        return value
    if isinstance(value, str):
        number = scan(value)
        if number is not None:
            return number
        raise Mismatch(
            f'Cannot convert value "{value}" to type "{type_name}". Error: "Input string was not in a correct format."'
        )
    raise Mismatch(f'Cannot convert the "{text(value)}" value of type "{type_of(value)}" to type "{type_name}".')


def to_integer(value: Any, type_name: str) -> int:
    kind, low, high = RANGES[type_name]
    number = _number(value, type_name)
    whole = int(number.to_integral_value(decimal.ROUND_HALF_EVEN)) if number.is_finite() else high + 1
    if not low <= whole <= high:
        short = type_name.rpartition(".")[2]
        size = "large or too small for an " + short if short.startswith(("I", "U")) else "large or too small for a byte"
        raise Mismatch(
            f'Cannot convert value "{text(value)}" to type "{type_name}". Error: "Value was either too {size}."'
        )
    return kind(whole)


def to_double(value: Any, type_name: str) -> float:
    return float(_number(value, type_name))
