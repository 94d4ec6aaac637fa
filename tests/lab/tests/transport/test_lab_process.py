# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole lab as a process: how it starts and ends, what its admin port does, and that Ansible's own plugins use it."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hyperv_lab.client import Lab, LabError
from hyperv_lab.reading import ConfigError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

PASSWORD = "Lab-Passw0rd!"
VM_ID = "11111111-2222-3333-4444-555555555555"
CONFIG: dict[str, Any] = {
    "users": [{"name": "labadmin", "password": PASSWORD}],
    "defaults": {"http_port": None, "https_port": 0, "volumes": {"C": "100GiB"}},
    "hosts": {
        "hv01": {"address": "127.0.78.1", "vms": [{"name": "gold", "id": VM_ID, "disks": [{"file": "golden.vhdx"}]}]},
        "hv02": {"address": "127.0.78.2"},
    },
}
BOUND = 20.0


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.start(CONFIG) as running:
        yield running
        assert running.bugs() == []


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + BOUND
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.01)


def connects(lab: Lab, host: str) -> bool:
    where = lab.hosts[host]
    try:
        socket.create_connection((where["address"], where["https"]), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def pool_of(lab: Lab, host: str) -> RunspacePool:
    where = lab.hosts[host]
    wsman = WSMan(
        where["address"],
        port=where["https"],
        username="labadmin",
        password=PASSWORD,
        auth="negotiate",
        cert_validation=str(lab.ca),  # type: ignore[arg-type]  # a bundle, as requests has it
        no_proxy=True,
    )
    return RunspacePool(wsman)


def test_get_vm_over_psrp_and_the_call_log(lab: Lab) -> None:
    before = lab.last_call()
    with pool_of(lab, "hv01") as pool:
        assert [shell["owner"] for shell in lab.state("hv01")["shells"]] == ["LAB\\labadmin"]
        shell = PowerShell(pool)
        shell.add_cmdlet("Get-VM").add_parameter("Id", uuid.UUID(VM_ID))
        (machine,) = shell.invoke()
    assert machine.adapted_properties["Name"] == "gold"
    (call,) = lab.calls("hv01", since=before)
    assert (call["command"], call["set"], call["writes"], call["error"]) == ("Get-VM", "Id", False, None)
    assert call["parameters"] == {"Id": VM_ID}
    assert call["user"] == "LAB\\labadmin"
    assert call["ended"] >= call["started"]
    assert lab.calls("hv02", since=before) == []
    assert lab.state("hv01")["shells"] == []


@pytest.mark.parametrize("lost", [True, False])
def test_work_survives_its_shell_but_not_a_stop(lab: Lab, lost: bool) -> None:
    """The virtualization service does the work; a stopped pipeline cancels it, a lost shell does not."""
    lab.patch("hv01", disk_rate="1MiB")
    lab.rules(export_creates_path=True)
    before = {job["id"] for job in lab.state("hv01")["jobs"]}

    def job() -> Any:
        return next((job for job in lab.state("hv01")["jobs"] if job["id"] not in before), None)

    pool = pool_of(lab, "hv01")
    pool.open()
    shell = PowerShell(pool)
    shell.add_cmdlet("Export-VM").add_parameters({"Name": "gold", "Path": f"C:\\exported {lost}"})
    shell.begin_invoke()
    until(lambda: job() is not None)
    assert job()["state"] == "running"
    if lost:
        pool.close()
    else:
        shell.stop()
    lab.patch("hv01", disk_rate="500MiB")
    until(lambda: job()["state"] != "running")
    assert job()["state"] == ("completed" if lost else "terminated")
    if not lost:
        pool.close()


def test_script_text_is_refused_loudly(lab: Lab) -> None:
    with pool_of(lab, "hv01") as pool:
        shell = PowerShell(pool)
        shell.add_script("Get-VM | Remove-VM -Force")
        shell.invoke()
        assert shell.had_errors
        assert str(shell.streams.error[0].fq_error).split(",")[0] == "NotSimulated"
    assert lab.vm("hv01", "gold")


def test_state_of_a_vm(lab: Lab) -> None:
    vm = lab.vm("hv01", "gold")
    assert vm is not None
    assert (vm["id"], vm["state"]) == (VM_ID, "Off")
    (disk,) = vm["disks"]
    assert disk["exists"] and disk["data_write_guid"]
    real = lab.data / "hosts" / "hv01" / Path(*disk["path"].replace(":", "").split("\\"))
    assert real.stat().st_size == disk["file_size"]
    assert lab.vm("hv02", "gold") is None


def test_vms_come_change_and_go(lab: Lab) -> None:
    added = lab.add_vm("hv02", name="other [1]", disks=[{"size": "1GiB"}], notes="hello")
    changed = lab.patch_vm("hv02", added["id"], notes="changed", state="Running", name="renamed")
    assert (changed["name"], changed["notes"], changed["state"]) == ("renamed", "changed", "Running")
    guid = changed["disks"][0]["data_write_guid"]
    assert lab.patch_vm("hv02", added["id"], write=True)["disks"][0]["data_write_guid"] != guid
    twin = lab.clone("hv02", added["id"])
    assert (
        twin["id"] != added["id"]
        and twin["notes"] == "changed"
        and twin["disks"][0]["path"] != added["disks"][0]["path"]
    )
    lab.remove_vm("hv02", added["id"])
    lab.remove_vm("hv02", twin["id"])
    assert lab.state("hv02")["vms"] == []


def test_hosts_change(lab: Lab) -> None:
    lab.patch("hv02", network_rate="1MiB", migration={"simultaneous": 5}, switches=["Production", "Other"])
    state = lab.state("hv02")
    assert state["network_rate"] == 1024**2
    assert state["settings"]["maximum_migrations"] == 5
    assert [one["name"] for one in state["switches"]] == ["Production", "Other"]
    lab.set_free("hv02", "C", "3GiB")
    assert lab.state("hv02")["volumes"]["C"]["free"] == 3 * 1024**3
    lab.set_capacity("hv02", "C", "200GiB")
    assert lab.state("hv02")["volumes"]["C"]["capacity"] == 200 * 1024**3


def test_down_up_and_restart(lab: Lab) -> None:
    pool = pool_of(lab, "hv02")
    pool.open()
    lab.down("hv02")
    assert not connects(lab, "hv02") and not lab.state("hv02")["up"]
    lab.up("hv02")
    assert connects(lab, "hv02") and not pool.is_alive()
    pool = pool_of(lab, "hv02")
    pool.open()
    lab.restart_winrm("hv02")
    assert connects(lab, "hv02") and not pool.is_alive()


def test_a_host_restarts(lab: Lab) -> None:
    """Its VMs are off afterwards, what was under way has ended, and nobody remembers it."""
    vm = lab.add_vm("hv02", name="runs", state="Running", disks=[{"size": "1GiB", "payload": "64MiB"}])
    lab.patch("hv02", disk_rate="1MiB")
    pool = pool_of(lab, "hv02")
    pool.open()
    shell = PowerShell(pool)
    shell.add_cmdlet("New-Item").add_parameters({"Path": "C:\\out", "ItemType": "Directory"})
    shell.invoke()
    shell = PowerShell(pool)
    shell.add_cmdlet("Export-VM").add_parameters({"Name": "runs", "Path": "C:\\out"})
    shell.begin_invoke()
    until(lambda: bool(lab.state("hv02")["jobs"]))
    lab.restart("hv02", seconds=1)
    assert not connects(lab, "hv02")
    until(lambda: connects(lab, "hv02"))
    state = lab.state("hv02")
    assert (state["jobs"], state["shells"]) == ([], [])
    assert [one["state"] for one in state["vms"] if one["id"] == vm["id"]] == ["Off"]
    assert not pool.is_alive()
    lab.patch("hv02", disk_rate="500MiB")
    lab.remove_vm("hv02", vm["id"])


def test_all_shells_die_at_once(lab: Lab) -> None:
    pool = pool_of(lab, "hv02")
    pool.open()
    lab.kill_shells("hv02")
    assert connects(lab, "hv02") and not pool.is_alive()


def test_faults(lab: Lab) -> None:
    lab.fault("hv02", kind="refuse")
    assert not connects(lab, "hv02")
    assert [fault["kind"] for fault in lab.state("hv02")["faults"]] == ["refuse"]
    lab.clear_faults("hv02")
    assert connects(lab, "hv02")


@pytest.mark.parametrize(
    "act,message",
    [
        (lambda lab: lab.state("hv09"), "no host hv09"),
        (lambda lab: lab.patch_vm("hv01", str(uuid.uuid4()), notes="x"), "no VM"),
        (lambda lab: lab.patch("hv01", colour="red"), "colour: unknown key"),
        (lambda lab: lab.fault("hv01", kind="explode"), "kind"),
        (lambda lab: lab.set_free("hv01", "Z", 1), "no volume Z"),
        (lambda lab: lab.rules(no_such_rule=True), "no such rule"),
        (lambda lab: lab.delegation({"hv01": ["hv09"]}), "hv09"),
        (lambda lab: lab.delegation({"hv01": {"to": {"hv02": ["smb"]}}}), r"delegation.hv01.to.hv02\[0\]: 'smb'"),
        (lambda lab: lab.patch("hv01", troubles=["bad luck"]), r"troubles\[0\]: 'bad luck' is none of"),
    ],
)
def test_mistakes_are_said(lab: Lab, act: Callable[[Lab], Any], message: str) -> None:
    with pytest.raises(LabError, match=message):
        act(lab)


def test_the_admin_port_wants_its_token(lab: Lab) -> None:
    for headers in ({}, {"X-Lab-Token": "guess"}):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(f"{lab.admin}/state", headers=headers), timeout=10)
        with caught.value as error:
            assert error.code == 401


def test_secrets_are_for_this_user_alone(lab: Lab) -> None:
    assert stat.S_IMODE((lab.data / "lab").stat().st_mode) == 0o700
    assert stat.S_IMODE((lab.data / "lab" / "ntlm-users").stat().st_mode) == 0o600
    assert PASSWORD not in (Path("/proc") / str(lab.pid) / "cmdline").read_text()
    assert not (lab.data / "lab.json").exists()


@pytest.mark.parametrize("connection", ["psrp", "winrm"])
def test_ansible_reaches_the_hosts_with_its_own_plugins(lab: Lab, tmp_path: Path, connection: str) -> None:
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(yaml.safe_dump(lab.inventory(connection)), encoding="utf-8")
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "minimal", "ANSIBLE_HOME": str(tmp_path)}
    command = [str(Path(sys.executable).parent / "ansible"), "-i", str(inventory), "all", "-m", "raw", "-a"]
    good = subprocess.run([*command, "hostname"], env=environment, capture_output=True, text=True, timeout=120)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "HV01" in good.stdout and "HV02" in good.stdout
    bad = subprocess.run([*command, "exit 3"], env=environment, capture_output=True, text=True, timeout=120)
    assert bad.returncode == 2
    assert bad.stdout.count("rc=3") == 2


def test_it_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    config = tmp_path / "lab.json"
    config.write_text(json.dumps(CONFIG | {"hosts": {"hv01": {"address": "127.0.78.7"}}}))
    code = (
        "import sys, time; from hyperv_lab.client import Lab\n"
        f"lab = Lab.start({str(config)!r}, data={str(tmp_path / 'data')!r})\n"
        "print(lab.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        os.kill(starter.pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists() or "zombie" in Path(f"/proc/{pid}/status").read_text())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_by_signal_and_leaves_no_temporary_folder(tmp_path: Path, number: int) -> None:
    config = tmp_path / "lab.yml"
    config.write_text("hosts: {hv01: {address: 127.0.78.8, http_port: 0, https_port: 0}}\n")
    command = [sys.executable, "-m", "hyperv_lab", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert Path(told["ca"]).exists()
        process.send_signal(number)
        assert process.wait(BOUND) == 0
    assert not Path(told["data"]).exists()


def test_a_wrong_configuration_and_a_taken_port(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"hosts\.hv01\.address"):
        Lab.start({"hosts": {"hv01": {"address": "8.8.8.8"}}})
    with socket.create_server(("127.0.78.9", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LabError, match="in use"):
            Lab.start({"hosts": {"hv01": {"address": "127.0.78.9", "https_port": port, "http_port": None}}})
