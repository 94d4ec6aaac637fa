# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are whole or not there, names that are safe, locks that the kernel frees."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._files import (
    Busy,
    is_locked,
    locked,
    safe_name,
    try_lock,
    unlock,
    write_whole,
)

NAMES = [
    "win11-gold",
    "WIN11-gold",
    "win11 gold",
    "win11/gold",
    "../../etc/passwd",
    ".",
    "..",
    "",
    "%",
    "%41",
    "A",
    "gold[1]*?",
    "Vorlage ÄÖÜß",
    "'\"$();\n",
    "ü" * 100,
    "ü" * 101,
    "a" * 500,
    "a" * 499 + "b",
    "\udcff",
]


def test_names_are_safe_different_and_short_enough_for_a_file(tmp_path: Path) -> None:
    safe = [safe_name(name) for name in NAMES]
    assert len(set(safe)) == len(NAMES)
    for name in safe:
        (tmp_path / f"{name}@{safe[-3]}.json").write_text(name, encoding="utf-8")
        assert "/" not in name
        assert not name.startswith(".")
    assert len(list(tmp_path.iterdir())) == len(NAMES)
    assert safe_name("win11-gold") == "win11-gold"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_a_file_has_its_mode_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        write_whole(tmp_path / "file", "text", mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, "old")
    order: list[str] = []
    sync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        order.append("fsync")
        assert path.read_text(encoding="utf-8") == "old"
        sync(descriptor)

    def replaced(source: Path, target: Path) -> None:
        order.append("rename")
        assert Path(source).read_text(encoding="utf-8") == "new ü"
        assert Path(source).parent == path.parent
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_whole(path, "new ü")
    assert order == ["fsync", "rename"]
    assert path.read_text(encoding="utf-8") == "new ü"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_in_place_of_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    temporary = tmp_path / "temporary"
    temporary.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic"):
        write_whole(tmp_path / "file", "text", temporary=temporary)
    assert victim.read_text(encoding="utf-8") == "precious"


def test_text_that_is_no_unicode_is_written_anyway(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", "\udcff")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "?"


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    assert not path.exists()
    mine = try_lock(path)
    assert mine is not None
    assert is_locked(path)
    assert try_lock(path) is None
    assert try_lock(path, shared=True) is None
    unlock(mine)
    assert not is_locked(path)
    one, two = try_lock(path, shared=True), try_lock(path, shared=True)
    assert one is not None
    assert two is not None
    unlock(one)
    unlock(two)


def test_a_lock_is_free_although_a_fork_has_its_descriptor(tmp_path: Path) -> None:
    """What happens when a worker is forked in the middle of a write."""
    path = tmp_path / "lock"
    mine = try_lock(path)
    assert mine is not None
    inherited = os.dup(mine)
    unlock(mine)
    assert not is_locked(path)
    os.close(inherited)


def test_a_lock_on_a_file_that_was_removed_is_not_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lock"
    real = os.open
    removed: list[Path] = []

    def opened(name: Path, flags: int, mode: int = 0o777) -> int:
        descriptor = real(name, flags, mode)
        if not removed:  # its holder leaves between our opening and our locking it
            removed.append(name)
            os.unlink(name)
        return descriptor

    monkeypatch.setattr(os, "open", opened)
    mine = try_lock(path)
    monkeypatch.undo()
    assert removed
    assert mine is not None
    assert is_locked(path)
    unlock(mine)


def test_waiting_for_a_lock_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    with locked(path, 1), pytest.raises(Busy), locked(path, 1, clock=lambda: now, sleep=sleep):
        raise AssertionError("it was held")
    assert now == pytest.approx(1, abs=0.1)
    with locked(path, 0):
        assert is_locked(path)
    assert not is_locked(path)
