# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-test sanity over what the built archive holds.

python -m tests.checks.ansible_test FOLDER [TEST ...]    the folder with the archive

ansible-test wants a checkout below ansible_collections and outside of any git repository, and fetches pip's installer
from a place that closed networks do not reach. So the archive is unpacked into a temporary folder, and a stand-in for
the installer uses the pip that Python carries. ansible-test's own environments are kept in FOLDER.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.checks.built_collection import archive_in

TESTS = (
    "action-plugin-docs",
    "ignores",
    "import",
    "no-assert",
    "no-smart-quotes",
    "runtime-metadata",
    "shebang",
    "validate-modules",
)
INSTALLERS = ("get_pip_24_2.py", "get_pip_25_2.py")
STAND_IN = """\
import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *wanted], check=True)
"""


def unpack(archive: Path, folder: Path) -> Path:
    """The collection as ansible-test wants to see it."""
    collection = folder / "ansible_collections" / "fanout" / "hyperv"
    collection.mkdir(parents=True)
    with tarfile.open(archive) as opened:
        opened.extractall(collection, filter="data")
    return collection


def home(folder: Path) -> Path:
    """A home of its own for ansible-test, with the stand-in where it keeps what it has fetched."""
    own = folder / "ansible-test"
    cache = own / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in INSTALLERS:
        (cache / name).write_text(STAND_IN, encoding="utf-8")
    return own


def sanity(collection: Path, own_home: Path, tests: Sequence[str]) -> int:
    """Run the tests and show what they say; that nothing was looked at is no success."""
    tool = Path(sys.executable).with_name("ansible-test")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    chosen = [part for test in tests for part in ("--test", test)]
    command = [str(tool), "sanity", "--local", "--python", version, "--color", "no", *chosen]
    own = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "ANSIBLE_COLLECTIONS_PATH")}
    own |= {"HOME": str(own_home), "PIP_QUIET": "1", "PATH": f"{tool.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=collection, env=own, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    print(done.stdout)
    return 1 if "All targets skipped" in done.stdout else done.returncode


def main(arguments: Sequence[str]) -> int:
    output = Path(arguments[0]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        return sanity(unpack(archive_in(output), Path(folder)), home(output), arguments[1:] or TESTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
