# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/fidelity.md and the lab agree: each switch has its row, each row its switch, with its real default."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from hyperv_lab.model.switches import Rules

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fidelity.md"
CERTAINTY = {"D", "M", "F", "I", "?"}


def rows(heading: str) -> list[list[str]]:
    """The cells of a section's table."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_switch_has_a_row_and_every_row_a_switch() -> None:
    told = [row[0].strip("`") for row in rows("Switches")]
    assert sorted(told) == sorted(one.name for one in fields(Rules))
    assert len(told) == len(set(told))


def test_rows_tell_the_real_default_a_source_a_certainty_and_a_question() -> None:
    rules = Rules()
    for row in rows("Switches"):
        assert len(row) == 6, row
        name, default, turned, source, certainty, question = row
        assert default == f"`{getattr(rules, name.strip('`'))}`", name
        assert certainty in CERTAINTY, name
        assert turned and source and question, name


def test_behaviours_have_a_source_and_a_certainty() -> None:
    for row in rows("Behaviours"):
        assert len(row) == 3 and all(row), row
        assert row[2] in CERTAINTY, row
