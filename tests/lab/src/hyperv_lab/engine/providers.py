# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which PowerShell provider a path belongs to: some parameters exist only with one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .tables import command_table
from .values import base

FILE_SYSTEM = "FileSystem"
DRIVES = {
    "cert": "Certificate",
    "wsman": "WSMan",
    "hklm": "Registry",
    "hkcu": "Registry",
    "env": "Environment",
    "variable": "Variable",
    "function": "Function",
    "alias": "Alias",
}
QUALIFIED = re.compile(r"(?:[^:\\]+\\)?(?P<provider>[A-Za-z]+)::(?P<rest>.*)", re.DOTALL)
DRIVE = re.compile(r"(?P<drive>[^:\\/]+):")
PATHS = ("literalpath", "path", "pspath")


def split_provider(path: str) -> tuple[str, str]:
    """Provider and the path within it."""
    match = QUALIFIED.match(path)
    if match:
        return match["provider"], match["rest"]
    match = DRIVE.match(path)
    if match:
        return DRIVES.get(match["drive"].lower(), FILE_SYSTEM), path
    return FILE_SYSTEM, path


def provider_of(command: str, arguments: Iterable[tuple[str | None, Any]]) -> str:
    """The provider of the path that a command line names; without one, that of the current folder."""
    if not command_table(command).has_dynamic:
        return FILE_SYSTEM
    for name, value in arguments:
        if name is None or name.lower().lstrip("-") in PATHS:
            first = base(value[0] if isinstance(value, list) and value else value)
            return split_provider(first)[0] if isinstance(first, str) else FILE_SYSTEM
    return FILE_SYSTEM
