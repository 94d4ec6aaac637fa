# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validation attributes, and what mandatory parameters refuse: null, empty strings, empty lists."""

from __future__ import annotations

import re
from typing import Any

from . import binding_errors as errors
from .convert import SWITCH, Converter
from .tables import Parameter
from .values import base, text

RANGE = re.compile(r"ValidateRange\((-?\d+), (-?\d+)\)")
EMPTY = "The argument is null or empty. Provide an argument that is not null or empty, and then try the command again."
NULL = "The argument is null. Provide a valid value for the argument, and then try running the command again."
EMPTY_ITEM = (
    "The argument is null, empty, or an element of the argument collection contains a null value. Supply a collection "
    "that does not contain any null values and then try the command again."
)
# Parameters that say [AllowNull], [AllowEmptyString] or [AllowEmptyCollection] in PowerShell's source.
LENIENT = frozenset(
    {
        ("Set-Content", "Value"),
        ("Write-Output", "InputObject"),
        ("ConvertTo-Json", "InputObject"),
        ("Join-Path", "ChildPath"),
        ("Tee-Object", "InputObject"),
    }
)


def validate(class_name: str, command: str, parameter: Parameter, kind: Converter, value: Any) -> None:
    """Raise what the parameter's attributes find wrong with a converted value."""
    for check in parameter.checks:
        _run(check, class_name, parameter.name, value)
    if parameter.values and kind.type_name != SWITCH:
        _one_of(class_name, parameter, kind, value)
    mandatory = any(role.mandatory for role in parameter.sets.values())
    if mandatory and (command, parameter.name) not in LENIENT:
        _not_empty(class_name, parameter.name, kind, value)


def _run(check: str, class_name: str, name: str, value: Any) -> None:
    match = RANGE.fullmatch(check)
    if match:
        _in_range(class_name, name, int(match.group(1)), int(match.group(2)), value)
        return
    if value is None:
        raise errors.failed_check(class_name, name, EMPTY if check == "ValidateNotNullOrEmpty" else NULL)
    if check == "ValidateNotNullOrEmpty":
        _neither_null_nor_empty(class_name, name, value)
    elif isinstance(value, list) and any(base(item) is None for item in value):
        raise errors.failed_check(class_name, name, EMPTY_ITEM)


def _neither_null_nor_empty(class_name: str, name: str, value: Any) -> None:
    if isinstance(value, list):
        if not value:
            raise errors.failed_check(class_name, name, EMPTY.replace("null or empty.", "null, empty.", 1))
        if any(base(item) is None or base(item) == "" for item in value):
            raise errors.failed_check(class_name, name, EMPTY_ITEM)
    elif value == "" or (isinstance(value, dict) and not value):
        raise errors.failed_check(class_name, name, EMPTY)


def _in_range(class_name: str, name: str, low: int, high: int, value: Any) -> None:
    for item in value if isinstance(value, list) else [value]:
        if item is None or not low <= item <= high:
            side = "less than the minimum" if item is not None and item < low else "greater than the maximum"
            bound = low if side.startswith("less") else high
            raise errors.failed_check(
                class_name,
                name,
                f"The {text(item)} argument is {side} allowed range of {bound}. Supply an argument that is within the "
                "allowed range and then try the command again.",
            )


def _one_of(class_name: str, parameter: Parameter, kind: Converter, value: Any) -> None:
    """ValidateSet: for strings and numbers; an enum's values have been checked by its conversion."""
    single = kind.element or kind
    if not single.type_name.startswith("System.") or single.type_name.startswith("System.Management."):
        return
    if "Nullable" in single.type_name and not parameter.values[0].lstrip("-").isdigit():
        return
    allowed = {entry.lower() for entry in parameter.values}
    for item in value if isinstance(value, list) else [value]:
        if item is not None and text(item).lower() not in allowed:
            listed = ",".join(parameter.values)
            raise errors.failed_check(
                class_name,
                parameter.name,
                f'The argument "{text(item)}" does not belong to the set "{listed}" specified by the ValidateSet '
                "attribute. Supply an argument that is in the set and then try the command again.",
            )


def _not_empty(class_name: str, name: str, kind: Converter, value: Any) -> None:
    if value is None:
        if kind.type_name != "System.Nullable[System.Boolean]":
            raise errors.null_argument(class_name, name)
        return
    if kind.type_name == "System.String" and value == "":
        raise errors.empty_string(class_name, name)
    if kind.element is None:
        return
    for item in value:
        if base(item) is None:
            raise errors.null_argument(class_name, name)
        if kind.element.type_name == "System.String" and item == "":
            raise errors.empty_string(class_name, name)
    if not value:
        raise errors.empty_array(class_name, name, array=kind.type_name.endswith("[]"))
