# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves that run already, that fail, and exports that have no room: over the real protocol."""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
from hyperv_lab.client import Lab

from .doors import WEB_ID, Door, Ran, Task

MOVE = Task(
    "vm_move",
    {"id": WEB_ID, "destination": "hv02", "destination_host": "hv02.lab.test", "destination_path": r"D:\VMs\web"},
)


def until(condition: Callable[[], t.Any], what: str) -> None:
    """Wait for something that has to happen."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"it never came to this: {what}"
        time.sleep(0.05)


def moves(lab: Lab) -> list[dict[str, t.Any]]:
    return [call for call in lab.calls("hv01") if call["command"] == "Move-VM"]


@pytest.mark.slow
def test_a_move_that_runs_is_adopted(lab: Lab, tmp_path: Path) -> None:
    lab.patch("hv01", network_rate="1MiB")
    first: list[Ran] = []
    one = threading.Thread(target=lambda: first.extend(Door(lab, "action", tmp_path / "one").run(MOVE)))
    one.start()
    try:
        until(lambda: moves(lab), "a move runs")
        (second,) = Door(lab, "action", tmp_path / "two").run(MOVE)
    finally:
        one.join(timeout=120)
    assert [(ran.outcome, ran.changed) for ran in (*first, second)] == [("ok", True), ("ok", True)]
    assert [ran.result["adopted"] for ran in (*first, second)] == [False, True]
    assert len(moves(lab)) == 1
    assert lab.vm("hv02", "web01") is not None
    assert lab.vm("hv01", "web01") is None


@pytest.mark.slow
def test_what_the_host_says_is_told_with_a_remedy(lab: Lab, tmp_path: Path) -> None:
    door = Door(lab, "action", tmp_path)
    lab.delegation("none")
    (refused,) = door.run(MOVE)
    lab.delegation("any")
    lab.set_free("hv02", "D", "1MiB")
    (full,) = door.run(MOVE)
    assert (refused.outcome, full.outcome) == ("failed", "failed")
    assert "0x8009030E" in refused.result["error"]["raw"]
    assert "0x80070070" in full.result["error"]["raw"]
    assert refused.result["error"]["remedy"]
    assert full.result["error"]["remedy"]
    assert lab.vm("hv01", "web01") is not None
    lab.set_free("hv02", "D", "10GiB")
    (again,) = door.run(MOVE)
    assert (again.outcome, again.code, again.changed) == ("failed", "PLANNED_VM_LEFT", False)
    assert lab.vm("hv01", "web01") is not None


@pytest.mark.slow
def test_an_export_without_room_leaves_nothing_and_is_made_when_there_is_room(lab: Lab, tmp_path: Path) -> None:
    door = Door(lab, "action", tmp_path)
    export = Task("vm_export", {"name": "win11-gold", "staging_path": r"D:\Staging"})
    lab.set_free("hv01", "D", "1MiB")
    (full,) = door.run(export)
    assert full.outcome == "failed"
    assert "0x80070070" in full.result["error"]["raw"]
    folders = lab.data / "hosts" / "hv01" / "D" / "Staging"
    assert [path for path in folders.rglob("*") if path.suffix.lower() in (".vhdx", ".vmcx", ".json")] == []
    lab.set_free("hv01", "D", "10GiB")
    (made,) = door.run(export)
    assert (made.outcome, made.changed) == ("ok", True)
