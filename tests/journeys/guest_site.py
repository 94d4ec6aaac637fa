# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site whose providers have copies, and what guests and copies look like on them."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hyperv_lab.client import Lab

from tests.integration.distribution.site import SOURCE, TARGETS, TEMPLATE, Site, Values, config

PROVIDERS = TARGETS[:3]
KIND_OF = {"hv02": "linked", "hv03": "full", "hv04": "linked"}
FAST = {"network_rate": "200MiB", "disk_rate": "400MiB"}


class GuestSite(Site):
    """With what guests and their copies look like on its hosts."""

    timeout = 600

    def inventory(self, **host_variables: Values) -> None:
        """The lab's inventory, with these variables for some hosts."""
        content = json.loads(json.dumps(self.lab.inventory(variables=self.variables)))
        for group in content.values():
            for name, variables in host_variables.items():
                if name in group.get("hosts", {}):
                    group["hosts"][name] |= variables
        self.write_inventory(content)

    def template(self) -> Values:
        return next(vm for vm in self.vms(SOURCE) if vm["name"] == TEMPLATE)

    def guests(self, host: str) -> dict[str, Values]:
        """The VMs of a host that carry a valid stamp of a guest, with the stamp as ``stamp``."""
        found = {}
        for vm in self.vms(host):
            stamp = stamp_of(vm)
            if stamp is not None and stamp["kind"] == "guest":
                assert vm["name"] not in found
                found[vm["name"]] = {**vm, "stamp": stamp}
        return found

    def copy(self, host: str) -> Values:
        """The current copy on a host."""
        (copy,) = (vm for vm in self.vms(host) if (stamp_of(vm) or {}).get("kind") == "copy")
        return copy

    def change_template(self) -> None:
        """Somebody starts the template, writes to its disk and shuts it down."""
        self.lab.patch_vm(SOURCE, self.template()["id"], write=True)

    def names_of(self, host: str, count: int = 4) -> list[str]:
        return [f"{TEMPLATE}-{host}-{number:03}" for number in range(1, count + 1)]

    def remains(self, host: str) -> list[str]:
        """Files of ours on a host that no VM of it has; leases and what lies beside copies left out."""
        vms = self.vms(host)
        known = {path.lower() for vm in vms for path in (*vm["files"], *(disk["path"] for disk in vm["disks"]))}
        root = Path(self.lab.data) / "hosts" / host
        root = root if root.is_dir() else Path(self.lab.data) / host
        ours = (path for path in root.rglob("*") if path.is_file() and "fanout" in path.parts)
        shown = ["C:\\" + str(path.relative_to(root / "C")).replace("/", "\\") for path in ours]
        systems = {vm["id"] for vm in vms}
        return [
            path
            for path in shown
            if path.lower() not in known
            and "\\leases\\" not in path
            and path.rsplit("\\", 1)[-1].split(".")[0].lower() not in systems
            and not path.endswith(("baseline.json", "\\owner.json" if "\\guests\\" not in path else "?"))
        ]


def stamp_of(vm: Values) -> Values | None:
    for line in vm["notes"].splitlines():
        if line.startswith('{"fanout.hyperv"'):
            stamp: Values = json.loads(line)
            return stamp if stamp["vm"] == vm["id"] else None
    return None


@contextmanager
def guest_site(folder: Path, *, vms: list[Values] | None = None, **defaults: t.Any) -> Iterator[GuestSite]:
    """Three providers that have the template."""
    with Lab.start(config(3, vms, **{**FAST, **defaults}), data=folder / "lab") as lab:
        controller = folder / "controller"
        controller.mkdir()
        site = GuestSite(lab=lab, folder=controller)
        done = site.distribute()
        assert done.code == 0, done.output
        yield site
        assert lab.bugs() == []
