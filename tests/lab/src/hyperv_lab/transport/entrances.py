# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's PowerShell endpoints: who may open a session with which of them, and who acts in it then."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..config import HostConfig
from ..engine.session import Caller, SessionConfiguration
from . import wsman_faults as faults
from .auth import Principal

DEFAULT = "Microsoft.PowerShell"
BUILTIN = frozenset({"administrators", "hyper-v administrators", "remote management users", "users"})


@dataclass(frozen=True)
class Entry:
    """What a session is opened with."""

    caller: Caller
    configuration: SessionConfiguration


class Entrances:
    def __init__(self, host: Any, config: HostConfig) -> None:
        self._host = host
        self._computer = config.name
        self._endpoints = {endpoint.name.lower(): endpoint for endpoint in config.session_configurations}
        self._virtual_accounts = itertools.count(1)

    def knows(self, name: str) -> bool:
        return name.lower() == DEFAULT.lower() or name.lower() in self._endpoints

    def enter(self, principal: Principal, name: str) -> Entry:
        """The session's caller and configuration; a fault for who may not use this endpoint."""
        account = principal.account
        caller = Caller(account.name, account.groups, principal.mechanism, principal.delegated)
        endpoint = self._endpoints.get(name.lower())
        if endpoint is None:
            if not account.may_use_winrm:
                raise faults.denied()
            return Entry(caller, SessionConfiguration())
        roles = endpoint.serves(self._names(principal))
        if not roles:
            raise faults.denied()
        hides = getattr(getattr(self._host, "rules", None), "stand_in_hides_cmdlet", True)
        number = next(self._virtual_accounts)
        return Entry(endpoint.acting(caller, number, self._computer), endpoint.configuration(roles, proxies_win=hides))

    def _names(self, principal: Principal) -> Iterator[str]:
        """The spellings of the caller and of the caller's groups in a session configuration's RoleDefinitions."""
        account = principal.account
        domain = account.name.partition("\\")[0]
        yield account.name
        for group in account.groups:
            yield from (group, f"{domain}\\{group}", f"{self._computer}\\{group}")
            if group.lower() in BUILTIN:
                yield f"BUILTIN\\{group}"
