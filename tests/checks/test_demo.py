# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo proves it proves rightly: each statement can be false."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo import call_log, disks, playbook


def call(command: str, started: float, ended: float | None, **more: Any) -> dict[str, Any]:
    writes = not command.startswith("Get-")
    return {
        "host": "hv01",
        "command": command,
        "started": started,
        "ended": ended,
        "error": None,
        "writes": writes,
    } | more


GOOD = [
    call("Export-VM", 0, 5),
    *[call("Import-VM", start, start + 1) for start in (5, 6, 7, 9, 10)],
    *[call("Hyper-V\\Move-VM", start, start + 3) for start in (6, 7, 9, 10, 12)],
]


def truths(statements: list[call_log.Statement]) -> list[bool]:
    return [statement.true for statement in statements]


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [([], 0), ([(0, 1), (1, 2)], 1), ([(0, 3), (1, 2), (2, 4)], 2), ([(0, call_log.STILL_RUNNING), (9, 10)], 2)],
)
def test_most_at_once(intervals: list[call_log.Interval], expected: int) -> None:
    assert call_log.most_at_once(intervals) == expected


def test_a_good_first_run() -> None:
    assert truths(call_log.first_run(GOOD, concurrency=2, targets=5)) == [True] * 5


@pytest.mark.parametrize(
    ("calls", "false"),
    [
        ([*GOOD, call("Export-VM", 20, 21)], [0]),
        ([*GOOD, call("Export-VM", 4, 6)], [0, 1]),
        ([*GOOD, call("Move-VM", 10.5, None)], [2, 3]),
        ([*GOOD, call("Move-VM", 20, 21, error="OperationFailed")], []),
        ([*GOOD, call("Import-VM", 6.5, 7), call("Import-VM", 7, 8)], [4]),
        (GOOD[:-1], [2]),
        ([], [0, 2, 3, 4]),
    ],
)
def test_a_first_run_that_is_not(calls: list[dict[str, Any]], false: list[int]) -> None:
    statements = truths(call_log.first_run(calls, concurrency=2, targets=5))
    assert [index for index, true in enumerate(statements) if not true] == false


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([call("Get-VM", 0, 1)], [True, True]),
        ([call("Get-VM", 0, 1), call("Set-VM", 1, 2)], [True, False]),
        ([], [False, True]),
    ],
)
def test_second_run(calls: list[dict[str, Any]], expected: list[bool]) -> None:
    assert truths(call_log.second_run(calls)) == expected


def test_recap_is_read_in_colour() -> None:
    lines = [
        "PLAY RECAP *****\n",
        "\x1b[0;33mhv02\x1b[0m : \x1b[0;32mok=5  \x1b[0m \x1b[0;33mchanged=2  \x1b[0m unreachable=0    failed=0\n",
        "hv03 : ok=5    changed=0    unreachable=0    failed=1    skipped=0    rescued=0    ignored=0\n",
    ]
    run = playbook.PlaybookRun(code=0, recap=playbook.recap(lines))
    assert run.changed() == {"hv02": 2}
    assert run.recap["hv03"]["failed"] == 1


def test_disks_are_compared_by_content(tmp_path: Path) -> None:
    template = tmp_path / "gold.vhdx"
    template.write_bytes(b"gold")
    for host, contents in {"same": [b"gold"], "other": [b"tin!"], "none": [], "two": [b"gold", b"gold"]}.items():
        for number, content in enumerate(contents):
            file = tmp_path / "data" / host / str(number) / "GOLD.VHDX"
            file.parent.mkdir(parents=True)
            file.write_bytes(content)
    hosts = ["same", "other", "none", "two"]
    assert truths(disks.compare(tmp_path / "data", template, hosts)) == [True, False, False, False]
    assert not disks.leftovers(tmp_path / "data", "same", template).true
    assert disks.leftovers(tmp_path / "data", "two", template).true


@pytest.mark.parametrize(
    ("size", "expected"), [(52 * disks.MiB, 13 * disks.MiB), (10**12, disks.FASTEST), (1, disks.MiB)]
)
def test_rates(size: int, expected: int) -> None:
    assert disks.Rates.for_copies(size, 6, 24).network == expected


def test_a_template_disk_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(disks.DemoError, match="no file"):
        disks.template_disk(str(tmp_path / "missing.vhdx"), tmp_path)


def test_ansible_sees_nothing_of_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "tests/lab/src")
    monkeypatch.setenv("ANSIBLE_FORKS", "1")
    seen = playbook.environment()
    assert "PYTHONPATH" not in seen and "ANSIBLE_FORKS" not in seen
