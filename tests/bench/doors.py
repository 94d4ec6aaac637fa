# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU per host and task through each front door: as a module process, and inside the Ansible worker."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path
from statistics import median

import yaml
from hyperv_lab.client import Lab

from tests.integration.distribution.site import ANSIBLE, ROOT, Site, config

from .measuring import cost, table

HOSTS = 10
FEW, MANY = 1, 4
ROUNDS = 3
PLAIN = {
    "fanout.hyperv.distribution_check": {
        "template": "gold",
        "source": "hv01",
        "concurrency": 2,
        "forks": 10,
        "known_hosts": ["hv01"],
    }
}
ASKING: dict[str, t.Any] = {"fanout.hyperv.vm_info": {}}

Values = dict[str, t.Any]


def measure(folder: Path) -> None:
    folder.mkdir(parents=True)
    lab_config = config(targets=0)
    lab_config["hosts"] |= {f"hv{n:02}": {"address": f"127.0.20.{n}"} for n in range(2, HOSTS + 1)}
    with Lab.start(lab_config, data=folder / "lab") as lab:
        controller = folder / "controller"
        controller.mkdir()
        site = Site(lab=lab, folder=controller)
        bare = without_routing(folder / "collections")
        rows = []
        for what, task, goal in (("opens no session", PLAIN, 12), ("opens a session", ASKING, 4)):
            module = per_task(site, as_module(site, task), bare)
            action = per_task(site, task, None)
            ratio = module / action
            rows.append([what, f"{module:.0f}", f"{action:.1f}", f"{ratio:.1f}", f">= {goal}"])
    table(
        f"CPU per host and task ({HOSTS} hosts, slope between {FEW} and {MANY} tasks, median of {ROUNDS})",
        ["task", "module (ms)", "action (ms)", "times leaner", "goal"],
        rows,
    )


def without_routing(folder: Path) -> Path:
    """The collection with nothing that leads its modules to the action plugin."""
    here = folder / "ansible_collections" / "fanout" / "hyperv"
    (here / "meta").mkdir(parents=True)
    (here / "plugins").symlink_to(ROOT / "plugins")
    (here / "galaxy.yml").symlink_to(ROOT / "galaxy.yml")
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    runtime["plugin_routing"].pop("action")
    (here / "meta" / "runtime.yml").write_text(yaml.safe_dump(runtime))
    return folder


def as_module(site: Site, task: Values) -> Values:
    """The same task on the control node, told how its host is reached; the password comes from the environment."""
    variables = yaml.safe_load((site.folder / "inventory.yml").read_text())["hyperv"]["vars"]
    ((name, arguments),) = task.items()
    connection = (
        {}
        if task is PLAIN
        else {
            "server": "{{ ansible_host }}",
            "port": "{{ ansible_port }}",
            "username": variables["ansible_user"],
            "password": variables["ansible_password"],
            "ca_cert": variables["ansible_psrp_ca_cert"],
            "protocol": "https",
        }
    )
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    return {name: {**arguments, **connection}, "vars": local}


def per_task(site: Site, task: Values, collections: Path | None) -> float:
    """Milliseconds of CPU for one task on one host."""
    return median(_slope(site, task, collections) for _ in range(ROUNDS))


def _slope(site: Site, task: Values, collections: Path | None) -> float:
    few, many = (_spent(site, task, count, collections) for count in (FEW, MANY))
    return 1000 * (many - few) / (HOSTS * (MANY - FEW))


def _spent(site: Site, task: Values, count: int, collections: Path | None) -> float:
    play = [{"hosts": "hyperv", "gather_facts": False, "tasks": [task] * count}]
    (site.folder / "bench.yml").write_text(yaml.safe_dump(play))
    environment = site.environment()
    if collections is not None:
        environment["ANSIBLE_COLLECTIONS_PATH"] = str(collections)
    command = [str(ANSIBLE / "ansible-playbook"), "-i", "inventory.yml", "--forks", "10", "bench.yml"]
    spent = cost(command, folder=site.folder, environment=environment)
    assert spent.code == 0, spent.output
    return spent.cpu


__all__ = ("measure",)
