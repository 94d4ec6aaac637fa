# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRM's limits, with the codes that real hosts answer, and what becomes of shells that nobody is connected to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pypsrp.complex_objects import RunspacePoolState
from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool

NO_SUCH, NOT_THIS_CLIENT, PROCESS_GONE = 2150858843, 2150859206, 1726
TOO_MANY_USERS, TOO_MANY_OPERATIONS, TOO_LARGE = 2150859237, 2150859174, 2150858790


def fault_of(action: Callable[[], Any]) -> int:
    with pytest.raises(WSManFaultError) as caught:
        action()
    return int(caught.value.code)


def begin(pool: RunspacePool, name: str, **parameters: Any) -> PowerShell:
    shell = PowerShell(pool)
    shell.add_cmdlet(name).add_parameters(parameters)
    shell.begin_invoke()
    return shell


def test_users_with_shells(make_rig: Any) -> None:
    rig = make_rig(users=1)
    with rig.pool(), rig.pool():
        assert fault_of(rig.pool(user="second").open) == TOO_MANY_USERS
    with rig.pool(user="second"):
        pass


def test_operations_of_a_user(make_rig: Any, invoke: Any) -> None:
    """Commands count until they are given up; their output can be fetched all the same."""
    rig = make_rig(operations_per_user=2)
    with rig.pool() as pool:
        first, second = begin(pool, "Echo", Text="x"), begin(pool, "Echo", Text="x")
        assert fault_of(lambda: invoke(pool, "Echo", Text="x")) == TOO_MANY_OPERATIONS
        with rig.pool(user="second"):
            pass
        for shell in (first, second):
            shell.end_invoke()
            shell.close()
        assert invoke(pool, "Echo", Text="y") == ["y"]


def test_requests_that_are_too_large(make_rig: Any, invoke: Any) -> None:
    """The HTTP layer turns them away. pypsrp takes 500 KiB for granted once it knows the protocol's version."""
    text = "x" * 400_000
    with make_rig(envelope_kb=200).pool() as pool:
        with pytest.raises(WinRMTransportError) as caught:
            invoke(pool, "Echo", Text=text)
        assert caught.value.code == 413
        assert invoke(pool, "Echo", Text="small") == ["small"]
    with make_rig().pool() as pool:
        assert invoke(pool, "Echo", Text=text) == [text]


def test_answers_that_are_too_large_for_the_client(rig: Any) -> None:
    with rig.pool(), rig.pool(), rig.pool() as pool:
        pool.connection.max_envelope_size = 2500
        assert fault_of(lambda: RunspacePool.get_runspace_pools(pool.connection)) == TOO_LARGE


def test_memory_of_a_shell(make_rig: Any) -> None:
    """What nobody fetches piles up in the shell's process until that is ended."""
    rig = make_rig(memory_per_shell_mb=1)
    pool = rig.pool()
    pool.open()
    begin(pool, "Echo", Text="x" * 2 * 1024**2)
    rig.until(lambda: len(rig.winrm.shells) == 0)
    assert not pool.is_alive()


def test_a_shell_whose_process_dies(rig: Any, scripted: Any) -> None:
    pool = rig.pool()
    pool.open()
    shell = begin(pool, "Hold", Name="a")
    shell.poll_invoke()
    rig.fault(kind="kill_shell", action="Receive")
    assert fault_of(shell.poll_invoke) == PROCESS_GONE
    assert fault_of(shell.poll_invoke) == NO_SUCH
    rig.release("a")
    rig.do(lambda: None)
    assert scripted.ended == []


# ---- disconnected shells


def test_a_disconnected_shell_goes_when_its_idle_time_is_over(rig: Any, scripted: Any) -> None:
    """Its pipelines run on until then, and end with it."""
    pool = RunspacePool(rig.wsman(), idle_timeout=120)
    pool.open()
    begin(pool, "Hold", Name="first")
    rig.until(lambda: scripted.started == ["first"])
    pool.disconnect()
    rig.time += 100
    rig.release("first")
    rig.until(lambda: scripted.ended == ["first"])
    assert [shell.state for shell in rig.winrm.shells] == ["Disconnected"]
    rig.time += 100
    assert fault_of(pool.connect) == NO_SUCH


def test_output_waits_for_the_client_that_comes_back(rig: Any, scripted: Any) -> None:
    with rig.pool() as pool:
        shell = begin(pool, "Hold", Name="a")
        rig.until(lambda: scripted.started == ["a"])
        pool.disconnect()
        rig.release("a")
        rig.until(lambda: scripted.ended == ["a"])
        pool.connect()
        shell.connect()
        shell.end_invoke()
        assert list(shell.output) == ["a"]


def test_only_its_own_client_reconnects_a_shell(rig: Any, invoke: Any) -> None:
    pool = rig.pool()
    pool.open()
    pool.disconnect()
    own = pool.connection.session_id
    pool.connection.session_id = rig.wsman().session_id
    assert fault_of(pool.connect) == NOT_THIS_CLIENT
    pool.connection.session_id = own
    assert pool.state == RunspacePoolState.DISCONNECTED
    pool.connect()
    assert invoke(pool, "Echo", Text="back") == ["back"]
    pool.close()
