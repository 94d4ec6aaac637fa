# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pywinrm as its own documents use it: Session, and Protocol step by step."""

from __future__ import annotations

from typing import Any

import pytest
from hyperv_lab.client import Lab
from winrm import Session
from winrm.exceptions import InvalidCredentialsError, WSManFaultError
from winrm.protocol import Protocol

from tests.lab.tests.clients.conftest import PASSWORD, USER


def endpoint(lab: Lab, ssl: bool) -> str:
    where = lab.hosts["hv01"]
    return f"{'https' if ssl else 'http'}://{where['address']}:{where['https' if ssl else 'http']}/wsman"


@pytest.fixture(params=[("ntlm", True), ("ntlm", False)], ids=["https", "http"])
def given(request: pytest.FixtureRequest, lab: Lab) -> dict[str, Any]:
    transport, ssl = request.param
    return {
        "target": endpoint(lab, ssl),
        "auth": (USER, PASSWORD),
        "transport": transport,
        "ca_trust_path": str(lab.ca),
    }


@pytest.fixture
def protocol(lab: Lab) -> Protocol:
    return Protocol(
        endpoint=endpoint(lab, True), transport="ntlm", username=USER, password=PASSWORD, ca_trust_path=str(lab.ca)
    )


def test_session_runs_commands(given: dict[str, Any]) -> None:
    session = Session(**given)
    answer = session.run_cmd("hostname")
    assert (answer.std_out, answer.std_err, answer.status_code) == (b"HV01\r\n", b"", 0)
    assert session.run_cmd("exit", ["3"]).status_code == 3


def test_session_runs_no_script(given: dict[str, Any]) -> None:
    """run_ps sends powershell -EncodedCommand: a script that the lab does not know fails, and says why."""
    session = Session(**given)
    assert session.run_ps("hostname").std_out == b"HV01\r\n"
    answer = session.run_ps("Get-VM | Stop-VM -Force")
    assert (answer.std_out, answer.status_code) == (b"", 1)
    assert b"NotSimulated" in answer.std_err
    assert b"Get-VM | Stop-VM" in answer.std_err


def test_protocol_step_by_step(protocol: Protocol) -> None:
    shell = protocol.open_shell(working_directory="C:\\Windows", env_vars={"A": "b"}, idle_timeout="PT120S")
    command = protocol.run_command(shell, "echo", ["one", "two"])
    assert protocol.get_command_output_raw(shell, command) == (b"one two\r\n", b"", 0, True)
    protocol.cleanup_command(shell, command)
    with pytest.raises(WSManFaultError) as caught:
        protocol.get_command_output_raw(shell, command)
    assert caught.value.wsman_fault_code == 2150858843
    with pytest.raises(WSManFaultError) as caught:
        protocol.run_command(shell, "powershell.exe", [], skip_cmd_shell=True)
    assert caught.value.wsman_fault_code == 2147942402
    protocol.close_shell(shell)
    with pytest.raises(WSManFaultError):
        protocol.run_command(shell, "hostname")


def test_a_wrong_password(lab: Lab) -> None:
    session = Session(endpoint(lab, True), auth=(USER, "wrong"), transport="ntlm", ca_trust_path=str(lab.ca))
    with pytest.raises(InvalidCredentialsError):
        session.run_cmd("hostname")
