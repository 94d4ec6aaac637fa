# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site for tests: a lab, an inventory as people write it, and ansible-playbook as people run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_file import StatusFile
from hyperv_lab.client import Lab

from demo import playbook as recaps
from tests.integration.ending import with_this_process

ROOT = Path(__file__).resolve().parents[3]
ANSIBLE = Path(sys.executable).parent
SOURCE = "hv01"
TEMPLATE = "win11-gold"
TARGETS = tuple(f"hv{number:02}" for number in range(2, 8))
MIB = 1024**2
SCHEMA = json.loads((ROOT / "docs" / "status.schema.json").read_text())
"""Of status files."""
PATIENCE = 90.0
"""Seconds after which a test gives up to wait for something that has to happen."""

Values = dict[str, t.Any]

CONFIG = """
[defaults]
forks = 20
internal_poll_interval = 0.02
callbacks_enabled = fanout.hyperv.distribution_status
retry_files_enabled = false
"""


@dataclass(frozen=True)
class Played:
    """How ansible-playbook ended."""

    code: int
    output: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        return recaps.recap(self.output.splitlines())

    @property
    def changed(self) -> dict[str, int]:
        return {host: counts["changed"] for host, counts in self.recap.items() if counts["changed"]}

    @property
    def summary(self) -> Values:
        """What the run has published with set_stats; ansible.cfg has to say ``show_custom_stats``."""
        (line,) = (line for line in self.output.splitlines() if line.strip().startswith("RUN: {"))
        summary: Values = json.loads(line.partition("RUN:")[2])["fanout"]
        return summary


def vm(name: str = TEMPLATE, **more: t.Any) -> Values:
    """A template VM for lab.yml: a real VHDX with some MiB that do not compress."""
    return {
        "name": name,
        "generation": 2,
        "memory": "4GiB",
        "processors": 2,
        "switch": "Production",
        "state": "Off",
        "disks": [{"size": "40GiB", "payload": "8MiB"}],
        **more,
    }


def config(targets: int = 6, vms: list[Values] | None = None, **defaults: t.Any) -> Values:
    """lab.yml with one source and some targets."""
    hosts: Values = {SOURCE: {"address": "127.0.20.1", "vms": [vm()] if vms is None else vms}}
    hosts |= {name: {"address": f"127.0.20.{number}"} for number, name in enumerate(TARGETS[:targets], start=2)}
    return {
        "domain": "lab.test",
        "clock": "real",
        "delegation": "any",
        "users": [{"name": "labadmin", "password": "Lab-Passw0rd!", "groups": ["Administrators"]}],
        "defaults": {
            "version": 2022,
            "http_port": 0,
            "https_port": 0,
            "network_rate": "16MiB",
            "disk_rate": "400MiB",
            "volumes": {"C": "100GiB"},
            "switches": ["Production"],
            "migration": {"enabled": True, "authentication": "Kerberos", "simultaneous": 4, "storage": 4},
            **defaults,
        },
        "hosts": hosts,
    }


@dataclass
class Site:
    """One lab with everything that a user has beside it. ``ansible`` is the folder of ansible-playbook's commands."""

    lab: Lab
    folder: Path
    variables: str = "psrp"
    ansible: Path = ANSIBLE
    timeout: t.ClassVar[float] = 170
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "ansible.cfg").write_text(CONFIG)
        self.write_inventory(self.lab.inventory(variables=self.variables))

    def write_inventory(self, content: Mapping[str, t.Any]) -> None:
        """Hosts of the lab as the group ``hyperv``; the source's name as a variable of that group."""
        text = json.loads(json.dumps(content))
        for group in text.values():
            group.setdefault("vars", {})["distribute_source"] = SOURCE
        path = self.folder / "inventory.yml"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(text, sort_keys=False))

    def command(
        self, *arguments: str, template: str | list[str] = TEMPLATE, playbook: str = "distribute", **extra: t.Any
    ) -> list[str]:
        variables = json.dumps({"distribute_template": template, **extra})
        called = [str(self.ansible / "ansible-playbook"), f"fanout.hyperv.{playbook}"]
        return [*called, "-i", "inventory.yml", "-e", variables, *arguments]

    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        own.pop("PYTHONPATH", None)
        return own | {
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
            "ANSIBLE_NOCOLOR": "1",
            "COLUMNS": "160",
        }

    def distribute(self, *arguments: str, **extra: t.Any) -> Played:
        """Run the playbook to its end."""
        return self.run(self.command(*arguments, **extra))

    def run(self, command: Sequence[str], *, timeout: float | None = None) -> Played:
        """Run a command to its end, without a terminal."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout or self.timeout,
            check=False,
            preexec_fn=with_this_process,
        )
        return Played(done.returncode, done.stdout)

    def play(self, playbook: str, *arguments: str, **extra: t.Any) -> Played:
        """Run another playbook of the collection to its end."""
        return self.distribute(*arguments, playbook=playbook, **extra)

    @contextmanager
    def distributing(self, *arguments: str, **extra: t.Any) -> Iterator[subprocess.Popen[str]]:
        """Run the playbook beside the test; it is ended when the test is done with it."""
        with self.beside(self.command(*arguments, **extra)) as process:
            yield process

    @contextmanager
    def beside(self, command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
        """The same for any command; what it prints is the ``output``."""
        with (self.folder / "output.txt").open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                preexec_fn=with_this_process,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)

    @property
    def output(self) -> str:
        """What the run beside the test has printed so far."""
        return (self.folder / "output.txt").read_text()

    @property
    def status_file(self) -> Path:
        (found,) = (self.folder / "fanout-status").glob("*.json")
        return found

    def status(self) -> Values:
        document: Values = json.loads(self.status_file.read_text())
        return document

    def seen(self) -> Values:
        """The same as readers have to see it: a run that was killed is interrupted."""
        document = StatusFile(path=self.status_file).read()
        assert document is not None
        seen: Values = json.loads(document.to_json())
        return seen

    def words(self) -> dict[str, tuple[str, str]]:
        """State and progress of each provider in the status file."""
        return {name: (told["state"], told["progress"]) for name, told in self.status()["providers"].items()}

    def vms(self, host: str) -> list[Values]:
        found: list[Values] = self.lab.state(host)["vms"]
        return found

    def names(self, host: str) -> list[str]:
        return sorted(vm["name"] for vm in self.vms(host))

    def last_call(self) -> int:
        return max((call["n"] for call in self.lab.calls()), default=0)

    def writes(self, since: int = 0) -> list[str]:
        """Commands that change a host, from a point of the call log on."""
        return [f"{call['host']}: {call['command']}" for call in self.lab.calls(since=since) if call["writes"]]

    def files(self, host: str) -> list[str]:
        """Files and folders of ours on a host, relative to the lab's folder for that host."""
        root = Path(self.lab.data) / "hosts" / host
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if "fanout" in path.parts)


def wait_for(condition: Callable[[], t.Any], what: str, patience: float = PATIENCE) -> t.Any:
    """The first true value of ``condition``; fails when there is none in time."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {patience:.0f} s in vain for: {what}")
