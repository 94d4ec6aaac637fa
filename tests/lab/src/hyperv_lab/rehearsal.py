# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab made from an Ansible inventory, and what has to be laid over that inventory so that it means the lab.

The overlay comes after the inventory on the command line and wins for every host of it: a host that is simulated is
reached at its loopback address, every other one at an address where nothing listens. No real host is ever meant.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import lab_yml
from .config import LabConfig
from .reading import ConfigError

Values = dict[str, Any]
USER = "rehearsal"
NETWORK = ipaddress.IPv4Address("127.0.60.1")
NOWHERE = "127.0.59.1"  # nothing listens there
GROUP = "hyperv"
NETBIOS = 15  # characters of a computer's name
DRIVE = re.compile(r"([A-Za-z]):\\")
CAPACITY = "1TiB"
NOTE = """\
# Written from {inventory}. It is yours to change: what hosts hold, how fast and full they are, what they refuse.
# It is written only when it is missing; docs/rehearsal.md says what else can stand here.
"""


@dataclass(frozen=True)
class Inventory:
    """What ansible-inventory says: variables of every host, and the hosts that shall be simulated."""

    hosts: Mapping[str, Values]
    chosen: tuple[str, ...]

    @property
    def names(self) -> dict[str, str]:
        """Inventory name to computer name: the first part of it, made unique."""
        found: dict[str, str] = {}
        for host in self.chosen:
            found[host] = _computer_name(host, {name.lower() for name in found.values()})
        return found

    def variable(self, name: str) -> str | None:
        """The first value that a chosen host has for a variable."""
        values = (self.hosts[host].get(name) for host in self.chosen)
        return next((value for value in values if isinstance(value, str) and "{{" not in value), None)

    @property
    def drives(self) -> list[str]:
        """Drives that variables speak of, and C."""
        texts = [value for host in self.chosen for value in self.hosts[host].values() if isinstance(value, str)]
        return sorted({"C", *(match[1].upper() for text in texts for match in DRIVE.finditer(text))})


def read(paths: Iterable[Path], group: str | None) -> Inventory:
    """The inventory as Ansible understands it; values that are encrypted stay so."""
    told = _ansible_inventory([*paths])
    hosts: dict[str, Values] = told["_meta"]["hostvars"]
    members = set(_members(told, group or GROUP))
    if not members and group is None:
        members = set(_members(told, "all")) | set(hosts)
    chosen = tuple(sorted(name for name in members if not _is_here(name, hosts.get(name, {}))))
    if not chosen:
        where = ", ".join(map(str, paths))
        raise ConfigError(where, f"no hosts in the group {group or GROUP}" if group else "no hosts")
    everything = {name: hosts.get(name, {}) for name in {*_members(told, "all"), *hosts, *chosen}}
    return Inventory(everything, chosen)


def _ansible_inventory(paths: list[Path], playbooks: Path | None = None) -> Values:
    """``playbooks``: the folder of playbooks whose group_vars and host_vars count, too."""
    for path in paths:
        if not path.exists():
            raise ConfigError(str(path), "there is no such inventory")
    beside = Path(sys.executable).with_name("ansible-inventory")
    tool = str(beside) if beside.exists() else shutil.which("ansible-inventory")
    if tool is None:
        raise ConfigError("ansible-inventory", "not found: it comes with ansible-core, which has to be installed here")
    options = [word for path in paths for word in ("-i", str(path))]
    options += ["--playbook-dir", str(playbooks or paths[0].absolute().parent)]
    environment = {**os.environ, "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true", "ANSIBLE_LOCALHOST_WARNING": "false"}
    done = subprocess.run(
        [tool, *options, "--list"], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode != 0:
        raise ConfigError(", ".join(map(str, paths)), f"ansible-inventory cannot read it:\n{done.stderr.strip()}")
    found: Values = json.loads(done.stdout)
    return found


def _members(told: Values, group: str) -> Iterator[str]:
    """Hosts of a group and of its children."""
    content = told.get(group) or {}
    yield from content.get("hosts", ())
    for child in content.get("children", ()):
        yield from _members(told, child)


def _is_here(name: str, variables: Values) -> bool:
    return name in ("localhost", "127.0.0.1", "::1") or variables.get("ansible_connection") == "local"


def _computer_name(host: str, taken: set[str]) -> str:
    numeric = re.fullmatch(r"[\d.]+", host)
    first = host.replace(".", "-") if numeric else host.partition(".")[0]
    base = re.sub(r"[^A-Za-z0-9-]+", "-", first).strip("-")[:NETBIOS].strip("-") or "host"
    base = f"h{base}"[:NETBIOS].strip("-") if base.isdigit() else base
    name, number = base, 2
    while name.lower() in taken:
        tail = f"-{number}"
        name, number = base[: NETBIOS - len(tail)] + tail, number + 1
    return name


def lab(inventory: Inventory, template: str | None) -> Values:
    """lab.yml for the inventory. The template stands on the source that the inventory names, else on the first host."""
    names = inventory.names
    source = inventory.variable("distribute_source") or inventory.chosen[0]
    if source not in names:
        raise ConfigError("distribute_source", f"{source!r} is none of the hosts that are simulated")
    hosts: Values = {name: {"address": str(NETWORK + _place(n))} for n, name in enumerate(names.values())}
    wanted = template or inventory.variable("distribute_template")
    if wanted:
        hosts[names[source]]["vms"] = [{"name": wanted, "switch": "Production", "disks": [{"file": lab_yml.GOLDEN}]}]
    return {
        "users": [{"name": USER, "password": secrets.token_urlsafe(12), "groups": ["Administrators"]}],
        "defaults": {
            "http_port": None,
            "https_port": 0,
            "version": 2022,
            "volumes": dict.fromkeys(inventory.drives, CAPACITY),
            "switches": ["Production"],
        },
        "hosts": hosts,
    }


def _place(number: int) -> int:
    """The n-th address, without those that end in 0 or 255."""
    return number // 254 * 256 + number % 254


def scale(count: int) -> Values:
    """lab.yml with that many hosts."""
    hosts = {f"hv{number + 1:03}": {"address": str(NETWORK + 256 * 40 + _place(number))} for number in range(count)}
    return {
        "users": [{"name": USER, "password": secrets.token_urlsafe(12), "groups": ["Administrators"]}],
        "defaults": {"http_port": None, "https_port": 0},
        "hosts": hosts,
    }


def load(inventory: Inventory, folder: Path, source: str, template: str | None) -> LabConfig:
    """The lab.yml of a rehearsal, written first where there is none; every host of the inventory has to be in it."""
    path = folder / "lab.yml"
    if not path.exists():
        text = NOTE.format(inventory=source) + yaml.safe_dump(lab(inventory, template), sort_keys=False)
        write(path, text)
    config = lab_yml.load(path)
    missing = sorted(set(inventory.names.values()) - {host.name for host in config.hosts})
    if missing:
        raise ConfigError(
            str(path), f"lacks {', '.join(missing)}: add them, or remove the file to have it written anew"
        )
    return config


def write(path: Path, text: str) -> None:
    """A file for this user alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def connection(config: LabConfig, ca: str) -> Values:
    """How the lab's hosts are reached: every variable that could say otherwise is set."""
    user = config.users[0]
    return {
        "ansible_connection": "psrp",
        "ansible_user": user.name,
        "ansible_psrp_user": user.name,
        "ansible_password": user.password,
        "ansible_winrm_pass": user.password,
        "ansible_winrm_password": user.password,
        "ansible_psrp_auth": "negotiate",
        "ansible_psrp_protocol": "https",
        "ansible_psrp_path": "wsman",
        "ansible_psrp_configuration_name": "Microsoft.PowerShell",
        "ansible_psrp_cert_validation": "validate",
        "ansible_psrp_ca_cert": ca,
        "ansible_psrp_cert_trust_path": ca,
        "ansible_psrp_ignore_proxy": True,
        "ansible_psrp_negotiate_service": "WSMAN",
        "ansible_become": False,
    }


def at(address: str, port: int) -> Values:
    return {
        "ansible_host": address,
        "ansible_psrp_host": address,
        "ansible_port": port,
        "ansible_psrp_port": port,
    }


def write_overlay(folder: Path, inventory: Inventory, config: LabConfig, told: Values) -> Path:
    """The inventory that goes over the real one; its files hold the lab's password and nothing of the real hosts'."""
    names, common = inventory.names, connection(config, told["ca"])
    place = folder / "inventory"
    shutil.rmtree(place / "host_vars", ignore_errors=True)
    remote = [host for host, variables in inventory.hosts.items() if not _is_here(host, variables)]
    for host in remote:
        where = told["hosts"].get(names.get(host))
        values = common | (at(NOWHERE, 9) if where is None else at(where["address"], where["https"]))
        if where is not None and "fanout_migration_host" in inventory.hosts[host]:
            values["fanout_migration_host"] = where["dns"]
        write(place / "host_vars" / f"{host}.yml", yaml.safe_dump(values, sort_keys=False))
    write(place / "hosts.yml", yaml.safe_dump({"all": {"hosts": dict.fromkeys(sorted(remote), None)}}))
    return place


def check(paths: list[Path], overlay: Path, playbooks: Path) -> None:
    """Ansible's own word for it: with the overlay no host of the inventory is reached anywhere but on loopback.

    What stands in ``host_vars`` beside a playbook wins over every inventory, so it has to be known where that lies.
    """
    told = _ansible_inventory([*paths, overlay], playbooks)
    for host, variables in told["_meta"]["hostvars"].items():
        if _is_here(host, variables):
            continue
        for name in ("ansible_host", "ansible_psrp_host"):
            address = str(variables.get(name))
            if not address.startswith("127."):
                raise ConfigError(
                    f"{host}.{name}",
                    f"playbooks in {playbooks} would reach {address}, as the host_vars there win over every inventory. "
                    "Where the playbook lies elsewhere (as those of a collection do): --playbooks FOLDER",
                )


def plain_inventory(config: LabConfig, told: Values) -> Values:
    """An inventory of the lab's hosts alone."""
    hosts = {name: at(where["address"], where["https"]) for name, where in told["hosts"].items()}
    return {GROUP: {"hosts": hosts, "vars": connection(config, told["ca"])}}
