# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Select-Object, Sort-Object and Measure-Object."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from ..engine import properties
from ..engine.errors import NotSimulated, PSError
from ..engine.registry import Bound, Cmdlet, Context, cmdlet
from ..engine.stage import StopUpstream
from ..engine.values import CUSTOM, I32, EnumValue, Noted, PSObj, ScriptBlock, base, text, type_of
from ..engine.wildcards import has_wildcards, matches

NAME_KEYS = ("name", "label", "n", "l")


def items_of(value: Any) -> list[Any]:
    """What PowerShell enumerates: the items of a list, a single value as itself."""
    value = base(value) if isinstance(base(value), list) else value
    return value if isinstance(value, list) else [value]


# ---- Select-Object


def _calculated(entry: Mapping[Any, Any]) -> tuple[str | None, str]:
    """Name and source of ``@{Name = ...; Expression = 'property'}``; script blocks cannot be run."""
    name, expression = None, None
    for key, value in entry.items():
        if str(key).lower() in NAME_KEYS:
            name = text(value)
        else:
            expression = value
    if isinstance(expression, ScriptBlock) or expression is None:
        raise NotSimulated("Select-Object with a script block")
    return name, text(expression)


def _wanted(argument: Any) -> list[tuple[str | None, str]]:
    wanted: list[tuple[str | None, str]] = []
    for entry in argument or ():
        entry = base(entry)
        if isinstance(entry, ScriptBlock):
            raise NotSimulated("Select-Object with a script block")
        wanted.append(_calculated(entry) if isinstance(entry, Mapping) else (None, text(entry)))
    return wanted


def _base_type(value: Any) -> str:
    value = base(value)
    if isinstance(value, PSObj) and (value.deserialized or value.is_custom):
        return CUSTOM
    return type_of(value)


@cmdlet("Select-Object")
class SelectObject(Cmdlet):
    """Picks objects by place and makes new ones of their properties."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._queue: deque[Any] = deque()
        self._streamed = 0
        self._place = 0
        self._unique: list[tuple[Any, Any]] = []

    def begin(self, args: Bound) -> Iterator[Any]:
        self._properties = _wanted(args.get("Property"))
        self._exclude = [str(pattern) for pattern in args.get("ExcludeProperty") or ()]
        if self._exclude and not self._properties:
            self._properties = [(None, "*")]
        self._expand = args.get("ExpandProperty")
        self._first, self._last = args.get("First", 0), args.get("Last", 0)
        self._skip, self._skip_last = args.get("Skip", 0), args.get("SkipLast", 0)
        self._limited = "First" in args or "Last" in args
        self._indexes = sorted(set(args.get("Index") or ())) if "Index" in args else None
        return iter(())

    def process(self, args: Bound) -> Iterator[Any]:
        value = args.get("InputObject")
        if value is None:
            return
        if self._indexes is not None:
            yield from self._indexed(value, args)
            return
        self._enqueue(value)
        found, item = self._stream()
        if found:
            yield from self._write(item, args)
        enough = self._limited and self._last == 0 and self._first != 0 and self._streamed >= self._first
        if enough and not args.switch("Wait"):
            raise StopUpstream

    def end(self, args: Bound) -> Iterator[Any]:
        if args.set == "DefaultParameter":
            keep = 0 if self._first else self._skip
            while len(self._queue) > keep:
                yield from self._write(self._queue.popleft(), args)
        for item, _ in self._unique:
            yield item

    def _indexed(self, value: Any, args: Bound) -> Iterator[Any]:
        assert self._indexes is not None
        if self._indexes and self._place == self._indexes[0]:
            del self._indexes[0]
            yield from self._write(value, args)
        if not self._indexes and not args.switch("Wait"):
            raise StopUpstream
        self._place += 1

    def _enqueue(self, value: Any) -> None:
        limit = self._last + (0 if self._first else self._skip)
        if self._last > 0 and len(self._queue) >= limit:
            self._queue.popleft()
        self._queue.append(value)

    def _stream(self) -> tuple[bool, Any]:
        """What can be written already; the rest waits in the queue or is dropped."""
        if self._skip:
            if self._last == 0 or self._first:
                self._queue.popleft()
                self._skip -= 1
            return False, None
        if self._skip_last:
            return (True, self._queue.popleft()) if len(self._queue) > self._skip_last else (False, None)
        if self._streamed < self._first or not self._limited:
            self._streamed += 1
            return True, self._queue.popleft()
        if self._last == 0:
            self._queue.popleft()
        return False, None

    # ---- one object

    def _write(self, value: Any, args: Bound) -> Iterator[Any]:
        for item in self._shape(value):
            if not args.switch("Unique"):
                yield item
            elif not any(self._same(item, known) for known, _ in self._unique):
                self._unique.append((item, None))

    @staticmethod
    def _same(left: Any, right: Any) -> bool:
        if isinstance(left, PSObj) and isinstance(right, PSObj) and left.is_custom and right.is_custom:
            return left.notes.keys() == right.notes.keys() and all(
                properties.equal(value, right.notes[key], case=True) for key, value in left.notes.items()
            )
        return properties.equal(left, right, case=True)

    def _shape(self, value: Any) -> Iterator[Any]:
        if not self._properties and not self._expand:
            yield value
            return
        notes = self._notes(value)
        if self._expand:
            yield from self._expanded(value, notes)
            return
        yield PSObj([f"Selected.{_base_type(value)}", CUSTOM, "System.Object"], notes=notes)

    def _notes(self, value: Any) -> dict[str, Any]:
        notes: dict[str, Any] = {}
        for name, pattern in self._properties:
            found = properties.find(value, pattern)
            if not found and not has_wildcards(pattern):
                found = [(pattern, None)]
            for known, item in found:
                self._add(notes, name or known, item, value)
        return notes

    def _add(self, notes: dict[str, Any], name: str, item: Any, value: Any) -> None:
        if any(matches(pattern, name) for pattern in self._exclude):
            return
        if any(known.lower() == name.lower() for known in notes):
            self._exists(name, value, "NoExpand")
            return
        notes[name] = item

    def _exists(self, name: str, value: Any, suffix: str) -> None:
        self.ctx.write_error(
            self._error(
                f'The property cannot be processed because the property "{name}" already exists.',
                f"AlreadyExistingUserSpecifiedProperty{suffix}",
                value,
                "InvalidOperation",
            )
        )

    def _error(self, message: str, error_id: str, value: Any, category: str = "InvalidArgument") -> PSError:
        return PSError(
            message,
            f"{error_id},{self.ctx.table.class_name}",
            category,
            "System.Management.Automation.PSArgumentException",
            value,
        )

    def _expanded(self, value: Any, notes: dict[str, Any]) -> Iterator[Any]:
        found = properties.find(value, str(self._expand))
        if len(found) != 1:
            error_id = "MutlipleExpandProperties" if found else "ExpandPropertyNotFound"
            message = f'Property "{self._expand}" cannot be found.'
            if found:
                message = f'Multiple properties cannot be expanded: "{self._expand}".'
            self.ctx.write_error(self._error(message, error_id, value))
            return
        for item in items_of(found[0][1]):
            if item is not None:
                yield self._with_notes(item, notes, value)

    def _with_notes(self, item: Any, notes: dict[str, Any], value: Any) -> Any:
        if not notes:
            return item
        for name in [name for name in notes if properties.get(item, name)]:
            self._exists(name, value, "Expand")
        fresh = {name: entry for name, entry in notes.items() if not properties.get(item, name)}
        if isinstance(item, PSObj):
            item.notes.update(fresh)  # as in PowerShell, the very object gets them
            return item
        return Noted(base(item), fresh)


# ---- Sort-Object


@cmdlet("Sort-Object")
class SortObject(Cmdlet):
    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._items: list[Any] = []

    def process(self, args: Bound) -> Iterator[Any]:
        if args.get("InputObject") is not None:
            self._items.append(args["InputObject"])
        return iter(())

    def end(self, args: Bound) -> Iterator[Any]:
        names = [source for _, source in _wanted(args.get("Property"))]
        case = args.switch("CaseSensitive")

        def order(left: Any, right: Any) -> int:
            for one, other in zip(_keys(left, names), _keys(right, names), strict=True):
                found = properties.compare(one, other, case=case)
                if found is None:
                    found = properties.compare(text(one), text(other), case=case)
                if found:
                    return found
            return 0

        ordered = sorted(self._items, key=functools.cmp_to_key(order), reverse=args.switch("Descending"))
        previous: list[Any] = []
        for item in ordered:
            if args.switch("Unique") and previous and order(previous[-1], item) == 0:
                continue
            previous.append(item)
            yield item


def _keys(value: Any, names: list[str]) -> list[Any]:
    if not names:
        return [value]
    found = (properties.find(value, name) for name in names)
    return [entry[0][1] if entry else None for entry in found]


# ---- Measure-Object


@cmdlet("Measure-Object")
class MeasureObject(Cmdlet):
    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._count = 0
        self._values: dict[str, list[float]] = {}

    def process(self, args: Bound) -> Iterator[Any]:
        if args.set == "TextMeasure":
            raise NotSimulated("Measure-Object of text")
        value = args.get("InputObject")
        if value is None:
            return iter(())
        self._count += 1
        for name in args.get("Property") or ():
            for known, item in properties.find(value, str(name)):
                self._values.setdefault(known, []).append(self._number(item))
        if "Property" not in args:
            self._values.setdefault("", []).append(self._number(value) if self._computes(args) else 0.0)
        return iter(())

    @staticmethod
    def _computes(args: Bound) -> bool:
        return any(args.switch(name) for name in ("Sum", "Average", "Maximum", "Minimum"))

    @staticmethod
    def _number(value: Any) -> float:
        value = base(value)
        if isinstance(value, (int, float)):
            return float(value)
        if isinstance(value, EnumValue):
            return float(value.value)
        raise NotSimulated("Measure-Object of what is no number")

    def end(self, args: Bound) -> Iterator[Any]:
        for name in self._values or ({"": []} if "Property" not in args else {}):
            yield self._result(name, self._values.get(name, []), args)

    def _result(self, name: str, values: list[float], args: Bound) -> PSObj:
        return PSObj(
            [
                "Microsoft.PowerShell.Commands.GenericMeasureInfo",
                "Microsoft.PowerShell.Commands.MeasureInfo",
                "System.Object",
            ],
            {
                "Count": I32(len(values) if name else self._count),
                "Average": sum(values) / len(values) if args.switch("Average") and values else None,
                "Sum": sum(values) if args.switch("Sum") and values else None,
                "Maximum": max(values) if args.switch("Maximum") and values else None,
                "Minimum": min(values) if args.switch("Minimum") and values else None,
                "Property": name or None,
            },
        )
