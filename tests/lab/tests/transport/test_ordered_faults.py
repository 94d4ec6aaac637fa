# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong by order, and what a client then sees."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from hyperv_lab.faults import Fault, parse_fault
from pypsrp.exceptions import WinRMTransportError
from pypsrp.powershell import PowerShell


def test_refuse_until_it_is_taken_back(rig: Any, invoke: Any) -> None:
    with rig.pool() as pool:
        rig.fault(kind="refuse")
        with pytest.raises(requests.exceptions.ConnectionError, match="refused"):
            rig.pool().open()
        assert invoke(pool, "Echo", Text="open ones stay") == ["open ones stay"]
        rig.do(rig.winrm.faults.clear)
        rig.call(rig.winrm.settle())
        with rig.pool():
            pass


@pytest.mark.parametrize("kind", ["cut", "cut_on_command"])
def test_cut_before_the_command_is_taken(rig: Any, invoke: Any, scripted: Any, kind: str) -> None:
    with rig.pool() as pool:
        rig.fault(kind=kind, action="Command")
        with pytest.raises(requests.exceptions.ConnectionError):
            invoke(pool, "Hold", Name="never")
        assert invoke(pool, "Echo", Text="again") == ["again"]
        assert scripted.started == []


def test_a_lost_answer_leaves_the_pipeline_running(rig: Any, scripted: Any) -> None:
    with rig.pool() as pool:
        rig.fault(kind="lose_answer", action="Command", command="hold")
        shell = PowerShell(pool)
        shell.add_cmdlet("Hold").add_parameter("Name", "a")
        with pytest.raises(requests.exceptions.ConnectionError):
            shell.begin_invoke()
        rig.until(lambda: scripted.started == ["a"])
        rig.release("a")


def test_a_fault_meant_for_one_command_spares_the_others(rig: Any, invoke: Any) -> None:
    with rig.pool() as pool:
        rig.fault(kind="cut", command="Collect")
        assert invoke(pool, "Echo", Text="spared") == ["spared"]
        with pytest.raises(requests.exceptions.ConnectionError):
            invoke(pool, "Collect")


def test_a_fault_for_the_receives_of_a_command(rig: Any) -> None:
    with rig.pool() as pool:
        rig.fault(kind="http_status", action="Receive", command="Hold", status=503)
        shell = PowerShell(pool)
        shell.add_cmdlet("Hold").add_parameter("Name", "a")
        shell.begin_invoke()
        with pytest.raises(WinRMTransportError) as caught:
            shell.poll_invoke()
        assert caught.value.code == 503
        rig.release("a")
        shell.end_invoke()
        assert list(shell.output) == ["a"]


def test_hang_until_the_client_gives_up(rig: Any) -> None:
    rig.fault(kind="hang", action="Create")
    with pytest.raises(requests.exceptions.ReadTimeout):
        rig.pool(read_timeout=1, operation_timeout=1).open()
    rig.until(lambda: rig.winrm.https.connections == 0)
    assert len(rig.winrm.shells) == 0


def test_connections_that_are_taken_and_never_answered(rig: Any, invoke: Any) -> None:
    with rig.pool() as pool:
        rig.fault(kind="half_open")
        for ssl in (True, False):
            with pytest.raises(
                (requests.exceptions.ConnectionError, requests.exceptions.ReadTimeout), match="timed out"
            ):
                rig.pool(ssl=ssl, read_timeout=1, operation_timeout=1, connection_timeout=1).open()
        assert invoke(pool, "Echo", Text="open ones stay") == ["open ones stay"]
        rig.do(rig.winrm.faults.clear)
        rig.call(rig.winrm.settle())
        with rig.pool():
            pass


def test_an_answer_that_never_comes_to_what_was_done(rig: Any, scripted: Any) -> None:
    with rig.pool(read_timeout=1, operation_timeout=1) as pool:
        rig.fault(kind="mute", action="Command")
        shell = PowerShell(pool)
        shell.add_cmdlet("Hold").add_parameter("Name", "a")
        with pytest.raises(requests.exceptions.ReadTimeout):
            shell.begin_invoke()
        rig.until(lambda: scripted.started == ["a"])
        rig.release("a")


def test_an_answer_that_trickles(rig: Any, invoke: Any) -> None:
    text = "x" * 9000
    with rig.pool(read_timeout=1, operation_timeout=1) as pool:
        rig.fault(kind="slow", action="Receive", rate=8192)
        began = time.monotonic()
        assert invoke(pool, "Echo", Text=text) == [text]
        assert time.monotonic() - began > 1  # longer than the client waits for one piece, and all of it came


def test_winrm_restarts_when_a_command_comes(rig: Any, invoke: Any, scripted: Any) -> None:
    pool = rig.pool()
    pool.open()
    rig.fault(kind="restart_winrm", action="Command")
    with pytest.raises(requests.exceptions.ConnectionError):
        invoke(pool, "Hold", Name="never")
    assert not pool.is_alive() and scripted.started == []
    with rig.pool() as pool:
        assert invoke(pool, "Echo", Text="on") == ["on"]


def test_fail_command(rig: Any, invoke: Any) -> None:
    with rig.pool() as pool:
        rig.fault(kind="fail_command", command="Echo", message="Disk full. (0x80070070)", category="WriteError")
        shell = PowerShell(pool)
        shell.add_cmdlet("Echo").add_parameter("Text", "x")
        shell.invoke()
        (error,) = shell.streams.error
        assert error.fq_error == "OperationFailed,Microsoft.HyperV.PowerShell.Commands.Echo"
        assert str(error) == "Disk full. (0x80070070)"
        assert invoke(pool, "Echo", Text="x") == ["x"]


def test_counts(rig: Any) -> None:
    rig.fault(kind="http_status", count=2, status=500)
    for _ in range(2):
        with pytest.raises(WinRMTransportError):
            rig.pool().open()
    with rig.pool():
        assert not rig.winrm.faults


def test_host_down_and_up_again(rig: Any, scripted: Any) -> None:
    pool = rig.pool()
    pool.open()
    shell = PowerShell(pool)
    shell.add_cmdlet("Hold").add_parameter("Name", "a")
    shell.begin_invoke()
    rig.until(lambda: scripted.started == ["a"])
    ports = rig.port
    rig.do(rig.winrm.stop)
    with pytest.raises(requests.exceptions.ConnectionError):
        shell.poll_invoke()
    rig.call(rig.winrm.start())
    assert rig.port == ports
    assert not pool.is_alive()
    rig.release("a")
    assert scripted.ended == []


@pytest.mark.parametrize(
    "data,word",
    [
        ({"kind": "explode"}, "kind"),
        ({"kind": "cut", "colour": "red"}, "colour"),
        ({"kind": "cut", "count": 0}, "count"),
        ({"kind": "refuse", "count": 3}, "count"),
        ({"kind": "half_open", "count": 3}, "count"),
        ({"kind": "slow", "rate": 0}, "rate"),
        ({"kind": "fail_command"}, "command"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(data: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        parse_fault(data)


def test_parse_keeps_what_was_given() -> None:
    assert parse_fault({"kind": "cut", "command": "Move-VM"}) == Fault("cut", 1, "Move-VM")
    assert parse_fault({"kind": "hang", "count": None}).count is None
