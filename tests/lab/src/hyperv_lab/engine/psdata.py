# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerShell data files (.pssc, .psrc): literals, arrays and hashtables. Anything that would have to run is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+|\#[^\n]*|<\#.*?\#>)
    |(?P<line>\n|;)
    |(?P<single>'(?:[^'‘’]|'')*')
    |(?P<double>"(?:[^"$`“”])*")
    |(?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    |(?P<constant>\$(?:true|false|null)\b)
    |(?P<open>@\{|@\()
    |(?P<sign>[})=,])
    |(?P<word>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
CONSTANTS = {"$true": True, "$false": False, "$null": None}


class DataFileError(ValueError):
    """What is wrong with a data file, and in which line."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")


class Token(NamedTuple):
    kind: str
    text: str
    line: int


def read(path: Path) -> dict[str, Any]:
    """The hashtable of a file; names keep their spelling. DataFileError says what is no data."""
    return parse(path.read_text(encoding="utf-8-sig"))


def parse(source: str) -> dict[str, Any]:
    reader = _Reader(source)
    found = reader.whole()
    if not isinstance(found, dict):
        raise DataFileError(1, "expected a hashtable, @{ ... }")
    return found


def _tokens(source: str) -> Iterator[Token]:
    at, line = 0, 1
    while at < len(source):
        match = TOKEN.match(source, at)
        if match is None:
            raise DataFileError(line, f"no data of a literal kind: {source[at : at + 20]!r}")
        if match.lastgroup != "space":
            yield Token(str(match.lastgroup), match[0], line)
        line += match[0].count("\n")
        at = match.end()
    yield Token("end", "", line)


class _Reader:
    def __init__(self, source: str) -> None:
        self._tokens = list(_tokens(source))
        self._at = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _skip_lines(self) -> None:
        while self._next.kind == "line":
            self._take()

    def whole(self) -> Any:
        self._skip_lines()
        value = self._value()
        self._skip_lines()
        if self._next.kind != "end":
            raise self._unexpected(self._next)
        return value

    def _value(self) -> Any:
        """One item, or several with commas between them."""
        items = [self._item()]
        while self._next.text == ",":
            self._take()
            self._skip_lines()
            items.append(self._item())
        return items[0] if len(items) == 1 else items

    def _item(self) -> Any:
        token = self._take()
        if token.kind == "single":
            return token.text[1:-1].replace("''", "'")
        if token.kind == "double":
            return token.text[1:-1]
        if token.kind == "number":
            return float(token.text) if "." in token.text else int(token.text)
        if token.kind == "constant":
            return CONSTANTS[token.text.lower()]
        if token.text == "@{":
            return self._table()
        if token.text == "@(":
            return self._array()
        raise self._unexpected(token)

    def _array(self) -> list[Any]:
        items: list[Any] = []
        self._skip_lines()
        while self._next.text != ")":
            value = self._value()
            items += value if isinstance(value, list) else [value]
            self._skip_lines()
        self._take()
        return items

    def _table(self) -> dict[str, Any]:
        table: dict[str, Any] = {}
        self._skip_lines()
        while self._next.text != "}":
            key = self._key()
            self._skip_lines()
            if self._take().text != "=":
                raise self._unexpected(self._tokens[self._at - 1])
            self._skip_lines()
            if any(key.lower() == known.lower() for known in table):
                raise DataFileError(self._next.line, f"the key {key} is there twice")
            table[key] = self._value()
            if self._next.kind != "line" and self._next.text != "}":
                raise self._unexpected(self._next)
            self._skip_lines()
        self._take()
        return table

    def _key(self) -> str:
        token = self._take()
        if token.kind == "single":
            return token.text[1:-1].replace("''", "'")
        if token.kind in ("word", "double"):
            return token.text.strip('"')
        raise self._unexpected(token)

    @staticmethod
    def _unexpected(token: Token) -> DataFileError:
        return DataFileError(token.line, f"not expected here: {token.text!r}" if token.text else "the file ends here")
