# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of providers: what is told of each, and as a table."""

from __future__ import annotations

import typing as t

from ansible_collections.fanout.hyperv.plugins.plugin_utils._provider_list import rows, table

Values = dict[str, t.Any]
FACTS: Values = {"answers": True, "listed": True, "copy": "current", "due": True, "tried": "failed"}
STEP: Values = {
    "answers": True,
    "listed": True,
    "leaving": False,
    "holds": True,
    "findings": [],
    "facts": FACTS,
    "revision": "0123456789ab",
    "subtype": "standalone",
    "system": "Windows Server 2022",
}
MISSING = {"severity": "error", "code": "SWITCH_MISSING", "what": "No switch.", "remedy": "Make one."}
FULL = {"severity": "error", "code": "SPACE_TARGET", "what": "Full.", "remedy": "Make room."}


def step(**changes: t.Any) -> Values:
    facts = {key: changes[key] for key in ("answers", "listed", "leaving") if key in changes}
    return {**STEP, **changes, "facts": {**FACTS, **facts, **changes.get("facts", {})}}


def plan(**providers: Values) -> Values:
    return {"name": "gold\x1b[31m", "providers": providers}


def test_what_is_told_of_each() -> None:
    outside: Values = {"listed": False, "holds": False, "revision": None, "facts": {"copy": "none"}}
    made = plan(
        hv02=step(),
        hv03=step(answers=False, findings=[{**MISSING, "code": "UNREACHABLE"}], revision=None),
        hv04=step(findings=[MISSING], **outside),
        hv05=step(findings=[FULL], **outside),
        hv06=step(listed=False, leaving=True),
    )
    told = {row["provider"]: row for row in rows(made, None)}
    assert [(row["eligible"], row["listed"], row["leaving"]) for row in told.values()] == [
        (True, True, False),
        (None, True, False),
        (False, False, False),
        (True, False, False),
        (True, False, True),
    ]
    words = [(row["state"], row["progress"]) for row in told.values()]
    assert words[0] == ("Ready", "OK")
    assert words[1][0] == "Not available"
    assert words[2] == (None, None)
    assert words[4][1] == "Removing provider"

    text = table(made, list(told.values()), 100)
    assert "5 providers, 3 eligible, 2 in the list" in text
    assert "hv04: SWITCH_MISSING: No switch. Make one." in text
    assert "\x1b" not in text


def test_without_the_source_nothing_is_known_of_the_list() -> None:
    made = {**plan(hv02=step(facts={"copy": "unknown", "answers": None})), "source_error": {"message": "hv01: gone"}}
    (row,) = rows(made, None)
    assert (row["eligible"], row["listed"]) == (None, False)
    assert "hv01: gone" in table(made, [row], 80)


def test_a_play_without_providers() -> None:
    assert "0 providers" in table(plan(), rows(plan(), None), 80)
