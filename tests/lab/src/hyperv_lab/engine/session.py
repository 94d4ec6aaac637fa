# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one shell keeps: who called, which commands are visible, and variables from pipeline to pipeline."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .offers import ALL_OF_IT, DEFAULT_ALIASES, Offer, default_offers


@dataclass(frozen=True)
class Caller:
    """Who acts in a shell, and how that came about.

    ``delegated``: the credentials came along. ``network``: the account that other computers see, where it is another.
    """

    user: str
    groups: frozenset[str] = frozenset()
    mechanism: str = "basic"
    delegated: bool = False
    network: str | None = None


@dataclass(frozen=True)
class SessionConfiguration:
    """What a session may do. ``offers`` is None where everything is visible; its keys are names in lower case.

    ``no_language``: no script text. ``providers``: whether the drives of the file system are there.
    ``proxies_win``: a function that stands in for a command hides it from who calls it by its bare name.
    """

    name: str = "Microsoft.PowerShell"
    no_language: bool = False
    offers: Mapping[str, Offer] | None = None
    providers: bool = True
    proxies_win: bool = True

    def shows(self, command: str) -> bool:
        """Whether Get-Command tells of it."""
        return self.offers is None or command.lower() in self.offers or command.lower() in default_offers()

    def offer(self, spelling: str, command: str) -> Offer | None:
        """What of a command can be used under this spelling (bare or Module\\Name); None where it is not visible."""
        if self.offers is None:
            return ALL_OF_IT
        own, proxy = self.offers.get(command.lower()), default_offers().get(command.lower())
        if "\\" in spelling:  # a stand-in is a function of no module
            return own if own is not None and own.limits is None else None
        if spelling.lower() not in DEFAULT_ALIASES | {command.lower()}:
            return None
        return proxy if proxy is not None and (own is None or self.proxies_win) else own

    @classmethod
    def restricted(cls, name: str, visible: Iterable[str], **more: Any) -> SessionConfiguration:
        """As a session of the type RestrictedRemoteServer; ``visible`` comes on top of its eight commands."""
        offers = {command.lower(): ALL_OF_IT for command in visible}
        return cls(name, no_language=True, offers=offers, **{"providers": False, **more})


@dataclass
class Session:
    host: Any
    caller: Caller
    configuration_name: str = "Microsoft.PowerShell"
    shell_id: str = field(default_factory=lambda: str(uuid.uuid4()).upper())
    configuration: SessionConfiguration = field(default_factory=SessionConfiguration)
    variables: dict[str, Any] = field(default_factory=dict)

    def variable(self, name: str, default: Any = None) -> Any:
        return self.variables.get(name.lower(), default)

    def set_variable(self, name: str, value: Any) -> None:
        self.variables[name.lower()] = value
