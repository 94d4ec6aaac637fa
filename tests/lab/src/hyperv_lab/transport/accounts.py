# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of a lab: how people spell them, what they may do, and the file in which pyspnego looks them up."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from spnego._ntlm_raw.crypto import ntowfv1

from ..config import UserConfig

REMOTE_GROUPS = frozenset({"administrators", "remote management users"})
NO_LM_HASH = "0" * 32


@dataclass(frozen=True)
class Account:
    """``name`` is one and the same however the user was spelled: DOMAIN\\user."""

    name: str
    groups: frozenset[str]

    @property
    def may_use_winrm(self) -> bool:
        return not REMOTE_GROUPS.isdisjoint(group.lower() for group in self.groups)


class Directory:
    """The users of the lab's domain, who exist as local users of the same password on every host, too."""

    def __init__(self, users: Iterable[UserConfig], domain: str, hosts: Iterable[str]) -> None:
        self._users = {user.name.lower(): user for user in users}
        self.domain = domain
        self.netbios = domain.partition(".")[0].upper()[:15]
        self._domains = ["", self.netbios, domain, ".", *hosts]
        self._known = {name.lower() for name in self._domains}

    def find(self, spelling: str) -> Account | None:
        user = self._user(spelling)
        return Account(f"{self.netbios}\\{user.name}", user.groups) if user else None

    def check(self, spelling: str, password: str) -> Account | None:
        user = self._user(spelling)
        good = user is not None and hmac.compare_digest(user.password.encode(), password.encode())
        return self.find(spelling) if good else None

    def _user(self, spelling: str) -> UserConfig | None:
        domain, backslash, name = spelling.rpartition("\\")
        if not backslash:
            name, _, domain = spelling.partition("@")
        elif name.lower().endswith(f"@{self.domain.lower()}"):
            name = name.rpartition("@")[0]
        return self._users.get(name.lower()) if domain.lower() in self._known else None

    def write_ntlm_file(self, path: Path) -> None:
        """All spellings with the hash of the password, readable for this user only; then tell pyspnego of it."""
        lines = []
        for domain in [*self._domains, None]:
            for user in self._users.values():
                name = f"{user.name}@{self.domain}" if domain is None else user.name
                account = f"{domain}\\{name}" if domain else name
                lines.append(f"{account}:1000:{NO_LM_HASH}:{ntowfv1(user.password).hex().upper()}:[U]:LCT-00000000\n")
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.writelines(lines)
        os.environ["NTLM_USER_FILE"] = str(path)
