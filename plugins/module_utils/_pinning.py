# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Which revision providers should hold, and which others stay. Pure functions over the record."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import NotFound
from ansible_collections.fanout.hyperv.plugins.module_utils._record import Record

LATEST = "latest"
"""What the template is now."""


def wanted_revision(record: Record | None, own: str | None) -> str | None:
    """What providers should hold: what the template is now (``own``), unless another revision is pinned."""
    return record.revision if record is not None and record.pinned else own


def kept_revisions(record: Record | None, wanted: str | None, keep: int | None) -> tuple[str, ...]:
    """The other revisions that stay once ``wanted`` is the current one, at most ``keep``; None: as many as recorded.

    As long as nobody knows what is wanted, everything that is recorded stays.
    """
    if record is None:
        return ()
    if wanted is None:
        return record.kept if record.revision is None else (record.revision, *record.kept)
    return record.holding(wanted, keep=keep, pinned=record.pinned).kept


def pinned(record: Record | None, asked: str, own: str | None, name: str) -> Record:
    """The record once ``asked`` is what providers should hold: ``latest``, or a revision that is held already.

    A revision may be shortened as long as it means one. ``own`` is what the template is now. All that was kept stays.
    """
    if record is None or record.revision is None:
        raise NotFound(
            f"{name} was not distributed yet: there is no revision to go back to.",
            code="REVISION_UNKNOWN",
            remedy="Distribute it first (fanout.hyperv.distribute).",
        )
    if asked.strip().lower() == LATEST:
        known = own in (record.revision, *record.kept)
        return record.holding(own) if own is not None and known else replace(record, pinned=False)
    return record.holding(_meant(record, asked.strip().lower(), name), pinned=True)


def _meant(record: Record, asked: str, name: str) -> str:
    held = [one for one in (record.revision, *record.kept) if one is not None]
    found = [one for one in held if asked and one.startswith(asked)]
    if len(found) == 1:
        return found[0]
    kept = ", ".join(record.kept) or "none (distribute_keep_revisions says how many are)"
    what = f"means {len(found)} revisions" if found else "is not held"
    raise NotFound(
        f"The revision {asked!r} of {name} {what}. Current: {record.revision}; kept: {kept}.",
        code="REVISION_UNKNOWN",
        remedy="Name one of these, or 'latest' for what the template is now.",
    )


__all__ = ("LATEST", "kept_revisions", "pinned", "wanted_revision")
