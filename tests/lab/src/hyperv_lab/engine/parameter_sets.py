# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which parameter sets are still possible, and what is missing in them: PowerShell's rules, as bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from . import binding_errors as errors
from .shape import ALL, Role, Shape, Slot


def count(flags: int) -> int:
    """How many sets; untouched flags count as one, as in PowerShell."""
    return 1 if flags == ALL else bin(flags).count("1")


@dataclass
class _Wanted:
    """What one set's mandatory parameters still want: from the pipeline, or from the caller."""

    flag: int
    is_default: bool
    from_pipeline: dict[Slot, Role] = field(default_factory=dict)
    from_caller: dict[Slot, Role] = field(default_factory=dict)

    @property
    def is_all(self) -> bool:
        return self.flag == ALL

    @property
    def by_value(self) -> bool:
        return any(role.by_value for role in self.from_pipeline.values())

    @property
    def by_name(self) -> bool:
        return any(role.by_name for role in self.from_pipeline.values())


class ParameterSets:
    """The state of the sets in one call. ``unbound`` is shared with the binder, which takes slots out of it."""

    def __init__(self, shape: Shape, unbound: list[Slot]) -> None:
        self.shape = shape
        self.unbound = unbound
        self.flags = ALL
        self.prefer = 0  # a set to try first when an object comes from the pipeline

    def narrow(self, slot: Slot) -> None:
        if slot.mask and not slot.in_all:
            self.flags &= slot.mask

    def ambiguous(self) -> errors.BindError:
        return errors.ambiguous_set(self.shape.class_name)

    # ---- one set to be left

    def validate(self, *, before_pipeline: bool, set_default: bool) -> int:
        """How many sets are left; an error if none is, or several between which nothing can decide."""
        left = count(self.flags)
        if self.flags != ALL:
            return left if left == 1 else self._several(left, before_pipeline, set_default)
        left = max(1, len(self.shape.set_names))
        if before_pipeline and self._some_take_input():
            return left
        if self.shape.default:
            if set_default:
                self.flags = self.shape.default
                return 1
            return left
        return self._by_mandatory() if left > 1 else left

    def _several(self, left: int, before_pipeline: bool, set_default: bool) -> int:
        if left == 0:
            raise self.ambiguous()
        default = self.shape.default
        if default and self.flags & default:
            if set_default:
                self.flags = default
                return 1
            return left
        if before_pipeline and self._some_take_input():
            return left
        return self._by_mandatory()

    def _some_take_input(self) -> bool:
        return any(role.pipeline for slot in self.unbound for role in slot.matching(self.flags))

    def _by_mandatory(self) -> int:
        """The one set that lacks nothing mandatory, if there is exactly one."""
        flags = self.flags & sum(self.shape.bits.values())
        for slot in self.unbound:
            for role in slot.roles:
                if role.mandatory:
                    flags &= ~role.flag
        if count(flags) != 1 or flags == 0:
            raise self.ambiguous()
        self.flags = flags
        return 1

    def verify_selected(self) -> None:
        """With no more input to come, the default set is taken if nothing has been decided."""
        if len(self.shape.set_names) > 1 and self.flags == ALL:
            if not self.shape.default:
                raise self.ambiguous()
            self.flags = self.shape.default

    def drop_sets_without_input(self) -> None:
        """When input comes, sets that can take none are out."""
        taking = 0
        for slot in self.unbound:
            for role in slot.matching(self.flags):
                if role.pipeline and role.flag == 0:
                    return
                if role.pipeline:
                    taking |= role.flag
        if taking:
            self.flags &= taking

    # ---- what is missing

    def missing(self, left: int, *, expects_input: bool) -> list[Slot]:
        """Mandatory parameters that nothing can still supply. With input expected it also decides between sets."""
        wanted: dict[int, _Wanted] = {}
        lacking: list[Slot] = []
        mandatory_sets, in_all = 0, False
        for slot in self.unbound:
            flags = self._want(slot, wanted, expects_input)
            if flags is None:
                continue
            lacking.append(slot)
            in_all = in_all or flags == ALL
            mandatory_sets |= self.flags & flags if flags != ALL else 0
        if not expects_input or not lacking:
            return lacking
        if in_all or not mandatory_sets:
            mandatory_sets = self.flags & (sum(self.shape.bits.values()) or ALL) if in_all else self.flags
        return self._decide(left, wanted, mandatory_sets)

    def _want(self, slot: Slot, wanted: dict[int, _Wanted], expects_input: bool) -> int | None:
        """Note a slot under every set in which it is mandatory; the flags of those sets, or None."""
        flags = 0
        for role in slot.matching(self.flags) if slot.mandatory else ():
            if not role.mandatory:
                continue
            flag = role.flag or ALL
            entry = wanted.setdefault(flag, _Wanted(flag, bool(self.shape.default & flag)))
            target = entry.from_pipeline if expects_input and role.pipeline else entry.from_caller
            target[slot] = role
            flags |= flag
        return flags or None

    def _decide(self, left: int, wanted: Mapping[int, _Wanted], mandatory: int) -> list[Slot]:
        default = self.shape.default
        if left > 1 and default and not default & mandatory and default & self.flags:
            mandatory = self._keep_default(wanted, mandatory)
        sets = count(mandatory)
        if sets == 0:
            raise self.ambiguous()
        if sets == 1:
            return _from_caller(wanted.values(), mandatory)
        if self.prefer:
            return []
        if default & mandatory and self._default_wins(wanted):
            self.flags = default
            return _from_caller(wanted.values(), default)
        return self._by_input(wanted, mandatory)

    def _keep_default(self, wanted: Mapping[int, _Wanted], mandatory: int) -> int:
        """The default set lacks nothing: sets that do are out, unless one of them takes its input from the pipeline."""
        default = self.shape.default
        for entry in wanted.values():
            if entry.flag & self.flags and not entry.flag & default and not entry.is_all and entry.from_pipeline:
                return mandatory
        self.flags &= ~mandatory & (sum(self.shape.bits.values()) if self.flags == ALL else ALL)
        if self.flags != default:
            self.prefer = default
        return self.flags

    def _default_wins(self, wanted: Mapping[int, _Wanted]) -> bool:
        others = [entry for entry in wanted.values() if not entry.is_all and not entry.is_default]
        other = any(entry.from_pipeline and not entry.from_caller for entry in others)
        own = wanted.get(self.shape.default)
        if own is not None and own.by_name and not any(entry.by_name for entry in others):
            return True
        if not other:
            return True
        everywhere = wanted.get(ALL)
        return everywhere is not None and bool(everywhere.from_caller)

    def _by_input(self, wanted: Mapping[int, _Wanted], mandatory: int) -> list[Slot]:
        """Several sets want something: the one that alone takes it from the pipeline is chosen."""
        candidates = [entry for entry in wanted.values() if not entry.is_all and entry.flag & mandatory]
        by_value = [entry.flag for entry in candidates if entry.by_value]
        by_name = [entry.flag for entry in candidates if entry.by_name]
        chosen = _only(by_value, by_name)
        if chosen:
            return self._choose(chosen, wanted)
        if not any(entry.from_caller for entry in candidates) and not self._everywhere_lacks(wanted):
            return []
        if len(by_value) == 1:
            return self._choose(by_value[0], wanted)
        if len(by_value) < 2 and len(by_name) < 2:
            raise self.ambiguous()
        self._ignore(sum(entry.flag for entry in candidates if entry.from_caller))
        if self.flags == 0:
            raise self.ambiguous()
        return []

    @staticmethod
    def _everywhere_lacks(wanted: Mapping[int, _Wanted]) -> bool:
        everywhere = wanted.get(ALL)
        return everywhere is not None and bool(everywhere.from_caller)

    def _choose(self, chosen: int, wanted: Mapping[int, _Wanted]) -> list[Slot]:
        entry = wanted[chosen]
        if entry.from_caller:
            self.flags = chosen
        else:
            self._ignore(sum(other.flag for other in wanted.values() if not other.is_all and other.flag != chosen))
            if self.flags != chosen:
                self.prefer = chosen
        return _from_caller(wanted.values(), chosen)

    def _ignore(self, flags: int) -> None:
        available = sum(self.shape.bits.values()) if self.flags == ALL else self.flags
        self.flags = available & ~flags


def _only(by_value: list[int], by_name: list[int]) -> int:
    """The one set that takes input, by value or by name or by both; 0 when several might."""
    if len(by_value) > 1 or len(by_name) > 1:
        unique = by_value if len(by_value) == 1 and not by_name else by_name if not by_value else []
        return unique[0] if len(unique) == 1 else 0
    if by_value and by_name:
        return by_value[0] if by_value == by_name else 0
    return (by_value + by_name + [0])[0]


def _from_caller(entries: Iterable[_Wanted], flags: int) -> list[Slot]:
    return [slot for entry in entries if entry.is_all or entry.flag & flags for slot in entry.from_caller]
