# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible.builtin.psrp and ansible.builtin.winrm, with raw in a small play: what people try first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hyperv_lab.client import Lab

PLAY = [
    {
        "hosts": "hyperv",
        "gather_facts": False,
        "tasks": [
            {"name": "who", "ansible.builtin.raw": "hostname", "register": "who"},
            {"name": "code", "ansible.builtin.raw": "exit 3", "register": "code", "failed_when": False},
            {
                "name": "script",
                "ansible.builtin.raw": "Get-VM | Stop-VM -Force",
                "register": "script",
                "ignore_errors": True,
            },
            {
                "name": "tell",
                "delegate_to": "localhost",
                "ansible.builtin.copy": {
                    "content": "{{ {'who': who, 'code': code, 'script': script} | to_json }}",
                    "dest": "{{ told }}/{{ inventory_hostname }}.json",
                    "mode": "0600",
                },
                "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            },
        ],
    }
]


def play(lab: Lab, folder: Path, connection: str) -> dict[str, dict[str, Any]]:
    """What each host was found to have answered."""
    inventory, playbook = folder / "inventory.yml", folder / "play.yml"
    inventory.touch(mode=0o600)
    inventory.write_text(yaml.safe_dump(lab.inventory(connection)), encoding="utf-8")
    playbook.write_text(yaml.safe_dump(PLAY), encoding="utf-8")
    tools = Path(sys.executable).parent
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "ANSIBLE_HOME": str(folder)}
    told = folder / "told"
    told.mkdir()
    done = subprocess.run(
        [str(tools / "ansible-playbook"), "-i", str(inventory), "-e", f"told={told}", str(playbook)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in told.iterdir()}


@pytest.mark.parametrize("connection", ["psrp", "winrm"])
def test_raw(lab: Lab, tmp_path: Path, connection: str) -> None:
    told = play(lab, tmp_path, connection)
    assert {name: item["who"]["stdout"].strip() for name, item in told.items()} == {"hv01": "HV01", "hv02": "HV02"}
    for item in told.values():
        assert (item["code"]["rc"], item["script"]["failed"]) == (3, True)
        assert "NotSimulated" in json.dumps(item["script"]), item["script"]
