# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Distribute a template VM to six simulated Hyper-V hosts, twice, and prove from outside what happened.

make demo                                   with the small disk that lies here
make demo TEMPLATE_DISK=path/to/any.vhdx    with a real one
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hyperv_lab.client import Lab, LabError

from . import call_log, disks, playbook
from .call_log import Statement

FOLDER = playbook.ROOT / ".demo"
TEMPLATE = "win11-gold"
SOURCE = "hv01"
CONCURRENCY = 2  # the role's default


@dataclass(frozen=True)
class Options:
    ansible_playbook: str
    template_disk: str
    seconds: float
    folder: Path


def parse(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="make demo", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--ansible-playbook",
        default=str(Path(sys.executable).parent / "ansible-playbook"),
        help="that of another environment",
    )
    parser.add_argument("--template-disk", default=os.environ.get("TEMPLATE_DISK", ""), help="any VHDX")
    parser.add_argument(
        "--quick", action="store_true", help="copy as fast as still shows copies side by side, for tests"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where everything of the demo lies; emptied first")
    given = parser.parse_args(arguments)
    return Options(given.ansible_playbook, given.template_disk, 15.0 if given.quick else 24.0, given.folder.resolve())


def empty(folder: Path) -> None:
    """A fresh folder; one that is not the demo's own is never emptied."""
    mark = folder / ".fanout-demo"
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise disks.DemoError(f"{folder} holds other things")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mark.touch()


def lab_config(disk: Path, rates: disks.Rates) -> dict[str, Any]:
    """demo/lab.yml with the disk and the rates of this run."""
    text = (playbook.ROOT / "demo" / "lab.yml").read_text(encoding="utf-8")
    config: dict[str, Any] = yaml.safe_load(text)
    config["defaults"] |= {"network_rate": rates.network, "disk_rate": rates.disk}
    config["hosts"][SOURCE]["vms"][0]["disks"] = [{"file": str(disk)}]
    return config


def status_statements(folder: Path) -> list[Statement]:
    """The status file says what the hosts hold."""
    files = sorted((folder / "fanout-status").glob("*.json"))
    statements = [Statement(f"one status file: {', '.join(map(str, files))}", len(files) == 1)]
    for file in files:
        document = json.loads(file.read_text(encoding="utf-8"))
        words = {name: (told["state"], told["progress"]) for name, told in document["providers"].items()}
        good = sum(word == ("Ready", "OK") for word in words.values())
        text = f"it says {document['distribution']}, and of {good} of {len(words)} providers Ready, OK"
        statements.append(Statement(text, document["distribution"] == "OK" and good == len(words) > 0))
    return statements


def tell(heading: str, statements: Sequence[Statement]) -> bool:
    print(f"\n{heading}")
    print("\n".join(map(str, statements)), flush=True)
    return all(statement.true for statement in statements)


def show(lab: Lab, options: Options, disk: Path, targets: list[str]) -> bool:
    """Both runs, each followed by what can be seen from outside."""
    data = lab.data / "hosts"
    began = time.monotonic()
    first = playbook.distribute(options.ansible_playbook, options.folder, TEMPLATE)
    took = time.monotonic() - began
    calls = lab.calls()
    proven = tell(
        f"First run ({took:.0f} s), seen by the hosts:",
        [
            Statement(f"ansible-playbook ended with exit code {first.code}", first.code == 0),
            *call_log.first_run(calls, concurrency=CONCURRENCY, targets=len(targets)),
            disks.leftovers(data, SOURCE, disk),
        ],
    )
    proven &= tell("The disks, compared byte for byte:", disks.compare(data, disk, targets))
    print(f"       {disks.sha256(disk)}  {disk}")
    proven &= tell("The status file:", status_statements(options.folder))
    second = playbook.distribute(options.ansible_playbook, options.folder, TEMPLATE)
    again = lab.calls(since=max((call["n"] for call in calls), default=0))
    proven &= tell(
        "Second run, seen by the hosts:",
        [
            Statement(f"ansible-playbook ended with exit code {second.code}", second.code == 0),
            Statement(
                f"changed=0 on all {len(second.recap)} hosts{second.changed() or ''}",
                len(second.recap) > 0 and not second.changed(),
            ),
            *call_log.second_run(again),
        ],
    )
    proven &= tell("The status file:", status_statements(options.folder))
    return proven & tell("The lab:", [Statement(f"it had no fault of its own{lab.bugs() or ''}", not lab.bugs())])


def run(options: Options) -> bool:
    empty(options.folder)
    disk = disks.template_disk(options.template_disk, options.folder)
    config = lab_config(disk, disks.Rates.for_copies(disk.stat().st_size, 6, options.seconds))
    lab_file = options.folder / "lab.yml"
    lab_file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    with Lab.start(lab_file, data=options.folder / "lab") as lab:
        user = config["users"][0]
        content = playbook.inventory(lab.hosts, str(lab.ca), user["name"], user["password"])
        playbook.write_inventory(options.folder / "inventory.yml", content)
        targets = sorted(name for name in lab.hosts if name != SOURCE)
        print(f"The lab simulates {len(lab.hosts)} Hyper-V hosts; the template's disk is {disk}.")
        print(f"Configuration, inventory and status file lie in {options.folder}.")
        return show(lab, options, disk, targets)


def main() -> int:
    try:
        proven = run(parse(sys.argv[1:]))
    except (disks.DemoError, LabError) as error:
        print(f"The demo cannot be shown: {error}", file=sys.stderr)
        return 2
    print(f"\n{'All of it is true.' if proven else 'Not all of it is true: see the lines with NO.'}")
    return 0 if proven else 1


if __name__ == "__main__":
    sys.exit(main())
