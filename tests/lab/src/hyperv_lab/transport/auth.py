# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in, per connection: a scheme of HTTP authentication becomes a principal. New schemes are new classes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from . import encryption
from .accounts import Account, Directory

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
    """What a listener demands. ``binding`` is the hash of its certificate, for the channel bindings of TLS."""

    directory: Directory
    schemes: tuple[str, ...]
    tls: bool
    binding: bytes | None = None


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

    def step(self, token: str) -> Step: ...
    def wrap(self, text: bytes) -> tuple[bytes, bytes, int]: ...
    def unwrap(self, header: bytes, sealed: bytes) -> bytes: ...


class Basic:
    lasts = False
    encryption_protocol: str | None = None

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def step(self, token: str) -> Step:
        name, _, password = _text(base64.b64decode(token, validate=True)).partition(":")
        account = self._policy.directory.check(name, password)
        if account is None:
            raise Refused(name)
        return Step(Principal(account, "basic"))

    def wrap(self, text: bytes) -> tuple[bytes, bytes, int]:
        raise encryption.BadEncryption("Basic has no message encryption")

    def unwrap(self, header: bytes, sealed: bytes) -> bytes:
        raise encryption.BadEncryption("Basic has no message encryption")


def _text(credentials: bytes) -> str:
    """Clients differ in how they encode what is not ASCII."""
    try:
        return credentials.decode("utf-8")
    except UnicodeDecodeError:
        return credentials.decode("latin-1")


class Negotiate:
    """SPNEGO, or NTLM without it. Over TLS the channel bindings have to fit if the client sends some."""

    lasts = True
    encryption_protocol: str | None = "application/HTTP-SPNEGO-session-encrypted"

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._context: Any = spnego.server(
            protocol="negotiate",
            options=spnego.NegotiateOptions.wrapping_winrm,
            channel_bindings=_channel_bindings(policy.binding),
        )

    def step(self, token: str) -> Step:
        reply = self._context.step(base64.b64decode(token, validate=True))
        text = None if reply is None else base64.b64encode(reply).decode("ascii")
        return Step(self._principal() if self._context.complete else None, text)

    def _principal(self) -> Principal:
        account = self._policy.directory.find(str(self._context.client_principal))
        if account is None:
            raise Refused(str(self._context.client_principal))
        return Principal(account, f"negotiate/{self._context.negotiated_protocol}")

    def wrap(self, text: bytes) -> tuple[bytes, bytes, int]:
        sealed = self._context.wrap_winrm(text)
        return sealed.header, sealed.data, sealed.padding_length

    def unwrap(self, header: bytes, sealed: bytes) -> bytes:
        clear: bytes = self._context.unwrap_winrm(header, sealed)
        return clear


def _channel_bindings(binding: bytes | None) -> GssChannelBindings | None:
    return GssChannelBindings(application_data=b"tls-server-end-point:" + binding) if binding else None


SCHEMES: dict[str, Callable[[Policy], Scheme]] = {"basic": Basic, "negotiate": Negotiate}
OFFERS = {"basic": 'Basic realm="WSMAN"', "negotiate": "Negotiate"}


class Authenticator:
    """The state of one connection: who is signed in, or how far signing in has come."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._scheme: Scheme | None = None
        self._name = ""
        self._principal: Principal | None = None
        # Basic sends the password itself: never without TLS.
        self._schemes = [name.lower() for name in policy.schemes if policy.tls or name.lower() != "basic"]

    def offer(self) -> Headers:
        return tuple(("WWW-Authenticate", OFFERS[name]) for name in self._schemes)

    def sign_in(self, header: str | None) -> tuple[Principal | None, Headers]:
        """The principal of a request, or None with what to ask the client for; headers go into the answer."""
        if header is None:
            lasting = self._principal if self._scheme is not None and self._scheme.lasts else None
            return lasting, () if lasting else self.offer()
        name, _, token = header.partition(" ")
        if name.lower() not in self._schemes:
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
            self._scheme = SCHEMES[self._name](self._policy)
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
        return encryption.seal_message(self._scheme.encryption_protocol, text, self._scheme.wrap)
