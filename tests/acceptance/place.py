# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the journey goes: an inventory, ansible-playbook as people run it, and what hosts hold between its steps."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from hyperv_lab import rehearsal

from tests.recordings import scrub
from tests.recordings.exchanges import Recording, load

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TOOLS = Path(sys.executable).parent
RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", re.MULTILINE)
SECRET = re.compile(r"pass(word)?$|token|secret|_pass$", re.IGNORECASE)
Values = dict[str, Any]
CONFIG = """
[defaults]
forks = 20
callbacks_enabled = fanout.hyperv.distribution_status, exchanges
retry_files_enabled = false
"""


class Stopped(Exception):
    """The journey cannot go on; why, for people."""


@dataclass(frozen=True)
class Played:
    code: int
    output: str

    @property
    def changed(self) -> set[str]:
        return {name for name, count in RECAP.findall(self.output) if int(count)}


@dataclass
class Place:
    """``inventory``: as it was given. ``folder``: everything of this run, for this user alone."""

    inventory: Path
    folder: Path
    group: str | None = None
    runs: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.inventory = self.inventory.absolute()
        for name in ("recordings", "logs", "raw"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "ansible.cfg").write_text(CONFIG)
        self._read = rehearsal.read([self.inventory], self.group)

    @property
    def providers(self) -> list[str]:
        return list(self._read.chosen)

    @property
    def source(self) -> str:
        source = self._read.variable("distribute_source")
        if source is None:
            raise Stopped(f"{self.inventory} does not say distribute_source")
        return source

    @property
    def targets(self) -> list[str]:
        return [name for name in self.providers if name != self.source]

    def play(self, name: str, playbook: str, **variables: Any) -> Played:
        return self._ansible(name, playbook, "-e", json.dumps(variables))

    def check(self, name: str, playbook: str, **variables: Any) -> Played:
        return self._ansible(name, playbook, "--check", "--diff", "-e", json.dumps(variables))

    def _ansible(self, name: str, playbook: str, *arguments: str) -> Played:
        self.runs += 1
        command = [str(TOOLS / "ansible-playbook"), playbook, "-i", str(self.inventory), *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        log = self.folder / "logs" / f"{self.runs:02} {name}.log"
        log.write_text(f"$ {shlex.join(command)}\n{done.stdout}", encoding="utf-8")
        return Played(done.returncode, done.stdout)

    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        kept = {name: os.environ[name] for name in ("ANSIBLE_VAULT_PASSWORD_FILE",) if name in os.environ}
        return (
            own
            | kept
            | {
                "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
                "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "plugins" / "callback"),
                "ANSIBLE_ACTION_PLUGINS": str(HERE / "plugins" / "action"),
                "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
                "ANSIBLE_NOCOLOR": "1",
                "FANOUT_EXCHANGES": str(self.folder / "raw"),
            }
        )

    def by_hand(self, name: str, hosts: list[str], *stages: tuple[str, Values]) -> dict[str, list[Values]]:
        """Structured commands on hosts; what came back from each."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            task = {
                "name": name,
                "by_hand": {
                    "stages": [{"name": stage, "parameters": parameters} for stage, parameters in stages],
                    "into": f"{folder}/{{{{ inventory_hostname }}}}.json",
                },
            }
            play = [{"name": name, "hosts": hosts, "gather_facts": False, "tasks": [task]}]
            path = Path(folder) / "play.yml"
            path.write_text(yaml.safe_dump(play))
            played = self._ansible(name, str(path))
            if played.code != 0:
                raise Stopped(f"{name}: the hosts do not answer as they should:\n{played.output[-2000:]}")
            return {host: json.loads((Path(folder) / f"{host}.json").read_text()) for host in hosts}

    def machines(self, name: str = "look at the hosts") -> dict[str, list[Values]]:
        """The virtual machines of every provider: Name, Id, State, ProcessorCount."""
        properties = ["Name", "Id", "State", "ProcessorCount"]
        shown = self.by_hand(name, self.providers, ("Get-VM", {}), ("Select-Object", {"Property": properties}))
        return {host: sorted(found, key=lambda vm: str(vm["Name"])) for host, found in shown.items()}

    def words(self) -> dict[str, tuple[str, str]]:
        """State and progress in the status file."""
        (path,) = (self.folder / "fanout-status").glob("*.json")
        providers = json.loads(path.read_text())["providers"]
        return {name: (told["state"], told["progress"]) for name, told in providers.items()}

    # ---- recordings

    def keep_recordings(self, step: str) -> None:
        """What was exchanged in a step, cleaned; the raw messages are removed."""
        for path in sorted((self.folder / "raw").iterdir()):
            exchanges = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            for number, shell in enumerate(scrub.by_shell(exchanges).values()):
                name = f"acceptance_{step}_{path.stem}_{number}.yml".replace(" ", "_")
                scrub.write(self.folder / "recordings" / name, scrub.cleaned(shell, self.scrubber))
            path.unlink()

    @cached_property
    def scrubber(self) -> scrub.Scrubber:
        hosts, users, secrets = {}, [], []
        for name, variables in self._read.hosts.items():
            known = [variables.get(key) for key in ("ansible_host", "ansible_psrp_host", "fanout_migration_host")]
            hosts[name] = [str(value) for value in (*known, name.partition(".")[0]) if value]
            users += [str(variables[key]) for key in ("ansible_user", "ansible_psrp_user") if variables.get(key)]
            secrets += [str(value) for key, value in variables.items() if SECRET.search(key) and value]
        return scrub.Scrubber.for_hosts(hosts, users, secrets)

    def recordings(self) -> list[Recording]:
        return [load(path) for path in sorted((self.folder / "recordings").glob("*.yml"))]

    def forget_raw(self) -> None:
        shutil.rmtree(self.folder / "raw", ignore_errors=True)


def changed_machines(before: Mapping[str, list[Values]], after: Mapping[str, list[Values]]) -> list[str]:
    """Hosts whose virtual machines are not the same."""
    return sorted(host for host in before if before[host] != after.get(host))
