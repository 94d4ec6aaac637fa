# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What one run learns about one template, and how that is merged into what the status file says already."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace

from ansible_collections.fanout.hyperv.plugins.plugin_utils._rate import Rate
from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import (
    COPYING,
    NEEDS_UPDATE,
    NOT_AVAILABLE,
    OK,
    Facts,
    Verdict,
    judge,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import (
    RUNS_KEPT,
    Document,
    Provider,
    Run,
    Template,
    Transfer,
    error_of,
    interruption,
    seconds,
    utc,
)

IDLE_PHASES = frozenset(
    {"connecting", "checking", "surveying", "planning", "queued", "exporting", "removing", "cleaning"}
)
"""Phases in which no copy is under way on the provider; in every other phase one is."""

UNREACHED = frozenset({"connection", "authentication"})
"""The layers of errors after which a provider counts as not answering."""

LIVE = ("revision", "served_by", "attempts", "error", "reasons", "findings")
"""What a worker may say about its provider besides how far it is."""

Values = dict[str, t.Any]


@dataclass(frozen=True, kw_only=True)
class Patch:
    """What this run has to say since its last write. ``entries``: None for a provider that left the list.

    ``everything`` has all entries of this run, for a file that was lost. ``quiet`` are providers that this run only
    looked at: what another living run says about them counts more.
    """

    template: Values
    concurrency: int | None
    run: Run
    entries: Mapping[str, Provider | None]
    everything: Mapping[str, Provider | None]
    quiet: frozenset[str] = frozenset()
    export: Transfer | None = None
    exported: bool = False
    error: Values | None = None

    def apply(self, existing: Document | None) -> Document:
        """The document with it."""
        if existing is not None and self._is_another(existing.template):
            existing = None
        if existing is None:
            left = {name: entry for name, entry in self.everything.items() if entry is not None}
            return Document(
                template=Template(**self.template),
                concurrency=self.concurrency,
                runs=(self.run,),
                providers=left,
                export=self.export,
                error=self.error,
            )
        return replace(
            existing,
            template=replace(existing.template, **self.template),
            concurrency=existing.concurrency if self.concurrency is None else self.concurrency,
            runs=self._runs(existing),
            providers=self._providers(existing),
            export=self.export if self.exported else existing.export,
            error=self.error,
        )

    def _is_another(self, template: Template) -> bool:
        """A template that was deleted and made anew under the old name has another id."""
        mine = self.template.get("id")
        return mine is not None and template.id is not None and mine != template.id

    def _runs(self, existing: Document) -> tuple[Run, ...]:
        others = [run for run in existing.runs if run.id != self.run.id]
        return tuple(sorted([self.run, *others], key=lambda run: run.started, reverse=True)[:RUNS_KEPT])

    def _providers(self, existing: Document) -> dict[str, Provider]:
        providers = dict(existing.providers)
        for name, entry in self.entries.items():
            theirs = providers.get(name)
            if entry is None:
                providers.pop(name, None)
            elif not (name in self.quiet and theirs and theirs.run != self.run.id and theirs.progress in COPYING):
                providers[name] = entry
        return providers


@dataclass
class _Tracked:
    """A provider in this run. ``last_known`` is what the file said before; ``active`` while its entry tells of a copy
    that is under way, ``size`` how large that is.
    """

    last_known: Verdict | None
    entry: Provider
    facts: Facts = field(default_factory=Facts)
    rate: Rate = field(default_factory=Rate)
    active: bool = False
    size: int | None = None

    @property
    def gone(self) -> bool:
        return not self.facts.listed and not self.facts.leaving

    @property
    def quiet(self) -> bool:
        return not self.facts.working and self.facts.tried is None and self.facts.answers is not False


class Tracker:
    """One template in one run. Not safe for threads: the callback has a lock around it."""

    def __init__(
        self,
        run: Run,
        name: str,
        source: str,
        *,
        known: Document | None = None,
        warn: Callable[[str], t.Any] = lambda text: None,
    ) -> None:
        self.run = run
        self.name = name
        self.source = source
        self.known = known
        self._warn = warn
        self._template: Values = {"name": name, "source": source}
        self._concurrency: int | None = None
        self._providers: dict[str, _Tracked] = {}
        self._changed: set[str] = set()
        self._export: Transfer | None = None
        self._export_rate = Rate()
        self._export_told: Transfer | None = None
        self._exported = False
        self._error: Values | None = None

    # what is learned

    def merge(self, distribution: Mapping[str, t.Any], now: float) -> None:
        """What a task's result says."""
        template = distribution.get("template") or {}
        for key in ("id", "revision"):
            if template.get(key) is not None:
                self._template[key] = str(template[key])
        if self.known and self.known.template.id not in (None, self._template.get("id", self.known.template.id)):
            self.known = None  # another template of that name
        if template.get("maintenance") is not None:
            self._template["maintenance"] = bool(template["maintenance"])
        if distribution.get("concurrency") is not None:
            self._concurrency = int(distribution["concurrency"])
        for name, report in (distribution.get("providers") or {}).items():
            try:
                self._report(str(name), report, now)
            except (TypeError, ValueError, AttributeError) as error:
                self._warn(f"what was reported about provider {name} is not understood: {error}")

    def fail(self, name: str, error: Mapping[str, t.Any], now: float, *, unreachable: bool = False) -> None:
        """A task failed for a provider without a word of what that means for it."""
        tracked = self._touch(name)
        facts: Values = {"working": False}
        if unreachable or error.get("layer") in UNREACHED:
            facts["answers"] = False
            if tracked.active or tracked.facts.due:
                facts["tried"] = "failed"
        elif tracked.facts.copy == "current" and not tracked.active:
            return  # what failed has nothing to do with the copy
        else:
            facts["tried"] = "failed"
        tracked.facts = tracked.facts.updated(facts)
        self._judge(name, tracked, now, {"error": error_of(error)})

    def fail_all(self, error: Mapping[str, t.Any], now: float) -> None:
        """What has to be done once for all providers has failed: none that needs a copy gets one."""
        self._error = error_of(error)
        for name, tracked in self._providers.items():
            if tracked.facts.listed and tracked.facts.answers and tracked.facts.copy != "current":
                tracked.facts = tracked.facts.updated({"tried": "failed", "working": False})
                self._judge(name, tracked, now, {"error": self._error})

    def live(self, name: str, values: Mapping[str, t.Any], now: float) -> None:
        """What a worker writes while it works."""
        if name == self.source and name not in self._providers:
            self._live_export(values, now)
            return
        known = name in self._providers or (self.known is not None and name in self.known.providers)
        working = values.get("working", values.get("phase") not in IDLE_PHASES)
        if not known and not working:
            return
        tracked = self._touch(name)
        facts = {**(values.get("facts") or {}), "working": bool(working)}
        if working:
            facts["answers"] = True
        tracked.facts = tracked.facts.updated(facts)
        self._judge(name, tracked, now, _told({key: values[key] for key in LIVE if key in values}))
        moved = _transfer(values, tracked.rate, now)
        tracked.entry = replace(tracked.entry, **asdict(moved))
        tracked.size = moved.bytes_total or tracked.size

    def idle(self, name: str) -> None:
        """The task of a provider has ended; its result says what is true now, and then ``settle`` is called."""
        tracked = self._providers.get(name)
        if tracked is not None:
            tracked.facts = tracked.facts.updated({"working": False})

    def settle(self, name: str, now: float) -> None:
        """All that a result says was told."""
        tracked = self._providers.get(name)
        if tracked is not None and tracked.active and not tracked.facts.working:
            self._judge(name, tracked, now, {})

    def export_ended(self) -> None:
        """Nobody works on the source any more."""
        self._export = None

    def interrupt(self, now: float) -> None:
        """The run ends while copies are under way."""
        self._export = None
        for name, tracked in self._providers.items():
            if tracked.facts.working:
                error = interruption(tracked.entry.phase, tracked.entry.percent)
                tracked.facts = tracked.facts.updated({"working": False, "tried": "failed"})
                self._judge(name, tracked, now, {"error": error})

    # what is told

    @property
    def under_way(self) -> dict[str, Transfer]:
        """What moves bytes now, by provider; the source while it exports."""
        moving: dict[str, Transfer] = {} if self._export is None else {self.source: self._export}
        moving |= {name: tracked.entry for name, tracked in self._providers.items() if tracked.facts.working}
        return moving

    @property
    def dirty(self) -> bool:
        """Whether there is something to write besides the heartbeat."""
        return bool(self._changed) or self._export != self._export_told

    def names(self) -> frozenset[str]:
        """The providers that this run knows."""
        return frozenset(self._providers)

    def patch(self, now: float) -> Patch:
        """What has changed since the last patch."""
        self.run = replace(self.run, updated=utc(now))
        everything = {
            name: None if tracked.gone else replace(tracked.entry, run=self.run.id)
            for name, tracked in self._providers.items()
        }
        changed, self._changed = self._changed, set()
        self._export_told = self._export
        return Patch(
            template=dict(self._template),
            concurrency=self._concurrency,
            run=self.run,
            entries={name: everything[name] for name in changed},
            everything=everything,
            quiet=frozenset(name for name in changed if self._providers[name].quiet),
            export=self._export,
            exported=self._exported,
            error=self._error,
        )

    def again(self, patch: Patch) -> None:
        """The patch was not written; the next one says it again."""
        self._changed |= set(patch.entries)

    def end(self, state: str, now: float) -> None:
        """The run is over."""
        self.interrupt(now)
        self.run = replace(self.run, state=state, finished=utc(now))

    # how

    def _touch(self, name: str) -> _Tracked:
        tracked = self._providers.get(name)
        if tracked is None:
            entry = self.known.providers.get(name) if self.known else None
            last = entry.verdict if entry else None
            tracked = _Tracked(last, entry or Provider(state=NEEDS_UPDATE, progress=OK))
            self._providers[name] = tracked
        return tracked

    def _report(self, name: str, report: Mapping[str, t.Any], now: float) -> None:
        tracked = self._touch(name)
        tracked.facts = tracked.facts.updated(report.get("facts") or {})
        self._judge(name, tracked, now, _told(report))

    def _judge(self, name: str, tracked: _Tracked, now: float, told: Values) -> None:
        before, verdict = tracked.entry, judge(tracked.facts, tracked.last_known)
        changes: Values = {"state": verdict.state, "progress": verdict.progress}
        if before.since is None or verdict != before.verdict:
            changes["since"] = utc(now)
        if tracked.facts.working and not tracked.active:
            changes |= {**_begun(before, now), "served_by": self.source}
            tracked.rate, tracked.size = Rate(), None
        elif tracked.active and not tracked.facts.working:
            changes |= _ended(tracked.size, verdict, now)
        tracked.active = tracked.facts.working
        if verdict.progress == OK and verdict.state != NOT_AVAILABLE:
            changes["error"] = None
        tracked.entry = replace(before, **{**changes, **told}, run=self.run.id)
        self._changed.add(name)

    def _live_export(self, values: Mapping[str, t.Any], now: float) -> None:
        if self._export is None or self._export.phase != values.get("phase"):
            self._export_rate = Rate()
        self._exported = True
        self._export = _transfer(values, self._export_rate, now)


def _begun(before: Provider, now: float) -> Values:
    attempts = 1 if before.progress == OK else before.attempts + 1
    fresh = dict.fromkeys(("percent", "bytes_done", "bytes_total", "rate", "eta", "finished", "error"))
    return {**fresh, "attempts": attempts, "started": utc(now)}


def _ended(size: int | None, verdict: Verdict, now: float) -> Values:
    """A failed copy keeps how far it came."""
    changes: Values = {"phase": None, "rate": None, "eta": None, "finished": utc(now)}
    if verdict.progress == OK:
        changes |= {"percent": 100.0, "bytes_done": size, "bytes_total": size}
    return changes


_TEXTS = ("revision", "served_by")
_TIMES = ("started", "finished")


def _told(report: Mapping[str, t.Any]) -> Values:
    """The fields of an entry that a report may set, each in its type."""
    told: Values = {key: _text(report[key]) for key in _TEXTS if key in report}
    told |= {key: utc(seconds(report[key])) for key in _TIMES if report.get(key) is not None}
    if report.get("attempts") is not None:
        told["attempts"] = int(report["attempts"])
    if "error" in report:
        told["error"] = error_of(report["error"]) if report["error"] else None
    if "reasons" in report:
        told["reasons"] = tuple(str(reason) for reason in report["reasons"] or ())
    if "findings" in report:
        told["findings"] = tuple(json.loads(json.dumps(dict(one), default=str)) for one in report["findings"] or ())
    return told


def _text(value: t.Any) -> str | None:
    return None if value is None else str(value)


def _transfer(values: Mapping[str, t.Any], rate: Rate, now: float) -> Transfer:
    """How far it is; what is missing of percent and bytes is worked out from the others."""
    percent, done, total = values.get("percent"), values.get("bytes_done"), values.get("bytes_total")
    if done is None and percent is not None and total is not None:
        done = int(total * percent / 100)
    if percent is None and done is not None and total:
        percent = 100 * done / total
    if done is not None:
        rate.add(values.get("at", now), done)
    speed, left = rate.per_second(now), rate.seconds_left(now, total)
    return Transfer(
        phase=_text(values.get("phase")),
        percent=None if percent is None else round(min(100.0, max(0.0, float(percent))), 1),
        bytes_done=None if done is None else int(done),
        bytes_total=None if total is None else int(total),
        rate=None if speed is None or done is None else round(speed),
        eta=None if left is None or done is None else utc(now + left),
    )


__all__ = ("IDLE_PHASES", "Patch", "Tracker")
