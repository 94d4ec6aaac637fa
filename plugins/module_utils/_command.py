# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent to a host and what comes back, as plain values."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import ErrorRecord, InvalidInput

# Cmdlets with these verbs change nothing: when an answer is lost, they may be sent again without asking.
READING_VERBS = frozenset(
    (
        "Compare",
        "ConvertFrom",
        "ConvertTo",
        "Get",
        "Group",
        "Join",
        "Measure",
        "Resolve",
        "Select",
        "Sort",
        "Split",
        "Test",
        "Write",  # here it gives the next cmdlet its input, and writes nowhere else
    )
)


@dataclass(frozen=True)
class Command:
    """One cmdlet and its parameters. ``command()`` is the short way to make one."""

    name: str
    parameters: t.Mapping[str, t.Any] = field(default_factory=dict, repr=False)
    module: str | None = None

    def __post_init__(self) -> None:
        for name, value in self.parameters.items():
            if value is None:
                raise InvalidInput(f"{self.name} -{name}: a parameter without a value is left out, not sent as null")

    @property
    def full_name(self) -> str:
        """With its module, where that is given: then no function or alias of the bare name stands in for it."""
        return f"{self.module}\\{self.name}" if self.module else self.name

    @property
    def reads(self) -> bool:
        return self.name.partition("-")[0] in READING_VERBS


def command(name: str, /, **parameters: t.Any) -> Command:
    """``command("Get-VM", Id=vm_id)``; a parameter whose value is None is left out."""
    return Command(name, {key: value for key, value in parameters.items() if value is not None})


@dataclass(frozen=True)
class ProgressRecord:
    """What a cmdlet says about how far it is. The texts are in the host's language."""

    activity: str
    status: str | None = None
    percent: int | None = None
    operation: str | None = None
    seconds_left: int | None = None
    completed: bool = False
    activity_id: int = 0
    parent_id: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What a pipeline gave: its objects, and the errors it reported (the last one may be terminating)."""

    objects: list[t.Any]
    errors: tuple[ErrorRecord, ...] = ()

    @property
    def failed(self) -> bool:
        return any(record.terminating for record in self.errors)


__all__ = ["READING_VERBS", "Command", "Outcome", "ProgressRecord", "command"]
