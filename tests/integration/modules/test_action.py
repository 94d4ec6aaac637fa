# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the door inside the Ansible worker can do: inventory variables, delegation, defaults, rescue."""

from __future__ import annotations

from pathlib import Path

import pytest
from hyperv_lab.client import Lab

from .doors import PASSWORD, WEB_ID, Door, Task, stamp


@pytest.fixture
def action(lab: Lab, tmp_path: Path) -> Door:
    return Door(lab, "action", tmp_path)


def names(result: dict[str, list[dict[str, str]]]) -> list[str]:
    return sorted(vm["name"] for vm in result["vms"])


@pytest.mark.slow
@pytest.mark.parametrize("variables", ["psrp", "winrm"])
def test_an_inventory_as_for_other_collections(lab: Lab, tmp_path: Path, variables: str) -> None:
    door = Door(lab, "action", tmp_path, variables)
    move = {"destination": "hv02", "destination_host": "hv02.lab.test", "destination_path": r"D:\VMs\web"}
    here, there, second = door.run(
        Task("vm_info"),
        Task("vm_info", host="hv02"),
        Task("vm_move", {"id": WEB_ID, **move}, check=True),
        verbose=True,
    )
    assert (here.outcome, there.outcome, second.outcome) == ("ok", "ok", "ok"), door.output
    assert "win11-gold" in names(here.result)
    assert names(there.result) == []
    assert PASSWORD not in door.output


@pytest.mark.slow
def test_delegation_defaults_environment_and_a_second_host(action: Door) -> None:
    lab = action.lab
    move = {"id": WEB_ID, "destination_host": "hv02.lab.test", "destination_path": r"D:\VMs\web"}
    wrong = {"group/fanout.hyperv.hyperv": {"username": "nobody"}}
    local = {"ansible_connection": "local"}
    environment = {
        "FANOUT_HYPERV_SERVER": lab.hosts["hv01"]["address"],
        "FANOUT_HYPERV_PORT": str(lab.hosts["hv01"]["https"]),
        "FANOUT_HYPERV_USERNAME": "labadmin",
        "FANOUT_HYPERV_PASSWORD": PASSWORD,
        "FANOUT_HYPERV_CA_CERT": str(lab.ca),
    }
    delegated, defaults, local_run, inventory_wins, unknown, moved = action.run(
        Task("vm_info", host="hv02", keywords={"delegate_to": "hv01"}),
        Task("vm_info", keywords={"module_defaults": wrong}),
        Task("vm_info", keywords={"vars": local}),
        Task("vm_info", host="hv02"),
        Task("vm_move", {**move, "destination": "hv09"}),
        Task("vm_move", {**move, "destination": "hv02"}),
        environment=environment,
    )
    assert "win11-gold" in names(delegated.result)
    assert defaults.code == "BAD_CREDENTIALS"
    assert "win11-gold" in names(local_run.result)
    assert names(inventory_wins.result) == []
    assert (unknown.code, "hv09" in unknown.result["msg"]) == ("INVALID_INPUT", True)
    assert moved.outcome == "ok"
    assert lab.vm("hv02", "web01") is not None


@pytest.mark.slow
def test_a_dead_host_is_a_failure_that_can_be_rescued(action: Door) -> None:
    action.lab.down("hv02")
    strict, tolerant = action.run(
        Task("host_info", host="hv02"),
        Task("host_info", {"tolerate_unreachable": True}, host="hv02"),
    )
    assert strict.outcome == "failed"
    assert strict.result["error"]["layer"] == "connection"
    assert tolerant.outcome == "ok"
    assert tolerant.result["reachable"] is False
    assert tolerant.result["error"]["remedy"]


@pytest.mark.slow
def test_a_stamp_survives_the_road(action: Door) -> None:
    (ran,) = action.run(Task("vm_info", {"name": "cloned from a copy"}))
    (cloned,) = ran.result["vms"]
    assert cloned["notes"] == stamp("cccccccc-0000-4000-8000-000000000003")
    assert cloned["stamp"] is None
    assert cloned["foreign_stamp"]["kind"] == "copy"
