# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What one run learns about one template, from the results of its tasks and from what its workers report.

The result of a task may carry ``distribution``: ``template`` (name, source, id, revision, maintenance, pinned),
``concurrency``, ``survey`` (true for a run that only asks), and ``providers``: by inventory name, reports with any of
``facts`` (see ``_states.Facts``), ``revision``, ``served_by``, ``attempts``, ``error``, ``reason``, ``reasons``,
``findings``, ``started``, ``finished``. ``REMOVED`` is the report of a provider that is to leave the status file.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.fanout.hyperv.plugins.plugin_utils._entries import begun, ended, told, transfer
from ansible_collections.fanout.hyperv.plugins.plugin_utils._merging import Patch
from ansible_collections.fanout.hyperv.plugins.plugin_utils._rate import Rate
from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import (
    FAILED,
    NEEDS_UPDATE,
    NOT_AVAILABLE,
    OK,
    READY,
    Facts,
    Verdict,
    judge,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Document
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_parts import (
    SURVEY,
    Provider,
    Run,
    Transfer,
    error_of,
    interruption,
    utc,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._timeline import Flow, Trail

IDLE_PHASES = frozenset(
    {"connecting", "checking", "surveying", "planning", "queued", "exporting", "removing", "cleaning"}
)
"""Phases in which no copy is under way on the provider; in every other phase one is."""

UNREACHED = frozenset({"connection", "authentication"})
"""The layers of errors after which a provider counts as not answering."""

REMOVED: t.Final = {"facts": {"listed": False, "leaving": False}}
"""With this report an entry leaves the status file: its removal has ended, or the host is not in the list.

One that is being removed, or waits for its host to answer, reports ``{"listed": False, "leaving": True}`` and stays.
"""

MOVING = "copying"
"""The phase whose bytes count as throughput."""

LIVE = ("revision", "served_by", "attempts", "error", "reasons", "findings")
"""What a worker may say about its provider besides how far it is."""

Values = dict[str, t.Any]


@dataclass
class _Tracked:
    """A provider in this run. ``last_known`` is what the file said before; ``active`` while its entry tells of a copy
    that is under way, ``size`` how large that is. ``moved`` is when and how much of it was counted as throughput,
    ``copied`` what copies of this run brought there, ``tried`` how often it was tried before this run.
    """

    last_known: Verdict | None
    entry: Provider
    facts: Facts = field(default_factory=Facts)
    rate: Rate = field(default_factory=Rate)
    trail: Trail = field(default_factory=Trail)
    active: bool = False
    size: int | None = None
    moved: tuple[float, int] | None = None
    copied: int | None = None
    tried: int = 0

    @property
    def gone(self) -> bool:
        return not self.facts.listed and not self.facts.leaving

    @property
    def idle(self) -> bool:
        return not self.facts.working and self.facts.answers is not False


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
        self._source_trail: Trail | None = None
        self._flow = Flow()

    # what is learned

    def merge(self, distribution: Mapping[str, t.Any], now: float) -> None:
        """What a task's result says."""
        template = distribution.get("template") or {}
        for key in ("id", "revision"):
            if template.get(key) is not None:
                self._template[key] = str(template[key])
        if self.known and self.known.template.id not in (None, self._template.get("id", self.known.template.id)):
            self.known = None  # another template of that name
        for key in ("maintenance", "pinned"):
            if template.get(key) is not None:
                self._template[key] = bool(template[key])
        if distribution.get("concurrency") is not None:
            self._concurrency = int(distribution["concurrency"])
        if distribution.get("survey"):
            self.run = replace(self.run, kind=SURVEY)
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
        self._judge(name, tracked, now, told({key: values[key] for key in LIVE if key in values}))
        moved = transfer(values, tracked.rate, now)
        tracked.size = moved.bytes_total or tracked.size
        if tracked.trail.told(values, now):
            tracked.moved = None
        if moved.phase == MOVING:
            self._count(tracked, moved.bytes_done or 0, float(values.get("at", now)))
        tracked.entry = replace(tracked.entry, **vars(moved), phases=tracked.trail.phases())

    def idle(self, name: str, now: float) -> None:
        """The task of a provider has ended; its result says what is true now, and then ``settle`` is called."""
        tracked = self._providers.get(name)
        if tracked is not None:
            tracked.facts = tracked.facts.updated({"working": False})
            tracked.trail.end(now)

    def settle(self, name: str, now: float) -> None:
        """All that a result says was told."""
        tracked = self._providers.get(name)
        if tracked is None or tracked.facts.working:
            return
        if tracked.active:
            self._judge(name, tracked, now, {})
        elif tracked.entry.phase is not None:  # a copy that was there was looked at
            fields = ended(tracked.size, tracked.entry.verdict, now)
            del fields["finished"]
            tracked.entry = replace(tracked.entry, **fields, phases=tracked.trail.phases(now))
            self._changed.add(name)

    def export_ended(self, now: float) -> None:
        """Nobody works on the source any more."""
        self._export = None
        if self._source_trail is not None:
            self._source_trail.end(now)

    def interrupt(self, now: float) -> None:
        """The run ends while copies are under way."""
        self.export_ended(now)
        for name, tracked in self._providers.items():
            tracked.trail.end(now)
            if tracked.facts.working:
                error = interruption(tracked.entry.phase, tracked.entry.percent)
                tracked.facts = tracked.facts.updated({"working": False, "tried": "failed"})
                self._judge(name, tracked, now, {"error": error})

    # what is told

    @property
    def template_id(self) -> str | None:
        """The template's id, once it is known."""
        return self._template.get("id")

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
        self.run = replace(self.run, updated=utc(now), **self._counts())
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
            idle=frozenset(name for name in changed if self._providers[name].idle),
            export=self._export,
            exported=self._exported,
            error=self._error,
            source_phases=None if self._source_trail is None else self._source_trail.phases(),
            throughput=self._flow.of(self.run.id),
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
            tracked.tried = 0 if entry is None or entry.progress == OK else entry.attempts
            self._providers[name] = tracked
        return tracked

    def _report(self, name: str, report: Mapping[str, t.Any], now: float) -> None:
        tracked = self._touch(name)
        tracked.facts = tracked.facts.updated(report.get("facts") or {})
        self._judge(name, tracked, now, told(report))

    def _judge(self, name: str, tracked: _Tracked, now: float, said: Values) -> None:
        before, verdict = tracked.entry, judge(tracked.facts, tracked.last_known)
        changes: Values = {"state": verdict.state, "progress": verdict.progress}
        if before.since is None or verdict != before.verdict:
            changes["since"] = utc(now)
        if tracked.facts.working and not tracked.active:
            changes |= {**begun(before, now), "served_by": self.source}
            tracked.rate, tracked.size = Rate(), None
        elif tracked.active and not tracked.facts.working:
            changes |= ended(tracked.size, verdict, now)
            changes["phases"] = tracked.trail.phases(now)
            if verdict == (READY, OK):
                self._arrived(tracked, now)
        tracked.active = tracked.facts.working
        if verdict.progress == OK and verdict.state != NOT_AVAILABLE:
            changes["error"] = None
        if verdict.state == READY:
            changes["reason"] = None
        if "attempts" in said:
            said = {**said, "attempts": tracked.tried + said["attempts"]}
        tracked.entry = replace(before, **{**changes, **said}, run=self.run.id)
        self._changed.add(name)

    def _live_export(self, values: Mapping[str, t.Any], now: float) -> None:
        if self._export is None or self._export.phase != values.get("phase"):
            self._export_rate = Rate()
        self._exported = True
        self._export = transfer(values, self._export_rate, now)
        self._source_trail = self._source_trail or Trail()
        self._source_trail.told(values, now)

    def _count(self, tracked: _Tracked, done: int, at: float) -> None:
        """Bytes that moved since the last look are throughput."""
        if tracked.moved is None:
            tracked.moved = self._first_seen(tracked, done, at)
        since, before = tracked.moved
        if done > before:
            self._flow.add(since, at, done - before)
            tracked.moved = at, done

    @staticmethod
    def _first_seen(tracked: _Tracked, done: int, at: float) -> tuple[float, int]:
        """What a running move had done before it was adopted is not counted: nobody knows when that was."""
        span = tracked.trail.span(MOVING, at)
        fresh = tracked.trail.span("cloning", at) is not None
        return (span[0], 0) if fresh and span else (at, done)

    def _arrived(self, tracked: _Tracked, now: float) -> None:
        """A copy has ended well: what was not yet counted moved until its phase ended."""
        tracked.copied = tracked.size or 0
        span = tracked.trail.span(MOVING, now)
        if span and tracked.size:
            since, done = tracked.moved or self._first_seen(tracked, tracked.size, now)
            self._flow.add(since, max(since, span[1]), tracked.size - done)
        tracked.moved = None

    def _counts(self) -> Values:
        copied = [tracked.copied for tracked in self._providers.values() if tracked.copied is not None]
        failed = sum(one.entry.progress == FAILED and one.facts.listed for one in self._providers.values())
        return {"copied": len(copied), "failed": failed, "bytes_copied": sum(copied)}


__all__ = ("IDLE_PHASES", "MOVING", "REMOVED", "Patch", "Tracker")
