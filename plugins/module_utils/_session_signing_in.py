# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why somebody was not let in, and what to do about it.

Kerberos speaks with numbers (RFC 4120 7.5.9, and MIT's own above 127), the same under gssapi and krb5; its texts are
not looked at. What a host says is only 401, so there the way of signing in decides.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fanout.hyperv.plugins.module_utils._failures import TRANSPORT, Explanation

_KRB5 = -1765328384  # where MIT's numbers begin
_GSS_EXPIRED = (11 << 16, 12 << 16)  # GSS_S_CREDENTIALS_EXPIRED, GSS_S_CONTEXT_EXPIRED

_SPN = (
    "Connect by the host's DNS name, or set negotiate_hostname_override (ansible_psrp_negotiate_hostname_override) to "
    "it; check 'setspn -L <host>' for the service in negotiate_service (host when not set; HTTP and WSMAN are others)."
)
_TICKETS = "Run 'kinit user@REALM' as the user who runs Ansible, or set ansible_user and ansible_password."
_CLOCK = "Set the clocks by one time source ('chronyc tracking'; on Windows 'w32tm /resync'): five minutes are allowed."

UNKNOWN_SERVICE = Explanation(
    "UNKNOWN_SERVICE", "The domain knows no such service: the name in the request is not the host's own.", _SPN
)
CLOCK_SKEW = Explanation("CLOCK_SKEW", "The clocks of control node and domain are too far apart.", _CLOCK)
TICKET_EXPIRED = Explanation("TICKET_EXPIRED", "The Kerberos ticket is no longer valid.", _TICKETS)
NO_TICKET = Explanation("NO_TICKET", "There is no Kerberos ticket for this user, and no password to get one.", _TICKETS)
NO_REALM = Explanation(
    "NO_REALM",
    "The control node does not know the Kerberos realm, or no domain controller answers.",
    "Write user@REALM with the realm in capital letters; check /etc/krb5.conf (default_realm, realms, dns_lookup_kdc) "
    "and that port 88 of a domain controller can be reached.",
)
ACCOUNT_LOCKED = Explanation(
    "ACCOUNT_LOCKED",
    "The account is disabled, locked or expired.",
    "Look at the account in Active Directory: 'Get-ADUser <user> -Properties LockedOut, Enabled'.",
)
PASSWORD_EXPIRED = Explanation(
    "PASSWORD_EXPIRED", "The password has to be changed first.", "Change the password of the account ('kpasswd')."
)
TICKET_REFUSED = Explanation(
    "TICKET_REFUSED",
    "The domain gave a ticket, and the host does not take it: it is meant for another account's key, the clocks are "
    "too far apart, or the host wants channel bindings.",
    f"{_SPN} {_CLOCK} With 'CbtHardeningLevel Strict' on the host, leave negotiate_send_cbt on.",
)
AUTH_NOT_OFFERED = Explanation(
    "AUTH_NOT_OFFERED",
    "The host does not offer this way of signing in.",
    "Use another auth, or allow it on the host: 'winrm get winrm/config/service/auth'; CredSSP is allowed with "
    "'Enable-WSManCredSSP -Role Server'.",
)
CERTIFICATE_REFUSED = Explanation(
    "CERTIFICATE_REFUSED",
    "The host does not take the client certificate for one of its local accounts.",
    "Check on the host that certificates are allowed ('winrm get winrm/config/service/auth'), that the issuer is "
    "trusted, and the mapping in 'Get-ChildItem WSMan:\\localhost\\ClientCertificate'.",
)

_NUMBERS: dict[int, Explanation] = {
    6: TRANSPORT["BAD_CREDENTIALS"],  # KDC_ERR_C_PRINCIPAL_UNKNOWN
    7: UNKNOWN_SERVICE,  # KDC_ERR_S_PRINCIPAL_UNKNOWN
    18: ACCOUNT_LOCKED,  # KDC_ERR_CLIENT_REVOKED
    23: PASSWORD_EXPIRED,  # KDC_ERR_KEY_EXPIRED
    24: TRANSPORT["BAD_CREDENTIALS"],  # KDC_ERR_PREAUTH_FAILED
    32: TICKET_EXPIRED,  # KRB_AP_ERR_TKT_EXPIRED
    37: CLOCK_SKEW,  # KRB_AP_ERR_SKEW
    41: TICKET_REFUSED,  # KRB_AP_ERR_MODIFIED
    141: NO_TICKET,  # KRB5_CC_NOTFOUND
    154: NO_REALM,  # KRB5_REALM_UNKNOWN
    156: NO_REALM,  # KRB5_KDC_UNREACH
    195: NO_TICKET,  # KRB5_FCC_NOFILE
    224: NO_REALM,  # KRB5_CONFIG_NODEFREALM
}
# The functions of pypsrp and requests_credssp that look whether the host offers a way.
_LOOKING = frozenset(("_check_auth_supported", "_check_credssp_supported"))


def explain_sign_in(errors: t.Sequence[BaseException], auth: str) -> Explanation:
    """What it means that signing in failed; ``errors``: the error with those behind it."""
    for error in errors:
        number = _number(error)
        if number is not None and number in _NUMBERS:
            return _NUMBERS[number]
        if getattr(error, "maj_code", None) in _GSS_EXPIRED:
            return TICKET_EXPIRED
    if not _offered(errors, auth):
        return AUTH_NOT_OFFERED
    if any(_package(error) in ("krb5", "gssapi") for error in errors):
        return TRANSPORT["KERBEROS_FAILED"]
    if auth == "kerberos":
        asked = any(_status(error) == 401 for error in errors)
        return TICKET_REFUSED if asked else TRANSPORT["KERBEROS_FAILED"]
    return CERTIFICATE_REFUSED if auth == "certificate" else TRANSPORT["BAD_CREDENTIALS"]


def _number(error: BaseException) -> int | None:
    """Kerberos' own number, from either library; they differ in whether it has a sign."""
    code = getattr(error, "err_code" if _package(error) == "krb5" else "min_code", None)
    if not isinstance(code, int):
        return None
    return (code - 2**32 if code >= 2**31 else code) - _KRB5


def _offered(errors: t.Sequence[BaseException], auth: str) -> bool:
    for error in errors:
        frame = error.__traceback__
        while frame is not None:
            if frame.tb_frame.f_code.co_name in _LOOKING:
                return False
            frame = frame.tb_next
        offers = getattr(getattr(error, "response", None), "headers", {}).get("www-authenticate", "")
        if auth == "basic" and offers and "basic" not in offers.lower():
            return False
    return True


def _package(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0]


def _status(error: BaseException) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


__all__ = ["explain_sign_in"]
