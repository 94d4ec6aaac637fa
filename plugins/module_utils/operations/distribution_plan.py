# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Preflight and plan: from the surveys of all providers to what is done on each. Asks no host."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    Conflict,
    InvalidInput,
    NotFound,
    Refused,
    sentences,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._listing import Request, expand, has_anything
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import volume_of
from ansible_collections.fanout.hyperv.plugins.module_utils._plan_results import jobs, lines, plan_result
from ansible_collections.fanout.hyperv.plugins.module_utils._planning import (
    COPY,
    NOTHING,
    Plan,
    Template,
    make_plan,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import (
    ERROR,
    IN_MAINTENANCE,
    WARNING,
    Finding,
    Needs,
    Provider,
    room_for,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._record import KEEP, REMOVE, Record
from ansible_collections.fanout.hyperv.plugins.module_utils._surveys import (
    Shown,
    provider_from_survey,
    shown_from_survey,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Operation, Values, Work

ALSO_WHEN_PINNED = (IN_MAINTENANCE, "TEMPLATE_NAME")
"""What is said about the template itself does not matter to a pinned revision: its export is what it was."""


def template_from_info(info: Mapping[str, t.Any], *, multi_provider: bool = True) -> Template:
    """The typed view of what ``template_info`` returned of one template; what it is declared as if it is not yet."""
    record = info.get("record")
    pinned = bool(info.get("pinned"))
    needs = Needs.from_dict(info["needs"])
    if pinned and info["export"]["complete"]:
        needs = replace(needs, size=info["export"]["size"])
    findings = (Finding(**finding) for finding in info["findings"])
    return Template(
        id=info["id"],
        name=info["name"],
        revision=info.get("wanted", info["revision"]),
        needs=needs,
        findings=tuple(one for one in findings if not pinned or one.code in ALSO_WHEN_PINNED),
        record=None if record is None else Record.from_dict(record),
        export_complete=bool(info["export"]["complete"]),
        multi_provider=multi_provider,
        maintenance=info.get("maintenance") is not None,
        pinned=pinned,
        kept=tuple(info.get("kept", ())),
        staged=tuple(info.get("staged", ())),
    )


def gather(work: Work) -> Values:
    """One plan per template, as data and as text; ``distribution`` in each is what the status file learns from it."""
    params = work.params
    source_name = params["source_name"]
    told = params["templates"].get("source") or {}
    failed = told.get("error") or params["templates"].get("error")
    if failed is None and not told.get("host"):
        failed = {"code": "NO_SURVEY", "message": params["templates"].get("msg") or f"{source_name} was not surveyed."}
    shown = [shown_from_survey(name, survey) for name, survey in params["surveys"].items() if name != source_name]
    source = None if failed is not None else provider_from_survey(source_name, told)
    plans = []
    for name in params["template_names"]:
        one = Asked(params=params, name=name)
        if source is None or failed is not None:
            plans.append(source_failed(one, shown, failed or {}))
            continue
        made = _plan(work, one, source, shown)
        plans.append(made.result)
        source, shown = made.source, made.shown
    found = jobs(plans)
    return {
        "msg": "\n".join(plan["msg"] for plan in plans),
        "results": plans,
        "jobs": found,
        "idle": not found and not any(_acts(plan) for plan in plans),
        "preflight": preflight(plans),
    }


def _acts(plan: Values) -> bool:
    """Whether something is to be done on the source, or to be said of it."""
    return bool(plan.get("source_error") or plan["declare"] or plan["stale"] or plan["export"])


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One template of the run, with what was asked of all of them."""

    params: Values
    name: str

    def found(self) -> list[Values]:
        """What the source shows under that name; by its id, whatever its name is."""
        known: list[Values] = self.params["templates"]["templates"]
        if len(self.params["template_names"]) == 1:
            return known
        return [info for info in known if info["name"] == self.name]

    def error(self) -> Values | None:
        """Why the template cannot be told."""
        own: Values | None = (self.params["templates"].get("errors") or {}).get(self.name)
        return own or _not_one(self, len(self.params["template_names"]))


@dataclass(frozen=True, kw_only=True)
class Made:
    """A plan, and what is left of the room on all hosts after it."""

    result: Values
    source: Provider
    shown: list[Shown]


def _plan(work: Work, one: Asked, source: Provider, shown: list[Shown]) -> Made:
    params, error = work.params, one.error()
    if error is not None:
        return Made(result=source_failed(one, shown, error), source=source, shown=shown)
    info = one.found()[0]
    template = template_from_info(info, multi_provider=params["multi_provider"])
    source_name = params["source_name"]
    candidates = [name for name in params["candidates"] if name != source_name]
    request = request_of(params, candidates)
    here = [provider.of(template.id) for provider in shown]
    if params["teardown"]:
        request = everybody(request, template, here)
    elif template.record is not None and template.record.multi_provider and not params["multi_provider"]:
        return Made(result=source_failed(one, shown, fixed(template).to_dict()), source=source, shown=shown)
    plan = make_plan(
        template=template,
        source=replace(source, path=info["staging_path"]),
        shown=here,
        request=request,
        candidates=candidates,
        concurrency=params["concurrency"],
        examine=params["verify"] == "hash",
        adopt=params["adopt"],
        keep_revisions=params["keep_revisions"],
    )
    plan = replace(plan, findings=(*plan.findings, *_unknown_names(plan.targets, params["groups"].get("all"))))
    for line in () if params["quiet"] else lines(plan):
        work.reporter.note(line)
    if not plan.targets and not request.remove and not plan.listing.leaving and not params["teardown"]:
        empty = empty_list(template, plan, request).to_dict()
        return Made(result=source_failed(one, shown, empty), source=source, shown=shown)
    after, left = rest(plan, template, source, shown, info["staging_path"])
    return Made(result=plan_result(plan, template, here, info, params), source=after, shown=left)


def fixed(template: Template) -> Refused:
    """The switch is thrown once."""
    return Refused(
        f"multi_provider of {template.name} was set to true when the template was created, and cannot be changed.",
        code="MULTI_PROVIDER_FIXED",
        remedy="To change it, take the template back (fanout.hyperv.teardown) and create it anew.",
    )


def everybody(request: Request, template: Template, shown: Sequence[Shown]) -> Request:
    """All that may hold something of the template are to let go of it."""
    holders = [one.name for one in shown if has_anything(one.copy)]
    # The list is empty, not left out: without one it would be made of all eligible providers.
    return replace(request, targets=(), add=(), remove=tuple(dict.fromkeys([*template.known.holders, *holders])))


def rest(
    plan: Plan, template: Template, source: Provider, shown: Sequence[Shown], staging_path: str
) -> tuple[Provider, list[Shown]]:
    """The hosts with the room that this plan leaves for the next template."""
    size = room_for(template.needs.size)
    copied = {step.name for step in plan.steps if step.action == COPY}
    source = _with_less(source, staging_path, size) if plan.export_needed else source
    left = [
        replace(one, provider=_with_less(one.provider, one.provider.path, size))
        if one.provider is not None and one.name in copied
        else one
        for one in shown
    ]
    return source, left


def _with_less(provider: Provider, path: str, size: int) -> Provider:
    used = volume_of(path, [volume.name for volume in provider.volumes])
    volumes = (replace(v, free=max(0, v.free - size)) if v.name == used else v for v in provider.volumes)
    return replace(provider, volumes=tuple(volumes))


def preflight(plans: Sequence[Values]) -> dict[str, str]:
    """By name, why a provider of a list could not be supplied; what is wrong with a template is said of all."""
    found: dict[str, list[str]] = {}
    for plan in plans:
        general = [
            one for one in plan["findings"] if one["severity"] == ERROR and one["provider"] not in plan["providers"]
        ]
        for name, step in plan["providers"].items():
            if not (step["listed"] or step["leaving"] or step["refused"]):
                continue
            own = [one for one in step["findings"] if one["severity"] == ERROR]
            texts = [sentences(one["what"], one["remedy"]) for one in (*own, *(general if step["listed"] else ()))]
            if plan.get("source_error"):
                texts = [sentences(plan["source_error"]["message"], plan["source_error"].get("remedy"))]
            found.setdefault(name, []).extend(dict.fromkeys(texts))
    return {name: " ".join(texts) for name, texts in found.items() if texts}


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


def _not_one(one: Asked, asked: int) -> Values | None:
    """Why the template cannot be told: there is none of that name, or there are several."""
    found = one.found()
    if len(found) == 1:
        return None
    name, source = one.name, one.params["source_name"]
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
        remedy="Say which one: distribute_template_id."
        if asked == 1
        else "Distribute it by itself, and say which one: distribute_template_id.",
    ).to_dict()


def source_failed(one: Asked, shown: Sequence[Shown], error: Mapping[str, t.Any]) -> Values:
    """Without the source nothing can be judged: every provider of the play keeps its state and has this error."""
    message, source = str(error["message"]), one.params["source_name"]
    error = {**error, "message": message if source in message else f"{source}: {message}"}
    # ``answers`` None: this provider was asked nothing that says how its copy is.
    facts: Values = {"listed": True, "due": True, "tried": "failed", "copy": "unknown"}
    silent = {provider.name: False if provider.answers is False else None for provider in shown}
    providers = {
        name: {"facts": {**facts, "answers": answers}, "error": dict(error)} for name, answers in silent.items()
    }
    step: Values = {
        "action": NOTHING,
        "why": error["message"],
        "listed": True,
        "leaving": False,
        "refused": False,
        "holds": False,
        "findings": [],
        "computer": None,
        "subtype": None,
        "system": None,
        "revision": None,
        "error": dict(error),
    }
    return {
        "name": one.name,
        "msg": f"The template {one.name} cannot be distributed: {error['message']}",
        "source_error": dict(error),
        "template": None,
        "stale": False,
        "targets": [],
        "leaving": [],
        "declare": False,
        "record": {},
        "export_needed": False,
        "copies": 0,
        "export": False,
        "clones": 0,
        "providers": {
            name: {**step, "answers": answers is not False, "facts": providers[name]["facts"]}
            for name, answers in silent.items()
        },
        "findings": [],
        "distribution": {
            "template": {"name": one.name, "source": source},
            "concurrency": one.params["concurrency"],
            "providers": providers,
        },
    }


OPERATION = Operation(
    name="distribution_plan",
    argument_spec={
        "source_name": {"type": "str", "required": True},
        "template_names": {"type": "list", "elements": "str", "required": True},
        "templates": {"type": "dict", "required": True},
        "surveys": {"type": "dict", "required": True},
        "targets": {"type": "list", "elements": "str"},
        "add": {"type": "list", "elements": "str", "default": []},
        "remove": {"type": "list", "elements": "str", "default": []},
        "unlisted": {"type": "str", "choices": [KEEP, REMOVE], "default": KEEP},
        "remove_guests": {"type": "bool", "default": False},
        "teardown": {"type": "bool", "default": False},
        "multi_provider": {"type": "bool", "default": True},
        "candidates": {"type": "list", "elements": "str", "required": True},
        "groups": {"type": "dict", "default": {}},
        "concurrency": {"type": "int", "required": True},
        "verify": {"type": "str", "choices": ["none", "size", "hash"], "default": "size"},
        "adopt": {"type": "bool", "default": False},
        "keep_revisions": {"type": "int"},
        "quiet": {"type": "bool", "default": False},
    },
    gather=gather,
    needs_host=False,
)
