# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""From what the survey shows to what is to be done on each provider. Pure functions over plain values."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.fanout.hyperv.plugins.module_utils._objects_host import (
    Computer,
    HostSettings,
    Switch,
    Volume,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import LONGEST_PATH, volume_of
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import (
    ERROR,
    WARNING,
    Finding,
    Needs,
    Provider,
    clones_that_fit,
    conflict_findings,
    free_at,
    gib,
    provider_findings,
    room_for,
    target_space,
    unreachable,
)

Values = dict[str, t.Any]

NOTHING, COPY, CLEAN = "none", "copy", "clean"
SAME_COMPUTER = "SAME_COMPUTER"

NOT_ELIGIBLE = frozenset(
    [
        "SUBTYPE_DIFFERS",
        SAME_COMPUTER,
        "MIGRATION_DISABLED",
        "MIGRATION_NO_NETWORK",
        "MIGRATION_AUTHENTICATION_DIFFERS",
        "VM_VERSION_UNSUPPORTED",
        "SWITCH_MISSING",
    ]
)
"""Findings that keep a provider out of a list which is made of all eligible ones: what the provider is, not what was
asked for, such as a path."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """The template as the source shows it. ``revision`` is None when its disks cannot be read now."""

    id: str
    name: str
    revision: str | None
    needs: Needs
    findings: tuple[Finding, ...]
    targets: tuple[str, ...] | None
    multi_provider: bool
    export_complete: bool


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the survey brought of one provider: the provider and its copies, or why there was no answer.

    ``silent`` tells a provider that did not answer from one whose survey failed for another reason.
    """

    name: str
    provider: Provider | None
    copy: Mapping[str, t.Any] = field(default_factory=dict)
    error: Mapping[str, t.Any] | None = None
    migration_host: str = ""
    silent: bool = True

    @property
    def answers(self) -> bool | None:
        """Whether the provider answers, as far as the survey tells."""
        if self.provider is not None:
            return True
        return False if self.silent else None


@dataclass(frozen=True, kw_only=True)
class Step:
    """The plan for one provider."""

    name: str
    action: str
    listed: bool
    why: str
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, t.Any] = field(default_factory=dict)
    failure: Mapping[str, t.Any] | None = None
    stopped: bool = False

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

    targets: tuple[str, ...]
    declare: bool
    export_needed: bool
    clones: int
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]


def provider_from_survey(name: str, survey: Mapping[str, t.Any]) -> Provider:
    """The typed view of what ``host_info`` returned."""
    host = survey["host"]
    return Provider(
        name=name,
        settings=HostSettings(**host["settings"]),
        computer=Computer(**host["computer"]),
        volumes=tuple(Volume(**volume) for volume in host["volumes"]),
        switches=tuple(Switch(**switch) for switch in host["switches"]),
        migration_networks=tuple(host["migration_networks"]),
        path=survey["target_path"],
    )


def shown_from_survey(name: str, survey: Mapping[str, t.Any]) -> Shown:
    """The typed view of one provider's survey, answered or not."""
    if not survey.get("reachable"):
        error = survey.get("error") or {"code": "NO_SURVEY", "message": f"{name} was not surveyed."}
        return Shown(name=name, provider=None, error=error, silent=not survey.get("failed"))
    provider = provider_from_survey(name, survey)
    return Shown(name=name, provider=provider, copy=survey.get("copy") or {}, migration_host=provider.computer.fqdn)


def same_computer(shown: Sequence[Shown], source: Provider) -> Iterator[Finding]:
    """Inventory names that mean a computer which another name (or the source) means already."""
    owner = {source.computer.identity: source.name}
    for one in shown:
        if one.provider is None:
            continue
        first = owner.setdefault(one.provider.computer.identity, one.name)
        if first != one.name:
            yield Finding(
                severity=ERROR,
                provider=one.name,
                code=SAME_COMPUTER,
                what=f"{one.name} and {first} are the same computer ({one.provider.computer.fqdn}).",
                remedy=f"Remove one of the two names from the list; the source {source.name} is never a target.",
            )


def distribution_list(
    template: Template, wanted: Sequence[str] | None, candidates: Sequence[str], ineligible: Iterable[str]
) -> tuple[str, ...]:
    """Who is to hold the template: what was asked for, else what is recorded, else all eligible providers."""
    if wanted is not None:
        return tuple(dict.fromkeys(wanted))
    if template.targets is not None:
        return template.targets
    left_out = set(ineligible)
    return tuple(name for name in candidates if name not in left_out)


def make_plan(
    *,
    template: Template,
    source: Provider,
    shown: Sequence[Shown],
    wanted: Sequence[str] | None,
    candidates: Sequence[str],
    concurrency: int,
) -> Plan:
    """Decide for every surveyed provider; ``candidates`` are the inventory's providers without the source."""
    found = {one.name: list(_findings(one, template, source)) for one in shown}
    for finding in same_computer(shown, source):
        found[str(finding.provider)].insert(0, finding)
    ineligible = {name for name, findings in found.items() if any(_excludes(finding) for finding in findings)}
    targets = distribution_list(template, wanted, candidates, ineligible)
    nowhere = _staging_finding(source, template.needs)
    general = (*template.findings, *([] if nowhere is None else [nowhere]))
    stop = next((finding for finding in general if finding.severity == ERROR), None)
    steps = [_step(one, template, one.name in targets, found[one.name], stop) for one in shown]
    copies = sum(step.action == COPY for step in steps)
    export_needed = copies > 0 and not template.export_complete
    clones, space = _source_room(source, template, export_needed, min(concurrency + 1, copies))
    if space is not None:
        steps = [_stopped(step, space) if step.action == COPY else step for step in steps]
        export_needed = False
    declared = template.targets == targets
    return Plan(
        targets=targets,
        declare=not declared and template.multi_provider and nowhere is None and bool(targets),
        export_needed=export_needed,
        clones=clones,
        steps=tuple(steps),
        findings=(*general, *_limit_findings(source, concurrency, copies)),
    )


def _staging_finding(source: Provider, needs: Needs) -> Finding | None:
    """Why the staging folder cannot be where it is said to be: then not even the record is written."""
    # \fanout\<36>\<12>\export\<name>\Virtual Machines\<36>.vmcx, or ...\Virtual Hard Disks\<file>
    disk = max((len(name) for name in needs.disk_names), default=0)
    inner = max(len("\\Virtual Machines\\") + 41, len("\\Virtual Hard Disks\\") + disk)
    length = len(source.path) + len("\\fanout\\") + 36 + 1 + 12 + len("\\export\\") + len(needs.name) + inner
    if volume_of(source.path, [volume.name for volume in source.volumes]) is None:
        code, what = "PATH_VOLUME_MISSING", f"{source.name} has no volume for the staging folder {source.path}."
        remedy = "Create it there or choose another path (distribute_staging_path), then run again."
    elif length > LONGEST_PATH:
        code = "PATH_TOO_LONG"
        what = (
            f"The export of {needs.name} below {source.path} on {source.name} would have paths of {length} characters, "
            f"more than {LONGEST_PATH}."
        )
        remedy = "Choose a shorter path (distribute_staging_path) or a shorter name of the VM, then run again."
    else:
        return None
    return Finding(severity=ERROR, provider=source.name, code=code, what=what, remedy=remedy)


def _excludes(finding: Finding) -> bool:
    return finding.severity == ERROR and finding.code in NOT_ELIGIBLE


def _findings(one: Shown, template: Template, source: Provider) -> Iterator[Finding]:
    if one.provider is None:
        yield unreachable(one.name, one.error or {})
        return
    yield from provider_findings(one.provider, source, template.needs)
    yield from conflict_findings(one.name, template.name, one.copy.get("conflicts", ()))
    if one.copy.get("verdict") != "current" and not one.copy.get("arrived"):
        yield from target_space(one.provider, template.needs.size, reclaimable=one.copy.get("leftover_bytes", 0))


def _step(one: Shown, template: Template, listed: bool, found: list[Finding], stop: Finding | None) -> Step:
    verdict = str(one.copy.get("verdict", "unknown"))
    facts = {
        "answers": one.answers,
        "listed": listed,
        "leaving": False,
        "copy": verdict if template.revision is not None else "unknown",
        "joining": not one.copy.get("copies"),
        "due": listed and verdict != "current",
        "tried": None,
        "working": False,
    }
    step = Step(
        name=one.name, action=NOTHING, listed=listed, why="", findings=tuple(found), facts=facts, failure=one.error
    )
    if not listed:
        holds = bool(one.copy.get("copies"))
        return replace(step, why="not in the list; holds a copy that is left alone" if holds else "not in the list")
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
    return replace(step, action=COPY, why=_why(one, verdict))


def _why(one: Shown, verdict: str) -> str:
    reasons = "; ".join(one.copy.get("reasons", ()))
    if one.copy.get("arrived"):
        return "a copy has arrived and is not verified yet"
    return {"none": "no copy", "older": "older revision"}.get(verdict, "differs") + (f": {reasons}" if reasons else "")


def _stopped(step: Step, finding: Finding | None) -> Step:
    """Nothing can be done for this provider in this run; the reason is its first error."""
    findings = step.findings if finding is None else (*step.findings, replace(finding, provider=step.name))
    first = next(found for found in findings if found.severity == ERROR)
    facts = {**step.facts, "tried": None if step.facts["answers"] is False else "failed"}
    return replace(step, action=NOTHING, why=first.what, findings=findings, facts=facts, stopped=True)


def _source_room(source: Provider, template: Template, export_needed: bool, wanted: int) -> tuple[int, Finding | None]:
    """How many clones the source has room for; a finding when there is not even room for one."""
    free = free_at(source.path, source.volumes)
    if wanted == 0 or free is None:
        return wanted, None
    size = template.needs.size
    clones = clones_that_fit(free, size, export_needed=export_needed, wanted=wanted)
    if clones > 0:
        return clones, None
    needed = room_for(size) * (2 if export_needed else 1)
    return 0, Finding(
        severity=ERROR,
        provider=source.name,
        code="SPACE_SOURCE",
        what=f"{source.name} has {gib(free)} free for {source.path}; export and one clone need {gib(needed)}.",
        remedy="Make room there or choose another path (distribute_staging_path), then run again.",
    )


def _limit_findings(source: Provider, concurrency: int, copies: int) -> Iterator[Finding]:
    limit = min(source.settings.maximum_migrations, source.settings.maximum_storage_migrations)
    if copies > limit and concurrency > limit:
        yield Finding(
            severity=WARNING,
            provider=source.name,
            code="MIGRATION_LIMIT",
            what=f"{source.name} allows {limit} simultaneous migrations, fewer than the {concurrency} asked for.",
            remedy=(
                f"Set-VMHost -MaximumVirtualMachineMigrations {concurrency} -MaximumStorageMigrations {concurrency}; "
                "until then copies wait for each other."
            ),
        )


__all__ = (
    "CLEAN",
    "COPY",
    "NOTHING",
    "Plan",
    "Shown",
    "Step",
    "Template",
    "distribution_list",
    "make_plan",
    "provider_from_survey",
    "same_computer",
    "shown_from_survey",
)
