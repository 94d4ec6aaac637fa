# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The record: what was asked for, one document per template in the staging folder on the source."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.fanout.hyperv.plugins.module_utils._documents import dump, load, string, texts, truth

_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a template should be. ``targets`` and ``pending_removals`` are inventory names, in the order asked for.

    ``revision`` is the pinned one: what providers should hold. ``kept`` are older revisions whose exports stay.
    """

    template_id: str
    name: str
    multi_provider: bool
    targets: tuple[str, ...] = ()
    pending_removals: tuple[str, ...] = ()
    revision: str | None = None
    kept: tuple[str, ...] = ()
    maintenance: bool = False

    def to_json(self) -> str:
        """The document's text."""
        return dump(
            {
                "schema": _SCHEMA,
                "template_id": self.template_id,
                "name": self.name,
                "multi_provider": self.multi_provider,
                "targets": list(self.targets),
                "pending_removals": list(self.pending_removals),
                "revision": self.revision,
                "kept": list(self.kept),
                "maintenance": self.maintenance,
            }
        )

    @classmethod
    def from_json(cls, text: str, what: str = "record") -> Record:
        """The record in a document's text; raises HyperVError when it is damaged or of another version."""
        return load(text, what, _SCHEMA, cls._build)

    @classmethod
    def _build(cls, values: dict[str, t.Any]) -> Record:
        revision = values["revision"]
        return cls(
            template_id=string(values["template_id"]).lower(),
            name=string(values["name"]),
            multi_provider=truth(values["multi_provider"]),
            targets=texts(values["targets"]),
            pending_removals=texts(values["pending_removals"]),
            revision=None if revision is None else string(revision),
            kept=texts(values["kept"]),
            maintenance=truth(values["maintenance"]),
        )

    def with_targets(self, targets: t.Iterable[str]) -> Record:
        """The record with this distribution list; who leaves it is still to be cleaned up."""
        wanted = tuple(dict.fromkeys(targets))
        leaving = (name for name in (*self.pending_removals, *self.targets) if name not in wanted)
        return replace(self, targets=wanted, pending_removals=tuple(dict.fromkeys(leaving)))

    def removed(self, name: str) -> Record:
        """The record after a provider that left the list was cleaned up."""
        return replace(self, pending_removals=tuple(other for other in self.pending_removals if other != name))


__all__ = ("Record",)
