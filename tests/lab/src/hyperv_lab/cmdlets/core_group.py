# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ForEach-Object with a property's name, Group-Object, Tee-Object into a variable, Out-String of strings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..engine import properties
from ..engine.errors import NotSimulated, PSError
from ..engine.registry import Bound, Cmdlet, Context, cmdlet
from ..engine.values import I32, PSArray, PSObj, ScriptBlock, base, text
from ..engine.wildcards import has_wildcards
from .core import items_of

COMMANDS = "Microsoft.PowerShell.Commands."


@cmdlet("ForEach-Object")
class ForEachObject(Cmdlet):
    """One property of each object, its items one by one; scripts and methods are not simulated."""

    def begin(self, args: Bound) -> Iterator[Any]:
        if "MemberName" not in args:
            raise NotSimulated("ForEach-Object with a script block")
        if "ArgumentList" in args:
            raise NotSimulated("ForEach-Object that calls a method")
        return iter(())

    def process(self, args: Bound) -> Iterator[Any]:
        value = args.get("InputObject")
        name = args["MemberName"]
        if value is None:
            error_id = "InputObjectIsNull"
            self.ctx.write_error(self._error("Cannot bind argument to parameter because it is null.", error_id, None))
            return
        found = properties.find(value, name)
        if len(found) > 1:
            text = f"Input name '{name}' is ambiguous. It can be resolved to multiple matched members."
            self.ctx.write_error(self._error(text, "AmbiguousPropertyOrMethodName", value))
            return
        if not found:
            if has_wildcards(name):
                text = f"The input name '{name}' cannot be resolved to a property."
                self.ctx.write_error(self._error(text, "PropertyOrMethodNotFound", value))
                return
            raise NotSimulated(f"ForEach-Object -MemberName {name}: a method, or nothing that the object has")
        for item in items_of(found[0][1]):
            if item is not None:
                yield item

    def _error(self, message: str, error_id: str, target: Any) -> PSError:
        return PSError(
            message,
            f"{error_id},{self.ctx.table.class_name}",
            "InvalidArgument",
            "System.Management.Automation.PSArgumentException",
            target,
        )


@cmdlet("Group-Object")
class GroupObject(Cmdlet):
    """Groups in the order in which their first object came, as 5.1 gives them."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._groups: list[tuple[list[Any], list[Any]]] = []

    def begin(self, args: Bound) -> Iterator[Any]:
        if args.switch("AsHashTable") or "Culture" in args:
            raise NotSimulated("Group-Object -AsHashTable or -Culture")
        self._names = [text(base(name)) for name in args.get("Property") or ()]
        if any(isinstance(base(name), (ScriptBlock, dict)) for name in args.get("Property") or ()):
            raise NotSimulated("Group-Object by a script block")
        return iter(())

    def process(self, args: Bound) -> Iterator[Any]:
        value = args.get("InputObject")
        if value is None:
            return iter(())
        keys = self._keys(value)
        case = args.switch("CaseSensitive")
        for known, members in self._groups:
            if all(properties.equal(one, other, case=case) for one, other in zip(known, keys, strict=True)):
                members.append(value)
                return iter(())
        self._groups.append((keys, [value]))
        return iter(())

    def _keys(self, value: Any) -> list[Any]:
        if not self._names:
            return [value]
        found = (properties.find(value, name) for name in self._names)
        return [one[0][1] if one else None for one in found]

    def end(self, args: Bound) -> Iterator[Any]:
        bare = args.switch("NoElement")
        names = [COMMANDS + "GroupInfoNoElement"] if bare else []
        for keys, members in self._groups:
            yield PSObj(
                [*names, COMMANDS + "GroupInfo", "System.Object"],
                {
                    "Count": I32(len(members)),
                    "Name": ", ".join("" if key is None else text(key) for key in keys),
                    "Group": PSArray() if bare else PSArray(members),
                    "Values": PSArray(keys),
                },
            )


@cmdlet("Tee-Object")
class TeeObject(Cmdlet):
    """Passes objects on and keeps them in a variable of the runspace; one alone is kept as itself."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._items: list[Any] = []

    def begin(self, args: Bound) -> Iterator[Any]:
        if "Variable" not in args:
            raise NotSimulated("Tee-Object into a file")
        return iter(())

    def process(self, args: Bound) -> Iterator[Any]:
        self._items.append(args.get("InputObject"))
        yield args.get("InputObject")

    def end(self, args: Bound) -> Iterator[Any]:
        kept = self._items[0] if len(self._items) == 1 else PSArray(self._items)
        self.ctx.session.set_variable(args["Variable"], kept)
        return iter(())


@cmdlet("Out-String")
class OutString(Cmdlet):
    """Of strings, which are lines; how anything else is laid out is not simulated."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._lines: list[str] = []

    def process(self, args: Bound) -> Iterator[Any]:
        value = base(args.get("InputObject"))
        if not isinstance(value, str):
            raise NotSimulated("Out-String of what is no string")
        self._lines.append(value)
        return iter(())

    def end(self, args: Bound) -> Iterator[Any]:
        if args.switch("Stream"):
            yield from self._lines
        else:
            yield "".join(line + "\r\n" for line in self._lines)
