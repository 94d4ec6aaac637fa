# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.tests.engine.rig import Host, Rig


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "hv01")


@pytest.fixture
def rig(host: Host) -> Rig:
    return Rig(host)
