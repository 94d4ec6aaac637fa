# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The status document: what one template's distribution looks like, as data. Its schema is docs/status.schema.json."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timezone

from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import (
    ADDING,
    COPYING,
    DISTRIBUTING,
    FAILED,
    NEEDS_UPDATE,
    NOT_AVAILABLE,
    OK,
    PROGRESS,
    REMOVING,
    STATES,
    Verdict,
    template_distribution,
)

SCHEMA = 1
RUNS_KEPT = 10
RUNNING, FINISHED, INTERRUPTED = "running", "finished", "interrupted"
ERROR_KEYS = ("code", "layer", "message", "cause", "remedy", "transient", "raw")
LAYERS = ("input", "connection", "authentication", "protocol", "host", "hyperv", "distribution")
LONGEST_TEXT = 4000
TIMES = frozenset({"started", "updated", "finished", "since", "eta"})

Values = dict[str, t.Any]


class Damaged(ValueError):
    """What was read is not a status document of a schema that this version knows."""


def utc(now: float) -> str:
    """Seconds since 1970 as they stand in the document."""
    return datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: t.Any) -> float:
    """The way back; Damaged when it is no time."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    except (TypeError, ValueError):
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
    """The VM that is distributed."""

    name: str
    source: str
    id: str | None = None
    revision: str | None = None
    maintenance: bool = False


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a playbook. ``updated`` is its heartbeat; ``node`` and ``id`` lead to its lock."""

    id: str
    started: str
    updated: str
    finished: str | None = None
    state: str = RUNNING
    pid: int | None = None
    node: str | None = None
    awx_job_id: str | None = None


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
    """One provider: its state and progress, and how far the copy is. ``run`` wrote the entry last."""

    state: str
    progress: str
    revision: str | None = None
    served_by: str | None = None
    attempts: int = 0
    since: str | None = None
    started: str | None = None
    finished: str | None = None
    error: Values | None = None
    reasons: tuple[str, ...] = ()
    findings: tuple[Values, ...] = ()
    run: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Both words."""
        return Verdict(self.state, self.progress)

    def cut_off(self) -> Provider:
        """As it looks when the run that copied has died."""
        error = interruption(self.phase, self.percent)
        return replace(self, progress=FAILED, phase=None, rate=None, eta=None, error=error)


@dataclass(frozen=True, kw_only=True)
class Document:
    """Everything. ``runs`` has the last runs, newest first; ``export`` is there while the source exports."""

    template: Template
    concurrency: int | None = None
    runs: tuple[Run, ...] = ()
    providers: Mapping[str, Provider] = field(default_factory=dict)
    export: Transfer | None = None
    error: Values | None = None

    @property
    def run(self) -> Run:
        """The run that speaks for the document: one that is running before one that ended, then the newest."""
        return next((run for run in self.runs if run.state == RUNNING), self.runs[0])

    @property
    def distribution(self) -> str:
        """The template's word."""
        return template_distribution(provider.progress for provider in self.providers.values())

    @property
    def all_ok(self) -> bool:
        """Every provider holds what it should."""
        return self.error is None and self.summary()["ok"] == len(self.providers)

    def summary(self) -> dict[str, int]:
        """How many providers are how; each is counted once besides ``providers``."""
        counts = dict.fromkeys(
            ("ok", "distributing", "adding", "removing", "needs_update", "failed", "not_available"), 0
        )
        for provider in self.providers.values():
            counts[_kind(provider)] += 1
        return {"providers": len(self.providers), **counts}

    def to_dict(self) -> Values:
        """As it is written."""
        return {
            "schema": SCHEMA,
            "template": asdict(self.template),
            "distribution": self.distribution,
            "concurrency": self.concurrency,
            "summary": self.summary(),
            "run": asdict(self.run),
            "export": asdict(self.export) if self.export else None,
            "error": self.error,
            "providers": {name: _plain(provider) for name, provider in sorted(self.providers.items())},
            "runs": [asdict(run) for run in self.runs],
        }

    @classmethod
    def from_dict(cls, data: t.Any) -> Document:
        """As it was read; Damaged when it cannot be one."""
        values = _mapping(data, "the document")
        if values.get("schema") != SCHEMA:
            raise Damaged(f"its schema is {values.get('schema')!r}, not {SCHEMA}")
        providers = _mapping(values.get("providers"), "providers")
        export = values.get("export")
        error = values.get("error")
        runs = values.get("runs")
        if not isinstance(runs, list) or not runs:
            raise Damaged("it knows of no run")
        return cls(
            template=_build(Template, values.get("template"), "the template"),
            concurrency=values.get("concurrency") if _is_count(values.get("concurrency")) else None,
            runs=tuple(_build(Run, run, "a run") for run in runs[:RUNS_KEPT]),
            providers={str(name): _provider(entry, str(name)) for name, entry in providers.items()},
            export=None if export is None else _build(Transfer, export, "the export"),
            error=None if error is None else error_of(_mapping(error, "the error")),
        )

    def seen(self, alive: Callable[[Run], bool]) -> Document:
        """What a reader should take from it: runs that died are interrupted, and nothing is under way in them."""
        runs = tuple(
            replace(run, state=INTERRUPTED) if run.state == RUNNING and not alive(run) else run for run in self.runs
        )
        live = {run.id for run in runs if run.state == RUNNING}
        providers = {
            name: entry.cut_off() if entry.progress in COPYING and entry.run not in live else entry
            for name, entry in self.providers.items()
        }
        return replace(self, runs=runs, providers=providers, export=self.export if live else None)


def _kind(provider: Provider) -> str:
    if provider.state == NOT_AVAILABLE:
        return "not_available"
    kinds = {DISTRIBUTING: "distributing", ADDING: "adding", REMOVING: "removing", FAILED: "failed"}
    return kinds.get(provider.progress) or ("needs_update" if provider.state == NEEDS_UPDATE else "ok")


def _plain(provider: Provider) -> Values:
    values = asdict(provider)
    values["reasons"] = list(provider.reasons)
    values["findings"] = list(provider.findings)
    return values


def _mapping(value: t.Any, what: str) -> Mapping[str, t.Any]:
    if not isinstance(value, Mapping):
        raise Damaged(f"{what} is not an object")
    return value


def _is_count(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


T = t.TypeVar("T", Template, Run, Transfer, Provider)

_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "int | None": (int, type(None)),
    "float | None": (int, float, type(None)),
    "bool": (bool,),
    "Values | None": (dict, type(None)),
    "tuple[str, ...]": (list,),
    "tuple[Values, ...]": (list,),
}


def _build(cls: type[T], value: t.Any, what: str) -> T:
    """A part of the document from what was read. Keys that are not known are a later version's, and left out."""
    given = _mapping(value, what)
    known = {item.name: item for item in fields(cls)}
    values = {key: given[key] for key in known if key in given}
    for key, item in values.items():
        if not isinstance(item, _TYPES[str(known[key].type)]):
            raise Damaged(f"{what} has a wrong {key!r}")
        if isinstance(item, list):
            values[key] = tuple(item)
        if key in TIMES and item is not None:
            seconds(item)
    try:
        built = cls(**values)
    except TypeError as error:
        raise Damaged(f"{what} is not complete: {error}") from None
    return built


def _provider(value: t.Any, name: str) -> Provider:
    built = _build(Provider, value, f"provider {name!r}")
    if built.state not in STATES or built.progress not in PROGRESS:
        raise Damaged(f"provider {name!r} is {built.state!r}, {built.progress!r}")
    return built


__all__ = (
    "ERROR_KEYS",
    "FINISHED",
    "INTERRUPTED",
    "OK",
    "RUNNING",
    "RUNS_KEPT",
    "SCHEMA",
    "Damaged",
    "Document",
    "Provider",
    "Run",
    "Template",
    "Transfer",
    "error_of",
    "interruption",
    "seconds",
    "utc",
)
