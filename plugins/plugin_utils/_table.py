# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What people read in a terminal: progress lines and the final table, as plain text."""

from __future__ import annotations

import textwrap
import typing as t
from collections.abc import Iterable, Sequence

from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import NEEDS_UPDATE, OK
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import (
    RUNNING,
    Document,
    Provider,
    Transfer,
    seconds,
    utc,
)

UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
NARROWEST = 40
GAP = "  "
MISSING = "-"

Values = dict[str, t.Any]


def printable(text: object) -> str:
    """Text on one line without control characters: a name cannot move the cursor or colour the screen."""
    return "".join(" " if char.isspace() else char if char.isprintable() else "?" for char in str(text))


def size(amount: float) -> str:
    """Bytes in the unit that suits."""
    power = 0
    while amount >= 1024 and power < len(UNITS) - 1:
        amount, power = amount / 1024, power + 1
    unit = UNITS[power]
    return f"{amount:.0f} {unit}" if unit == "bytes" or amount >= 100 else f"{amount:.1f} {unit}"


def duration(left: float) -> str:
    """Hours, minutes and seconds."""
    whole = max(0, round(left))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def time_left(transfer: Transfer, now: float) -> str | None:
    """How long it will take; None when that is not known."""
    return None if transfer.eta is None else duration(seconds(transfer.eta) - now)


def since(time: str | None, now: float) -> str:
    """A time of the document; of today the clock's time, else the date, too."""
    if time is None:
        return MISSING
    return time[11:19] if time[:10] == utc(now)[:10] else f"{time[:10]} {time[11:16]}"


def progress_line(name: str, transfer: Transfer, now: float) -> str:
    """One line about something that is under way."""
    words = [printable(transfer.phase or "working")]
    if transfer.percent is not None:
        words.append(f"{transfer.percent:.0f} %")
    if transfer.bytes_total is not None:
        words.append(f"of {size(transfer.bytes_total)}" if transfer.percent is not None else size(transfer.bytes_total))
    parts = [" ".join(words)]
    if transfer.rate is not None:
        parts.append(f"{size(transfer.rate)}/s")
    if (left := time_left(transfer, now)) is not None:
        parts.append(f"{left} left")
    return f"{printable(name)}: {', '.join(parts)}"


def table(document: Document, *, width: int, now: float) -> str:
    """The whole distribution: a headline, a row per provider, and what to do about errors."""
    width = max(width, NARROWEST)
    lines = [*_wrapped(_headline(document), width), ""]
    lines += _rows(document, width, now)
    more = [line for why, names in _needs(document) for line in _wrapped(f"{', '.join(names)}: {why}", width)]
    more += [line for names, error in problems(document) for line in _problem(names, error, width)]
    return "\n".join([*lines, *([""] if more else []), *more])


def _headline(document: Document) -> str:
    template = document.template
    revision = f", revision {printable(template.revision)}" if template.revision else ""
    counts = ", ".join(
        f"{count} {word.replace('_', ' ')}"
        for word, count in document.summary().items()
        if count and word != "providers"
    )
    state = "" if document.run.state == RUNNING else f" (run {document.run.state})"
    total = len(document.providers)
    providers = f"{total} provider{'' if total == 1 else 's'}"
    return (
        f"{printable(template.name)} from {printable(template.source)}{revision}: {document.distribution}{state}; "
        f"{providers}{': ' if counts else ''}{counts}"
    )


COLUMNS = ("provider", "state", "progress", "revision", "done", "rate", "left", "since utc", "error")
LEAVE_OUT = ("since utc", "left", "rate", "revision", "done", "error")
"""The columns that a narrow terminal does without, in this order."""


def _rows(document: Document, width: int, now: float) -> list[str]:
    entries = sorted(document.providers.items())
    cells = [dict(zip(COLUMNS, _cells(name, entry, now), strict=True)) for name, entry in entries]
    columns = [column for column in COLUMNS if column in COLUMNS[:3] or any(row[column] != MISSING for row in cells)]
    for column in LEAVE_OUT:
        if sum(_widths(columns, cells)) + len(GAP) * (len(columns) - 1) <= width:
            break
        columns = [other for other in columns if other != column]
    widths = _widths(columns, cells)
    if sum(widths) + len(GAP) * (len(columns) - 1) > width:
        return [line for row in cells for line in _stacked(row, width)]
    titles = [column.upper() for column in columns]
    return [_row(titles, widths), *(_row([row[column] for column in columns], widths) for row in cells)]


def _cells(name: str, entry: Provider, now: float) -> tuple[str, ...]:
    rate = MISSING if entry.rate is None else f"{size(entry.rate)}/s"
    return (
        printable(name),
        entry.state,
        entry.progress,
        printable(entry.revision or MISSING),
        MISSING if entry.shown_percent is None else f"{entry.shown_percent:.0f} %",
        rate,
        time_left(entry, now) or MISSING,
        since(entry.since, now),
        printable(entry.error["code"]) if entry.error else MISSING,
    )


def _widths(columns: Sequence[str], cells: Iterable[dict[str, str]]) -> list[int]:
    rows = list(cells)
    return [max([len(column), *(len(row[column]) for row in rows)]) for column in columns]


def _row(values: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(value.ljust(width) for value, width in zip(values, widths, strict=True)).rstrip()


def _stacked(row: dict[str, str], width: int) -> list[str]:
    """A provider in several lines, where not even the three words fit side by side."""
    words = f"{row['state']}, {row['progress']}"
    return [*_wrapped(row["provider"], width), *_wrapped(words, width, "  ")]


def _needs(document: Document) -> list[tuple[str, list[str]]]:
    """Why providers need an update that no error is told of, each reason once."""
    groups: dict[str, list[str]] = {}
    for name, entry in sorted(document.providers.items()):
        if entry.verdict == (NEEDS_UPDATE, OK) and entry.reasons and not entry.error:
            groups.setdefault("; ".join(map(printable, entry.reasons)), []).append(printable(name))
    return list(groups.items())


def problems(document: Document) -> list[tuple[list[str], Values]]:
    """Each error once, with the names of all that have it: one cause can stop hundreds."""
    found = [(document.template.name, document.error)]
    found += [(name, entry.error) for name, entry in sorted(document.providers.items())]
    groups: dict[str, tuple[list[str], Values]] = {}
    for name, error in found:
        if error:
            key = repr([error.get(part) for part in ("code", "message", "cause", "remedy")])
            groups.setdefault(key, ([], error))[0].append(name)
    return list(groups.values())


def _problem(names: list[str], error: Values, width: int) -> list[str]:
    lines = _wrapped(f"{printable(', '.join(names))}: {printable(error['code'])}: {printable(error['message'])}", width)
    for key in ("cause", "remedy"):
        if error.get(key):
            lines += _wrapped(f"{key}: {printable(error[key])}", width, "    ")
    return lines


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent or "    ") or [""]


__all__ = ("duration", "printable", "problems", "progress_line", "size", "table", "time_left")
