# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every test run needs: the checkout as a collection, the lab importable, Ansible strict about hosts."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import typing as t
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent
COLLECTIONS = ROOT / ".collections"
LINK = COLLECTIONS / "ansible_collections" / "fanout" / "hyperv"
LAB_SOURCES = ROOT / "tests" / "lab" / "src"
LABS_OF_THEIR_OWN = ("distribution", "journeys", "modules")
"""Folders of tests of which each starts a lab, and files there whose tests share one."""
SHARED_LABS = ("test_both_doors.py",)
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
    os.environ["KRB5_CONFIG"] = str(ROOT / "tests" / "krb5.conf")


_link_checkout()
_set_environment()
sys.path[:0] = [entry for entry in IMPORT_ROOTS if entry not in sys.path]


def pytest_configure() -> None:
    """A test run that is told to end does so as one that is interrupted: what tests have started ends before it."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


# Workers that share the tests (-n 4)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers begin with the slow tests, so that they end at about the same time."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: t.Any) -> t.Any:
    """A worker takes a whole file, as its tests may share a lab; where each has its own, they are dealt out singly."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = PurePosixPath(nodeid.partition("::")[0])
            single = path.parent.name in LABS_OF_THEIR_OWN and path.name not in SHARED_LABS
            return nodeid if single else str(path)

    return ByFile(config, log)
