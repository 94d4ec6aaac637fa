# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab per door, made alike, so that what both doors do can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hyperv_lab.client import Lab

from .doors import Door, config


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab of its own; what goes wrong in the lab itself makes the test fail."""
    with Lab.start(config()) as started:
        yield started
        assert not started.bugs()


@pytest.fixture(params=["action", "module"])
def door(request: pytest.FixtureRequest, lab: Lab, tmp_path: Path) -> Door:
    """Each of the two doors."""
    return Door(lab, request.param, tmp_path)
