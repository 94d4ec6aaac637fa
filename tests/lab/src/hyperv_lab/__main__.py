# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a lab: ``python -m hyperv_lab lab.yml``. One line of JSON on standard output says where it listens."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import yaml

from . import lab_yml
from .config import LabConfig
from .kdc import KerberosMissing
from .lab import Lab
from .reading import ConfigError


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m hyperv_lab", description="Simulated Hyper-V hosts on loopback.")
    parser.add_argument("config", type=Path, metavar="lab.yml")
    parser.add_argument("--data", type=Path, help="where the hosts' files lie; without it a temporary folder")
    parser.add_argument("--folder", type=Path, help="where relative file names start; without it beside lab.yml")
    parser.add_argument("--with-stdin", action="store_true", help="end when standard input ends")
    return parser.parse_args()


def _load(path: Path, folder: Path | None) -> LabConfig:
    if folder is None:
        return lab_yml.load(path)
    return lab_yml.load(yaml.safe_load(path.read_text(encoding="utf-8")), folder)


def _raise_file_limit() -> None:
    """Some hundred hosts need some hundred sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else max(soft, 65536), hard))


def _asked_to_end(with_stdin: bool) -> asyncio.Event:
    """An event that signals set, and the end of standard input."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            end.set()

    if with_stdin:
        loop.add_reader(sys.stdin.fileno(), read)
    return end


async def _run(config: LabConfig, data: Path, with_stdin: bool) -> None:
    end = _asked_to_end(with_stdin)
    lab = Lab(config, data)
    try:
        await lab.start()
        print(json.dumps(lab.announcement()), flush=True)
        await end.wait()
    finally:
        await lab.stop()


def main() -> int:
    arguments = _parse()
    try:
        config = _load(arguments.config, arguments.folder)
    except ConfigError as error:
        print(f"{arguments.config}: {error}", file=sys.stderr)
        return 2
    _raise_file_limit()
    data = arguments.data or Path(tempfile.mkdtemp(prefix="hyperv-lab-"))
    try:
        asyncio.run(_run(config, data, arguments.with_stdin))
    except (OSError, KerberosMissing) as error:
        print(f"The lab cannot start: {error}", file=sys.stderr)
        return 1
    finally:
        if arguments.data is None:
            shutil.rmtree(data, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
