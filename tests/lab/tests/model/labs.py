# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small labs without a network, whose clock jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hyperv_lab.config import (
    DiskConfig,
    HostConfig,
    LabConfig,
    MiB,
    VMConfig,
)
from hyperv_lab.engine.session import Caller
from hyperv_lab.model.clock import FastClock
from hyperv_lab.model.fabric import Fabric
from hyperv_lab.model.host import Host
from hyperv_lab.model.vm import VirtualMachine

T = TypeVar("T")
ADMIN = Caller("labadmin", frozenset({"Administrators"}), "negotiate/ntlm")
NOBODY = Caller("guest", frozenset({"Remote Management Users"}), "negotiate/ntlm")
DISK = DiskConfig(size=8 * MiB)
TEMPLATE = VMConfig("gold", switch="Production", disks=(DISK,))
# How a lab behaves where a test is not about the open questions.
KIND = {"export_creates_path": True, "import_creates_folders": True, "move_creates_folder": True}


def host_config(name: str, number: int, **values: Any) -> HostConfig:
    return HostConfig(name, f"127.0.99.{number}", network_rate=10 * MiB, disk_rate=100 * MiB, **values)


class Model:
    """A lab of three hosts; the template lies on the first."""

    def __init__(self, data: Path, config: LabConfig) -> None:
        self.fabric = Fabric(config, data, FastClock())

    @property
    def clock(self) -> FastClock:
        clock = self.fabric.clock
        assert isinstance(clock, FastClock)
        return clock

    def host(self, name: str) -> Host:
        return self.fabric.hosts[name]

    def vm(self, host: str = "hv01", name: str = "gold") -> VirtualMachine:
        return next(vm for vm in self.host(host).vms.values() if vm.name == name)


def run(work: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        return await asyncio.wait_for(work, 60)

    return asyncio.run(bounded())
