# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differencing disks on a host: who stands on whom."""

from __future__ import annotations

import ntpath

from . import vhdx
from .host import Host
from .storage import join, parent, real_path
from .vm import PAUSED, RUNNING

DEEPEST = 64


def parent_of(host: Host, path: str) -> str | None:
    """The Windows path of a disk's parent: where its own folder or its locator says; None when it has none."""
    about = vhdx.inspect(real_path(host, path))
    if about.type != "Differencing" or not about.parent:
        return None
    relative = about.parent.get("relative_path", "")
    if relative:
        beside = ntpath.normpath(join(parent(path), relative.removeprefix(".\\")))
        if host.volumes.exists(beside):
            return beside
    return about.parent_path


def chain(host: Host, path: str) -> list[str]:
    """A disk and all it stands on, the disk first. A file that is missing ends the chain; it stands in it."""
    found = [path]
    while len(found) < DEEPEST and host.volumes.exists(found[-1]):
        try:
            above = parent_of(host, found[-1])
        except vhdx.NotAVirtualDisk:
            break
        if above is None:
            break
        found.append(above)
    return found


def is_held(host: Host, path: str) -> bool:
    """Whether a running VM has the disk open, or one that stands on it."""
    wanted = path.lower()
    return any(
        wanted in (one.lower() for one in chain(host, disk.path))
        for vm in host.vms.values()
        if vm.state in (RUNNING, PAUSED)
        for disk in vm.disks
        if disk.disk_number is None
    )


def is_intact(host: Host, path: str) -> bool:
    """Whether a disk and all it stands on are whole and fit to each other."""
    paths = chain(host, path)
    for child, above in zip(paths, [*paths[1:], None], strict=True):
        if not host.volumes.exists(child) or not vhdx.is_usable(real_path(host, child)):
            return False
        if above is not None and host.volumes.exists(above) and not _linked(host, child, above):
            return False
    return True


def _linked(host: Host, child: str, above: str) -> bool:
    locator = vhdx.inspect(real_path(host, child)).parent or {}
    linkage = locator.get("parent_linkage", "").strip("{}").lower()
    if not linkage:
        return True
    return linkage == str(vhdx.inspect(real_path(host, above)).data_write_guid)
