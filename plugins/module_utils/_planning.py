# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""From what the survey shows to what is to be done on each provider. Pure functions over plain values."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.fanout.hyperv.plugins.module_utils._holdings import obstacle_findings
from ansible_collections.fanout.hyperv.plugins.module_utils._listing import (
    Listing,
    Request,
    has_anything,
    make_listing,
    same_as_listed,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._plan_room import (
    delegation_findings,
    export_missing,
    limit_findings,
    planned_findings,
    source_room,
    staging_finding,
    target_space,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import (
    ERROR,
    Finding,
    Needs,
    Provider,
    conflict_findings,
    provider_findings,
    unreachable,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._record import Record
from ansible_collections.fanout.hyperv.plugins.module_utils._surveys import SAME_COMPUTER, Shown, same_computer

Values = dict[str, t.Any]

NOTHING, COPY, TAKE, CLEAN, TAKE_AWAY, EXAMINE = "none", "copy", "take", "clean", "remove", "examine"

NOT_ELIGIBLE = frozenset(
    [
        "SUBTYPE_DIFFERS",
        SAME_COMPUTER,
        "MIGRATION_DISABLED",
        "MIGRATION_NO_NETWORK",
        "MIGRATION_LIMIT_ZERO",
        "MIGRATION_AUTHENTICATION_DIFFERS",
        "NOT_IN_DOMAIN",
        "VM_VERSION_UNSUPPORTED",
        "SWITCH_MISSING",
    ]
)
"""Findings that keep a provider out of a list which is made of all eligible ones: what the provider is, not what was
asked for, such as a path."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """The template as the source shows it. ``revision`` is what providers should hold; None when nobody knows that now.

    ``record`` is None as long as it is not declared. ``pinned``: the revision need not be what the template is now, and
    there is no other export of it. ``kept`` are the revisions that stay beside it, ``staged`` those that have a folder
    in the staging folder.
    """

    id: str
    name: str
    revision: str | None
    needs: Needs
    findings: tuple[Finding, ...]
    record: Record | None
    export_complete: bool
    multi_provider: bool = True
    maintenance: bool = False
    pinned: bool = False
    kept: tuple[str, ...] = ()
    staged: tuple[str, ...] = ()

    @property
    def held(self) -> tuple[str, ...]:
        """The revisions whose exports stay. As long as nobody knows what is wanted, all that are recorded do."""
        return self.kept if self.revision is None else (self.revision, *self.kept)

    @property
    def surplus(self) -> bool:
        """Whether exports of revisions can go that are not held; that of the one before goes with a new export."""
        settled = self.revision is not None and self.record is not None and self.record.revision == self.revision
        return settled and not set(self.staged) <= set(self.held)

    @property
    def known(self) -> Record:
        """What is recorded, also when that is nothing yet."""
        return self.record or Record(template_id=self.id, name=self.name, multi_provider=self.multi_provider)


@dataclass(frozen=True, kw_only=True)
class Step:
    """The plan for one provider. ``refused``: it was to leave the list and cannot.

    ``reason`` and ``reasons`` say why it needs an update. ``adopt``: a copy without a stamp may be stamped again.
    ``left_out``: the list was made of all eligible providers, and it is none.
    """

    name: str
    action: str
    listed: bool
    why: str
    leaving: bool = False
    refused: bool = False
    holds: bool = False
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, t.Any] = field(default_factory=dict)
    failure: Mapping[str, t.Any] | None = None
    stopped: bool = False
    reason: str | None = None
    reasons: tuple[str, ...] = ()
    adopt: bool = False
    guests: Mapping[str, int] | None = None
    left_out: bool = False

    @property
    def error(self) -> Finding | None:
        """The first thing that stops this provider."""
        return next((finding for finding in self.findings if finding.severity == ERROR), None)

    def to_error(self) -> Values | None:
        """Why it is stopped, as an error of the status file; a survey's own error keeps its layer and its cause."""
        if self.error is None or not self.stopped:
            return None
        own = {key: value for key, value in (self.failure or {}).items() if value is not None}
        return {**self.error.to_error(), **own}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan for all providers of the play."""

    listing: Listing
    declare: bool
    export_needed: bool
    clones: int
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """Who is to hold the template."""
        return self.listing.targets


def make_plan(
    *,
    template: Template,
    source: Provider,
    shown: Sequence[Shown],
    request: Request,
    candidates: Sequence[str],
    concurrency: int,
    examine: bool = False,
    adopt: bool = False,
    keep_revisions: int | None = None,
) -> Plan:
    """Decide for every surveyed provider; ``candidates`` are the inventory's providers without the source.

    ``examine``: copies that look right are read as well. ``adopt``: copies without a stamp are stamped again once they
    are verified; on providers that are added that is always so. ``keep_revisions``: how many older ones stay.
    """
    adopting = {one.name for one in shown if adopt or one.name in request.add}
    found = {one.name: list(_findings(one, template, source, adopting)) for one in shown}
    for finding in same_computer(shown, source):
        found[str(finding.provider)].insert(0, finding)
    ineligible = {one.name for one in shown if _is_ineligible(one, found[one.name])}
    listing = make_listing(
        template.known,
        request,
        declared=template.record is not None,
        candidates=candidates,
        ineligible=ineligible,
        holdings={one.name: one.copy for one in shown if one.answers and one.copy},
        computers=_computers(shown, source),
    )
    nowhere = staging_finding(source, template.needs)
    general = (*template.findings, *_single(template), *([] if nowhere is None else [nowhere]))
    stop = next((finding for finding in general if finding.severity == ERROR), None)
    steps = [_step(one, template, listing, found[one.name], stop, adopting) for one in shown]
    if template.record is None and request.targets is None and not (request.add or request.remove):
        steps = [_left_out(step) if step.name in ineligible and step.name in candidates else step for step in steps]
    if examine and stop is None:
        steps = [_examined(step) for step in steps]
    if template.pinned and not template.export_complete:
        missing = export_missing(source, template.revision)
        needing = (COPY, EXAMINE, TAKE) if examine else (COPY, EXAMINE)
        steps = [_stopped(step, missing) if step.action in needing else step for step in steps]
    copies = sum(step.action == COPY for step in steps)
    compared = any(step.action in (COPY, EXAMINE, TAKE) for step in steps)
    export_needed = compared and not template.export_complete and not template.pinned
    clones, space = source_room(source, template.needs.size, export_needed, min(concurrency + 1, copies))
    if space is not None:
        steps = [_stopped(step, space) if step.action == COPY else step for step in steps]
        export_needed = False
    record = listing.record if keep_revisions is None else listing.record.trimmed(keep_revisions)
    anything = bool(listing.targets or listing.leaving or template.record)
    return Plan(
        listing=listing,
        declare=record != template.record and template.known.multi_provider and nowhere is None and anything,
        export_needed=export_needed,
        clones=clones,
        steps=tuple(steps),
        findings=(*general, *limit_findings(source, concurrency, copies), *delegation_findings(source, copies)),
    )


def _single(template: Template) -> Iterator[Finding]:
    """A template for one provider only is not distributed."""
    if not template.known.multi_provider:
        yield Finding(
            severity=ERROR,
            code="NOT_MULTI_PROVIDER",
            what=f"{template.name} has multi_provider: false, so it is not distributed.",
            remedy="That is fixed at creation: take the declaration back (fanout.hyperv.teardown), then distribute it.",
        )


def _computers(shown: Sequence[Shown], source: Provider) -> dict[str, str]:
    """The identity of each provider's computer, but for the source itself."""
    computers = {one.name: one.provider.computer.identity for one in shown if one.provider is not None}
    return {name: known for name, known in computers.items() if known != source.computer.identity}


def _is_ineligible(one: Shown, findings: Sequence[Finding]) -> bool:
    """Whether it has no place in a list of all eligible providers.

    Who does not answer may be one, and comes back; of whose survey failed nobody knows that it could ever be supplied.
    """
    failed = one.provider is None and not one.silent
    return failed or any(finding.severity == ERROR and finding.code in NOT_ELIGIBLE for finding in findings)


def _findings(one: Shown, template: Template, source: Provider, adopting: Collection[str]) -> Iterator[Finding]:
    if one.provider is None:
        yield unreachable(one.name, one.error or {})
        return
    yield from provider_findings(one.provider, source, template.needs)
    yield from conflict_findings(one.name, template.name, one.copy.get("conflicts", ()))
    ours = {template.id, *(copy["id"] for copy in one.copy.get("copies", ()))}
    yield from planned_findings(one.provider, source, ours)
    there = one.copy.get("arrived") or one.copy.get("at_hand") or _is_adopted(one, adopting)
    if one.copy.get("verdict") != "current" and not there:
        kept = sum(bool(copy.get("retained")) for copy in one.copy.get("copies", ()))
        reclaimable = one.copy.get("leftover_bytes", 0)
        yield from target_space(one.provider, template.needs.size, reclaimable=reclaimable, kept=kept)


def _is_adopted(one: Shown, adopting: Collection[str]) -> bool:
    """Whether a copy that is there has lost its stamp and is to get it again."""
    unstamped = any(copy.get("verified") and not copy.get("stamped", True) for copy in one.copy.get("copies", ()))
    return unstamped and one.name in adopting


def _examined(step: Step) -> Step:
    """A copy that looks right is read, too."""
    if not step.listed or step.stopped or step.facts["copy"] != "current":
        return step
    return replace(step, action=EXAMINE, why="read the copy that is there and compare it with the export")


def _step(
    one: Shown,
    template: Template,
    listing: Listing,
    found: list[Finding],
    stop: Finding | None,
    adopting: Collection[str],
) -> Step:
    listed, leaving = one.name in listing.targets, one.name in listing.leaving or one.name in listing.empty
    verdict = str(one.copy.get("verdict", "unknown"))
    facts = {
        "answers": one.answers,
        "listed": listed,
        "leaving": leaving and not listed,
        "copy": verdict if template.revision is not None else "unknown",
        "joining": one.name in listing.record.joining,
        "due": listed and verdict != "current",
        "tried": None,
        "working": False,
    }
    step = Step(
        name=one.name,
        action=NOTHING,
        listed=listed,
        why="",
        findings=tuple(found),
        facts=facts,
        failure=one.error,
        holds=has_anything(one.copy),
        reason=one.copy.get("reason"),
        reasons=tuple(one.copy.get("reasons", ())),
        adopt=_is_adopted(one, adopting),
        guests=one.guests,
    )
    if one.name in listing.refused:
        return _stopped(replace(step, findings=(), failure=None, refused=True), listing.refused[one.name])
    if not listed:
        return _leaving_step(step, listing, _computer(one)) if leaving else _left_alone(step)
    step = replace(step, findings=(*found, *obstacle_findings(one.name, one.copy, adopted=step.adopt)))
    twice = any(finding.code == SAME_COMPUTER for finding in found)
    if verdict == "current" and not twice:
        leftovers = any(not leftover.get("stuck") for leftover in one.copy.get("leftovers", ()))
        leftovers = leftovers or any(copy.get("removable") for copy in one.copy.get("copies", ()))
        return replace(
            step, action=CLEAN if leftovers else NOTHING, why="clean leftovers" if leftovers else "up to date"
        )
    if twice:  # the copy there is that of the other name
        step = replace(step, facts={**facts, "copy": "unknown", "due": True})
    if step.error is not None:
        return _stopped(step, None)
    if stop is not None:
        return _stopped(step, stop)
    if one.copy.get("at_hand"):
        return replace(step, action=TAKE, why=_why_taken(one.copy, verdict))
    return replace(step, action=COPY, why=_why(one, verdict))


def _left_alone(step: Step) -> Step:
    holds = "; holds a copy that is left alone" if step.holds else ""
    return replace(step, why=f"not in the list{holds}")


def _left_out(step: Step) -> Step:
    return replace(step, why="left out of the list; fanout.hyperv.add takes it in later", left_out=True)


def _leaving_step(step: Step, listing: Listing, computers: Mapping[str, str]) -> Step:
    """The plan for a provider that leaves: what stands in the way of a copy does not matter there."""
    step = replace(step, leaving=True)
    if not step.facts["answers"]:
        return _stopped(step, None)
    step = replace(step, findings=())
    if step.name not in listing.empty:
        return replace(step, action=TAKE_AWAY, why="remove the copy")
    other = same_as_listed(listing.record, step.name, computers)
    why = "nothing of the template is there" if other is None else f"the same computer as {other}, whose copy stays"
    return replace(step, why=why, facts={**step.facts, "leaving": False})


def _computer(one: Shown) -> dict[str, str]:
    return {} if one.provider is None else {one.name: one.provider.computer.identity}


def _why(one: Shown, verdict: str) -> str:
    reasons = " ".join(one.copy.get("reasons", ()))
    if verdict == "none":
        return "a copy has arrived and is not verified yet" if one.copy.get("arrived") else "no copy"
    word = "older revision" if verdict == "older" else "differs"
    return f"{word}: {reasons}" if reasons else word


def _why_taken(copy: Mapping[str, t.Any], verdict: str) -> str:
    if copy["at_hand"].get("superseded"):
        return "the copy of it that was kept becomes the current one"
    return "a verified copy only has to be named" if verdict == "none" else " ".join(copy.get("reasons", ()))


def _stopped(step: Step, finding: Finding | None) -> Step:
    """Nothing can be done for this provider in this run; the reason is its first error."""
    findings = step.findings if finding is None else (*step.findings, replace(finding, provider=step.name))
    first = next(found for found in findings if found.severity == ERROR)
    facts = {**step.facts, "tried": None if step.facts["answers"] is False else "failed"}
    return replace(step, action=NOTHING, why=first.what, findings=findings, facts=facts, stopped=True)


__all__ = (
    "CLEAN",
    "COPY",
    "EXAMINE",
    "NOTHING",
    "TAKE",
    "TAKE_AWAY",
    "Plan",
    "Step",
    "Template",
    "make_plan",
)
