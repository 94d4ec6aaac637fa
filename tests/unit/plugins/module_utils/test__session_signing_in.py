# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the numbers of Kerberos mean, also where its libraries are not installed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _session_signing_in as signing_in
from ansible_collections.fanout.hyperv.plugins.module_utils._session_signing_in import explain_sign_in

KRB5 = -1765328384


class Krb5Error(Exception):
    def __init__(self, number: int) -> None:
        super().__init__("the text is not looked at")
        self.err_code = KRB5 + number


class GSSError(Exception):
    def __init__(self, number: int, major: int = 851968) -> None:
        super().__init__("the text is not looked at")
        self.min_code = (KRB5 + number) % 2**32
        self.maj_code = major


Krb5Error.__module__, GSSError.__module__ = "krb5._exceptions", "gssapi.raw.misc"


class HTTPError(Exception):
    def __init__(self, offers: str = "Negotiate") -> None:
        self.response = SimpleNamespace(status_code=401, headers={"www-authenticate": offers})


NUMBERS = {
    6: "BAD_CREDENTIALS",
    7: "UNKNOWN_SERVICE",
    18: "ACCOUNT_LOCKED",
    23: "PASSWORD_EXPIRED",
    24: "BAD_CREDENTIALS",
    32: "TICKET_EXPIRED",
    37: "CLOCK_SKEW",
    41: "TICKET_REFUSED",
    141: "NO_TICKET",
    154: "NO_REALM",
    156: "NO_REALM",
    195: "NO_TICKET",
    224: "NO_REALM",
    60: "KERBEROS_FAILED",  # KRB_ERR_GENERIC
}


@pytest.mark.parametrize(("number", "code"), NUMBERS.items())
@pytest.mark.parametrize("kind", [Krb5Error, GSSError])
def test_both_libraries_say_the_same(kind: type[Exception], number: int, code: str) -> None:
    found = explain_sign_in([ValueError("around it"), kind(number)], "kerberos")
    assert (found.code, found.transient) == (code, False)
    assert found.cause and found.remedy


def test_every_number_is_tried() -> None:
    assert set(signing_in._NUMBERS) == set(NUMBERS) - {60}


@pytest.mark.parametrize(
    ("errors", "auth", "code"),
    [
        ([GSSError(0, 11 << 16)], "kerberos", "TICKET_EXPIRED"),
        ([RuntimeError(), HTTPError()], "kerberos", "TICKET_REFUSED"),
        ([RuntimeError()], "kerberos", "KERBEROS_FAILED"),
        ([RuntimeError(), HTTPError()], "ntlm", "BAD_CREDENTIALS"),
        ([RuntimeError(), HTTPError()], "certificate", "CERTIFICATE_REFUSED"),
        ([RuntimeError(), HTTPError("Negotiate, Kerberos")], "basic", "AUTH_NOT_OFFERED"),
        ([RuntimeError(), HTTPError('Negotiate, Basic realm="WSMAN"')], "basic", "BAD_CREDENTIALS"),
        ([RuntimeError()], "credssp", "BAD_CREDENTIALS"),
    ],
)
def test_what_a_host_says_is_only_401(errors: list[Exception], auth: str, code: str) -> None:
    assert explain_sign_in(errors, auth).code == code
