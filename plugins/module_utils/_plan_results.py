# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What a plan looks like to the tasks that follow, to the status file and to people."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import sentences
from ansible_collections.fanout.hyperv.plugins.module_utils._outcomes import problem
from ansible_collections.fanout.hyperv.plugins.module_utils._planning import (
    COPY,
    EXAMINE,
    NOTHING,
    TAKE,
    TAKE_AWAY,
    Plan,
    Step,
    Template,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import ERROR, Finding
from ansible_collections.fanout.hyperv.plugins.module_utils._record import Record, Wish
from ansible_collections.fanout.hyperv.plugins.module_utils._surveys import Shown
from ansible_collections.fanout.hyperv.plugins.module_utils._verifying import HASH

Values = dict[str, t.Any]


def plan_result(
    plan: Plan, template: Template, shown: Sequence[Shown], info: Mapping[str, t.Any], told: Values
) -> Values:
    """One template's plan. ``told`` has ``source_name``, ``concurrency`` and ``verify``."""
    by_name = {one.name: one for one in shown}
    return {
        "name": template.name,
        "msg": _text(plan, template),
        "template": {
            "id": template.id,
            "revision": template.revision,
            "pinned": template.pinned,
            "kept": list(template.kept),
            "held": list(template.held),
            "staging_path": info["staging_path"],
        },
        "stale": bool(info["clones"]) or plan.export_needed or template.surplus,
        "targets": list(plan.targets),
        "leaving": list(plan.listing.leaving),
        "declare": plan.declare,
        "record": record_options(plan.listing.wish),
        "export_needed": plan.export_needed,
        "copies": sum(step.action == COPY for step in plan.steps),
        "export": any(step.action in (COPY, EXAMINE, TAKE) for step in plan.steps) and _exports(template, told),
        "clones": plan.clones,
        "providers": {step.name: _provider(step, by_name[step.name], plan, template) for step in plan.steps},
        "findings": [finding.to_dict() for finding in (*plan.findings, *_step_findings(plan.steps))],
        "distribution": _distribution(told, template, plan, by_name),
    }


def _exports(template: Template, told: Values) -> bool:
    """The export of a pinned revision is there, or there will never be one; only its hashes may be missing."""
    return not template.pinned or (template.export_complete and told["verify"] == HASH)


def _provider(step: Step, one: Shown, plan: Plan, template: Template) -> Values:
    computer = None if one.provider is None else one.provider.computer
    return {
        "action": step.action,
        "why": step.why,
        "listed": step.listed,
        "leaving": step.leaving,
        "refused": step.refused,
        "holds": step.holds,
        "adopt": step.adopt,
        "findings": [finding.to_dict() for finding in step.findings],
        "error": step.to_error(),
        "computer": computer_to_record(plan.listing.record, one),
        "answers": step.facts["answers"] is not False,
        "migration_host": one.migration_host,
        "target_path": None if one.provider is None else one.provider.path,
        "subtype": None if computer is None else ("cluster node" if computer.clustered else "standalone"),
        "system": None if computer is None else computer.os_caption,
        "revision": _held(one, template),
        "facts": dict(step.facts),
    }


def _held(one: Shown, template: Template) -> str | None:
    """The revision of the copy that is there, whichever it is."""
    if one.copy.get("verdict") == "current":
        return template.revision
    held = (copy["revision"] for copy in one.copy.get("copies", ()) if not copy.get("superseded"))
    return next((revision for revision in held if revision is not None), None)


def jobs(plans: Iterable[Mapping[str, t.Any]]) -> dict[str, list[Values]]:
    """What is done on each provider, template by template, as options of the module ``template_copy``."""
    found: dict[str, list[Values]] = {}
    for plan in plans:
        for name, step in plan["providers"].items():
            against = problem(name, step) if step["action"] == NOTHING else None
            if step["action"] != NOTHING or against is not None:
                found.setdefault(name, []).append(_job(plan, step, against))
    return found


def _job(plan: Mapping[str, t.Any], step: Mapping[str, t.Any], against: str | None) -> Values:
    """``problem``: nothing is done on this provider, and its task fails with this sentence."""
    template = plan["template"] or {"id": "", "revision": None, "staging_path": ""}
    return {
        "state": "absent" if step["action"] == TAKE_AWAY else "present",
        "template_id": template["id"],
        "name": plan["name"],
        "revision": template["revision"] or "unknown",
        "staging_path": template["staging_path"],
        "target_path": step.get("target_path"),
        "migration_host": step.get("migration_host"),
        "clones": max(plan["clones"], 1),  # who only removes or reads makes none, and a limit of 0 is refused
        "adopt": step.get("adopt", False),
        "keep": template.get("kept"),
        "problem": against,
    }


def computer_to_record(record: Record, one: Shown) -> str | None:
    """The identity that is recorded once the provider has got its copy; None when that is known already."""
    if one.provider is None:
        return None
    identity = one.provider.computer.identity
    return identity if one.name in record.joining or record.computers.get(one.name) != identity else None


def record_options(wish: Wish) -> Values:
    """What the record is told, as options of the module ``template``."""
    targets = {} if wish.targets is None else {"targets": list(wish.targets)}
    return {
        **targets,
        "add": list(wish.add),
        "remove": list(wish.remove),
        "removed": list(wish.removed),
        "supplied": dict(wish.supplied),
    }


def _step_findings(steps: Iterable[Step]) -> list[Finding]:
    return [finding for step in steps for finding in step.findings]


def _distribution(told: Values, template: Template, plan: Plan, by_name: Mapping[str, Shown]) -> Values:
    source = told["source_name"]
    return {
        "template": {
            "name": template.name,
            "id": template.id,
            "revision": template.revision,
            "source": source,
            "maintenance": template.maintenance,
            "pinned": template.pinned,
        },
        "concurrency": told["concurrency"],
        "targets": list(plan.targets),
        "providers": _left(template, plan)
        | {step.name: _report(step, template, by_name[step.name]) for step in plan.steps if _told(step)},
    }


def _told(step: Step) -> bool:
    """Whether the status file has to know of it."""
    return step.listed or bool(step.facts["leaving"])


def _left(template: Template, plan: Plan) -> Values:
    """Providers that the status file may know from an earlier list: not of this template any more, or about to go."""
    names = [*template.known.holders, *(step.name for step in plan.steps), *plan.listing.leaving]
    leaving = {name: {"facts": {"listed": False, "leaving": True}} for name in plan.listing.leaving}
    gone = {name: {"facts": {"listed": False, "leaving": False}} for name in names if name not in plan.targets}
    return {**gone, **leaving}


def _report(step: Step, template: Template, one: Shown) -> Values:
    return {
        "facts": dict(step.facts),
        "revision": _held(one, template),
        "findings": [finding.to_dict() for finding in step.findings],
        "reason": step.reason,
        "reasons": list(step.reasons),
        **({} if step.guests is None else {"guests": dict(step.guests)}),
        "error": step.to_error(),
    }


def sentence(finding: Finding) -> str:
    """One finding as a line for people."""
    where = f"{finding.provider}: " if finding.provider and not finding.what.startswith(finding.provider) else ""
    return f"[{finding.severity}] {where}{sentences(finding.what, finding.remedy)}"


def lines(plan: Plan) -> Iterable[str]:
    """What people want to see while it runs: everything but the providers for which there is nothing to say."""
    for finding in plan.findings:
        yield sentence(finding)
    quiet = 0
    for step in plan.steps:
        if step.action == NOTHING and step.listed and not step.findings:
            quiet += 1
            continue
        if _is_foreign(step):
            continue
        yield f"plan: {step.name}: {step.action}: {step.why}"
        yield from (f"  {sentence(finding)}" for finding in step.findings if step.why != finding.what)
    if quiet:
        yield f"plan: {quiet} provider{'s are' if quiet > 1 else ' is'} up to date"


def _is_foreign(step: Step) -> bool:
    """A provider that has nothing to do with the template."""
    return not (step.listed or step.leaving or step.refused or step.holds or step.left_out)


def _text(plan: Plan, template: Template) -> str:
    pinned = " (pinned)" if template.pinned else ""
    lines = [f"Template {template.name} ({template.id}), revision {template.revision or 'not known'}{pinned}"]
    lines += [f"kept as well: {', '.join(template.kept)}"] if template.kept else []
    lines += [sentence(finding) for finding in plan.findings]
    lines += ["export: needed" if plan.export_needed else "export: nothing to do"]
    for step in plan.steps:
        lines.append(f"{step.name}: {step.action}: {step.why}")
        lines += [
            f"  {sentence(finding)}"
            for finding in step.findings
            if finding.severity != ERROR or step.why != finding.what
        ]
    return "\n".join(lines)


__all__ = ("computer_to_record", "jobs", "lines", "plan_result", "record_options", "sentence")
