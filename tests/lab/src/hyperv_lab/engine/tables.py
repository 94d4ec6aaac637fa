# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reflected and documented facts about commands and types, read once from the package's JSON tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Any

MODULE_CLASSES = {
    "Hyper-V": "Microsoft.HyperV.PowerShell.Commands.{name}",
    "Microsoft.PowerShell.Core": "Microsoft.PowerShell.Commands.{name}Command",
    "Microsoft.PowerShell.Management": "Microsoft.PowerShell.Commands.{name}Command",
    "Microsoft.PowerShell.Utility": "Microsoft.PowerShell.Commands.{name}Command",
    "Microsoft.PowerShell.Security": "Microsoft.PowerShell.Commands.{name}Command",
    "CimCmdlets": "Microsoft.Management.Infrastructure.CimCmdlets.{name}Command",
    "FailoverClusters": "Microsoft.FailoverClusters.PowerShell.{name}Command",
}
# Functions of script modules report their own name where cmdlets report their class.
FUNCTIONS = frozenset({"Get-FileHash"})
FUNCTION_MODULES = frozenset({"SmbShare", "Storage"})
CLASSES = {
    "Get-ChildItem": "Microsoft.PowerShell.Commands.GetChildItemCommand",
    "Checkpoint-VM": "Microsoft.HyperV.PowerShell.Commands.NewVMSnapshot",
}
# Where the documents' syntax blocks are not what the binder has: the FileSystem provider's dynamic parameters are in
# every set, and those of the certificate provider exist on its drive alone.
FILE_ONLY = ("Attributes", "Directory", "File", "FollowSymlink", "Hidden", "ReadOnly", "System")
CERTIFICATE_ONLY = (
    "CodeSigningCert",
    "DnsName",
    "DocumentEncryptionCert",
    "Eku",
    "ExpiringInDays",
    "SSLServerAuthentication",
)
# Parameters that say ValueFromRemainingArguments in PowerShell's source, which no document tells.
REMAINING = frozenset(
    {
        ("Write-Output", "InputObject"),
        ("ForEach-Object", "RemainingScripts"),
        ("ForEach-Object", "ArgumentList"),
        ("Get-Command", "ArgumentList"),
    }
)
CORRECTIONS: dict[tuple[str, str], dict[str, Any]] = {
    **{("Get-ChildItem", name): {"sets": {"*": {}}, "dyn": "FileSystem"} for name in FILE_ONLY},
    **{("Get-ChildItem", name): {"sets": {"*": {}}, "dyn": "Certificate"} for name in CERTIFICATE_ONLY},
    **{key: {"rem": True} for key in REMAINING},
}


@dataclass(frozen=True)
class SetRole:
    """What a parameter is in one parameter set."""

    mandatory: bool = False
    position: int | None = None
    by_value: bool = False
    by_name: bool = False


@dataclass(frozen=True)
class Parameter:
    name: str
    type: str
    aliases: tuple[str, ...]
    sets: Mapping[str, SetRole]  # "*" = every set
    checks: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    wildcards: bool = False
    provider: str | None = None  # dynamic: exists only with that provider
    remaining: bool = False  # takes all arguments that no other parameter has taken


@dataclass(frozen=True)
class CommandTable:
    name: str
    module: str
    sets: tuple[str, ...]
    default_set: str | None
    parameters: Mapping[str, Parameter]
    should_process: bool
    impact: str
    class_name: str
    aliases: tuple[str, ...]
    output: tuple[str, ...]

    @cached_property
    def has_dynamic(self) -> bool:
        return any(entry.provider for entry in self.parameters.values())


def _load(name: str) -> Any:
    return json.loads(files("hyperv_lab.engine.data").joinpath(name).read_text("utf-8"))


@lru_cache(maxsize=1)
def _commands() -> dict[str, Any]:
    data: dict[str, Any] = _load("cmdlets.json")
    data["cmdlets"] |= _load("guest_cmdlets.json")["cmdlets"]
    return data


@lru_cache(maxsize=1)
def _types() -> dict[str, Any]:
    data: dict[str, Any] = _load("types.json")
    return data


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Every spelling of a command in lower case, and the command it means."""
    known = {name.lower(): name for name in _commands()["cmdlets"]}
    for name, entry in _commands()["cmdlets"].items():
        for alias in entry.get("cmd_aliases", ()):
            known.setdefault(alias.lower(), name)
    return known


def command_names() -> tuple[str, ...]:
    return tuple(_commands()["cmdlets"])


def resolve(name: str) -> str | None:
    """The table's name of a command: its name, an alias, or ``Module\\Name``; None when there is none."""
    module, _, bare = name.rpartition("\\")
    known = _names().get(bare.lower())
    if known is None or (module and _commands()["cmdlets"][known]["module"].lower() != module.lower()):
        return None
    return known


def property_types(type_name: str) -> Mapping[str, str] | None:
    """Property names and declared types of a type, in their order."""
    found: Mapping[str, str] | None = _types()["types"].get(type_name)
    return found


def enum_members(type_name: str) -> Mapping[str, int] | None:
    found: Mapping[str, int] | None = _types()["enums"].get(type_name) or _commands()["enums"].get(type_name)
    return found


def _class_name(name: str, module: str) -> str:
    if name in CLASSES:
        return CLASSES[name]
    if name in FUNCTIONS or module in FUNCTION_MODULES:
        return name
    if name.endswith("-VHD"):
        return "Microsoft.Vhd.PowerShell.Cmdlets." + name.replace("-", "")
    return MODULE_CLASSES.get(module, module + ".{name}").format(name=name.replace("-", ""))


def _parameter(name: str, entry: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name=name,
        type=entry["t"],
        aliases=tuple(entry.get("a", ())),
        sets={
            set_name: SetRole(bool(role.get("m")), role.get("pos"), bool(role.get("v")), bool(role.get("n")))
            for set_name, role in entry["sets"].items()
        },
        checks=tuple(entry.get("chk", ())),
        values=tuple(entry.get("vals", ())),
        wildcards=bool(entry.get("w")),
        provider=entry.get("dyn"),
        remaining=bool(entry.get("rem")),
    )


def _lacking(entry: Mapping[str, Any], version: int) -> frozenset[str]:
    """Parameters that an older server's module does not have."""
    difference = entry.get("vers", {}).get(str(version), {})
    return frozenset(difference.get("lacks", ())) if isinstance(difference, Mapping) else frozenset()


@cache
def command_table(name: str, version: int = 2025) -> CommandTable:
    """The table of a command by its exact name, as a server of that version has it."""
    entry = _commands()["cmdlets"][name]
    lacking = _lacking(entry, version)
    return CommandTable(
        name=name,
        module=entry["module"],
        sets=tuple(entry["sets"]),
        default_set=entry["default"],
        parameters={
            key: _parameter(key, {**value, **CORRECTIONS.get((name, key), {})})
            for key, value in entry["params"].items()
            if key not in lacking
        },
        should_process=bool(entry["sp"]),
        impact=entry.get("impact") or "Medium",
        class_name=_class_name(name, entry["module"]),
        aliases=tuple(entry.get("cmd_aliases", ())),
        output=tuple(entry["out"]),
    )
