# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Preflight and plan: from the surveys of all providers to what is done on each. Asks no host."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    Conflict,
    InvalidInput,
    NotFound,
    sentences,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._listing import Request, expand
from ansible_collections.fanout.hyperv.plugins.module_utils._planning import (
    COPY,
    EXAMINE,
    NOTHING,
    Plan,
    Step,
    Template,
    make_plan,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import ERROR, WARNING, Finding, Needs
from ansible_collections.fanout.hyperv.plugins.module_utils._record import KEEP, REMOVE, Record, Wish
from ansible_collections.fanout.hyperv.plugins.module_utils._surveys import (
    Shown,
    provider_from_survey,
    shown_from_survey,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation, Values, Work


def template_from_info(info: Mapping[str, t.Any]) -> Template:
    """The typed view of what ``template_info`` returned of one template."""
    record = info.get("record")
    return Template(
        id=info["id"],
        name=info["name"],
        revision=info["revision"],
        needs=Needs.from_dict(info["needs"]),
        findings=tuple(Finding(**finding) for finding in info["findings"]),
        record=None if record is None else Record.from_dict(record),
        export_complete=bool(info["export"]["complete"]),
    )


def gather(work: Work) -> Values:
    """The plan, as data and as text; ``distribution`` is what the status file learns from it."""
    params = work.params
    failed = params["source"].get("error") or params["templates"].get("error") or _not_one(params)
    if failed is not None:
        return _source_failed(params, failed)
    info = params["templates"]["templates"][0]
    template = template_from_info(info)
    source = replace(provider_from_survey(params["source_name"], params["source"]), path=info["staging_path"])
    source_name = params["source_name"]
    candidates = [name for name in params["candidates"] if name != source_name]
    shown = [shown_from_survey(name, survey) for name, survey in params["surveys"].items() if name != source_name]
    request = request_of(params, candidates)
    plan = make_plan(
        template=template,
        source=source,
        shown=shown,
        request=request,
        candidates=candidates,
        concurrency=params["concurrency"],
        examine=params["verify"] == "hash",
        adopt=params["adopt"],
    )
    plan = replace(plan, findings=(*plan.findings, *_unknown_names(plan.targets, params["groups"].get("all"))))
    hosts = {one.name: one.migration_host for one in shown}
    paths = {one.name: one.provider.path for one in shown if one.provider is not None}
    for line in _lines(plan):
        work.reporter.note(line)
    if not plan.targets and not request.remove and not plan.listing.leaving:
        return _source_failed(params, empty_list(template, plan, request).to_dict())
    return {
        "msg": _text(plan, template),
        "template": {"id": template.id, "revision": template.revision, "staging_path": info["staging_path"]},
        "stale": bool(info["clones"]) or plan.export_needed,
        "targets": list(plan.targets),
        "declare": plan.declare,
        "record": record_options(plan.listing.wish),
        "export_needed": plan.export_needed,
        "copies": sum(step.action == COPY for step in plan.steps),
        "export": any(step.action in (COPY, EXAMINE) for step in plan.steps),
        "clones": plan.clones,
        "providers": {
            step.name: {
                "action": step.action,
                "why": step.why,
                "listed": step.listed,
                "leaving": step.leaving,
                "refused": step.refused,
                "holds": step.holds,
                "adopt": step.adopt,
                "findings": [finding.to_dict() for finding in step.findings],
                "error": step.to_error(),
                "computer": computer_to_record(plan.listing.record, step.name, shown),
                "answers": step.facts["answers"] is not False,
                "migration_host": hosts[step.name],
                "target_path": paths.get(step.name),
            }
            for step in plan.steps
        },
        "findings": [finding.to_dict() for finding in (*plan.findings, *_step_findings(plan.steps))],
        "distribution": _distribution(params, template, plan),
    }


def request_of(params: Values, candidates: Sequence[str]) -> Request:
    """What the run asks of the list, with groups as their hosts; the source is never in it."""

    def hosts(names: Sequence[str] | None) -> tuple[str, ...] | None:
        found = expand(names, params["groups"], candidates)
        return None if found is None else tuple(name for name in found if name != params["source_name"])

    return Request(
        targets=hosts(params["targets"]),
        named=frozenset(params["targets"] or ()),
        add=hosts(params["add"]) or (),
        remove=hosts(params["remove"]) or (),
        unlisted=params["unlisted"],
        remove_guests=params["remove_guests"],
    )


def computer_to_record(record: Record, name: str, shown: Sequence[Shown]) -> str | None:
    """The identity that is recorded once the provider has got its copy; None when that is known already."""
    one = next((one for one in shown if one.name == name and one.provider is not None), None)
    if one is None or one.provider is None:
        return None
    identity = one.provider.computer.identity
    return identity if name in record.joining or record.computers.get(name) != identity else None


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


def _unknown_names(targets: Sequence[str], inventory: Sequence[str] | None) -> Iterator[Finding]:
    """Providers of the list that this inventory does not know: no run of it reaches them."""
    for name in targets:
        if inventory is not None and name not in inventory:
            yield Finding(
                severity=WARNING,
                provider=name,
                code="NOT_IN_INVENTORY",
                what=f"{name} is in the distribution list, and not in this inventory.",
                remedy="Add it to the inventory, or leave it out of the list (distribute_targets).",
            )


def empty_list(template: Template, plan: Plan, request: Request) -> InvalidInput:
    """An empty list would be a run that does nothing and calls that a success."""
    remedy = "Name the providers with distribute_targets: inventory names, groups, or 'all'; the source is never one."
    if request.targets is not None:
        what = "distribute_targets names no provider but the source."
    elif template.record is not None:
        what = f"The recorded distribution list of {template.name} is empty."
    else:
        reasons = sentences(*(finding.what for step in plan.steps for finding in step.findings[:1]))
        what = sentences(f"No provider can hold {template.name}", reasons)
        remedy = "Mend what stands in the way, or name the providers with distribute_targets."
    return InvalidInput(what, code="NO_PROVIDERS", remedy=remedy)


def _not_one(params: Values) -> Values | None:
    """Why the template cannot be told: there is none of that name, or there are several."""
    found = params["templates"]["templates"]
    if len(found) == 1:
        return None
    name, source = params["template_name"], params["source_name"]
    if not found:
        return NotFound(
            f"{source} has no VM called {name!r}.",
            code="VM_NOT_FOUND",
            remedy="Names are compared exactly, also in upper and lower case; fanout.hyperv.vm_info lists them.",
        ).to_dict()
    ids = ", ".join(vm["id"] for vm in found)
    return Conflict(
        f"{source} has {len(found)} VMs called {name!r}: {ids}.",
        code="AMBIGUOUS_NAME",
        remedy="Say which one: distribute_template_id.",
    ).to_dict()


def _source_failed(params: Values, error: Mapping[str, t.Any]) -> Values:
    """Without the source nothing can be judged: every provider of the play keeps its state and has this error."""
    message, source = str(error["message"]), params["source_name"]
    error = {**error, "message": message if source in message else f"{source}: {message}"}
    surveys = {name: survey for name, survey in params["surveys"].items() if name != params["source_name"]}
    answers = {name: shown_from_survey(name, survey).answers for name, survey in surveys.items()}
    # ``answers`` None: this provider was asked nothing that says how its copy is.
    facts = {"listed": True, "due": True, "tried": "failed", "copy": "unknown"}
    providers = {
        name: {"facts": {**facts, "answers": False if answers[name] is False else None}, "error": dict(error)}
        for name in surveys
    }
    return {
        "msg": f"The template cannot be distributed: {error['message']}",
        "source_error": dict(error),
        "template": None,
        "stale": False,
        "targets": [],
        "declare": False,
        "record": {},
        "export_needed": False,
        "copies": 0,
        "export": False,
        "clones": 0,
        "providers": {
            name: {
                "action": NOTHING,
                "why": error["message"],
                "listed": True,
                "leaving": False,
                "refused": False,
                "holds": False,
                "findings": [],
                "answers": answers[name] is not False,
                "computer": None,
                "error": dict(error),
            }
            for name in providers
        },
        "findings": [],
        "distribution": {
            "template": {"name": params["template_name"], "source": params["source_name"]},
            "concurrency": params["concurrency"],
            "providers": providers,
        },
    }


def _step_findings(steps: Iterable[Step]) -> list[Finding]:
    return [finding for step in steps for finding in step.findings]


def _distribution(params: Values, template: Template, plan: Plan) -> Values:
    source = params["source_name"]
    return {
        "template": {"name": template.name, "id": template.id, "revision": template.revision, "source": source},
        "concurrency": params["concurrency"],
        "targets": list(plan.targets),
        "providers": _left(template, plan) | {step.name: _report(step, template) for step in plan.steps if _told(step)},
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


def _report(step: Step, template: Template) -> Values:
    return {
        "facts": dict(step.facts),
        "revision": template.revision if step.facts["copy"] == "current" else None,
        "findings": [finding.to_dict() for finding in step.findings],
        "reason": step.reason,
        "reasons": list(step.reasons),
        "error": step.to_error(),
    }


def sentence(finding: Finding) -> str:
    """One finding as a line for people."""
    where = f"{finding.provider}: " if finding.provider and not finding.what.startswith(finding.provider) else ""
    return f"[{finding.severity}] {where}{sentences(finding.what, finding.remedy)}"


def _lines(plan: Plan) -> Iterable[str]:
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
    return not (step.listed or step.leaving or step.refused or step.holds)


def _text(plan: Plan, template: Template) -> str:
    lines = [f"Template {template.name} ({template.id}), revision {template.revision or 'not known'}"]
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


OPERATION = Operation(
    name="distribution_plan",
    argument_spec={
        "source_name": {"type": "str", "required": True},
        "template_name": {"type": "str", "required": True},
        "source": {"type": "dict", "required": True},
        "templates": {"type": "dict", "required": True},
        "surveys": {"type": "dict", "required": True},
        "targets": {"type": "list", "elements": "str"},
        "add": {"type": "list", "elements": "str", "default": []},
        "remove": {"type": "list", "elements": "str", "default": []},
        "unlisted": {"type": "str", "choices": [KEEP, REMOVE], "default": KEEP},
        "remove_guests": {"type": "bool", "default": False},
        "candidates": {"type": "list", "elements": "str", "required": True},
        "groups": {"type": "dict", "default": {}},
        "concurrency": {"type": "int", "required": True},
        "verify": {"type": "str", "choices": ["none", "size", "hash"], "default": "size"},
        "adopt": {"type": "bool", "default": False},
    },
    gather=gather,
    needs_host=False,
)
