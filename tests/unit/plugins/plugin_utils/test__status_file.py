# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file: whole at every moment, merged by many writers, kept when it cannot be understood."""

from __future__ import annotations

import json
import multiprocessing
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._files import Busy, locked
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Damaged, Document, Run, seconds, utc
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_file import StatusFile, default_folder
from ansible_collections.fanout.hyperv.plugins.plugin_utils._tracking import Tracker

T0 = seconds("2026-11-20T13:00:00Z")
SCHEMA = json.loads((Path(__file__).parents[4] / "docs" / "status.schema.json").read_text(encoding="utf-8"))
ROUNDS = 60


def status(folder: Path, **options: object) -> StatusFile:
    return StatusFile.of(folder, "gold", "hv01", clock=lambda: T0, **options)


def tracker(name: str, known: Document | None = None) -> Tracker:
    return Tracker(Run(id=name, started=utc(T0), updated=utc(T0), node="elsewhere"), "gold", "hv01", known=known)


def told(name: str, copy: str = "current", **facts: object) -> Callable[[Document | None], Document]:
    one = tracker("run-1")
    one.merge({"providers": {name: {"facts": {"answers": True, "copy": copy, **facts}}}}, T0)
    return one.patch(T0).apply


def test_the_name_is_made_of_template_and_source(tmp_path: Path) -> None:
    assert status(tmp_path).path == tmp_path / "gold@hv01.json"
    awkward = StatusFile.of(tmp_path, "../ö" * 60, "..\\hv01" * 40)
    awkward.update(told("hv02"))
    assert awkward.path.parent == tmp_path
    assert awkward.path.exists()


def test_a_file_that_is_not_there_is_no_document(tmp_path: Path) -> None:
    assert status(tmp_path / "nowhere").read() is None


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written = status(tmp_path).update(told("hv02"))
    assert status(tmp_path).read() == written
    jsonschema.validate(json.loads(status(tmp_path).path.read_text(encoding="utf-8")), SCHEMA)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".gold@hv01.json.lock", "gold@hv01.json"]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_others_read_it_only_when_told_so(tmp_path: Path, mode: int) -> None:
    status(tmp_path, mode=mode).update(told("hv02"))
    assert stat.S_IMODE(status(tmp_path).path.stat().st_mode) == mode


@pytest.mark.parametrize("text", ["", "{", '{"schema": 1}', "[]", '{"schema": 99, "providers": {}}', "\x00\x01"])
def test_what_cannot_be_understood_is_put_aside_and_said(tmp_path: Path, text: str) -> None:
    said: list[str] = []
    file = status(tmp_path, warn=said.append)
    file.path.write_text(text, encoding="utf-8")
    with pytest.raises(Damaged, match=r"gold@hv01\.json"):
        file.read()
    assert set(file.update(told("hv02")).providers) == {"hv02"}
    assert (tmp_path / "gold@hv01.damaged").read_text(encoding="utf-8") == text
    assert len(said) == 1
    assert "gold@hv01.damaged" in said[0]
    assert file.read() is not None


def test_bytes_that_are_no_text_are_damaged(tmp_path: Path) -> None:
    status(tmp_path).path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(Damaged):
        status(tmp_path).read()


def test_a_temporary_file_that_a_kill_left_is_no_hindrance(tmp_path: Path) -> None:
    file = status(tmp_path)
    (tmp_path / ".gold@hv01.json.tmp").write_text('{"half": ', encoding="utf-8")
    file.update(told("hv02"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".gold@hv01.json.lock", "gold@hv01.json"]


def test_an_error_while_changing_leaves_the_file_and_frees_the_lock(tmp_path: Path) -> None:
    file = status(tmp_path)
    before = file.update(told("hv02"))

    def fail(existing: Document | None) -> Document:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        file.update(fail)
    assert file.read() == before
    file.update(told("hv03"))


def test_a_lock_that_is_never_freed_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with locked(tmp_path / ".gold@hv01.json.lock", 0), pytest.raises(Busy):
        status(tmp_path, timeout=0.05).update(told("hv02"))


def test_a_run_that_died_is_seen_as_interrupted(tmp_path: Path) -> None:
    file = status(tmp_path)
    one = tracker("run-1")
    one.live("hv02", {"phase": "copying", "percent": 42}, T0)
    file.update(one.patch(T0).apply)
    now = file.read()
    assert now is not None
    assert (now.run.state, now.distribution) == ("running", "Distributing")
    later = replace(file, clock=lambda: T0 + 3600).read()
    assert later is not None
    assert (later.run.state, later.distribution) == ("interrupted", "Failed to distribute")
    assert json.loads(file.path.read_text(encoding="utf-8"))["run"]["state"] == "running"


def test_the_next_run_writes_down_that_the_one_before_was_interrupted(tmp_path: Path) -> None:
    one = tracker("run-1")
    one.live("hv02", {"phase": "copying", "percent": 42}, T0)
    status(tmp_path).update(one.patch(T0).apply)
    later = replace(status(tmp_path), clock=lambda: T0 + 3600)
    next_run = Tracker(Run(id="run-2", started=utc(T0 + 3600), updated=utc(T0 + 3600)), "gold", "hv01")
    later.update(next_run.patch(T0 + 3600).apply)
    data = json.loads(later.path.read_text(encoding="utf-8"))
    assert [(run["id"], run["state"]) for run in data["runs"]] == [("run-2", "running"), ("run-1", "interrupted")]
    assert data["providers"]["hv02"]["progress"] == "Failed to distribute"


def _write_many(folder: str, name: str) -> None:
    """One of the processes that write at the same time, each about a provider of its own."""
    file = status(Path(folder))
    one = tracker(f"run-{name}", file.read())
    for percent in range(ROUNDS):
        one.live(name, {"phase": "copying", "percent": percent}, T0)
        one.known = file.update(one.patch(T0).apply)


def test_writers_lose_nothing_and_a_reader_always_finds_a_whole_document(tmp_path: Path) -> None:
    names = ["hv02", "hv03", "hv04"]
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(str(tmp_path), name)) for name in names]
    ended = threading.Event()
    reads: list[int] = []

    def read() -> None:
        validator = jsonschema.Draft202012Validator(SCHEMA)
        while not ended.is_set():
            try:
                data = json.loads(status(tmp_path).path.read_text(encoding="utf-8"))
            except FileNotFoundError:
                continue
            validator.validate(data)
            reads.append(len(data["providers"]))

    failures: list[threading.ExceptHookArgs] = []
    before, threading.excepthook = threading.excepthook, failures.append
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    ended.set()
    reader.join(10)
    threading.excepthook = before
    assert not failures
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert len(reads) > ROUNDS
    document = status(tmp_path).read()
    assert document is not None
    assert {name: entry.percent for name, entry in document.providers.items()} == dict.fromkeys(names, ROUNDS - 1)
    assert len(document.runs) == 3


def test_the_folder_is_beside_the_working_directory_or_in_the_artifacts_of_awx(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_folder({}) == tmp_path / "fanout-status"
    assert default_folder({"AWX_ISOLATED_DATA_DIR": "/runner/artifacts/7"}) == Path("/runner/artifacts/7/fanout")
