# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the libraries below a session raise, sorted by what it says about the host.

Six libraries raise here (requests, urllib3, pypsrp, spnego, krb5 or gssapi, requests_credssp), most of them loaded only
when they are needed; so classes are recognised by name, not by importing them.
"""

from __future__ import annotations

import enum
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
from ansible_collections.fanout.hyperv.plugins.module_utils._session_signing_in import explain_sign_in

_HTTP_TOO_LARGE = 413
_TOO_LARGE = Explanation(
    "REQUEST_TOO_LARGE",
    "The host takes only smaller requests than Windows does of itself (500 KiB).",
    "Raise its limit: 'Set-Item WSMan:\\localhost\\MaxEnvelopeSizekb 500'.",
)
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
        return Trouble.BROKEN if symptom(error) in ("CONNECTION_BROKEN", "TLS_FAILED") else Trouble.UNSENT
    if isinstance(error, ET.ParseError) or "WinRMError" in names:
        return Trouble.BROKEN
    return Trouble.AUTHENTICATION if _from_negotiation(error) else Trouble.DEFECT


def symptom(error: BaseException) -> str:
    """Which of the known symptoms this is. CONNECTION_BROKEN and TLS_FAILED also come when it had been made."""
    chain = list(_chain(error))
    certificates = [item for item in chain if isinstance(item, ssl.SSLCertVerificationError)]
    if certificates:
        wrong_name = certificates[0].verify_code in (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH
        return "CERTIFICATE_WRONG_NAME" if wrong_name else "CERTIFICATE_NOT_TRUSTED"
    names = set().union(*(_names(item) for item in chain))
    for found, signs in _SIGNS:
        if names & signs:
            return found
    if any(isinstance(item, ssl.SSLError) and not isinstance(item, ssl.SSLEOFError) for item in chain):
        return "TLS_FAILED"
    return "CONNECTION_BROKEN"


_SIGNS: tuple[tuple[str, frozenset[str]], ...] = (  # in this order: what is behind a proxy is wrapped in its error
    ("PROXY_FAILED", frozenset(("ProxyError",))),
    ("NAME_NOT_RESOLVED", frozenset(("NameResolutionError", "gaierror"))),
    ("CONNECTION_REFUSED", frozenset(("ConnectionRefusedError",))),
    ("NO_ANSWER", frozenset(("ConnectTimeoutError", "ConnectTimeout", "NewConnectionError"))),
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
        return _not_let_in(error, label, auth)
    if kind is Trouble.FAULT:
        why = explain_fault(fault_code(error))
        refusal = AuthenticationFailed if why.code == "ACCESS_DENIED" else HostUnreachable
        return _explained(refusal, label, why, f"WinRM fault {fault_code(error)}: {_reason(error)}", error)
    if kind is Trouble.DEFECT:
        return HostUnreachable(f"{label}: {_text(error)}", code="PROTOCOL", layer="protocol", transient=False)
    found = _found(error)
    why = _TOO_LARGE if found == _TOO_LARGE.code else TRANSPORT[found]
    return _explained(HostUnreachable, label, why, _sentence(found, error), error)


def unknown(error: Exception, label: str, what: str, why: str) -> OutcomeUnknown:
    """The error for a command that was sent and whose end was not seen."""
    known = explain_fault(fault_code(error)) if trouble(error) is Trouble.FAULT else TRANSPORT["CONNECTION_BROKEN"]
    return OutcomeUnknown(
        f"{label}: {what} was sent, and what became of it is not known: {why}",
        cause=known.cause,
        remedy="Run again: the host is asked how far it came before anything is repeated.",
        raw=_text(error),
    )


def missing_library(error: BaseException) -> HyperVError:
    package = "pypsrp" if (getattr(error, "name", None) or "").startswith("pypsrp") else "pypsrp[credssp,kerberos]"
    return InvalidInput(
        f"a Python library is missing on the machine that runs this task: {error}",
        code="LIBRARY_MISSING",
        cause=f"The Python interpreter {sys.executable} cannot import it.",
        remedy=f"{sys.executable} -m pip install '{package}>=0.9,<1'",
    )


def _not_let_in(error: BaseException, label: str, auth: str) -> HyperVError:
    why = explain_sign_in(list(_chain(error)), auth)
    return _explained(AuthenticationFailed, label, why, f"not let in by {auth}: {error}", error)


def _found(error: Exception) -> str:
    """The symptom, when it is certain that the connection was never good."""
    if "WinRMTransportError" in _names(error):
        if _status(error) == _HTTP_TOO_LARGE:
            return _TOO_LARGE.code
        return "HTTP_ERROR" if _status(error) >= 500 else "NOT_WINRM"
    if isinstance(error, ET.ParseError):
        return "NOT_WINRM"
    found = symptom(error)
    if found == "CONNECTION_BROKEN" and "ReadTimeout" in _names(error):
        return "NO_ANSWER"
    if found == "CONNECTION_BROKEN" and any(isinstance(item, ssl.SSLError) for item in _chain(error)):
        return "TLS_FAILED"
    return found


_SENTENCES = {
    "NAME_NOT_RESOLVED": "its name cannot be resolved",
    "CONNECTION_REFUSED": "the connection was refused",
    "NO_ANSWER": "no answer",
    "CONNECTION_BROKEN": "the connection broke",
    "CERTIFICATE_NOT_TRUSTED": "its certificate is not trusted",
    "CERTIFICATE_WRONG_NAME": "its certificate is made out to another name",
    "TLS_FAILED": "no TLS connection",
    "PROXY_FAILED": "the proxy does not let the connection through",
}


def _sentence(found: str, error: Exception) -> str:
    if "WinRMTransportError" in _names(error):
        return f"HTTP status {_status(error)}"
    certificates = [item for item in _chain(error) if isinstance(item, ssl.SSLCertVerificationError)]
    detail = f" ({certificates[0].verify_message})" if certificates else ""
    return _SENTENCES.get(found, "it does not speak WinRM") + detail


def _explained(
    kind: type[HyperVError], label: str, why: Explanation, sentence: str, error: BaseException
) -> HyperVError:
    return kind(
        f"{label}: {sentence}",
        code=why.code,
        cause=why.cause,
        remedy=why.remedy,
        transient=why.transient,
        raw=_text(error),
    )


def _reason(error: BaseException) -> str:
    return str(getattr(error, "reason", None) or getattr(error, "provider_fault", None) or "no reason given")


def _text(error: BaseException) -> str:
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


__all__ = ["Trouble", "fault_code", "missing_library", "refused", "symptom", "trouble", "unknown"]
