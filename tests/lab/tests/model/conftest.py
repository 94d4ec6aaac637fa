# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The labs that the tests of the model use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hyperv_lab.config import GiB, HostConfig, LabConfig, SwitchConfig, UserConfig, VMConfig, VolumeConfig

from tests.lab.tests.model.labs import KIND, TEMPLATE, Model, host_config


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Model]:
    """Build a lab: keyword arguments are those of LabConfig; ``vm`` replaces the template, ``hosts`` all hosts."""

    def build(vm: VMConfig = TEMPLATE, hosts: tuple[HostConfig, ...] | None = None, **values: Any) -> Model:
        if hosts is None:
            volumes = (VolumeConfig("C", 20 * GiB),)
            hosts = (
                host_config("hv01", 1, vms=(vm,), volumes=volumes),
                host_config("hv02", 2, volumes=volumes),
                host_config("hv03", 3, volumes=volumes, switches=(SwitchConfig("Other"),)),
            )
        values.setdefault("rules", KIND)
        values.setdefault("users", (UserConfig("labadmin", "not used here"),))
        return Model(tmp_path, LabConfig(hosts=hosts, **values))

    return build
