# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module through both doors: the same results, check mode, diff and errors; and check mode writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import yaml
from hyperv_lab.client import Lab

from .doors import COPY_ID, NO_ID, T_ID, WEB_ID, Door, Ran, Task, Values, canonical, config, timeless, writes

ROOT = Path(__file__).resolve().parents[3]
STAGING = r"D:\Staging"

LOOKING = (
    Task("vm_info"),
    Task("vm_info", {"name": "win11-gold", "definition": True}),
    Task("vm_info", {"id": WEB_ID}),
    Task("vm_info", {"name": "nobody"}),
    Task("host_info"),
    Task("host_info", {"template_id": T_ID, "template_name": "win11-gold", "target_path": r"D:\VMs"}, host="hv02"),
    Task("template_info"),
    Task("template_info", {"name": "win11-gold", "staging_path": STAGING}),
)
COPIED = {
    "template_id": T_ID,
    "name": "win11-gold",
    "revision": "{{ hostvars['hv01'].exported.export.revision }}",
    "source": "hv01",
    "staging_path": STAGING,
    "target_path": r"D:\Copies",
    "migration_host": "hv02.lab.test",
}
CHANGING = (
    Task("template", {"name": "win11-gold", "staging_path": STAGING, "targets": ["hv02"]}),
    Task(
        "vm_export",
        {"name": "win11-gold", "staging_path": STAGING, "hash": True},
        keywords={"register": "exported"},
    ),
    Task("vm_export", {"id": WEB_ID, "path": r"D:\Exports"}),
    Task(
        "vm_move",
        {"id": WEB_ID, "destination": "hv02", "destination_host": "hv02.lab.test", "destination_path": r"D:\VMs\web"},
    ),
    Task("template_copy", COPIED, host="hv02"),
    Task("vm_remove", {"id": COPY_ID}),
)
FAILING = (
    (Task("template", {"name": "win11-gold", "multi_provider": False}), "MULTI_PROVIDER_FIXED"),
    (Task("vm_remove", {"id": T_ID}), "IS_A_TEMPLATE"),
    (Task("template", {"name": "win11-gold", "state": "absent"}), "COPIES_KNOWN"),
    (
        Task("guest", {"template_id": T_ID, "name": "win11-gold", "revision": "0123456789ab", "count": 2}, host="hv02"),
        "NO_CURRENT_COPY",
    ),
    (
        Task("guest", {"template_id": T_ID, "name": "win11-gold", "revision": "newest", "names": ["a"]}, host="hv02"),
        "INVALID_INPUT",
    ),
    (Task("template_copy", {**COPIED, "concurrency": 0}, host="hv02"), "INVALID_INPUT"),
    (Task("vm_move", {"id": NO_ID, "destination_host": "hv02", "destination_path": r"D:\VMs\x"}), "VM_NOT_FOUND"),
    (Task("staging_clean", {"template_id": T_ID, "staging_path": "Staging"}), "INVALID_PATH"),
    (Task("template_maintenance", {"name": "win11-gold1", "state": "enter"}), "NOT_A_TEMPLATE"),
)
# What can be planned only when what is above has been done.
ENTERING = (
    Task("template_maintenance", {"name": "win11-gold", "state": "enter", "by": "Ada"}),
    Task("staging_clean", {"template_id": T_ID, "staging_path": STAGING}),
)
LEAVING = (Task("template_maintenance", {"id": T_ID, "state": "exit"}),)
TAKEN_BACK = (
    Task("template", {"name": "win11-gold", "state": "absent", "keep_copies": True}),
    Task("template", {"name": "win11-gold", "state": "absent"}),
)
STAGES = {"changed": CHANGING, "entered": ENTERING, "left": LEAVING}
# A plain export of a VM that has moved on is asked of nobody any more.
AGAIN = {name: tuple(task for task in tasks if not task.args.get("path")) for name, tasks in STAGES.items()}
PARTS = ("looking", "failing", "taken back", *(f"{name}{of}" for name in STAGES for of in ("", ", checked", ", again")))


def checked(tasks: Sequence[Task]) -> tuple[Task, ...]:
    return tuple(replace(task, check=True) for task in tasks)


def quietly(door: Door, **parts: Sequence[Task]) -> dict[str, list[Ran]]:
    """Run what must not write; the results of each part."""
    before = door.lab.last_call()
    ran = iter(door.run(*(task for tasks in parts.values() for task in tasks)))
    assert writes(door.lab, before) == [], f"{', '.join(parts)}: has written"
    assert len(door.lab.calls(since=before)) >= sum(map(len, parts.values())), "the call log saw next to nothing"
    return {name: list(islice(ran, len(tasks))) for name, tasks in parts.items()}


def sequence(door: Door) -> dict[str, list[Ran]]:
    """The whole life of a template through one door."""
    failing = [task for task, _code in FAILING]
    ran = quietly(door, **{"looking": LOOKING, "changed, checked": checked(CHANGING)})
    ran["changed"] = door.run(*CHANGING)
    ran |= quietly(
        door, **{"changed, again": AGAIN["changed"], "failing": failing, "entered, checked": checked(ENTERING)}
    )
    ran["entered"] = door.run(*ENTERING)
    ran |= quietly(door, **{"entered, again": ENTERING, "left, checked": checked(LEAVING)})
    ran["left"] = door.run(*LEAVING)
    ran |= quietly(door, **{"left, again": LEAVING})
    ran["taken back"] = door.run(*TAKEN_BACK)
    return ran


Life = tuple[dict[str, list[Values]], dict[str, list[Ran]]]
"""What one door has told: in a form that can be compared, and as it was."""


def through(kind: str, folder: Path) -> Life:
    with Lab.start(config()) as lab:
        ran = sequence(Door(lab, kind, folder))
        assert not lab.bugs()
        return {name: canonical(some, lab) for name, some in ran.items()}, ran


@pytest.fixture(scope="module")
def action(tmp_path_factory: pytest.TempPathFactory) -> Life:
    return through("action", tmp_path_factory.mktemp("action"))


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Life:
    return through("module", tmp_path_factory.mktemp("module"))


def test_every_module_that_reaches_a_host_is_compared() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    compared = [*LOOKING, *(task for task, _code in FAILING), *(task for tasks in STAGES.values() for task in tasks)]
    assert sorted({task.module for task in compared}) == runtime["action_groups"]["hyperv"]


@pytest.mark.slow
@pytest.mark.timeout(900)  # a module process for each task
@pytest.mark.parametrize("kind", ["action", "module"])
def test_the_life_of_a_template(kind: str, request: pytest.FixtureRequest) -> None:
    ran: dict[str, list[Ran]] = request.getfixturevalue(kind)[1]
    assert [one.outcome for one in ran["looking"]] == ["ok"] * len(LOOKING)
    assert not any(one.changed for one in ran["looking"])
    assert [len(one.result["vms"]) for one in ran["looking"][:4]] == [5, 1, 1, 0]
    for name, tasks in STAGES.items():
        for part in (f"{name}, checked", name):
            assert [(one.outcome, one.changed) for one in ran[part]] == [("ok", True)] * len(tasks), part
        assert [(one.outcome, one.changed) for one in ran[f"{name}, again"]] == [("ok", False)] * len(AGAIN[name]), name
        for planned, done in zip(ran[f"{name}, checked"], ran[name], strict=True):
            assert timeless(planned.result["diff"]) == timeless(done.result["diff"])
            if name != "left":  # only who has left knows whether the template was changed
                assert planned.result["msg"] == done.result["msg"]
    assert [one.code for one in ran["failing"]] == [code for _task, code in FAILING]
    assert not any(one.changed for one in ran["failing"])
    assert [one.changed for one in ran["taken back"]] == [True, False]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", PARTS)
def test_both_doors_give_the_same(part: str, action: Life, module: Life) -> None:
    for one, other in zip(action[0][part], module[0][part], strict=True):
        assert one == other
