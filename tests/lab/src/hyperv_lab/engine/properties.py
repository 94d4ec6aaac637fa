# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of any value, wildcards over their names, and PowerShell's comparisons."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from typing import Any

from .binding_errors import Mismatch
from .convert import converter
from .numbers import scan
from .values import EnumValue, Noted, PSObj, base, text
from .wildcards import has_wildcards, matches


def names_of(value: Any) -> Iterator[str]:
    """Property names as ``Select-Object *`` lists them: what was added first, then the type's own."""
    if isinstance(value, Noted):
        yield from value.notes
        value = value.value
    if isinstance(value, PSObj):
        yield from value.notes
        yield from value.aliases
        yield from value.properties
    elif isinstance(value, (str, list, bytes)):
        yield "Length"


def get(value: Any, name: str) -> tuple[str, Any] | None:
    """The property's true name and value, or None."""
    for known in names_of(value):
        if known.lower() == name.lower():
            return known, _value(value, known)
    return None


def _value(value: Any, name: str) -> Any:
    if isinstance(value, Noted):
        if name in value.notes:
            return value.notes[name]
        value = value.value
    return value.get(name) if isinstance(value, PSObj) else len(value)


def find(value: Any, pattern: str) -> list[tuple[str, Any]]:
    """Properties by name or pattern."""
    if not has_wildcards(pattern):
        found = get(value, pattern)
        return [found] if found else []
    return [(name, _value(value, name)) for name in names_of(value) if matches(pattern, name)]


def _as_number(value: Any) -> float | None:
    if isinstance(value, EnumValue):
        return value.value
    if isinstance(value, (bool, int, float)):
        return float(value) if isinstance(value, float) else int(value)
    if isinstance(value, str):
        number = scan(value)
        return None if number is None else float(number)
    return None


def compare(left: Any, right: Any, *, case: bool = False) -> int | None:
    """-1, 0 or 1 with the right side made what the left one is; None when that cannot be."""
    left, right = base(left), base(right)
    if left is None or right is None:
        return 0 if left is right else (-1 if left is None else 1)
    if isinstance(left, EnumValue) and isinstance(right, str):
        return _order(*_cased(left.name, right, case))
    if isinstance(left, (bool, int, float, EnumValue)):
        number = _as_number(right)
        return None if number is None else _order(_as_number(left), number)
    for kind, name in (
        (uuid.UUID, "System.Guid"),
        (datetime.datetime, "System.DateTime"),
        (datetime.timedelta, "System.TimeSpan"),
    ):
        if isinstance(left, kind):
            return _converted(left, right, name)
    return _order(*_cased(text(left), text(right), case))


def _converted(left: Any, right: Any, type_name: str) -> int | None:
    try:
        other = converter(type_name).convert(right)
    except Mismatch:
        return None
    if isinstance(left, datetime.datetime):
        left, other = (entry if entry.tzinfo else entry.astimezone() for entry in (left, other))
    return _order(left, other)


def _cased(left: str, right: str, case: bool) -> tuple[str, str]:
    return (left, right) if case else (left.casefold(), right.casefold())


def _order(left: Any, right: Any) -> int:
    return (left > right) - (left < right)


def equal(left: Any, right: Any, *, case: bool = False) -> bool:
    if isinstance(base(left), PSObj) or isinstance(base(right), PSObj):
        return left is right
    return compare(left, right, case=case) == 0


def truth(value: Any) -> bool:
    """What counts as true."""
    value = base(value)
    if isinstance(value, list):
        return len(value) > 1 or (len(value) == 1 and truth(value[0]))
    if isinstance(value, EnumValue):
        return value.value != 0
    return value is not None and value is not False and value != 0 and value != ""
