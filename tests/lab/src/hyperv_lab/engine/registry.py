# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which function or class answers which command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .context import Bound, Cmdlet, Context
from .errors import LabBug
from .tables import resolve

__all__ = ["Bound", "Cmdlet", "Context", "cmdlet", "implementation"]

T = TypeVar("T", bound=Callable[..., Any])
_implementations: dict[str, Any] = {}


def cmdlet(*names: str) -> Callable[[T], T]:
    """Register a function ``(ctx, args) -> async iterator``, called per pipeline record, or a Cmdlet class."""

    def register(target: T) -> T:
        for name in names:
            if resolve(name) != name:
                raise LabBug(f"{name} is no command of the tables")
            if name in _implementations and _implementations[name].__module__ != target.__module__:
                raise LabBug(f"{name} is implemented twice")
            _implementations[name] = target
        return target

    return register


def implementation(name: str) -> Any:
    """The function or class of a command by its exact name, or None."""
    return _implementations.get(name)
