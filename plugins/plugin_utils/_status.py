# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The status document: what one template's distribution looks like, as data. Its schema is docs/status.schema.json."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

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
    template_distribution,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_parts import (
    ERROR_KEYS,
    FINISHED,
    INTERRUPTED,
    LAYERS,
    RUNNING,
    SURVEY,
    Damaged,
    Phase,
    Provider,
    Run,
    Template,
    Throughput,
    Transfer,
    closed,
    error_of,
    interruption,
    seconds,
    utc,
)

SCHEMA = 2
READABLE = (1, SCHEMA)
"""The schemas that are understood. What 1 did not have (phases, reason, throughput, counts of a run) is empty."""

RUNS_KEPT = 20
TIMES = frozenset({"started", "updated", "finished", "since", "eta"})

Values = dict[str, t.Any]


@dataclass(frozen=True, kw_only=True)
class Document:
    """Everything. ``runs`` has the last runs, newest first; ``export`` is there while the source exports.

    ``source_phases`` is what was done on the source for the copies, ``throughput`` how fast the copies were; both are
    of the last run that had something to copy.
    """

    template: Template
    concurrency: int | None = None
    runs: tuple[Run, ...] = ()
    providers: Mapping[str, Provider] = field(default_factory=dict)
    export: Transfer | None = None
    error: Values | None = None
    source_phases: tuple[Phase, ...] = ()
    throughput: Throughput | None = None

    @property
    def run(self) -> Run:
        """The run that speaks for the document: one that is running before one that ended, then the newest.

        A run that only asked the hosts speaks when there is no other.
        """
        worked = [run for run in self.runs if run.kind != SURVEY] or self.runs
        return next((run for run in (*worked, *self.runs) if run.state == RUNNING), worked[0])

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
            counts[kind_of(provider)] += 1
        return {"providers": len(self.providers), **counts}

    def to_dict(self) -> Values:
        """As it is written."""
        return {
            "schema": SCHEMA,
            "template": _plain(self.template),
            "distribution": self.distribution,
            "concurrency": self.concurrency,
            "summary": self.summary(),
            "run": _plain(self.run),
            "export": _plain(self.export) if self.export else None,
            "error": self.error,
            "source_phases": [_plain(phase) for phase in self.source_phases],
            "throughput": _plain(self.throughput) if self.throughput else None,
            "providers": {name: _plain(provider) for name, provider in sorted(self.providers.items())},
            "runs": [_plain(run) for run in self.runs],
        }

    def to_json(self) -> str:
        """The file's text: a line per provider and per run, so that people and grep can read it.

        Written by hand, because the json module leaves its fast encoder as soon as it has to indent.
        """
        values = self.to_dict()
        providers = (f"{_json(name)}: {_json(entry)}" for name, entry in values.pop("providers").items())
        runs = (_json(run) for run in values.pop("runs"))
        lines = [f"{_json(key)}: {_json(value)}" for key, value in values.items()]
        lines += [f'"providers": {_block("{", providers, "}")}', f'"runs": {_block("[", runs, "]")}']
        return "{\n" + ",\n".join(f" {line}" for line in lines) + "\n}\n"

    @classmethod
    def from_dict(cls, data: t.Any) -> Document:
        """As it was read; Damaged when it cannot be one."""
        values = _mapping(data, "the document")
        if values.get("schema") not in READABLE:
            raise Damaged(_other_schema(values.get("schema")))
        providers = _mapping(values.get("providers"), "providers")
        export, throughput, error = (values.get(key) for key in ("export", "throughput", "error"))
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
            source_phases=_phases(values.get("source_phases", []), "the source"),
            throughput=None if throughput is None else _throughput(throughput),
        )

    def seen(self, alive: Callable[[Run], bool]) -> Document:
        """What a reader should take from it: runs that died are interrupted, and nothing is under way in them."""
        runs = tuple(
            replace(run, state=INTERRUPTED) if run.state == RUNNING and not alive(run) else run for run in self.runs
        )
        live = {run.id for run in runs if run.state == RUNNING}
        heard = {run.id: run.finished or run.updated for run in runs}
        providers = {
            name: entry.cut_off(heard.get(entry.run or ""))
            if entry.progress in COPYING and entry.run not in live
            else entry
            for name, entry in self.providers.items()
        }
        if live:
            return replace(self, runs=runs, providers=providers)
        ended = closed(self.source_phases, self.run.updated)
        return replace(self, runs=runs, providers=providers, export=None, source_phases=ended)


def kind_of(provider: Provider) -> str:
    """The one word of the summary that a provider is counted as."""
    if provider.state == NOT_AVAILABLE:
        return "not_available"
    kinds = {DISTRIBUTING: "distributing", ADDING: "adding", REMOVING: "removing", FAILED: "failed"}
    return kinds.get(provider.progress) or ("needs_update" if provider.state == NEEDS_UPDATE else "ok")


def _plain(part: t.Any) -> Values:
    """A part as JSON has it. dataclasses.asdict would copy every value: too dear for 300 providers twice a second."""
    values = dict(vars(part))
    if "phases" in values:
        values["phases"] = [_plain(phase) for phase in values["phases"]]
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _json(value: t.Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _block(begin: str, items: Iterable[str], end: str) -> str:
    text = ",\n  ".join(items)
    return f"{begin}\n  {text}\n {end}" if text else begin + end


def _other_schema(schema: t.Any) -> str:
    if isinstance(schema, int) and schema > SCHEMA:
        return f"its schema is {schema}, and this version of the collection knows up to {SCHEMA}: install a newer one"
    return f"its schema is {schema!r}, not one of {', '.join(map(str, READABLE))}"


def _mapping(value: t.Any, what: str) -> Mapping[str, t.Any]:
    if not isinstance(value, Mapping):
        raise Damaged(f"{what} is not an object")
    return value


def _is_count(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


T = t.TypeVar("T", Template, Run, Transfer, Provider, Phase, Throughput)

_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "int | None": (int, type(None)),
    "float | None": (int, float, type(None)),
    "bool": (bool,),
    "Values | None": (dict, type(None)),
    "tuple[str, ...]": (list,),
    "tuple[int, ...]": (list,),
    "tuple[Values, ...]": (list,),
    "tuple[Phase, ...]": (list,),
}
_KNOWN: dict[type, dict[str, tuple[type, ...]]] = {
    part: {item.name: _TYPES[str(item.type)] for item in fields(part)}
    for part in (Template, Run, Transfer, Provider, Phase, Throughput)
}


def _build(cls: type[T], value: t.Any, what: str) -> T:
    """A part of the document from what was read. Keys that are not known are a later version's, and left out."""
    given = _mapping(value, what)
    known = _KNOWN[cls]
    values = {key: given[key] for key in known if key in given}
    for key, item in values.items():
        if not isinstance(item, known[key]):
            raise Damaged(f"{what} has a wrong {key!r}")
        if isinstance(item, list):
            values[key] = tuple(item)
        elif key in TIMES and item is not None:
            seconds(item)
    try:
        built = cls(**values)
    except TypeError as error:
        raise Damaged(f"{what} is not complete: {error}") from None
    return built


def _provider(value: t.Any, name: str) -> Provider:
    what = f"provider {name!r}"
    built = _build(Provider, value, what)
    if built.state not in STATES or built.progress not in PROGRESS:
        raise Damaged(f"{what} is {built.state!r}, {built.progress!r}")
    return replace(built, phases=_phases(built.phases, what)) if built.phases else built


def _phases(values: t.Any, what: str) -> tuple[Phase, ...]:
    if not isinstance(values, (list, tuple)):
        raise Damaged(f"{what} has wrong phases")
    return tuple(_build(Phase, one, f"a phase of {what}") for one in values)


def _throughput(value: t.Any) -> Throughput:
    built = _build(Throughput, value, "the throughput")
    if not (_is_count(built.every) and all(isinstance(rate, int) and rate >= 0 for rate in built.rates)):
        raise Damaged("the throughput has wrong numbers")
    return built


__all__ = (
    "ERROR_KEYS",
    "FINISHED",
    "INTERRUPTED",
    "LAYERS",
    "OK",
    "RUNNING",
    "RUNS_KEPT",
    "SCHEMA",
    "SURVEY",
    "Damaged",
    "Document",
    "Phase",
    "Provider",
    "Run",
    "Template",
    "Throughput",
    "Transfer",
    "error_of",
    "interruption",
    "kind_of",
    "seconds",
    "utc",
)
