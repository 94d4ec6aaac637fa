# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos, CredSSP and client certificates: who is let in, and which name a refusal has."""

from __future__ import annotations

import shutil
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import AuthenticationFailed, HyperVError
from ansible_collections.fanout.hyperv.plugins.module_utils._session import Session, command
from hyperv_lab import kdc
from hyperv_lab.client import Lab

from tests.lab.tests.transport import tickets

PASSWORD = "Lab-Passw0rd!"
ALL = ["Negotiate", "Kerberos", "CredSSP", "Certificate", "Basic"]
USERS = [
    {"name": "labadmin", "password": PASSWORD},
    {"name": "vip", "password": PASSWORD, "sensitive": True},
    {"name": "operator", "password": PASSWORD, "groups": ["Hyper-V Administrators"]},
    {"name": "card", "password": PASSWORD, "certificate": True},
]
WITHOUT_KERBEROS = kdc.missing()
KERBEROS = pytest.mark.skipif(WITHOUT_KERBEROS is not None, reason=str(WITHOUT_KERBEROS))
TICKETS: dict[str, t.Any] = {"auth": "kerberos", "username": None, "password": None}
CERTIFICATE: dict[str, t.Any] = {"auth": "certificate", "username": None, "password": None}


def _host(number: int, *ways: str, **winrm: t.Any) -> dict[str, t.Any]:
    return {
        "address": f"127.0.43.{number}",
        "http_port": 0,
        "https_port": 0,
        "vms": [{"name": "one", "disks": [{"size": "1MiB"}]}],
        "winrm": {"authentication": list(ways), **winrm},
    }


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    hosts = {"hv01": _host(1, *ALL), "hv02": _host(2, "Basic"), "hv03": _host(3, "Negotiate", cbt_hardening="strict")}
    hosts["hv04"] = _host(4, "Negotiate")
    with Lab.start({"kerberos": WITHOUT_KERBEROS is None, "users": USERS, "hosts": hosts}) as running:
        yield running
        assert running.bugs() == []


@pytest.fixture(autouse=True)
def realm(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'tickets'}")
    if lab.kerberos is not None:
        monkeypatch.setenv("KRB5_CONFIG", lab.kerberos["config"])


def session(lab: Lab, host: str = "hv01", **changes: t.Any) -> Session:
    where, card = lab.hosts[host], lab.clients["card"]
    protocol = changes.get("protocol", "https")
    given: dict[str, t.Any] = {
        "server": where["address"],
        "port": where[protocol],
        "protocol": protocol,
        "username": "labadmin",
        "password": PASSWORD,
        "ca_cert": str(lab.ca),
        "ignore_proxy": True,
        "negotiate_hostname_override": where["dns"],
        "certificate_pem": card["certificate"],
        "certificate_key_pem": card["key"],
        **changes,
    }
    return Session(ConnectionOptions.from_params(given), label=host)


def refusal(opened: Session) -> HyperVError:
    with opened, pytest.raises(HyperVError) as caught:
        opened.run(command("Get-VM"), timeout=20)
    error = caught.value
    assert PASSWORD not in str(error.to_dict()) + repr(error) + repr(error.__cause__)
    return error


@pytest.mark.parametrize(
    ("way", "mechanism", "delegated"),
    [
        pytest.param({"auth": "kerberos"}, "negotiate/kerberos", False, marks=KERBEROS),
        pytest.param({"auth": "kerberos", "protocol": "http"}, "negotiate/kerberos", False, marks=KERBEROS),
        pytest.param({"auth": "negotiate", "protocol": "http"}, "negotiate/kerberos", False, marks=KERBEROS),
        pytest.param({"auth": "kerberos", "negotiate_delegate": True}, "negotiate/kerberos", True, marks=KERBEROS),
        ({"auth": "ntlm"}, "negotiate/ntlm", False),
        ({"auth": "credssp"}, "credssp/ntlm", True),
        ({"auth": "credssp", "protocol": "http"}, "credssp/ntlm", True),
        ({"auth": "credssp", "message_encryption": "always"}, "credssp/ntlm", True),
        (CERTIFICATE, "certificate", False),
    ],
    ids=str,
)
def test_every_way_in(lab: Lab, way: dict[str, t.Any], mechanism: str, delegated: bool) -> None:
    with session(lab, **way) as opened:
        assert [vm["Name"] for vm in opened.run(command("Get-VM"))] == ["one"]
        [shell] = lab.state("hv01")["shells"]
        assert (shell["mechanism"], shell["delegated"]) == (mechanism, delegated)
        assert opened.warnings == []


@KERBEROS
def test_delegation_that_is_not_granted_is_said(lab: Lab) -> None:
    with session(lab, auth="kerberos", username="vip", negotiate_delegate=True) as opened:
        assert opened.run(command("Get-VM"))
        assert "not forwardable" in " ".join(opened.warnings)


@pytest.mark.parametrize(
    ("host", "way", "code"),
    [
        pytest.param("hv01", {"auth": "kerberos", "password": "wrong"}, "BAD_CREDENTIALS", marks=KERBEROS),
        pytest.param("hv01", {"auth": "kerberos", "username": "stranger"}, "BAD_CREDENTIALS", marks=KERBEROS),
        pytest.param("hv01", {"auth": "kerberos", "username": "labadmin@OTHER.TEST"}, "NO_REALM", marks=KERBEROS),
        pytest.param(
            "hv01", {"auth": "kerberos", "negotiate_hostname_override": None}, "UNKNOWN_SERVICE", marks=KERBEROS
        ),
        pytest.param("hv01", {"auth": "kerberos", "negotiate_service": "TERMSRV"}, "UNKNOWN_SERVICE", marks=KERBEROS),
        pytest.param(
            "hv01",
            {"auth": "kerberos", "negotiate_hostname_override": "hv02.lab.test"},
            "TICKET_REFUSED",
            marks=KERBEROS,
        ),
        pytest.param("hv01", TICKETS, "NO_TICKET", marks=KERBEROS),
        pytest.param("hv02", {"auth": "kerberos"}, "AUTH_NOT_OFFERED", marks=KERBEROS),
        pytest.param("hv03", {"auth": "kerberos", "negotiate_send_cbt": False}, "TICKET_REFUSED", marks=KERBEROS),
        ("hv03", {"auth": "ntlm", "negotiate_send_cbt": False}, "BAD_CREDENTIALS"),
        ("hv02", {"auth": "ntlm"}, "AUTH_NOT_OFFERED"),
        ("hv02", {"auth": "credssp"}, "AUTH_NOT_OFFERED"),
        ("hv04", {"auth": "basic"}, "AUTH_NOT_OFFERED"),
        ("hv02", {"auth": "basic"}, "BAD_CREDENTIALS"),  # an account of the domain
        ("hv02", CERTIFICATE, "CERTIFICATE_REFUSED"),
        ("hv01", {"auth": "credssp", "password": "wrong"}, "BAD_CREDENTIALS"),
        ("hv01", {"auth": "credssp", "username": "stranger"}, "BAD_CREDENTIALS"),
        ("hv01", {"auth": "ntlm", "username": "operator"}, "ACCESS_DENIED"),
        ("hv01", {"auth": "credssp", "username": "operator", "message_encryption": "always"}, "ACCESS_DENIED"),
        # requests_credssp drops what a host answers to the last step of signing in, unless that is sent by itself
        ("hv01", {"auth": "credssp", "username": "operator"}, "BAD_CREDENTIALS"),
    ],
    ids=str,
)
def test_refusals_have_names(lab: Lab, host: str, way: dict[str, t.Any], code: str) -> None:
    error = refusal(session(lab, host, **way))
    assert isinstance(error, AuthenticationFailed)
    assert (error.code, error.transient) == (code, False)
    assert error.cause and error.remedy


@KERBEROS
def test_no_domain_controller(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lost = tmp_path / "krb5.conf"
    lost.write_text(
        Path(str(lab.kerberos and lab.kerberos["config"])).read_text().replace("kdc = 127.0.0.1", "kdc = 127.0.0.9")
    )
    monkeypatch.setenv("KRB5_CONFIG", str(lost))
    assert refusal(session(lab, auth="kerberos")).code == "NO_REALM"


@KERBEROS
def test_an_expired_ticket(lab: Lab) -> None:
    tickets.expired("labadmin", PASSWORD)
    assert refusal(session(lab, **TICKETS)).code == "TICKET_EXPIRED"


@KERBEROS
def test_a_clock_that_is_wrong(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a ticket for the host the domain says so; with one, the host refuses it and says nothing more."""
    late = tickets.sign_in("labadmin", PASSWORD)
    early = shutil.copyfile(late, tmp_path / "early")
    with session(lab, **TICKETS) as opened:
        assert opened.run(command("Get-VM"))
    for file, code in ((early, "CLOCK_SKEW"), (late, "TICKET_REFUSED")):
        tickets.shift_clock(file, 1000)
        monkeypatch.setenv("KRB5CCNAME", f"FILE:{file}")
        assert refusal(session(lab, **TICKETS)).code == code
