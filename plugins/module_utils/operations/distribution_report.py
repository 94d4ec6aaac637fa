# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""How a distribution ended on each provider of the play, from the plan and the results of the copies. Asks no host."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import sentences
from ansible_collections.fanout.hyperv.plugins.module_utils._outcomes import (
    FAILED,
    NOT_AVAILABLE,
    OK,
    REMOVED,
    outcome,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import IN_MAINTENANCE
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation, Values, Work

ECHO = "REFUSED_BY_PLAN"
"""The code of a task that only repeats what the plan has said; the plan knows more of it."""


def gather(work: Work) -> Values:
    """How each template ended, the sentence for each provider that is not OK, and what is to be recorded."""
    params = work.params
    failed = {
        str(step["item"]["template"]["id"]): dict(step["error"])
        for step in params["steps"]
        if step.get("error") and not step.get("skipped")
    }
    ended = [Ended(plan, _of(plan, params["copies"]), failed) for plan in params["plan"]["results"]]
    problems: dict[str, list[str]] = {}
    for one in ended:
        where = f"{one.plan['name']}: " if len(ended) > 1 else ""
        for name, sentence in one.problems.items():
            problems.setdefault(name, []).append(f"{where}{sentence}")
        if one.refusal and not one.problems:
            problems[one.plan["name"]] = [one.refusal]
        for line in one.notes():
            work.reporter.note(f"{where}{line}")
    have_failed = [name for name, registered in params["copies"].items() if (registered or {}).get("failed")]
    summaries = [one.summary(params["source_name"]) for one in ended]
    return {
        "msg": "; ".join(one.headline(several=len(ended) > 1) for one in ended),
        "problems": {name: " ".join(texts) for name, texts in problems.items()},
        "untold": sorted(name for name in problems if name not in have_failed),
        "records": [record for one in ended if (record := one.record())],
        "summary": summaries[0] if len(summaries) == 1 else {"templates": summaries},
        "left": {one.plan["name"]: one.left for one in ended if one.left},
        "results": [{"distribution": told} for one in ended if (told := one.distribution(params["source_name"]))],
    }


def _of(plan: Mapping[str, t.Any], copies: Mapping[str, t.Any]) -> dict[str, Values]:
    """The results of one template's copies by provider."""
    template = (plan["template"] or {}).get("id")
    found: dict[str, Values] = {}
    for name, registered in copies.items():
        for result in (registered or {}).get("results") or ():
            if (result.get("item") or {}).get("template_id") == template:
                found[name] = result
    return found


class Ended:
    """How one template's part of the run ended."""

    def __init__(
        self,
        plan: Mapping[str, t.Any],
        results: Mapping[str, Mapping[str, t.Any]],
        failed: Mapping[str, Values],
    ) -> None:
        self.plan = plan
        self.error = failed.get(str((plan["template"] or {}).get("id")))
        self._results = results
        self._words: dict[str, dict[str, str]] = {OK: {}, FAILED: {}, NOT_AVAILABLE: {}, REMOVED: {}}
        for name, step in self.steps.items():
            if step["listed"] or step.get("leaving") or step.get("refused"):
                known = {**step, "error": self.error} if self.error and not step.get("error") else step
                word, sentence = outcome(name, known, results.get(name))
                self._words[word][name] = sentence

    @property
    def steps(self) -> Mapping[str, Values]:
        """The plan of each provider."""
        steps: Mapping[str, Values] = self.plan["providers"]
        return steps

    @property
    def problems(self) -> dict[str, str]:
        """A sentence for each provider that is not OK."""
        return {**self._words[FAILED], **self._words[NOT_AVAILABLE]}

    @property
    def refusal(self) -> str | None:
        """Why nothing of this template is distributed now, also when every provider has what it should have.

        A run that could not look at its template is no success because it had no provider to tell that of.
        """
        error = self.plan.get("source_error")
        if error:
            return sentences(error["message"], error.get("remedy"))
        found = (one for one in self.plan["findings"] if one["code"] == IN_MAINTENANCE)
        refused = None if self.plan["leaving"] else next(found, None)
        return None if refused is None else sentences(refused["what"], refused["remedy"])

    @property
    def holders(self) -> list[str]:
        """Providers that are not in the list and hold a copy."""
        return sorted(name for name, step in self._others().items() if step.get("holds"))

    @property
    def left(self) -> list[str]:
        """Providers whose copies should have gone and have not."""
        refused = [name for name, step in self.steps.items() if step.get("refused")]
        asked = dict.fromkeys([*self.plan["leaving"], *refused])
        return [name for name in asked if name not in self._words[REMOVED]]

    def headline(self, *, several: bool) -> str:
        """The result in some words."""
        total = sum(len(self._words[word]) for word in (OK, FAILED, NOT_AVAILABLE))
        return f"{self.plan['name'] + ': ' if several else ''}{len(self._words[OK])} of {total} providers OK"

    def notes(self) -> list[str]:
        """Lines that people want to see."""
        lines = [f"removed from {name}: {text}" for name, text in sorted(self._words[REMOVED].items())]
        if self.holders:
            lines.append(
                f"not in the list, but holding a copy that is left alone: {', '.join(self.holders)} "
                "(distribute_unlisted=remove removes them)"
            )
        return lines

    def record(self) -> Values | None:
        """What is to be recorded, as options of the module ``template``; None when there is nothing."""
        removed = [name for name in self._words[REMOVED] if self.steps[name]["action"] == "remove"]
        supplied = {
            name: self.steps[name]["computer"]
            for name in self._words[OK]
            if self.steps[name]["action"] in ("copy", "take") and self.steps[name]["computer"]
        }
        if not removed and not supplied:
            return None
        template = self.plan["template"]
        staging = template["staging_path"]
        return {"id": template["id"], "staging_path": staging, "removed": removed, "supplied": supplied}

    def summary(self, source: str) -> Values:
        """Names by how they ended, with the sentence, the error's code and its remedy for those that are not OK."""
        return {
            "template": self.plan["name"],
            "revision": (self.plan["template"] or {}).get("revision"),
            "pinned": bool((self.plan["template"] or {}).get("pinned")),
            "source": source,
            "counts": {word: len(names) for word, names in self._words.items()},
            "errors": {name: self._error_of(name) for name in sorted(self.problems)},
            "providers": sum(len(self._words[word]) for word in (OK, FAILED, NOT_AVAILABLE)),
            "ok": sorted(self._words[OK]),
            "failed": self._words[FAILED],
            "not_available": self._words[NOT_AVAILABLE],
            "removed": sorted(self._words[REMOVED]),
            "unlisted": self.holders,
            "not_in_list": sorted(self._others()),
        }

    def _error_of(self, name: str) -> Values:
        """The error of a provider that is not OK, as far as a job's artifacts need it."""
        own = (self._results.get(name) or {}).get("error") or {}
        known = self.steps[name].get("error") or self.error or {}
        error = known if own.get("code") == ECHO and known else own or known
        message = error.get("message") or self.problems[name]
        return {"code": error.get("code") or "UNKNOWN", "message": message, "remedy": error.get("remedy")}

    def distribution(self, source: str) -> Values | None:
        """What the status file has not learned from the tasks themselves: that there was nothing to copy from."""
        if not self.error:
            return None
        waiting = [name for name, step in self.steps.items() if step["action"] != "none"]
        providers = {name: {"facts": {"tried": "failed"}, "error": self.error} for name in waiting}
        return {"template": {"name": self.plan["name"], "source": source}, "providers": providers}

    def _others(self) -> dict[str, Values]:
        return {name: step for name, step in self.steps.items() if not step["listed"] and not step.get("leaving")}


OPERATION = Operation(
    name="distribution_report",
    argument_spec={
        "source_name": {"type": "str", "required": True},
        "plan": {"type": "dict", "required": True},
        "steps": {"type": "list", "elements": "dict", "default": []},
        "copies": {"type": "dict", "default": {}},
    },
    gather=gather,
    needs_host=False,
)
