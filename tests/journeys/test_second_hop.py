# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main journey through the table of the second hop: who signs in how, what the directory has, the hosts' types.

Where the source cannot sign in at a target, that target fails with the code and the remedy, and no other one; where it
can, the copy arrives. One run has a target for each thing that the directory can have between two hosts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hyperv_lab import kdc
from hyperv_lab.client import Lab

from tests.integration.distribution.site import SOURCE, TEMPLATE, Site, Values, config, vm

pytestmark = [pytest.mark.slow, pytest.mark.skipif(kdc.missing() is not None, reason=str(kdc.missing()))]
OK, NO, ACCESS, MIXED = None, "NO_DELEGATION", "ACCESS_DENIED", "MIGRATION_AUTHENTICATION_DIFFERS"
CODES = {NO: "0x8009030E", ACCESS: "0x80070005"}
BOTH = ["cifs", "migration"]
WAYS = ["Negotiate", "Kerberos", "CredSSP", "Certificate", "Basic"]
PASSWORD = "Lab-Passw0rd!"
USERS = [
    {"name": "labadmin", "password": PASSWORD},
    {"name": "vip", "password": PASSWORD, "sensitive": True},
    {"name": "here", "password": PASSWORD, "local": True},
    {"name": "card", "password": PASSWORD, "certificate": True},
]
# How somebody signs in: the user, and variables of an inventory.
CALLERS: dict[str, tuple[str, Values]] = {
    "basic": ("here", {"ansible_psrp_auth": "basic"}),
    "certificate": ("card", {"ansible_psrp_auth": "certificate"}),
    "ntlm": ("labadmin", {"ansible_psrp_auth": "ntlm"}),
    "kerberos": ("labadmin", {"ansible_psrp_auth": "kerberos"}),
    "forwarded": ("labadmin", {"ansible_psrp_auth": "kerberos", "ansible_psrp_negotiate_delegate": True}),
    "credssp": ("labadmin", {"ansible_psrp_auth": "credssp"}),
    "sensitive": ("vip", {"ansible_psrp_auth": "kerberos", "ansible_psrp_negotiate_delegate": True}),
}
OF_THE_DOMAIN = ("ntlm", "kerberos", "forwarded", "credssp")
# A target for each thing that the directory can have, with the source trusted for any protocol.
DIRECTORY = {
    SOURCE: {"to": {"hv03": BOTH, "hv04": ["migration"], "hv05": ["cifs"]}},
    "hv06": {"from": [SOURCE]},
}
GRANTED = {"hv02": NO, "hv03": OK, "hv04": ACCESS, "hv05": NO, "hv06": OK, "hv07": MIXED}
KERBEROS_ONLY = {SOURCE: {"to": {"hv02": BOTH, "hv03": BOTH}, "protocol": "kerberos"}, "hv03": {"from": [SOURCE]}}


@contextmanager
def site_for(
    caller: str, folder: Path, monkeypatch: pytest.MonkeyPatch, targets: int, delegation: Any, **defaults: Any
) -> Iterator[Site]:
    small = vm(disks=[{"size": "1GiB", "payload": "1MiB"}])
    content = config(targets, [small], network_rate="64MiB", winrm={"authentication": WAYS}, **defaults)
    content |= {"kerberos": True, "users": USERS, "delegation": delegation, "rules": {"disks_stay_locked": 0}}
    if targets > 5:
        content["hosts"]["hv07"]["migration"] = {"authentication": "CredSSP"}
    with Lab.start(content, data=folder / "lab") as lab:
        assert lab.kerberos is not None
        monkeypatch.setenv("KRB5_CONFIG", lab.kerberos["config"])
        (folder / "controller").mkdir()
        site = Site(lab=lab, folder=folder / "controller")
        site.write_inventory(inventory(lab, caller))
        yield site
        assert lab.bugs() == []


def inventory(lab: Lab, caller: str) -> Values:
    user, variables = CALLERS[caller]
    found = lab.inventory(user=user, **variables)
    for name, host in found["hyperv"]["hosts"].items():
        host["ansible_psrp_negotiate_hostname_override"] = lab.hosts[name]["dns"]
    if caller == "certificate":
        card = lab.clients[user]
        shared = found["hyperv"]["vars"]
        shared |= {"ansible_psrp_certificate_pem": card["certificate"], "ansible_psrp_certificate_key_pem": card["key"]}
        del shared["ansible_user"], shared["ansible_password"]
    return found


def check(site: Site, expected: Mapping[str, str | None]) -> None:
    """Distribute to those targets, and look how each has fared."""
    played = site.distribute(distribute_targets=list(expected))
    told = site.status()["providers"]
    found = {host: (told[host]["error"] or {}).get("code") for host in told if host != SOURCE}
    assert found == expected, played.output
    assert played.code == (2 if any(expected.values()) else 0), played.output
    for host, code in expected.items():
        assert site.names(host) == ([] if code else [TEMPLATE])
        if code in CODES:
            error = told[host]["error"]
            assert CODES[code] in error["message"]
            for part in ("cifs", "Microsoft Virtual System Migration Service", "Use any authentication protocol"):
                assert part in error["remedy"]
    assert site.names(SOURCE) == [TEMPLATE]


@pytest.mark.parametrize("caller", CALLERS)
def test_hosts_of_the_type_kerberos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caller: str) -> None:
    expected = GRANTED
    if caller not in OF_THE_DOMAIN:  # local accounts, and those that must not be delegated
        expected = {host: code if code == MIXED else NO for host, code in GRANTED.items()}
    with site_for(caller, tmp_path, monkeypatch, 6, DIRECTORY) as site:
        check(site, expected)


@pytest.mark.parametrize("caller", ["basic", "ntlm", "forwarded", "credssp"])
def test_kerberos_only_is_not_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caller: str) -> None:
    """Since 2016 the source cannot use the caller's ticket; what is set at the target helps all the same."""
    with site_for(caller, tmp_path, monkeypatch, 2, KERBEROS_ONLY) as site:
        check(site, {"hv02": NO, "hv03": OK if caller in OF_THE_DOMAIN else NO})


@pytest.mark.parametrize("caller", CALLERS)
def test_hosts_of_the_type_credssp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caller: str) -> None:
    """Delegation is of no use there: the session itself brings the credentials, or it does not."""
    with site_for(caller, tmp_path, monkeypatch, 1, "any", migration={"authentication": "CredSSP"}) as site:
        check(site, {"hv02": OK if caller == "credssp" else NO})


def test_credential_guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migration = {"authentication": "CredSSP"}
    with site_for("credssp", tmp_path, monkeypatch, 1, "any", migration=migration, version=2025) as site:
        check(site, {"hv02": NO})


def test_a_host_that_speaks_german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with site_for("ntlm", tmp_path, monkeypatch, 2, {SOURCE: ["hv03"]}, language="de-DE") as site:
        check(site, {"hv02": NO, "hv03": OK})
        assert "Anmeldeinformationen" in site.status()["providers"]["hv02"]["error"]["message"]
