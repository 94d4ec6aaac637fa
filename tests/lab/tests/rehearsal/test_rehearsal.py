# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m hyperv_lab` as people start it: from an inventory, or with many hosts, and what it refuses."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from hyperv_lab import lab_yml, rehearsal
from hyperv_lab.rehearsal import Inventory

BOUND = 60
MIB = 1024
REAL = {
    "all": {
        "children": {
            "web": {"hosts": {"web01.example.com": {"ansible_host": "127.203.113.9"}}},
            "hyperv": {
                "hosts": {
                    "hv01.example.com": {"ansible_psrp_host": "127.203.113.1"},
                    "hv02.example.com": {"distribute_target_path": "E:\\Hyper-V", "fanout_migration_host": "hv02-lm"},
                },
                "vars": {
                    "ansible_connection": "winrm",
                    "ansible_winrm_transport": "kerberos",
                    "ansible_user": "svc@EXAMPLE.COM",
                    "ansible_password": "{{ lookup('ansible.builtin.env', 'REAL_PASSWORD') }}",
                    "distribute_source": "hv01.example.com",
                },
            },
        }
    }
}


@contextmanager
def started(*arguments: str, folder: Path) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "hyperv_lab", "--with-stdin", *arguments]
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "said.txt").read_text()
        yield json.loads(line), process
    finally:
        process.communicate(timeout=BOUND)
    assert process.returncode == 0


def refusal(*arguments: str, folder: Path) -> str:
    command = [sys.executable, "-m", "hyperv_lab", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BOUND, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def real(tmp_path: Path) -> Path:
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(REAL))
    return tmp_path


def resolved(folder: Path) -> dict[str, Any]:
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "--list", "-i", "hosts.yml"]
    command += ["-i", "rehearsal/inventory"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BOUND, check=True)
    found: dict[str, Any] = json.loads(done.stdout)["_meta"]["hostvars"]
    return found


def test_an_inventory_is_laid_over(real: Path) -> None:
    with started("--from-inventory", "hosts.yml", "--template", "gold", folder=real) as (told, _):
        variables = resolved(real)
    assert set(told["hosts"]) == {"hv01", "hv02"}
    for name, host in (("hv01.example.com", "hv01"), ("hv02.example.com", "hv02")):
        found = variables[name]
        assert (found["ansible_host"], found["ansible_port"]) == (
            told["hosts"][host]["address"],
            told["hosts"][host]["https"],
        )
        assert found["ansible_psrp_host"].startswith("127.")
        assert (found["ansible_connection"], found["ansible_user"]) == ("psrp", "rehearsal")
        assert found["distribute_source"] == "hv01.example.com"
    assert variables["hv02.example.com"]["fanout_migration_host"] == "hv02.lab.test"
    assert variables["web01.example.com"]["ansible_host"] == rehearsal.NOWHERE
    config = lab_yml.load(real / "rehearsal" / "lab.yml")
    assert {host.name: [vm.name for vm in host.vms] for host in config.hosts} == {"hv01": ["gold"], "hv02": []}
    assert [volume.letter for volume in config.hosts[0].volumes] == ["C", "E"]
    for path in (real / "rehearsal").rglob("*.yml"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "127.203.113" not in path.read_text() and "svc" not in path.read_text()
    said = (real / "said.txt").read_text()
    assert "2 hosts of hosts.yml are simulated" in said
    assert "-i hosts.yml -i rehearsal/inventory" in said


def test_what_people_changed_in_lab_yml_stays(real: Path) -> None:
    mine: dict[str, Any] = {
        "users": [{"name": "me", "password": "secret-1"}],
        "hosts": {"hv01": {"address": "127.0.61.1"}},
    }
    (real / "rehearsal").mkdir()
    (real / "rehearsal" / "lab.yml").write_text(yaml.safe_dump(mine))
    assert "lacks hv02" in refusal("--from-inventory", "hosts.yml", folder=real)
    mine["hosts"]["hv02"] = {"address": "127.0.61.2", "https_port": 0, "http_port": None}
    mine["hosts"]["hv01"] |= {"https_port": 0, "http_port": None}
    (real / "rehearsal" / "lab.yml").write_text(yaml.safe_dump(mine))
    with started("--from-inventory", "hosts.yml", folder=real) as (told, _):
        assert told["hosts"]["hv02"]["address"] == "127.0.61.2"
        assert resolved(real)["hv01.example.com"]["ansible_user"] == "me"


def test_a_real_host_is_never_meant(real: Path) -> None:
    """host_vars beside a playbook win over every inventory: said, and not started."""
    (real / "host_vars").mkdir()
    (real / "host_vars" / "hv02.example.com.yml").write_text("ansible_host: hv02.elsewhere.example\n")
    said = refusal("--from-inventory", "hosts.yml", folder=real)
    assert "hv02.example.com.ansible_host" in said
    assert "hv02.elsewhere.example" in said and "--playbooks" in said
    (real / "elsewhere").mkdir()
    with started("--from-inventory", "hosts.yml", "--playbooks", "elsewhere", folder=real) as (told, _):
        assert set(told["hosts"]) == {"hv01", "hv02"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from-inventory", "nothere.yml"], "nothere.yml: there is no such inventory"),
        (["--from-inventory", "hosts.yml", "--group", "nobody"], "no hosts in the group nobody"),
        (["nothere.yml"], "nothere.yml: No such file or directory"),
        (["--scale", "0"], "no number of hosts from 1 to 5000"),
        (["--scale", "3", "--template", "x"], "--group, --template and --playbooks belong to --from-inventory"),
        ([], "required"),
    ],
)
def test_mistakes(real: Path, arguments: list[str], said: str) -> None:
    assert said in refusal(*arguments, folder=real)


def test_many_hosts_in_little_memory(tmp_path: Path) -> None:
    """300 hosts; how long they take is measured by tests/bench."""
    with started("--scale", "300", "--inventory", "hosts.yml", folder=tmp_path) as (told, process):
        assert len(told["hosts"]) == 300
        status = Path(f"/proc/{process.pid}/status").read_text()
        (resident,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        assert resident < 1024 * MIB
        inventory = yaml.safe_load((tmp_path / "hosts.yml").read_text())
        assert stat.S_IMODE((tmp_path / "hosts.yml").stat().st_mode) == 0o600
        assert len(inventory["hyperv"]["hosts"]) == 300
        assert len({host["ansible_host"] for host in inventory["hyperv"]["hosts"].values()}) == 300


@pytest.mark.parametrize(
    ("hosts", "names"),
    [
        (["hv01.example.com", "hv02"], ["hv01", "hv02"]),
        (["127.0.0.5"], ["127-0-0-5"]),
        (["a.east", "a.west", "A.north"], ["a", "a-2", "A-3"]),
        (["a_name_that_is_longer_than_netbios"], ["a-name-that-is"]),
        (["2024", "ü"], ["h2024", "host"]),
    ],
)
def test_names_of_computers(hosts: list[str], names: list[str]) -> None:
    found = Inventory({host: {} for host in hosts}, tuple(hosts)).names
    assert list(found) == hosts
    assert list(found.values()) == names
    lab_yml.load(rehearsal.lab(Inventory({host: {} for host in hosts}, tuple(hosts)), "gold"))


def test_addresses_are_all_different_and_on_loopback() -> None:
    hosts = lab_yml.load(rehearsal.scale(5000)).hosts
    assert len({host.address for host in hosts}) == 5000
    assert not {host.address.rpartition(".")[2] for host in hosts} & {"0", "255"}
