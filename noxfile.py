# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of this project; `nox -l` lists them.

Default sessions run in the environment that `make venv` made. The compat sessions make their own below .nox,
with another Python and ansible-core, and are skipped where that Python is not installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
COLLECTIONS = ROOT / ".collections"
COLLECTION = COLLECTIONS / "ansible_collections" / "fanout" / "hyperv"
LAB = ROOT / "tests" / "lab" / "src"
OUTPUT = ROOT / "tests" / "output"
PYTHON_CODE = ("conftest.py", "demo", "noxfile.py", "plugins", "tests")
SHARED = ("--no-loadscope-reorder", "-n")
"""How workers share tests (see conftest.py); their number follows. Those that wait for a lab can be more than cores."""
EVERY_TIME = ("conflict", "default", "disk_full", "limit", "one_down")
"""Scenarios of the default session; the others are part of the journeys."""
DOCUMENTED = {"module": "modules", "callback": "callback", "lookup": "lookup", "inventory": "inventory"}

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "typing", "docs-check", "build", "sanity", "unit", "lab", "molecule"]


def environment(tools: Path = BIN) -> dict[str, str]:
    """Tools of the environment first; the checkout as collection; a host pattern that matches nothing is an error."""
    return {
        "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": os.pathsep.join([str(COLLECTIONS), str(LAB), str(ROOT)]),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
        "KRB5_CONFIG": str(ROOT / "tests" / "krb5.conf"),
    }


def run(session: nox.Session, tool: str, *arguments: str, tools: Path = BIN, silent: bool = False) -> str:
    """Run a tool of the environment that nox itself runs in, or of another."""
    command = (str(tools / tool), *arguments)
    return str(session.run(*command, external=True, silent=silent, env=environment(tools)) or "")


def existing(*names: str) -> list[str]:
    return [name for name in names if (ROOT / name).exists()]


def names(folder: str, pattern: str) -> list[str]:
    """The collection's things in a folder, by their full names."""
    return [f"fanout.hyperv.{path.stem}" for path in sorted((ROOT / folder).glob(pattern))]


@nox.session
def lint(session: nox.Session) -> None:
    """Formatting, style, YAML, Ansible content, licences, and the project's own rules."""
    paths = existing(*PYTHON_CODE)
    run(session, "ruff", "format", "--check", "--diff", *paths)
    run(session, "ruff", "check", *paths)
    run(session, "yamllint", "--strict", ".")
    run(session, "python", "-m", "tests.checks.source_rules")
    run(session, "reuse", "lint", "--lines")
    run(session, "antsibull-changelog", "lint")
    run(session, "ansible-lint", "--nocolor")


@nox.session
def typing(session: nox.Session) -> None:
    """Mypy, strict: the collection under its own name, then everything else."""
    run(session, "mypy", str(COLLECTION / "plugins"))
    run(session, "mypy", *existing("tests", "demo", "noxfile.py", "conftest.py"))


@nox.session(name="docs-check")
def docs_check(session: nox.Session) -> None:
    """The documentation of every plugin and the argument specification of every role can be read."""
    kinds = {kind: names(f"plugins/{folder}", "[!_]*.py") for kind, folder in DOCUMENTED.items()}
    kinds["role"] = names("roles", "[!.]*")
    for kind, documented in kinds.items():
        shown = json.loads(run(session, "ansible-doc", "--type", kind, "--json", *documented, silent=True))
        for name in documented:
            said = shown.get(name, {})
            if not said.get("entry_points") and not said.get("doc", {}).get("short_description"):
                session.error(f"{kind} {name}: no documentation")


@nox.session
def build(session: nox.Session) -> None:
    """The collection can be built, and holds what it should and nothing else."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    run(session, "ansible-galaxy", "collection", "build", "--force", "--output-path", str(OUTPUT))
    run(session, "python", "-m", "tests.checks.built_collection", str(OUTPUT))


@nox.session
def sanity(session: nox.Session) -> None:
    """Ansible's own checks over what was built: documentation against argument specs, imports, routing."""
    run(session, "python", "-m", "tests.checks.ansible_test", str(OUTPUT), *session.posargs)


@nox.session
def unit(session: nox.Session) -> None:
    """Pure functions, modules with a fake host, and the checks' own tests."""
    run(session, "pytest", *(session.posargs or [*SHARED, "auto", *existing("tests/checks", "tests/unit")]))


@nox.session
def lab(session: nox.Session) -> None:
    """The lab's own tests, then the collection's parts against the lab."""
    run(session, "pytest", *(session.posargs or [*SHARED, "4", *existing("tests/lab/tests", "tests/integration")]))


@nox.session
def molecule(session: nox.Session) -> None:
    """Playbooks against the lab: the main job."""
    if session.posargs:
        run(session, "molecule", "test", *session.posargs)
        return
    for scenario in EVERY_TIME:
        run(session, "molecule", "test", "--scenario-name", scenario)


@nox.session
def journeys(session: nox.Session) -> None:
    """What a template goes through in its life, in many ways: whole playbooks, one after the other (slow)."""
    run(session, "pytest", *(session.posargs or [*SHARED, "4", "tests/journeys"]))
    if not session.posargs:
        found = sorted(path.parent.name for path in (ROOT / "extensions" / "molecule").glob("*/molecule.yml"))
        for scenario in (name for name in found if name not in EVERY_TIME):
            run(session, "molecule", "test", "--scenario-name", scenario)


@nox.session
def bench(session: nox.Session) -> None:
    """What a run costs and how busy it keeps the links, as a table."""
    run(session, "python", "-m", "tests.bench", *session.posargs)


def _pyenv(version: str) -> str | None:
    """The newest interpreter of that version below pyenv, whose shims work only when told which one is meant."""
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return None
    listed = subprocess.run([pyenv, "versions", "--bare"], check=False, capture_output=True, text=True).stdout.split()
    matching = [name for name in listed if name.startswith(f"{version}.") and name.replace(".", "").isdigit()]
    if not matching:
        return None
    newest = max(matching, key=lambda name: [int(part) for part in name.split(".")])
    chosen = os.environ | {"PYENV_VERSION": newest}
    found = subprocess.run([pyenv, "which", "python"], check=False, capture_output=True, text=True, env=chosen)
    return found.stdout.strip() or None


def _works(interpreter: str, version: str) -> bool:
    """Whether it really is that Python, and not a shim that would say so and fail."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([interpreter, "-c", program], check=False, capture_output=True, text=True)
    return answer.stdout.strip() == version


def interpreter(*versions: str) -> str | None:
    """The first of these Pythons that is installed here."""
    for version in versions:
        for candidate in (shutil.which(f"python{version}"), _pyenv(version)):
            if candidate and _works(candidate, version):
                return candidate
    return None


def compat_environment(session: nox.Session, requirements: str, *versions: str) -> Path:
    """An environment of its own with another Python and ansible-core; the folder of its tools."""
    python = interpreter(*versions)
    if python is None:
        session.skip(f"Python {' or '.join(versions)} is not installed here")
    folder = ROOT / ".nox" / f"env-{requirements}"
    if not (folder / "bin" / "python").exists():
        session.run(str(python), "-m", "venv", str(folder), external=True)
    pinned = str(ROOT / "requirements" / f"{requirements}.txt")
    run(session, "python", "-m", "pip", "install", "--quiet", "--requirement", pinned, tools=folder / "bin")
    return folder / "bin"


def compat(session: nox.Session, requirements: str, *versions: str) -> None:
    """The unit tests, then the demo (a whole distribution and its re-run, checked) with another ansible-core."""
    tools = compat_environment(session, requirements, *versions)
    run(session, "ansible", "--version", tools=tools)
    run(session, "pytest", *existing("tests/unit"), tools=tools)
    run(session, "python", "-m", "demo", "--quick", "--ansible-playbook", str(tools / "ansible-playbook"))


@nox.session(name="compat-2.16")
def compat_oldest(session: nox.Session) -> None:
    """The oldest supported ansible-core (slow, not in the default sessions)."""
    compat(session, "compat-2.16", "3.10", "3.11")


@nox.session(name="compat-newest")
def compat_newest(session: nox.Session) -> None:
    """The newest ansible-core (slow, not in the default sessions)."""
    compat(session, "compat-newest", "3.13", "3.12")
