# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Constrained endpoints (JEA): a session configuration file with its role capabilities, as a host would register it.

Keys that the lab does not act on are refused, so that no file is served as more or less than it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .engine.offers import ALL_OF_IT, Offer, constrained
from .engine.psdata import DataFileError, read
from .engine.session import Caller, SessionConfiguration
from .engine.tables import command_names, command_table, resolve
from .engine.wildcards import has_wildcards, matches
from .reading import ConfigError, Convert, Section, any_text, file_below, flag, list_of, one_of, text

RESTRICTED = "RestrictedRemoteServer"
VIRTUAL = "virtual account"
"""The mechanism of a caller that is a virtual account: on the network it is the host's computer account."""
# The modules that a restricted session has without importing them.
CORE = frozenset({"microsoft.powershell.core", "microsoft.powershell.management", "microsoft.powershell.utility"})
ABOUT = ("SchemaVersion", "GUID", "Author", "CompanyName", "Copyright", "Description")


@dataclass(frozen=True)
class Role:
    """What one role capability file makes visible; commands by their names in lower case."""

    offers: Mapping[str, Offer]
    file_system: bool


@dataclass(frozen=True)
class Endpoint:
    """``roles``: by group or user, in lower case. ``virtual_groups``: None where sessions run as who opened them."""

    name: str
    roles: Mapping[str, tuple[Role, ...]]
    virtual_groups: frozenset[str] | None

    def serves(self, names: Iterable[str]) -> list[Role]:
        """The roles of somebody with these names (their own, and their groups'); none: access denied."""
        return [role for name in dict.fromkeys(map(str.lower, names)) for role in self.roles.get(name, ())]

    def configuration(self, roles: Iterable[Role], *, proxies_win: bool = True) -> SessionConfiguration:
        offers: dict[str, Offer] = {}
        providers = False
        for role in roles:
            providers = providers or role.file_system
            for name, offer in role.offers.items():
                offers[name] = offers[name].and_by(offer) if name in offers else offer
        return SessionConfiguration(
            self.name, no_language=True, offers=offers, providers=providers, proxies_win=proxies_win
        )

    def acting(self, caller: Caller, number: int, computer: str) -> Caller:
        """Who the session's commands act as, on this computer."""
        if self.virtual_groups is None:
            return caller
        name = caller.user.replace("\\", "_")
        user = f"WinRM Virtual Users\\WinRM VA_{number}_{name}"
        return Caller(user, self.virtual_groups, VIRTUAL, network=f"{computer}$")


def endpoints(base: tuple[Endpoint, ...], folder: Path) -> Convert[tuple[Endpoint, ...]]:
    """For lab.yml: names with the .pssc file of each, on top of those that every host has."""
    file = file_below(folder)

    def convert(where: str, value: Any) -> tuple[Endpoint, ...]:
        section = Section(where, value)
        own = [read_endpoint(name, section.at(name), section.need(name, file)) for name in section.left]
        known = {endpoint.name.lower() for endpoint in own}
        if len(known) < len(own):
            raise ConfigError(where, "two endpoints have the same name")
        return (*own, *(endpoint for endpoint in base if endpoint.name.lower() not in known))

    return convert


def read_endpoint(name: str, where: str, path: Path) -> Endpoint:
    """A .pssc file; role capabilities lie in the folder RoleCapabilities beside it, as in its module."""
    section = _section(where, path, ABOUT)
    section.need("SessionType", one_of(RESTRICTED))
    section.take("LanguageMode", one_of("NoLanguage"), None)
    section.take("TranscriptDirectory", text, None)
    section.take("ExecutionPolicy", text, None)
    virtual = section.take("RunAsVirtualAccount", flag, False)
    groups = section.take("RunAsVirtualAccountGroups", _texts, None)
    definitions = section.need("RoleDefinitions", lambda at, value: Section(at, value))
    section.end()
    roles = {
        member.lower(): _roles(definitions.at(member), definitions.need(member, _as_is), path)
        for member in definitions.left
    }
    definitions.end()
    acting = None
    if virtual:
        acting = frozenset(groups or ("Administrators",))
    return Endpoint(name, roles, acting)


def _section(where: str, path: Path, free: Iterable[str]) -> Section:
    try:
        section = Section(f"{where} ({path.name})", read(path))
    except (OSError, DataFileError) as error:
        raise ConfigError(where, f"{path}: {error}") from error
    for key in free:
        section.take(key, _as_is, None)
    return section


def _as_is(where: str, value: Any) -> Any:
    return value


def _items(where: str, value: Any) -> tuple[Any, ...]:
    """PowerShell takes one item for a list of one."""
    return tuple(value) if isinstance(value, list) else (value,)


def _texts(where: str, value: Any) -> tuple[str, ...]:
    return list_of(any_text)(where, _items(where, value))


def _roles(where: str, value: Any, configuration: Path) -> tuple[Role, ...]:
    section = Section(where, value)
    names = section.need("RoleCapabilities", _texts)
    section.end()
    folder = configuration.parent / "RoleCapabilities"
    return tuple(read_role(f"{where}.RoleCapabilities", folder / f"{name}.psrc") for name in names)


def read_role(where: str, path: Path) -> Role:
    """A .psrc file."""
    section = _section(where, path, ABOUT)
    modules = section.take("ModulesToImport", _texts, ())
    commands = (*section.take("VisibleCmdlets", _items, ()), *section.take("VisibleFunctions", _items, ()))
    providers = section.take("VisibleProviders", _texts, ())
    section.end()
    offers: dict[str, Offer] = {}
    imported = CORE | {module.lower() for module in modules}
    for command in commands:
        for name, offer in _visible(section.at("VisibleCmdlets"), command, imported):
            known = offers.get(name.lower())
            offers[name.lower()] = offer if known is None else known.and_by(offer)
    return Role(offers, any(matches(provider, "FileSystem") for provider in providers))


def _visible(where: str, command: Any, imported: frozenset[str]) -> list[tuple[str, Offer]]:
    """The commands that one entry means. A bare name means those of imported modules only."""
    if not isinstance(command, Mapping):
        return [(name, ALL_OF_IT) for name in _named(where, command, imported)]
    section = Section(where, command)
    name = section.need("Name", text)
    parameters = section.need("Parameters", _items)
    section.end()
    offer = constrained(dict(_parameter(f"{where}.{name}", parameter) for parameter in parameters))
    return [(found, offer) for found in _named(where, name, imported)]


def _parameter(where: str, value: Any) -> tuple[str, tuple[str, ...]]:
    section = Section(where, value)
    name, values = section.need("Name", text), section.take("ValidateSet", _texts, ())
    section.end()  # ValidatePattern is not simulated
    return name, values


def _named(where: str, entry: Any, imported: frozenset[str]) -> list[str]:
    spelling = text(where, entry)
    module, _, bare = spelling.rpartition("\\")
    if has_wildcards(bare):
        found = [name for name in command_names() if matches(bare, name)]
        found = [name for name in found if not module or command_table(name).module.lower() == module.lower()]
    else:
        known = resolve(spelling)
        if known is None:
            raise ConfigError(where, f"{spelling} is no command that the lab knows")
        found = [known]
    return [name for name in found if module or command_table(name).module.lower() in imported]
