# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of this project. Default sessions run in the environment that `make venv` made; `nox -l` lists all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
COLLECTIONS = ROOT / ".collections"
COLLECTION = COLLECTIONS / "ansible_collections" / "fanout" / "hyperv"
OUTPUT = ROOT / "tests" / "output"
PYTHON_CODE = ("plugins", "tests", "demo", "noxfile.py", "conftest.py")

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "typing", "unit", "lab", "molecule"]


def environment(**more: str) -> dict[str, str]:
    """Tools of the environment first; the checkout as collection; a host pattern that matches nothing is an error."""
    return {
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": os.pathsep.join([str(COLLECTIONS), str(ROOT / "tests" / "lab" / "src")]),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
        **more,
    }


def run(session: nox.Session, tool: str, *arguments: str, **env: str) -> None:
    """Run a tool of the environment that nox itself runs in."""
    session.run(str(BIN / tool), *arguments, external=True, env=environment(**env))


def existing(*names: str) -> list[str]:
    return [name for name in names if (ROOT / name).exists()]


@nox.session
def lint(session: nox.Session) -> None:
    """Formatting, style, YAML."""
    paths = existing(*PYTHON_CODE)
    run(session, "ruff", "format", "--check", "--diff", *paths)
    run(session, "ruff", "check", *paths)


@nox.session
def typing(session: nox.Session) -> None:
    """Mypy, strict, over the collection, the lab, the tests and the tools."""
    if (COLLECTION / "plugins").is_dir():
        run(session, "mypy", str(COLLECTION / "plugins"))
    for path in existing("tests/lab/src", "tests", "demo", "noxfile.py"):
        run(session, "mypy", path)


@nox.session
def unit(session: nox.Session) -> None:
    """Pure functions and modules with a fake host."""
    run(session, "pytest", "tests/unit", *session.posargs)


@nox.session
def lab(session: nox.Session) -> None:
    """The lab's own tests, then the collection's parts against the lab."""
    run(session, "pytest", *existing("tests/lab/tests", "tests/integration"), *session.posargs)


@nox.session
def molecule(session: nox.Session) -> None:
    """Playbooks against the lab."""
    run(session, "molecule", "test", "--all", *session.posargs)
