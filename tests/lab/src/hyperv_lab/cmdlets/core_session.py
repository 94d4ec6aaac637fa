# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables, dates, paths as text, JSON, and commands that only pass objects on."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from ..engine.enums import DISPLAY_HINT, to_enum
from ..engine.errors import NotSimulated, PSError
from ..engine.registry import Bound, Cmdlet, Context, cmdlet
from ..engine.tables import command_names, command_table, resolve
from ..engine.values import EnumValue, Noted, PSArray, PSObj, base, text
from ..engine.wildcards import has_wildcards, matches, unescape

AUTOMATION = "System.Management.Automation."
COMMAND_TYPES = AUTOMATION + "CommandTypes"
LOCAL = datetime.timezone(datetime.timedelta(0), "local")  # the hosts' own time is UTC, but of local kind


@cmdlet("Write-Output")
async def write_output(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    value = args.get("InputObject")
    if value is None:
        yield None
        return
    if args.switch("NoEnumerate"):
        yield value[0] if isinstance(value, list) and len(value) == 1 else value
        return
    for item in value:
        yield item


@cmdlet("Out-Null")
async def out_null(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    return
    yield


@cmdlet("Start-Sleep")
async def start_sleep(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    await ctx.clock.sleep(args["Seconds"] if "Seconds" in args else args["Milliseconds"] / 1000)
    return
    yield


@cmdlet("Get-Date")
async def get_date(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    if unknown := set(args) - {"Date", "Format", "DisplayHint"}:
        raise NotSimulated(f"Get-Date -{min(unknown)}")
    when = args["Date"] if "Date" in args else ctx.clock.wall().astimezone(LOCAL)
    if "Format" in args:
        yield _formatted(when, args["Format"])
        return
    hint = args.get("DisplayHint") or to_enum(DISPLAY_HINT, (), "DateTime")
    yield Noted(when, {"DisplayHint": hint})


def _formatted(when: datetime.datetime, form: str) -> str:
    body = when.replace(tzinfo=None).isoformat(timespec="microseconds")
    if form in ("o", "O"):
        zone = "" if when.tzinfo is None else when.isoformat()[-6:]
        return f"{body}0{zone}"
    if form == "s":
        return body[:19]
    if form == "u":
        return body[:19].replace("T", " ") + "Z"
    raise NotSimulated(f"Get-Date -Format {form}")


# ---- variables


def _missing(ctx: Context, name: str) -> PSError:
    return PSError(
        f"Cannot find a variable with the name '{name}'.",
        f"VariableNotFound,{ctx.table.class_name}",
        "ObjectNotFound",
        AUTOMATION + "ItemNotFoundException",
        name,
    )


def _selected(ctx: Context, args: Bound) -> Iterator[str]:
    """The variables that -Name means; what is not there is reported."""
    for pattern in args.get("Name") or ["*"]:
        if has_wildcards(pattern):
            yield from [name for name in ctx.session.variables if matches(pattern, name)]
        elif pattern.lower() in ctx.session.variables:
            yield pattern
        else:
            ctx.write_error(_missing(ctx, pattern))


def _variable(name: str, value: Any) -> PSObj:
    options = EnumValue(AUTOMATION + "ScopedItemOptions", "None", 0)
    return PSObj(
        [AUTOMATION + "PSVariable", "System.Object"],
        {"Name": name, "Description": "", "Value": value, "Options": options, "Attributes": PSArray()},
    )


@cmdlet("Get-Variable")
async def get_variable(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    for name in _selected(ctx, args):
        value = ctx.session.variable(name)
        yield value if args.switch("ValueOnly") else _variable(name, value)


@cmdlet("Set-Variable")
class SetVariable(Cmdlet):
    """The value comes as argument or through the pipeline, several objects then as an array."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._piped: list[Any] = []

    def process(self, args: Bound) -> Iterator[Any]:
        if args.input is not None:
            self._piped.append(args["Value"])
        return iter(())

    def end(self, args: Bound) -> Iterator[Any]:
        value = args.get("Value")
        if self._piped:
            value = self._piped[0] if len(self._piped) == 1 else PSArray(self._piped)
        for name in args["Name"]:
            if not self.ctx.should_process(f"Name: {name} Value: {text(value)}", "Set variable"):
                continue
            self.ctx.session.set_variable(unescape(name), value)
            if args.switch("PassThru"):
                yield _variable(name, value)


@cmdlet("Remove-Variable")
async def remove_variable(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    for name in list(_selected(ctx, args)):
        if ctx.should_process(f"Name: {name}", "Remove variable"):
            ctx.session.variables.pop(name.lower(), None)
    return
    yield


# ---- paths as text


@cmdlet("Join-Path")
async def join_path(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    if args.switch("Resolve"):
        raise NotSimulated("Join-Path -Resolve")
    for path in args["Path"]:
        child = (args["ChildPath"] or "").replace("/", "\\")
        yield path.replace("/", "\\").rstrip("\\") + "\\" + child.lstrip("\\")


@cmdlet("Split-Path")
async def split_path(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    if args.switch("Resolve"):
        raise NotSimulated("Split-Path -Resolve")
    for path in args.get("Path") or args.get("LiteralPath") or ():
        yield _split(path.replace("/", "\\"), args)


def _split(path: str, args: Bound) -> Any:
    drive, colon, rest = path.partition(":")
    qualifier = drive + colon if colon else ""
    rest = rest if colon else path
    if args.switch("Qualifier"):
        return qualifier
    if args.switch("NoQualifier"):
        return rest
    if args.switch("IsAbsolute"):
        return bool(qualifier) or path.startswith("\\\\")
    trimmed = path.rstrip("\\")
    parent, _, leaf = trimmed.rpartition("\\")
    if args.switch("Leaf"):
        return leaf if "\\" in trimmed else (path if qualifier else trimmed)
    if not parent or "\\" not in trimmed:
        return ""
    return parent + "\\" if parent.endswith(":") else parent


# ---- JSON


@cmdlet("ConvertTo-Json")
class ConvertToJson(Cmdlet):
    """As 5.1: enums as numbers, dates as /Date(ms)/, below -Depth only text."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._items: list[Any] = []

    def process(self, args: Bound) -> Iterator[Any]:
        self._items.append(args.get("InputObject"))
        return iter(())

    def end(self, args: Bound) -> Iterator[Any]:
        value = self._items[0] if len(self._items) == 1 else self._items
        plain = _jsonable(value, args.get("Depth", 2))
        yield json.dumps(plain, separators=(",", ":")) if args.switch("Compress") else json.dumps(plain, indent=4)


def _jsonable(value: Any, depth: int) -> Any:
    if isinstance(value, Noted):
        value = value.value
    if value is None or isinstance(value, (bool, str)):
        return value if not isinstance(value, str) else str(value)
    if isinstance(value, EnumValue):
        return value.value
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return float(value) if isinstance(value, decimal.Decimal) else str(value)
    if isinstance(value, datetime.datetime):
        return f"/Date({int(value.timestamp() * 1000)})/"
    if depth < 0:
        return text(value)
    return _json_container(value, depth)


def _json_container(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {text(key): _jsonable(item, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, bytes)):
        return [_jsonable(item, depth - 1) for item in value]
    if isinstance(value, PSObj):
        names = [*value.properties, *value.aliases, *value.notes]
        return {name: _jsonable(value.get(name), depth - 1) for name in names}
    if isinstance(value, datetime.timedelta):
        return {"Ticks": int(value.total_seconds() * 10**7), "TotalSeconds": value.total_seconds()}
    raise NotSimulated(f"ConvertTo-Json of {type(value).__name__}")


# ---- Get-Command


@cmdlet("Get-Command")
async def get_command(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    if unknown := set(args) - {"Name", "Module", "CommandType"}:
        raise NotSimulated(f"Get-Command -{min(unknown)}")
    modules = [str(pattern) for pattern in args.get("Module") or ["*"]]
    for pattern in args.get("Name") or ["*"]:
        found = _commands(ctx, pattern, modules)
        for name in found:
            yield _command_info(name)
        if not found and not has_wildcards(pattern):
            ctx.write_error(_no_command(ctx, pattern))


def _commands(ctx: Context, pattern: str, modules: list[str]) -> list[str]:
    if has_wildcards(pattern):
        names = [name for name in command_names() if matches(pattern, name)]
    else:
        known = resolve(unescape(pattern))
        names = [known] if known else []
    return [
        name
        for name in names
        if ctx.session.configuration.shows(name) and any(matches(one, command_table(name).module) for one in modules)
    ]


def _no_command(ctx: Context, name: str) -> PSError:
    return PSError(
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. "
        "Check the spelling of the name, or if a path was included, verify that the path is correct and try again.",
        f"CommandNotFoundException,{ctx.table.class_name}",
        "ObjectNotFound",
        AUTOMATION + "CommandNotFoundException",
        name,
    )


def _command_info(name: str) -> PSObj:
    table = command_table(name)
    return PSObj(
        [AUTOMATION + "CmdletInfo", AUTOMATION + "CommandInfo", "System.Object"],
        {
            "Name": name,
            "CommandType": EnumValue(COMMAND_TYPES, "Cmdlet", 8),
            "Source": table.module,
            "ModuleName": table.module,
            "Noun": name.partition("-")[2],
            "Verb": name.partition("-")[0],
        },
        to_string=base(name),
    )
