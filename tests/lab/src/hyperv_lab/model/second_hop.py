# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second hop: whether Move-VM may sign in at the other host in the caller's name, as one table.

Sources are sections of behaviours.md ("B") and of failures.md ("F"); [D] documented, [F] seen by people, [I] inferred,
and then a rule of the lab turns the cell into one that works, or into the other code.
"""

from __future__ import annotations

from dataclasses import dataclass

from .failures import E_ACCESS_DENIED, E_NO_CREDENTIALS, E_UNKNOWN_CREDENTIALS
from .switches import Rules

# How the caller came to the source: what of him is there to go on with.
LOCAL = "local"  # an account of that host: Basic, a client certificate, HOST\user
NTLM = "ntlm"
KERBEROS = "kerberos"
FORWARDED = "kerberos, ticket forwarded"
CREDSSP = "credssp"
VIRTUAL = "virtual account"  # of a JEA endpoint: on the network it is the source itself
CALLERS = (LOCAL, NTLM, KERBEROS, FORWARDED, CREDSSP, VIRTUAL)

# What the directory lets the source do at the target in the names of others.
NO_GRANT = "none"
KERBEROS_ONLY = "constrained, Kerberos only"
ANY_PROTOCOL = "constrained, any protocol"
WITHOUT_CIFS = "constrained, any protocol, without cifs"
WITHOUT_MIGRATION = "constrained, any protocol, cifs alone"
RESOURCE_BASED = "resource-based"
SENSITIVE = "any, but the account is sensitive"
GRANTS = (NO_GRANT, KERBEROS_ONLY, ANY_PROTOCOL, WITHOUT_CIFS, WITHOUT_MIGRATION, RESOURCE_BASED, SENSITIVE)

TYPE_KERBEROS = "Kerberos"
TYPE_CREDSSP = "CredSSP"
TYPES = (TYPE_KERBEROS, TYPE_CREDSSP)


@dataclass(frozen=True)
class Hop:
    """One question. ``source`` and ``target``: the hosts' VirtualMachineMigrationAuthenticationType.

    ``guarded``: Credential Guard runs at the source. ``domains``: both hosts belong to the lab's domain.
    """

    caller: str
    grant: str
    source: str = TYPE_KERBEROS
    target: str = TYPE_KERBEROS
    storage: bool = True
    guarded: bool = False
    domains: bool = True


@dataclass(frozen=True)
class Row:
    """What it applies to (None: to all), how it ends (``code`` None: it works), and how that is known.

    ``switch`` names the rule of the lab that makes ``otherwise`` of it.
    """

    source: str
    code: int | None
    callers: tuple[str, ...] | None = None
    grants: tuple[str, ...] | None = None
    types: str | None = None  # of both hosts; "mixed": they differ
    storage: bool | None = None
    guarded: bool | None = None
    domains: bool | None = None
    switch: str | None = None
    otherwise: int | None = None

    def fits(self, hop: Hop) -> bool:
        types = hop.source if hop.source == hop.target else "mixed"
        return (
            (self.callers is None or hop.caller in self.callers)
            and (self.grants is None or hop.grant in self.grants)
            and self.types in (None, types)
            and self.storage in (None, hop.storage)
            and self.guarded in (None, hop.guarded)
            and self.domains in (None, hop.domains)
        )


# The first row that fits decides.
TABLE = (
    Row("B7 same or trusting domains [D]", E_NO_CREDENTIALS, domains=False),
    Row("F authentication 0x8009030D [D]", E_UNKNOWN_CREDENTIALS, types="mixed"),
    Row("B7 an account of the domain [D]", E_NO_CREDENTIALS, callers=(LOCAL,)),
    Row("B10 Credential Guard [D]", E_NO_CREDENTIALS, types=TYPE_CREDSSP, guarded=True),
    Row("B10 CredSSP: signed in at the source [D]", None, types=TYPE_CREDSSP, callers=(CREDSSP,)),
    Row("B10 CredSSP over PSRP [I]", E_NO_CREDENTIALS, types=TYPE_CREDSSP, switch="any_session_serves_credssp"),
    Row(
        "B11 the machine on the network [I]",
        None,
        callers=(VIRTUAL,),
        grants=(ANY_PROTOCOL, RESOURCE_BASED),
        switch="virtual_account_is_nobody",
        otherwise=E_ACCESS_DENIED,
    ),
    Row("B10 constrained delegation [D, F]", None, grants=(ANY_PROTOCOL,)),
    Row("F authentication, CredSSP after an upgrade [D]", None, grants=(RESOURCE_BASED,)),
    Row("B10 cifs is for storage [D]", None, grants=(WITHOUT_CIFS,), storage=False),
    Row(
        "B10 cifs is for storage [D], code [I]",
        E_ACCESS_DENIED,
        grants=(WITHOUT_CIFS,),
        switch="missing_cifs_is_no_credentials",
        otherwise=E_NO_CREDENTIALS,
    ),
    Row("B7 signed in at the source [I]", E_NO_CREDENTIALS, callers=(CREDSSP,), switch="credssp_serves_kerberos"),
    Row("B10 forwarded ticket [I]", E_NO_CREDENTIALS, callers=(FORWARDED,), switch="delegated_kerberos_is_enough"),
    Row("B10 Kerberos only, since 2016 [D]", E_NO_CREDENTIALS, grants=(KERBEROS_ONLY,)),
    Row("B10 both services [D]", E_NO_CREDENTIALS, grants=(WITHOUT_MIGRATION,)),
    Row("Active Directory: sensitive accounts [D]", E_NO_CREDENTIALS, grants=(SENSITIVE,)),
    Row("B7 no credentials [D, F]", E_NO_CREDENTIALS, grants=(NO_GRANT,)),
)


def row_of(hop: Hop) -> Row:
    return next(row for row in TABLE if row.fits(hop))


def decide(hop: Hop, rules: Rules) -> int | None:
    """The code with which the target's sign-in fails; None where it works."""
    row = row_of(hop)
    turned = row.switch is not None and getattr(rules, row.switch)
    return row.otherwise if turned else row.code
