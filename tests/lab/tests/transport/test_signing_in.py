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
from hyperv_lab.transport.auth import Policy
from hyperv_lab.transport.http import Listener
from hyperv_lab.transport.negotiation import Terms
from pypsrp.client import Client
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from requests.exceptions import SSLError
from requests_credssp.exceptions import AuthenticationException, NTStatusException
from winrm.exceptions import InvalidCredentialsError
from winrm.protocol import Protocol

WAYS = [
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


@pytest.mark.parametrize("user", ["labadmin", "LabAdmin", "LAB\\labadmin", "labadmin@lab.test"])
def test_one_user_of_the_domain_in_all_spellings(rig: Any, user: str) -> None:
    with rig.pool(user=user):
        assert [shell.owner.account.name for shell in rig.winrm.shells] == ["LAB\\labadmin"]


@pytest.mark.parametrize("user", ["here", "HERE", ".\\here", "HV01\\here"])
@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_a_local_user_in_all_spellings(rig: Any, user: str, auth: str) -> None:
    with rig.pool(auth=auth, user=user):
        assert [shell.owner.account.name for shell in rig.winrm.shells] == ["HV01\\here"]


@pytest.mark.parametrize(
    ("auth", "user"),
    [
        ("basic", "labadmin"),  # Windows takes Basic from local accounts only
        ("basic", "LAB\\labadmin"),
        ("ntlm", "HV01\\labadmin"),
        ("ntlm", "LAB\\here"),
        ("ntlm", "here@lab.test"),
        ("ntlm", "HV02\\here"),
    ],
)
def test_accounts_are_somewhere(rig: Any, auth: str, user: str) -> None:
    with pytest.raises(AuthenticationError):
        rig.pool(auth=auth, user=user).open()


@pytest.mark.parametrize("ssl,auth", [(True, "basic"), (True, "ntlm"), (True, "negotiate"), (False, "ntlm")])
def test_wrong_password(rig: Any, ssl: bool, auth: str) -> None:
    user = "here" if auth == "basic" else "labadmin"
    with pytest.raises(AuthenticationError):
        rig.pool(ssl=ssl, auth=auth, user=user, password="wrong").open()
    assert len(rig.winrm.shells) == 0


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_unknown_user_and_foreign_domain(rig: Any, auth: str) -> None:
    for user in ("stranger", "ELSEWHERE\\labadmin"):
        with pytest.raises(AuthenticationError):
            rig.pool(auth=auth, user=user).open()


@pytest.mark.parametrize("user", ["nobody", "operator"])
def test_a_user_without_rights_on_winrm_is_denied(rig: Any, user: str) -> None:
    """Hyper-V Administrators may not open remote sessions: that is another group's right."""
    with pytest.raises(WSManFaultError) as caught:
        rig.pool(user=user).open()
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


def _behind_another_certificate(rig: Any, terms: Terms) -> Listener:
    """What a man in the middle looks like: the client sees one certificate, the host another."""
    identity = rig.authority.identity("hv99", "hv99.lab.test", "127.0.77.1")
    policy = Policy(rig.directory, "hv01", ("Negotiate", "Basic", "CredSSP"), True, terms)
    listener = Listener("127.0.77.1", 0, lambda peer: rig.winrm._serve(peer, policy), identity.tls)
    rig.call(listener.open())
    return listener


@pytest.mark.parametrize(
    ("hardening", "sends", "let_in"),
    [
        ("none", True, True),
        ("none", False, True),
        ("relaxed", True, False),
        ("relaxed", False, True),
        ("strict", True, False),
        ("strict", False, False),
    ],
)
@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
def test_channel_bindings_that_do_not_fit(rig: Any, auth: str, hardening: str, sends: bool, let_in: bool) -> None:
    listener = _behind_another_certificate(rig, Terms(b"\0" * 32, hardening))
    way = {"port": listener.port, "auth": auth, "negotiate_send_cbt": sends}
    if let_in:
        with rig.pool(**way):
            pass
    else:
        with pytest.raises(AuthenticationError):
            rig.pool(**way).open()
    rig.do(listener.close)


@pytest.mark.parametrize(("hardening", "sends", "let_in"), [("strict", True, True), ("strict", False, False)])
def test_a_strict_host_wants_channel_bindings(
    make_rig: Callable[..., Any], hardening: str, sends: bool, let_in: bool
) -> None:
    rig = make_rig(cbt_hardening=hardening)
    if let_in:
        with rig.pool(negotiate_send_cbt=sends):
            pass
    else:
        with pytest.raises(AuthenticationError):
            rig.pool(negotiate_send_cbt=sends).open()
    with rig.pool(ssl=False, negotiate_send_cbt=sends):
        pass  # without TLS there is nothing to bind to


def _card(rig: Any, **more: Any) -> dict[str, Any]:
    return {
        "auth": "certificate",
        "certificate_pem": str(rig.card.certificate),
        "certificate_key_pem": str(rig.card.key),
    } | more


def test_a_client_certificate(make_rig: Callable[..., Any], invoke: Callable[..., list[Any]]) -> None:
    rig = make_rig(authentication=("Certificate",))
    with rig.pool(**_card(rig)) as pool:
        assert invoke(pool, "Echo", Text="x") == ["x"]
        assert [(one.owner.account.name, one.owner.mechanism) for one in rig.winrm.shells] == [
            ("HV01\\card", "certificate")
        ]


def test_client_certificates_that_are_nobody(make_rig: Callable[..., Any], rig: Any, tmp_path: Path) -> None:
    strange = make_rig(authentication=("Certificate",))
    unmapped = strange.authority.client("unmapped", tmp_path / "clients")
    foreign = rig.card
    with pytest.raises(AuthenticationError):
        strange.pool(
            **_card(strange, certificate_pem=str(unmapped.certificate), certificate_key_pem=str(unmapped.key))
        ).open()
    with pytest.raises(AuthenticationError):  # the scheme is off
        rig.pool(**_card(rig)).open()
    with pytest.raises(requests.exceptions.ConnectionError):  # signed by nobody whom the host knows
        strange.pool(
            **_card(rig, certificate_pem=str(foreign.certificate), certificate_key_pem=str(foreign.key))
        ).open()
    answer = requests.post(
        f"https://127.0.77.1:{strange.port[True]}/wsman",
        headers={"Authorization": "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"},
        verify=str(strange.authority.path),
        timeout=10,
    )
    assert answer.status_code == 401  # no certificate at all


@pytest.mark.parametrize(("ssl", "encryption"), [(True, "auto"), (True, "always"), (False, "auto")])
def test_credssp_brings_the_credentials_along(
    make_rig: Callable[..., Any], invoke: Callable[..., list[Any]], ssl: bool, encryption: str
) -> None:
    rig = make_rig(authentication=("CredSSP",))
    long = "x" * 40000  # more than one encrypted part
    with rig.pool(auth="credssp", ssl=ssl, encryption=encryption, user="LAB\\labadmin") as pool:
        assert invoke(pool, "Echo", Text=long) == [long]
        [owner] = [one.owner for one in rig.winrm.shells]
        assert (owner.account.name, owner.mechanism, owner.delegated) == ("LAB\\labadmin", "credssp/ntlm", True)


@pytest.mark.parametrize("change", [{"password": "wrong"}, {"user": "stranger"}], ids=str)
def test_credssp_with_wrong_credentials(make_rig: Callable[..., Any], change: dict[str, str]) -> None:
    rig = make_rig(authentication=("CredSSP",))
    with pytest.raises((AuthenticationException, NTStatusException, AuthenticationError)):
        rig.pool(auth="credssp", **change).open()
    assert len(rig.winrm.shells) == 0


def test_what_is_off_is_not_offered(make_rig: Callable[..., Any]) -> None:
    rig = make_rig(authentication=("Negotiate",))
    answer = requests.post(f"https://127.0.77.1:{rig.port[True]}/wsman", verify=str(rig.authority.path), timeout=10)
    assert answer.headers["WWW-Authenticate"] == "Negotiate"
    with pytest.raises(AuthenticationException, match="did not response CredSSP"):
        rig.pool(auth="credssp").open()
    with pytest.raises(AuthenticationError):
        rig.pool(auth="basic", user="here").open()


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
        username="here" if transport == "basic" else "labadmin",
        password=password,
        ca_trust_path=str(rig.authority.path),
        message_encryption="auto",
    )


def _run(protocol: Protocol, shell: str, command: str, *arguments: str) -> tuple[bytes, bytes, int]:
    command_id = protocol.run_command(shell, command, arguments)
    result: tuple[bytes, bytes, int] = protocol.get_command_output(shell, command_id)
    protocol.cleanup_command(shell, command_id)
    return result
