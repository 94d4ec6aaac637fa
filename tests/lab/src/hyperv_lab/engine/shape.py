# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command as the binder needs it: parameter sets as bits, names and their beginnings, positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from . import binding_errors as errors
from .convert import SWITCH, Converter, converter
from .enums import ACTION_PREFERENCE
from .tables import CommandTable, Parameter, SetRole, command_table

ALL = 0xFFFFFFFF  # no parameter has narrowed the sets down yet
EVERY = {"*": SetRole()}


def _common(name: str, alias: str, type_name: str, *checks: str) -> Parameter:
    return Parameter(name, type_name, (alias,), EVERY, checks)


COMMON = (
    _common("Verbose", "vb", SWITCH),
    _common("Debug", "db", SWITCH),
    _common("ErrorAction", "ea", ACTION_PREFERENCE),
    _common("WarningAction", "wa", ACTION_PREFERENCE),
    _common("InformationAction", "infa", ACTION_PREFERENCE),
    _common("ErrorVariable", "ev", "System.String"),
    _common("WarningVariable", "wv", "System.String"),
    _common("InformationVariable", "iv", "System.String"),
    _common("OutVariable", "ov", "System.String"),
    _common("OutBuffer", "ob", "System.Int32", "ValidateRange(0, 2147483647)"),
    _common("PipelineVariable", "pv", "System.String"),
)
SHOULD_PROCESS = (_common("WhatIf", "wi", SWITCH), _common("Confirm", "cf", SWITCH))


@dataclass(frozen=True)
class Role:
    """A parameter in one set; ``flag`` is 0 when it is in all of them alike."""

    flag: int
    mandatory: bool
    position: int | None
    by_value: bool
    by_name: bool

    @property
    def pipeline(self) -> bool:
        return self.by_value or self.by_name


@dataclass(frozen=True, eq=False)
class Slot:
    """A parameter with what the binder asks of it all the time."""

    parameter: Parameter
    roles: tuple[Role, ...]
    kind: Converter
    common: bool = False

    @property
    def name(self) -> str:
        return self.parameter.name

    @cached_property
    def mask(self) -> int:
        return sum(role.flag for role in self.roles)

    @cached_property
    def in_all(self) -> bool:
        return any(role.flag == 0 for role in self.roles)

    @cached_property
    def mandatory(self) -> bool:
        return any(role.mandatory for role in self.roles)

    @cached_property
    def pipeline(self) -> bool:
        return any(role.pipeline for role in self.roles)

    @cached_property
    def dynamic(self) -> bool:
        return self.parameter.provider is not None

    def belongs(self, flags: int) -> bool:
        return self.in_all or bool(self.mask & flags)

    def matching(self, flags: int) -> list[Role]:
        return [role for role in self.roles if role.flag == 0 or role.flag & flags]


class Shape:
    """Everything about one command that does not depend on a call."""

    def __init__(self, table: CommandTable, provider: str) -> None:
        self.table = table
        self.class_name = table.class_name
        named = [name for name in (table.default_set, *table.sets) if name and name != "__AllParameterSets"]
        self.set_names = tuple(dict.fromkeys(named))
        self.bits = {name: 1 << number for number, name in enumerate(self.set_names)}
        self.default = self.bits.get(table.default_set or "", 0)
        own = [entry for entry in table.parameters.values() if entry.provider in (None, provider)]
        aliases = {alias.lower() for entry in own for alias in entry.aliases}
        by_name = {entry.name.lower(): entry for entry in own if entry.name.lower() not in aliases}
        self.slots = [self._slot(entry) for entry in by_name.values()]
        extra = COMMON + SHOULD_PROCESS if table.should_process else COMMON
        self.slots += [self._slot(entry, common=True) for entry in extra]

    def _slot(self, parameter: Parameter, *, common: bool = False) -> Slot:
        roles = tuple(
            Role(self.bits.get(name, 0), role.mandatory, role.position, role.by_value, role.by_name)
            for name, role in parameter.sets.items()
        )
        return Slot(parameter, roles, converter(parameter.type, parameter.values), common)

    @cached_property
    def exact(self) -> Mapping[str, Slot]:
        found: dict[str, Slot] = {}
        for slot in self.slots:
            for name in (slot.name, *slot.parameter.aliases):
                found.setdefault(name.lower(), slot)
        return found

    def set_name(self, flags: int) -> str:
        """The name of the one set that is left; of several, the default's or none."""
        if flags == ALL:
            return self.table.default_set or "__AllParameterSets"
        for name, bit in self.bits.items():
            if flags == bit:
                return name
        return "__AllParameterSets"

    def find(self, name: str) -> Slot:
        """A parameter by name, alias, or a beginning that means only one; static ones come before dynamic ones."""
        wanted = name.lower().removeprefix("-").removesuffix(":")
        slot = self.exact.get(wanted)
        if slot is not None:
            return slot
        begun = self._begun(wanted)
        candidates = [slot for slot in begun if not slot.dynamic] or begun
        if len(candidates) > 1:
            candidates = [slot for slot in candidates if not slot.common] or candidates
        if not candidates:
            raise errors.unknown_name(self.class_name, name)
        if len(candidates) > 1:
            raise errors.ambiguous_name(self.class_name, name, (slot.name for slot in begun))
        return candidates[0]

    def _begun(self, wanted: str) -> list[Slot]:
        matches = (slot for known, slot in self.exact.items() if known.startswith(wanted))
        return list(dict.fromkeys(matches)) if wanted else []

    def positions(self, slots: Iterable[Slot], flags: int) -> list[int]:
        """The positions that are still free, in their order; what takes all the rest has its turn after them."""
        own = [slot for slot in slots if not slot.parameter.remaining]
        found = {role.position for slot in own for role in slot.matching(flags) if role.position is not None}
        return sorted(found)

    @cached_property
    def takes_remaining(self) -> bool:
        return any(slot.parameter.remaining for slot in self.slots)


@lru_cache(maxsize=512)
def shape_of(name: str, version: int, provider: str = "FileSystem") -> Shape:
    return Shape(command_table(name, version), provider)
