# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where-Object, in the form without script: a property, an operator, a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..engine import properties
from ..engine.errors import NotSimulated, PSError
from ..engine.registry import Bound, Cmdlet, cmdlet
from ..engine.values import PSArray, base, text
from ..engine.wildcards import matches
from .core import items_of

Test = Callable[[Any, Any], bool]
ORDERS: dict[str, Callable[[int], bool]] = {
    "EQ": lambda order: order == 0,
    "NE": lambda order: order != 0,
    "GT": lambda order: order > 0,
    "GE": lambda order: order >= 0,
    "LT": lambda order: order < 0,
    "LE": lambda order: order <= 0,
}


def _ordered(value: Any, other: Any, name: str, case: bool) -> bool:
    order = properties.compare(value, other, case=case)
    if order is None:
        return name == "NE"
    return ORDERS[name](order)


def _regex(value: Any, pattern: Any, case: bool) -> bool:
    raise NotSimulated("Where-Object -Match: regular expressions of .NET")


def _contains(items: Any, value: Any, case: bool) -> bool:
    return any(properties.equal(item, value, case=case) for item in items_of(items))


def _like(value: Any, pattern: Any, case: bool) -> bool:
    if case:
        raise NotSimulated("Where-Object -CLike")
    return matches(text(pattern), text(value))


def _operator(name: str) -> Test:
    """The test behind one of Where-Object's switches, such as CNotLike."""
    case = name.startswith("C") and name not in ("Contains",)
    plain = name[1:] if case else name
    negated = plain.startswith("Not")
    plain = plain.removeprefix("Not")
    tests: dict[str, Test] = {
        "Like": lambda value, other: _like(value, other, case),
        "Match": lambda value, other: _regex(value, other, case),
        "Contains": lambda value, other: _contains(value, other, case),
        "In": lambda value, other: _contains(other, value, case),
    }
    if plain in ORDERS:
        return lambda value, other: _filtered(value, other, plain, case)
    if plain not in tests:
        raise NotSimulated(f"Where-Object -{name}")
    test = tests[plain]
    return lambda value, other: test(value, other) is not negated


def _filtered(value: Any, other: Any, name: str, case: bool) -> bool:
    """A list on the left gives the items that pass, and is true if there are any."""
    if isinstance(base(value), list):
        return properties.truth(PSArray(item for item in base(value) if _ordered(item, other, name, case)))
    return _ordered(value, other, name, case)


@cmdlet("Where-Object")
class WhereObject(Cmdlet):
    """The form without script: a property, an operator, a value."""

    def begin(self, args: Bound) -> Iterator[Any]:
        if "FilterScript" in args:
            raise NotSimulated("Where-Object with a script block")
        switches = [name for name in args if args[name] is True and name not in ("InputObject", "Property", "Value")]
        self._test = _operator(switches[0]) if switches else None
        if self._test is None and "Value" in args:
            raise PSError(
                "The specified operator requires both the -Property and -Value parameters. Provide values for both "
                "parameters, and then try the command again.",
                f"OperatorNotSpecified,{self.ctx.table.class_name}",
                "InvalidArgument",
                "System.Management.Automation.PSArgumentException",
            )
        return iter(())

    def process(self, args: Bound) -> Iterator[Any]:
        value = args.get("InputObject")
        found = properties.find(value, args["Property"])
        if not found:
            return
        item = found[0][1]
        if self._test(item, args.get("Value")) if self._test else properties.truth(item):
            yield value
