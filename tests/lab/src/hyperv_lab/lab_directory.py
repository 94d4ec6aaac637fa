# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory part of lab.yml: users with their groups, and the delegation of the hosts' computer accounts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .config import SERVICES, DelegationConfig, UserConfig
from .reading import ConfigError, Section, flag, list_of, one_of, text


def user(hosts: set[str]) -> Callable[[str, Any], UserConfig]:
    def convert(where: str, value: Any) -> UserConfig:
        section = Section(where, value)
        certificate = section.take("certificate", flag, False)
        one = UserConfig(
            name=section.need("name", text),
            password=section.need("password", _password),
            groups=section.take("groups", _groups, frozenset({"Administrators"})),
            groups_on=section.take("groups_on", _by_host(hosts, _groups), {}),
            local=section.take("local", flag, certificate),
            certificate=certificate,
            sensitive=section.take("sensitive", flag, False),
        )
        section.end()
        if re.search(r"[:\\@/\s]", one.name):
            raise ConfigError(f"{where}.name", f"{one.name!r}: a bare account name, without domain")
        if one.certificate and not one.local:
            raise ConfigError(f"{where}.local", "Windows maps client certificates to local accounts only")
        return one

    return convert


def delegation(hosts: set[str]) -> Callable[[str, Any], str | Mapping[str, DelegationConfig]]:
    """ "any", "none", or for each host either a list of targets or what its computer account has in the directory."""

    def account(where: str, value: Any) -> DelegationConfig:
        if not isinstance(value, Mapping):
            return DelegationConfig(_targets(hosts)(where, value))
        section = Section(where, value)
        found = DelegationConfig(
            to=section.take("to", _targets(hosts), {}),
            protocol=section.take("protocol", one_of("any", "kerberos"), "any"),
            accepts=section.take("from", list_of(one_of(*sorted(hosts))), ()),
            unconstrained=section.take("unconstrained", flag, False),
        )
        section.end()
        return found

    def convert(where: str, value: Any) -> str | Mapping[str, DelegationConfig]:
        if not isinstance(value, Mapping):
            return one_of("any", "none")(where, value)
        return _by_host(hosts, account)(where, value)

    return convert


def _targets(hosts: set[str]) -> Callable[[str, Any], Mapping[str, frozenset[str]]]:
    """Names, each with both services; or names with the services of each."""

    def convert(where: str, value: Any) -> Mapping[str, frozenset[str]]:
        if isinstance(value, Mapping):
            return _by_host(hosts, _services)(where, value)
        return {name: frozenset(SERVICES) for name in list_of(one_of(*sorted(hosts)))(where, value)}

    return convert


def _services(where: str, value: Any) -> frozenset[str]:
    return frozenset(list_of(one_of(*SERVICES))(where, value))


def _groups(where: str, value: Any) -> frozenset[str]:
    return frozenset(list_of(text)(where, value))


def _password(where: str, value: Any) -> str:
    password = text(where, value)
    if not password.isprintable():
        raise ConfigError(where, "has characters that nobody can type")
    return password


def _by_host(hosts: set[str], convert: Callable[[str, Any], Any]) -> Callable[[str, Any], dict[str, Any]]:
    def many(where: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ConfigError(where, f"expected names of hosts, not {value!r}")
        name = one_of(*sorted(hosts))
        return {name(where, host): convert(f"{where}.{host}", item) for host, item in value.items()}

    return many
