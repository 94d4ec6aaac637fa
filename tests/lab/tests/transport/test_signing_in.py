# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unmodified clients sign in, in every way that the lab offers, and in no other."""

from __future__ import annotations

import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from hyperv_lab.transport.accounts import Directory
from hyperv_lab.transport.endpoint import Identity
from pypsrp.client import Client
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from requests.exceptions import SSLError
from winrm.exceptions import InvalidCredentialsError
from winrm.protocol import Protocol

WAYS = [
    (True, "basic", "auto"),
    (True, "ntlm", "auto"),
    (True, "negotiate", "auto"),
    (True, "ntlm", "always"),
    (False, "ntlm", "auto"),
    (False, "negotiate", "always"),
]


@pytest.mark.parametrize("ssl,auth,encryption", WAYS)
def test_pypsrp_runs_a_pipeline(
    rig: Any, invoke: Callable[..., list[Any]], ssl: bool, auth: str, encryption: str
) -> None:
    with rig.pool(ssl=ssl, auth=auth, encryption=encryption) as pool:
        assert invoke(pool, "Echo", Text="Grüße; $(hostname) 'x' \U0001f600") == ["Grüße; $(hostname) 'x' \U0001f600"]


@pytest.mark.parametrize("user", ["labadmin", "LabAdmin", "LAB\\labadmin", "labadmin@lab.test", "HV01\\labadmin"])
@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_one_user_in_all_spellings(rig: Any, user: str, auth: str) -> None:
    with rig.pool(auth=auth, user=user):
        assert [shell.owner.account.name for shell in rig.winrm.shells] == ["LAB\\labadmin"]


@pytest.mark.parametrize("ssl,auth", [(True, "basic"), (True, "ntlm"), (True, "negotiate"), (False, "ntlm")])
def test_wrong_password(rig: Any, ssl: bool, auth: str) -> None:
    with pytest.raises(AuthenticationError):
        rig.pool(ssl=ssl, auth=auth, password="wrong").open()
    assert len(rig.winrm.shells) == 0


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_unknown_user_and_foreign_domain(rig: Any, auth: str) -> None:
    for user in ("stranger", "ELSEWHERE\\labadmin"):
        with pytest.raises(AuthenticationError):
            rig.pool(auth=auth, user=user).open()


def test_a_user_without_rights_on_winrm_is_denied(rig: Any) -> None:
    with pytest.raises(WSManFaultError) as caught:
        rig.pool(user="nobody").open()
    assert caught.value.code == 5


def test_unencrypted_messages_over_http_are_refused(rig: Any) -> None:
    with pytest.raises(WinRMTransportError) as caught:
        rig.pool(ssl=False, encryption="never").open()
    assert caught.value.code == 500


def test_basic_is_not_offered_over_http(rig: Any) -> None:
    answer = requests.post(f"http://127.0.77.1:{rig.port[False]}/wsman", auth=("labadmin", "x"), timeout=10)
    assert answer.status_code == 401
    assert "Basic" not in answer.headers["WWW-Authenticate"]


def test_other_paths_and_methods(rig: Any) -> None:
    base = f"http://127.0.77.1:{rig.port[False]}"
    assert requests.post(f"{base}/other", timeout=10).status_code == 404
    assert requests.get(f"{base}/wsman", timeout=10).status_code == 405


def test_the_certificate_is_checked_by_name_and_by_authority(rig: Any) -> None:
    with pytest.raises(SSLError):
        rig.pool(cert_validation=True).open()
    url = f"https://localhost:{rig.port[True]}/wsman"
    with pytest.raises(requests.exceptions.ConnectionError):  # the host listens on its own address alone
        requests.post(url, verify=str(rig.authority.path), timeout=10)


def test_wrong_channel_bindings_are_refused(rig: Any) -> None:
    """Behind another certificate the bindings do not fit: a man in the middle, say."""
    other = Identity(rig.authority.identity("hv99", "hv99.lab.test", "127.0.77.1").tls, b"\0" * 32)
    listener = rig.winrm._listener(0, other)
    rig.call(listener.open())
    with pytest.raises(AuthenticationError):
        rig.pool(port=listener.port).open()
    with rig.pool(port=listener.port, auth="basic"):
        pass
    rig.do(listener.close)


@pytest.mark.parametrize("transport,ssl", [("ntlm", True), ("ntlm", False), ("basic", True)])
def test_pywinrm_runs_its_little_commands(rig: Any, transport: str, ssl: bool) -> None:
    protocol = _pywinrm(rig, transport, ssl)
    shell = protocol.open_shell()
    results = [_run(protocol, shell, *words) for words in (("hostname",), ("exit", "3"), ("dir", "C:\\"))]
    protocol.close_shell(shell)
    assert results[0] == (b"HV01\r\n", b"", 0)
    assert results[1] == (b"", b"", 3)
    assert results[2][0] == b"" and b"NotSimulated" in results[2][1] and results[2][2] == 1
    assert len(rig.winrm.shells) == 0


def test_pywinrm_with_a_wrong_password(rig: Any) -> None:
    with pytest.raises(InvalidCredentialsError):
        _pywinrm(rig, "ntlm", True, password="wrong").open_shell()


def test_execute_cmd_of_pypsrp(rig: Any) -> None:
    options = {"username": "labadmin", "password": "Lab:Passw0rd! ü", "auth": "ntlm", "no_proxy": True}
    with Client("127.0.77.1", port=rig.port[True], cert_validation=str(rig.authority.path), **options) as client:
        assert client.execute_cmd("whoami") == ("lab\\labadmin\r\n", "", 0)


def test_the_ntlm_file_is_for_this_user_alone_and_holds_no_password(tmp_path: Path, rig: Any) -> None:
    path = tmp_path / "users"
    Directory([*rig.directory._users.values()], "lab.test", ["hv01"]).write_ntlm_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "Passw0rd" not in path.read_text(encoding="utf-8")


def test_half_a_request_does_no_harm(rig: Any) -> None:
    with socket.create_connection(("127.0.77.1", rig.port[False]), timeout=10) as peer:
        peer.sendall(b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    with socket.create_connection(("127.0.77.1", rig.port[False]), timeout=10) as peer:
        peer.sendall(b"rubbish\r\n\r\n")
        peer.settimeout(10)
        assert peer.recv(100) == b""
    rig.until(lambda: rig.winrm.http.connections == 0)
    with rig.pool():
        pass


def _pywinrm(rig: Any, transport: str, ssl: bool, password: str = "Lab:Passw0rd! ü") -> Protocol:
    scheme = "https" if ssl else "http"
    return Protocol(
        endpoint=f"{scheme}://127.0.77.1:{rig.port[ssl]}/wsman",
        transport=transport,  # type: ignore[arg-type]  # one of its literals, by the parameters of the tests
        username="labadmin",
        password=password,
        ca_trust_path=str(rig.authority.path),
        message_encryption="auto",
    )


def _run(protocol: Protocol, shell: str, command: str, *arguments: str) -> tuple[bytes, bytes, int]:
    command_id = protocol.run_command(shell, command, arguments)
    result: tuple[bytes, bytes, int] = protocol.get_command_output(shell, command_id)
    protocol.cleanup_command(shell, command_id)
    return result
