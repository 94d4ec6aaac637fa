# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The record: what was asked for, one document per template in the staging folder on the source."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.fanout.hyperv.plugins.module_utils._documents import dump, load, string, texts, truth

_SCHEMA = 1


KEEP, REMOVE = "keep", "remove"
"""What happens to the copy of a provider that leaves the list."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked of a record. ``targets`` is the whole list; None leaves it as it was.

    ``add`` and ``remove`` change the list; the copies of those removed go, too.
    ``removed`` are providers that hold nothing of the template any more. ``supplied`` are those that have got their
    copy: the identity of each one's computer by its inventory name.
    """

    targets: tuple[str, ...] | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    unlisted: str = KEEP
    removed: tuple[str, ...] = ()
    supplied: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a template should be. All names are inventory names, in the order asked for.

    ``pending_removals`` left the list and their copies are to go; ``unlisted`` left it and may keep theirs; ``joining``
    are in the list and have not had a copy yet. ``computers`` tells by identity which computer a name of the list meant
    when it got its copy. ``revision`` is what providers should hold. ``pinned``: it stays that, whatever revision the
    template has. ``kept`` are the others whose copies and exports stay, the one that was current last first.
    """

    template_id: str
    name: str
    multi_provider: bool
    targets: tuple[str, ...] = ()
    pending_removals: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    joining: tuple[str, ...] = ()
    computers: Mapping[str, str] = field(default_factory=dict)
    revision: str | None = None
    kept: tuple[str, ...] = ()
    pinned: bool = False

    @property
    def holders(self) -> tuple[str, ...]:
        """Every provider that may hold something of the template."""
        return tuple(dict.fromkeys((*self.targets, *self.pending_removals, *self.unlisted)))

    @property
    def last_revisions(self) -> tuple[str, ...]:
        """What the template was when it was distributed last; while one is pinned, it may be any that is known."""
        return () if self.revision is None else (self.revision, *(self.kept if self.pinned else ()))

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
                "unlisted": list(self.unlisted),
                "joining": list(self.joining),
                "computers": dict(self.computers),
                "revision": self.revision,
                "kept": list(self.kept),
                "pinned": self.pinned,
            }
        )

    @classmethod
    def from_json(cls, text: str, what: str = "record") -> Record:
        """The record in a document's text; raises HyperVError when it is damaged or of another version."""
        return load(text, what, _SCHEMA, cls._build)

    @classmethod
    def from_dict(cls, values: Mapping[str, t.Any]) -> Record:
        """The record as results show it."""
        return cls._build(dict(values))

    @classmethod
    def _build(cls, values: dict[str, t.Any]) -> Record:
        revision = values["revision"]
        return cls(
            template_id=string(values["template_id"]).lower(),
            name=string(values["name"]),
            multi_provider=truth(values["multi_provider"]),
            targets=texts(values["targets"]),
            pending_removals=texts(values["pending_removals"]),
            unlisted=texts(values.get("unlisted", [])),
            joining=texts(values.get("joining", [])),
            computers={string(name): string(known) for name, known in values.get("computers", {}).items()},
            revision=None if revision is None else string(revision),
            kept=texts(values["kept"]),
            pinned=truth(values.get("pinned", False)),
        )

    def changed(self, wish: Wish) -> Record:
        """The record after everything that was asked."""
        wanted = self.targets if wish.targets is None else wish.targets
        targets = _unique(name for name in (*wanted, *wish.add) if name not in wish.remove)
        record = self.with_targets(targets, unlisted=wish.unlisted)
        record = record.leaving(wish.remove)
        return record.supplied(wish.supplied).removed(*wish.removed)

    def holding(self, revision: str, *, keep: int | None = None, pinned: bool = False) -> Record:
        """The record once this is what providers should hold; what it was until then is the first that is kept."""
        before = () if self.revision is None else (self.revision,)
        kept = _without(_unique((*before, *self.kept)), (revision,))
        held = replace(self, revision=revision, kept=kept, pinned=pinned)
        return held.trimmed(len(self.kept) if keep is None else keep)

    def trimmed(self, keep: int) -> Record:
        """The record with at most that many revisions kept. The way back from a pinned one stays in any case."""
        return replace(self, kept=self.kept[: max(keep, 1 if self.pinned else 0)])

    def with_targets(self, targets: Iterable[str], *, unlisted: str = KEEP) -> Record:
        """The record with this distribution list; what is to happen to those who leave it is remembered."""
        wanted = _unique(targets)
        gone = [name for name in self.targets if name not in wanted]
        record = replace(
            self,
            targets=wanted,
            pending_removals=_without(self.pending_removals, wanted),
            unlisted=_unique([*_without(self.unlisted, wanted), *gone]),
            joining=(*(n for n in self.joining if n in wanted), *(n for n in wanted if n not in self.targets)),
            computers={name: known for name, known in self.computers.items() if name in wanted},
        )
        return record.leaving(gone) if unlisted == REMOVE else record

    def leaving(self, names: Iterable[str]) -> Record:
        """The record with copies to remove on these providers, which are not in the list any more."""
        leaving = tuple(names)
        return replace(
            self,
            pending_removals=_unique([*self.pending_removals, *leaving]),
            unlisted=_without(self.unlisted, leaving),
        )

    def removed(self, *names: str) -> Record:
        """The record after providers outside the list were found to hold nothing."""
        return replace(
            self,
            pending_removals=_without(self.pending_removals, names),
            unlisted=_without(self.unlisted, names),
        )

    def supplied(self, computers: Mapping[str, str]) -> Record:
        """The record after providers of the list have got their copies."""
        here = {name: known for name, known in computers.items() if name in self.targets}
        return replace(self, joining=_without(self.joining, here), computers={**self.computers, **here})


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _without(names: Iterable[str], others: t.Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in others)


__all__ = ("KEEP", "REMOVE", "Record", "Wish")
