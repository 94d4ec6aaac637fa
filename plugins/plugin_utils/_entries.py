# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""How what is reported about a provider becomes the fields of its entry, each in its type."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping

from ansible_collections.fanout.hyperv.plugins.plugin_utils._rate import Rate
from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import OK, Verdict
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_parts import (
    Provider,
    Transfer,
    error_of,
    seconds,
    utc,
)

Values = dict[str, t.Any]


def begun(before: Provider, now: float) -> Values:
    """A copy begins."""
    attempts = 1 if before.progress == OK else before.attempts + 1
    fresh = dict.fromkeys(("percent", "bytes_done", "bytes_total", "rate", "eta", "finished", "error"))
    return {**fresh, "attempts": attempts, "started": utc(now)}


def ended(size: int | None, verdict: Verdict, now: float) -> Values:
    """A failed copy keeps how far it came."""
    changes: Values = {"phase": None, "rate": None, "eta": None, "finished": utc(now)}
    if verdict.progress == OK:
        changes |= {"percent": 100.0, "bytes_done": size, "bytes_total": size}
    return changes


_TEXTS = ("revision", "served_by", "reason")
_TIMES = ("started", "finished")


def told(report: Mapping[str, t.Any]) -> Values:
    """The fields of an entry that a report may set, each in its type."""
    fields: Values = {key: _text(report[key]) for key in _TEXTS if key in report}
    fields |= {key: utc(seconds(report[key])) for key in _TIMES if report.get(key) is not None}
    if report.get("attempts") is not None:
        fields["attempts"] = int(report["attempts"])
    if "error" in report:
        fields["error"] = error_of(report["error"]) if report["error"] else None
    if "reasons" in report:
        fields["reasons"] = tuple(str(reason) for reason in report["reasons"] or ())
    if "findings" in report:
        fields["findings"] = tuple(json.loads(json.dumps(dict(one), default=str)) for one in report["findings"] or ())
    if "guests" in report:
        fields["guests"] = _guests(report["guests"])
    return fields


def _guests(report: t.Any) -> Values | None:
    """How many guests a provider has, and how many of them are outdated."""
    return None if report is None else {key: int(report[key]) for key in ("count", "outdated")}


def _text(value: t.Any) -> str | None:
    return None if value is None else str(value)


def transfer(values: Mapping[str, t.Any], rate: Rate, now: float) -> Transfer:
    """How far it is; what is missing of percent and bytes is worked out from the others."""
    percent, done, total = values.get("percent"), values.get("bytes_done"), values.get("bytes_total")
    if done is None and percent is not None and total is not None:
        done = int(total * percent / 100)
    if percent is None and done is not None and total:
        percent = 100 * done / total
    if done is not None:
        rate.add(values.get("at", now), done)
    speed, left = rate.per_second(now), rate.seconds_left(now, total)
    return Transfer(
        phase=_text(values.get("phase")),
        percent=None if percent is None else round(min(100.0, max(0.0, float(percent))), 1),
        bytes_done=None if done is None else int(done),
        bytes_total=None if total is None else int(total),
        rate=None if speed is None or done is None else round(speed),
        eta=None if left is None or done is None else utc(now + left),
    )


__all__ = ("begun", "ended", "told", "transfer")
