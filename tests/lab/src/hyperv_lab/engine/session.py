# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one shell keeps: who called, which commands are visible, and variables from pipeline to pipeline."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Caller:
    """Who opened the shell and how; ``delegated`` says that the caller's credentials came along."""

    user: str
    groups: frozenset[str] = frozenset()
    mechanism: str = "basic"
    delegated: bool = False


@dataclass(frozen=True)
class SessionConfiguration:
    """An endpoint. ``visible`` is None where everything is; ``no_language`` as in JEA endpoints."""

    name: str = "Microsoft.PowerShell"
    no_language: bool = False
    visible: frozenset[str] | None = None
    providers: bool = True

    def shows(self, command: str) -> bool:
        return self.visible is None or command.lower() in self.visible

    @classmethod
    def restricted(cls, name: str, visible: Iterable[str]) -> SessionConfiguration:
        return cls(name, no_language=True, visible=frozenset(command.lower() for command in visible), providers=False)


@dataclass
class Session:
    host: Any
    caller: Caller
    configuration_name: str = "Microsoft.PowerShell"
    shell_id: str = field(default_factory=lambda: str(uuid.uuid4()).upper())
    configuration: SessionConfiguration = field(default_factory=SessionConfiguration)
    variables: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = getattr(self.host, "session_configurations", None) or {}
        self.configuration = known.get(self.configuration_name.lower(), self.configuration)

    def variable(self, name: str, default: Any = None) -> Any:
        return self.variables.get(name.lower(), default)

    def set_variable(self, name: str, value: Any) -> None:
        self.variables[name.lower()] = value
