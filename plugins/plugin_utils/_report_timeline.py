# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The report's time line: what was done for each provider when, and below the same axis how fast bytes moved."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.fanout.hyperv.plugins.plugin_utils._html import Html, element, name_of
from ansible_collections.fanout.hyperv.plugins.plugin_utils._report_style import PHASES
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Document
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_parts import (
    RUNNING,
    Phase,
    Run,
    Throughput,
    seconds,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._table import size

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400)
TICKS = 8
DENSE = 24
"""More rows than these are drawn narrower."""

NAMES: t.Final = {"removing": "removal", "cleaning": "removal", "adopting": "copying"}
"""Phases that are drawn as another one."""


def human(amount: float) -> str:
    """A time span as people say it: the two largest units."""
    whole = max(0, round(amount))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@dataclass(frozen=True)
class Window:
    """The run that the time line shows, from its first second to its last."""

    run: Run
    begin: float
    end: float

    def percent(self, at: float) -> float:
        """Where a time lies, from 0 to 100."""
        return min(100.0, max(0.0, 100 * (at - self.begin) / (self.end - self.begin)))

    def holds(self, phase: Phase) -> bool:
        """Whether the phase belongs to that run."""
        return self.begin <= seconds(phase.started) <= self.end


def window_of(document: Document) -> Window | None:
    """The last run in which something was done for a copy; None when there is none that the file knows."""
    starts = [seconds(phase.started) for entry in document.providers.values() for phase in entry.phases]
    starts += [seconds(phase.started) for phase in document.source_phases]
    for run in document.runs:
        begin = seconds(run.started)
        end = max(begin + 1, seconds(run.finished or run.updated))
        if any(begin <= start <= end for start in starts):
            return Window(run, begin, end)
    return None


def timeline(document: Document) -> Html | None:
    """Throughput and time line; None when nothing was done yet."""
    window = window_of(document)
    if window is None:
        return None
    rows = _rows(document, window)
    shown = sorted({_drawn(phase) for _name, phases in rows for phase in phases}, key=list(PHASES).index)
    keys = [_key(name) for name in shown]
    dense = "time dense" if len(rows) > DENSE else "time"
    state = "" if window.run.state == RUNNING else f", {human(window.end - window.begin)}"
    return element(
        "section",
        element("h2", "Time line", id="time"),
        element("div", *_chart(document.throughput, window), *_axis(window), class_="time"),
        element("div", *(cell for name, phases in rows for cell in _row(name, phases, window)), class_=dense),
        element("ul", *keys, class_="keys"),
        element("p", "Run of ", clock(window.run.started), f"{state}. Times count from its beginning.", class_="note"),
        aria_labelledby="time",
    )


def clock(time: str, *, today: str = "") -> Html:
    """A time of the document for people, and in the markup for programs; of ``today`` without its date."""
    date = "" if time[:10] == today[:10] else f"{time[:10]} "
    return element("time", f"{date}{time[11:19]} UTC", datetime=time, title=f"{time[:10]} {time[11:19]} UTC")


def _rows(document: Document, window: Window) -> list[tuple[str, list[Phase]]]:
    """The source, then the providers in the order in which their work began."""
    rows = [
        (name, [phase for phase in entry.phases if window.holds(phase)]) for name, entry in document.providers.items()
    ]
    rows = sorted(((name, phases) for name, phases in rows if phases), key=lambda row: (row[1][0].started, row[0]))
    source = [phase for phase in document.source_phases if window.holds(phase)]
    return [(f"{document.template.source} (source)", source), *rows] if source else rows


def _drawn(phase: Phase) -> str:
    name = NAMES.get(phase.phase, phase.phase)
    return name if name in PHASES else "other"


def _key(name: str) -> Html:
    words = {"removal": "removing, cleaning"}
    return element("li", element("span", element("i", class_=f"phase-{name}"), words.get(name, name), class_="key"))


def _row(name: str, phases: Sequence[Phase], window: Window) -> Iterable[Html]:
    yield element("div", name_of(name), class_="name", title=name)
    said = ", ".join(f"{phase.phase} {_lasted(phase, window)}" for phase in phases)
    yield element(
        "div", element("span", f"{said}.", class_="hidden"), *(_part(phase, window) for phase in phases), class_="lane"
    )


def _part(phase: Phase, window: Window) -> Html:
    left = window.percent(seconds(phase.started))
    right = window.percent(window.end if phase.finished is None else seconds(phase.finished))
    return element(
        "i",
        class_=f"phase-{_drawn(phase)}",
        style=f"left:{left:.2f}%;width:{right - left:.2f}%",
        title=f"{phase.phase}: {_lasted(phase, window)}",
        aria_hidden="true",
    )


def _lasted(phase: Phase, window: Window) -> str:
    end = window.end if phase.finished is None else seconds(phase.finished)
    return human(end - seconds(phase.started)) + ("" if phase.finished else " so far")


def _axis(window: Window) -> Iterable[Html]:
    span = window.end - window.begin
    step = next((step for step in STEPS if span / step <= TICKS), STEPS[-1] * max(1, round(span / STEPS[-1] / TICKS)))
    ticks = [number * step for number in range(int(span / step) + 1)]
    ticks = [tick for tick in ticks if tick / span <= 0.97]
    marks = [element("span", _tick(tick, step), style=f"left:{100 * tick / span:.2f}%") for tick in ticks]
    yield element("div")
    yield element("div", *marks, class_="axis number", aria_hidden="true")


def _tick(tick: int, step: int) -> str:
    if tick == 0:
        return "0"
    if step < 60:
        return f"{tick // 60}:{tick % 60:02d}" if tick >= 60 or step >= 10 else f"{tick} s"
    if step < 3600:
        return f"{tick // 3600}:{tick // 60 % 60:02d} h" if tick >= 3600 else f"{tick // 60} min"
    return f"{tick // 3600} h"


def _chart(throughput: Throughput | None, window: Window) -> Iterable[Html]:
    """The throughput as an area, in the same time as the rows below it."""
    if throughput is None or throughput.run != window.run.id or not any(throughput.rates):
        return
    top = max(throughput.rates)
    begin = seconds(throughput.started)
    points = []
    for number, rate in enumerate(throughput.rates):
        for edge in (number, number + 1):
            left = 10 * window.percent(begin + edge * throughput.every)
            points.append(f"{left:.1f},{100 - 100 * rate / top:.1f}")
    first, last = points[0].split(",")[0], points[-1].split(",")[0]
    path = Html(f'<path d="M{first},100 L{" L".join(points)} L{last},100 Z"/>')
    lines = Html("".join(f'<line x1="0" x2="1000" y1="{y}" y2="{y}"/>' for y in (0, 50)))
    chart = Html(
        f'<svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label="throughput, at most '
        f'{size(top)}/s">{lines}{path}</svg>'
    )
    yield element(
        "div",
        element("span", f"{size(top)}/s"),
        element("span", "throughput"),
        element("span", "0"),
        class_="scale number",
    )
    yield element("div", chart, class_="chart")


__all__ = ("DENSE", "clock", "human", "timeline", "window_of")
