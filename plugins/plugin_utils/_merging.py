# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""How what one run has to say is merged into a status document that other runs write, too."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import COPYING
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import RUNS_KEPT, Document
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_parts import (
    RUNNING,
    SURVEY,
    Phase,
    Provider,
    Run,
    Template,
    Throughput,
    Transfer,
)

SOMEBODY_ELSE_WORKS = frozenset({"LEASE_HELD"})
"""Errors that say that another run works on the provider: what that run says counts."""

Values = dict[str, t.Any]


@dataclass(frozen=True, kw_only=True)
class Patch:
    """What this run has to say since its last write. ``entries``: None for a provider that left the list.

    ``everything`` has all entries of this run, for a file that was lost. ``idle`` are providers on which this run has
    no copy under way, and that answer: what another living run that copies to them says about them counts more.
    ``source_phases`` and ``throughput`` are None when this run has nothing to say about them.
    """

    template: Values
    concurrency: int | None
    run: Run
    entries: Mapping[str, Provider | None]
    everything: Mapping[str, Provider | None]
    idle: frozenset[str] = frozenset()
    export: Transfer | None = None
    exported: bool = False
    error: Values | None = None
    source_phases: tuple[Phase, ...] | None = None
    throughput: Throughput | None = None

    def apply(self, existing: Document | None) -> Document:
        """The document with it. In ``existing`` runs that died are interrupted already (``Document.seen``)."""
        if existing is None or self._is_another(existing.template):
            return self._begun()
        return replace(
            existing,
            template=replace(existing.template, **self.template),
            concurrency=existing.concurrency if self.concurrency is None else self.concurrency,
            runs=self._runs(existing),
            providers=self._providers(existing),
            export=self.export if self.exported else existing.export,
            error=self._error(existing),
            source_phases=existing.source_phases if self.source_phases is None else self.source_phases,
            throughput=existing.throughput if self.throughput is None else self.throughput,
        )

    def _begun(self) -> Document:
        return Document(
            template=Template(**self.template),
            concurrency=self.concurrency,
            runs=(self.run,),
            providers={name: entry for name, entry in self.everything.items() if entry is not None},
            export=self.export,
            error=self.error,
            source_phases=self.source_phases or (),
            throughput=self.throughput,
        )

    def _is_another(self, template: Template) -> bool:
        """A template that was deleted and made anew under the old name has another id."""
        mine = self.template.get("id")
        return mine is not None and template.id is not None and mine != template.id

    def _runs(self, existing: Document) -> tuple[Run, ...]:
        """Newest first. Of runs that only asked the hosts and ended, only the last one is kept."""
        others = [run for run in existing.runs if run.id != self.run.id]
        runs = sorted([self.run, *others], key=lambda run: run.started, reverse=True)
        asked = [run for run in runs if run.kind == SURVEY and run.state != RUNNING][1:]
        return tuple(run for run in runs if run not in asked)[:RUNS_KEPT]

    def _providers(self, existing: Document) -> dict[str, Provider]:
        providers = dict(existing.providers)
        others = {run.id: run for run in existing.runs if run.id != self.run.id}
        for name, entry in self.entries.items():
            theirs = providers.get(name)
            if entry is None:
                providers.pop(name, None)
            elif not (theirs and theirs.run in others and self._yields(name, entry, theirs, others[theirs.run])):
                providers[name] = entry
        return providers

    def _yields(self, name: str, mine: Provider, theirs: Provider, other: Run) -> bool:
        """Whether another run's entry stays: the one of who copies, or has copied while this run was refused."""
        if name in self.idle and theirs.progress in COPYING:
            return True
        refused = bool(mine.error) and (mine.error or {}).get("code") in SOMEBODY_ELSE_WORKS
        return refused and (other.state == RUNNING or (other.finished or other.updated) >= self.run.started)

    def _error(self, existing: Document) -> Values | None:
        """What stopped the whole distribution. Being refused because another run is at work is no news of it."""
        if not any(run.state == RUNNING and run.id != self.run.id for run in existing.runs):
            return self.error
        if self.error is None or self.error["code"] in SOMEBODY_ELSE_WORKS:
            return existing.error
        return self.error


__all__ = ("SOMEBODY_ELSE_WORKS", "Patch")
