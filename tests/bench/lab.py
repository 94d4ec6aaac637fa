# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab itself costs: start-up and memory of many hosts, and pipelines per second."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hyperv_lab import rehearsal
from hyperv_lab.client import Lab
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from .measuring import table

GOAL_SECONDS, GOAL_MIB = 10, 1024
CLIENTS = 4  # processes, as one client alone spends more than the lab
PIPELINES = 100  # of each client
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Target:
    """A host of the lab and how one signs in there."""

    address: str
    port: int
    user: str
    password: str
    ca: str


def measure(folder: Path, hosts: int) -> None:
    folder.mkdir(parents=True)
    began = time.monotonic()
    with Lab.start(rehearsal.scale(hosts), data=folder / "lab") as lab:
        took = time.monotonic() - began
        idle = resident(lab.pid)
        targets = [target(lab, name) for name in list(lab.hosts)[:CLIENTS]]
        rows = [asked(lab.pid, targets[:1]), asked(lab.pid, targets)]
        after = resident(lab.pid)
    figures = [str(hosts), f"{took:.1f}", f"< {GOAL_SECONDS}", f"{idle:.0f}", f"{after:.0f}", f"< {GOAL_MIB}"]
    table(
        "The lab: start-up and memory",
        ["hosts", "start (s)", "goal", "memory (MiB)", "after work (MiB)", "goal", "each (KiB)"],
        [[*figures, f"{1024 * idle / hosts:.0f}"]],
    )
    table(
        f"The lab: pipelines, Get-VM of a host without VMs, {PIPELINES} from each client over one session",
        ["clients", "pipelines/s", "lab's CPU each (ms)"],
        rows,
    )


def target(lab: Lab, name: str) -> Target:
    user, where = lab.config.users[0], lab.hosts[name]
    return Target(where["address"], where["https"], user.name, user.password, str(lab.ca))


def asked(pid: int, targets: Sequence[Target]) -> list[str]:
    """One client for each target, all at the same time."""
    with ProcessPoolExecutor(len(targets)) as pool:
        list(pool.map(ask, targets, [1] * len(targets)))  # what is imported and opened first does not count
        began, cpu = time.monotonic(), spent(pid)
        list(pool.map(ask, targets, [PIPELINES] * len(targets)))
        seconds, used = time.monotonic() - began, spent(pid) - cpu
    count = PIPELINES * len(targets)
    return [str(len(targets)), f"{count / seconds:.0f}", f"{1000 * used / count:.1f}"]


def ask(where: Target, times: int) -> None:
    wsman = WSMan(
        where.address,
        port=where.port,
        username=where.user,
        password=where.password,
        cert_validation=where.ca,  # type: ignore[arg-type]  # a bundle, as requests has it
        no_proxy=True,
    )
    with RunspacePool(wsman) as pool:
        for _ in range(times):
            shell = PowerShell(pool).add_cmdlet("Get-VM")
            shell.invoke()
            assert not shell.had_errors


def resident(pid: int) -> float:
    """MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def spent(pid: int) -> float:
    """Seconds of CPU of a process that runs."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


__all__ = ("measure",)
