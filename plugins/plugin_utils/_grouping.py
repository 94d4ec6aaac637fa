# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""From status documents to inventory groups and host variables. Pure functions."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import (
    FAILED,
    NEEDS_UPDATE,
    NOT_AVAILABLE,
    OK,
    PROGRESS,
    STATES,
)

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Document, Provider, Template

Values = dict[str, t.Any]

_GROUP = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def group_name(word: str, prefix: str = "") -> str:
    """The group of a state or progress: ``Needs update`` is ``needs_update``. ValueError for an impossible prefix."""
    name = prefix + word.lower().replace(" ", "_")
    if not _GROUP.fullmatch(name):
        raise ValueError(f"the prefix {prefix!r} makes no group names: letters, digits and underscores do")
    return name


def group_names(prefix: str = "") -> dict[str, str]:
    """Every state and progress with its group."""
    return {word: group_name(word, prefix) for word in (*STATES, *PROGRESS)}


def told(documents: Iterable[Document], templates: Sequence[str] | None = None) -> dict[str, list[Values]]:
    """By provider what the documents say of it, what most needs attention first; of these templates or of all."""
    found: dict[str, list[Values]] = {}
    for document in documents:
        if templates is None or document.template.name in templates:
            for name, provider in document.providers.items():
                found.setdefault(name, []).append(_entry(document.template, provider))
    return {name: sorted(entries, key=_urgency) for name, entries in sorted(found.items())}


def groups_of(entries: Iterable[Mapping[str, t.Any]], prefix: str = "") -> list[str]:
    """The groups that a provider belongs to."""
    names = group_names(prefix)
    return sorted({names[entry[key]] for entry in entries for key in ("state", "progress")})


def variables_of(entries: Sequence[Mapping[str, t.Any]]) -> Values:
    """Host variables: the most urgent entry as ``fanout_state`` and so on, all as ``fanout_distributions``."""
    first = {f"fanout_{key}": value for key, value in entries[0].items()}
    return {**first, "fanout_distributions": [dict(entry) for entry in entries]}


def _entry(template: Template, provider: Provider) -> Values:
    return {
        "template": template.name,
        "source": template.source,
        "state": provider.state,
        "progress": provider.progress,
        "reason": provider.reason,
        "reasons": list(provider.reasons),
        "error": provider.error,
        "revision": provider.revision,
        "attempts": provider.attempts,
        "since": provider.since,
    }


def _urgency(entry: Mapping[str, t.Any]) -> tuple[int, str, str]:
    order = (
        entry["progress"] == FAILED,
        entry["state"] == NOT_AVAILABLE,
        entry["state"] == NEEDS_UPDATE,
        entry["progress"] != OK,
        True,
    )
    return order.index(True), entry["template"], entry["source"]


__all__ = ("group_name", "group_names", "groups_of", "told", "variables_of")
