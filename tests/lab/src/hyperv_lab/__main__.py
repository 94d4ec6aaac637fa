# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a lab. One line of JSON on standard output says where it listens; what people want to read is on the other.

python -m hyperv_lab lab.yml                       hosts as described
python -m hyperv_lab --from-inventory hosts.yml    one for each host of an inventory, to rehearse a playbook
python -m hyperv_lab --scale 300                   that many
"""

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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import lab_yml, rehearsal
from .config import LabConfig
from .kdc import KerberosMissing
from .lab import Lab
from .reading import ConfigError

MOST = 5000
Told = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What is started, where its files lie, and what is to do as soon as it listens."""

    config: LabConfig
    data: Path | None = None
    announced: Callable[[Told], None] = lambda told: None


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m hyperv_lab",
        description="Simulated Hyper-V hosts on loopback addresses.",
        epilog="docs/rehearsal.md leads through it.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("config", type=Path, metavar="lab.yml", nargs="?", help="hosts as described there")
    what.add_argument("--from-inventory", type=Path, metavar="PATH", action="append", help="may be given several times")
    what.add_argument("--scale", type=_count, metavar="N", help="N hosts without virtual machines")
    parser.add_argument("--group", help="hosts of the inventory to simulate; without it the group hyperv, else all")
    parser.add_argument("--template", help="name of a VM to put onto the inventory's source")
    parser.add_argument(
        "--into", type=Path, default=Path("rehearsal"), help="folder of lab.yml and overlay (rehearsal)"
    )
    parser.add_argument("--playbooks", type=Path, metavar="FOLDER", help="where the playbook lies, if not beside PATH")
    parser.add_argument("--inventory", type=Path, metavar="PATH", help="write an inventory of the started hosts")
    parser.add_argument("--data", type=Path, help="where the hosts' files lie; without it a temporary folder")
    parser.add_argument("--folder", type=Path, help="where relative file names start; without it beside lab.yml")
    parser.add_argument("--with-stdin", action="store_true", help="end when standard input ends")
    given = parser.parse_args()
    if given.from_inventory is None and (given.group or given.template or given.playbooks):
        parser.error("--group, --template and --playbooks belong to --from-inventory")
    return given


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hosts from 1 to {MOST}")
    return int(text)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _plan(given: argparse.Namespace) -> Plan:
    if given.from_inventory:
        return _rehearse(given)
    if given.scale:
        config = lab_yml.load(rehearsal.scale(given.scale))
    elif given.folder is None:
        config = lab_yml.load(given.config)
    else:
        config = lab_yml.load(yaml.safe_load(given.config.read_text(encoding="utf-8")), given.folder)
    return Plan(config, given.data, lambda told: _write_inventory(given.inventory, config, told))


def _write_inventory(path: Path | None, config: LabConfig, told: Told) -> None:
    if path is not None:
        content = rehearsal.plain_inventory(config, told)
        rehearsal.write(path, yaml.safe_dump(content, sort_keys=False))


def _rehearse(given: argparse.Namespace) -> Plan:
    paths, folder = [path.absolute() for path in given.from_inventory], given.into.absolute()
    inventory = rehearsal.read(paths, given.group)
    source = ", ".join(map(str, given.from_inventory))
    config = rehearsal.load(inventory, folder, source, given.template)

    def announced(told: Told) -> None:
        overlay = rehearsal.write_overlay(folder, inventory, config, told)
        rehearsal.check(paths, overlay, given.playbooks or paths[0].parent)
        _write_inventory(given.inventory, config, told)
        words = " ".join(f"-i {path}" for path in (*given.from_inventory, given.into / "inventory"))
        left_out = len(inventory.hosts) - len(inventory.chosen)
        _say(f"{len(inventory.chosen)} hosts of {source} are simulated, as {given.into / 'lab.yml'} describes them.")
        if left_out:
            _say(f"{left_out} others of the inventory are left out; with the overlay they cannot be reached.")
        if not any(host.vms for host in config.hosts):
            _say(f"None of them has a virtual machine: --template NAME, or vms in {given.into / 'lab.yml'}.")
        _say(f"Rehearse with: ansible-playbook {words} PLAYBOOK\nCtrl-C ends it.")

    return Plan(config, given.data, announced)


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


async def _run(plan: Plan, data: Path, with_stdin: bool) -> None:
    end = _asked_to_end(with_stdin)
    lab = Lab(plan.config, data)
    try:
        await lab.start()
        told = lab.announcement()
        plan.announced(told)
        print(json.dumps(told), flush=True)
        await end.wait()
    finally:
        await lab.stop()


def main() -> int:
    given = _parse()
    try:
        plan = _plan(given)
    except ConfigError as error:
        _say(f"{given.config}: {error}" if given.config else str(error))
        return 2
    except OSError as error:
        _say(f"{error.filename}: {error.strerror}")
        return 2
    _raise_file_limit()
    data = plan.data or Path(tempfile.mkdtemp(prefix="hyperv-lab-"))
    try:
        asyncio.run(_run(plan, data, given.with_stdin))
    except ConfigError as error:
        _say(str(error))
        return 2
    except (OSError, KerberosMissing) as error:
        _say(f"The lab cannot start: {error}")
        return 1
    finally:
        if plan.data is None:
            shutil.rmtree(data, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
