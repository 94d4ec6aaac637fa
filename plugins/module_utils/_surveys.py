# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The typed view of what the surveys of the providers brought."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.fanout.hyperv.plugins.module_utils._objects_host import (
    Computer,
    HostSettings,
    MigrationJob,
    PlannedVM,
    Switch,
    Volume,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import ERROR, Finding, Provider

SAME_COMPUTER = "SAME_COMPUTER"
CMDLET_MISSING = "CMDLET_MISSING"
"""The survey's code where a cmdlet is not there; the first ones that it asks for are Hyper-V's."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the survey brought of one provider: the provider and its copies, or why there was no answer.

    ``copies`` is what it holds by template id, when several were asked about; ``copy`` is that of the one in question.
    ``silent`` tells a provider that did not answer from one whose survey failed for another reason.
    """

    name: str
    provider: Provider | None
    copy: Mapping[str, t.Any] = field(default_factory=dict)
    copies: Mapping[str, Mapping[str, t.Any]] = field(default_factory=dict)
    error: Mapping[str, t.Any] | None = None
    migration_host: str = ""
    silent: bool = True

    def of(self, template_id: str) -> Shown:
        """The same, looked at for one of the templates."""
        return replace(self, copy=self.copies.get(template_id, {})) if self.copies else self

    @property
    def guests(self) -> Mapping[str, int] | None:
        """How many guests of the template it has, and how many of them are outdated; None when nobody knows."""
        told = self.copy.get("guests")
        return None if told is None else {key: int(told[key]) for key in ("count", "outdated")}

    @property
    def answers(self) -> bool | None:
        """Whether the provider answers, as far as the survey tells."""
        if self.provider is not None:
            return True
        return False if self.silent else None


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
        auth=host.get("auth", ""),
        endpoint=host.get("endpoint", ""),
        jobs=tuple(MigrationJob(**job) for job in host.get("jobs", ())),
        planned_vms=tuple(PlannedVM(**vm) for vm in host.get("planned_vms", ())),
    )


def shown_from_survey(name: str, survey: Mapping[str, t.Any]) -> Shown:
    """The typed view of one provider's survey, answered or not."""
    if not survey.get("reachable"):
        return Shown(name=name, provider=None, error=_why_nothing(name, survey), silent=_is_silent(survey))
    provider = provider_from_survey(name, survey)
    return Shown(
        name=name,
        provider=provider,
        copy=survey.get("copy") or {},
        copies=survey.get("copies") or {},
        migration_host=provider.computer.fqdn,
    )


def _is_silent(survey: Mapping[str, t.Any]) -> bool:
    """Whether the provider gave no answer. ``failed`` says nothing: the role's ``failed_when`` has the last word."""
    if "reachable" in survey or survey.get("unreachable"):
        return True
    return not (survey.get("error") or survey.get("msg")) or bool(survey.get("skipped"))


def _why_nothing(name: str, survey: Mapping[str, t.Any]) -> Mapping[str, t.Any]:
    """Why there is no survey, as its error says it, or Ansible's own message."""
    error: Mapping[str, t.Any] | None = survey.get("error")
    if error is None:
        code = "UNREACHABLE" if survey.get("unreachable") else "NO_SURVEY"
        return {"code": code, "message": survey.get("msg") or f"{name} was not surveyed."}
    return _without_hyperv(name, error) if error.get("code") == CMDLET_MISSING else error


def _without_hyperv(name: str, error: Mapping[str, t.Any]) -> Mapping[str, t.Any]:
    """That a cmdlet is not known says little to who does not know what Hyper-V consists of."""
    return {
        **error,
        "message": f"Hyper-V or its PowerShell module is not installed on {name}, or the session's endpoint hides it.",
        "cause": error.get("message"),
        "remedy": f"On {name}: Install-WindowsFeature Hyper-V -IncludeManagementTools, then restart it. On a JEA "
        "endpoint, make the cmdlets of this collection's role capability visible. Or leave it out of the list.",
    }


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


__all__ = ("SAME_COMPUTER", "Shown", "provider_from_survey", "same_computer", "shown_from_survey")
