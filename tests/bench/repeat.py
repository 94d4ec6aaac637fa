# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run costs that has nothing to do, per provider: it has to grow flat.

Beside it what Ansible itself takes for a task that does nothing: machines differ, and one machine from hour to hour.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path, PureWindowsPath

from hyperv_lab.client import Lab

from tests.integration.distribution.site import ANSIBLE, Site, config, vm

from .measuring import least, table

GOAL_MS = 150
RUNS = 3


def measure(folder: Path, sizes: list[int]) -> None:
    """Supply the largest number of providers once, then repeat the run over parts of them."""
    folder.mkdir(parents=True)
    most = max(sizes)
    lab_config = config(
        targets=0,
        vms=[vm(disks=[{"size": "1GiB"}])],
        network_rate="10GiB",
        disk_rate="10GiB",
        migration={"enabled": True, "authentication": "Kerberos", "simultaneous": 64, "storage": 64},
    )
    names = [f"hv{number:03}" for number in range(2, most + 2)]
    lab_config["hosts"] |= {
        name: {"address": f"127.0.{21 + number // 200}.{1 + number % 200}"} for number, name in enumerate(names)
    }
    with Lab.start(lab_config, data=folder / "lab") as lab:
        controller = folder / "controller"
        controller.mkdir()
        site = Site(lab=lab, folder=controller)
        played = site.distribute("--limit", names[0])
        assert played.code == 0, played.output
        copy_to_all(site, names)
        played = site.distribute("--limit", ",".join(names))  # the record learns that they have their copies
        assert played.code == 0, played.output
        rows = [_row(site, names[:size], size) for size in sizes]
    table(
        f"A run that has nothing to do (CPU of ansible-playbook and its workers, the least of {RUNS} runs)",
        ["providers", "CPU (s)", "per provider (ms)", "without start-up (ms)", "goal", "Ansible's bare task (ms)"],
        rows,
    )


def copy_to_all(site: Site, names: list[str]) -> None:
    """What the run has made on the first provider, put on all others: supplying 300 would take longer than it tells.

    That it is right shows in the runs that are measured: they find every copy verified and change nothing.
    """
    (made,) = site.vms(names[0])
    (disk,) = made["disks"]
    folder = made["path"]
    root = Path(site.lab.data) / "hosts"
    baseline = PureWindowsPath(folder, "baseline.json")
    text = below(root / names[0], baseline).read_text(encoding="utf-8-sig")
    for name in names[1:]:
        vm_id = str(uuid.uuid4())
        settings = {
            "name": made["name"],
            "id": vm_id,
            "path": folder,
            "notes": made["notes"].replace(made["id"], vm_id),
            "disks": [{"file": str(below(root / names[0], PureWindowsPath(disk["path"])))}],
        }
        added = site.lab.add_vm(name, **settings)
        place = below(root / name, baseline)
        place.parent.mkdir(parents=True, exist_ok=True)
        document = json.loads(text.replace(made["id"], vm_id))
        document["disks"][0]["path"] = added["disks"][0]["path"]
        place.write_text(json.dumps(document))


def below(host: Path, path: PureWindowsPath) -> Path:
    """Where a path of a simulated host really lies."""
    return host.joinpath(path.drive.rstrip(":"), *path.parts[1:])


def _row(site: Site, names: list[str], size: int) -> list[str]:
    since = site.last_call()
    folder, environment = site.folder, site.environment()
    alone = least(RUNS, site.command("--limit", names[0]), folder=folder, environment=environment)
    everybody = site.command("--limit", ",".join(names), "--forks", "20")
    spent = least(RUNS, everybody, folder=folder, environment=environment)
    assert site.writes(since) == [], site.writes(since)
    each = 1000 * spent.cpu / size
    slope = 1000 * (spent.cpu - alone.cpu) / (size - 1)
    return [str(size), f"{spent.cpu:.1f}", f"{each:.0f}", f"{slope:.0f}", f"<= {GOAL_MS}", f"{_bare(site, names):.0f}"]


def _bare(site: Site, names: list[str]) -> float:
    """Milliseconds of CPU for a task that does nothing, on one host: what this machine makes of the rest."""
    spent = []
    for count in (1, 3):
        play = {
            "hosts": ",".join(names),
            "gather_facts": False,
            "tasks": [{"ansible.builtin.debug": {"msg": ""}}] * count,
        }
        (site.folder / "bare.yml").write_text(json.dumps([play]))
        command = [str(ANSIBLE / "ansible-playbook"), "-i", "inventory.yml", "--forks", "20", "bare.yml"]
        spent.append(least(RUNS, command, folder=site.folder, environment=site.environment()).cpu)
    return 1000 * (spent[1] - spent[0]) / (2 * len(names))


__all__ = ("measure",)
