# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may reach what in whose name: groups, and the delegation that a second hop needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from .failures import E_NO_CREDENTIALS, E_UNKNOWN_CREDENTIALS

if TYPE_CHECKING:
    from .host import Host

HYPERV_GROUPS = frozenset({"administrators", "hyper-v administrators", "domain admins"})
FIRST_VERSION_WITH_CREDENTIAL_GUARD = 2025


class Caller(Protocol):
    """What the model has to know of who calls."""

    @property
    def user(self) -> str: ...
    @property
    def groups(self) -> frozenset[str]: ...
    @property
    def mechanism(self) -> str: ...
    @property
    def delegated(self) -> bool: ...


def may_manage(caller: Caller) -> bool:
    """Whether the virtualization service listens to this caller."""
    return any(group.lower() in HYPERV_GROUPS for group in caller.groups)


class Directory:
    """Which host's computer account may act on behalf of others at which hosts (any authentication protocol)."""

    def __init__(self, delegation: str | Mapping[str, tuple[str, ...]]) -> None:
        self._delegation = delegation

    def set(self, delegation: str | Mapping[str, tuple[str, ...]]) -> None:
        self._delegation = delegation

    def delegates(self, source: str, target: str) -> bool:
        if isinstance(self._delegation, str):
            return self._delegation == "any"
        targets = self._delegation.get(source, ())
        return target in targets


def refusal(source: Host, target: Host, caller: Caller, directory: Directory) -> int | None:
    """The code with which a migration between two hosts is refused for want of credentials; None where it may go on."""
    if source.settings.authentication != target.settings.authentication:
        return E_UNKNOWN_CREDENTIALS
    if source.settings.authentication == "Kerberos":
        return _by_kerberos(source, target, caller, directory)
    return _by_credssp(source, caller)


def _by_kerberos(source: Host, target: Host, caller: Caller, directory: Directory) -> int | None:
    if not (source.config.domain_member and target.config.domain_member):
        return E_NO_CREDENTIALS
    if directory.delegates(source.name, target.name):
        return None
    if source.rules.delegated_kerberos_is_enough and caller.delegated and "kerberos" in caller.mechanism:
        return None
    return E_NO_CREDENTIALS


def _by_credssp(source: Host, caller: Caller) -> int | None:
    """The session itself must have brought credentials; Credential Guard lets nobody take them along."""
    guarded = source.version >= FIRST_VERSION_WITH_CREDENTIAL_GUARD and source.config.domain_member
    if guarded or not (caller.delegated and caller.mechanism.startswith("credssp")):
        return E_NO_CREDENTIALS
    return None
