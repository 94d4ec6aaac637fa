# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The template's disk: which one, how fast it shall travel, and whether it arrived as it was."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from .call_log import Statement

MiB = 1024**2
GiB = 1024**3
OWN = Path(__file__).resolve().parent / "win11-gold.vhdx"
"""Made by qemu-img: 64 GiB, dynamic, of which 8 MiB are written, every 4 KiB of them different."""
FILES_AT_ONCE = 12  # the template, its export, up to three clones, six copies and the one being written
FASTEST = 400 * MiB


class DemoError(Exception):
    """Why the demo cannot be shown here."""


@dataclass(frozen=True)
class Rates:
    """Bytes per second, such that all copies together take about the time wanted."""

    network: int
    disk: int

    @classmethod
    def for_copies(cls, size: int, copies: int, seconds: float) -> Rates:
        network = max(MiB, min(FASTEST, int(size * copies / seconds)))
        return cls(network=network, disk=8 * network)


def template_disk(given: str, folder: Path) -> Path:
    """The disk that was named, or the small one that lies here. It is copied into the lab, never changed."""
    path = Path(given).expanduser().resolve() if given else OWN
    if not path.is_file():
        raise DemoError(f"TEMPLATE_DISK: there is no file {path}")
    needed = FILES_AT_ONCE * path.stat().st_size + GiB
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DemoError(f"{needed / GiB:.1f} GiB are needed below {folder}, {free / GiB:.1f} GiB are free")
    return path


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while chunk := opened.read(4 * MiB):
            digest.update(chunk)
    return digest.hexdigest()


def disks_on(host_folder: Path, name: str) -> list[Path]:
    """All files of that name on one host of the lab."""
    return sorted(path for path in host_folder.rglob("*") if path.is_file() and path.name.casefold() == name.casefold())


def compare(data: Path, template: Path, targets: list[str]) -> list[Statement]:
    """One statement per target: its only disk of this name has every byte of the template's."""
    expected = sha256(template)
    statements = []
    for host in targets:
        found = disks_on(data / host, template.name)
        same = len(found) == 1 and sha256(found[0]) == expected
        statements.append(Statement(f"{host}: {len(found)} disk, SHA-256 as the template's", same))
    return statements


def leftovers(data: Path, source: str, template: Path) -> Statement:
    """On the source only the template itself and its export hold the disk."""
    found = disks_on(data / source, template.name)
    text = f"no clone is left on {source} ({len(found)} disks: the template's and its export's)"
    return Statement(text, len(found) == 2)
