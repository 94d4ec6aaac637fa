# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the libraries below a session raise, sorted by what it says about the host.

Six libraries raise here (requests, urllib3, pypsrp, spnego, krb5 or gssapi, requests_credssp), most of them loaded only
when they are needed; so classes are recognised by name, not by importing them.
"""

from __future__ import annotations

import enum
import socket
import ssl
import sys
import typing as t
import xml.etree.ElementTree as ET

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    AuthenticationFailed,
    HostUnreachable,
    HyperVError,
    InvalidInput,
    OutcomeUnknown,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._failures import TRANSPORT, Explanation, explain_fault

_AUTHENTICATING = frozenset(("spnego", "krb5", "gssapi", "requests_credssp"))


class Trouble(enum.Enum):
    """What a failed request says."""

    AUTHENTICATION = "we were not let in"
    UNSENT = "the request never left"
    REJECTED = "the host's HTTP layer turned the request away without looking at it"
    BROKEN = "the request was sent, and what became of it is not known"
    FAULT = "the host's WinRM service answered with a fault"
    LIBRARY = "a library is missing"
    DEFECT = "none of these"


def trouble(error: BaseException) -> Trouble:
    names = _names(error)
    if isinstance(error, ImportError):
        return Trouble.LIBRARY
    if _packages(error) & _AUTHENTICATING or "AuthenticationError" in names:
        return Trouble.AUTHENTICATION
    if "WSManFaultError" in names:
        return Trouble.FAULT
    if "WinRMTransportError" in names:
        return Trouble.REJECTED if 400 <= _status(error) < 500 else Trouble.BROKEN
    if isinstance(error, OSError):  # requests' exceptions are OSErrors, too
        return Trouble.UNSENT if symptom(error) != "CONNECTION_BROKEN" else Trouble.BROKEN
    if isinstance(error, ET.ParseError) or "WinRMError" in names:
        return Trouble.BROKEN
    return Trouble.AUTHENTICATION if _from_negotiation(error) else Trouble.DEFECT


def symptom(error: BaseException) -> str:
    """Which of the known symptoms of a connection this is. CONNECTION_BROKEN: it had been made."""
    chain = list(_chain(error))
    certificates = [item for item in chain if isinstance(item, ssl.SSLCertVerificationError)]
    if certificates:
        wrong_name = certificates[0].verify_code in (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH
        return "CERTIFICATE_WRONG_NAME" if wrong_name else "CERTIFICATE_NOT_TRUSTED"
    names = set().union(*(_names(item) for item in chain))
    for found, signs in _SIGNS:
        if names & signs:
            return found
    if any(isinstance(item, socket.gaierror) for item in chain):
        return "NAME_NOT_RESOLVED"
    if any(isinstance(item, ssl.SSLError) and "EOF" not in (item.reason or "") for item in chain):
        return "TLS_FAILED"
    if "NewConnectionError" in names:
        return "CONNECTION_REFUSED"
    return "CONNECTION_BROKEN"


_SIGNS: tuple[tuple[str, frozenset[str]], ...] = (
    ("PROXY_FAILED", frozenset(("ProxyError",))),
    ("NAME_NOT_RESOLVED", frozenset(("NameResolutionError",))),
    ("NO_ANSWER", frozenset(("ConnectTimeoutError", "ConnectTimeout"))),
)


def fault_code(error: BaseException) -> int | None:
    """The number of a WinRM fault."""
    code = getattr(error, "code", None) if "WSManFaultError" in _names(error) else None
    return code if isinstance(code, int) else None


def refused(error: Exception, label: str, auth: str) -> HyperVError:
    """The error for a request that certainly started nothing."""
    kind = trouble(error)
    if kind is Trouble.LIBRARY:
        return missing_library(error)
    if kind is Trouble.AUTHENTICATION:
        return not_let_in(error, label, auth)
    if kind is Trouble.FAULT:
        return _faulted(error, label)
    if kind is Trouble.DEFECT:
        return HostUnreachable(f"{label}: {_text(error)}", code="PROTOCOL", layer="protocol", transient=False)
    return _unreachable(error, label)


def unknown(error: Exception, label: str, what: str) -> OutcomeUnknown:
    """The error for a command that was sent and whose end was not seen."""
    why = explain_fault(fault_code(error)) if trouble(error) is Trouble.FAULT else TRANSPORT["CONNECTION_BROKEN"]
    return OutcomeUnknown(
        f"{label}: {what} was sent, and what became of it is not known ({_text(error)})",
        cause=why.cause,
        remedy="Run again: the host is asked how far it came before anything is repeated.",
        raw=_text(error),
    )


def missing_library(error: BaseException) -> HyperVError:
    package = "pypsrp[credssp,kerberos]" if "pypsrp" not in (getattr(error, "name", None) or "") else "pypsrp"
    return InvalidInput(
        f"a Python library is missing on the machine that runs this task: {error}",
        code="LIBRARY_MISSING",
        cause=f"The Python interpreter {sys.executable} cannot import it.",
        remedy=f"{sys.executable} -m pip install '{package}>=0.9,<1'",
    )


def not_let_in(error: BaseException, label: str, auth: str) -> AuthenticationFailed:
    kerberos = bool(_packages(error) & {"krb5", "gssapi"}) or (auth == "kerberos" and "spnego" in _packages(error))
    why = TRANSPORT["KERBEROS_FAILED" if kerberos else "BAD_CREDENTIALS"]
    return AuthenticationFailed(
        f"{label}: not let in by {auth}: {_text(error)}",
        code=why.code,
        cause=why.cause,
        remedy=why.remedy,
        raw=_text(error),
    )


def _faulted(error: Exception, label: str) -> HyperVError:
    why = explain_fault(fault_code(error))
    kind = AuthenticationFailed if why.code == "ACCESS_DENIED" else HostUnreachable
    return _explained(kind, error, label, why)


def _unreachable(error: Exception, label: str) -> HyperVError:
    if "WinRMTransportError" in _names(error):
        status = _status(error)
        why = TRANSPORT["NOT_WINRM"]._replace(transient=status >= 500)
        message = f"HTTP status {status}"
        return HostUnreachable(f"{label}: {message}", code=why.code, cause=why.cause, remedy=why.remedy, raw=message)
    if isinstance(error, ET.ParseError):
        return _explained(HostUnreachable, error, label, TRANSPORT["NOT_WINRM"])
    found = symptom(error)
    if found == "CONNECTION_BROKEN" and "ReadTimeout" in _names(error):
        found = "NO_ANSWER"
    return _explained(HostUnreachable, error, label, TRANSPORT[found])


def _explained(kind: type[HyperVError], error: Exception, label: str, why: Explanation) -> HyperVError:
    return kind(
        f"{label}: {_text(error)}",
        code=why.code,
        cause=why.cause,
        remedy=why.remedy,
        transient=why.transient,
        raw=_text(error),
    )


def _text(error: BaseException) -> str:
    """The innermost reason: requests wraps what happened in layers that say nothing more."""
    innermost = [item for item in _chain(error) if isinstance(item, OSError) and (item.strerror or "").strip()]
    if isinstance(error, OSError) and innermost:
        last = innermost[-1]
        return f"{type(last).__name__}: {last.strerror}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _chain(error: BaseException) -> t.Iterator[BaseException]:
    """The error and those that it wraps, as its arguments, reason or cause; each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        item = waiting.pop(0)
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        around = (*item.args, getattr(item, "reason", None), item.__cause__, item.__context__)
        waiting += [other for other in around if isinstance(other, BaseException)]


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _packages(error: BaseException) -> set[str]:
    return {kind.__module__.partition(".")[0] for kind in type(error).__mro__}


def _status(error: BaseException) -> int:
    code = getattr(error, "code", 0)
    return code if isinstance(code, int) else 0


def _from_negotiation(error: BaseException) -> bool:
    """pypsrp's negotiation says with a bare ValueError that the host offers none of our ways."""
    frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_globals.get("__name__") == "pypsrp.negotiate":
            return isinstance(error, ValueError)
        frame = frame.tb_next
    return False


__all__ = ["Trouble", "fault_code", "missing_library", "not_let_in", "refused", "symptom", "trouble", "unknown"]
