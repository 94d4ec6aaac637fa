# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""How a distribution ended on one provider, in one word and one sentence."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import sentences

OK, FAILED, NOT_AVAILABLE, REMOVED = "ok", "failed", "not_available", "removed"


def outcome(name: str, step: Mapping[str, t.Any], result: Mapping[str, t.Any] | None = None) -> tuple[str, str]:
    """One word and one sentence about a provider of the list, or one that leaves it.

    ``result`` is what its copy gave; a result that only repeats what the plan had against it does not count.
    """
    error = step.get("error")
    failing = "Not removed" if step.get("leaving") or step.get("refused") else "Failed to distribute"
    if result is not None and not result.get("skipped") and not result.get("problem"):
        if result.get("failed"):
            reason = result.get("msg") or "no reason was given"
            if _silent(name, result):
                return NOT_AVAILABLE, f"Not available: {reason}"
            return FAILED, f"{failing}: {reason}"
        return REMOVED if step.get("leaving") else OK, str(result.get("msg") or "up to date")
    if error is None:
        return REMOVED if step.get("leaving") else OK, str(step.get("why") or "up to date")
    advice = sentences(error.get("message"), error.get("remedy"))
    if not step["answers"]:
        later = " A later run removes its copy." if step.get("leaving") else ""
        return NOT_AVAILABLE, f"Not available: {advice}{later}"
    return FAILED, f"{failing}: {advice}"


def problem(name: str, step: Mapping[str, t.Any]) -> str | None:
    """The sentence, when the plan already has something against a provider that it is about."""
    if not (step["listed"] or step["leaving"] or step["refused"]):
        return None
    word, sentence = outcome(name, step)
    return sentence if word in (FAILED, NOT_AVAILABLE) else None


def _silent(name: str, result: Mapping[str, t.Any]) -> bool:
    """Whether the copy failed because the provider did not answer any more."""
    told = (result.get("distribution") or {}).get("providers", {}).get(name, {})
    return told.get("facts", {}).get("answers") is False


__all__ = ("FAILED", "NOT_AVAILABLE", "OK", "REMOVED", "outcome", "problem")
