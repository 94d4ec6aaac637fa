# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""In which order guests are made anew: waves of so many at a time, and never more unavailable than allowed."""

from __future__ import annotations

import math
import re
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import fold

Values = dict[str, t.Any]
RUNNING = "Running"
_SHARE = re.compile(r"(\d{1,3})\s*%", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A guest that is made anew. ``down``: it should run and does not, so taking it costs nobody anything."""

    provider: str
    name: str
    down: bool


@dataclass(frozen=True, kw_only=True)
class Limits:
    """At most so many at the same time. ``per_run`` and ``unavailable``: None is without a limit."""

    per_provider: int
    per_run: int | None
    unavailable: int | None


def share(text: str | int | None, total: int, option: str) -> int | None:
    """A number, or a percentage of all guests, rounded down but never to nothing. None stays None."""
    if text is None or text == "":
        return None
    found = _SHARE.fullmatch(str(text).strip())
    if found is not None and 1 <= int(found[1]) <= 100:
        return max(1, math.floor(total * int(found[1]) / 100))
    if str(text).strip().isascii() and str(text).strip().isdigit() and int(text) > 0:
        return int(text)
    raise InvalidInput(
        f"The option {option!r} is {text!r}.", remedy="Give a whole number above zero, or a percentage such as 25%."
    )


def excluded(name: str, patterns: Sequence[str]) -> bool:
    """Whether a guest is left out: by its name, in which * stands for anything, in any case."""
    wanted = fold(name)
    return any(
        re.fullmatch(".*".join(map(re.escape, fold(pattern).split("*"))), wanted, re.DOTALL) is not None
        for pattern in patterns
    )


def candidates(
    guests: Mapping[str, Sequence[Mapping[str, t.Any]]], *, everything: bool, exclude: Sequence[str]
) -> list[Candidate]:
    """The guests of all providers that are made anew, those that are down first."""
    found = [
        Candidate(provider=provider, name=str(guest["name"]), down=is_down(guest))
        for provider, ones in guests.items()
        for guest in ones
        if (everything or guest["outdated"]) and not excluded(str(guest["name"]), exclude)
    ]
    return sorted(found, key=lambda one: not one.down)


def is_down(guest: Mapping[str, t.Any]) -> bool:
    """Whether a guest that was started when it was made does not run."""
    made = guest.get("made") or {}
    return bool(made.get("start", True)) and guest["state"] != RUNNING


def waves(found: Sequence[Candidate], limits: Limits, down: set[tuple[str, str]]) -> list[dict[str, list[str]]]:
    """Which guests of which provider are made anew together. ``down``: those that are unavailable beforehand.

    Every provider gets its turn before one gets more. A guest counts as available again when its wave is done.
    """
    left, unavailable = list(found), set(down)
    result: list[dict[str, list[str]]] = []
    while left:
        wave = _wave(left, limits, unavailable)
        if not wave:
            names = ", ".join(sorted(name for _provider, name in unavailable)[:5])
            raise Refused(
                f"{len(unavailable)} guests are unavailable already ({names}) and {limits.unavailable} may be, so no "
                "other can be made anew.",
                code="TOO_MANY_UNAVAILABLE",
                remedy="Start them, or allow more to be unavailable (recreate_max_unavailable).",
            )
        taken = {(one.provider, one.name) for one in wave}
        left = [one for one in left if (one.provider, one.name) not in taken]
        unavailable -= taken
        grouped: dict[str, list[str]] = {}
        for one in wave:
            grouped.setdefault(one.provider, []).append(one.name)
        result.append(grouped)
    return result


def _wave(left: Sequence[Candidate], limits: Limits, unavailable: set[tuple[str, str]]) -> list[Candidate]:
    wave: list[Candidate] = []
    down = set(unavailable)
    for turn in range(limits.per_provider):
        for one in _turn(left, wave, turn):
            after = down | {(one.provider, one.name)}
            full = limits.per_run is not None and len(wave) >= limits.per_run
            over = limits.unavailable is not None and len(after) > limits.unavailable and after != down
            if not full and not over:
                wave.append(one)
                down = after
    return wave


def _turn(left: Sequence[Candidate], wave: Sequence[Candidate], turn: int) -> list[Candidate]:
    """The next guest of each provider that has not got more than its turn yet."""
    chosen = {(one.provider, one.name) for one in wave}
    counts = {provider: sum(one.provider == provider for one in wave) for provider in {one.provider for one in left}}
    found: dict[str, Candidate] = {}
    for one in left:
        if (one.provider, one.name) not in chosen and counts[one.provider] <= turn:
            found.setdefault(one.provider, one)
    return list(found.values())


__all__ = ("Candidate", "Limits", "candidates", "excluded", "is_down", "share", "waves")
