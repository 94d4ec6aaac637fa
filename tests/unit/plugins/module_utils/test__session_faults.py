# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the libraries below a session raise, as they really raise it, and what is made of it."""

from __future__ import annotations

import http.client
import socket
import ssl
import xml.etree.ElementTree as ET

import pytest
import requests
import spnego.exceptions
from ansible_collections.fanout.hyperv.plugins.module_utils import _session_faults as faults
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    AuthenticationFailed,
    HostUnreachable,
    InvalidInput,
    OutcomeUnknown,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._session_faults import Trouble
from pypsrp.exceptions import AuthenticationError, FragmentError, WinRMTransportError, WSManFaultError
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

POOL = HTTPSConnectionPool("hv01")


def connecting(reason: Exception) -> requests.ConnectionError:
    """As requests wraps what urllib3 gave up on."""
    return requests.ConnectionError(MaxRetryError(POOL, "/wsman", reason))


def new_connection(cause: Exception) -> requests.ConnectionError:
    error = NewConnectionError(None, f"failed: {cause}")  # type: ignore[arg-type]
    error.__cause__ = cause
    return connecting(error)


def certificate(code: int, words: str) -> requests.exceptions.SSLError:
    error = ssl.SSLCertVerificationError(1, words)
    error.verify_code, error.verify_message = code, words
    return requests.exceptions.SSLError(MaxRetryError(POOL, "/wsman", error))


def fault(code: object) -> WSManFaultError:
    return WSManFaultError(code, "hv01", "words", None, None, None)


def kerberos() -> Exception:
    """krb5's error, without needing krb5."""
    kind = type("Krb5Error", (Exception,), {"__module__": "krb5._exceptions"})
    return kind("no such principal")


ABORTED = requests.ConnectionError(ProtocolError("aborted", http.client.RemoteDisconnected("closed")))
NO_OFFER = ValueError("Server responded with the auth protocol 'Basic'")

CASES = [
    (new_connection(ConnectionRefusedError(111, "refused")), Trouble.UNSENT, "CONNECTION_REFUSED"),
    (new_connection(OSError(113, "no route")), Trouble.UNSENT, "NO_ANSWER"),
    (new_connection(socket.gaierror(-2, "not known")), Trouble.UNSENT, "NAME_NOT_RESOLVED"),
    (requests.ConnectTimeout("too long"), Trouble.UNSENT, "NO_ANSWER"),
    (requests.exceptions.ProxyError("no"), Trouble.UNSENT, "PROXY_FAILED"),
    (certificate(18, "self-signed certificate"), Trouble.UNSENT, "CERTIFICATE_NOT_TRUSTED"),
    (certificate(10, "certificate has expired"), Trouble.UNSENT, "CERTIFICATE_NOT_TRUSTED"),
    (certificate(62, "Hostname mismatch"), Trouble.UNSENT, "CERTIFICATE_WRONG_NAME"),
    (certificate(64, "IP address mismatch"), Trouble.UNSENT, "CERTIFICATE_WRONG_NAME"),
    (connecting(ssl.SSLError(1, "wrong version number")), Trouble.BROKEN, "TLS_FAILED"),
    (ABORTED, Trouble.BROKEN, "CONNECTION_BROKEN"),
    (requests.ReadTimeout("slow"), Trouble.BROKEN, "NO_ANSWER"),
    (requests.exceptions.ChunkedEncodingError("half"), Trouble.BROKEN, "CONNECTION_BROKEN"),
    (WinRMTransportError("http", 404, ""), Trouble.REJECTED, "NOT_WINRM"),
    (WinRMTransportError("http", 413, ""), Trouble.REJECTED, "REQUEST_TOO_LARGE"),
    (WinRMTransportError("http", 503, ""), Trouble.BROKEN, "HTTP_ERROR"),
    (ET.ParseError("rubbish"), Trouble.BROKEN, "NOT_WINRM"),
    (FragmentError("gap"), Trouble.BROKEN, None),
    (fault(5), Trouble.FAULT, "ACCESS_DENIED"),
    (fault(2150859173), Trouble.FAULT, "QUOTA"),
    (fault("w:Odd"), Trouble.FAULT, "WSMAN_FAULT"),
    (AuthenticationError("no"), Trouble.AUTHENTICATION, "BAD_CREDENTIALS"),
    (spnego.exceptions.BadMICError(), Trouble.AUTHENTICATION, "BAD_CREDENTIALS"),
    (kerberos(), Trouble.AUTHENTICATION, "KERBEROS_FAILED"),
    (ImportError("no gssapi", name="gssapi"), Trouble.LIBRARY, "LIBRARY_MISSING"),
    (ModuleNotFoundError("no pypsrp", name="pypsrp"), Trouble.LIBRARY, "LIBRARY_MISSING"),
    (TypeError("ours"), Trouble.DEFECT, "PROTOCOL"),
]


@pytest.mark.parametrize(("error", "kind", "code"), CASES, ids=lambda item: str(item)[:40])
def test_what_it_says_about_the_request(error: Exception, kind: Trouble, code: str | None) -> None:
    assert faults.trouble(error) is kind


@pytest.mark.parametrize(("error", "kind", "code"), CASES, ids=lambda item: str(item)[:40])
def test_what_the_operator_hears(error: Exception, kind: Trouble, code: str | None) -> None:
    found = faults.refused(error, "hv01", "negotiate")
    expected = {
        Trouble.AUTHENTICATION: AuthenticationFailed,
        Trouble.LIBRARY: InvalidInput,
    }.get(kind, AuthenticationFailed if code == "ACCESS_DENIED" else HostUnreachable)
    assert type(found) is expected
    assert code is None or found.code == code
    if kind is not Trouble.DEFECT:
        assert found.cause and found.remedy


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (new_connection(ConnectionRefusedError(111, "refused")), True),
        (requests.ConnectTimeout("too long"), True),
        (WinRMTransportError("http", 503, ""), True),
        (fault(2150859173), True),
        (certificate(18, "self-signed certificate"), False),
        (WinRMTransportError("http", 404, ""), False),
        (AuthenticationError("no"), False),
        (fault(2150858811), False),
    ],
    ids=str,
)
def test_what_may_pass_by_itself(error: Exception, transient: bool) -> None:
    assert faults.refused(error, "hv01", "negotiate").transient is transient


def test_the_message_says_why_a_certificate_is_not_trusted() -> None:
    found = faults.refused(certificate(10, "certificate has expired"), "hv01", "negotiate")
    assert found.message == "hv01: its certificate is not trusted (certificate has expired)"


def test_kerberos_without_a_ticket() -> None:
    found = faults.refused(spnego.exceptions.NoCredentialError(context_msg="x"), "hv01", "kerberos")
    assert found.code == "KERBEROS_FAILED"


def test_a_negotiation_without_common_ground_is_not_a_defect() -> None:
    """pypsrp says so with a bare ValueError; where it was raised tells it from ours."""
    source = compile("def ask():\n    raise error", "negotiate.py", "exec")
    scope = {"__name__": "pypsrp.negotiate", "error": NO_OFFER}
    exec(source, scope)
    with pytest.raises(ValueError) as caught:
        scope["ask"]()  # type: ignore[operator]
    assert faults.trouble(caught.value) is Trouble.AUTHENTICATION
    assert faults.trouble(ValueError("ours")) is Trouble.DEFECT


def test_the_command_that_installs_what_is_missing() -> None:
    plain = faults.refused(ModuleNotFoundError("x", name="pypsrp"), "hv01", "ntlm").remedy
    extra = faults.refused(ImportError("x", name="gssapi"), "hv01", "kerberos").remedy
    assert plain is not None and plain.endswith("-m pip install 'pypsrp>=0.9,<1'")
    assert extra is not None and extra.endswith("-m pip install 'pypsrp[credssp,kerberos]>=0.9,<1'")


def test_an_unknown_outcome_says_what_to_do() -> None:
    found = faults.unknown(ABORTED, "hv01", "Move-VM", "the connection broke")
    assert isinstance(found, OutcomeUnknown)
    assert "Move-VM was sent" in found.message and "asked" in str(found.remedy)
    assert faults.unknown(fault(2150858843), "hv01", "x", "y").cause != found.cause


def test_errors_that_point_at_each_other_end() -> None:
    one, two = OSError("one"), OSError("two")
    one.__cause__, two.__cause__ = two, one
    assert faults.symptom(one) == "CONNECTION_BROKEN"
