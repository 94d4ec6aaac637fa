# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FileInfo and DirectoryInfo as the provider hands them out, with the notes that it adds."""

from __future__ import annotations

import datetime
from typing import Any

from ..engine.enums import FILE_ATTRIBUTES, flags
from ..engine.registry import Context
from ..engine.values import I64, EnumValue, PSArray, PSObj
from ..model.files import FileStat
from .file_paths import home, leaf, parent, volumes_of

LOCAL = datetime.timezone(datetime.timedelta(0), "local")
PREFIX = "Microsoft.PowerShell.Core\\FileSystem::"
BASE = ("System.IO.FileSystemInfo", "System.MarshalByRefObject", "System.Object")
STRINGS = "System.Collections.Generic.List`1[[System.String]]"
PROVIDER = "System.Management.Automation.ProviderInfo"
DRIVE = "System.Management.Automation.PSDriveInfo"


def provider_info(ctx: Context) -> PSObj:
    return PSObj(
        [PROVIDER, "System.Object"],
        {
            "ImplementingType": "Microsoft.PowerShell.Commands.FileSystemProvider",
            "HelpFile": "System.Management.Automation.dll-Help.xml",
            "Name": "FileSystem",
            "PSSnapIn": "Microsoft.PowerShell.Core",
            "ModuleName": "Microsoft.PowerShell.Core",
            "Module": None,
            "Description": "",
            "Capabilities": "Filter, ShouldProcess, Credentials",
            "Home": home(ctx).rpartition("\\")[0],
            "Drives": PSArray(volumes_of(ctx).letters, "System.Collections.ObjectModel.Collection`1[[" + DRIVE + "]]"),
        },
        to_string="Microsoft.PowerShell.Core\\FileSystem",
    )


def drive_info(ctx: Context, letter: str) -> PSObj:
    return PSObj(
        [DRIVE, "System.Object"],
        {
            "CurrentLocation": home(ctx)[3:] if letter == "C" else "",
            "Name": letter,
            "Provider": "Microsoft.PowerShell.Core\\FileSystem",
            "Root": f"{letter}:\\",
            "Description": "",
            "MaximumSize": None,
            "Credential": "System.Management.Automation.PSCredential",
            "DisplayRoot": None,
        },
        {
            "Used": I64(volumes_of(ctx).capacity(letter) - volumes_of(ctx).left(letter)),
            "Free": I64(volumes_of(ctx).left(letter)),
        },
        to_string=letter,
    )


def path_notes(ctx: Context, path: str) -> dict[str, Any]:
    """What the provider adds to everything that it puts out."""
    above = parent(path)
    notes: dict[str, Any] = {"PSPath": PREFIX + path}
    if above:
        notes["PSParentPath"] = PREFIX + above
    notes["PSChildName"] = leaf(path)
    notes["PSDrive"] = drive_info(ctx, path[0].upper())
    notes["PSProvider"] = provider_info(ctx)
    return notes


def attributes_of(ctx: Context, path: str, stat: FileStat) -> EnumValue:
    names = set(volumes_of(ctx).attributes(path))
    names.add("Directory" if stat.is_dir else "Archive")
    if stat.is_link:
        names.add("ReparsePoint")
    return flags(FILE_ATTRIBUTES, sorted(names))


def _mode(attributes: EnumValue, stat: FileStat) -> str:
    names = attributes.name.split(", ")
    letters = (
        ("d" if stat.is_dir else "-"),
        ("a" if "Archive" in names else "-"),
        ("r" if "ReadOnly" in names else "-"),
        ("h" if "Hidden" in names else "-"),
        ("s" if "System" in names else "-"),
    )
    return "".join(letters) + ("l" if stat.is_link else "-")


def file_object(ctx: Context, path: str, *, short: bool = False) -> PSObj:
    """The item at a path. ``short``: its text is the bare name, as objects from a listing have it."""
    stat = volumes_of(ctx).stat(path)
    attributes = attributes_of(ctx, path, stat)
    times = _times(stat)
    name = leaf(path) if len(path) > 3 else path
    stem, dot, extension = name.rpartition(".")
    own = _folder(path, name) if stat.is_dir else _file(path, name, stat, attributes)
    own |= {"FullName": path, "Extension": dot + extension if dot else "", **times, "Attributes": attributes}
    notes = path_notes(ctx, path)
    notes["PSIsContainer"] = stat.is_dir
    notes["Mode"] = _mode(attributes, stat)
    notes["BaseName"] = name if stat.is_dir or not dot else stem
    notes["Target"] = PSArray([stat.target] if stat.target else [], STRINGS)
    notes["LinkType"] = "Junction" if stat.is_link else None
    return PSObj(
        ["System.IO.DirectoryInfo" if stat.is_dir else "System.IO.FileInfo", *BASE],
        own,
        notes,
        live=path,
        to_string=name if short else path,
    )


def _folder(path: str, name: str) -> dict[str, Any]:
    return {"Name": name, "Parent": leaf(parent(path)) or None, "Exists": True, "Root": path[:3]}


def _file(path: str, name: str, stat: FileStat, attributes: EnumValue) -> dict[str, Any]:
    return {
        "Name": name,
        "Length": I64(stat.size),
        "DirectoryName": parent(path),
        "Directory": parent(path),
        "IsReadOnly": "ReadOnly" in attributes.name,
        "Exists": True,
    }


def _times(stat: FileStat) -> dict[str, datetime.datetime]:
    return {
        "CreationTime": stat.created.astimezone(LOCAL),
        "CreationTimeUtc": stat.created,
        "LastAccessTime": stat.modified.astimezone(LOCAL),
        "LastAccessTimeUtc": stat.modified,
        "LastWriteTime": stat.modified.astimezone(LOCAL),
        "LastWriteTimeUtc": stat.modified,
    }
