# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in, per connection: a scheme of HTTP authentication becomes a principal. New schemes are new classes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from spnego import ContextProxy, ContextReq
from spnego.exceptions import SpnegoError

from . import encryption
from .accounts import Account, Directory
from .negotiation import Kerberos, Spnego, Terms, credssp

Headers = tuple[tuple[str, str], ...]
# What gss libraries and malformed tokens raise; a bug of the lab must not look like a wrong password.
REFUSALS = (SpnegoError, ValueError, KeyError, IndexError, binascii.Error, UnicodeDecodeError)


@dataclass(frozen=True)
class Principal:
    account: Account
    mechanism: str
    delegated: bool = False


@dataclass(frozen=True)
class Policy:
    """What a listener of a host demands, and of whom."""

    directory: Directory
    host: str
    schemes: tuple[str, ...]
    tls: bool
    terms: Terms = Terms()

    @property
    def offered(self) -> tuple[str, ...]:
        """In the order in which Windows names them. Basic sends the password itself: never without TLS."""
        own = {name.lower() for name in self.schemes}
        own -= set() if self.tls else {"basic", CERTIFICATE}
        own -= set() if self.terms.keytab else {"kerberos"}
        return tuple(name for name in SCHEMES if name in own)


@dataclass(frozen=True)
class Step:
    """One leg of signing in: done when there is a principal, else ``reply`` goes back to the client."""

    principal: Principal | None = None
    reply: str | None = None


class Refused(Exception):
    """These credentials are not good."""


class Scheme(Protocol):
    """One way of signing in, for one connection. ``lasts``: it holds for the connection's next requests, too."""

    lasts: bool
    encryption_protocol: str | None
    chunk: int | None

    def step(self, token: str) -> Step: ...
    def wrap(self, text: bytes) -> tuple[bytes, bytes, int]: ...
    def unwrap(self, header: bytes, sealed: bytes) -> bytes: ...


class Plain:
    """What has no message encryption, and names its user with each request."""

    lasts = False
    encryption_protocol: str | None = None
    chunk: int | None = None

    def __init__(self, policy: Policy, certificate: bytes | None = None) -> None:
        self._policy = policy
        self._certificate = certificate

    def wrap(self, text: bytes) -> tuple[bytes, bytes, int]:
        raise encryption.BadEncryption("there is no message encryption")

    def unwrap(self, header: bytes, sealed: bytes) -> bytes:
        raise encryption.BadEncryption("there is no message encryption")


class Basic(Plain):
    """For local accounts only, as Windows has it."""

    def step(self, token: str) -> Step:
        name, _, password = _text(base64.b64decode(token, validate=True)).partition(":")
        account = self._policy.directory.check(name, password, self._policy.host)
        if account is None or not account.local:
            raise Refused(name)
        return Step(Principal(account, "basic"))


class Certificate(Plain):
    """The client's certificate of the TLS connection, which the host maps to a local account."""

    def step(self, token: str) -> Step:
        directory, host = self._policy.directory, self._policy.host
        account = None if self._certificate is None else directory.of_certificate(self._certificate, host)
        if account is None:
            raise Refused(CERTIFICATE)
        return Step(Principal(account, "certificate"))


def _text(credentials: bytes) -> str:
    """Clients differ in how they encode what is not ASCII."""
    try:
        return credentials.decode("utf-8")
    except UnicodeDecodeError:
        return credentials.decode("latin-1")


class Negotiate:
    """SPNEGO, or NTLM or Kerberos without it."""

    lasts = True
    encryption_protocol: str | None = "application/HTTP-SPNEGO-session-encrypted"
    chunk: int | None = None
    label = "negotiate/"

    def __init__(self, policy: Policy, certificate: bytes | None = None) -> None:
        self._policy = policy
        self._context = self._accept(policy.terms)

    def _accept(self, terms: Terms) -> ContextProxy:
        return Spnego(terms)

    def step(self, token: str) -> Step:
        reply = self._context.step(base64.b64decode(token, validate=True))
        text = None if reply is None else base64.b64encode(reply).decode("ascii")
        return Step(self._principal() if self._context.complete else None, text)

    def _principal(self) -> Principal:
        """Only a ticket that can be forwarded, and was, is something to go on with."""
        delegated = bool(self._context.context_attr & ContextReq.delegate)
        return Principal(self._account(), f"{self.label}{self._context.negotiated_protocol}", delegated)

    def _account(self) -> Account:
        name = str(self._context.client_principal)
        account = self._policy.directory.find(name, self._policy.host)
        if account is None:
            raise Refused(name)
        return account

    def wrap(self, text: bytes) -> tuple[bytes, bytes, int]:
        sealed = self._context.wrap_winrm(text)
        return sealed.header, sealed.data, sealed.padding_length

    def unwrap(self, header: bytes, sealed: bytes) -> bytes:
        clear: bytes = self._context.unwrap_winrm(header, sealed)
        return clear


class KerberosAlone(Negotiate):
    encryption_protocol: str | None = "application/HTTP-Kerberos-session-encrypted"
    label = ""

    def _accept(self, terms: Terms) -> ContextProxy:
        return Kerberos(terms)


class CredSSP(Negotiate):
    """Brings the user's name and password along: with them the host goes on to others."""

    encryption_protocol: str | None = "application/HTTP-CredSSP-session-encrypted"
    chunk: int | None = 16384

    def _accept(self, terms: Terms) -> ContextProxy:
        return credssp(terms)

    def _principal(self) -> Principal:
        account, brought = self._account(), self._context.get_extra_info("client_credential")
        spelling = f"{brought.domain_name}\\{brought.username}" if brought.domain_name else str(brought.username)
        if self._policy.directory.check(spelling, str(brought.password), self._policy.host) != account:
            raise Refused(account.name)
        return Principal(account, f"credssp/{self._context.negotiated_protocol}", delegated=True)


CERTIFICATE = "certificate"
# What a client sends as its whole Authorization header when the certificate of the connection says who it is.
CERTIFICATE_HEADER = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
SCHEMES: dict[str, Callable[[Policy, bytes | None], Scheme]] = {
    "negotiate": Negotiate,
    "kerberos": KerberosAlone,
    "credssp": CredSSP,
    "basic": Basic,
    CERTIFICATE: Certificate,
}
OFFERS = {"negotiate": "Negotiate", "kerberos": "Kerberos", "credssp": "CredSSP", "basic": 'Basic realm="WSMAN"'}


class Authenticator:
    """The state of one connection: who is signed in, or how far signing in has come."""

    def __init__(self, policy: Policy, certificate: bytes | None = None) -> None:
        self._policy = policy
        self._certificate = certificate
        self._scheme: Scheme | None = None
        self._name = ""
        self._principal: Principal | None = None

    def offer(self) -> Headers:
        return tuple(("WWW-Authenticate", OFFERS[name]) for name in self._policy.offered if name in OFFERS)

    def sign_in(self, header: str | None) -> tuple[Principal | None, Headers]:
        """The principal of a request, or None with what to ask the client for; headers go into the answer."""
        if header is None:
            lasting = self._principal if self._scheme is not None and self._scheme.lasts else None
            return lasting, () if lasting else self.offer()
        name, _, token = header.partition(" ")
        if name.lower() == CERTIFICATE_HEADER:
            name = CERTIFICATE
        if name.lower() not in self._policy.offered:
            return None, self.offer()
        try:
            return self._step(name, token.strip())
        except (Refused, *REFUSALS):
            self.forget()
            return None, self.offer()

    def _step(self, name: str, token: str) -> tuple[Principal | None, Headers]:
        if self._scheme is None or self._principal is not None or self._name != name.lower():
            self.forget()
            self._name = name.lower()
            self._scheme = SCHEMES[self._name](self._policy, self._certificate)
        step = self._scheme.step(token)
        self._principal = step.principal
        headers: Headers = (("WWW-Authenticate", f"{name} {step.reply}"),) if step.reply else ()
        return step.principal, headers or (() if step.principal else self.offer())

    def forget(self) -> None:
        self._scheme, self._principal, self._name = None, None, ""

    def open(self, content_type: str, body: bytes) -> bytes:
        """The clear text of an encrypted request; BadEncryption when it is none of this connection's."""
        if self._scheme is None:
            raise encryption.BadEncryption("nobody is signed in")
        try:
            return encryption.open_message(content_type, body, self._scheme.unwrap)
        except REFUSALS as error:
            raise encryption.BadEncryption(str(error)) from error

    def seal(self, text: bytes) -> tuple[str, bytes]:
        if self._scheme is None or self._scheme.encryption_protocol is None:
            raise encryption.BadEncryption("nobody is signed in")
        return encryption.seal_message(self._scheme.encryption_protocol, text, self._scheme.wrap, self._scheme.chunk)
