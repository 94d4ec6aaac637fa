# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of a lab: how people spell them, what they may do, and the file in which pyspnego looks them up."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spnego._ntlm_raw.crypto import ntowfv1

from ..config import UserConfig

REMOTE_GROUPS = frozenset({"administrators", "remote management users"})
NO_LM_HASH = "0" * 32


@dataclass(frozen=True)
class Account:
    """``name`` is one and the same however the user was spelled: DOMAIN\\user, or HOST\\user for a local one."""

    name: str
    groups: frozenset[str]
    local: bool = False

    @property
    def may_use_winrm(self) -> bool:
        return not REMOTE_GROUPS.isdisjoint(group.lower() for group in self.groups)


class Directory:
    """The users of the lab's domain, and those that exist as local ones, with one password, on every host."""

    def __init__(self, users: Iterable[UserConfig], domain: str, hosts: Iterable[str]) -> None:
        self._users = {user.name.lower(): user for user in users}
        self.domain = domain
        self.netbios = domain.partition(".")[0].upper()[:15]
        self._hosts = tuple(hosts)
        self._certificates: dict[bytes, str] = {}

    def find(self, spelling: str, host: str) -> Account | None:
        """Whom a host takes for that; a local account of another host is nobody."""
        user = self._user(spelling, host)
        if user is None:
            return None
        place = host.upper()[:15] if user.local else self.netbios
        return Account(f"{place}\\{user.name}", user.groups_at(host), user.local)

    def check(self, spelling: str, password: str, host: str) -> Account | None:
        user = self._user(spelling, host)
        good = user is not None and hmac.compare_digest(user.password.encode(), password.encode())
        return self.find(spelling, host) if good else None

    def map_certificate(self, certificate: bytes, name: str) -> None:
        """The certificate (DER) stands for the local account of that name, on every host."""
        self._certificates[hashlib.sha256(certificate).digest()] = name

    def of_certificate(self, certificate: bytes, host: str) -> Account | None:
        name = self._certificates.get(hashlib.sha256(certificate).digest())
        return None if name is None else self.find(name, host)

    def _user(self, spelling: str, host: str) -> UserConfig | None:
        domain, backslash, name = spelling.rpartition("\\")
        if not backslash:
            name, _, domain = spelling.partition("@")
        elif name.lower().endswith(f"@{self.domain.lower()}"):
            name = name.rpartition("@")[0]
        user = self._users.get(name.lower())
        if user is None:
            return None
        places = ("", ".", host) if user.local else ("", self.netbios, self.domain)
        return user if domain.lower() in (place.lower() for place in places) else None

    def write_ntlm_file(self, path: Path) -> None:
        """All spellings with the hash of the password, readable for this user only; then tell pyspnego of it."""
        lines = []
        for user in self._users.values():
            password = ntowfv1(user.password).hex().upper()
            lines += [f"{name}:1000:{NO_LM_HASH}:{password}:[U]:LCT-00000000\n" for name in self._spellings(user)]
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.writelines(lines)
        os.environ["NTLM_USER_FILE"] = str(path)

    def _spellings(self, user: UserConfig) -> Iterator[str]:
        yield user.name
        if not user.local:
            yield f"{user.name}@{self.domain}"
        places = (".", *self._hosts) if user.local else (self.netbios, self.domain)
        yield from (f"{place}\\{user.name}" for place in places)
