# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a broken move leaves at its target is an open question: the next run supplies the target whatever lies there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hyperv_lab.client import Lab

from tests.integration.distribution.site import MIB, SOURCE, TARGETS, TEMPLATE, Site, config, vm, wait_for

TARGET = TARGETS[0]
TURNED: tuple[tuple[str, Any], ...] = (
    ("move_failure_leaves_files", False),
    ("move_failure_leaves_planned_vm", False),
    ("planned_vm_blocks_id", False),
    ("move_error_category", "InvalidOperation"),
    ("errors_end_pipeline", True),
    ("disks_stay_locked", 6.0),
)


def arriving(site: Site) -> bool:
    """Whether bytes of a copy are at the target."""
    root = Path(site.lab.data) / "hosts" / TARGET
    return any(path.stat().st_size > MIB for path in root.rglob("*.vhdx"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), TURNED, ids=[f"{name}={value}" for name, value in TURNED])
def test_a_disk_that_fills_up_half_way(tmp_path: Path, name: str, value: Any) -> None:
    template = vm(disks=[{"size": "1GiB", "payload": "8MiB"}])
    content = config(targets=1, vms=[template], network_rate="2MiB") | {"rules": {name: value}}
    with Lab.start(content, data=tmp_path / "lab") as lab:
        (tmp_path / "controller").mkdir()
        site = Site(lab=lab, folder=tmp_path / "controller")
        with site.distributing() as process:
            wait_for(lambda: arriving(site), "bytes at the target")
            site.lab.set_free(TARGET, "C", MIB)
            process.wait(170)
        assert process.returncode != 0
        assert site.words() == {TARGET: ("Needs update", "Failed to distribute")}
        assert site.status()["providers"][TARGET]["error"]["code"] == "DISK_FULL"
        assert [site.names(host) for host in (SOURCE, TARGET)] == [[TEMPLATE], []]
        site.lab.set_free(TARGET, "C", 50 * 1024 * MIB)
        again = site.distribute()
        assert again.code == 0, again.output
        assert site.words() == {TARGET: ("Ready", "OK")}
        assert [site.names(host) for host in (SOURCE, TARGET)] == [[TEMPLATE], [TEMPLATE]]
        assert site.lab.bugs() == []
