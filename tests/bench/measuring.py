# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all measures need: CPU seconds of a command with everything it started, and tables."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """User and system seconds of a process and of all that it waited for."""

    cpu: float
    code: int
    output: str


def cost(command: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> Cost:
    """Run it to its end. CPU as the kernel adds it up for a child and its reaped children."""
    log = folder / "bench.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=folder, env=dict(environment), stdout=output, stderr=subprocess.STDOUT)
        _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(cpu=usage.ru_utime + usage.ru_stime, code=process.returncode, output=log.read_text())


def least(times: int, command: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> Cost:
    """The cheapest of several runs that all ended well: what others do to the machine only ever adds to the cost."""
    runs = [cost(command, folder=folder, environment=environment) for _time in range(times)]
    for run in runs:
        assert run.code == 0, run.output
    return min(runs, key=lambda run: run.cpu)


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need to be."""
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    print(f"\n{title}")
    for line in (head, ["-" * width for width in widths], *rows):
        print("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip())
    print(flush=True)
