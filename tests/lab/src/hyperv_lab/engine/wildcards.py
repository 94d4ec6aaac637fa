# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerShell's wildcard patterns: ``* ? [abc]``, any case, a backtick before what is meant literally."""

from __future__ import annotations

import re
from functools import lru_cache


def has_wildcards(pattern: str) -> bool:
    """Whether a text acts as a pattern."""
    skip = False
    for character in pattern:
        if skip:
            skip = False
        elif character == "`":
            skip = True
        elif character in "*?[":
            return True
    return False


def unescape(pattern: str) -> str:
    """The plain text of a pattern that has no wildcards but may have backticks."""
    return re.sub(r"`(.)", r"\1", pattern)


def matches(pattern: str, value: str) -> bool:
    return compiled(pattern).fullmatch(value) is not None


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    parts, at = [], 0
    while at < len(pattern):
        piece, step = _piece(pattern, at)
        parts.append(piece)
        at += step
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _piece(pattern: str, at: int) -> tuple[str, int]:
    """The regular expression for what stands at ``at``, and how many characters that is."""
    character = pattern[at]
    if character == "`" and at + 1 < len(pattern):
        return re.escape(pattern[at + 1]), 2
    if character in "*?":
        return (".*" if character == "*" else "."), 1
    end = pattern.find("]", at + 2) if character == "[" else -1
    if end < 0:
        return re.escape(character), 1
    inside = "".join("-" if one == "-" else re.escape(one) for one in pattern[at + 1 : end].replace("`", ""))
    return f"[{inside}]", end - at + 1
