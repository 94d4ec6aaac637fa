# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accepting side of NTLM, Kerberos and SPNEGO, as strict about channel bindings as a host is told to be.

pyspnego does the protocols; what it has no option for is here: a keytab for each host, and CbtHardeningLevel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import spnego
from spnego import ContextProxy, NegotiateOptions
from spnego._context import GSSMech
from spnego._gss import GSSAPIProxy
from spnego._negotiate import NegotiateProxy
from spnego._ntlm import NTLMProxy
from spnego._ntlm_raw.messages import Authenticate, AvId, NTClientChallengeV2
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import BadBindingsError, BadMechanismError, InvalidTokenError

NONE, RELAXED, STRICT = "none", "relaxed", "strict"
CHANNEL_BOUND = 2048  # GSS_C_CHANNEL_BOUND_FLAG (MIT krb5 1.19): the client sent bindings, and they fitted
NO_BINDINGS = b"\0" * 16


@dataclass(frozen=True)
class Terms:
    """What the acceptor of one listener demands.

    ``binding``: the hash of its certificate (None without TLS). ``keytab``: of the host's own services (None: no
    Kerberos).
    """

    binding: bytes | None = None
    hardening: str = RELAXED
    keytab: str | None = None
    options: NegotiateOptions = field(default=NegotiateOptions.wrapping_winrm)

    @property
    def bindings(self) -> GssChannelBindings | None:
        """What clients' bindings have to be; None where nobody looks at them."""
        if self.binding is None or self.hardening == NONE:
            return None
        return GssChannelBindings(application_data=b"tls-server-end-point:" + self.binding)


class Ntlm(NTLMProxy):
    """pyspnego knows no level between not looking and refusing clients without bindings."""

    def __init__(self, terms: Terms) -> None:
        super().__init__(usage="accept", protocol="ntlm", options=terms.options, channel_bindings=terms.bindings)
        self._strict = terms.hardening == STRICT

    def _step_accept_authenticate(self, token: bytes, channel_bindings: GssChannelBindings | None) -> None:
        if channel_bindings is not None and not _binds(token):
            if self._strict:
                raise BadBindingsError(context_msg="the client sends no channel bindings")
            channel_bindings = None
        super()._step_accept_authenticate(token, channel_bindings)


def _binds(token: bytes) -> bool:
    response = Authenticate.unpack(token).nt_challenge_response
    if not response or len(response) <= 24:
        return False
    pairs = NTClientChallengeV2.unpack(response[16:]).av_pairs
    return pairs.get(AvId.channel_bindings, NO_BINDINGS) != NO_BINDINGS


class Kerberos(GSSAPIProxy):
    """With the keys of this host alone: a ticket for another one is none for it."""

    def __init__(self, terms: Terms) -> None:
        super().__init__(
            usage="accept",
            protocol="kerberos",
            options=terms.options,
            channel_bindings=terms.bindings,
            _gssapi_credential=_credential(str(terms.keytab)),
        )
        self._strict = terms.hardening == STRICT and terms.bindings is not None

    def step(self, in_token: bytes | None = None, *, channel_bindings: GssChannelBindings | None = None) -> Any:
        try:
            answer = super().step(in_token, channel_bindings=channel_bindings)
        except AttributeError as error:  # python-gssapi puts the error off to the next step, which never comes
            raise InvalidTokenError(context_msg="the ticket is not accepted") from error
        if self.complete and self._strict and not int(self._context.actual_flags) & CHANNEL_BOUND:  # type: ignore[union-attr]
            raise BadBindingsError(context_msg="the client sends no channel bindings")
        return answer


def _credential(keytab: str) -> Any:
    import gssapi  # there only where somebody has installed it

    kerberos = gssapi.OID.from_int_seq(GSSMech.kerberos.value)
    return gssapi.Credentials(usage="accept", mechs=[kerberos], store={"keytab": keytab})


class Spnego(NegotiateProxy):
    """Chooses between what the host has. A client's first word may also be bare NTLM or Kerberos."""

    def __init__(self, terms: Terms) -> None:
        super().__init__(usage="accept", protocol="negotiate", options=terms.options, channel_bindings=terms.bindings)
        self._makers: dict[GSSMech, Callable[[Terms], ContextProxy]] = {GSSMech.ntlm: Ntlm}
        if terms.keytab is not None:
            self._makers = {GSSMech.kerberos: Kerberos, **self._makers}
        self._terms = terms

    def _rebuild_context_list(self, mech_types: list[str] | None = None, channel_bindings: Any = None) -> list[str]:
        offered = {
            mech: make(self._terms)
            for mech, make in self._makers.items()
            if mech_types is None or any(self._is_same_mech(mech, oid) for oid in mech_types)
        }
        if not offered:
            raise BadMechanismError(context_msg="the client offers nothing that the host has")
        for context in offered.values():
            context._is_wrapped = True
        self._available_contexts = offered
        return super()._rebuild_context_list(mech_types, channel_bindings)

    def _preferred_mech_list(self) -> list[GSSMech]:
        return list(self._makers)


def credssp(terms: Terms) -> ContextProxy:
    """CredSSP has its own TLS inside; what goes on in it is not bound to the outer one."""
    inner = Spnego(Terms(keytab=terms.keytab, options=NegotiateOptions.none))
    return spnego.server(protocol="credssp", options=terms.options, credssp_negotiate_context=inner)
