# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The words of a distribution, and the one place that decides which of them is true."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

READY = "Ready"
NOT_AVAILABLE = "Not available"
NEEDS_UPDATE = "Needs update"
STATES = (READY, NOT_AVAILABLE, NEEDS_UPDATE)

OK = "OK"
DISTRIBUTING = "Distributing"
ADDING = "Adding provider"
REMOVING = "Removing provider"
FAILED = "Failed to distribute"
PROGRESS = (OK, DISTRIBUTING, ADDING, REMOVING, FAILED)

COPYING = frozenset({DISTRIBUTING, ADDING})
"""A copy is under way."""

Copy = t.Literal["current", "none", "older", "differs", "unknown"]
COPIES: tuple[Copy, ...] = ("current", "none", "older", "differs", "unknown")
Tried = t.Literal["ok", "failed"]
TRIED: tuple[Tried, ...] = ("ok", "failed")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a provider.

    ``answers`` is None before it was asked; ``copy`` is what lies there; ``joining`` says that the copy under way is
    the first one since the provider joined the list; ``due`` that this run should have copied to it; ``tried`` how the
    try of this run ended; ``working`` that a copy is under way.
    """

    answers: bool | None = None
    listed: bool = True
    leaving: bool = False
    copy: Copy = "unknown"
    joining: bool = False
    due: bool = False
    tried: Tried | None = None
    working: bool = False

    def updated(self, report: Mapping[str, t.Any]) -> Facts:
        """With what a report says; words and types that do not exist are refused with ValueError."""
        return replace(self, **{key: _checked(key, value) for key, value in report.items()})


_CHOICES: dict[str, tuple[str | None, ...]] = {"copy": COPIES, "tried": (None, *TRIED)}
_FLAGS = frozenset(item.name for item in fields(Facts)) - _CHOICES.keys()


def _checked(key: str, value: t.Any) -> t.Any:
    if key in _CHOICES:
        if value not in _CHOICES[key]:
            raise ValueError(f"a provider's {key!r} cannot be {value!r}")
        return value
    if key not in _FLAGS:
        raise ValueError(f"a provider has no {key!r}")
    if not (isinstance(value, bool) or (key == "answers" and value is None)):
        raise ValueError(f"a provider's {key!r} is true or false, not {value!r}")
    return value


class Verdict(t.NamedTuple):
    """A provider's state and progress."""

    state: str
    progress: str


def judge(facts: Facts, last_known: Verdict | None = None) -> Verdict:
    """The provider's state and progress; ``last_known`` is what the status file said before this run."""
    return Verdict(_state(facts, last_known), _progress(facts, last_known))


def _state(facts: Facts, last_known: Verdict | None) -> str:
    if facts.answers is False:
        return NOT_AVAILABLE
    if facts.answers is None and not facts.working:
        return last_known.state if last_known else NEEDS_UPDATE
    under_way = facts.working and not facts.leaving
    return READY if facts.copy == "current" and not under_way else NEEDS_UPDATE


def _progress(facts: Facts, last_known: Verdict | None) -> str:
    if facts.leaving:
        return REMOVING
    if facts.answers is False or (facts.answers is None and not facts.working):
        return _unseen(facts, last_known)
    if facts.working:
        return ADDING if facts.joining else DISTRIBUTING
    if facts.copy == "current":
        return OK
    return _outcome(facts, last_known)


def _unseen(facts: Facts, last_known: Verdict | None) -> str:
    """The progress of a provider that shows nothing."""
    if facts.tried == "failed" or (facts.answers is False and facts.due):
        return FAILED
    if last_known is None or last_known.progress == REMOVING:  # the provider is not leaving any more
        return OK
    return last_known.progress


def _outcome(facts: Facts, last_known: Verdict | None) -> str:
    """The progress of a provider that needs a copy while none is under way."""
    if facts.tried is not None:
        return OK if facts.tried == "ok" else FAILED
    # a copy that was under way when it was last looked at, and is not any more, has failed
    failed = last_known is not None and last_known.progress in (FAILED, *COPYING)
    return FAILED if failed else OK


def template_distribution(progress: Iterable[str]) -> str:
    """The template's word from its providers' ones.

    A provider that is due and not available counts as failed: that is what ``judge`` says of it.
    """
    words = set(progress)
    for word in (DISTRIBUTING, ADDING, REMOVING, FAILED):
        if word in words:
            return word
    return OK


__all__ = (
    "ADDING",
    "COPIES",
    "COPYING",
    "DISTRIBUTING",
    "FAILED",
    "NEEDS_UPDATE",
    "NOT_AVAILABLE",
    "OK",
    "PROGRESS",
    "READY",
    "REMOVING",
    "STATES",
    "TRIED",
    "Copy",
    "Facts",
    "Tried",
    "Verdict",
    "judge",
    "template_distribution",
)
