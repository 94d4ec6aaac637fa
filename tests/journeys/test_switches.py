# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main journey while one thing that nobody has proved about Windows is the other way round, each by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hyperv_lab.client import Lab
from hyperv_lab.model.switches import Rules

from tests.integration.distribution.site import SOURCE, TARGETS, TEMPLATE, Site, Values, config, vm

HERE = TARGETS[:2]
# What a switch that is not simply on or off is turned to.
OTHERS: dict[str, tuple[Any, ...]] = {
    "unknown_id_error": ("ObjectNotFound",),
    "busy_error": ("OperationFailed",),
    "move_error_category": ("InvalidOperation",),
    "slow_shutdown": (0.0,),
    "shutdown_wait": (1.0,),
    "default_capture": ("CaptureCrashConsistentState",),
    "connect_timeout": (0.0,),
    "job_visible_after": (0.0,),
    "job_names_vm_by": ("name",),
    "job_life": (0.5,),
    "disks_stay_locked": (4.0,),
}


def turned() -> Iterator[tuple[str, Any]]:
    """Every switch with every other value."""
    for one in fields(Rules):
        if isinstance(one.default, bool):
            yield one.name, not one.default
        else:
            yield from ((one.name, value) for value in OTHERS.get(one.name, ()))


TURNED = list(turned())


def test_no_switch_is_forgotten() -> None:
    assert {name for name, _ in TURNED} == {one.name for one in fields(Rules)}
    for name, value in TURNED:
        assert getattr(Rules().changed({name: value}), name) != getattr(Rules(), name)


@contextmanager
def site_with(folder: Path, rules: Values) -> Iterator[Site]:
    """Three hosts, a small disk of a few blocks on quick links."""
    small = vm(disks=[{"size": "1GiB", "payload": "2MiB"}])
    content = config(targets=len(HERE), vms=[small], network_rate="64MiB") | {"rules": rules}
    with Lab.start(content, data=folder / "lab") as lab:
        controller = folder / "controller"
        controller.mkdir()
        yield Site(lab=lab, folder=controller)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), TURNED, ids=[f"{name}={value}" for name, value in TURNED])
def test_the_main_journey(tmp_path: Path, name: str, value: Any) -> None:
    with site_with(tmp_path, {name: value}) as site:
        distributed = site.distribute()
        assert distributed.code == 0, distributed.output
        assert site.words() == {host: ("Ready", "OK") for host in HERE}
        assert [site.names(host) for host in (SOURCE, *HERE)] == [[TEMPLATE]] * 3

        since = site.last_call()
        again = site.distribute()
        assert (again.code, again.changed) == (0, {}), again.output
        assert site.writes(since) == []

        removed = site.play("remove", provider=",".join(HERE))
        assert removed.code == 0, removed.output
        assert [site.names(host) for host in (SOURCE, *HERE)] == [[TEMPLATE], [], []]
        assert not [path for host in HERE for path in site.files(host) if path.endswith((".vhdx", ".vmcx", ".json"))]
        assert site.lab.bugs() == []
