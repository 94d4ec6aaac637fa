# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as PowerShell tells them apart: terminating ones are raised, others are given to ``ctx.write_error``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .context import Context

E_FAIL = -2146233087  # 0x80131501, what most exceptions of PowerShell carry
VIRTUALIZATION = "Microsoft.HyperV.PowerShell.VirtualizationException"
BINDING = "System.Management.Automation.ParameterBindingException"


class PSError(Exception):
    """An error record in flight. ``error_id`` is the FullyQualifiedErrorId, ``category`` a name of ErrorCategory."""

    def __init__(
        self,
        message: str,
        error_id: str,
        category: str = "NotSpecified",
        exception_type: str = "System.Exception",
        target: Any = None,
        hresult: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_id = error_id
        self.category = category
        self.exception_type = exception_type
        self.target = target
        self.hresult = E_FAIL if hresult is None else hresult
        self.activity = ""
        self.stops_batch = False  # raised by -ErrorAction Stop: later statements do not run
        self.target_name: str | None = None  # when the category line names something else than the target
        self.target_type: str | None = None

    @property
    def reason(self) -> str:
        return self.exception_type.rpartition(".")[2]


class LabBug(Exception):
    """A fault of the lab or of its tests; it becomes error id LabBug and is never an answer of Windows."""


class NotSimulated(LabBug):
    """A command or behaviour that real hosts have and the lab does not; becomes error id NotSimulated."""


def hyperv_error(
    ctx: Context,
    message: str,
    error_id: str = "OperationFailed",
    category: str = "NotSpecified",
    target: Any = None,
) -> PSError:
    """What a cmdlet of the Hyper-V module reports: the cmdlet's class completes the id."""
    return PSError(message, f"{error_id},{ctx.table.class_name}", category, VIRTUALIZATION, target)


def command_not_found(name: str) -> PSError:
    return PSError(
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. "
        "Check the spelling of the name, or if a path was included, verify that the path is correct and try again.",
        "CommandNotFoundException",
        "ObjectNotFound",
        "System.Management.Automation.CommandNotFoundException",
        target=name,
    )
