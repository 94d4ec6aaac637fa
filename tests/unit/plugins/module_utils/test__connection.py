# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach a host: from module options and from both connection plugins' options."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput

# What the plugins' get_options() return when the inventory names a host, a user and a password.
PSRP = {
    "remote_addr": "hv01",
    "remote_user": "admin",
    "remote_password": "hunter2",
    "port": None,
    "protocol": None,
    "path": "wsman",
    "auth": "negotiate",
    "cert_validation": "validate",
    "ca_cert": None,
    "connection_timeout": 30,
    "read_timeout": 30,
    "reconnection_retries": 0,
    "reconnection_backoff": 2,
    "message_encryption": "auto",
    "proxy": None,
    "ignore_proxy": False,
    "certificate_key_pem": None,
    "certificate_pem": None,
    "credssp_auth_mechanism": "auto",
    "credssp_disable_tlsv1_2": False,
    "credssp_minimum_version": 2,
    "negotiate_delegate": None,
    "negotiate_hostname_override": None,
    "negotiate_send_cbt": True,
    "negotiate_service": "WSMAN",
    "operation_timeout": 20,
    "max_envelope_size": 153600,
    "configuration_name": "Microsoft.PowerShell",
    "pipelining": False,
}
WINRM = {
    "remote_addr": "hv01",
    "remote_user": "admin",
    "remote_password": "hunter2",
    "port": 5986,
    "scheme": None,
    "path": "/wsman",
    "transport": None,
    "kerberos_command": "kinit",
    "kinit_args": None,
    "kinit_env_vars": [],
    "kerberos_mode": None,
    "connection_timeout": None,
    "_extras": {},
}


def values(options: ConnectionOptions, *names: str) -> tuple[t.Any, ...]:
    return tuple(getattr(options, name) for name in names)


def winrm(**changes: t.Any) -> ConnectionOptions:
    extras = {f"ansible_winrm_{name}": value for name, value in changes.items() if name not in WINRM}
    options = {name: value for name, value in changes.items() if name in WINRM}
    return ConnectionOptions.from_winrm_options({**WINRM, **options, "_extras": extras})


@pytest.mark.parametrize(
    ("given", "protocol", "port"),
    [
        ({}, "https", 5986),
        ({"protocol": "http"}, "http", 5985),
        ({"protocol": "https"}, "https", 5986),
        ({"port": 5985}, "http", 5985),
        ({"port": "5985"}, "http", 5985),
        ({"port": 8443}, "https", 8443),
        ({"port": 5985, "protocol": "https"}, "https", 5985),
        ({"port": 5986, "protocol": "http"}, "http", 5986),
    ],
)
def test_protocol_and_port_are_found_as_by_the_psrp_plugin(given: dict[str, t.Any], protocol: str, port: int) -> None:
    for options in (
        ConnectionOptions.from_params({"server": "hv01", **given}),
        ConnectionOptions.from_psrp_options({**PSRP, **given}),
    ):
        assert values(options, "protocol", "port") == (protocol, port)


def test_module_options_and_the_psrp_plugins_give_the_same() -> None:
    names = {"server": "remote_addr", "username": "remote_user", "password": "remote_password"}
    params = {name: PSRP.get(names.get(name, name)) for name in (*names, *PSRP)}
    assert ConnectionOptions.from_params(params) == ConnectionOptions.from_psrp_options(PSRP)


def test_every_option_of_the_psrp_plugin_arrives() -> None:
    given = {
        "port": "5999",
        "protocol": "HTTPS",
        "path": "other",
        "auth": "CredSSP",
        "cert_validation": "ignore",
        "ca_cert": "/ca.pem",
        "connection_timeout": "5",
        "read_timeout": 40,
        "reconnection_retries": 2,
        "reconnection_backoff": "0.5",
        "message_encryption": "always",
        "ignore_proxy": "yes",
        "certificate_key_pem": "/key.pem",
        "certificate_pem": "/cert.pem",
        "credssp_auth_mechanism": "ntlm",
        "credssp_disable_tlsv1_2": "true",
        "credssp_minimum_version": "5",
        "negotiate_delegate": True,
        "negotiate_hostname_override": "hv01.x",
        "negotiate_send_cbt": "no",
        "negotiate_service": "HTTP",
        "operation_timeout": 25,
        "max_envelope_size": 512000,
        "configuration_name": "JEA",
    }
    options = ConnectionOptions.from_psrp_options({**PSRP, **given})
    expected = {
        **given,
        "server": "hv01",
        "username": "admin",
        "password": "hunter2",
        "port": 5999,
        "protocol": "https",
        "auth": "credssp",
        "connection_timeout": 5,
        "reconnection_backoff": 0.5,
        "ignore_proxy": True,
        "credssp_disable_tlsv1_2": True,
        "credssp_minimum_version": 5,
        "negotiate_send_cbt": False,
        "proxy": None,
        "certificate_key_password": None,
    }
    shown = dataclasses.asdict(options)
    assert shown.pop("warnings") == ()
    assert shown == expected


def test_a_proxy_wins_over_ignoring_proxies() -> None:
    options = ConnectionOptions.from_psrp_options({**PSRP, "proxy": "http://p:1", "ignore_proxy": True})
    assert values(options, "proxy", "ignore_proxy") == ("http://p:1", False)


@pytest.mark.parametrize(
    ("given", "protocol", "port", "auth"),
    [
        ({}, "https", 5986, "basic"),
        ({"port": 5985}, "http", 5985, "basic"),
        ({"scheme": "http"}, "http", 5986, "basic"),
        ({"scheme": "https", "port": 5985}, "https", 5985, "basic"),
        ({"remote_user": "admin@LAB.TEST"}, "https", 5986, "kerberos"),
        ({"remote_user": "admin@LAB.TEST", "port": 5985}, "http", 5985, "kerberos"),
        ({"transport": ["ntlm"], "port": "5985"}, "http", 5985, "ntlm"),
        ({"transport": "credssp"}, "https", 5986, "credssp"),
        ({"transport": ["ssl"]}, "https", 5986, "basic"),
        ({"transport": ["plaintext"], "port": 5985}, "http", 5985, "basic"),
        ({"transport": ["certificate"]}, "https", 5986, "certificate"),
        ({"transport": ["kerberos", "ntlm"]}, "https", 5986, "negotiate"),
        ({"transport": ["ntlm", "kerberos"]}, "https", 5986, "ntlm"),
        ({"transport": [None]}, "https", 5986, "basic"),
    ],
)
def test_winrm_protocol_port_and_transport(given: dict[str, t.Any], protocol: str, port: int, auth: str) -> None:
    assert values(winrm(**given), "protocol", "port", "auth") == (protocol, port, auth)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"server_cert_validation": "ignore"}, {"cert_validation": "ignore"}),
        ({"ca_trust_path": "/ca.pem"}, {"ca_cert": "/ca.pem"}),
        ({"ca_trust_path": "legacy_requests"}, {"ca_cert": None}),
        ({"message_encryption": "always"}, {"message_encryption": "always"}),
        ({"cert_pem": "/c", "cert_key_pem": "/k"}, {"certificate_pem": "/c", "certificate_key_pem": "/k"}),
        ({"kerberos_delegation": "true"}, {"negotiate_delegate": True}),
        ({"kerberos_hostname_override": "hv01.x"}, {"negotiate_hostname_override": "hv01.x"}),
        ({"service": "HTTP"}, {"negotiate_service": "HTTP"}),
        ({"send_cbt": False}, {"negotiate_send_cbt": False}),
        ({"credssp_disable_tlsv1_2": True}, {"credssp_disable_tlsv1_2": True}),
        ({"operation_timeout_sec": "50", "read_timeout_sec": 70}, {"operation_timeout": 50, "read_timeout": 70}),
        ({"connection_timeout": 60}, {"operation_timeout": 60, "read_timeout": 70}),
        ({"proxy": "http://p:1"}, {"proxy": "http://p:1", "ignore_proxy": False}),
        ({"proxy": None}, {"proxy": None, "ignore_proxy": True}),
        ({"proxy": "legacy_requests"}, {"proxy": None, "ignore_proxy": False}),
        ({"path": "/other/wsman"}, {"path": "other/wsman"}),
        ({"transport": ["kerberos"], "kerberos_mode": "manual"}, {"password": None}),
        ({"transport": ["kerberos"], "kerberos_mode": "managed"}, {"password": "hunter2"}),
    ],
)
def test_winrm_options(given: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    options = winrm(**given)
    assert {name: getattr(options, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        (winrm(transport=["kerberos"], kerberos_delegation=True), 0),
        (winrm(transport=["ntlm"], kerberos_delegation=True), 1),
        (winrm(transport=["kerberos", "ntlm"], kerberos_delegation=True), 1),
        (winrm(transport=["ssl", "ntlm"]), 1),
        (winrm(realm="X"), 1),
        (ConnectionOptions.from_psrp_options({**PSRP, "auth": "basic", "negotiate_delegate": True}), 1),
        (ConnectionOptions.from_psrp_options({**PSRP, "auth": "credssp", "negotiate_delegate": True}), 0),
        (ConnectionOptions.from_psrp_options(PSRP), 0),
    ],
)
def test_what_cannot_be_carried_is_said(options: ConnectionOptions, warned: int) -> None:
    assert len(options.warnings) == warned


@pytest.mark.parametrize(
    ("given", "verify"),
    [({}, True), ({"ca_cert": "/ca.pem"}, "/ca.pem"), ({"ca_cert": "/ca.pem", "cert_validation": "ignore"}, False)],
)
def test_certificates_are_checked_unless_told_otherwise(given: dict[str, t.Any], verify: bool | str) -> None:
    assert ConnectionOptions.from_params({"server": "hv01", **given}).verify == verify


def test_its_repr_shows_no_secrets() -> None:
    options = ConnectionOptions("hv01", "admin", "hunter2", certificate_key_password="k3y", proxy="http://u:pr0xy@p:1")
    assert not any(secret in repr(options) for secret in ("hunter2", "k3y", "pr0xy"))
    assert "admin" in repr(options)
    assert set(options.secrets) == {"hunter2", "k3y"}


GOOD = {"server": "hv01", "username": "admin", "password": "hunter2"}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"server": "fe80::1"},
        {"auth": "basic"},
        {"auth": "kerberos", "username": None, "password": None},
        {"protocol": "http"},
        {"protocol": "http", "auth": "ntlm", "message_encryption": "always"},
        {"message_encryption": "never"},
        {"ca_cert": "/nowhere/ca.pem", "cert_validation": "ignore"},
    ],
)
def test_what_is_good(given: dict[str, t.Any]) -> None:
    options = ConnectionOptions.from_params({**GOOD, **given})
    assert options.validate() is options


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"server": "https://hv01"}, "INVALID_SERVER"),
        ({"server": "user@hv01"}, "INVALID_SERVER"),
        ({"server": " "}, "INVALID_SERVER"),
        ({"auth": "digest"}, "INVALID_OPTION"),
        ({"protocol": "ftp"}, "INVALID_OPTION"),
        ({"cert_validation": "maybe"}, "INVALID_OPTION"),
        ({"message_encryption": "sometimes"}, "INVALID_OPTION"),
        ({"port": 0}, "INVALID_OPTION"),
        ({"port": 65536}, "INVALID_OPTION"),
        ({"operation_timeout": 30}, "INVALID_OPTION"),
        ({"connection_timeout": 0}, "INVALID_OPTION"),
        ({"reconnection_retries": -1}, "INVALID_OPTION"),
        ({"auth": "basic", "protocol": "http"}, "INSECURE_CONNECTION"),
        ({"auth": "basic", "protocol": "http", "message_encryption": "never"}, "INSECURE_CONNECTION"),
        ({"auth": "ntlm", "protocol": "http", "message_encryption": "never"}, "INSECURE_CONNECTION"),
        ({"auth": "certificate", "protocol": "http"}, "INSECURE_CONNECTION"),
        ({"auth": "basic", "message_encryption": "always"}, "INVALID_OPTION"),
        ({"auth": "basic", "password": None}, "NO_CREDENTIALS"),
        ({"auth": "credssp", "username": None}, "NO_CREDENTIALS"),
        ({"auth": "ntlm", "password": None}, "NO_CREDENTIALS"),
        ({"auth": "certificate"}, "NO_CREDENTIALS"),
        ({"ca_cert": "/nowhere/ca.pem"}, "NO_SUCH_FILE"),
    ],
)
def test_what_is_refused(given: dict[str, t.Any], code: str) -> None:
    options = ConnectionOptions.from_params({**GOOD, **given})
    with pytest.raises(InvalidInput) as caught:
        options.validate()
    assert caught.value.code == code
    assert "hunter2" not in str(caught.value.to_dict())


@pytest.mark.parametrize(
    "given", [{"server": None}, {"port": "https"}, {"ignore_proxy": "perhaps"}, {"reconnection_backoff": "long"}]
)
def test_what_is_not_even_an_option(given: dict[str, t.Any]) -> None:
    with pytest.raises(InvalidInput):
        ConnectionOptions.from_params({**GOOD, **given})


def test_an_unknown_transport_is_refused() -> None:
    with pytest.raises(InvalidInput, match="telepathy"):
        winrm(transport=["telepathy"])


def test_files_may_be_named_from_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    options = ConnectionOptions.from_params({**GOOD, "ca_cert": "~/ca.pem"}).validate()
    assert options.verify == str(tmp_path / "ca.pem")
