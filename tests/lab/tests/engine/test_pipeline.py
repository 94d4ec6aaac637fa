# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipelines driven through psrpcore's client and server: streams, statements, stopping, sessions, the call log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hyperv_lab.engine import registry
from hyperv_lab.engine.clixml import to_wire
from hyperv_lab.engine.errors import LabBug, PSError, hyperv_error
from hyperv_lab.engine.objects import make_object
from hyperv_lab.engine.pipeline import PipelineRun
from hyperv_lab.engine.registry import Bound, Cmdlet, Context
from hyperv_lab.engine.session import SessionConfiguration
from psrpcore import Command

from tests.lab.tests.engine.rig import Host, Rig

HV = "Microsoft.HyperV.PowerShell."
GET_VM = HV + "Commands.GetVM"
SEEN: list[str] = []


async def _get_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    """Answers by the name: an error, a warning, progress, a bug, or just a VM."""
    for name in args.get("Name") or ["a", "b", "c"]:
        SEEN.append(name)
        if name == "missing":
            ctx.write_error(hyperv_error(ctx, "no such VM", "InvalidParameter", "InvalidArgument", name))
        elif name == "denied":
            raise hyperv_error(ctx, "go away", "AccessDenied", "PermissionDenied")
        elif name == "warned":
            ctx.warning("beware")
            ctx.verbose("in detail")
            ctx.progress("Working", 42, "of it")
        elif name == "bug":
            raise LabBug("something is wrong in here")
        elif name == "crash":
            raise ZeroDivisionError
        elif name == "slow":
            await asyncio.Event().wait()
        else:
            yield make_object(HV + "VirtualMachine", {"Name": name, "State": "Off"}, live=name)


class _GetProcess(Cmdlet):
    def begin(self, args: Bound) -> Iterator[Any]:
        SEEN.append("begin")
        yield "first"

    def process(self, args: Bound) -> Iterator[Any]:
        SEEN.append("process")
        yield "middle"

    async def end(self, args: Bound) -> AsyncIterator[Any]:
        SEEN.append("end")
        yield "last"


@pytest.fixture(autouse=True)
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    SEEN.clear()
    monkeypatch.setitem(registry._implementations, "Get-VM", _get_vm)
    monkeypatch.setitem(registry._implementations, "Get-Process", _GetProcess)
    monkeypatch.delitem(registry._implementations, "Stop-VM", raising=False)


def vms(*names: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "Get-VM", {"Name": list(names), **more}


# ---- errors


def test_an_error_that_does_not_end_the_pipeline(rig: Rig) -> None:
    result = rig(vms("missing", "a"), ("Select-Object", {"ExpandProperty": "Name"}))
    assert (result.output, result.state) == (["a"], "Completed")
    error = result.error
    assert error.FullyQualifiedErrorId == "InvalidParameter," + GET_VM
    assert (error.CategoryInfo.Category.name, error.CategoryInfo.Activity) == ("InvalidArgument", "Get-VM")
    assert error.CategoryInfo.TargetName == "missing"
    assert error.Exception.PSTypeNames[0] == "Deserialized." + HV + "VirtualizationException"
    assert error.serialize_extended_info


def test_an_error_that_ends_the_pipeline(rig: Rig) -> None:
    result = rig(vms("a", "denied", "b"))
    assert ([entry.Name for entry in result.output], result.state, result.errors) == (["a"], "Failed", [])
    assert result.error_id == "AccessDenied," + GET_VM
    assert not result.reason.serialize_extended_info


@pytest.mark.parametrize("action", ["Stop", "stop", 1])
def test_error_action_stop(rig: Rig, action: object) -> None:
    result = rig(vms("missing", "a", ErrorAction=action))
    assert (result.output, result.state, result.errors) == ([], "Failed", [])
    assert result.error_id == "InvalidParameter," + GET_VM


@pytest.mark.parametrize("action", ["SilentlyContinue", "Ignore"])
def test_error_action_silent(rig: Rig, action: str) -> None:
    result = rig(vms("missing", "a", ErrorAction=action))
    assert (len(result.output), result.state, result.errors) == (1, "Completed", [])


def test_error_action_does_not_silence_what_ends_the_pipeline(rig: Rig) -> None:
    assert rig(vms("denied", ErrorAction="SilentlyContinue")).state == "Failed"


def test_the_preference_variable_holds_for_later_pipelines(rig: Rig) -> None:
    rig(("Set-Variable", {"Name": "ErrorActionPreference", "Value": "Stop"}))
    assert rig(vms("missing")).state == "Failed"


def test_error_variable(rig: Rig) -> None:
    rig(vms("missing", "missing", ErrorAction="SilentlyContinue", ErrorVariable="problems"))
    kept = rig.session.variable("problems")
    assert [entry["FullyQualifiedErrorId"] for entry in kept] == ["InvalidParameter," + GET_VM] * 2


def test_no_such_command(rig: Rig) -> None:
    result = rig(("Get-Wm", {}))
    error = result.error
    assert (result.state, error.FullyQualifiedErrorId) == ("Failed", "CommandNotFoundException")
    assert (error.CategoryInfo.Category.name, error.CategoryInfo.TargetName) == ("ObjectNotFound", "Get-Wm")
    assert error.Exception.PSTypeNames[0] == "Deserialized.System.Management.Automation.CommandNotFoundException"


def test_a_command_that_is_not_simulated_says_so(rig: Rig) -> None:
    result = rig(("Stop-VM", {"Name": "x"}))
    assert (result.state, result.error_id) == ("Failed", "NotSimulated")


def test_but_it_is_bound_first(rig: Rig) -> None:
    assert rig(("Stop-VM", {"Nmae": "x"})).error_id == f"NamedParameterNotFound,{HV}Commands.StopVM"


@pytest.mark.parametrize("name", ["bug", "crash"])
def test_a_bug_of_the_lab_is_no_answer_of_windows(rig: Rig, name: str) -> None:
    assert rig(vms(name)).error_id == "LabBug"


def test_text_is_no_command(rig: Rig) -> None:
    assert rig(("Get-VM | Stop-VM", "script")).error_id == "NotSimulated"


# ---- order


def test_everything_is_bound_before_anything_runs(rig: Rig) -> None:
    result = rig(vms("a"), ("Select-Object", {"Frist": 1}))
    assert result.error_id == "NamedParameterNotFound,Microsoft.PowerShell.Commands.SelectObjectCommand"
    assert SEEN == []
    assert len(rig.host.calls) == 0


def test_begin_process_end(rig: Rig) -> None:
    assert rig(("Get-Process", {})).output == ["first", "middle", "last"]
    assert SEEN == ["begin", "process", "end"]


def test_select_first_stops_what_is_before_it(rig: Rig) -> None:
    result = rig(vms("a", "b", "denied"), ("Select-Object", {"First": 2}), ("Measure-Object", {}))
    assert result.one.Count == 2
    assert SEEN == ["a", "b"]


def test_select_index_stops_after_the_last_one(rig: Rig) -> None:
    result = rig(vms("a", "b", "c", "denied"), ("Select-Object", {"Index": [2, 0]}))
    assert ([entry.Name for entry in result.output], SEEN) == (["a", "c"], ["a", "b", "c"])


def test_stopping_leaves_out_the_end_of_what_was_stopped(rig: Rig) -> None:
    assert rig(("Get-Process", {}), ("Select-Object", {"First": 1})).output == ["first"]
    assert SEEN == ["begin"]


def test_input_of_the_client(rig: Rig) -> None:
    assert rig(("Sort-Object", {"Descending": True}), inputs=[2, 3, 1]).output == [3, 2, 1]


def test_an_input_object_that_does_not_bind_is_passed_over(rig: Rig) -> None:
    result = rig(("Start-Sleep", {}), inputs=["soon", 3])
    assert result.state == "Completed"
    assert result.error_id == "InputObjectNotBound,Microsoft.PowerShell.Commands.StartSleepCommand"
    assert result.error.CategoryInfo.TargetName == "soon"
    assert rig.host.clock.now() == 3


# ---- statements


def test_an_error_ends_its_statement_only_if_another_follows(rig: Rig) -> None:
    result = rig(vms("denied"), (";", {}), vms("a"))
    assert ([entry.Name for entry in result.output], result.state) == (["a"], "Completed")
    assert [entry.FullyQualifiedErrorId for entry in result.errors] == ["AccessDenied," + GET_VM]


def test_the_last_statement_decides_the_state(rig: Rig) -> None:
    result = rig(vms("a"), (";", {}), vms("denied"))
    assert ([entry.Name for entry in result.output], result.state) == (["a"], "Failed")


def test_error_action_stop_ends_the_batch(rig: Rig) -> None:
    result = rig(vms("missing", ErrorAction="Stop"), (";", {}), vms("a"))
    assert (result.output, result.state) == ([], "Failed")


# ---- streams and variables


def test_warnings_and_progress(rig: Rig) -> None:
    result = rig(vms("warned", Verbose=True))
    assert result.warnings == ["beware"]
    [record] = result.progress
    assert (record.Activity, record.PercentComplete, record.StatusDescription) == ("Working", 42, "of it")


def test_warning_action(rig: Rig) -> None:
    assert rig(vms("warned", WarningAction="SilentlyContinue")).warnings == []


def test_an_object_lives_on_in_a_variable_of_the_runspace(rig: Rig) -> None:
    rig(vms("a", OutVariable="kept"), ("Out-Null", {}))
    [kept] = rig.session.variable("kept")
    assert kept.live == "a"
    rig(vms("b", OutVariable="+kept"), ("Out-Null", {}))
    assert [entry.live for entry in rig.session.variable("kept")] == ["a", "b"]


def test_values_of_variables(rig: Rig) -> None:
    rig(("Set-Variable", {"Name": "x", "Value": 5}))
    assert rig(("Get-Variable", {"Name": "X", "ValueOnly": None})).one == 5
    rig(("Write-Output", {"InputObject": ["a", "b"]}), ("Set-Variable", {"Name": "list"}))
    assert rig(("Get-Variable", {"Name": "list", "ValueOnly": None})).one == ["a", "b"]
    rig(("Remove-Variable", {"Name": "x"}))
    error = rig(("Get-Variable", {"Name": "x"})).error_id
    assert error == "VariableNotFound,Microsoft.PowerShell.Commands.GetVariableCommand"


def test_null_is_an_output_too(rig: Rig) -> None:
    assert rig(("Write-Output", {"InputObject": None})).output == [None]


# ---- stopping


async def _stop_when_slow(task: asyncio.Task[None]) -> None:
    for _ in range(100):
        if "slow" in SEEN:
            break
        await asyncio.sleep(0)
    task.cancel("stopped")


def test_stopping_a_pipeline(rig: Rig) -> None:
    result = asyncio.run(rig.send(vms("a", "slow", "b"), meanwhile=_stop_when_slow))
    assert ([entry.Name for entry in result.output], result.state) == (["a"], "Stopped")
    [call] = rig.host.calls
    assert (call.error, call.ended) == ("PipelineStopped", 0.0)


# ---- the call log


def test_calls_are_logged_in_order_with_what_was_bound(rig: Rig) -> None:
    rig(vms("a", "b"), ("Select-Object", {"Property": ["Name"]}))
    first, second = rig.host.calls
    assert (first.command, first.set, first.parameters) == ("Get-VM", "Name", {"Name": ["a", "b"]})
    assert (second.command, second.parameters) == ("Select-Object", {"Property": ["Name"]})
    assert (first.user, first.writes, first.error, first.shell) == ("LAB\\admin", False, None, rig.session.shell_id)
    assert first.pipeline == second.pipeline


def test_what_came_through_the_pipeline_is_logged_too(rig: Rig) -> None:
    rig(vms("a", "b"), ("Stop-VM", {}))
    stopped = list(rig.host.calls)[1]
    assert (stopped.writes, stopped.error) == (True, "NotSimulated")
    rig(("Write-Output", {"InputObject": ["C:\\nothing", "C:\\nowhere"]}), ("Test-Path", {}))
    assert list(rig.host.calls)[-1].parameters == {"Path": ["C:\\nothing", "C:\\nowhere"]}


def test_the_first_error_of_a_call_is_logged(rig: Rig) -> None:
    rig(vms("missing", "a"))
    assert [call.error for call in rig.host.calls] == ["InvalidParameter," + GET_VM]


# ---- endpoints


def restricted(host: Host, *visible: str) -> Rig:
    return Rig(host, SessionConfiguration.restricted("jea", visible))


def test_a_restricted_endpoint_shows_only_its_commands(host: Host) -> None:
    rig = restricted(host, "Get-VM", "Select-Object")
    assert rig(vms("a"), (r"Microsoft.PowerShell.Utility\Select-Object", {"ExpandProperty": "Name"})).one == "a"
    assert rig(("Get-Process", {})).error_id == "CommandNotFoundException"
    assert rig(("Get-VM", "script")).error_id == "ScriptsNotAllowed"


def test_without_providers_there_are_no_drives(host: Host) -> None:
    result = restricted(host, "Get-Item")(("Get-Item", {"LiteralPath": "C:\\"}))
    assert result.error_id == "DriveNotFound,Microsoft.PowerShell.Commands.GetItemCommand"


@pytest.mark.parametrize("name", ["Hyper-V\\Get-VM", "hyper-v\\get-vm", "GET-VM"])
def test_names_of_commands(rig: Rig, name: str) -> None:
    assert rig((name, {"Name": "a"}), ("select", {"ExpandProperty": "Name"})).one == "a"
    assert rig(("Other\\Get-VM", {"Name": "a"})).error_id == "CommandNotFoundException"


def test_a_confirm_preference_asks_where_nobody_answers(rig: Rig) -> None:
    rig(("Set-Variable", {"Name": "x", "Value": 5}))
    rig(("Set-Variable", {"Name": "ConfirmPreference", "Value": "Medium"}))
    asked = rig(("Remove-Variable", {"Name": "x"}))
    assert asked.error_id == "HostFunctionNotImplemented,Microsoft.PowerShell.Commands.RemoveVariableCommand"
    assert rig(("Remove-Variable", {"Name": "x", "Confirm": False})).state == "Completed"


def test_registering_what_is_no_command_is_a_bug() -> None:
    with pytest.raises(LabBug):
        registry.cmdlet("Get-VMs")(_get_vm)


def test_ps_error_needs_a_real_category(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(ctx: Context, args: Bound) -> AsyncIterator[Any]:
        raise PSError("x", "Y", "NoSuchCategory")
        yield

    monkeypatch.setitem(registry._implementations, "Get-VM", broken)
    with pytest.raises(KeyError):
        rig(vms("a"))


class Nowhere:
    """An output that only pays for the writing."""

    def write(self, item: Any) -> None:
        to_wire(item)

    def complete(self) -> None: ...


def test_a_pipeline_costs_little(rig: Rig) -> None:
    """Engine, binder and CLIXML: the lab serves hundreds of hosts. The bound is a multiple of what it takes."""
    first, second = Command("Get-VM"), Command("Select-Object")
    first.add_parameter("Name", "a")
    second.add_parameter("Property", ["Name", "State", "Id"])
    metadata = SimpleNamespace(commands=(first, second), no_input=True)

    async def many(count: int) -> float:
        begun = time.process_time()
        for _ in range(count):
            run = PipelineRun(rig.session, SimpleNamespace(pipeline_id="x"), lambda: None)
            run.output = Nowhere()  # type: ignore[assignment]
            await run.execute(metadata)
        return (time.process_time() - begun) / count

    best = min(asyncio.run(many(40)) for _ in range(5))
    assert best < 0.002, f"{best * 1e6:.0f} us"
