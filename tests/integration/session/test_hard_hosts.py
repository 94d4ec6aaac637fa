# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts with quotas, hosts that die, restart or fall silent in the middle: what a session survives and what it says."""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    AuthenticationFailed,
    CommandFailed,
    HostUnreachable,
    HyperVError,
    OutcomeUnknown,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
from ansible_collections.fanout.hyperv.plugins.module_utils._host_base import select
from ansible_collections.fanout.hyperv.plugins.module_utils._session import Command, Session, command
from hyperv_lab.client import Lab

PASSWORD = "Lab-Passw0rd!"
FREE, TIGHT, JEA = "hv01", "hv02", "hv03"
READ = command("Get-VM", Name="one")
ENDPOINT = "Looking"
CAPABILITY = r"""@{
    VisibleCmdlets = 'Hyper-V\Get-VM', 'Microsoft.PowerShell.Utility\Select-Object', 'Get-Item',
        @{ Name = 'Start-Sleep'; Parameters = @{ Name = 'Milliseconds' } }
}"""
CONFIGURATION = r"""@{
    SessionType = 'RestrictedRemoteServer'
    RoleDefinitions = @{ 'LAB\Watchers' = @{ RoleCapabilities = 'Looking' } }
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("jea")
    (folder / "RoleCapabilities").mkdir()
    (folder / "RoleCapabilities" / f"{ENDPOINT}.psrc").write_text(CAPABILITY)
    (folder / f"{ENDPOINT}.pssc").write_text(CONFIGURATION)
    with Lab.start(config(folder / f"{ENDPOINT}.pssc")) as running:
        yield running
        assert running.bugs() == []


def config(endpoint: Path) -> dict[str, t.Any]:
    vms = [{"name": "one"}]
    tight = {"shells_per_user": 2, "users": 1, "operations_per_user": 2, "envelope_kb": 200}
    return {
        "domain": "lab.test",
        "users": [
            {"name": "labadmin", "password": PASSWORD},
            {"name": "second", "password": PASSWORD},
            {"name": "watcher", "password": PASSWORD, "groups": ["Watchers", "Hyper-V Administrators"]},
        ],
        "defaults": {"http_port": 0, "https_port": 0},
        "hosts": {
            FREE: {"address": "127.0.42.1", "vms": vms},
            TIGHT: {"address": "127.0.42.2", "vms": vms, "winrm": tight},
            JEA: {"address": "127.0.42.3", "vms": vms, "session_configurations": {ENDPOINT: str(endpoint)}},
        },
    }


Open = t.Callable[..., Session]


@pytest.fixture
def session(lab: Lab) -> Iterator[Open]:
    """Open sessions; faults are taken back and shells closed at the end."""
    opened: list[Session] = []

    def open_session(host: str = FREE, user: str = "labadmin", **changes: t.Any) -> Session:
        where = lab.hosts[host]
        given = {
            "server": where["address"],
            "port": where["https"],
            "username": user,
            "password": PASSWORD,
            "auth": "ntlm",
            "ca_cert": str(lab.ca),
            "ignore_proxy": True,
            "connection_timeout": 2,
            **changes,
        }
        opened.append(Session(ConnectionOptions.from_params(given), label=host))
        return opened[-1]

    yield open_session
    for host in lab.hosts:
        lab.clear_faults(host)
    for one in opened:
        one.close()


def refusal(session: Session, *stages: Command, **options: t.Any) -> HyperVError:
    with pytest.raises(HyperVError) as caught:
        session.run(*stages, **options)
    return caught.value


def until(condition: t.Callable[[], t.Any]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def calls(lab: Lab, name: str, host: str = FREE) -> list[dict[str, t.Any]]:
    return [call for call in lab.calls(host) if call["command"] == name]


def names(session: Session) -> list[str]:
    return [vm["Name"] for vm in session.run(READ)]


# ---- time


def test_a_command_that_outlasts_many_operation_timeouts(session: Open) -> None:
    assert session(operation_timeout=1, read_timeout=2).run(command("Start-Sleep", Milliseconds=2500)) == []


# ---- quotas: nothing was started, and trying again later may help


@pytest.mark.parametrize(("user", "shells"), [("labadmin", 2), ("second", 1)])
def test_too_many_shells_or_users(session: Open, user: str, shells: int) -> None:
    for _shell in range(shells):
        assert names(session(TIGHT)) == ["one"]
    error = refusal(session(TIGHT, user), READ)
    assert isinstance(error, HostUnreachable)
    assert (error.code, error.transient) == ("QUOTA", True)


def test_too_many_operations(lab: Lab, session: Open) -> None:
    busy, late = session(TIGHT), session(TIGHT)
    assert names(late) == ["one"]
    before = lab.last_call()
    sleeping = threading.Thread(target=busy.run, args=(command("Start-Sleep", Seconds=2),))
    sleeping.start()
    until(lambda: calls(lab, "Start-Sleep", TIGHT))
    error = refusal(late, command("Set-Variable", Name="x", Value=1))
    sleeping.join()
    assert isinstance(error, HostUnreachable)
    assert (error.code, error.transient) == ("QUOTA", True)
    assert [call["command"] for call in lab.calls(TIGHT, since=before)] == ["Start-Sleep"]


def test_a_request_that_is_too_large(session: Open) -> None:
    one = session(TIGHT)
    error = refusal(one, command("Set-Variable", Name="x", Value="x" * 400_000))
    assert isinstance(error, HostUnreachable)
    assert (error.code, error.transient) == ("REQUEST_TOO_LARGE", False)
    assert "MaxEnvelopeSizekb" in str(error.remedy)
    assert names(one) == ["one"]


# ---- the host's processes


def test_the_shells_process_dies_under_a_command(lab: Lab, session: Open) -> None:
    one = session()
    names(one)
    timer = threading.Timer(0.3, lambda: lab.kill_shells(FREE))
    timer.start()
    assert isinstance(refusal(one, command("Start-Sleep", Seconds=20)), OutcomeUnknown)
    timer.join()
    assert names(one) == ["one"]


def test_the_shells_process_dies_under_a_question(lab: Lab, session: Open) -> None:
    one = session()
    names(one)
    lab.fault(FREE, kind="kill_shell", action="Command", command="Get-VM")
    assert names(one) == ["one"]


def test_winrm_restarts_as_the_command_arrives(lab: Lab, session: Open) -> None:
    """That it did not arrive cannot be known any more: the shell that would tell is gone."""
    one = session()
    names(one)
    lab.fault(FREE, kind="restart_winrm", action="Command", command="Set-Variable")
    error = refusal(one, command("Set-Variable", Name="x", Value=1))
    assert isinstance(error, OutcomeUnknown)
    assert calls(lab, "Set-Variable") == []
    assert names(one) == ["one"]


def test_the_host_restarts(lab: Lab, session: Open) -> None:
    one = session()
    names(one)
    timer = threading.Timer(0.3, lambda: lab.down(FREE))
    timer.start()
    error = refusal(one, command("Start-Sleep", Seconds=30), timeout=2)
    timer.join()
    assert isinstance(error, OutcomeUnknown)
    meanwhile = refusal(session(), READ)
    assert (type(meanwhile), meanwhile.code, meanwhile.transient) == (HostUnreachable, "CONNECTION_REFUSED", True)
    lab.up(FREE)
    assert names(one) == ["one"]


# ---- connections


@pytest.mark.parametrize("protocol", ["https", "http"])
def test_connections_that_nobody_answers(lab: Lab, session: Open, protocol: str) -> None:
    lab.fault(FREE, kind="half_open")
    one = session(protocol=protocol, port=lab.hosts[FREE][protocol], operation_timeout=1, read_timeout=2)
    error = refusal(one, READ, timeout=3)
    assert isinstance(error, HostUnreachable)
    assert (error.code, error.transient) == ("NO_ANSWER", True)


def test_a_command_whose_acknowledgement_never_comes(lab: Lab, session: Open) -> None:
    one = session(operation_timeout=1, read_timeout=2)
    names(one)
    before = lab.last_call()
    lab.fault(FREE, kind="mute", action="Command", command="Set-Variable")
    assert one.run(command("Set-Variable", Name="x", Value=1)) == []
    assert [call["command"] for call in lab.calls(FREE, since=before)] == ["Set-Variable"]


def test_a_result_that_never_comes(lab: Lab, session: Open) -> None:
    one = session(operation_timeout=1, read_timeout=2)
    names(one)
    lab.fault(FREE, kind="mute", action="Receive", command="Set-Variable")
    assert isinstance(refusal(one, command("Set-Variable", Name="x", Value=1)), OutcomeUnknown)
    lab.fault(FREE, kind="mute", action="Receive", command="Get-VM")
    assert names(one) == ["one"]


def test_a_slow_link(lab: Lab, session: Open) -> None:
    """Longer than the session waits for an answer, but it comes bit by bit."""
    one = session(operation_timeout=1, read_timeout=2)
    one.run(command("Set-Variable", Name="kept", Value="x" * 30_000))
    lab.fault(FREE, kind="slow", action="Receive", rate=12_000)
    assert one.run(command("Get-Variable", Name="kept", ValueOnly=True)) == ["x" * 30_000]
    assert lab.state(FREE)["faults"] == []


# ---- constrained endpoints


@pytest.fixture
def constrained(session: Open) -> Session:
    return session(JEA, "watcher", configuration_name=ENDPOINT)


def test_what_a_constrained_endpoint_serves(constrained: Session) -> None:
    assert constrained.run(READ, select(Property=["Name"]))[0]["Name"] == "one"
    assert constrained.run(command("Start-Sleep", Milliseconds=1)) == []


@pytest.mark.parametrize(
    ("hidden", "code"),
    [
        (command("Get-VMHost"), "CMDLET_MISSING"),
        (command("Start-Sleep", Seconds=1), "CMDLET_DIFFERS"),
        (command("Select-Object", First=1), "CMDLET_DIFFERS"),
    ],
    ids=str,
)
def test_what_a_constrained_endpoint_hides(constrained: Session, hidden: Command, code: str) -> None:
    error = refusal(constrained, hidden)
    assert isinstance(error, CommandFailed)
    assert error.code == code


def test_without_the_file_system_no_file_counts_as_missing(constrained: Session) -> None:
    with pytest.raises(CommandFailed) as caught:
        Host(constrained).files.entry(r"C:\Windows")
    assert caught.value.code == "NO_DRIVES"


def test_who_is_not_let_in(lab: Lab, session: Open) -> None:
    """Neither administrators without a role, nor who has only that elsewhere."""
    for one in (session(JEA, configuration_name=ENDPOINT), session(JEA, "watcher")):
        error = refusal(one, READ)
        assert isinstance(error, AuthenticationFailed)
        assert error.code == "ACCESS_DENIED"
    assert [call for call in lab.calls(JEA) if call["user"] == "LAB\\labadmin"] == []


def test_no_such_endpoint_there(session: Open) -> None:
    assert refusal(session(FREE, configuration_name=ENDPOINT), READ).code == "NO_SUCH_ENDPOINT"
