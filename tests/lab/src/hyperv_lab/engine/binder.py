# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameter binder: a command's arguments and pipeline objects, bound as PowerShell binds them.

``Binder(...)`` binds what the command line says; ``record(object)`` then gives the arguments for one pipeline object.
Nobody can be asked in a remote session, so what PowerShell would prompt for is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import binding_errors as errors
from .binding_errors import BindError, Mismatch
from .context import Bound
from .convert import CREDENTIAL, OBJECTS, PSOBJECT, SWITCH
from .parameter_sets import ParameterSets, count
from .shape import Role, Shape, Slot
from .validate import validate
from .values import Noted, PSArray, PSObj, base, text

Argument = tuple[str | None, Any]


class Binder:
    """One command of a pipeline. ``expects_input``: objects may come from a command before it, or from the client."""

    def __init__(self, shape: Shape, arguments: Iterable[Argument], *, expects_input: bool) -> None:
        self.shape = shape
        self.class_name = shape.class_name
        self._unbound = list(shape.slots)
        self._values: dict[str, Any] = {}
        self._common: dict[str, Any] = {}
        self.sets = ParameterSets(shape, self._unbound)
        self._bind_command_line(list(arguments))
        self._settle(expects_input)
        self._flags_before = self.sets.flags
        self._base_values = dict(self._values)
        self._base_unbound = list(self._unbound)
        self._wrapper = self._find_wrapper()
        self._wrapper_set: str | None = None

    @property
    def common(self) -> Mapping[str, Any]:
        """ErrorAction, OutVariable, WhatIf ... under their names."""
        return self._common

    def bound(self) -> Bound:
        """The arguments without any pipeline object."""
        return Bound(self._base_values, self.shape.set_name(self._flags_before))

    # ---- the command line

    def _bind_command_line(self, arguments: list[Argument]) -> None:
        positional: list[Any] = []
        for name, value in arguments:
            if name is None:
                positional.append(value)
                continue
            slot = self._named(name)
            if slot is None:
                positional += [f"-{name.removeprefix('-')}", *([] if value is None else [value])]
                continue
            if slot not in self._unbound:
                raise errors.bound_twice(self.class_name, slot.name)
            self._bind(slot, value, coerce=True)
        problem = self._bind_positions(positional) if positional else None
        self.sets.validate(before_pipeline=True, set_default=False)
        if problem is not None:
            raise problem

    def _named(self, name: str) -> Slot | None:
        """The parameter of this name; None where an unknown name is one more argument for what takes all the rest."""
        try:
            return self.shape.find(name)
        except BindError as error:
            if self.shape.takes_remaining and error.error_id.startswith("NamedParameterNotFound"):
                return None
            raise

    def _settle(self, expects_input: bool) -> None:
        left = self.sets.validate(before_pipeline=expects_input, set_default=not expects_input)
        if left > 1 and expects_input:
            before = self.sets.flags
            self.sets.drop_sets_without_input()
            if self.sets.flags != before:
                left = self.sets.validate(before_pipeline=True, set_default=False)
        lacking = self.sets.missing(left, expects_input=expects_input)
        if lacking:
            raise errors.missing_mandatory(self.class_name, (slot.name for slot in lacking))
        if not expects_input:
            self.sets.verify_selected()

    def _bind_positions(self, values: Sequence[Any]) -> BindError | None:
        """Each value goes to the next position; the error for what finds none, told after the sets were looked at."""
        queue, left_over = list(values), []
        problem: BindError | None = None
        for position in self.shape.positions(self._unbound, self.sets.flags):
            if not queue or not self._at(position, self.sets.flags):
                continue
            value = queue.pop(0)
            bound, problem = self._bind_position(position, value)
            if not bound:
                left_over.append(value)
        left_over += queue
        if not left_over or self._bind_remaining(left_over):
            return None
        first = left_over[0]
        return problem or errors.no_position(self.class_name, "$null" if first is None else text(first))

    def _bind_remaining(self, values: list[Any]) -> bool:
        """All that is left goes to the parameter that takes it, as one list; a list that is alone is that list."""
        for slot in [slot for slot in self._unbound if slot.parameter.remaining and slot.belongs(self.sets.flags)]:
            return self._bind(slot, values[0] if len(values) == 1 else PSArray(values), coerce=True)
        return False

    def _at(self, position: int, flags: int) -> list[Slot]:
        return [
            slot
            for slot in self._unbound
            if not slot.parameter.remaining and any(role.position == position for role in slot.matching(flags))
        ]

    def _bind_position(self, position: int, value: Any) -> tuple[bool, BindError | None]:
        """Without conversion first, in the default set first."""
        problem: BindError | None = None
        default = self.shape.default & self.sets.flags
        for coerce in (False, True):
            for flags in (default, self.sets.flags) if default else (self.sets.flags,):
                bound, found = self._bind_position_in(position, flags, value, coerce)
                if bound:
                    return True, None
                problem = found or problem
        return False, problem

    def _bind_position_in(self, position: int, flags: int, value: Any, coerce: bool) -> tuple[bool, BindError | None]:
        """Every parameter at this position that takes the value gets it; the sets are then told apart later."""
        bound, problem = False, None
        for slot in self._at(position, flags):
            try:
                bound = self._bind(slot, value, coerce=coerce) or bound
            except BindError as error:
                if not error.means_no:
                    raise
                problem = error
        return bound, problem

    # ---- one parameter

    def _bind(self, slot: Slot, value: Any, *, coerce: bool) -> bool:
        """Convert, check and keep a value. Without ``coerce``, one of another type is not taken."""
        if slot.kind.type_name not in OBJECTS:
            value = base(value)
        if coerce:
            value = self._coerce(slot, value)
        elif not _fits(slot, value):
            return False
        elif slot.kind.element is not None and value is not None:
            value = slot.kind.convert(value)
        validate(self.class_name, self.shape.table.name, slot.parameter, slot.kind, value)
        if value is None and not slot.kind.nullable:
            raise errors.cannot_set(self.class_name, slot.name, slot.kind.type_name)
        target = self._common if slot.common else self._values
        target[slot.name] = value
        self.sets.narrow(slot)
        self._unbound.remove(slot)
        return True

    def _coerce(self, slot: Slot, value: Any) -> Any:
        kind = slot.kind
        if value is None:
            if kind.type_name == "System.Boolean":
                raise errors.null_argument(self.class_name, slot.name, boolean=True)
            return True if kind.type_name == SWITCH else None
        if kind.element is None and kind.fits(value):
            return value
        try:
            return kind.convert(value)
        except Mismatch as why:
            if kind.type_name == CREDENTIAL:
                raise errors.cannot_transform(self.class_name, slot.name, str(why)) from why
            raise errors.cannot_convert(self.class_name, slot.name, kind.type_name, why, text(value)) from why

    # ---- pipeline objects

    def _find_wrapper(self) -> str | None:
        """The one parameter that takes objects as they are, where nothing else can take them (-InputObject)."""
        takers = [slot for slot in self._base_unbound if slot.pipeline]
        if len(takers) != 1 or takers[0].kind.type_name != PSOBJECT or takers[0].parameter.checks:
            return None
        return takers[0].name if takers[0].in_all and not takers[0].roles[0].by_name else None

    def record(self, value: Any) -> Bound:
        """The arguments for one object; BindError if it cannot be bound, or leaves something mandatory missing."""
        if self._wrapper_set is not None and value is not None:
            return Bound({**self._base_values, str(self._wrapper): value}, self._wrapper_set, value)
        bound = self._record(value)
        if self._wrapper is not None:
            self._wrapper_set = bound.set
        return bound

    def _record(self, value: Any) -> Bound:
        self._values = dict(self._base_values)
        self._unbound[:] = self._base_unbound
        self.sets.flags = self._flags_before
        bound = self._bind_record(value)
        self.sets.verify_selected()
        if not bound:
            raise errors.input_not_bound(self.class_name)
        lacking = self.sets.missing(count(self.sets.flags), expects_input=False)
        if lacking:
            raise errors.input_lacks(self.class_name, (slot.name for slot in lacking))
        return Bound(self._values, self.shape.set_name(self.sets.flags), value)

    def _bind_record(self, value: Any) -> bool:
        bound, prefer = False, self.sets.prefer
        valid = prefer or self.sets.flags
        for turn in range(2 if prefer else 1):
            for coerce, by_name in ((False, False), (False, True), (True, False), (True, True)):
                if not self._bind_phase(value, valid, coerce, by_name):
                    continue
                bound = True
                if not prefer or turn:
                    self.sets.validate(before_pipeline=True, set_default=True)
                    valid = self.sets.flags
            if prefer and not turn:
                if self.sets.flags == prefer:
                    break
                valid = self.sets.flags & ~prefer
        self.sets.validate(before_pipeline=False, set_default=True)
        return bound

    def _bind_phase(self, value: Any, valid: int, coerce: bool, by_name: bool) -> bool:
        default = self.shape.default
        if default and valid & default:
            if self._bind_in_set(value, default, coerce, by_name):
                return True
            valid &= ~default
        return self._bind_in_set(value, valid, coerce, by_name)

    def _bind_in_set(self, value: Any, flags: int, coerce: bool, by_name: bool) -> bool:
        bound = False
        for slot in reversed(tuple(self._unbound)):
            if not slot.pipeline or not slot.belongs(flags):
                continue
            if any(_takes(role, by_name) for role in slot.matching(flags)):
                bound = self._bind_from(slot, value, coerce, by_name) or bound
        return bound

    def _bind_from(self, slot: Slot, value: Any, coerce: bool, by_name: bool) -> bool:
        if by_name:
            found, value = _property(value, slot)
            if not found:
                return False
        elif slot.kind.type_name == PSOBJECT:
            coerce = True  # what comes from the pipeline is wrapped already
        try:
            return self._bind(slot, value, coerce=coerce)
        except BindError as error:
            if error.means_no:
                return False
            raise


def _takes(role: Role, by_name: bool) -> bool:
    return role.by_name if by_name else role.by_value


def _fits(slot: Slot, value: Any) -> bool:
    """Whether a value can be bound as it is."""
    if value is None:
        return slot.kind.nullable and slot.kind.type_name != "System.String"
    return slot.kind.fits(value)


def _property(value: Any, slot: Slot) -> tuple[bool, Any]:
    """The property of a pipeline object that has the parameter's name or one of its aliases."""
    for name in (slot.name, *slot.parameter.aliases):
        found, item = property_of(value, name)
        if found:
            return True, item
    return False, None


def property_of(value: Any, name: str) -> tuple[bool, Any]:
    """A property by name, in any case, of an object, a noted value or a simple one."""
    if isinstance(value, Noted):
        for known, item in value.notes.items():
            if known.lower() == name.lower():
                return True, item
        value = value.value
    if isinstance(value, PSObj):
        spelt = value.find(name)
        return (False, None) if spelt is None else (True, value.get(spelt))
    if name.lower() == "length" and isinstance(value, (str, bytes)):
        return True, len(value)
    if name.lower() in ("length", "count") and isinstance(value, list):
        return True, len(value)
    return False, None
