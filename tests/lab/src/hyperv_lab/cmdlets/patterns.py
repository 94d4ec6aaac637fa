# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerShell's wildcard patterns for the names of Hyper-V objects."""

from __future__ import annotations

import re
from functools import lru_cache

SPECIAL = "*?["


def has_wildcards(name: str) -> bool:
    """Whether a name acts as a pattern; a backtick takes the next character's meaning away."""
    plain = re.sub(r"`.", "", name)
    return any(character in plain for character in SPECIAL)


def matches(pattern: str, name: str) -> bool:
    return _compiled(pattern).fullmatch(name) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts, at = [], 0
    while at < len(pattern):
        text, step = _token(pattern, at)
        parts.append(text)
        at += step
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _token(pattern: str, at: int) -> tuple[str, int]:
    """The regular expression for what stands at ``at``, and how many characters that is."""
    character = pattern[at]
    if character == "`" and at + 1 < len(pattern):
        return re.escape(pattern[at + 1]), 2
    if character == "*":
        return ".*", 1
    if character == "?":
        return ".", 1
    end = pattern.find("]", at + 1)
    if character == "[" and end > at + 1:
        inside = pattern[at + 1 : end].replace("\\", "\\\\").replace("^", "\\^").replace("[", "\\[")
        return f"[{inside}]", end - at + 1
    return re.escape(character), 1
