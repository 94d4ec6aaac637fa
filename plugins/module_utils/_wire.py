# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python values to CLIXML and back, exactly: what has no certain form on the wire is refused, never guessed.

Going out: bool, int (Int32, or Int64/UInt64 when it does not fit), float (Double), Decimal, str, bytes, UUID,
datetime, timedelta, enum members (their name or number), lists, tuples and dicts of these, and the classes below that
force a type, seal a secret or make an object.

Coming in: numbers, str, bool, None, bytes, Decimal; Guid as lower-case text; TimeSpan as timedelta; DateTime as
datetime (aware, unless the host sent one without a zone; 100 ns ticks are cut to microseconds); enums, in either of
their two shapes, as their name; lists as lists; hashtables as dicts; every other object as a dict of its properties
with its type in ``_type``.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import enum
import math
import re
import typing as t
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError, InvalidInput


class Secret:
    """Text that is sent as a SecureString and shows itself to nobody."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> t.NoReturn:
        raise TypeError("a secret is not written down")


@dataclass(frozen=True)
class Credential:
    """A user and a password, sent as a PSCredential."""

    username: str
    password: Secret = field(repr=False)


@dataclass(frozen=True)
class Properties:
    """An object with these properties (a PSCustomObject), for parameters that bind by property name."""

    values: t.Mapping[str, t.Any]


_AnyInteger = t.TypeVar("_AnyInteger", bound="_Integer")


class _Integer(int):
    """An int that is sent as one certain type."""

    tag: t.ClassVar[str]
    low: t.ClassVar[int]
    high: t.ClassVar[int]

    def __new__(cls: type[_AnyInteger], value: int) -> _AnyInteger:
        number = super().__new__(cls, value)
        if not cls.low <= number <= cls.high:
            raise InvalidInput(f"{value} is not a {cls.__name__}", code="OUT_OF_RANGE")
        return number


class Int64(_Integer):
    tag, low, high = "I64", -(2**63), 2**63 - 1


class UInt32(_Integer):
    tag, low, high = "U32", 0, 2**32 - 1


class UInt64(_Integer):
    tag, low, high = "U64", 0, 2**64 - 1


# -- going out --------------------------------------------------------------------------------------------------------

Seal = t.Callable[["Secret | Credential | Properties"], t.Any]


def wire(value: t.Any, seal: Seal) -> t.Any:
    """What pypsrp has to be given so that the host sees ``value`` with its right type.

    ``seal`` makes what needs a class of pypsrp: secrets, as the session's key exchange allows, and objects.
    """
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None or isinstance(value, (bool, bytes, uuid.UUID)):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (Secret, Credential)):
        return seal(value)
    if isinstance(value, (list, tuple)):
        return [wire(item, seal) for item in value]
    if isinstance(value, Properties):
        return seal(Properties(wire(dict(value.values), seal)))
    if isinstance(value, dict):
        return {_key(key): wire(item, seal) for key, item in value.items()}
    for kind, encode in _ENCODERS:
        if isinstance(value, kind):
            return encode(value)
    raise InvalidInput(f"a {type(value).__name__} has no certain form on the wire", code="NO_WIRE_FORM")


def _key(key: t.Any) -> str:
    if isinstance(key, str):
        return _text(key)
    raise InvalidInput(f"a hashtable's key must be text, not {type(key).__name__}", code="NO_WIRE_FORM")


def _text(text: str) -> str:
    """Plain str (not a subclass, which pypsrp would not recognise), without half characters."""
    if not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text):
        raise InvalidInput("the text has half a character in it (a lone surrogate)", code="NO_WIRE_FORM")
    return str.__str__(text) if type(text) is str else "".join(text)


def _element(tag: str, text: str) -> ET.Element:
    element = ET.Element(tag)
    element.text = text
    return element


def _int(value: int) -> t.Any:
    if isinstance(value, _Integer):
        return _element(value.tag, str(int(value)))
    if -(2**31) <= value < 2**31:
        return _element("I32", str(int(value)))
    if -(2**63) <= value < 2**63:
        return _element("I64", str(int(value)))
    return _element("U64", str(UInt64(value)))


def _float(value: float) -> t.Any:
    if math.isnan(value):
        return _element("Db", "NaN")
    if math.isinf(value):
        return _element("Db", "INF" if value > 0 else "-INF")
    return _element("Db", repr(float(value)))


def _decimal(value: decimal.Decimal) -> t.Any:
    if not value.is_finite() or abs(value) > 79228162514264337593543950335:
        raise InvalidInput(f"{value} is not a System.Decimal", code="OUT_OF_RANGE")
    return _element("D", format(value, "f"))


def _timedelta(value: datetime.timedelta) -> t.Any:
    microseconds = value // datetime.timedelta(microseconds=1)
    if abs(microseconds) > 922337203685477580:
        raise InvalidInput(f"{value} is not a System.TimeSpan", code="OUT_OF_RANGE")
    seconds, rest = divmod(abs(microseconds), 10**6)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    sign = "-" if microseconds < 0 else ""
    return _element("TS", f"{sign}P{days}DT{hours}H{minutes}M{seconds}.{rest:06d}S")


def _datetime(value: datetime.datetime) -> t.Any:
    if value.tzinfo is None:
        raise InvalidInput("a date without a time zone means another moment on every host", code="NO_WIRE_FORM")
    return _element("DT", value.isoformat())


_ENCODERS: tuple[tuple[type, t.Callable[[t.Any], t.Any]], ...] = (
    (int, _int),
    (float, _float),
    (decimal.Decimal, _decimal),
    (datetime.timedelta, _timedelta),
    (datetime.datetime, _datetime),
)


def clixml(element: ET.Element) -> bytes:
    """The text of an element, as ``ElementTree.tostring`` writes it: CLIXML has no namespaces, which makes it simple.

    For each of some hundred elements of a message the library looks for some; that was a sixth of a session's CPU.
    """
    parts: list[str] = []
    _write_element(element, parts)
    return "".join(parts).encode()


def _write_element(element: ET.Element, parts: list[str]) -> None:
    parts.append(f"<{element.tag}")
    for name, value in element.items():
        parts.append(f' {name}="{_attribute(value)}"')
    if not element.text and not len(element):
        parts.append(" />")
        return
    parts.append(">")
    if element.text:
        parts.append(_escaped(element.text))
    for child in element:
        _write_element(child, parts)
    parts.append(f"</{element.tag}>")


def _escaped(text: str) -> str:
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def _attribute(text: str) -> str:
    if text.isalnum():
        return text
    escaped = _escaped(text).replace('"', "&quot;")
    return escaped.replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#09;")


# -- coming in --------------------------------------------------------------------------------------------------------

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_SPAN = re.compile(
    r"(?P<sign>-)?P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?"
    r"(?:(?P<seconds>\d+)(?:\.(?P<fraction>\d+))?S)?)?"
)
_DATE = re.compile(r"(?P<to_seconds>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d+))?(?P<zone>Z|[+-]\d\d:\d\d)?")

_LISTS = frozenset(("LST", "IE", "STK", "QUE"))


class UnreadableObject(HyperVError):
    """The host sent something that is not CLIXML as it is known."""

    code = "UNREADABLE_OBJECT"
    layer = "protocol"


def plain(xml: str) -> t.Any:
    """The Python form of one object as it came."""
    try:
        return _Reader().read(ET.fromstring(xml))
    except (ET.ParseError, ValueError, KeyError, ArithmeticError) as error:
        raise UnreadableObject(f"an object of the host cannot be read: {type(error).__name__}: {error}") from error


def unescape(text: str | None) -> str:
    """``_x000A_`` stands for a character (or half of one) that XML cannot carry."""
    if not text or "_x" not in text:
        return text or ""
    replaced = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return replaced.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def span(text: str) -> datetime.timedelta:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time span")
    microseconds = int((match["fraction"] or "0").ljust(6, "0")[:6])
    parts = {name: int(match[name] or 0) for name in ("days", "hours", "minutes", "seconds")}
    value = datetime.timedelta(microseconds=microseconds, **parts)
    return -value if match["sign"] else value


def moment(text: str) -> datetime.datetime:
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a date and time")
    zone = (match["zone"] or "").replace("Z", "+00:00")
    fraction = (match["fraction"] or "").ljust(6, "0")[:6]
    return datetime.datetime.fromisoformat(f"{match['to_seconds']}.{fraction}{zone}")


_SCALARS: dict[str, t.Callable[[str], t.Any]] = {
    "S": unescape,
    "B": lambda text: text.lower() == "true",
    "C": lambda text: chr(int(text)),
    "G": str.lower,
    "DT": moment,
    "TS": span,
    "BA": base64.b64decode,
    "D": decimal.Decimal,
    "URI": unescape,
    "Version": str,
    "XD": unescape,
    "SBK": unescape,
    "SS": lambda text: Secret(""),
    "Nil": lambda text: None,
    **dict.fromkeys(("I32", "I64", "U32", "U64", "By", "SB", "I16", "U16"), int),
    **dict.fromkeys(("Db", "Sg"), float),
}


class _Reader:
    """Reads one object; objects and lists of type names may be referred to by number within it."""

    def __init__(self) -> None:
        self._objects: dict[str, t.Any] = {}
        self._types: dict[str, list[str]] = {}

    def read(self, element: ET.Element) -> t.Any:
        scalar = _SCALARS.get(element.tag)
        if scalar is not None:
            return scalar(element.text or "")
        if element.tag == "Ref":
            return self._objects[element.attrib["RefId"]]
        if element.tag != "Obj":
            raise ValueError(f"unknown element {element.tag}")
        return self._object(element)

    def _object(self, element: ET.Element) -> t.Any:
        types = self._type_names(element)
        for child in element:
            if child.tag in _LISTS:
                return self._list(element, child)
            if child.tag == "DCT":
                return self._hashtable(element, child)
            if child.tag in _SCALARS:
                return self._remember(element, self._wrapped(element, child, types))
        return self._properties(element, types)

    def _wrapped(self, element: ET.Element, child: ET.Element, types: list[str]) -> t.Any:
        """An enum (name and number), or a simple value that carries notes of its own, as the lines of a file do."""
        name = element.find("ToString")
        if "System.Enum" in types and name is not None:
            return unescape(name.text)
        return self.read(child)

    def _list(self, element: ET.Element, items: ET.Element) -> list[t.Any]:
        values = self._remember(element, [])
        values.extend(self.read(item) for item in items)
        return values

    def _hashtable(self, element: ET.Element, entries: ET.Element) -> dict[t.Any, t.Any]:
        values = self._remember(element, {})
        for entry in entries:
            pair = {item.attrib["N"]: item for item in entry}
            values[self.read(pair["Key"])] = self.read(pair["Value"])
        return values

    def _properties(self, element: ET.Element, types: list[str]) -> dict[str, t.Any]:
        values = self._remember(element, {})
        for group in ("Props", "MS"):
            for item in element.iterfind(f"{group}/*"):
                values[unescape(item.attrib["N"])] = self.read(item)
        values["_type"] = types[0] if types else None
        return values

    def _remember(self, element: ET.Element, value: t.Any) -> t.Any:
        if "RefId" in element.attrib:
            self._objects[element.attrib["RefId"]] = value
        return value

    def _type_names(self, element: ET.Element) -> list[str]:
        names = element.find("TN")
        if names is not None:
            types = [item.text or "" for item in names]
            self._types[names.attrib.get("RefId", "")] = types
            return types
        reference = element.find("TNRef")
        return self._types[reference.attrib["RefId"]] if reference is not None else []


__all__ = [
    "Credential",
    "Int64",
    "Properties",
    "Secret",
    "UInt32",
    "UInt64",
    "UnreadableObject",
    "clixml",
    "plain",
    "wire",
]
