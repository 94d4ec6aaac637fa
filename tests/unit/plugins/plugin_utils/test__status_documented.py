# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/status_file.md and the schema say the same."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[4] / "docs"
SCHEMA = json.loads((DOCS / "status.schema.json").read_text(encoding="utf-8"))
SECTIONS = dict(
    re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", (DOCS / "status_file.md").read_text(encoding="utf-8"), re.M | re.S)
)
PARTS: dict[str, t.Any] = {
    "The document": SCHEMA,
    "`template`": SCHEMA["properties"]["template"],
    "`run`": SCHEMA["$defs"]["run"],
    "`transfer`": SCHEMA["$defs"]["transfer"],
    "`provider`": SCHEMA["$defs"]["provider"],
    "`phase`": SCHEMA["$defs"]["phase"],
    "`throughput`": SCHEMA["$defs"]["throughput"],
    "`error`": SCHEMA["$defs"]["error"]["oneOf"][1],
}
WORDS = {
    ("`run`", "state"): SCHEMA["$defs"]["run"]["properties"]["state"]["enum"],
    ("`run`", "kind"): SCHEMA["$defs"]["run"]["properties"]["kind"]["enum"],
    ("`provider`", "state"): SCHEMA["$defs"]["state"]["enum"],
    ("`provider`", "progress"): SCHEMA["$defs"]["progress"]["enum"],
    ("`error`", "layer"): PARTS["`error`"]["properties"]["layer"]["enum"],
}


def rows(section: str) -> dict[str, list[str]]:
    found = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", SECTIONS[section], re.M)
    return {name: [kind, meaning] for name, kind, meaning in found}


@pytest.mark.parametrize("section", PARTS)
def test_every_field_is_documented_and_no_other(section: str) -> None:
    assert list(rows(section)) == [name for name in PARTS[section]["properties"] if name in rows(section)]
    assert set(rows(section)) == set(PARTS[section]["properties"])


def test_every_count_is_documented() -> None:
    assert list(rows("`summary`")) == SCHEMA["properties"]["summary"]["required"]


@pytest.mark.parametrize(("section", "field"), WORDS)
def test_every_word_is_documented(section: str, field: str) -> None:
    kind, meaning = rows(section)[field]
    assert kind == "word"
    assert set(re.findall(r"`([^`]+)`", meaning)) == set(WORDS[section, field])


def test_what_may_be_null_is_said() -> None:
    for section, part in PARTS.items():
        for name, described in part["properties"].items():
            may = "null" in types(described)
            assert ("or null" in rows(section)[name][0]) == may, f"{section} {name}"


def types(described: t.Any) -> list[str]:
    """The JSON types that a property may have."""
    if "$ref" in described:
        described = SCHEMA["$defs"][described["$ref"].rpartition("/")[2]]
    found: list[str] = []
    for option in (described, *described.get("oneOf", [])):
        kind = option.get("type", [])
        found += [kind] if isinstance(kind, str) else kind
    return found


def test_the_version_is_said() -> None:
    version = SCHEMA["properties"]["schema"]["const"]
    assert f"now {version}" in rows("The document")["schema"][1]
