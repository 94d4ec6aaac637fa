# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""How a distribution ended on each provider of the play, from the plan and the results of the copies. Asks no host."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import sentences
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation, Values, Work

OK, FAILED, NOT_AVAILABLE = "ok", "failed", "not_available"


def outcome(name: str, step: Mapping[str, t.Any], result: Mapping[str, t.Any] | None) -> tuple[str, str]:
    """One word and one sentence about a provider of the list."""
    error = step.get("error")
    if result is not None and not result.get("skipped"):
        if result.get("failed"):
            reason = result.get("msg") or "no reason was given"
            if _silent(name, result):
                return NOT_AVAILABLE, f"Not available: {reason}"
            return FAILED, f"Failed to distribute: {reason}"
        return OK, str(result.get("msg") or "up to date")
    if error is None:
        return OK, str(step.get("why") or "up to date")
    advice = sentences(error.get("message"), error.get("remedy"))
    if not step["answers"]:
        return NOT_AVAILABLE, f"Not available: {advice}"
    return FAILED, f"Failed to distribute: {advice}"


def _silent(name: str, result: Mapping[str, t.Any]) -> bool:
    """Whether the copy failed because the provider did not answer any more."""
    told = (result.get("distribution") or {}).get("providers", {}).get(name, {})
    return told.get("facts", {}).get("answers") is False


def gather(work: Work) -> Values:
    """Lists of names by how they ended, and the sentence for each that is not OK."""
    plan, results = work.params["plan"], work.params["copies"]
    ended: dict[str, dict[str, str]] = {OK: {}, FAILED: {}, NOT_AVAILABLE: {}}
    for name, step in plan["providers"].items():
        if step["listed"]:
            word, sentence = outcome(name, step, results.get(name))
            ended[word][name] = sentence
    problems = {**ended[FAILED], **ended[NOT_AVAILABLE]}
    left_alone = [name for name, step in plan["providers"].items() if not step["listed"]]
    total = sum(len(names) for names in ended.values())
    return {
        "msg": f"{len(ended[OK])} of {total} providers OK",
        "problems": problems,
        "summary": {
            "template": work.params["template"],
            "source": work.params["source_name"],
            "providers": total,
            "ok": sorted(ended[OK]),
            "failed": ended[FAILED],
            "not_available": ended[NOT_AVAILABLE],
            "not_in_list": sorted(left_alone),
        },
    }


OPERATION = Operation(
    name="distribution_report",
    argument_spec={
        "template": {"type": "str", "required": True},
        "source_name": {"type": "str", "required": True},
        "plan": {"type": "dict", "required": True},
        "copies": {"type": "dict", "default": {}},
    },
    gather=gather,
    needs_host=False,
)
