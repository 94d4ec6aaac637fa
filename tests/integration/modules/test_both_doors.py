# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module through both doors: the same results, check mode, diff and errors; and check mode writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hyperv_lab.client import Lab

from .doors import COPY_ID, T_ID, WEB_ID, Door, Ran, Task, Values, canonical, config, writes

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
CHANGING = (
    Task("template", {"name": "win11-gold", "staging_path": STAGING, "targets": ["hv02"]}),
    Task("vm_export", {"name": "win11-gold", "staging_path": STAGING, "hash": True}),
    Task("vm_export", {"id": WEB_ID, "path": r"D:\Exports"}),
    Task(
        "vm_move",
        {"id": WEB_ID, "destination": "hv02", "destination_host": "hv02.lab.test", "destination_path": r"D:\VMs\web"},
    ),
    Task("vm_remove", {"id": COPY_ID}),
)
FAILING = (
    Task("template", {"name": "win11-gold", "multi_provider": False}),
    Task("vm_remove", {"id": T_ID}),
    Task("template", {"name": "win11-gold", "state": "absent"}),
    Task("guest", {"template_id": T_ID, "name": "win11-gold", "revision": "0123456789ab", "count": 2}, host="hv02"),
    Task("guest", {"template_id": T_ID, "name": "win11-gold", "revision": "newest", "names": ["a"]}, host="hv02"),
)


def sequence(door: Door) -> dict[str, list[Ran]]:
    """The whole life of a template through one door."""
    lab = door.lab
    before = lab.last_call()
    ran = {"looking": door.run(*LOOKING)}
    ran["checked"] = door.run(*(Task(task.module, task.args, task.host, check=True) for task in CHANGING))
    assert writes(lab, before) == [], "check mode has written"
    assert len(lab.calls(since=before)) > 20, "the call log saw nothing at all"
    ran["changed"] = door.run(*CHANGING)
    before = lab.last_call()
    # a plain export of a VM that has moved on is asked of nobody any more
    again = tuple(task for task in CHANGING if task.args.get("path") is None)
    ran["again"] = door.run(*again)
    ran["failing"] = door.run(*FAILING)
    assert writes(lab, before) == [], "a repetition or a refusal has written"
    ran["taken back"] = door.run(
        Task("template", {"name": "win11-gold", "state": "absent", "keep_copies": True}),
        Task("template", {"name": "win11-gold", "state": "absent"}),
    )
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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["action", "module"])
def test_the_life_of_a_template(kind: str, request: pytest.FixtureRequest) -> None:
    ran: dict[str, list[Ran]] = request.getfixturevalue(kind)[1]
    assert [one.outcome for one in ran["looking"]] == ["ok"] * len(LOOKING)
    assert not any(one.changed for one in ran["looking"])
    assert [len(one.result["vms"]) for one in ran["looking"][:4]] == [5, 1, 1, 0]
    assert [(one.outcome, one.changed) for one in ran["checked"]] == [("ok", True)] * len(CHANGING)
    assert [(one.outcome, one.changed) for one in ran["changed"]] == [("ok", True)] * len(CHANGING)
    for checked, changed in zip(ran["checked"], ran["changed"], strict=True):
        assert checked.result["diff"] == changed.result["diff"]
        assert checked.result["msg"] == changed.result["msg"]
    assert [(one.outcome, one.changed) for one in ran["again"]] == [("ok", False)] * 4
    codes = ["MULTI_PROVIDER_FIXED", "IS_A_TEMPLATE", "COPIES_KNOWN", "NO_CURRENT_COPY", "INVALID_INPUT"]
    assert [one.code for one in ran["failing"]] == codes
    assert not any(one.changed for one in ran["failing"])
    assert [one.changed for one in ran["taken back"]] == [True, False]


@pytest.mark.slow
@pytest.mark.parametrize("part", ["looking", "checked", "changed", "again", "failing", "taken back"])
def test_both_doors_give_the_same(part: str, action: Life, module: Life) -> None:
    for one, other in zip(action[0][part], module[0][part], strict=True):
        assert one == other
