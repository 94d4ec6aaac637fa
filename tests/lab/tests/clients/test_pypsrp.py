# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pypsrp as its own documents use it: Client, WinRS, RunspacePool and PowerShell."""

from __future__ import annotations

from typing import Any

import pytest
from hyperv_lab.client import Lab
from pypsrp.client import Client
from pypsrp.complex_objects import PSInvocationState
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import TaggedValue
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan

from tests.lab.tests.clients.conftest import PASSWORD, USER

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pypsrp")


def options(lab: Lab, *, ssl: bool = True, auth: str = "negotiate") -> dict[str, Any]:
    where = lab.hosts["hv01"]
    return {
        "username": USER,
        "password": PASSWORD,
        "ssl": ssl,
        "port": where["https" if ssl else "http"],
        "auth": auth,
        "cert_validation": str(lab.ca),
        "no_proxy": True,
    }


@pytest.fixture(params=[(True, "negotiate"), (False, "ntlm")], ids=["https", "http"])
def given(request: pytest.FixtureRequest, lab: Lab) -> dict[str, Any]:
    ssl, auth = request.param
    return options(lab, ssl=ssl, auth=auth)


@pytest.fixture
def pool(lab: Lab) -> Any:
    with RunspacePool(WSMan(lab.hosts["hv01"]["address"], **options(lab)), max_runspaces=2) as opened:
        yield opened


def names(shell: PowerShell) -> list[str]:
    return [item.adapted_properties["Name"] for item in shell.output]


def test_client_runs_command_lines(lab: Lab, given: dict[str, Any]) -> None:
    with Client(lab.hosts["hv01"]["address"], **given) as client:
        assert client.execute_cmd("hostname") == ("HV01\r\n", "", 0)
        output, errors, code = client.execute_cmd("ipconfig /all")
    assert (output, code) == ("", 1)
    assert errors.startswith("NotSimulated: the lab runs no command lines")
    assert "ipconfig /all" in errors


def test_client_runs_no_script(lab: Lab) -> None:
    """Client.execute_ps and copy send script text: said to be not simulated, never answered with nothing."""
    with Client(lab.hosts["hv01"]["address"], **options(lab)) as client:
        output, streams, failed = client.execute_ps("Get-VM | Where-Object State -eq Off")
        assert (output, failed) == ("", True)
        assert "NotSimulated: Invoke-Expression is a command of real hosts" in str(streams.error[0])
        with pytest.raises(Exception, match="NotSimulated"):
            client.copy(__file__, "C:\\copied.py")


def test_commands_pipelines_and_statements(pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("Get-VM").add_parameter("Name", "g*").add_cmdlet("Select-Object").add_parameter("Property", "Name")
    (picked,) = shell.invoke()
    assert picked.extended_properties == {"Name": "gold"}
    assert (shell.state, shell.had_errors) == (PSInvocationState.COMPLETED, False)

    both = PowerShell(pool)
    both.add_cmdlet("Get-VM").add_parameters({"Name": "gold"}).add_statement().add_cmdlet("Get-VM").add_argument("ö*")
    both.invoke()
    assert names(both) == ["gold", "öther"]


def test_errors_go_to_their_stream_or_end_the_pipeline(pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("Get-VM").add_parameter("Name", "nothere")
    assert (shell.invoke(), shell.state) == ([], PSInvocationState.COMPLETED)
    assert shell.streams.error[0].fq_error == "InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM"
    strict = PowerShell(pool)
    strict.add_cmdlet("Get-VM").add_parameters({"Name": "nothere", "ErrorAction": "Stop"})
    strict.invoke()
    assert (strict.state, strict.had_errors) == (PSInvocationState.FAILED, True)


def test_two_pipelines_at_once_and_a_bigger_pool(pool: RunspacePool) -> None:
    assert pool.get_available_runspaces() == 2
    pool.max_runspaces = 4
    assert pool.get_available_runspaces() == 4
    pool.min_runspaces = 2
    shells = [PowerShell(pool) for _ in range(2)]
    for shell in shells:
        shell.add_cmdlet("Get-VM")
        shell.begin_invoke()
    for shell in shells:
        shell.end_invoke()
    assert [names(shell) for shell in shells] == [["gold", "öther"]] * 2


def test_secure_strings(pool: RunspacePool) -> None:
    """The exchange of session keys, and a parameter that is encrypted with them."""
    pool.exchange_keys()
    secret = TaggedValue("SS", "geheim ü")
    shell = PowerShell(pool).add_cmdlet("Set-Variable").add_parameters({"Name": "it", "Value": secret})
    shell.invoke()
    assert (shell.state, shell.had_errors) == (PSInvocationState.COMPLETED, False)


def test_disconnected_and_found_again(lab: Lab) -> None:
    where, wsman = lab.hosts["hv01"]["address"], options(lab)
    first = RunspacePool(WSMan(where, **wsman))
    first.open()
    first.disconnect()
    found = {pool.id: pool for pool in RunspacePool.get_runspace_pools(WSMan(where, **wsman))}
    again = found[first.id]
    again.connect()
    shell = PowerShell(again)
    shell.add_cmdlet("Get-VM")
    shell.invoke()
    assert names(shell) == ["gold", "öther"]
    again.close()


def test_a_cmd_shell_of_its_own(lab: Lab) -> None:
    wsman = WSMan(lab.hosts["hv01"]["address"], **options(lab))
    with wsman, WinRS(wsman, environment={"A": "b"}, working_directory="C:\\Windows", no_profile=True) as shell:
        process = Process(shell, "cmd.exe", ["/c", "echo", "hi"])
        process.invoke()
        assert (process.stdout, process.stderr, process.rc) == (b"hi\r\n", b"", 0)
        process.signal(SignalCode.CTRL_C)
