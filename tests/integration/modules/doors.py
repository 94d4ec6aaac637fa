# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two doors to an operation, as people use them: ansible-playbook over an inventory, with a lab behind it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from hyperv_lab.client import Lab

from tests.integration.ending import with_this_process

HERE = Path(__file__).resolve().parent
ANSIBLE = Path(sys.executable).parent
NET = "127.0.31"
Values = dict[str, t.Any]

T_ID = "aaaaaaaa-0000-4000-8000-000000000001"
WEB_ID = "bbbbbbbb-0000-4000-8000-000000000002"
COPY_ID = "cccccccc-0000-4000-8000-000000000003"
CLONED_ID = "dddddddd-0000-4000-8000-000000000004"
TWIN_ID = "eeeeeeee-0000-4000-8000-000000000005"
NO_ID = "ffffffff-0000-4000-8000-00000000000f"
PASSWORD = "Lab-Passw0rd!"


def stamp(vm_id: str) -> str:
    """The line that makes a VM a copy of the template."""
    values = {
        "fanout.hyperv": 1,
        "vm": vm_id,
        "kind": "copy",
        "template": T_ID,
        "name": "win11-gold",
        "source": "hv01",
        "revision": "0123456789ab",
    }
    return json.dumps(values, separators=(",", ":"))


def vm(name: str, vm_id: str, **more: t.Any) -> Values:
    """A small VM for lab.yml."""
    disks = [{"size": "1GiB", "payload": "8MiB"}]
    return {"name": name, "id": vm_id, "generation": 2, "switch": "Production", "state": "Off", "disks": disks, **more}


def config() -> Values:
    """Two hosts; on the first one a template, a VM to move, and VMs that are ours or only look so."""
    vms = [
        vm("win11-gold", T_ID, notes="Ask Ada before you change this."),
        vm("web01", WEB_ID),
        vm("a copy", COPY_ID, notes=stamp(COPY_ID)),
        vm("cloned from a copy", CLONED_ID, notes=stamp(COPY_ID)),
        vm("win11-gold1", TWIN_ID),
    ]
    return {
        "domain": "lab.test",
        "clock": "real",
        "users": [{"name": "labadmin", "password": PASSWORD, "groups": ["Administrators"]}],
        "delegation": "any",
        "defaults": {
            "http_port": 0,
            "https_port": 0,
            "network_rate": "500MiB",
            "disk_rate": "2GiB",
            "volumes": {"C": "20GiB", "D": "20GiB"},
        },
        "hosts": {"hv01": {"address": f"{NET}.1", "vms": vms}, "hv02": {"address": f"{NET}.2"}},
    }


@dataclass(frozen=True)
class Task:
    """One task; ``keywords`` are those of Ansible."""

    module: str
    args: Mapping[str, t.Any] = field(default_factory=dict)
    host: str = "hv01"
    check: bool = False
    keywords: Mapping[str, t.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """What became of one task."""

    outcome: str
    result: Values

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))

    @property
    def code(self) -> str | None:
        return t.cast("str | None", (self.result.get("error") or {}).get("code"))


class Door:
    """One way to run tasks. ``action``: in the worker, by inventory variables; ``module``: a process elsewhere."""

    def __init__(self, lab: Lab, kind: str, folder: Path, variables: str = "psrp") -> None:
        self.lab = lab
        self.kind = kind
        self.folder = folder
        self.output = ""
        inventory = lab.inventory(variables)
        self._hosts = {
            name: {**inventory["hyperv"]["vars"], **own} for name, own in inventory["hyperv"]["hosts"].items()
        }
        self._inventory = inventory if kind == "action" else self._elsewhere()
        self._runs = 0

    def _elsewhere(self) -> Values:
        common = {"ansible_connection": "elsewhere", "ansible_python_interpreter": sys.executable}
        return {"hyperv": {"hosts": {name: {} for name in self._hosts}, "vars": common}}

    def connection(self, host: str) -> Values:
        """How a module reaches that host."""
        known = self._hosts[host]
        return {
            "server": known["ansible_host"],
            "port": known["ansible_port"],
            "username": known["ansible_user"],
            "password": known["ansible_password"],
            "ca_cert": str(self.lab.ca),
            "ignore_proxy": True,
        }

    def run(
        self,
        *tasks: Task,
        environment: Mapping[str, str] | None = None,
        verbose: bool = False,
        plays: Values | None = None,
    ) -> list[Ran]:
        """Run the tasks in this order, whatever becomes of each."""
        self._runs += 1
        folder = self.folder / f"{self.kind}-{self._runs}"
        folder.mkdir(parents=True)
        playbook = [self._play(number, task) for number, task in enumerate(tasks)]
        (folder / "inventory.yml").write_text(yaml.safe_dump(self._inventory))
        (folder / "play.yml").write_text(yaml.safe_dump(playbook, sort_keys=False))
        return self._results(folder, self._ansible(folder, environment or {}, verbose), len(tasks))

    def _play(self, number: int, task: Task) -> Values:
        args = dict(task.args)
        if self.kind == "module":
            args = {**self.connection(task.host), **args}
            for role in ("source", "destination"):
                if args.get(role):
                    args.setdefault(f"{role}_connection", self.connection(args[role]))
        one = {
            "name": str(number),
            f"fanout.hyperv.{task.module}": args,
            "check_mode": task.check,
            "diff": True,
            "ignore_errors": True,
            "ignore_unreachable": True,
            **task.keywords,
        }
        return {"hosts": task.host, "gather_facts": False, "tasks": [one]}

    def _ansible(self, folder: Path, environment: Mapping[str, str], verbose: bool) -> Path:
        results = folder / "results"
        (folder / "ansible.cfg").write_text("[defaults]\ncallbacks_enabled = collect\nretry_files_enabled = false\n")
        ran = subprocess.run(
            [str(ANSIBLE / "ansible-playbook"), "-i", "inventory.yml", "play.yml", *(["-vvv"] if verbose else [])],
            cwd=folder,
            env={
                **os.environ,
                "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
                "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "plugins" / "callback"),
                "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "plugins" / "connection"),
                "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
                "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
                "COLLECT_RESULTS": str(results),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
            preexec_fn=with_this_process,
        )
        self.output = ran.stdout + ran.stderr
        return results

    def _results(self, folder: Path, results: Path, expected: int) -> list[Ran]:
        lines = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
        ran = {int(line["task"]): Ran(line["outcome"], line["result"]) for line in lines if line["task"].isdigit()}
        assert sorted(ran) == list(range(expected)), f"{folder}: {len(ran)} results of {expected}\n{self.output}"
        return [ran[number] for number in range(expected)]


def writes(lab: Lab, since: int) -> list[str]:
    """The writing commands that the lab has seen since then."""
    return [
        f"{call['host']}: {call['command']} {call['parameters']}" for call in lab.calls(since=since) if call["writes"]
    ]


# Two results of two labs are the same but for ids that are made, revisions, times and how a host is called.

_OWN = {T_ID, WEB_ID, COPY_ID, CLONED_ID, TWIN_ID, NO_ID}
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_REVISION = re.compile(r"(?<![0-9a-f-])(?=[0-9a-f]*[0-9])[0-9a-f]{12}(?![0-9a-f-])")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)?")
_NOT_RESULTS = ("invocation", "warnings", "deprecations", "exception", "ansible_facts")


def canonical(ran: Sequence[Ran], lab: Lab) -> list[Values]:
    """Results in a form in which those of both doors are equal."""
    kept = [
        {"outcome": one.outcome, **{k: v for k, v in one.result.items() if k not in _NOT_RESULTS and k[0] != "_"}}
        for one in ran
    ]
    text = json.dumps(kept)
    for name, where in lab.hosts.items():
        text = text.replace(f"{where['address']}:{where['https']}", f"{name}:https").replace(where["address"], name)
    for pattern, word in ((_GUID, "id"), (_REVISION, "revision")):
        text = pattern.sub(_Numbers(word), text)
    return t.cast("list[Values]", json.loads(_TIME.sub("<time>", text)))


def timeless(value: t.Any) -> t.Any:
    """The same without what time it was."""
    return json.loads(_TIME.sub("<time>", json.dumps(value)))


class _Numbers:
    """Gives each value that was made by a lab a number, in the order in which they come."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._seen: dict[str, str] = {}

    def __call__(self, found: re.Match[str]) -> str:
        value = found.group().lower()
        return value if value in _OWN else self._seen.setdefault(value, f"<{self._word} {len(self._seen)}>")
