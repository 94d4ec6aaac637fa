# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run folders: the lock that tells life from death, what is cleaned and what never is."""

from __future__ import annotations

import json
import os
import platform
import signal
import tempfile
from pathlib import Path

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils import _run_directory
from ansible_collections.fanout.hyperv.plugins.plugin_utils._files import is_locked
from ansible_collections.fanout.hyperv.plugins.plugin_utils._run_directory import (
    DEAD_AFTER,
    KEPT,
    REMOVED_AT_ONCE,
    VARIABLE,
    ProgressReader,
    RunDirectory,
    is_alive,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Run, utc

NOW = 1_795_000_000.0


def begun(status: Path, now: float = NOW, pid: int = 7) -> RunDirectory:
    directory = RunDirectory.below(status, now, pid)
    directory.begin()
    return directory


def run_of(directory: RunDirectory, node: str | None = None, updated: float = NOW) -> Run:
    return Run(id=directory.id, started=utc(NOW), updated=utc(updated), node=node or platform.node())


def test_nothing_is_made_before_the_run_begins(tmp_path: Path) -> None:
    RunDirectory.below(tmp_path / "status", NOW, 7)
    assert list(tmp_path.iterdir()) == []


def test_two_runs_of_one_second_have_their_own(tmp_path: Path) -> None:
    one, two = begun(tmp_path), begun(tmp_path)
    assert one.path.parent == two.path.parent == tmp_path / "runs"
    assert one.path != two.path
    assert one.path.stat().st_mode & 0o777 == 0o700
    one.end()
    two.end()


def test_a_run_lives_as_long_as_its_lock_is_held_and_its_heart_beats(tmp_path: Path) -> None:
    directory = begun(tmp_path)
    run = run_of(directory)
    assert is_alive(run, tmp_path, now=NOW + DEAD_AFTER - 1)
    assert not is_alive(run, tmp_path, now=NOW + DEAD_AFTER)
    directory.end()
    assert not is_alive(run, tmp_path, now=NOW)


def test_another_node_is_judged_by_its_heartbeat_alone(tmp_path: Path) -> None:
    directory = begun(tmp_path)
    directory.end()
    run = run_of(directory, node="elsewhere")
    assert is_alive(run, tmp_path, now=NOW + 5)
    assert not is_alive(run, tmp_path, now=NOW + DEAD_AFTER)


def test_without_its_folder_a_run_is_judged_by_its_heartbeat(tmp_path: Path) -> None:
    directory = RunDirectory.below(tmp_path, NOW, 7)
    assert is_alive(run_of(directory), tmp_path, now=NOW + 5)


def test_a_run_that_ended_or_tells_no_time_does_not_live(tmp_path: Path) -> None:
    directory = begun(tmp_path)
    run = run_of(directory)
    assert not is_alive(Run(**{**run.__dict__, "state": "finished"}), tmp_path, now=NOW)
    assert not is_alive(Run(**{**run.__dict__, "updated": "soon"}), tmp_path, now=NOW)
    directory.end()


def test_a_worker_that_outlives_its_parent_holds_the_lock(tmp_path: Path) -> None:
    """As after SIGKILL: the forked process has the lock as long as it lives."""
    directory = begun(tmp_path)
    reader, writer = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    os.close(reader)
    assert directory._alive is not None
    os.close(directory._alive)  # what the kernel does with a killed parent's descriptors
    assert is_locked(directory.path / "alive.lock")
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    os.close(writer)
    assert not is_locked(directory.path / "alive.lock")


def test_progress_is_read_once_per_change(tmp_path: Path) -> None:
    directory = begun(tmp_path)
    reader = ProgressReader(directory)
    assert list(reader.changed()) == []
    directory.write_progress("hv/02", {"provider": "hv/02", "percent": 1})
    directory.write_progress("hv03", {"provider": "hv03", "percent": 2})
    assert {values["provider"]: values["percent"] for values in reader.changed()} == {"hv/02": 1, "hv03": 2}
    assert list(reader.changed()) == []
    directory.write_progress("hv03", {"provider": "hv03", "percent": 3})
    assert [values["percent"] for values in reader.changed()] == [3]
    (directory.progress / "bad.json").write_text("{", encoding="utf-8")
    (directory.progress / "list.json").write_text("[]", encoding="utf-8")
    (directory.progress / ".x.json.1.tmp").write_text("{}", encoding="utf-8")
    assert list(reader.changed()) == []
    directory.end()


def test_old_runs_are_removed_but_neither_the_last_ones_nor_living_ones(tmp_path: Path) -> None:
    for number in range(KEPT + 3):
        old = begun(tmp_path, NOW + number, number)
        old.write_progress("hv02", {})
        old.slots.mkdir()
        (old.slots / "copy-x.lock").touch()
        old.end()
    living = begun(tmp_path, NOW - 100, 1)
    foreign = begun(tmp_path, NOW - 90, 2)
    (foreign.path / "notes.txt").write_text("somebody's", encoding="utf-8")
    foreign.end()
    mine = begun(tmp_path, NOW + 1000, 3)
    mine.clean()
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert len(names) == KEPT + 3
    assert {living.id, foreign.id, mine.id} <= set(names)
    assert (foreign.path / "notes.txt").exists()
    assert (living.path / "alive.lock").exists()
    living.end()
    mine.end()


def test_only_a_few_are_removed_at_once(tmp_path: Path) -> None:
    for number in range(KEPT + REMOVED_AT_ONCE + 5):
        begun(tmp_path, NOW + number, number).end()
    mine = begun(tmp_path, NOW + 1000, 3)
    mine.clean()
    assert len(list((tmp_path / "runs").iterdir())) == KEPT + 5 + 1
    mine.end()


def test_links_in_a_run_folder_are_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file.json").write_text("{}", encoding="utf-8")
    directory = begun(tmp_path / "status")
    (directory.path / "progress").symlink_to(precious)
    directory.discard()
    assert (precious / "file.json").exists()


def test_a_run_that_nobody_needs_leaves_nothing(tmp_path: Path) -> None:
    directory = begun(tmp_path / "status")
    directory.write_progress("hv02", {})
    directory.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_there_before_stays(tmp_path: Path) -> None:
    (tmp_path / "status").mkdir()
    begun(tmp_path / "status").discard()
    assert list((tmp_path / "status").iterdir()) == []


def test_a_worker_finds_the_folder_of_the_callback(tmp_path: Path) -> None:
    assert RunDirectory.of_worker({VARIABLE: str(tmp_path)}).path == tmp_path


def test_without_the_callback_the_workers_of_one_playbook_share_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    one, two = RunDirectory.of_worker({}), RunDirectory.of_worker({})
    assert one.path == two.path
    assert RunDirectory.of_worker({}, parent=os.getpid()).path != one.path
    one.write_progress("hv02", {"percent": 1})
    assert json.loads((two.progress / "hv02.json").read_text(encoding="utf-8")) == {"percent": 1}
    assert one.path.parent.stat().st_mode & 0o777 == 0o700
    assert one.path.is_relative_to(tmp_path)


def test_folders_of_playbooks_that_are_gone_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    child = os.fork()
    if child == 0:
        os._exit(0)
    gone = RunDirectory.of_worker({}, parent=child)
    gone.write_progress("hv02", {})
    mine = RunDirectory.of_worker({})
    mine.write_progress("hv02", {})
    os.waitpid(child, 0)
    RunDirectory.of_worker({}, parent=os.getpid())
    assert not gone.path.exists()
    assert mine.path.exists()


@pytest.mark.parametrize("make", ["link", "open", "file"])
def test_a_folder_that_others_can_write_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    base = tmp_path / f"fanout-{os.getuid()}"
    if make == "link":
        (tmp_path / "elsewhere").mkdir()
        base.symlink_to(tmp_path / "elsewhere")
    elif make == "open":
        base.mkdir()
        base.chmod(0o777)
    else:
        base.touch()
    with pytest.raises(OSError, match=r"fanout-"):
        RunDirectory.of_worker({})


def test_a_pid_that_is_used_again_is_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    started = _run_directory._started(os.getpid())
    assert started.isdigit()
    assert _run_directory._runs(os.getpid(), started)
    assert not _run_directory._runs(os.getpid(), "1")
