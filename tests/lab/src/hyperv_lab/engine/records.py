# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes over the wire beside output: error, warning and progress records, in the shape of real hosts."""

from __future__ import annotations

from typing import Any

from psrpcore import types as ps
from psrpcore.types._complex import RemoteCommandInfo

from .errors import BINDING, VIRTUALIZATION, PSError
from .values import EnumValue, PSObj, text, type_of

AUTOMATION = "System.Management.Automation."
# What exceptions derive from, as far as clients can see it.
RUNTIME = (AUTOMATION + "RuntimeException", "System.SystemException")
BASES: dict[str, tuple[str, ...]] = {
    BINDING: RUNTIME,
    AUTOMATION + "ParameterBindingValidationException": (BINDING, *RUNTIME),
    AUTOMATION + "ParameterBindingArgumentTransformationException": (BINDING, *RUNTIME),
    AUTOMATION + "CommandNotFoundException": RUNTIME,
    AUTOMATION + "ItemNotFoundException": (AUTOMATION + "SessionStateException", *RUNTIME),
    AUTOMATION + "DriveNotFoundException": (AUTOMATION + "SessionStateException", *RUNTIME),
    AUTOMATION + "PSInvalidOperationException": ("System.InvalidOperationException", "System.SystemException"),
    AUTOMATION + "PSArgumentException": ("System.ArgumentException", "System.SystemException"),
    AUTOMATION + "ParseException": RUNTIME,
    AUTOMATION + "Host.HostException": RUNTIME,
    VIRTUALIZATION: (),
    "System.IO.FileNotFoundException": ("System.IO.IOException", "System.SystemException"),
    "System.IO.DirectoryNotFoundException": ("System.IO.IOException", "System.SystemException"),
    "System.IO.PathTooLongException": ("System.IO.IOException", "System.SystemException"),
}
LONGEST = 40


class CategoryInfo(ps.ErrorCategoryInfo):
    """Its text as PowerShell writes it, with long names shortened in the middle."""

    def __str__(self) -> str:
        target = f"{shorten(self.TargetName or '')}:{shorten(self.TargetType or '')}"
        return f"{self.Category.name}: ({target}) [{self.Activity or ''}], {self.Reason or ''}"


def shorten(name: str) -> str:
    if len(name) <= LONGEST:
        return name
    half = (LONGEST - 3) // 2
    return f"{name[:half]}...{name[-half:]}"


def _exception(error: PSError) -> Any:
    exception = ps.NETException(Message=error.message, HResult=error.hresult)
    bases = BASES.get(error.exception_type, ("System.SystemException",))
    names = [error.exception_type, *bases, "System.Exception", "System.Object"]
    exception.PSObject.type_names = list(dict.fromkeys(names))
    exception.PSObject.to_string = f"{error.exception_type}: {error.message}"
    return exception


def _target(value: Any) -> Any:
    """The target object, flat: text of what is not simple."""
    if value is None or isinstance(value, (str, bool)):
        return None if value is None else value if isinstance(value, bool) else str(value)
    if isinstance(value, int) and not isinstance(value, EnumValue):
        return int(value)
    return text(value)


def _target_type(error: PSError) -> str:
    if error.target_type is not None:
        return error.target_type
    return "" if error.target is None else type_of(error.target).rpartition(".")[2]


def invocation(command: str, position: int = 1, length: int = 1) -> Any:
    info = RemoteCommandInfo(ps.CommandTypes.Cmdlet, command, "", ps.SessionStateEntryVisibility.Public)
    return ps.InvocationInfo(
        MyCommand=info,
        BoundParameters={},
        UnboundArguments=[],
        CommandOrigin=ps.CommandOrigin.Runspace,
        ExpectingInput=False,
        InvocationName=command,
        Line="",
        OffsetInLine=0,
        HistoryId=1,
        PipelineLength=length,
        PipelinePosition=position,
        PositionMessage="",
        ScriptLineNumber=0,
        ScriptName="",
    )


def error_record(error: PSError, *, extended: bool) -> Any:
    """``extended``: as it goes to the error stream; without, as the reason of a failed pipeline."""
    name = error.target_name
    if name is None:
        name = "" if error.target is None else text(error.target)
    category = CategoryInfo(
        Category=ps.ErrorCategory[error.category],
        Activity=error.activity,
        Reason=error.reason,
        TargetName=name,
        TargetType=_target_type(error),
    )
    record = ps.ErrorRecord(
        Exception=_exception(error),
        CategoryInfo=category,
        TargetObject=_target(error.target),
        FullyQualifiedErrorId=error.error_id,
        InvocationInfo=invocation(error.activity) if error.activity else None,
        PipelineIterationInfo=[0, 1] if extended else None,
    )
    record.serialize_extended_info = extended and bool(error.activity)
    return record


MESSAGES = {
    "warning": (ps.WarningRecord, ps.PSRPMessageType.WarningRecord),
    "verbose": (ps.VerboseRecord, ps.PSRPMessageType.VerboseRecord),
    "debug": (ps.DebugRecord, ps.PSRPMessageType.DebugRecord),
}


def message_record(kind: str, message: str) -> tuple[Any, Any]:
    """A record of the warning, verbose or debug stream, and its message type."""
    record_class, message_type = MESSAGES[kind]
    record = record_class(Message=message, InvocationInfo=None, PipelineIterationInfo=None)
    record.PSObject.to_string = message  # psrpcore leaves it out where real hosts send it
    return record, message_type


def for_variable(error: PSError) -> PSObj:
    """An error as -ErrorVariable keeps it."""
    return PSObj(
        [AUTOMATION + "ErrorRecord", "System.Object"],
        {"FullyQualifiedErrorId": error.error_id, "TargetObject": error.target},
        to_string=error.message,
        live=error,
    )
