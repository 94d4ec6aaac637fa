# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation names is there, and what is there is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.checks.source_rules import project_files

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
PAGES = [name for name in project_files(ROOT) if name.endswith(".md")]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    links = LINK.findall((ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def test_the_readme_names_what_is_included() -> None:
    included = (ROOT / "README.md").read_text(encoding="utf-8").partition("## What is included")[2]
    table = [line for line in included.splitlines() if line.startswith("|")]
    named = set(re.findall(r"`(?:fanout\.hyperv\.)?(\w+)`", "\n".join(line.split("|")[1] for line in table[2:])))
    folders = ("plugins/modules", "plugins/callback", "plugins/lookup", "plugins/inventory", "playbooks")
    files = {path.stem for folder in folders for path in (ROOT / folder).glob("*.*") if path.is_file()}
    roles = {path.name for path in (ROOT / "roles").iterdir()}
    assert named == files | roles


def test_the_error_codes_of_the_documentation_exist() -> None:
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES if page.startswith("docs/"))
    codes = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", text))
    assert len(codes) > 20
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "plugins").rglob("*.py"))
    assert sorted(name for name in codes if f'"{name}"' not in code) == []


def test_version_and_changelog_agree() -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    headings = re.findall(r"^## v(\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == version
