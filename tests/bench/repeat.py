# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run costs that has nothing to do, per provider: it has to grow flat."""

from __future__ import annotations

from pathlib import Path

from hyperv_lab.client import Lab

from tests.integration.distribution.site import Site, config, vm

from .measuring import cost, table

GOAL_MS = 150


def measure(folder: Path, sizes: list[int]) -> None:
    """Supply the largest number of providers once, then repeat the run over parts of them."""
    folder.mkdir(parents=True)
    most = max(sizes)
    lab_config = config(
        targets=0,
        vms=[vm(disks=[{"size": "1GiB"}])],
        network_rate="10GiB",
        disk_rate="10GiB",
        migration={"enabled": True, "authentication": "Kerberos", "simultaneous": 64, "storage": 64},
    )
    names = [f"hv{number:03}" for number in range(2, most + 2)]
    lab_config["hosts"] |= {
        name: {"address": f"127.0.{21 + number // 200}.{1 + number % 200}"} for number, name in enumerate(names)
    }
    with Lab.start(lab_config, data=folder / "lab") as lab:
        controller = folder / "controller"
        controller.mkdir()
        site = Site(lab=lab, folder=controller)
        for first in range(0, most, 50):
            part = ",".join(names[first : first + 50])
            played = site.distribute("--forks", "24", "--limit", part, distribute_concurrency=8)
            assert played.code == 0, played.output
        rows = [_row(site, names[:size], size) for size in sizes]
    table(
        "A run that has nothing to do (CPU of ansible-playbook and its workers)",
        ["providers", "CPU (s)", "per provider (ms)", "without start-up (ms)", "goal"],
        rows,
    )


def _row(site: Site, names: list[str], size: int) -> list[str]:
    since = site.last_call()
    alone = cost(site.command("--limit", names[0]), folder=site.folder, environment=site.environment())
    spent = cost(
        site.command("--limit", ",".join(names), "--forks", "20"), folder=site.folder, environment=site.environment()
    )
    assert spent.code == 0, spent.output
    assert site.writes(since) == [], site.writes(since)
    each = 1000 * spent.cpu / size
    slope = 1000 * (spent.cpu - alone.cpu) / (size - 1)
    return [str(size), f"{spent.cpu:.1f}", f"{each:.0f}", f"{slope:.0f}", f"<= {GOAL_MS}"]


__all__ = ("measure",)
