# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reaching a host: who is let in, who is not, and how soon that is known."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    AuthenticationFailed,
    HostUnreachable,
    HyperVError,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._session import Session, command
from hyperv_lab.certificates import Authority

from .conftest import GUEST, HOST, PASSWORD, Place

WAYS: list[dict[str, t.Any]] = [
    {"auth": "basic"},
    {"auth": "ntlm"},
    {"auth": "negotiate"},
    {"auth": "negotiate", "message_encryption": "always"},
    {"auth": "ntlm", "protocol": "http"},
    {"auth": "negotiate", "protocol": "http"},
    {"auth": "basic", "cert_validation": "ignore", "ca_cert": None},
]


def names(session: Session) -> set[str]:
    return {vm["Name"] for vm in session.run(command("Get-VM"))}


def refusal(session: Session, timeout: float = 20) -> HyperVError:
    with session, pytest.raises(HyperVError) as caught:
        session.run(command("Get-VM"), timeout=timeout)
    return caught.value


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_way_in(place: Place, way: dict[str, t.Any]) -> None:
    with place.session(**way) as session:
        assert names(session) == {"one", "two"}
        assert names(session) == {"one", "two"}
    assert session.warnings == []
    assert place.lab.state(HOST)["shells"] == []


@pytest.mark.parametrize("variables", ["psrp", "winrm"])
def test_the_variables_of_an_inventory(place: Place, variables: str) -> None:
    group = place.lab.inventory(variables)["hyperv"]
    host, shared = group["hosts"][HOST], group["vars"]
    options: dict[str, t.Any] = {
        "remote_addr": host["ansible_host"],
        "port": host["ansible_port"],
        "remote_user": shared["ansible_user"],
        "remote_password": shared["ansible_password"],
    }
    if variables == "psrp":
        options.update({name.removeprefix("ansible_psrp_"): shared[name] for name in shared if "_psrp_" in name})
        found = ConnectionOptions.from_psrp_options(options)
    else:
        options.update({"scheme": shared.pop("ansible_winrm_scheme"), "transport": ["ntlm"]})
        options["_extras"] = {name: shared[name] for name in shared if "_winrm_" in name}
        found = ConnectionOptions.from_winrm_options(options)
    with Session(found, label=HOST) as session:
        assert names(session) == {"one", "two"}


@pytest.mark.parametrize("way", WAYS[:6], ids=str)
@pytest.mark.parametrize("wrong", [{"password": "N0t-the-passw0rd"}, {"username": "nobody"}], ids=str)
def test_wrong_credentials(place: Place, way: dict[str, t.Any], wrong: dict[str, str]) -> None:
    error = refusal(place.session(**way, **wrong))
    assert isinstance(error, AuthenticationFailed)
    assert error.code == "BAD_CREDENTIALS"
    for secret in (PASSWORD, "N0t-the-passw0rd"):
        assert secret not in str(error.to_dict()) + repr(error) + repr(error.__cause__)
    assert place.lab.calls(HOST) == []


def test_a_certificate_that_nobody_trusts(place: Place, tmp_path: Path) -> None:
    Authority(tmp_path / "own", tmp_path / "other.pem")
    for ca in (None, str(tmp_path / "other.pem")):
        error = refusal(place.session(ca_cert=ca))
        assert isinstance(error, HostUnreachable)
        assert (error.code, error.transient) == ("CERTIFICATE_NOT_TRUSTED", False)


def test_a_certificate_made_out_to_another_name(place: Place) -> None:
    first, second, third, fourth = map(int, place.where["address"].split("."))
    other_spelling = f"{first}.{second}.{third * 256 + fourth}"
    error = refusal(place.session(server=other_spelling))
    assert error.code == "CERTIFICATE_WRONG_NAME"


def test_trust_in_one_session_is_not_trust_in_the_next(place: Place) -> None:
    """Contexts are shared within the process; what they verify must not be."""
    for _time in range(2):
        with place.session(cert_validation="ignore", ca_cert=None) as session:
            assert names(session)
        with place.session() as session:
            assert names(session)
        assert refusal(place.session(ca_cert=None)).code == "CERTIFICATE_NOT_TRUSTED"


def test_the_wrong_port(place: Place) -> None:
    assert refusal(place.session(port=place.where["http"])).code in ("TLS_FAILED", "CONNECTION_BROKEN")
    assert isinstance(refusal(place.session(protocol="http", port=place.where["https"])), HostUnreachable)


def test_a_host_that_is_down(place: Place) -> None:
    place.lab.down(HOST)
    try:
        error = refusal(place.session())
    finally:
        place.lab.up(HOST)
    assert isinstance(error, HostUnreachable)
    assert error.transient
    with place.session() as session:
        assert names(session)


def test_connections_refused(place: Place) -> None:
    place.fault("refuse")
    assert refusal(place.session()).code == "CONNECTION_REFUSED"


@pytest.mark.parametrize("protocol", ["https", "http"])
def test_a_host_that_takes_everything_and_says_nothing(place: Place, protocol: str) -> None:
    place.fault("hang", count=50)
    began = time.monotonic()
    error = refusal(place.session(protocol=protocol), timeout=3)
    assert error.code == "NO_ANSWER"
    assert time.monotonic() - began < 8


def test_a_proxy_of_the_environment(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert refusal(place.session(ignore_proxy=False)).code == "PROXY_FAILED"
    with place.session() as session:
        assert names(session)


def test_an_endpoint_that_is_not_there(place: Place) -> None:
    error = refusal(place.session(configuration_name="No.Such.Endpoint"))
    assert (error.code, error.transient) == ("NO_SUCH_ENDPOINT", False)


def test_http_errors(place: Place) -> None:
    place.fault("http_status", status=503)
    error = refusal(place.session())
    assert (error.code, error.transient) == ("HTTP_ERROR", True)


def test_a_user_without_rights(place: Place) -> None:
    error = refusal(place.session(username=GUEST))
    assert isinstance(error, AuthenticationFailed)
    assert (error.code, error.transient) == ("ACCESS_DENIED", False)
