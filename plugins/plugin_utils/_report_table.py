# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The report's table of providers, those first that people have to look at."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fanout.hyperv.plugins.plugin_utils._html import Html, element, escaped, join, name_of
from ansible_collections.fanout.hyperv.plugins.plugin_utils._report_timeline import DENSE, clock, human
from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import (
    ADDING,
    DISTRIBUTING,
    FAILED,
    NEEDS_UPDATE,
    NOT_AVAILABLE,
    OK,
    READY,
    REMOVING,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Document, kind_of
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_parts import Phase, Provider, seconds, utc
from ansible_collections.fanout.hyperv.plugins.plugin_utils._table import size

DASH = "–"

TITLES: t.Final = {
    "failed": "Failed to distribute",
    "not_available": "Not available",
    "distributing": "Distributing",
    "adding": "Adding provider",
    "removing": "Removing provider",
    "needs_update": "Needs update",
    "ok": "Ready, OK",
}
"""The groups of the table, in its order: what people have to look at comes first."""

TONES: t.Final = {
    OK: "ok",
    READY: "ok",
    DISTRIBUTING: "distributing",
    ADDING: "adding",
    REMOVING: "removing",
    FAILED: "failed",
    NEEDS_UPDATE: "needs_update",
    NOT_AVAILABLE: "not_available",
}


def icon(kind: str) -> Html:
    """One of the page's own drawings; what it means stands beside it in words."""
    return Html(f'<svg class="icon" aria-hidden="true"><use href="#i-{kind}"/></svg>')


def word(text: str, kind: str | None = None, class_: str = "word") -> Html:
    """A state or progress: drawing, word and colour."""
    tone = kind or TONES[text]
    return element("span", icon(tone), text, class_=f"{class_} {tone}")


HEADINGS = ("Provider", "State", "Progress", "Copy", "Rate", "Time", "Revision", "Since", "Tries")
RIGHT = frozenset({"Rate", "Time", "Tries"})


def providers_section(document: Document, now: float) -> Html:
    """The table: a group for each way a provider can be."""
    groups: dict[str, list[tuple[str, Provider]]] = {kind: [] for kind in TITLES}
    for name, entry in sorted(document.providers.items(), key=lambda item: natural(item[0])):
        groups[kind_of(entry)].append((name, entry))
    used = {kind: entries for kind, entries in groups.items() if entries}
    heads = [element("th", title, scope="col", class_=_side(title)) for title in HEADINGS]
    bodies = [_group(kind, entries, now, titled=len(used) > 1) for kind, entries in used.items()]
    size_class = "many" if len(document.providers) > DENSE else None
    table = element("table", element("thead", element("tr", *heads)), *bodies, class_=size_class)
    return element(
        "section",
        element("h2", "Providers", id="providers"),
        element("div", table, class_="scroll") if used else element("p", "None is known yet.", class_="muted"),
        aria_labelledby="providers",
    )


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts hv2 before hv10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


def _side(title: str) -> str | None:
    return "right" if title in RIGHT else None


def _group(kind: str, entries: list[tuple[str, Provider]], now: float, *, titled: bool) -> Html:
    heading = element(
        "th", word(f"{TITLES[kind]} ({len(entries)})", kind), scope="rowgroup", colspan=str(len(HEADINGS))
    )
    rows = [_row(name, entry, now) for name, entry in entries]
    return element("tbody", element("tr", heading) if titled else None, *rows)


def _row(name: str, entry: Provider, now: float) -> Html:
    why = "; ".join(entry.reasons) if entry.progress != OK or entry.state != READY else ""
    cells = [
        word(entry.state),
        word(entry.progress),
        _amount(entry),
        escaped(_rate(entry)),
        escaped(_time(entry, now)),
        element("span", entry.revision or DASH, class_="code number"),
        element("span", clock(entry.since, today=utc(now)) if entry.since else DASH, class_="number"),
        escaped(str(entry.attempts) if entry.attempts else DASH),
    ]
    said = element("span", why, class_="note") if why and not entry.error else None
    head = element("th", name_of(name), said, _guests(entry), scope="row")
    sides = (" ".join(filter(None, ("number", _side(title)))) if _side(title) else None for title in HEADINGS[1:])
    return element("tr", head, *(element("td", cell, class_=side) for cell, side in zip(cells, sides, strict=True)))


def _guests(entry: Provider) -> Html | None:
    """How many guests it has, and how many of them are outdated."""
    count, outdated = (entry.guests or {}).get("count", 0), (entry.guests or {}).get("outdated", 0)
    if not count:
        return None
    said = f"{count} guest{'' if count == 1 else 's'}" + (f", {outdated} outdated" if outdated else "")
    return element("span", said, class_="note")


def _amount(entry: Provider) -> Html:
    """How far the copy is, as a bar and in words."""
    percent = entry.shown_percent
    if percent is None:
        return escaped(entry.phase or DASH)
    kind = kind_of(entry)
    meter = element("span", element("i", style=f"width:{percent:.0f}%"), class_=f"meter {kind}", aria_hidden="true")
    said = f"{percent:.0f} %" + (f" of {size(entry.bytes_total)}" if entry.bytes_total else "")
    phase = element("span", entry.phase, class_="note") if entry.phase else None
    return join([element("span", meter, said, class_="amount number"), phase])


def _rate(entry: Provider) -> str:
    """What it is now, or what it was on average."""
    if entry.rate is not None:
        return f"{size(entry.rate)}/s"
    took = next((_seconds_of(phase) for phase in reversed(entry.phases) if phase.phase == "copying"), None)
    if entry.phase is None and took and entry.bytes_done and entry.percent == 100:
        return f"{size(entry.bytes_done / took)}/s"
    return DASH


def _seconds_of(phase: Phase) -> float | None:
    return None if phase.finished is None else seconds(phase.finished) - seconds(phase.started)


def _time(entry: Provider, now: float) -> str:
    """What is left, or what it took."""
    if entry.eta is not None:
        left = seconds(entry.eta) - now
        return f"{human(left)} left"
    if entry.started and entry.finished:
        return human(seconds(entry.finished) - seconds(entry.started))
    return DASH


__all__ = ("DASH", "TITLES", "TONES", "natural", "providers_section", "word")
