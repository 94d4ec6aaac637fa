# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The providers of a template as a list: which may be targets and why not, which are, and how they are."""

from __future__ import annotations

import textwrap
import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ansible_collections.fanout.hyperv.plugins.plugin_utils._reading import OF_A_RUN
from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import Facts, judge
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Document
from ansible_collections.fanout.hyperv.plugins.plugin_utils._table import printable

NOT_ELIGIBILITY = frozenset(
    {"SPACE_TARGET", "GUESTS_DEPEND", "VM_NOT_OFF", "DISK_IN_USE", "STAMP_MISSING", "COPY_RUNNING"}
)
"""What stands in the way now, and does not say that a provider cannot be a target at all."""

TITLES = ("provider", "eligible", "list", "state", "progress", "revision", "subtype", "operating system")
IN, OUT, LEAVING = "target", "-", "leaving"
MISSING = "-"
GAP = "  "

Values = dict[str, t.Any]


def rows(plan: Mapping[str, t.Any], known: Document | None) -> list[Values]:
    """A row per provider, in the order of their names. ``known`` is what the status file says."""
    told = "source_error" not in plan
    return [_row(name, step, known, told=told) for name, step in sorted(plan["providers"].items())]


def _row(name: str, step: Mapping[str, t.Any], known: Document | None, *, told: bool) -> Values:
    """``told``: the source has said what the template needs and who is in its list."""
    errors = [one for one in step["findings"] if one["severity"] == "error"]
    why = [one for one in errors if one["code"] not in NOT_ELIGIBILITY]
    entry = known.providers.get(name) if known is not None else None
    facts = {key: value for key, value in step["facts"].items() if key not in OF_A_RUN}
    concerned = step["listed"] or step["leaving"]
    last = None if entry is None else entry.verdict
    verdict = judge(Facts().updated(facts), last) if concerned or step["holds"] else None
    return {
        "provider": name,
        "type": "hyperv",
        "eligible": not why if told and step["answers"] else None,
        "why": [{"code": one["code"], "what": one["what"], "remedy": one["remedy"]} for one in errors],
        "listed": bool(step["listed"]) and told,
        "leaving": bool(step["leaving"]),
        "state": verdict.state if verdict is not None else None,
        "progress": verdict.progress if verdict is not None and concerned else None,
        "revision": step["revision"],
        "subtype": step["subtype"],
        "system": step["system"],
    }


def table(plan: Mapping[str, t.Any], found: Sequence[Mapping[str, t.Any]], width: int) -> str:
    """The rows for people, then why some are not eligible."""
    cells = [_cells(row) for row in found]
    widths = [
        max(len(title), *(len(row[at]) for row in cells)) if cells else len(title) for at, title in enumerate(TITLES)
    ]
    targets = sum(row["listed"] for row in found)
    eligible = sum(row["eligible"] is True for row in found)
    lines = [f"{printable(plan['name'])}: {len(found)} providers, {eligible} eligible, {targets} in the list"]
    if plan.get("source_error"):
        lines += textwrap.wrap(printable(plan["source_error"]["message"]), width)
    lines += ["", _line([title.upper() for title in TITLES], widths), *(_line(row, widths) for row in cells)]
    reasons = list(_reasons(found, width))
    return "\n".join([*lines, *([""] if reasons else []), *reasons])


def _cells(row: Mapping[str, t.Any]) -> tuple[str, ...]:
    place = IN if row["listed"] else LEAVING if row["leaving"] else OUT
    eligible = {True: "yes", False: "no", None: "?"}[row["eligible"]]
    others = (row["state"], row["progress"], row["revision"], row["subtype"], row["system"])
    return (printable(row["provider"]), eligible, place, *(printable(value or MISSING) for value in others))


def _line(cells: Iterable[str], widths: Sequence[int]) -> str:
    return GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _reasons(found: Iterable[Mapping[str, t.Any]], width: int) -> Iterator[str]:
    for row in found:
        for why in row["why"]:
            text = f"{printable(row['provider'])}: {why['code']}: {printable(why['what'])} {printable(why['remedy'])}"
            yield from textwrap.wrap(text, max(width, 40), subsequent_indent="    ")


__all__ = ("rows", "table")
