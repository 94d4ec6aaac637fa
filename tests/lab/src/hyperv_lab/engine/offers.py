# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an endpoint offers of a command: all of it, or a function that stands in for it with a few parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from .shape import Shape, shape_of
from .tables import Parameter, SetRole, command_table

# Aliases that a session of the type RestrictedRemoteServer has; those of other commands are not visible there.
DEFAULT_ALIASES = frozenset({"gcm", "measure", "select"})
# PowerShell's CommandMetadata.cs: what the stand-in for Select-Object takes for -Property.
SELECTABLE = (
    "ModuleName",
    "Namespace",
    "OutputType",
    "Count",
    "HelpUri",
    "Name",
    "CommandType",
    "ResolvedCommandName",
    "DefaultParameterSet",
    "CmdletBinding",
    "Parameters",
)


@dataclass(frozen=True, eq=False)
class Limit:
    """What a stand-in says of one parameter. No values: any."""

    values: tuple[str, ...] = ()
    type: str | None = None
    sets: Mapping[str, SetRole] | None = None

    def applied(self, parameter: Parameter) -> Parameter:
        return replace(
            parameter,
            values=self.values or parameter.values,
            type=self.type or parameter.type,
            sets=parameter.sets if self.sets is None else self.sets,
        )


@dataclass(frozen=True, eq=False)
class Offer:
    """``limits`` by the parameters' names in lower case; None: the command itself."""

    limits: Mapping[str, Limit] | None = None

    def shape(self, command: str, version: int, provider: str) -> Shape:
        return shape_of(command, version, provider) if self.limits is None else _stand_in(self, command, version)

    def and_by(self, other: Offer) -> Offer:
        """What two roles together may use: whatever one of them may."""
        if self.limits is None or other.limits is None:
            return ALL_OF_IT
        both = dict(self.limits)
        for name, limit in other.limits.items():
            known = both.get(name)
            free = known is not None and not (known.values and limit.values)
            values = () if known is None or free else (*known.values, *limit.values)
            both[name] = limit if known is None else Limit(values)
        return Offer(both)


ALL_OF_IT = Offer()


def constrained(parameters: Mapping[str, tuple[str, ...]]) -> Offer:
    """Only these parameters, each with the values of its ValidateSet or any."""
    return Offer({name.lower(): Limit(values) for name, values in parameters.items()})


@lru_cache(maxsize=256)
def _stand_in(offer: Offer, command: str, version: int) -> Shape:
    """A function reports errors under its own name; provider's dynamic parameters are not passed on."""
    assert offer.limits is not None
    table = command_table(command, version)
    kept = {
        name: offer.limits[name.lower()].applied(parameter)
        for name, parameter in table.parameters.items()
        if name.lower() in offer.limits and parameter.provider is None
    }
    return Shape(replace(table, parameters=kept, class_name=command), "")


@cache
def default_offers() -> Mapping[str, Offer]:
    """The commands of every RestrictedRemoteServer session that the lab's tables know, all of them stand-ins."""
    piped = Limit(sets={"*": SetRole(mandatory=True, by_value=True)})
    names = ("Name", "Module", "ArgumentList", "CommandType", "ListImported", "ShowCommandInfo")
    return {
        "select-object": Offer(
            {"property": Limit(SELECTABLE, "System.String[]", {"*": SetRole()}), "inputobject": piped}
        ),
        "measure-object": Offer({"inputobject": piped}),
        "get-command": constrained({name: () for name in names}),
        "out-default": Offer({"inputobject": piped}),
    }
