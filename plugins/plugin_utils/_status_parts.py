# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The parts of the status document, each as a frozen dataclass: what docs/status_file.md describes field by field."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import FAILED, NEEDS_UPDATE, Verdict

RUNNING, FINISHED, INTERRUPTED = "running", "finished", "interrupted"
DISTRIBUTION, SURVEY = "distribution", "survey"
ERROR_KEYS = ("code", "layer", "message", "cause", "remedy", "transient", "raw")
LAYERS = ("input", "connection", "authentication", "protocol", "host", "hyperv", "distribution")
LONGEST_TEXT = 4000
PHASES_KEPT = 24
"""Phases of a provider, the oldest are forgotten: about four tries."""

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)

Values = dict[str, t.Any]


class Damaged(ValueError):
    """What was read is not a status document of a schema that this version knows."""


def utc(now: float) -> str:
    """Seconds since 1970 as they stand in the document."""
    return datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: t.Any) -> float:
    """The way back; Damaged when it is no time."""
    if not isinstance(text, str) or not TIME.fullmatch(text):
        raise Damaged(f"{text!r} is not a time")
    try:
        return datetime.fromisoformat(f"{text[:-1]}+00:00").timestamp()
    except ValueError:
        raise Damaged(f"{text!r} is not a time") from None


def error_of(values: Mapping[str, t.Any]) -> Values:
    """An error as it stands in the document: these keys and no others, texts of bounded length."""
    error: Values = {key: values.get(key) for key in ERROR_KEYS}
    for key in ("code", "layer", "message", "cause", "remedy", "raw"):
        error[key] = None if error[key] is None else str(error[key])[:LONGEST_TEXT]
    error["code"] = error["code"] or "UNKNOWN"
    error["layer"] = error["layer"] if error["layer"] in LAYERS else "distribution"
    error["message"] = error["message"] or error["code"]
    error["transient"] = bool(error["transient"])
    return error


def interruption(phase: str | None, percent: float | None) -> Values:
    """The error of a copy whose run did not live to see its end."""
    where = f" while {phase}" if phase else ""
    amount = "" if percent is None else f" ({percent:.0f} %)"
    return error_of(
        {
            "code": "INTERRUPTED",
            "layer": "distribution",
            "message": f"The run ended{where}{amount}; how the work on the hosts went on is not known.",
            "remedy": "Run the same playbook again: it adopts a move that still runs, or cleans up and copies anew.",
            "transient": True,
        }
    )


@dataclass(frozen=True, kw_only=True)
class Template:
    """The VM that is distributed. ``revision`` is what providers should hold; ``pinned``: whatever the VM is by now."""

    name: str
    source: str
    id: str | None = None
    revision: str | None = None
    maintenance: bool = False
    pinned: bool = False


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a playbook. ``updated`` is its heartbeat; ``node`` and ``id`` lead to its lock.

    ``kind`` is ``survey`` for a run that only asked the hosts. ``copied`` and ``failed`` are providers,
    ``bytes_copied`` is what their copies hold.
    """

    id: str
    started: str
    updated: str
    finished: str | None = None
    state: str = RUNNING
    kind: str = DISTRIBUTION
    copied: int = 0
    failed: int = 0
    bytes_copied: int = 0
    pid: int | None = None
    node: str | None = None
    awx_job_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Something that was done from ``started`` on; ``finished`` is None while it still is."""

    phase: str
    started: str
    finished: str | None = None


def closed(phases: Iterable[Phase], at: str) -> tuple[Phase, ...]:
    """Phases of which none goes on any more."""
    return tuple(replace(one, finished=max(at, one.started)) if one.finished is None else one for one in phases)


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Bytes per second of all copies of a run together, one number for every ``every`` seconds from ``started`` on."""

    run: str
    started: str
    every: int
    rates: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """How far something is that moves bytes."""

    phase: str | None = None
    percent: float | None = None
    bytes_done: int | None = None
    bytes_total: int | None = None
    rate: int | None = None
    eta: str | None = None


@dataclass(frozen=True, kw_only=True)
class Provider(Transfer):
    """One provider: its state and progress, and how far the copy is. ``run`` wrote the entry last.

    ``reason`` is a word for programs that says why an update is needed, ``reasons`` are sentences for people.
    """

    state: str
    progress: str
    revision: str | None = None
    served_by: str | None = None
    attempts: int = 0
    since: str | None = None
    started: str | None = None
    finished: str | None = None
    error: Values | None = None
    reason: str | None = None
    reasons: tuple[str, ...] = ()
    findings: tuple[Values, ...] = ()
    guests: Values | None = None
    phases: tuple[Phase, ...] = ()
    run: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Both words."""
        return Verdict(self.state, self.progress)

    @property
    def shown_percent(self) -> float | None:
        """How far the copy is that counts: that of an earlier one says nothing about a provider that needs another."""
        return None if self.state == NEEDS_UPDATE and self.phase is None and self.percent == 100 else self.percent

    def cut_off(self, at: str | None) -> Provider:
        """As it looks when the run that copied has died; ``at`` is when it was last heard of."""
        error = interruption(self.phase, self.percent)
        phases = self.phases if at is None else closed(self.phases, at)
        return replace(self, progress=FAILED, phase=None, rate=None, eta=None, error=error, phases=phases)


__all__ = (
    "DISTRIBUTION",
    "ERROR_KEYS",
    "FINISHED",
    "INTERRUPTED",
    "LAYERS",
    "LONGEST_TEXT",
    "PHASES_KEPT",
    "RUNNING",
    "SURVEY",
    "Damaged",
    "Phase",
    "Provider",
    "Run",
    "Template",
    "Throughput",
    "Transfer",
    "closed",
    "error_of",
    "interruption",
    "seconds",
    "utc",
)
