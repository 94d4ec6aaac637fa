# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What a session returns, in whatever shape it arrived, as one plain type each.

A property that has to be there and is not makes an error: a value is never invented.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError

Row = Mapping[str, t.Any]

_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)


def need(row: Row, name: str) -> t.Any:
    """The property, which has to be there."""
    value = row.get(name)
    if value is None:
        raise HyperVError(
            f"The host's answer has no {name}.",
            code="UNEXPECTED_ANSWER",
            layer="protocol",
            raw=", ".join(sorted(str(key) for key in row)),
        )
    return value


def text(value: t.Any) -> str:
    """A string; an enum that arrived as an object of its own is its name."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return text(value.get("ToString", value.get("_string", value.get("_value"))))
    return str(value)


def number(value: t.Any) -> int:
    """A whole number."""
    return int(text(value))


def optional_number(value: t.Any) -> int | None:
    """A whole number, or nothing."""
    return None if value is None or text(value) == "" else number(value)


def flag(value: t.Any) -> bool:
    """A truth value; also an OnOffState."""
    if isinstance(value, bool):
        return value
    return text(value).lower() in ("true", "on", "1")


def guid(value: t.Any) -> str:
    """An id in lower case, without braces."""
    return text(value).strip("{}").lower()


def words(value: t.Any) -> tuple[str, ...]:
    """A list of names; one alone may arrive without its list."""
    if value is None:
        return ()
    if isinstance(value, (list, tuple)):
        return tuple(text(item) for item in value if item is not None)
    return (text(value),)


def flags(value: t.Any) -> frozenset[str]:
    """The names in a flags enum ("Directory, ReparsePoint")."""
    return frozenset(part.strip() for part in text(value).split(",") if part.strip())


def moment(value: t.Any) -> datetime:
    """An aware time in UTC, from a datetime or from ISO text with any number of decimals."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return aware.astimezone(timezone.utc)
    found = _MOMENT.match(text(value).strip())
    if found is None:
        raise HyperVError("A time from the host cannot be read.", code="UNEXPECTED_ANSWER", layer="protocol")
    *parts, fraction, zone = found.groups()
    year, month, day, hour, minute, second = (int(part) for part in parts)
    micro = int((fraction or "0").ljust(6, "0")[:6])
    return datetime(year, month, day, hour, minute, second, micro, _zone(zone)).astimezone(timezone.utc)


def _zone(text_of_zone: str | None) -> timezone:
    if text_of_zone in (None, "Z"):
        return timezone.utc
    digits = str(text_of_zone).replace(":", "")
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
    return timezone(-offset if digits[0] == "-" else offset)


__all__ = ("Row", "flag", "flags", "guid", "moment", "need", "number", "optional_number", "text", "words")
