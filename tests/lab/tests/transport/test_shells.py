# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shells and their pipelines: long polls, clients that vanish and come back, quotas, and an end for what is idle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from pypsrp.complex_objects import PSInvocationState, RunspacePoolState
from pypsrp.exceptions import WSManFaultError
from pypsrp.messages import GetCommandMetadata
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import SelectorSet

TIMED_OUT, NO_SUCH, OTHER_CLIENT, DISCONNECTED = 2150858793, 2150858843, 2150859213, 2150859204
TOO_MANY_SHELLS, TOO_MANY_COMMANDS, BAD_IDLE_TIMEOUT, NO_RESOURCE = 2150859236, 2150859241, 2150859250, 2150858811


def begin(pool: RunspacePool, name: str, **parameters: Any) -> PowerShell:
    shell = PowerShell(pool)
    shell.add_cmdlet(name).add_parameters(parameters)
    shell.begin_invoke()
    return shell


def fault_of(action: Callable[[], Any]) -> int:
    with pytest.raises(WSManFaultError) as caught:
        action()
    return int(caught.value.code)


def test_progress_arrives_while_the_pipeline_runs(rig: Any) -> None:
    with rig.pool() as pool:
        shell = begin(pool, "Hold", Name="a")
        shell.poll_invoke()
        assert [record.description for record in shell.streams.progress] == ["a"]
        assert shell.state == PSInvocationState.RUNNING
        rig.release("a")
        shell.end_invoke()
        assert list(shell.output) == ["a"]


def test_a_poll_with_nothing_to_say_ends_with_the_fault_of_real_hosts(rig: Any) -> None:
    with rig.pool() as pool:
        shell = begin(pool, "Hold", Name="a")
        shell.poll_invoke()
        assert fault_of(lambda: pool.shell.receive("stdout", shell.id, timeout=1)) == TIMED_OUT
        shell.poll_invoke(timeout=1)  # the client takes that fault for what it is
        assert shell.state == PSInvocationState.RUNNING
        rig.release("a")


def test_of_two_receives_the_later_one_gets_the_data(rig: Any) -> None:
    with rig.pool() as pool:
        shell = begin(pool, "Hold", Name="a")
        shell.poll_invoke()
        outbox = rig.winrm.shells.peek(pool.id).outboxes[shell.id.upper()]
        first = rig.do(lambda: rig.loop.create_task(outbox.receive(60, 153600)))
        rig.until(lambda: outbox._waiter is not None)
        second = rig.do(lambda: rig.loop.create_task(outbox.receive(60, 153600)))
        rig.until(first.done)
        assert rig.do(first.exception).code == TIMED_OUT
        rig.release("a")
        rig.until(second.done)
        assert "<rsp:Stream" in second.result()


def test_pipelines_of_one_runspace_run_one_after_the_other(rig: Any, scripted: Any) -> None:
    with rig.pool() as pool:
        first, second = begin(pool, "Hold", Name="first"), begin(pool, "Hold", Name="second")
        first.poll_invoke()
        assert rig.do(lambda: list(scripted.started)) == ["first"]
        assert pool.get_available_runspaces() == 0
        rig.release("second")
        rig.release("first")
        second.end_invoke()
        assert scripted.ended == ["first", "second"]


def test_a_pool_of_two_runs_two(rig: Any, scripted: Any) -> None:
    with RunspacePool(rig.wsman(), max_runspaces=2) as pool:
        first, second = begin(pool, "Hold", Name="first"), begin(pool, "Hold", Name="second")
        rig.until(lambda: scripted.started == ["first", "second"])
        rig.release("second")
        second.end_invoke()
        rig.release("first")
        first.end_invoke()


def test_a_waiting_pipeline_can_be_stopped(rig: Any, scripted: Any) -> None:
    with rig.pool() as pool:
        first, second = begin(pool, "Hold", Name="first"), begin(pool, "Hold", Name="second")
        second.stop()
        state, _, streams = pool.shell.receive("stdout", second.id)  # pypsrp itself does not read on after a stop
        assert state.endswith("/Done")
        assert b'<I32 N="PipelineState">3</I32>' in streams["stdout"]
        rig.release("first")
        first.end_invoke()
        assert scripted.started == ["first"]


def test_stop_ends_a_running_pipeline_and_the_pool_goes_on(rig: Any, invoke: Any, scripted: Any) -> None:
    with rig.pool() as pool:
        shell = begin(pool, "Hold", Name="a")
        shell.poll_invoke()
        shell.stop()
        assert invoke(pool, "Echo", Text="still here") == ["still here"]
        assert scripted.ended == []


def test_input_and_large_arguments(rig: Any, invoke: Any) -> None:
    text = "x" * 700_000
    with rig.pool() as pool:
        assert invoke(pool, "Echo", Text=text) == [text]
        shell = PowerShell(pool)
        shell.add_cmdlet("Collect")
        items = ["one", 2, text]
        assert list(shell.invoke(items)) == items  # type: ignore[arg-type]  # it takes lists, too


def test_a_bug_of_the_lab_never_looks_like_an_answer_of_windows(rig: Any, invoke: Any) -> None:
    with rig.pool() as pool:
        shell = begin(pool, "Break")
        shell.end_invoke()
        assert shell.had_errors
        assert shell.streams.error[0].fq_error == "LabBug"
        assert invoke(pool, "Echo", Text="on") == ["on"]


def test_data_that_psrp_does_not_know_are_a_fault_not_a_crash(rig: Any, invoke: Any) -> None:
    with rig.pool() as pool:
        with pytest.raises(WSManFaultError):
            invoke(pool, "Echo", Text=2**40)  # pypsrp sends every int as Int32
        assert invoke(pool, "Echo", Text="on") == ["on"]


CLIENT = """
import sys
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
address, port, ca, password, session = sys.argv[1:]
wsman = WSMan(address, port=int(port), ssl=True, auth="ntlm", username="labadmin", password=password,
              cert_validation=ca, no_proxy=True)
wsman.session_id = session
pool = RunspacePool(wsman)
pool.open()
shell = PowerShell(pool)
shell.add_cmdlet("Hold").add_parameter("Name", "long")
shell.begin_invoke()
print(pool.id, shell.id, flush=True)
shell.end_invoke()
"""


def killed_client(rig: Any, scripted: Any) -> tuple[str, str, str]:
    """Session, pool and pipeline of a process that was killed while it waited for its pipeline."""
    session = str(uuid.uuid4()).upper()
    password = "Lab:Passw0rd! ü"
    arguments = ["127.0.77.1", str(rig.port[True]), str(rig.authority.path), password, session]
    with subprocess.Popen([sys.executable, "-c", CLIENT, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pool_id, pipeline_id = process.stdout.readline().split()
        rig.until(lambda: scripted.started == ["long"])
        os.kill(process.pid, signal.SIGKILL)
    rig.until(lambda: rig.winrm.https.connections == 0)
    return session, pool_id, pipeline_id


def test_a_pipeline_goes_on_when_its_client_is_killed(rig: Any, scripted: Any) -> None:
    killed_client(rig, scripted)
    assert len(rig.winrm.shells) == 1
    rig.release("long")
    rig.until(lambda: scripted.ended == ["long"])


def test_the_same_session_goes_on_where_the_killed_client_was(rig: Any, scripted: Any) -> None:
    session, pool_id, pipeline_id = killed_client(rig, scripted)
    pool = rig.pool()
    pool.connection.session_id = session
    pool.id, pool.state = pool_id, RunspacePoolState.OPENED
    pool.shell.id, pool.shell.opened = pool_id, True
    pool.shell._selector_set = SelectorSet()
    pool.shell._selector_set.add_option("ShellId", pool_id)
    rig.release("long")
    shell = PowerShell(pool)
    shell.id = shell._command_id = pipeline_id
    shell.state = PSInvocationState.RUNNING
    pool.pipelines[pipeline_id] = shell
    shell.end_invoke()
    assert list(shell.output) == ["long"]


def test_another_client_connects_once_the_host_takes_the_first_for_gone(rig: Any, scripted: Any) -> None:
    _, pool_id, pipeline_id = killed_client(rig, scripted)
    wsman = rig.wsman()
    (pool,) = RunspacePool.get_runspace_pools(wsman)
    assert pool.id == pool_id
    assert fault_of(pool.connect) == OTHER_CLIENT
    rig.time += 61
    pool.connect()
    assert pool.state == RunspacePoolState.OPENED
    shell = pool.pipelines[pipeline_id]
    shell.connect_async()
    rig.release("long")
    shell.end_invoke()
    assert list(shell.output) == ["long"]


def test_nobody_else_can_use_or_see_a_shell(rig: Any) -> None:
    with rig.pool() as pool:
        stranger = rig.pool(user="second")
        assert RunspacePool.get_runspace_pools(stranger.connection) == []
        stranger.id, stranger.state = pool.id, RunspacePoolState.OPENED
        stranger.shell._selector_set = pool.shell._selector_set
        stranger.shell.opened = True
        assert fault_of(lambda: stranger.shell.receive("stdout")) == 5
        twin = rig.pool()
        twin.shell._selector_set = pool.shell._selector_set
        assert fault_of(lambda: twin.shell.receive("stdout")) == OTHER_CLIENT


def test_disconnect_and_reconnect(rig: Any, invoke: Any) -> None:
    with rig.pool() as pool:
        pool.disconnect()
        pool.state = RunspacePoolState.OPENED
        assert fault_of(lambda: invoke(pool, "Echo", Text="x")) == DISCONNECTED
        pool.state = RunspacePoolState.DISCONNECTED
        pool.connect()
        assert invoke(pool, "Echo", Text="back") == ["back"]


def test_unknown_shells_and_commands(rig: Any) -> None:
    with rig.pool() as pool:
        assert fault_of(lambda: pool.shell.receive("stdout", str(uuid.uuid4()))) == NO_SUCH
        rig.do(lambda: rig.winrm.shells.remove_all("a test says so"))
        assert fault_of(lambda: pool.shell.receive("stdout")) == NO_SUCH
        assert not pool.is_alive()


def test_an_idle_shell_shows_disconnected_and_is_reaped_a_minute_later(rig: Any, scripted: Any) -> None:
    pool = RunspacePool(rig.wsman(), idle_timeout=60)
    pool.open()
    begin(pool, "Hold", Name="a")
    rig.until(lambda: scripted.started == ["a"])
    rig.time += 59
    assert pool.is_alive()
    rig.time += 62
    assert [shell.state for shell in rig.winrm.shells] == ["Disconnected"]
    rig.time += 60
    assert not pool.is_alive()
    rig.release("a")
    rig.do(lambda: None)
    assert scripted.ended == []  # the shell took its pipeline along


def test_an_idle_timeout_below_a_minute_is_refused(rig: Any) -> None:
    assert fault_of(RunspacePool(rig.wsman(), idle_timeout=30).open) == BAD_IDLE_TIMEOUT


def test_shells_per_user(make_rig: Any) -> None:
    rig = make_rig(shells_per_user=2)
    with rig.pool(), rig.pool():
        assert fault_of(rig.pool().open) == TOO_MANY_SHELLS
        with rig.pool(user="second"):
            pass
    with rig.pool():
        pass


def test_commands_per_shell(make_rig: Any, invoke: Any) -> None:
    rig = make_rig(commands_per_shell=2)
    with rig.pool() as pool:
        kept = [begin(pool, "Echo", Text="x") for _ in range(2)]
        kept[0].end_invoke()
        assert fault_of(lambda: invoke(pool, "Echo", Text="x")) == TOO_MANY_COMMANDS
        kept[0].close()
        assert invoke(pool, "Echo", Text="y") == ["y"]


def test_an_unknown_session_configuration(rig: Any) -> None:
    pool = RunspacePool(rig.wsman(), configuration_name="No.Such")
    assert fault_of(pool.open) == NO_RESOURCE


def test_command_metadata_is_refused_loudly(rig: Any) -> None:
    with rig.pool() as pool:
        shell = PowerShell(pool)
        shell._invoke(GetCommandMetadata(["Get-*"], 0, None, None))
        shell.end_invoke()
        assert [error.fq_error for error in shell.streams.error] == ["NotSimulated"]
