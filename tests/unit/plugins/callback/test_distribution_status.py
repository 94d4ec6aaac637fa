# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback in real runs of ansible-playbook, with an action plugin in place of the modules."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
from ansible_collections.fanout.hyperv.plugins.callback.distribution_status import is_ours, parts_of
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_file import StatusFile

ROOT = Path(__file__).parents[4]
SCHEMA = json.loads((ROOT / "docs" / "status.schema.json").read_text(encoding="utf-8"))
SOON = 30.0
CONFIG = """\
[defaults]
callbacks_enabled = fanout.hyperv.distribution_status
collections_path = {collections}
forks = 10
retry_files_enabled = false
localhost_warning = false
internal_poll_interval = 0.01
{more}
"""
TEMPLATE = {"name": "gold", "source": "hv01", "id": "t-1"}

Values = dict[str, t.Any]


class Bench:
    """A folder with a configuration, an inventory and a copy of the collection whose modules only tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.status = folder / "fanout-status"
        self.go = folder / "go"
        collection = folder / "collections" / "ansible_collections" / "fanout" / "hyperv"
        (collection / "plugins" / "action").mkdir(parents=True)
        for part in ("callback", "plugin_utils", "module_utils"):
            (collection / "plugins" / part).symlink_to(ROOT / "plugins" / part)
        shutil.copy(Path(__file__).with_name("tell_action.py"), collection / "plugins" / "action" / "tell.py")
        (folder / "hosts").write_text("hv02\nhv03\nhv04\n[all:vars]\nansible_connection=local\n", encoding="utf-8")
        self.configure()

    def configure(self, more: str = "") -> None:
        text = CONFIG.format(collections=self.folder / "collections", more=more)
        (self.folder / "ansible.cfg").write_text(text, encoding="utf-8")

    def start(
        self, *tasks: Values, arguments: tuple[str, ...] = (), books: int = 1, **environment: str
    ) -> subprocess.Popen[str]:
        """Begin a run of these tasks on all hosts."""
        play = {"hosts": "all", "gather_facts": False, "tasks": list(tasks)}
        names = [f"book{number}.yml" for number in range(books)]
        for name in names:
            (self.folder / name).write_text(json.dumps([play]), encoding="utf-8")
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "FANOUT_", "AWX_"))
        }
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts", *arguments, *names],
            cwd=self.folder,
            env={**inherited, "PYTHONPATH": "", "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *tasks: Values, **options: t.Any) -> tuple[int, str]:
        """A whole run: exit code and output."""
        process = self.start(*tasks, **options)
        output, _none = process.communicate(timeout=60)
        return process.returncode, output

    def file(self) -> Values | None:
        """The status file as any reader finds it."""
        try:
            data: Values = json.loads((self.status / "gold@hv01.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        jsonschema.validate(data, SCHEMA)
        return data

    def wait(self, condition: Callable[[Values], bool]) -> Values:
        """Read the file again and again until it shows something."""
        deadline = time.monotonic() + SOON
        while True:
            data = self.file()
            if data is not None and condition(data):
                return data
            assert time.monotonic() < deadline, data
            time.sleep(0.005)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def tell(result: Values | None = None, *, keywords: Values | None = None, **arguments: t.Any) -> Values:
    return {"name": "tell", "fanout.hyperv.tell": {"result": result or {}, **arguments}, **(keywords or {})}


def check() -> Values:
    return tell({"distribution": {"template": TEMPLATE, "concurrency": 2}}, keywords={"run_once": True})


def survey(copy: str = "none", **facts: t.Any) -> Values:
    return tell(template=TEMPLATE, report={"facts": {"answers": True, "copy": copy, **facts}})


def words(data: Values | None) -> dict[str, tuple[str, str]]:
    assert data is not None
    return {name: (entry["state"], entry["progress"]) for name, entry in data["providers"].items()}


COPYING = [{"name": "cloning"}, {"name": "copying", "percent": 42, "bytes_total": 64 << 30, "served_by": "hv01"}]


def copy_until(path: Path, **options: t.Any) -> Values:
    """A copy of hv02 that goes on until the file is there."""
    report = {"hv02": {"facts": {"copy": "current", "tried": "ok"}, "revision": "4f1c"}}
    result = {"distribution": {"template": TEMPLATE, "providers": report}}
    return tell(result, phases=COPYING, until=str(path), keywords={"when": "inventory_hostname == 'hv02'", **options})


def no_warnings(output: str) -> bool:
    return "[WARNING]" not in output and "DEPRECATION" not in output and "Traceback" not in output


def test_a_distribution_from_the_first_task_to_the_table(bench: Bench) -> None:
    process = bench.start(check(), survey(due=True, joining=True), copy_until(bench.go))
    data = bench.wait(lambda data: words(data).get("hv02") == ("Needs update", "Adding provider"))
    data = bench.wait(lambda data: data["providers"]["hv02"]["percent"] is not None)
    entry = data["providers"]["hv02"]
    assert (entry["phase"], entry["percent"], entry["bytes_total"]) == ("copying", 42, 64 << 30)
    assert (entry["served_by"], data["run"]["state"], data["concurrency"]) == ("hv01", "running", 2)
    assert bench.status.joinpath("gold@hv01.json").stat().st_mode & 0o777 == 0o600
    bench.go.touch()
    output, _none = process.communicate(timeout=60)
    assert process.returncode == 0
    assert no_warnings(output)
    assert "hv02: making a clone on the source" in output
    assert "hv02: copying from hv01" in output
    data = bench.wait(lambda data: True)
    assert data["run"]["state"] == "finished"
    assert words(data) == {
        "hv02": ("Ready", "OK"),
        "hv03": ("Needs update", "OK"),
        "hv04": ("Needs update", "OK"),
    }
    table = output[output.index("gold from hv01: OK (run finished); 3 providers: 1 ok, 2 needs update") :]
    assert table.splitlines()[2].split() == ["PROVIDER", "STATE", "PROGRESS", "REVISION", "DONE", "SINCE", "UTC"]
    assert table.splitlines()[-2:] == [
        f"Status file: {bench.status / 'gold@hv01.json'}",
        f"Report: {bench.status / 'gold@hv01.html'}",
    ]


def test_lines_are_printed_while_a_copy_runs_without_a_terminal(bench: Bench) -> None:
    process = bench.start(check(), copy_until(bench.go), FANOUT_PROGRESS_INTERVAL="0.1")
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    seen = next(line for line in lines if "copying 42 %" in line)
    assert seen == "hv02: copying 42 % of 64.0 GiB\n"
    bench.go.touch()
    process.communicate(timeout=60)


def test_failures_are_marked_and_the_play_is_not_changed(bench: Bench) -> None:
    error = {"code": "DISK_FULL", "layer": "hyperv", "message": "voll", "remedy": "Make room."}
    broken = tell(
        {"failed": True, "msg": "hv03: voll", "error": error}, keywords={"when": "inventory_hostname == 'hv03'"}
    )
    gone = tell(unreachable="no route", keywords={"when": "inventory_hostname == 'hv04'"})
    rescued = {"block": [broken], "rescue": [{"ansible.builtin.debug": {"msg": "rescued"}}]}
    code, output = bench.run(check(), survey(due=True), rescued, gone)
    assert code == 4
    assert words(bench.file()) == {
        "hv02": ("Needs update", "OK"),
        "hv03": ("Needs update", "Failed to distribute"),
        "hv04": ("Not available", "Failed to distribute"),
    }
    assert "hv03: DISK_FULL: voll\n    remedy: Make room.\n" in output
    assert "hv04: UNREACHABLE: " in output
    assert "no route" in output


def test_plays_without_a_distribution_get_nothing(bench: Bench) -> None:
    code, output = bench.run(tell({"vms": []}, phases=[{"name": "checking"}]), {"ansible.builtin.debug": {"msg": "x"}})
    assert (code, no_warnings(output)) == (0, True)
    assert "Status file" not in output
    assert not bench.status.exists()


def test_check_mode_gets_nothing(bench: Bench) -> None:
    code, output = bench.run(check(), survey(), arguments=("--check",))
    assert (code, no_warnings(output)) == (0, True)
    assert not bench.status.exists()


def test_tasks_of_other_collections_are_not_read(bench: Bench) -> None:
    fake = {"ansible.builtin.set_fact": {"distribution": {"template": TEMPLATE}}}
    code, _output = bench.run(fake)
    assert code == 0
    assert not bench.status.exists()


def test_a_short_name_is_ours_too(bench: Bench) -> None:
    task = check()
    short = {**task, "tell": task["fanout.hyperv.tell"], "collections": ["fanout.hyperv"]}
    del short["fanout.hyperv.tell"]
    code, output = bench.run(short)
    assert (code, no_warnings(output)) == (0, True)
    assert bench.file() is not None


def test_ctrl_c_leaves_a_true_file(bench: Bench) -> None:
    process = bench.start(check(), survey(due=True), copy_until(bench.go))
    bench.wait(lambda data: data["distribution"] == "Distributing")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    data = bench.file()
    assert data is not None
    assert (data["run"]["state"], data["distribution"]) == ("interrupted", "Failed to distribute")
    assert data["run"]["finished"] is not None
    assert data["providers"]["hv02"]["error"]["code"] == "INTERRUPTED"


def test_a_killed_run_is_seen_as_interrupted_when_its_workers_are_gone(bench: Bench) -> None:
    process = bench.start(check(), survey(due=True), copy_until(bench.go))
    bench.wait(lambda data: data["distribution"] == "Distributing")
    process.kill()
    process.communicate(timeout=60)
    data = bench.file()
    assert data is not None
    assert data["run"]["state"] == "running"
    file = StatusFile.of(bench.status, "gold", "hv01")
    deadline = time.monotonic() + SOON
    while (document := file.read()) is not None and document.run.state != "interrupted":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert document is not None
    assert document.providers["hv02"].progress == "Failed to distribute"
    assert (bench.folder / "orphan-stopped").exists()

    code, output = bench.run(check(), survey(copy="current"))
    assert (code, no_warnings(output)) == (0, True)
    data = bench.file()
    assert data is not None
    assert [run["state"] for run in data["runs"]] == ["finished", "interrupted"]
    assert data["summary"]["ok"] == 3


def test_a_run_with_a_limit_changes_only_its_host(bench: Bench) -> None:
    bench.run(check(), survey(copy="current"))
    before = bench.file()
    assert before is not None
    bench.run(check(), survey(copy="older", tried="failed"), arguments=("--limit", "hv03"))
    after = bench.file()
    assert words(after) == {
        "hv02": ("Ready", "OK"),
        "hv03": ("Needs update", "Failed to distribute"),
        "hv04": ("Ready", "OK"),
    }
    assert after is not None
    assert after["providers"]["hv02"] == before["providers"]["hv02"]
    assert after["summary"]["failed"] == 1


def test_two_playbooks_of_one_command_are_two_runs(bench: Bench) -> None:
    code, output = bench.run(check(), survey(copy="current"), books=2)
    assert (code, no_warnings(output)) == (0, True)
    data = bench.file()
    assert data is not None
    assert [run["state"] for run in data["runs"]] == ["finished", "finished"]
    assert output.count("Status file: ") == 2


def test_the_options_of_the_configuration(bench: Bench) -> None:
    bench.status = bench.folder / "elsewhere"
    bench.configure(
        "[callback_distribution_status]\nstatus_dir = elsewhere\nmode = 0640\ninterval = 0.1\nprogress_interval = 3"
    )
    code, output = bench.run(check())
    assert (code, no_warnings(output)) == (0, True)
    assert bench.status.joinpath("gold@hv01.json").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("variable", "value", "folder"),
    [("FANOUT_STATUS_DIR", "some where", "some where"), ("AWX_ISOLATED_DATA_DIR", "artifacts", "artifacts/fanout")],
)
def test_the_folder_by_environment(bench: Bench, variable: str, value: str, folder: str) -> None:
    bench.status = bench.folder / folder
    code, output = bench.run(check(), **{variable: str(bench.folder / value), "JOB_ID": "77"})
    assert (code, no_warnings(output)) == (0, True)
    data = bench.file()
    assert data is not None
    assert data["run"]["awx_job_id"] == ("77" if "AWX" in variable else None)


def test_a_folder_that_cannot_be_made_is_a_warning(bench: Bench) -> None:
    bench.status.write_text("in the way", encoding="utf-8")
    code, output = bench.run(check(), survey(), tell(phases=COPYING), TMPDIR=str(bench.folder))
    assert code == 0
    assert output.count("There is no status of this run") == 1
    assert "Traceback" not in output
    assert [path.name for path in bench.folder.glob("fanout-*/run-*/progress/*")] != []


def test_a_wrong_option_is_a_warning(bench: Bench) -> None:
    code, output = bench.run(check(), FANOUT_STATUS_MODE="rw")
    assert code == 0
    assert "The distribution's status is not complete" in output
    assert "Traceback" not in output


def test_results_of_old_and_new_versions_are_read() -> None:
    host = SimpleNamespace(get_name=lambda: "hv02")
    task = SimpleNamespace(action="fanout.hyperv.vm_info")
    new = SimpleNamespace(host=host, task=task, result={"a": 1})
    old = SimpleNamespace(_host=host, _task=task, _result={"a": 1})
    assert parts_of(new) == parts_of(old) == ("hv02", task, {"a": 1})


@pytest.mark.parametrize(
    ("attributes", "ours"),
    [
        ({"action": "fanout.hyperv.vm_info"}, True),
        ({"action": "vm_info", "resolved_action": "fanout.hyperv.operation"}, True),
        ({"action": "vm_info", "_resolved_action": "fanout.hyperv.vm_info"}, True),
        ({"action": "vm_info", "_resolved_action": None}, False),
        ({"action": "ansible.builtin.debug"}, False),
        ({"action": "fanout.hypervisor.vm_info"}, False),
    ],
)
def test_whose_task_it_is(attributes: Values, ours: bool) -> None:
    assert is_ours(SimpleNamespace(**attributes)) is ours
