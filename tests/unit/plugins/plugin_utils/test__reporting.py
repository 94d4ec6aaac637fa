# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a worker tells, how often, and that it notices when nobody listens any more."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Orphaned
from ansible_collections.fanout.hyperv.plugins.plugin_utils._reporting import FileReporter
from ansible_collections.fanout.hyperv.plugins.plugin_utils._run_directory import VARIABLE, RunDirectory


class Worker:
    """A reporter with a clock and a parent of its own."""

    def __init__(self, folder: Path, provider: str = "hv02") -> None:
        self.now = 100.0
        self.parent = 4711
        self.lines: list[str] = []
        self.path = folder / "progress" / f"{provider}.json"
        self.reporter = FileReporter(
            provider,
            RunDirectory(folder),
            show=self.lines.append,
            clock=lambda: self.now,
            wall=lambda: 1000 + self.now,
            parent=lambda: self.parent,
        )

    def told(self) -> dict[str, t.Any]:
        values: dict[str, t.Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return values


def test_a_reporter_that_says_nothing_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "run"))
    FileReporter("hv02").check()
    assert list(tmp_path.iterdir()) == []


def test_a_phase_is_told_at_once(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.reporter.phase("cloning", served_by="hv01")
    worker.reporter.phase("copying", bytes_total=10)
    assert worker.told() == {
        "provider": "hv02",
        "pid": os.getpid(),
        "started": 1100.0,
        "at": 1100.0,
        "phases": [["cloning", 1100.0], ["copying", 1100.0]],
        "phase": "copying",
        "bytes_total": 10,
        "served_by": "hv01",
    }
    assert worker.path.stat().st_mode & 0o777 == 0o600


def test_progress_is_written_at_most_every_half_second_and_the_last_one_is_not_lost(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.reporter.phase("copying")
    seen = set()
    for percent in range(1, 10):
        worker.now += 0.125
        worker.reporter.progress(percent=percent, bytes_total=100, hint=percent)
        seen.add(worker.told().get("percent"))
    assert seen == {None, 4, 8}
    worker.now += 0.375
    worker.reporter.check()
    assert (worker.told()["percent"], worker.told()["bytes_total"], worker.told()["hint"]) == (9, 100, 9)


def test_a_new_phase_forgets_how_far_the_one_before_was(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.reporter.phase("waiting", working=False, reason="x", facts={"joining": True})
    worker.reporter.phase("copying", attempts=2)
    worker.reporter.progress(percent=50, bytes_done=5, bytes_total=10)
    worker.reporter.phase("verifying")
    told = worker.told()
    assert (told["phase"], told["attempts"], told["facts"]) == ("verifying", 2, {"joining": True})
    assert not {"percent", "bytes_done", "bytes_total", "working", "reason"} & set(told)


def test_a_field_cannot_change_whose_report_it_is(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.reporter.phase("copying", provider="hv09", started=0)
    assert (worker.told()["provider"], worker.told()["started"]) == ("hv02", 1100.0)


def test_people_see_the_phases_that_matter(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.reporter.phase("checking")
    worker.reporter.phase("waiting")
    worker.reporter.phase("waiting", reason="the hosts' migration limit")
    worker.reporter.phase("copying", source="hv01")
    worker.reporter.progress(percent=50)
    worker.reporter.phase("verifying")
    worker.reporter.note("a line\nfor \x1b[31mpeople")
    assert worker.lines == [
        "hv02: waiting for a free copy slot",
        "hv02: waiting for the hosts' migration limit",
        "hv02: copying from hv01",
        "hv02: verifying the copy",
        "hv02: a line for ?[31mpeople",
    ]


def test_values_with_braces_are_no_formats(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.reporter.phase("copying", served_by="{provider.__class__}")
    assert worker.lines == ["hv02: copying from {provider.__class__}"]


@pytest.mark.parametrize("call", ["check", "phase"])
def test_an_orphan_stops(tmp_path: Path, call: str) -> None:
    worker = Worker(tmp_path)
    worker.reporter.check()
    worker.parent = 1
    with pytest.raises(Orphaned):
        worker.reporter.check() if call == "check" else worker.reporter.phase("copying")
    assert worker.lines == []


def test_a_progress_file_that_cannot_be_written_stops_no_work(tmp_path: Path) -> None:
    (tmp_path / "progress").write_text("in the way", encoding="utf-8")
    worker = Worker(tmp_path)
    worker.reporter.phase("copying")
    worker.reporter.progress(percent=1)
    assert worker.lines == ["hv02: copying from the source"]


def test_a_name_is_no_path(tmp_path: Path) -> None:
    worker = Worker(tmp_path / "run", provider="../../evil")
    worker.reporter.phase("checking")
    assert [path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*evil*")] == [("run", "progress")]
