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

OK, FAILED, NOT_AVAILABLE, REMOVED = "ok", "failed", "not_available", "removed"


def outcome(name: str, step: Mapping[str, t.Any], result: Mapping[str, t.Any] | None) -> tuple[str, str]:
    """One word and one sentence about a provider of the list, or one that leaves it."""
    error = step.get("error")
    failing = "Not removed" if step.get("leaving") or step.get("refused") else "Failed to distribute"
    if result is not None and not result.get("skipped"):
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


def _silent(name: str, result: Mapping[str, t.Any]) -> bool:
    """Whether the copy failed because the provider did not answer any more."""
    told = (result.get("distribution") or {}).get("providers", {}).get(name, {})
    return told.get("facts", {}).get("answers") is False


def gather(work: Work) -> Values:
    """Lists of names by how they ended, the sentence for each that is not OK, and what is to be recorded."""
    plan, results = work.params["plan"], work.params["copies"]
    ended: dict[str, dict[str, str]] = {OK: {}, FAILED: {}, NOT_AVAILABLE: {}, REMOVED: {}}
    for name, step in plan["providers"].items():
        if step["listed"] or step.get("leaving") or step.get("refused"):
            word, sentence = outcome(name, step, results.get(name))
            ended[word][name] = sentence
    problems = {**ended[FAILED], **ended[NOT_AVAILABLE]}
    others = {name: step for name, step in plan["providers"].items() if not step["listed"] and not step.get("leaving")}
    holders = sorted(name for name, step in others.items() if step.get("holds"))
    total = sum(len(ended[word]) for word in (OK, FAILED, NOT_AVAILABLE))
    for name in sorted(ended[REMOVED]):
        work.reporter.note(f"{name}: removed: {ended[REMOVED][name]}")
    if holders:
        work.reporter.note(
            f"not in the list, but holding a copy that is left alone: {', '.join(holders)} "
            "(distribute_unlisted=remove removes them)"
        )
    return {
        "msg": f"{len(ended[OK])} of {total} providers OK",
        "problems": problems,
        "record": {
            "removed": [name for name in ended[REMOVED] if plan["providers"][name]["action"] == "remove"],
            "supplied": _supplied(plan["providers"], ended[OK]),
        },
        "summary": {
            "template": work.params["template"],
            "source": work.params["source_name"],
            "providers": total,
            "ok": sorted(ended[OK]),
            "failed": ended[FAILED],
            "not_available": ended[NOT_AVAILABLE],
            "removed": sorted(ended[REMOVED]),
            "unlisted": holders,
            "not_in_list": sorted(others),
        },
    }


def _supplied(steps: Mapping[str, Mapping[str, t.Any]], ok: Mapping[str, str]) -> Values:
    """The identities of providers that have got their copy in this run, where that is news."""
    return {name: steps[name]["computer"] for name in ok if steps[name]["action"] == "copy" and steps[name]["computer"]}


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
