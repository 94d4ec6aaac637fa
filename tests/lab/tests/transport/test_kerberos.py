# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unmodified clients sign in with Kerberos: a real KDC gives the tickets, a host takes only what is meant for it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hyperv_lab import kdc as lab_kdc
from hyperv_lab.client import Lab, LabError
from hyperv_lab.config import UserConfig
from hyperv_lab.kdc import Kdc, KerberosMissing
from hyperv_lab.transport.accounts import Directory
from pypsrp.exceptions import AuthenticationError
from requests_credssp.exceptions import AuthenticationException
from spnego.exceptions import SpnegoError

from . import tickets
from .conftest import PASSWORD, USERS

pytestmark = pytest.mark.skipif(lab_kdc.missing() is not None, reason=str(lab_kdc.missing()))
HOSTS = {"hv01": "hv01.lab.test", "hv02": "hv02.lab.test"}
PEOPLE = (*USERS, UserConfig("vip", PASSWORD, sensitive=True))
WAYS = [(True, "auto"), (True, "always"), (False, "auto")]


@pytest.fixture(scope="module")
def kdc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kdc]:
    folder = tmp_path_factory.mktemp("kdc")
    running = Kdc(folder / "own", folder / "krb5.conf", "lab.test", PEOPLE, HOSTS)
    asyncio.run(running.start())
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def realm(kdc: Kdc, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KRB5_CONFIG", str(kdc.clients))
    monkeypatch.setenv("KRB5RCACHENAME", "none:")
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'tickets'}")


@pytest.fixture
def member(make_rig: Callable[..., Any], kdc: Kdc) -> Any:
    return _member(make_rig, kdc)


def _member(make_rig: Callable[..., Any], kdc: Kdc, **winrm: Any) -> Any:
    rig = make_rig(keytab=kdc.keytab("hv01"), **winrm)
    rig.winrm._directory = rig.directory = Directory(PEOPLE, "lab.test", ["hv01"])
    for listener in (rig.winrm.http, rig.winrm.https):
        rig.do(listener.close)
    rig.winrm.http, rig.winrm.https = rig.winrm._listener(0, None), rig.winrm._listener(0, rig.identity)
    rig.call(rig.winrm.settle())
    return rig


def way(**more: Any) -> dict[str, Any]:
    """As a client that knows the host's name."""
    return {"auth": "kerberos", "negotiate_hostname_override": HOSTS["hv01"], "negotiate_service": "HTTP"} | more


def owner(rig: Any) -> tuple[str, str, bool]:
    [found] = [shell.owner for shell in rig.winrm.shells]
    return found.account.name, found.mechanism, found.delegated


@pytest.mark.parametrize(("ssl", "encryption"), WAYS)
@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
def test_a_pipeline(member: Any, invoke: Callable[..., list[Any]], auth: str, ssl: bool, encryption: str) -> None:
    long = "Grüße " * 20000
    with member.pool(**way(auth=auth, ssl=ssl, encryption=encryption)) as pool:
        assert invoke(pool, "Echo", Text=long) == [long]
        assert owner(member) == ("LAB\\labadmin", "negotiate/kerberos", False)


@pytest.mark.parametrize("ssl", [True, False])
def test_a_host_that_has_kerberos_and_nothing_else(
    make_rig: Callable[..., Any], kdc: Kdc, invoke: Callable[..., list[Any]], ssl: bool
) -> None:
    rig = _member(make_rig, kdc, authentication=("Kerberos",))
    with rig.pool(**way(ssl=ssl)) as pool:
        assert invoke(pool, "Echo", Text="x") == ["x"]
        assert owner(rig) == ("LAB\\labadmin", "kerberos", False)


@pytest.mark.parametrize("service", ["HTTP", "WSMAN", "host"])
def test_all_names_of_the_service(member: Any, service: str) -> None:
    with member.pool(**way(negotiate_service=service)):
        pass


def test_with_tickets_of_kinit(member: Any) -> None:
    tickets.sign_in("labadmin", PASSWORD)
    with member.pool(**way(user=None, password=None)):
        assert owner(member)[0] == "LAB\\labadmin"


def test_a_forwarded_ticket(member: Any) -> None:
    with member.pool(**way(negotiate_delegate=True)):
        assert owner(member) == ("LAB\\labadmin", "negotiate/kerberos", True)


def test_a_sensitive_account_is_not_forwarded(member: Any) -> None:
    with member.pool(**way(user="vip", negotiate_delegate=True)):
        assert owner(member) == ("LAB\\vip", "negotiate/kerberos", False)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name service that knows the host."""
    ask = socket.getaddrinfo
    known = {HOSTS["hv01"]: "127.0.77.1"}
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **named: ask(known.get(host, host), *more, **named))


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("mechanism", ["auto", "kerberos"])
def test_credssp_over_kerberos(make_rig: Callable[..., Any], kdc: Kdc, mechanism: str) -> None:
    rig = _member(make_rig, kdc, authentication=("CredSSP",))
    with rig.pool(auth="credssp", server=HOSTS["hv01"], credssp_auth_mechanism=mechanism):
        assert owner(rig) == ("LAB\\labadmin", "credssp/kerberos", True)


def test_credssp_has_no_other_name_for_the_host(make_rig: Callable[..., Any], kdc: Kdc) -> None:
    """requests_credssp asks for a ticket for what stands in the URL: over Kerberos that must not be an address."""
    rig = _member(make_rig, kdc, authentication=("CredSSP",))
    with pytest.raises(AuthenticationException, match="not found in Kerberos database"):
        rig.pool(auth="credssp", credssp_auth_mechanism="kerberos").open()
    with rig.pool(auth="credssp"):
        assert owner(rig) == ("LAB\\labadmin", "credssp/ntlm", True)


def test_a_wrong_password_is_said_by_the_kdc(member: Any) -> None:
    with pytest.raises(Exception, match="Preauthentication failed"):
        member.pool(**way(password="wrong")).open()
    assert len(member.winrm.shells) == 0


def test_a_service_that_nobody_knows(member: Any) -> None:
    with pytest.raises(SpnegoError, match="not found in Kerberos database"):
        member.pool(**way(negotiate_hostname_override=None)).open()


def test_negotiate_falls_back_to_ntlm(member: Any) -> None:
    with member.pool(**way(auth="negotiate", negotiate_hostname_override=None)):
        assert owner(member)[1] == "negotiate/ntlm"


def test_a_ticket_for_another_host(member: Any) -> None:
    with pytest.raises(AuthenticationError):
        member.pool(**way(negotiate_hostname_override=HOSTS["hv02"])).open()


def test_an_expired_ticket(member: Any) -> None:
    tickets.expired("labadmin", PASSWORD)
    with pytest.raises(SpnegoError, match="(?i)expired"):
        member.pool(**way(user=None, password=None)).open()


def test_a_clock_that_is_wrong(member: Any, tmp_path: Path) -> None:
    """The KDC refuses to give a ticket; a host refuses one that was given before."""
    late = tickets.sign_in("labadmin", PASSWORD)
    early = shutil.copyfile(late, tmp_path / "early")
    with member.pool(**way(user=None, password=None)):
        pass  # the ticket for the host is there now, too
    for file, error in ((early, SpnegoError), (late, AuthenticationError)):
        tickets.shift_clock(file, 1000)
        os.environ["KRB5CCNAME"] = f"FILE:{file}"
        with pytest.raises(error):
            member.pool(**way(user=None, password=None)).open()
    assert len(member.winrm.shells) == 0


@pytest.mark.parametrize(("sends", "let_in"), [(True, True), (False, False)])
def test_a_strict_host(make_rig: Callable[..., Any], kdc: Kdc, sends: bool, let_in: bool) -> None:
    rig = _member(make_rig, kdc, cbt_hardening="strict")
    if let_in:
        with rig.pool(**way(negotiate_send_cbt=sends)):
            pass
    else:
        with pytest.raises(AuthenticationError):
            rig.pool(**way(negotiate_send_cbt=sends)).open()


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lab_kdc, "PROGRAMS", ("krb5kdc-that-nobody-has",))
    with pytest.raises(KerberosMissing, match="requirements/debian.txt"):
        Kdc(tmp_path / "own", tmp_path / "krb5.conf", "lab.test", USERS, HOSTS)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_kdc_ends_with_the_lab(end: signal.Signals) -> None:
    content = {"kerberos": True, "hosts": {"hv01": {"address": "127.0.77.1", "http_port": 0, "https_port": 0}}}
    with Lab.start(content) as lab:
        assert lab.kerberos is not None
        place = re.search(r"kdc = (\S+):(\d+)", Path(lab.kerberos["config"]).read_text(encoding="utf-8"))
        assert place is not None
        address = (place[1], int(place[2]))
        socket.create_connection(address, timeout=5).close()
        os.kill(lab.pid, end)
        deadline = time.monotonic() + tickets.PATIENCE
        while listens(address):
            assert time.monotonic() < deadline, "the KDC goes on"
            time.sleep(0.05)


def listens(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(address) == 0


def test_a_lab_without_what_it_needs_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Debian's packages are not there: the lab ends with that one sentence."""
    (tmp_path / "sitecustomize.py").write_text("import hyperv_lab.kdc as kdc\nkdc.PROGRAMS = ('krb5kdc-of-nobody',)\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), os.environ["PYTHONPATH"])))
    content = {"kerberos": True, "hosts": {"hv01": {"address": "127.0.77.1", "http_port": 0, "https_port": 0}}}
    with pytest.raises(LabError, match="cannot start: Kerberos needs krb5kdc-of-nobody"):
        Lab.start(content)
