# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab put together: the model of its hosts, a WinRM for each of them, and the admin port."""

from __future__ import annotations

import asyncio
import os
import secrets
import traceback
from pathlib import Path
from typing import Any

from . import cmdlets
from .admin import Admin
from .certificates import Authority, ClientCertificate
from .config import HostConfig, LabConfig
from .kdc import Kdc
from .model.clock import make_clock
from .model.fabric import Fabric
from .transport.accounts import Directory
from .transport.endpoint import WinRM

OWN = "lab"  # keys and accounts; the files of the hosts lie below "hosts"
REAP_EVERY = 30.0


class Lab:
    def __init__(self, config: LabConfig, data: Path) -> None:
        cmdlets.load_all()
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.config = config
        self.data = data.resolve()
        self.token = secrets.token_urlsafe(24)
        self.authority = Authority(self.data / OWN, self.data / "ca.pem")
        self.fabric = Fabric(config, self.data / "hosts", make_clock(config.clock))
        self.directory = Directory(config.users, config.domain, [host.name for host in config.hosts])
        self.directory.write_ntlm_file(self.data / OWN / "ntlm-users")
        self.clients = {user.name: self._client(user.name) for user in config.users if user.certificate}
        self.kdc = self._kdc() if config.kerberos else None
        self.winrm = {host.name: self._winrm(host) for host in config.hosts}
        self.admin = Admin(self)
        self._reaper: asyncio.Task[None] | None = None

    def _client(self, name: str) -> ClientCertificate:
        made = self.authority.client(name, self.data / "clients")
        self.directory.map_certificate(made.der, name)
        return made

    def _kdc(self) -> Kdc:
        """Of the domain's members. This process uses its realm, and no file beside the lab's to notice replays."""
        members = {host.name: self.fabric.hosts[host.name].dns_name for host in self.config.hosts if host.domain_member}
        config = self.config
        kdc = Kdc(
            self.data / OWN / "kdc", self.data / "krb5.conf", config.domain, config.users, members, config.delegation
        )
        os.environ.update(kdc.environment(), KRB5RCACHENAME="none:")
        return kdc

    def _winrm(self, config: HostConfig) -> WinRM:
        host = self.fabric.hosts[config.name]
        identity = None
        if config.https_port is not None:
            asks = "Certificate" in config.winrm.authentication
            identity = self.authority.identity(config.name, host.dns_name, config.address, asks=asks)
        keytab = self.kdc.keytab(config.name) if self.kdc and config.domain_member else None
        return WinRM(host, config, self.directory, identity, keytab=keytab, report=self.report)

    def report(self, bug: BaseException) -> None:
        """A bug of the lab itself: into its log, and to the tests, which must not take it for an answer."""
        traceback.print_exception(bug)
        self.fabric.bugs.append(bug)

    async def start(self) -> None:
        if self.kdc is not None:
            await self.kdc.start()
        for winrm in self.winrm.values():
            await winrm.start()
        await self.admin.start()
        self._reaper = asyncio.ensure_future(self._reap())

    async def stop(self) -> None:
        if self._reaper is not None:
            self._reaper.cancel()
        self.admin.stop()
        if self.kdc is not None:
            self.kdc.stop()
        for name, winrm in self.winrm.items():
            winrm.stop("lab stopped")
            self.fabric.hosts[name].go_down()
        await asyncio.sleep(0)  # what was cancelled hears of it before the threads go
        self.fabric.close()

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(REAP_EVERY)
            for winrm in self.winrm.values():
                winrm.shells.reap()

    def announcement(self) -> dict[str, Any]:
        """The one line of JSON that says where everything is."""
        return {
            "admin": self.admin.url,
            "token": self.token,
            "ca": str(self.authority.path),
            "data": str(self.data),
            "pid": os.getpid(),
            "hosts": {name: self._where(winrm) for name, winrm in self.winrm.items()},
            "kerberos": {"config": str(self.kdc.clients), "realm": self.kdc.realm} if self.kdc else None,
            "clients": {
                name: {"certificate": str(one.certificate), "key": str(one.key)} for name, one in self.clients.items()
            },
        }

    def _where(self, winrm: WinRM) -> dict[str, Any]:
        return {
            "address": winrm.config.address,
            "http": winrm.http.port if winrm.http else None,
            "https": winrm.https.port if winrm.https else None,
            "dns": self.fabric.hosts[winrm.config.name].dns_name,
        }
