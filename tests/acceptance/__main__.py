# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.acceptance`: the journey against real hosts, then against the lab, and what differed between them.

Creates and removes virtual machines, so it starts only when CONFIRM repeats the template's name.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from hyperv_lab import rehearsal
from hyperv_lab.client import Lab
from hyperv_lab.reading import ConfigError

from . import facts
from .journey import Journey
from .place import ROOT, Place, Stopped

OUTPUT = ROOT / "tests" / "output" / "acceptance"
LAB_DISK = {"size": "40GiB", "payload": "4MiB"}


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make acceptance", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inventory", default="", help="of the hosts; says distribute_source")
    parser.add_argument("--template", default="", help="name of a VM on the source that is Off")
    parser.add_argument("--confirm", default="", help="the template's name once more")
    parser.add_argument("--group", help="hosts of the inventory; without it the group hyperv, else all")
    parser.add_argument("--folder", type=Path, help="where everything is written")
    parser.add_argument("--without-lab", action="store_true", help="do not compare with the lab")
    return parser.parse_args(arguments)


def lab_config(targets: int, template: str) -> dict[str, Any]:
    """A lab of the same size."""
    config = rehearsal.scale(targets + 1)
    config["defaults"] |= {"network_rate": "50MiB", "disk_rate": "400MiB", "switches": ["Production"]}
    hosts = list(config["hosts"].values())
    hosts[0]["vms"] = [{"name": template, "switch": "Production", "disks": [LAB_DISK]}]
    return config


def in_the_lab(folder: Path, targets: int, template: str, tell: Any = print) -> Journey:
    """The journey against simulated hosts; what the lab says of itself counts as a statement."""
    with Lab.start(lab_config(targets, template), data=folder / "lab") as lab:
        content = lab.inventory()
        content["hyperv"]["vars"]["distribute_source"] = next(iter(lab.hosts))
        rehearsal.write(folder / "inventory.yml", yaml.safe_dump(json.loads(json.dumps(content))))
        journey = Journey(Place(folder / "inventory.yml", folder), template, tell)
        journey.run()
        if lab.bugs():
            raise Stopped(f"the lab had faults of its own: {lab.bugs()}")
    return journey


def report(folder: Path, journey: Journey, reference: Journey | None) -> Path:
    """report.md: the statements, and what these hosts answer other than the lab."""
    mine = facts.of(journey.place.recordings())
    (folder / "facts.json").write_text(json.dumps(mine, indent=1, sort_keys=True), encoding="utf-8")
    lines = ["# Acceptance", "", f"{len(journey.place.targets)} targets.", "", "## Statements", ""]
    lines += [f"- {'yes' if one.true else '**NO**'}: {one.text}" for one in journey.statements]
    lines += [f"- not taken: {text}" for text in journey.untaken]
    lines += ["", "## What differed from the lab", ""]
    if reference is None:
        lines.append("Not compared.")
    else:
        found = facts.differences(mine, facts.of(reference.place.recordings()))
        lines += [f"- {line}" for line in found] or ["Nothing."]
    path = folder / "report.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def main(arguments: list[str]) -> int:
    given = parse(arguments)
    if not given.inventory or not given.template:
        print("Say which hosts and which template: make acceptance INVENTORY=hosts.yml TEMPLATE=name", file=sys.stderr)
        return 2
    folder = given.folder or OUTPUT / datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    try:
        return travel(given, folder.absolute())
    except (ConfigError, Stopped) as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 2


def travel(given: argparse.Namespace, folder: Path) -> int:
    journey = Journey(Place(Path(given.inventory), folder, given.group), given.template)
    if not journey.place.targets:
        raise Stopped(f"{given.inventory} has no host beside the source")
    print("This will:", *(f"  - {line}" for line in journey.plan()), sep="\n", flush=True)
    if given.confirm != given.template:
        print(f"Nothing was done. If you agree: make acceptance … CONFIRM={given.template}", file=sys.stderr)
        return 2
    try:
        good = journey.run()
    finally:
        journey.place.forget_raw()
    reference = None
    if not given.without_lab:
        print("The same against the lab, to compare:", flush=True)
        reference = in_the_lab(folder / "reference", len(journey.place.targets), given.template, tell=lambda text: None)
    print(f"Report: {report(folder, journey, reference)}", f"Recordings, cleaned: {folder / 'recordings'}", sep="\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
