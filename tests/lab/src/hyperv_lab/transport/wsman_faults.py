# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults that WinRM answers with. Codes from wsmerror.h; those met in recordings of real hosts are marked [rec]."""

from __future__ import annotations

from .soap import WSManFault

SELECTORS = (
    "The WS-Management service cannot process the request because the request contained invalid selectors for the"
    " resource."
)


def no_shell() -> WSManFault:
    """[rec]"""
    return WSManFault(2150858843, "Sender", "w:InvalidSelectors", SELECTORS, detail="UnexpectedSelectors")


def no_command() -> WSManFault:
    """[rec]"""
    message = (
        "The Windows Remote Shell received a request to perform an operation on a command identifier that does not"
        " exist. Either the command has completed execution or the client specified an invalid command identifier."
    )
    return WSManFault(2150858843, "Sender", "w:InvalidSelectors", SELECTORS, message, "UnexpectedSelectors")


def timed_out() -> WSManFault:
    """[rec]"""
    reason = "The WS-Management service cannot complete the operation within the time specified in OperationTimeout."
    return WSManFault(2150858793, "Receiver", "w:TimedOut", f"{reason} ")


def bad_timeout(text: str) -> WSManFault:
    """[rec]"""
    reason = (
        "The WS-Management service cannot process the request. The request contains one or more invalid SOAP headers."
    )
    message = (
        "The WS-Management service cannot process the request. The XML contains an invalid timeout field in the SOAP"
        f" header: {text}."
    )
    return WSManFault(2150858767, "Sender", "a:InvalidMessageInformationHeader", reason, message)


def bad_parameter() -> WSManFault:
    """[rec] What a cmd shell says to a Receive that names no command."""
    return WSManFault(87, "Sender", "w:InvalidParameter", "The parameter is incorrect.", detail="InvalidValue")


def no_file() -> WSManFault:
    """[rec] What a cmd shell says to a program without its path, where cmd.exe shall not look for it."""
    return WSManFault(2147942402, "Receiver", "w:InternalError", "The system cannot find the file specified.")


def denied() -> WSManFault:
    return WSManFault(5, "Sender", "w:AccessDenied", "Access is denied.")


def no_action(action: str) -> WSManFault:
    reason = f"The WS-Management service cannot process the request. The action {action} is not supported."
    return WSManFault(2150858753, "Sender", "a:ActionNotSupported", reason)


def no_resource(uri: str) -> WSManFault:
    """Also for a session configuration that does not exist: PowerShell takes this code for that."""
    reason = f"The WS-Management service cannot process the request. It cannot find the resource URI {uri}."
    return WSManFault(2150858811, "Sender", "a:DestinationUnreachable", reason, detail="InvalidResourceURI")


def bad_data(what: str) -> WSManFault:
    reason = f"The data of the remote session could not be read: {what}"
    return WSManFault(2150858817, "Sender", "w:SchemaValidationError", reason)


def idle_timeout(least: int, most: int) -> WSManFault:
    reason = (
        "The WS-Management service cannot process the request because the requested IdleTimeout is outside the allowed"
        f" range of {least * 1000} to {most * 1000} milliseconds."
    )
    return WSManFault(2150859250, "Sender", "w:InvalidParameter", reason)


def too_many_shells(limit: int) -> WSManFault:
    reason = (
        f"The WS-Management service cannot process the request. This user is allowed a maximum number of {limit}"
        " concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user."
    )
    return WSManFault(2150859236, "Receiver", "w:QuotaLimit", reason)


def too_many_users() -> WSManFault:
    reason = (
        "The WS-Management service cannot process the request. The maximum number of users who may have shells at the"
        " same time has been exceeded. Retry the request later or raise the quota."
    )
    return WSManFault(2150859237, "Receiver", "w:QuotaLimit", reason)


def too_many_operations() -> WSManFault:
    """What Ansible's winrm connection knows as the quota of operations, too."""
    reason = (
        "The WS-Management service cannot process the request. The maximum number of concurrent operations for this"
        " user has been exceeded. Close existing operations for this user, or raise the quota for this user."
    )
    return WSManFault(2150859174, "Receiver", "w:QuotaLimit", reason)


def too_large() -> WSManFault:
    reason = "The WS-Management service cannot process the response because it is larger than the maximum size allowed."
    return WSManFault(2150858790, "Sender", "w:EncodingLimit", reason, detail="MaxEnvelopeSize")


def process_gone() -> WSManFault:
    """The shell's wsmprovhost.exe has ended: killed, or above its memory quota."""
    reason = (
        "The WSMan provider host process did not return a proper response. A provider in the host process may have"
        " behaved improperly."
    )
    return WSManFault(1726, "Receiver", "w:InternalError", reason)


def too_many_commands(limit: int) -> WSManFault:
    reason = (
        f"The WS-Management service cannot process the request. The maximum number of {limit} concurrent commands per"
        " shell has been exceeded. Retry the request later or raise the quota."
    )
    return WSManFault(2150859241, "Receiver", "w:QuotaLimit", reason)


def command_id_taken() -> WSManFault:
    reason = "The WS-Management service cannot process the request. A command with this identifier exists already."
    return WSManFault(2150859222, "Sender", "w:InvalidParameter", reason)


def shell_id_taken() -> WSManFault:
    reason = "The WS-Management service cannot process the request. A shell with this identifier exists already."
    return WSManFault(2150859223, "Sender", "w:InvalidParameter", reason)


def disconnected() -> WSManFault:
    reason = "The Windows Remote Shell cannot process the request because the shell is disconnected."
    return WSManFault(2150859204, "Receiver", "w:InternalError", reason)


def stream_disconnected() -> WSManFault:
    reason = "The WS-Management service cannot complete the operation because the shell was disconnected."
    return WSManFault(2150859230, "Receiver", "w:InternalError", reason)


def other_client() -> WSManFault:
    reason = "The shell is connected to a different client."
    return WSManFault(2150859213, "Receiver", "w:InternalError", reason)


def not_this_client() -> WSManFault:
    reason = "The shell was disconnected by a client with a different session."
    return WSManFault(2150859206, "Receiver", "w:InternalError", reason)


def aborted() -> WSManFault:
    reason = "The I/O operation has been aborted because of either a thread exit or an application request."
    return WSManFault(995, "Receiver", "w:InternalError", reason)
