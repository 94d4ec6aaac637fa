# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may reach what in whose name: groups, and the delegation that a second hop needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ..config import SERVICES, DelegationConfig, UserConfig
from . import second_hop
from .second_hop import Hop

if TYPE_CHECKING:
    from .host import Host
    from .switches import Rules

HYPERV_GROUPS = frozenset({"administrators", "hyper-v administrators", "domain admins"})
FILE_GROUPS = frozenset({"administrators", "domain admins"})
FIRST_VERSION_WITH_CREDENTIAL_GUARD = 2025

Delegation: TypeAlias = "str | Mapping[str, DelegationConfig]"


class Caller(Protocol):
    """What the model has to know of who calls. ``user``: DOMAIN\\user, or HOST\\user for a host's own account."""

    @property
    def user(self) -> str: ...
    @property
    def groups(self) -> frozenset[str]: ...
    @property
    def mechanism(self) -> str: ...
    @property
    def delegated(self) -> bool: ...
    @property
    def network(self) -> str | None: ...


def may_manage(caller: Caller) -> bool:
    """Whether the virtualization service listens to this caller."""
    return _in(caller.groups, HYPERV_GROUPS)


def may_write(caller: Caller) -> bool:
    """Whether the caller may change files outside of his own profile."""
    return _in(caller.groups, FILE_GROUPS)


def _in(groups: frozenset[str], wanted: frozenset[str]) -> bool:
    return any(group.lower() in wanted for group in groups)


class Directory:
    """What computers may do in the names of users, and what is known of users beside their passwords."""

    def __init__(self, delegation: Delegation, users: Mapping[str, UserConfig] | None = None) -> None:
        self._delegation = delegation
        self._users = users or {}

    def set(self, delegation: Delegation) -> None:
        self._delegation = delegation

    def user(self, name: str) -> UserConfig | None:
        return self._users.get(name.rpartition("\\")[2].lower())

    def may_manage_at(self, caller: Caller, host: str, rules: Rules) -> bool:
        """The same for another host than the one that the caller is at."""
        user = self.user(caller.network or caller.user)
        if user is None:
            return may_manage(caller) if caller.network is None else not rules.computer_account_needs_group
        return _in(user.groups_at(host), HYPERV_GROUPS)

    def grant(self, source: str, target: str, user: str) -> str:
        """What the source's computer account may do at the target for this user, in the words of ``second_hop``."""
        if isinstance(self._delegation, str):
            found = second_hop.ANY_PROTOCOL if self._delegation == "any" else second_hop.NO_GRANT
        else:
            found = self._granted(source, target)
        known = self.user(user)
        if found != second_hop.NO_GRANT and known is not None and known.sensitive:
            return second_hop.SENSITIVE
        return found

    def _granted(self, source: str, target: str) -> str:
        assert not isinstance(self._delegation, str)
        none = DelegationConfig()
        own, other = self._delegation.get(source, none), self._delegation.get(target, none)
        constrained = _constrained(own.to.get(target, frozenset()), own.protocol)
        if constrained != second_hop.ANY_PROTOCOL and source in other.accepts:
            return second_hop.RESOURCE_BASED
        return constrained


def _constrained(services: frozenset[str], protocol: str) -> str:
    if not services:
        return second_hop.NO_GRANT
    if protocol == "kerberos":
        return second_hop.KERBEROS_ONLY
    if services == frozenset(SERVICES):
        return second_hop.ANY_PROTOCOL
    return second_hop.WITHOUT_CIFS if "migration" in services else second_hop.WITHOUT_MIGRATION


def caller_kind(caller: Caller, domain: str) -> str:
    """What of the caller there is at the source to go on with."""
    if caller.mechanism == second_hop.VIRTUAL:
        return second_hop.VIRTUAL
    if "\\" in caller.user and caller.user.partition("\\")[0].lower() != domain.lower():
        return second_hop.LOCAL
    if caller.mechanism.startswith("credssp") and caller.delegated:
        return second_hop.CREDSSP
    if "kerberos" in caller.mechanism:
        return second_hop.FORWARDED if caller.delegated else second_hop.KERBEROS
    return second_hop.NTLM


def refusal(source: Host, target: Host, caller: Caller, *, with_storage: bool = True) -> int | None:
    """The code with which a migration between two hosts is refused for want of credentials; None where it may go on."""
    directory = source.fabric.directory
    hop = Hop(
        caller_kind(caller, source.fabric.netbios),
        directory.grant(source.name, target.name, caller.user),
        source.settings.authentication,
        target.settings.authentication,
        storage=with_storage,
        guarded=source.version >= FIRST_VERSION_WITH_CREDENTIAL_GUARD and source.config.domain_member,
        domains=source.config.domain_member and target.config.domain_member,
    )
    return second_hop.decide(hop, source.rules)
