# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a lab that outlives this process, with an inventory beside it; end it.

python lab.py start LAB.yml FOLDER     writes FOLDER/lab.json (how its admin port is reached) and FOLDER/inventory.yml
python lab.py stop FOLDER
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml
from hyperv_lab import lab_yml

STOP_WITHIN = 20.0


def start(lab_file: Path, folder: Path) -> None:
    """Start the lab and wait for the line that says where it listens."""
    folder.mkdir(mode=0o700, parents=True)
    with (folder / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hyperv_lab", "--data", str(folder), str(lab_file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"the lab did not start:\n{(folder / 'lab.log').read_text()}")
    told = json.loads(line)
    write(folder / "lab.json", json.dumps(told))
    write(folder / "inventory.yml", yaml.safe_dump(inventory(lab_file, told)))


def inventory(lab_file: Path, told: dict[str, object]) -> dict[str, object]:
    """As for ansible.windows, with the certificates checked; the first host is the source."""
    user = lab_yml.load(lab_file).users[0]
    hosts = told["hosts"]
    assert isinstance(hosts, dict)
    return {
        "hyperv": {
            "hosts": {
                name: {"ansible_host": where["address"], "ansible_port": where["https"]}
                for name, where in hosts.items()
            },
            "vars": {
                "ansible_connection": "psrp",
                "ansible_user": user.name,
                "ansible_password": user.password,
                "ansible_psrp_protocol": "https",
                "ansible_psrp_ca_cert": told["ca"],
                "ansible_psrp_ignore_proxy": True,
                "distribute_source": next(iter(hosts)),
            },
        }
    }


def write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def stop(folder: Path) -> None:
    """End the lab that ``start`` started, if it still runs, and remove what it wrote."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        pid = json.loads((folder / "lab.json").read_text())["pid"]
        if b"hyperv_lab" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGTERM)
            end = time.monotonic() + STOP_WITHIN
            while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
                time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1] == "start":
        start(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        stop(Path(sys.argv[2]))
