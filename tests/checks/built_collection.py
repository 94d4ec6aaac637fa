# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks into the archive that `ansible-galaxy collection build` made.

python -m tests.checks.built_collection FOLDER    the folder with exactly one fanout-hyperv-*.tar.gz of this version
"""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from tests.checks.source_rules import project_files

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("README.md", "COPYING", "LICENSES/GPL-3.0-or-later.txt", "meta/runtime.yml", "CHANGELOG.md")
NEEDED_FOLDERS = ("plugins/modules", "plugins/module_utils", "plugins/action", "plugins/callback", "roles", "playbooks")
SHIPPED_TESTS = ("tests/config.yml", "tests/sanity/")
GENERATED = ("MANIFEST.json", "FILES.json")
LIMIT = 2 * 1024 * 1024


def problems(names: Iterable[str], repository: Iterable[str]) -> Iterator[str]:
    """What is missing from the archive, and what has no business in it."""
    shipped, known = set(names), set(repository)
    yield from (f"{name} is missing" for name in NEEDED if name not in shipped)
    for folder in NEEDED_FOLDERS:
        if not any(name.startswith(f"{folder}/") for name in shipped):
            yield f"nothing below {folder}"
    for name in sorted(shipped - known - set(GENERATED)):
        yield f"{name} is not part of the repository"
    for name in sorted(shipped):
        if name.startswith((".", "demo/")) or (name.startswith("tests/") and not name.startswith(SHIPPED_TESTS)):
            yield f"{name} should not be shipped"


def archive_in(folder: Path) -> Path:
    """The archive of the version that galaxy.yml names."""
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    return folder / f"fanout-hyperv-{version}.tar.gz"


def main(folder: str) -> int:
    archive = archive_in(Path(folder))
    with tarfile.open(archive) as opened:
        names = [member.name for member in opened.getmembers() if member.isfile()]
    found = list(problems(names, project_files(ROOT)))
    if archive.stat().st_size > LIMIT:
        found.append(f"{archive.stat().st_size} bytes: larger than {LIMIT}")
    print(
        "\n".join(
            [*found, f"{archive.name}: {len(names)} files, {archive.stat().st_size} bytes, {len(found)} problems"]
        )
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
