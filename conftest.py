# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every test run needs: the checkout as a collection, the lab importable, Ansible strict about hosts."""

from __future__ import annotations

import contextlib
import os
import sys
import typing as t
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent
COLLECTIONS = ROOT / ".collections"
LINK = COLLECTIONS / "ansible_collections" / "fanout" / "hyperv"
LAB_SOURCES = ROOT / "tests" / "lab" / "src"
IMPORT_ROOTS = (str(COLLECTIONS), str(LAB_SOURCES))


def _link_checkout() -> None:
    """Make the checkout visible as ansible_collections/fanout/hyperv; other test workers may do so at the same time."""
    LINK.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        LINK.symlink_to(Path("../../.."))


def _set_environment() -> None:
    """Child processes (ansible-playbook, module processes, the lab) find the same things as the tests themselves."""
    inherited = [
        entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry not in ("", *IMPORT_ROOTS)
    ]
    os.environ["PYTHONPATH"] = os.pathsep.join([*IMPORT_ROOTS, *inherited])
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(COLLECTIONS)
    os.environ["ANSIBLE_HOST_PATTERN_MISMATCH"] = "error"


_link_checkout()
_set_environment()
sys.path[:0] = [entry for entry in IMPORT_ROOTS if entry not in sys.path]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: t.Any) -> t.Any:
    """Workers that share the tests (-n 2) take a whole folder: its tests share labs and addresses.

    The distribution's tests each have a lab of their own on free ports, and take longest: they are dealt out singly.
    """
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class ByFolder(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            folder = PurePosixPath(nodeid.partition("::")[0]).parent
            return nodeid if folder.name == "distribution" else str(folder)

    return ByFolder(config, log)
