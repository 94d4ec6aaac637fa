# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WQL, as far as -Filter and -Query need it: comparisons, AND, OR, NOT, LIKE, IS NULL, parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>-?\d+(?:\.\d+)?)
  | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
  | (?P<operator><=|>=|<>|!=|=|<|>|\(|\)|,)
  | (?P<word>[A-Za-z_][A-Za-z0-9_.]*|\*)
    )""",
    re.VERBOSE,
)
Predicate = Callable[[Mapping[str, Any]], bool]


class BadQuery(Exception):
    """The text is no WQL."""


def _always(_: Mapping[str, Any]) -> bool:
    return True


@dataclass(frozen=True)
class Where:
    """A condition, and the properties (lower case) that it names."""

    matches: Predicate = _always
    names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Query:
    class_name: str
    properties: tuple[str, ...] | None  # None: all
    where: Where


def parse_filter(text: str) -> Where:
    parser = _Parser(text)
    return parser.condition()


def parse_query(text: str) -> Query:
    parser = _Parser(text)
    parser.expect_word("select")
    names = parser.names()
    parser.expect_word("from")
    class_name = parser.word()
    where = Where()
    if parser.accept_word("where"):
        where = parser.condition()
    parser.expect_end()
    return Query(class_name, None if names == ["*"] else tuple(names), where)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise BadQuery(text[at:])
        kind = match.lastgroup or ""
        found.append((kind, match.group(kind)))
        at = match.end()
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._compared: set[str] = set()

    def condition(self) -> Where:
        """All that is left of the text."""
        matches = self.disjunction()
        self.expect_end()
        return Where(matches, frozenset(self._compared))

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def accept_word(self, word: str) -> bool:
        kind, text = self._peek()
        if kind == "word" and text.lower() == word:
            self._at += 1
            return True
        return False

    def expect_word(self, word: str) -> None:
        if not self.accept_word(word):
            raise BadQuery(word)

    def _accept(self, operator: str) -> bool:
        if self._peek() == ("operator", operator):
            self._at += 1
            return True
        return False

    def expect_end(self) -> None:
        if self._peek()[0] != "end":
            raise BadQuery(self._peek()[1])

    def word(self) -> str:
        kind, text = self._next()
        if kind != "word":
            raise BadQuery(text)
        return text

    def names(self) -> list[str]:
        found = [self.word()]
        while self._accept(","):
            found.append(self.word())
        return found

    def disjunction(self) -> Predicate:
        parts = [self._conjunction()]
        while self.accept_word("or"):
            parts.append(self._conjunction())
        return lambda row: any(part(row) for part in parts)

    def _conjunction(self) -> Predicate:
        parts = [self._term()]
        while self.accept_word("and"):
            parts.append(self._term())
        return lambda row: all(part(row) for part in parts)

    def _term(self) -> Predicate:
        if self.accept_word("not"):
            inner = self._term()
            return lambda row: not inner(row)
        if self._accept("("):
            inner = self.disjunction()
            if not self._accept(")"):
                raise BadQuery(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Predicate:
        name = self.word()
        self._compared.add(name.lower())
        if self.accept_word("is"):
            negated = self.accept_word("not")
            self.expect_word("null")
            return lambda row: (_value(row, name) is None) != negated
        if self.accept_word("like"):
            pattern = _like(self._literal())
            return lambda row: pattern.fullmatch(str(_value(row, name) or "")) is not None
        kind, operator = self._next()
        if kind != "operator" or operator not in COMPARE:
            raise BadQuery(operator)
        wanted = self._literal()
        return lambda row: _compare(_value(row, name), operator, wanted)

    def _literal(self) -> Any:
        kind, text = self._next()
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "string":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "word" and text.lower() in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[text.lower()]
        raise BadQuery(text)


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}


def _value(row: Mapping[str, Any], name: str) -> Any:
    """A property in any case; one that the class does not have makes the query invalid."""
    for known, value in row.items():
        if known.lower() == name.lower():
            return value
    raise BadQuery(name)


def _compare(left: Any, operator: str, right: Any) -> bool:
    """Text is compared without case; a number may be written as text and the other way round."""
    if left is None or right is None:
        return operator in ("=",) and left is right
    if isinstance(right, str) and isinstance(left, int) and not isinstance(left, bool):
        try:
            right = int(right)
        except ValueError as error:
            raise BadQuery(right) from error
    if isinstance(left, bool) and isinstance(right, str):
        right = right.lower() == "true"
    if not isinstance(left, (int, float)):
        left, right = str(left).lower(), str(right).lower()
    return COMPARE[operator](left, right)


def _like(pattern: Any) -> re.Pattern[str]:
    parts = [
        ".*" if one == "%" else "." if one == "_" else one if one.startswith("[") else re.escape(one)
        for one in re.findall(r"\[[^\]]*\]|.", str(pattern), re.DOTALL)
    ]
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
