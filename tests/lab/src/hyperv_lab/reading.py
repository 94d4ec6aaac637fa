# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading mappings with typed values and errors that name the key: ``hosts.hv01.vms[0].memory: …``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
D = TypeVar("D")
Convert = Callable[[str, Any], T]

UNITS = {"": 1, "B": 1}
UNITS.update({f"{letter}iB": 1024 ** (i + 1) for i, letter in enumerate("KMGT")})
UNITS.update({f"{letter}B": 1000 ** (i + 1) for i, letter in enumerate("KMGT")})
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)(?:/s)?")


class ConfigError(ValueError):
    """What is wrong in a configuration, and where."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.where = where


class Section:
    """One mapping of the configuration. Every key has to be taken: what is left at the end is an error."""

    def __init__(self, where: str, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise ConfigError(where, f"expected keys with values, not {value!r}")
        self.where = where
        self._left = {str(key): item for key, item in value.items()}
        self._known: list[str] = []

    def at(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    @property
    def left(self) -> list[str]:
        """The keys that have not been taken."""
        return list(self._left)

    def take(self, key: str, convert: Convert[T], default: D) -> T | D:
        self._known.append(key)
        if key not in self._left:
            return default
        return convert(self.at(key), self._left.pop(key))

    def need(self, key: str, convert: Convert[T]) -> T:
        if key not in self._left:
            raise ConfigError(self.at(key), "is missing")
        self._known.append(key)
        return convert(self.at(key), self._left.pop(key))

    def end(self) -> None:
        for key in self._left:
            near = difflib.get_close_matches(key, self._known, 1)
            raise ConfigError(self.at(key), "unknown key" + (f"; did you mean {near[0]}?" if near else ""))


def text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(where, f"expected text, not {value!r}")
    return value


def any_text(where: str, value: Any) -> str:
    """Text that may be empty; bare numbers in YAML are taken as text, too."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ConfigError(where, f"expected text, not {value!r}")
    return str(value)


def flag(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(where, f"expected true or false, not {value!r}")
    return value


def whole(least: int, most: int) -> Convert[int]:
    def convert(where: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ConfigError(where, f"expected a whole number from {least} to {most}, not {value!r}")
        return value

    return convert


def size(where: str, value: Any) -> int:
    """Bytes, as a number or like ``200GiB``, ``1.5TiB``, ``500MB``; rates may end in ``/s``."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in UNITS:
        raise ConfigError(where, f"expected a size like 200MiB, not {value!r}")
    return int(float(match[1]) * UNITS[match[2]])


def rate(where: str, value: Any) -> int:
    number = size(where, value)
    if number == 0:
        raise ConfigError(where, "a rate has to be above zero")
    return number


def one_of(*choices: T) -> Convert[T]:
    """One of these; text is compared without regard to case."""
    named = {str(choice).lower(): choice for choice in choices}

    def convert(where: str, value: Any) -> T:
        if isinstance(value, bool) or str(value).lower() not in named:
            raise ConfigError(where, f"{value!r} is none of {', '.join(map(str, choices))}")
        return named[str(value).lower()]

    return convert


def optional(convert: Convert[T]) -> Convert[T | None]:
    return lambda where, value: None if value is None else convert(where, value)


def list_of(convert: Convert[T]) -> Convert[tuple[T, ...]]:
    def many(where: str, value: Any) -> tuple[T, ...]:
        if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
            raise ConfigError(where, f"expected a list, not {value!r}")
        return tuple(convert(f"{where}[{i}]", item) for i, item in enumerate(value))

    return many


def file_below(folder: Path) -> Convert[Path]:
    """A file that exists; relative names start at ``folder``."""

    def convert(where: str, value: Any) -> Path:
        path = (folder / text(where, value)).resolve()
        if not path.is_file():
            raise ConfigError(where, f"there is no file {path}")
        return path

    return convert
