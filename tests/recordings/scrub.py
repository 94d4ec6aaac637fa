# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings without what they must not tell: names, addresses, users, passwords, keys; also inside PSRP's messages.

Lengths change, so messages are put together, cleaned, and cut into as many fragments as before.
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import yaml

from .exchanges import POWERSHELL, RSP, Envelope, local
from .fragments import START, Fragment, decode, fragments, split, with_text

ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
SID = re.compile(r"S-1-5-21(?:-\d+)+")
MAC = re.compile(r"(?<![0-9A-F])00155D[0-9A-F]{6}(?![0-9A-F])")
VERSIONS = re.compile(r"^\d\.")  # of protocols and modules: 1.1.0.1
KEYS = ("PublicKey", "EncryptedSessionKey")
TELLING = ("ComputerName", "FullyQualifiedDomainName", "DNSHostName", "Domain", "PSComputerName", "UserName", "Caption")
"""Properties whose values name a host or a user, wherever they stand."""
WHO = ("Owner", "ClientIP")


@dataclass
class Scrubber:
    """``words``: what must not stay, with what stands there instead. More is learnt from what is read."""

    words: dict[str, str]
    secrets: tuple[str, ...] = ()
    _numbers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def for_hosts(cls, hosts: Mapping[str, Iterable[str]], users: Iterable[str], secrets: Iterable[str]) -> Scrubber:
        """``hosts``: for each inventory name all names by which the host is known."""
        words: dict[str, str] = {}
        for number, (name, others) in enumerate(sorted(hosts.items()), start=1):
            words |= {other: f"host{number:02}" for other in (name, *others) if other}
        for number, user in enumerate(sorted(set(users)), start=1):
            words[user] = f"user{number}"
            words |= {part: f"user{number}" for part in re.split(r"[\\@]", user)[:1] if len(part) > 2}
        return cls(words, tuple(secret for secret in secrets if len(secret) > 3))

    def learn(self, text: str) -> None:
        """Names that hosts call themselves and their users by."""
        for name in TELLING:
            for value in re.findall(rf'<S N="{name}">([^<]+)</S>', text):
                self._know(value, "host-or-domain")
        for value in re.findall(r"<rsp:Owner>([^<]+)</rsp:Owner>", text):
            for part in value.split("\\"):
                self._know(part, "user-or-domain")
        for value in re.findall(r'Machine="([^"]+)"', text):
            self._know(value, "host-or-domain")

    def _know(self, value: str, instead: str) -> None:
        if len(value) > 2 and value.lower() not in {word.lower() for word in self.words}:
            self.words[value] = f"{instead}{len(self.words)}"

    def clean(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "secret").replace(escape(secret), "secret")
        for word in sorted(self.words, key=len, reverse=True):
            text = re.sub(
                rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", self.words[word], text, flags=re.IGNORECASE
            )
        text = SID.sub(lambda match: self._number(match[0], "S-1-5-21-1-2-3-{}"), text)
        text = MAC.sub(lambda match: self._number(match[0], "00155D{:06X}"), text)
        return ADDRESS.sub(self._address, text)

    def _address(self, match: re.Match[str]) -> str:
        text = match[0]
        if max(map(int, text.split("."))) > 255 or VERSIONS.match(text):
            return text
        return self._number(text, "192.0.2.{}")

    def _number(self, text: str, pattern: str) -> str:
        return self._numbers.setdefault(f"{pattern} {text}", pattern.format(len(self._numbers) + 1))


def cleaned(exchanges: list[dict[str, str]], scrubber: Scrubber) -> list[dict[str, str]]:
    """The exchanges of one shell, in their order."""
    whole = [Envelope(text) for exchange in exchanges for text in (exchange["request"], exchange["response"]) if text]
    psrp = any(envelope.resource.startswith(POWERSHELL) for envelope in whole)
    parts: dict[tuple[bool, int], list[Fragment]] = {}
    for item in exchanges:
        for side in ("request", "response"):
            scrubber.learn(item[side])
            if psrp:
                _collect(item[side], side == "request", parts)
    for pieces in parts.values():
        scrubber.learn(b"".join(piece.blob for piece in pieces).decode("utf-8", "replace"))
    ready = {key: _cleaned_message(pieces, scrubber) for key, pieces in parts.items()}
    return [
        {side: _cleaned_envelope(item[side], side == "request", ready if psrp else {}, scrubber) for side in item}
        for item in exchanges
    ]


def _collect(text: str, asks: bool, parts: dict[tuple[bool, int], list[Fragment]]) -> None:
    for payload in Envelope(text).payloads() if text else ():
        for piece in split(payload):
            key = (asks, piece.object_id)
            if piece.flags & START:
                parts[key] = []
            parts.setdefault(key, []).append(piece)


def _cleaned_message(pieces: list[Fragment], scrubber: Scrubber) -> list[Fragment]:
    blob = b"".join(piece.blob for piece in pieces)
    message = decode(blob, pieces[0].object_id, len(pieces))
    text = scrubber.clean(message.text)
    text = re.sub(r"(<SS[^>]*>)[^<]*(</SS>)", r"\1\2", text)
    for name in KEYS:
        text = re.sub(rf'(<S N="{name}">)[^<]*(</S>)', r"\1\2", text)
    return fragments(with_text(message, text))


def _cleaned_envelope(text: str, asks: bool, ready: dict[tuple[bool, int], list[Fragment]], scrubber: Scrubber) -> str:
    if not text:
        return text
    root = ET.fromstring(text)
    carriers = {id(item) for item in Envelope(text).carriers()} if not ready else set()
    for item in root.iter():
        if ready and local(item.tag) in ("creationXml", "connectXml", "connectResponseXml", "Stream", "Arguments"):
            pieces = split(base64.b64decode(item.text or ""))
            item.text = base64.b64encode(
                b"".join(ready[(asks, piece.object_id)][piece.number].encode() for piece in pieces)
            ).decode()
        elif id(item) not in carriers:
            item.text = scrubber.clean(item.text) if item.text else item.text
            for name, value in item.attrib.items():
                item.set(name, scrubber.clean(value))
    return ET.tostring(root, "unicode")


def by_shell(exchanges: Iterable[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """What belongs to one shell; requests that concern none are left out."""
    found: dict[str, list[dict[str, str]]] = {}
    for exchange in exchanges:
        shell = Envelope(exchange["request"]).shell_id
        if shell:
            found.setdefault(shell.upper(), []).append(exchange)
    return found


def write(path: Path, exchanges: list[dict[str, str]]) -> None:
    content: dict[str, Any] = {"messages": exchanges}
    path.write_text(yaml.dump(content, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)), encoding="utf-8")


__all__ = ("RSP", "Scrubber", "by_shell", "cleaned", "write")
