# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values and objects as the simulated hosts hold them, before remoting flattens them."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

CUSTOM = "System.Management.Automation.PSCustomObject"


class Byte(int):
    """System.Byte."""


class I16(int):
    """System.Int16."""


class U16(int):
    """System.UInt16."""


class I32(int):
    """System.Int32; a plain int in that range counts as one too."""


class U32(int):
    """System.UInt32."""


class I64(int):
    """System.Int64."""


class U64(int):
    """System.UInt64."""


class Char(str):
    """System.Char."""


class Version(str):
    """System.Version."""


class ScriptBlock(str):
    """Script text as a value; the lab has no interpreter for it."""


class EnumValue:
    """A member of a .NET enum, or a combination of flags. Equal to a member of the same type with the same number."""

    __slots__ = ("name", "type_name", "value")

    def __init__(self, type_name: str, name: str, value: int) -> None:
        self.type_name = type_name
        self.name = name
        self.value = value

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<{self.type_name.rpartition('.')[2]}.{self.name}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EnumValue):
            return NotImplemented
        return self.value == other.value and self.type_name == other.type_name

    def __hash__(self) -> int:
        return hash((self.type_name, self.value))


class PSArray(list[Any]):
    """An array or list with its .NET type name."""

    __slots__ = ("type_name",)

    def __init__(self, items: Iterable[Any] = (), type_name: str = "System.Object[]") -> None:
        super().__init__(items)
        self.type_name = type_name


class Noted:
    """A simple value or an array that carries notes of its own, such as each line that Get-Content reads."""

    __slots__ = ("notes", "value")

    def __init__(self, value: Any, notes: dict[str, Any]) -> None:
        self.value = value
        self.notes = notes

    def __str__(self) -> str:
        return text(self.value)


def base(value: Any) -> Any:
    """The value without the notes that were added to it."""
    return value.value if isinstance(value, Noted) else value


class PSObj:
    """An object with properties.

    ``properties`` are its own (adapted) ones, ``aliases`` those that PowerShell's type tables add as another name of a
    property, ``notes`` what was added to this very object. ``live`` is the model's object behind it; ``deserialized``
    marks one that came over the wire and is no live object for any parameter.
    """

    __slots__ = ("aliases", "deserialized", "live", "notes", "properties", "to_string", "type_names")

    def __init__(
        self,
        type_names: Iterable[str],
        properties: Mapping[str, Any] | None = None,
        notes: Mapping[str, Any] | None = None,
        *,
        aliases: Mapping[str, str] | None = None,
        live: Any = None,
        to_string: str | None = None,
        deserialized: bool = False,
    ) -> None:
        self.type_names = list(type_names)
        self.properties: dict[str, Any] = dict(properties or {})
        self.notes: dict[str, Any] = dict(notes or {})
        self.aliases: dict[str, str] = dict(aliases or {})
        self.live = live
        self.to_string = to_string
        self.deserialized = deserialized

    @property
    def type_name(self) -> str:
        return self.type_names[0]

    @property
    def is_custom(self) -> bool:
        return CUSTOM in self.type_names

    def names(self) -> Iterator[str]:
        """All property names: those of the type, its aliases, then notes."""
        yield from self.properties
        yield from self.aliases
        yield from self.notes

    def find(self, name: str) -> str | None:
        """The property's name as the object spells it, or None."""
        if name in self.notes or name in self.aliases or name in self.properties:
            return name
        wanted = name.lower()
        return next((known for known in self.names() if known.lower() == wanted), None)

    def get(self, name: str, default: Any = None) -> Any:
        known = self.find(name)
        if known is None:
            return default
        if known in self.notes:
            return self.notes[known]
        return self.properties.get(self.aliases.get(known, known), default)

    def __getitem__(self, name: str) -> Any:
        if self.find(name) is None:
            raise KeyError(name)
        return self.get(name)

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    def __str__(self) -> str:
        if self.to_string is not None:
            return self.to_string
        if self.is_custom:
            return "@{" + "; ".join(f"{name}={text(value)}" for name, value in self.notes.items()) + "}"
        return self.type_name

    def __repr__(self) -> str:
        return f"<{self.type_name.rpartition('.')[2]} {self}>"


def text(value: Any) -> str:
    """ToString() of a value, as the host's language (English) has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, list):
        return getattr(value, "type_name", "System.Object[]")
    if isinstance(value, (bytes, bytearray)):
        return "System.Byte[]"
    if isinstance(value, dict):
        return "System.Collections.Hashtable"
    if isinstance(value, datetime.datetime):
        return value.strftime("%m/%d/%Y %H:%M:%S")
    if isinstance(value, datetime.timedelta):
        return _timespan(value)
    return str(value)


def _timespan(value: datetime.timedelta) -> str:
    sign = "-" if value < datetime.timedelta(0) else ""
    value = abs(value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{value.days}." if value.days else ""
    fraction = f".{value.microseconds:06d}0" if value.microseconds else ""
    return f"{sign}{days}{hours:02d}:{minutes:02d}:{seconds:02d}{fraction}"


def type_of(value: Any) -> str:
    """The .NET type name of a value, as error messages tell it."""
    value = base(value)
    for kind, name in _TYPE_NAMES:
        if isinstance(value, kind):
            return name
    if isinstance(value, PSObj):
        return CUSTOM if value.is_custom else value.type_name
    if isinstance(value, EnumValue):
        return value.type_name
    if isinstance(value, list):
        return getattr(value, "type_name", "System.Object[]")
    if type(value).__name__ == "PSSecureString":
        return "System.Security.SecureString"
    if type(value).__name__ == "PSCredential":
        return "System.Management.Automation.PSCredential"
    return "System.Object"


_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "System.Boolean"),
    (Byte, "System.Byte"),
    (I16, "System.Int16"),
    (U16, "System.UInt16"),
    (U32, "System.UInt32"),
    (I64, "System.Int64"),
    (U64, "System.UInt64"),
    (int, "System.Int32"),
    (Version, "System.Version"),
    (ScriptBlock, "System.Management.Automation.ScriptBlock"),
    (Char, "System.Char"),
    (str, "System.String"),
    (float, "System.Double"),
    (decimal.Decimal, "System.Decimal"),
    (uuid.UUID, "System.Guid"),
    (datetime.datetime, "System.DateTime"),
    (datetime.timedelta, "System.TimeSpan"),
    (bytes, "System.Byte[]"),
    (dict, "System.Collections.Hashtable"),
)
