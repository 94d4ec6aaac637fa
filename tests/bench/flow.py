# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How busy the links are kept: Move-VM calls in flight while clones wait, from the hosts' call log."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from pathlib import Path

from hyperv_lab.client import Lab

from demo.call_log import Call, interval, named
from tests.integration.distribution.site import SOURCE, Site, config, vm

from .measuring import table

K = 2
TARGETS = 12


def measure(folder: Path) -> None:
    folder.mkdir(parents=True)
    lab_config = config(targets=0, vms=[vm(disks=[{"size": "40GiB", "payload": "24MiB"}])], network_rate="6MiB")
    lab_config["hosts"] |= {f"hv{n:02}": {"address": f"127.0.20.{n}"} for n in range(2, 2 + TARGETS)}
    with Lab.start(lab_config, data=folder / "lab") as lab:
        controller = folder / "controller"
        controller.mkdir()
        played = Site(lab=lab, folder=controller).distribute(distribute_concurrency=K)
        assert played.code == 0, played.output
        calls = lab.calls(host=SOURCE)
    busy, waited = utilisation(calls)
    table(
        f"Copies of one source, K={K}, {TARGETS} targets, clones faster than links",
        ["while clones wait (s)", "mean Move-VM in flight", "over K", "goal"],
        [[f"{waited:.1f}", f"{busy:.3f}", f"{busy / K:.3f}", ">= 0.97"]],
    )


def utilisation(calls: Sequence[Call]) -> tuple[float, float]:
    """Mean moves in flight while at least one finished clone waits for its move, and for how many seconds one did."""
    moves = sorted(interval(call) for call in named(calls, "Move-VM"))
    clones = sorted(interval(call)[1] for call in named(calls, "Import-VM"))
    # Clones are served in the order in which they are finished, so the n-th waits until the n-th move starts.
    waits = [(made, start) for made, (start, _end) in zip(clones, moves, strict=True) if start > made]
    waits = [(max(begin, moves[0][0]), end) for begin, end in waits if end > moves[0][0]]
    edges = sorted({edge for pair in (*moves, *waits) for edge in pair})
    total = weighted = 0.0
    for begin, end in zip(edges, edges[1:], strict=False):
        middle = (begin + end) / 2
        if any(start <= middle < stop for start, stop in waits):
            total += end - begin
            weighted += (end - begin) * sum(start <= middle < stop for start, stop in moves)
    return (weighted / total if total else 0.0), total


__all__: t.Final = ("measure", "utilisation")
