# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites: a lab that runs and everything that a user has beside it."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hyperv_lab.client import Lab

from .site import Site, Values

MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    """Start a lab from a lab.yml as data; it ends with the test."""
    with ExitStack() as stack:

        def make(lab_config: Values, **options: t.Any) -> Site:
            lab = stack.enter_context(Lab.start(lab_config, data=tmp_path / "lab"))
            folder = tmp_path / "controller"
            folder.mkdir()
            return Site(lab=lab, folder=folder, **options)

        yield make
