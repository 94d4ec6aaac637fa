# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the watch makes of events and progress files; its clock is the test's, its own thread sleeps."""

from __future__ import annotations

import json
import threading
import typing as t
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._files import locked
from ansible_collections.fanout.hyperv.plugins.plugin_utils._reporting import FileReporter
from ansible_collections.fanout.hyperv.plugins.plugin_utils._run_directory import RunDirectory
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Transfer, seconds
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_file import StatusFile
from ansible_collections.fanout.hyperv.plugins.plugin_utils._watch import (
    HEARTBEAT,
    PAGE_EVERY,
    Outcome,
    ProgressLines,
    Watch,
)

T0 = seconds("2026-11-20T13:00:00Z")
SCHEMA = json.loads((Path(__file__).parents[4] / "docs" / "status.schema.json").read_text(encoding="utf-8"))
FULL = {"code": "DISK_FULL", "layer": "hyperv", "message": "voll", "remedy": "clean up"}
Values = dict[str, t.Any]


class Stage:
    """A watch, its clock, and what it says."""

    def __init__(self, folder: Path, **options: t.Any) -> None:
        self.folder = folder
        self.now = T0
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.watch = Watch(
            folder,
            show=self.lines.append,
            warn=self.warnings.append,
            interval=3600,
            pid=7,
            clock=lambda: self.now,
            **options,
        )

    def run(self, host: str, values: Values | None = None, **options: t.Any) -> None:
        """A task from its beginning to its end."""
        self.watch.task_started(host)
        self.end(host, values, **options)

    def end(self, host: str, values: Values | None = None, **options: t.Any) -> None:
        self.watch.task_ended(Outcome(host=host, values=values or {}, **options))

    def check(self) -> None:
        """The first task of a distribution."""
        self.run("hv02", distribution(), run_once=True)

    def reporter(self, provider: str, template_id: str | None = None) -> FileReporter:
        """That of a worker which is forked now."""
        show: list[str] = []
        clock = [0.0]

        def ticking() -> float:
            clock[0] += 1
            return clock[0]

        directory = RunDirectory(self.watch.directory.path)
        return FileReporter(
            provider, directory, template_id=template_id, show=show.append, clock=ticking, wall=lambda: self.now
        )

    def file(self, name: str = "gold@hv01.json") -> Values:
        data: Values = json.loads((self.folder / name).read_text(encoding="utf-8"))
        jsonschema.validate(data, SCHEMA)
        return data

    def words(self) -> dict[str, tuple[str, str]]:
        self.watch.flush()
        return {name: (entry["state"], entry["progress"]) for name, entry in self.file()["providers"].items()}


def distribution(template: str = "gold", **providers: t.Any) -> Values:
    told = {name: {"facts": {"answers": True, "copy": "none", **facts}} for name, facts in providers.items()}
    return {"distribution": {"template": {"name": template, "source": "hv01"}, "concurrency": 2, "providers": told}}


@pytest.fixture
def stage(tmp_path: Path) -> t.Iterator[Stage]:
    one = Stage(tmp_path / "status")
    yield one
    one.watch.interrupted()
    assert one.warnings == []


def test_a_play_without_a_distribution_leaves_no_trace(tmp_path: Path) -> None:
    one = Stage(tmp_path / "status")
    one.run("hv02", {"vms": []})
    one.run("hv03", {"msg": "no"}, failed=True)
    one.watch.finish(80)
    assert list(tmp_path.iterdir()) == []
    assert (one.lines, one.warnings) == ([], [])


def test_the_file_is_there_after_the_first_task_of_a_distribution(stage: Stage) -> None:
    stage.check()
    data = stage.file()
    assert (data["run"]["state"], data["providers"], data["concurrency"]) == ("running", {}, 2)
    assert data["run"]["id"] == stage.watch.directory.id
    assert (stage.folder / "runs" / data["run"]["id"] / "alive.lock").exists()


def test_a_distribution_from_the_first_event_to_the_table(stage: Stage) -> None:
    stage.check()
    stage.run("hv02", distribution(hv02={"due": True, "joining": True}, hv03={"copy": "current"}), run_once=True)
    assert stage.words() == {"hv02": ("Needs update", "OK"), "hv03": ("Ready", "OK")}

    stage.watch.task_started("hv02")
    stage.now += 1
    worker = stage.reporter("hv02")
    worker.phase("cloning")
    stage.watch.tick()
    assert stage.file()["providers"]["hv02"]["progress"] == "Adding provider"
    assert stage.file()["distribution"] == "Adding provider"
    worker.phase("copying", served_by="hv01", bytes_total=1000)
    for percent in (10, 20, 30):
        stage.now += 5
        worker.progress(percent=percent)
        stage.watch.tick()
    entry = stage.file()["providers"]["hv02"]
    assert (entry["phase"], entry["percent"], entry["rate"]) == ("copying", 30, 20)
    assert entry["eta"] == "2026-11-20T13:00:51Z"
    assert stage.lines == [
        "hv02: copying 30 % of 1000 bytes, 20 bytes/s, 00:00:35 left",
    ]

    stage.end("hv02", distribution(hv02={"copy": "current", "tried": "ok"}))
    stage.lines.clear()
    stage.watch.finish(100)
    data = stage.file()
    assert (data["run"]["state"], data["distribution"], data["summary"]["ok"]) == ("finished", "OK", 2)
    assert stage.lines[1].splitlines()[0] == "gold from hv01: OK (run finished); 2 providers: 2 ok"
    assert stage.lines[2] == f"Status file: {stage.folder / 'gold@hv01.json'}"


def test_a_progress_file_that_outlived_its_task_is_not_believed(stage: Stage) -> None:
    stage.check()
    stage.watch.task_started("hv02")
    stage.watch.task_started("hv03")
    stage.now += 1
    worker = stage.reporter("hv02")
    worker.phase("copying")
    worker.progress(percent=99)
    stage.now += 1
    stage.end("hv02", distribution(hv02={"copy": "current", "tried": "ok"}))
    stage.watch.tick()
    assert stage.words() == {"hv02": ("Ready", "OK")}


def test_what_an_earlier_task_reported_is_not_believed(stage: Stage) -> None:
    stage.check()
    stage.watch.task_started("hv02")
    stage.reporter("hv02").phase("copying")
    stage.end("hv02", distribution(hv02={}))
    stage.now += 1
    stage.watch.task_started("hv02")
    stage.watch.tick()
    assert stage.words() == {"hv02": ("Needs update", "OK")}


def test_an_export_is_shown_though_its_task_belongs_to_another_host(stage: Stage) -> None:
    stage.check()
    stage.watch.task_started("hv02")
    stage.now += 1
    worker = stage.reporter("hv01")
    worker.phase("exporting", bytes_total=1000)
    for percent in (0, 50):
        stage.now += 10
        worker.progress(percent=percent)
        stage.watch.tick()
    assert stage.file()["export"]["percent"] == 50
    assert stage.lines[-1] == "hv01: exporting 50 % of 1000 bytes, 50 bytes/s, 00:00:10 left"
    stage.end("hv02", {}, run_once=True)
    stage.watch.tick()
    assert stage.file()["export"] is None


def test_a_failure_says_why(stage: Stage) -> None:
    stage.check()
    stage.run("hv02", distribution(hv02={"due": True}, hv03={"due": True}, hv04={"due": True}), run_once=True)
    stage.run("hv02", {"msg": "hv02: voll", "error": FULL}, failed=True)
    stage.run("hv03", {"msg": "boom"}, failed=True)
    stage.run("hv04", {"msg": "no route"}, unreachable=True)
    assert stage.words() == {
        "hv02": ("Needs update", "Failed to distribute"),
        "hv03": ("Needs update", "Failed to distribute"),
        "hv04": ("Not available", "Failed to distribute"),
    }
    errors = {name: entry["error"] for name, entry in stage.file()["providers"].items()}
    assert (errors["hv02"]["code"], errors["hv02"]["remedy"]) == ("DISK_FULL", "clean up")
    assert (errors["hv03"]["code"], errors["hv03"]["message"]) == ("TASK_FAILED", "boom")
    assert (errors["hv04"]["code"], errors["hv04"]["layer"]) == ("UNREACHABLE", "connection")


def test_a_failed_result_may_say_itself_what_it_means(stage: Stage) -> None:
    stage.check()
    values = distribution(hv02={"tried": "failed"})
    values["distribution"]["providers"]["hv02"]["error"] = FULL
    stage.run("hv02", {**values, "msg": "x", "error": {"code": "OTHER", "message": "y"}}, failed=True)
    assert stage.file()["providers"] == {}
    assert stage.words()["hv02"] == ("Needs update", "Failed to distribute")
    assert stage.file()["providers"]["hv02"]["error"]["code"] == "DISK_FULL"


@pytest.mark.parametrize(("host", "run_once"), [("hv02", True), ("hv01", False)])
def test_a_failure_of_what_is_done_once_is_one_of_all(stage: Stage, host: str, run_once: bool) -> None:
    stage.check()
    stage.run("hv02", distribution(hv02={}, hv03={}, hv04={"copy": "current"}), run_once=True)
    stage.run(host, {"msg": "voll", "error": FULL}, failed=True, run_once=run_once)
    assert stage.words() == {
        "hv02": ("Needs update", "Failed to distribute"),
        "hv03": ("Needs update", "Failed to distribute"),
        "hv04": ("Ready", "OK"),
    }
    assert stage.file()["error"]["code"] == "DISK_FULL"


def test_the_items_of_a_loop_are_read(stage: Stage) -> None:
    stage.run("hv02", {"results": [distribution(hv02={}), distribution("silver", hv03={"copy": "current"}), "odd"]})
    assert stage.words() == {"hv02": ("Needs update", "OK")}
    assert stage.file("silver@hv01.json")["distribution"] == "OK"


def two_templates(stage: Stage) -> None:
    for name in ("gold", "silver"):
        values = distribution(name, hv02={"due": True})
        values["distribution"]["template"]["id"] = f"id-{name}"
        stage.run("hv02", values, run_once=True)


def silver(stage: Stage) -> tuple[str, str]:
    entry = stage.file("silver@hv01.json")["providers"]["hv02"]
    return entry["state"], entry["progress"]


def test_two_templates_of_one_loop_do_not_mix(stage: Stage) -> None:
    two_templates(stage)
    stage.watch.task_started("hv02")
    stage.now += 1
    first = stage.reporter("hv02", "id-gold")
    first.phase("copying", bytes_total=1000)
    stage.watch.tick()
    assert stage.words() == {"hv02": ("Needs update", "Distributing")}
    assert silver(stage) == ("Needs update", "OK")

    stage.watch.item_ended(Outcome(host="hv02", values=distribution(hv02={"copy": "current", "tried": "ok"})))
    stage.now += 1
    second = stage.reporter("hv02", "id-silver")
    second.phase("cloning")
    stage.watch.tick()
    assert stage.words() == {"hv02": ("Ready", "OK")}
    assert silver(stage) == ("Needs update", "Distributing")

    stage.watch.item_ended(Outcome(host="hv02", values={"msg": "voll", "error": FULL}, failed=True))
    stage.end("hv02", {"results": []}, failed=True)
    assert stage.words() == {"hv02": ("Ready", "OK")}
    assert silver(stage) == ("Needs update", "Failed to distribute")
    assert stage.file("silver@hv01.json")["providers"]["hv02"]["error"]["code"] == "DISK_FULL"
    assert [one["phase"] for one in stage.file()["providers"]["hv02"]["phases"]] == ["copying"]


def test_two_exports_of_one_loop_do_not_mix(stage: Stage) -> None:
    two_templates(stage)
    stage.watch.task_started("hv02")
    stage.now += 1
    stage.reporter("hv01", "id-gold").phase("exporting")
    stage.watch.tick()
    assert stage.file()["export"]["phase"] == "exporting"
    stage.watch.item_ended(Outcome(host="hv02", run_once=True))
    stage.now += 1
    stage.reporter("hv01", "id-silver").phase("exporting")
    stage.watch.tick()
    assert stage.file()["export"] is None
    assert stage.file("silver@hv01.json")["export"]["phase"] == "exporting"
    stage.end("hv02", run_once=True)
    assert stage.words() == {"hv02": ("Needs update", "OK")}
    assert [one["phase"] for one in stage.file()["source_phases"]] == ["exporting"]


def test_what_happens_between_two_looks_is_told_too(stage: Stage) -> None:
    stage.check()
    stage.run("hv02", distribution(hv02={"due": True}), run_once=True)
    stage.watch.task_started("hv02")
    worker = stage.reporter("hv02")
    for phase in ("cloning", "copying", "verifying"):
        stage.now += 1
        worker.phase(phase, bytes_total=1000)
    stage.now += 1
    stage.end("hv02", distribution(hv02={"copy": "current", "tried": "ok"}))
    assert stage.words() == {"hv02": ("Ready", "OK")}
    told = stage.file()["providers"]["hv02"]
    assert [one["phase"] for one in told["phases"]] == ["cloning", "copying", "verifying"]
    assert told["phases"][-1]["finished"] == "2026-11-20T13:00:04Z"
    assert stage.file()["throughput"]["rates"] == [1000]
    assert stage.file()["run"]["bytes_copied"] == 1000


def test_the_page_is_written_now_and_then_and_at_the_end(stage: Stage) -> None:
    page = stage.folder / "gold@hv01.html"
    stage.check()
    stage.watch.tick()
    assert "refresh" in page.read_text(encoding="utf-8")
    page.unlink()
    stage.now += PAGE_EVERY - 1
    stage.watch.tick()
    assert not page.exists()
    stage.now += 1
    stage.watch.tick()
    assert page.exists()
    stage.watch.finish(100)
    assert "refresh" not in page.read_text(encoding="utf-8")
    assert page.stat().st_mode & 0o777 == 0o600
    assert stage.lines[-1] == f"Report: {page}"


def test_a_page_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    one = Stage(tmp_path)
    one.check()
    (tmp_path / "gold@hv01.html").mkdir()
    one.watch.finish(80)
    assert ["gold@hv01.html" in text for text in one.warnings] == [True]


def test_a_survey_shows_no_table_of_its_own(stage: Stage) -> None:
    values = distribution(hv02={"copy": "current"})
    values["distribution"]["survey"] = True
    stage.run("hv02", values, run_once=True)
    stage.watch.finish(100)
    assert [line.partition(":")[0] for line in stage.lines] == ["Status file", "Report"]
    assert stage.file()["run"]["kind"] == "survey"


def test_a_template_without_a_name_is_the_one_before(stage: Stage) -> None:
    stage.check()
    values = distribution(hv02={"copy": "current"})
    del values["distribution"]["template"]["name"]
    stage.run("hv02", values)
    assert stage.words() == {"hv02": ("Ready", "OK")}


def test_a_distribution_of_nothing_is_said(tmp_path: Path) -> None:
    one = Stage(tmp_path / "status")
    one.run("hv02", {"distribution": {"providers": {}}})
    assert len(one.warnings) == 1
    one.watch.finish(80)
    assert list(tmp_path.iterdir()) == []


def test_the_heart_beats_while_nothing_happens(stage: Stage) -> None:
    stage.check()
    before = stage.file()["run"]["updated"]
    stage.now += HEARTBEAT - 1
    stage.watch.tick()
    assert stage.file()["run"]["updated"] == before
    stage.now += 1
    stage.watch.tick()
    assert stage.file()["run"]["updated"] == "2026-11-20T13:00:10Z"


def test_an_interruption_is_written(stage: Stage) -> None:
    stage.check()
    stage.watch.task_started("hv02")
    stage.reporter("hv02").phase("copying")
    stage.watch.tick()
    stage.watch.interrupted()
    data = stage.file()
    assert (data["run"]["state"], data["run"]["finished"]) == ("interrupted", "2026-11-20T13:00:00Z")
    assert data["providers"]["hv02"]["error"]["code"] == "INTERRUPTED"
    assert data["distribution"] == "Failed to distribute"


def test_a_file_that_cannot_be_written_is_said_and_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Stage(tmp_path)
    one.check()
    monkeypatch.setattr(StatusFile, "update", _refuse)
    one.run("hv02", distribution(hv02={"copy": "current"}))
    one.watch.flush()
    assert ["hv02" in text or "gold@hv01" in text for text in one.warnings] == [True]
    monkeypatch.undo()
    assert one.words() == {"hv02": ("Ready", "OK")}
    one.watch.finish(80)


def _refuse(*_arguments: t.Any) -> t.NoReturn:
    raise OSError(28, "no space left")


def test_a_held_lock_stops_no_event(tmp_path: Path) -> None:
    """Somebody holds the file's lock: tasks that end meanwhile are not held up."""
    one = Stage(tmp_path)
    one.check()
    with locked(tmp_path / ".gold@hv01.json.lock", 1):
        writer = threading.Thread(target=one.watch.flush, daemon=True)
        writer.start()
        one.run("hv02", distribution(hv02={"copy": "current"}))
        assert writer.is_alive()
    writer.join(10)
    assert not writer.is_alive()
    assert one.words() == {"hv02": ("Ready", "OK")}
    one.watch.finish(80)


def test_a_worker_that_writes_nonsense_is_said(tmp_path: Path) -> None:
    one = Stage(tmp_path)
    one.check()
    one.watch.task_started("hv02")
    one.watch.directory.write_progress(
        "hv02", {"provider": "hv02", "started": one.now, "phase": "copying", "percent": "x"}
    )
    one.watch.tick()
    assert ["hv02" in text for text in one.warnings] == [True]
    one.watch.finish(80)


def test_lines_come_at_quarters_and_every_ten_seconds() -> None:
    lines = ProgressLines(10)

    def due(now: float, percent: float | None, phase: str = "copying") -> bool:
        return lines.due("hv02", Transfer(phase=phase, percent=percent), now)

    assert [due(now, now * 2) for now in range(13)] == [False] * 10 + [True] + [False] * 2
    assert due(13, 26)
    assert not due(13.5, 51)
    assert due(14.5, 51)
    assert not due(20, 52)
    assert due(25, 52)
    assert not due(25, None, "verifying")
    assert due(35, None, "verifying")
    assert not due(100, None, "waiting")
    assert not due(200, None, "waiting")
