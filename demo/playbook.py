# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible as a user runs it: an inventory file, an ansible.cfg, ansible-playbook."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
PLAYBOOK = "fanout.hyperv.distribute"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
RECAP = re.compile(r"^(?P<host>\S+)\s+: (?P<counts>ok=\d+.*)$")


@dataclass(frozen=True)
class PlaybookRun:
    """How a run ended: exit code and, per host, the counts of the recap."""

    code: int
    recap: Mapping[str, Mapping[str, int]]

    def changed(self) -> dict[str, int]:
        return {host: counts["changed"] for host, counts in self.recap.items() if counts["changed"]}


def inventory(hosts: Mapping[str, Any], ca: str, user: str, password: str) -> dict[str, Any]:
    """What a user writes down: PSRP over HTTPS with the certificate checked, and the source of the templates."""
    return {
        "hyperv": {
            "hosts": {name: {"ansible_host": host["address"]} for name, host in sorted(hosts.items())},
            "vars": {
                "ansible_connection": "psrp",
                "ansible_user": user,
                "ansible_password": password,
                "ansible_port": next(iter(hosts.values()))["https"],
                "ansible_psrp_auth": "negotiate",
                "ansible_psrp_cert_validation": "validate",
                "ansible_psrp_ca_cert": ca,
                "ansible_psrp_ignore_proxy": True,
                "distribute_source": "hv01",
            },
        }
    }


def write_inventory(path: Path, content: Mapping[str, Any]) -> None:
    path.touch(mode=0o600)
    path.write_text("---\n" + yaml.safe_dump(dict(content), sort_keys=False), encoding="utf-8")


def recap(lines: list[str]) -> dict[str, dict[str, int]]:
    """The counts that ansible-playbook prints last."""
    found = {}
    for line in lines:
        match = RECAP.match(COLOUR.sub("", line).rstrip())
        if match:
            pairs = (pair.split("=") for pair in match["counts"].split())
            found[match["host"]] = {name: int(count) for name, count in pairs}
    return found


def environment() -> dict[str, str]:
    """The user's own, with the checkout as collection; nothing of the lab's is visible to Ansible."""
    own = {
        name: value for name, value in os.environ.items() if name != "PYTHONPATH" and not name.startswith("ANSIBLE_")
    }
    own["ANSIBLE_CONFIG"] = str(ROOT / "demo" / "ansible.cfg")
    own["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT / ".collections")
    own["ANSIBLE_HOST_PATTERN_MISMATCH"] = "error"
    own["KRB5_CONFIG"] = str(ROOT / "tests" / "krb5.conf")  # the realms of this machine are none of the demo's business
    if sys.stdout.isatty():
        own["ANSIBLE_FORCE_COLOR"] = "true"
    return own


def distribute(ansible_playbook: str, folder: Path, template: str) -> PlaybookRun:
    """Run the playbook in the demo's folder; what it prints is shown as it comes."""
    command = [ansible_playbook, PLAYBOOK, "-i", "inventory.yml", "-e", f"distribute_template={template}"]
    print(f"\n$ ansible-playbook {' '.join(command[1:])}\n", flush=True)
    lines = []
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return PlaybookRun(code=process.returncode, recap=recap(lines))
