# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All hosts of a lab, the names they find each other by, and what they share."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from ..config import LabConfig, UserConfig
from .clock import Clock
from .directory import Directory
from .host import Host
from .links import Transfers
from .switches import Rules

THREADS = 4


class Fabric:
    """The model of a whole lab. Making it lays out the hosts' drives and the virtual machines of the configuration."""

    def __init__(self, config: LabConfig, data: Path, clock: Clock) -> None:
        from . import chains, provision  # it needs hosts, which need this module

        self.config = config
        self.data = data
        self.clock = clock
        self.domain = config.domain
        self.rules = Rules().changed(config.rules)
        self.netbios = config.netbios
        self.users: dict[str, UserConfig] = {user.name.lower(): user for user in config.users}
        self.directory = Directory(config.delegation, self.users)
        self.call_numbers = itertools.count(1)
        self.bugs: list[BaseException] = []  # what went wrong in the lab itself, in work that nobody waited for
        self._threads: ThreadPoolExecutor | None = None
        self.transfers = Transfers(clock, self.in_thread)
        self.hosts = {host.name: Host(host, self) for host in config.hosts}
        for host in self.hosts.values():
            host.volumes.held = partial(chains.is_held, host)
            for vm in host.config.vms:
                provision.add_vm(host, vm)

    def in_thread(self, work: Callable[[], None]) -> asyncio.Future[None]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="lab-copy")
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    def resolve(self, name: str) -> Host | None:
        """A host by what other hosts may call it: short name, DNS name or address; in any case."""
        wanted = name.rstrip(".").lower()
        for host in self.hosts.values():
            if wanted in (host.name.lower(), host.dns_name.lower(), host.address):
                return host
        return None

    def set_rules(self, **values: Any) -> None:
        self.rules = self.rules.changed(values)

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=True)
            self._threads = None
