# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab of two hosts for clients that nobody has changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hyperv_lab.client import Lab

USER, PASSWORD = "labadmin", "Lab-Passw0rd! ü"
CONFIG: dict[str, Any] = {
    "users": [{"name": USER, "password": PASSWORD}],
    "defaults": {"http_port": 0, "https_port": 0, "volumes": {"C": "100GiB"}},
    "hosts": {
        "hv01": {"address": "127.0.79.1", "vms": [{"name": "gold", "disks": [{"file": "golden.vhdx"}]}, "öther"]},
        "hv02": {"address": "127.0.79.2"},
    },
}


@pytest.fixture(scope="package")
def lab() -> Iterator[Lab]:
    with Lab.start(CONFIG) as running:
        yield running
        assert running.bugs() == []
