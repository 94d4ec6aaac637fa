# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Removes what is ours from a host: a VM with the files it refers to, or a folder that an attempt has left.

Only files inside the given folder of ours go, only of the kinds that Hyper-V or we put there, one by one; then folders
that are empty. Nothing is removed through a link. What is left is told, never forced.
"""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import CommandFailed, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import FILE_FORMATS
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import OUR_FILES, OWNER, TEMPORARY, fold, inside

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Disk, Entry

CONFIGURATION_FORMATS = (".vmcx", ".vmrs", ".vmgs")
REMOVABLE_STATES = ("Off", "Saved")
DEEPEST_CHAIN = 64
PATIENCE = 60.0
"""Seconds in which a file may still be held by what has just ended on the host."""


@dataclass(frozen=True, kw_only=True)
class Remover:
    """Removes things from one host. ``check`` is called between the tries."""

    host: Host
    check: Callable[[], None] = lambda: None
    patience: float = PATIENCE
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def remove_vm(self, vm: VM, folder: str) -> tuple[str, ...]:
        """Remove a VM of ours with everything it has in ``folder``. Returns the paths that are left there."""
        if vm.state not in REMOVABLE_STATES:
            raise Refused(
                f"{vm.name} ({vm.id}) is {vm.state}; only a VM that is Off can be removed.",
                code="VM_NOT_OFF",
                remedy="Shut it down, then run again.",
                host=self.host.label,
            )
        disks = [drive.path for drive in self.host.drives(vm.id) if drive.is_file and inside(drive.path, folder)]
        self.host.remove_vm(vm.id)
        for path in disks:
            self._remove_file(path)
        return self.clear(folder)

    def clear(self, folder: str) -> tuple[str, ...]:
        """Empty a folder of ours in which no VM lives any more, and remove it. Returns what is left in it.

        Disks stay when a VM uses one of them, however it came to that: people attach what they find.
        """
        ours = removable(self.host, self.host.files.tree(folder))
        # The owner file goes last: as long as it is there, a next run knows whose folder this is.
        for entry in sorted(ours, key=lambda entry: fold(entry.name) in map(fold, OUR_FILES)):
            self._remove_file(entry.path)
        return self.host.files.remove_empty_folders(folder)

    def _remove_file(self, path: str) -> None:
        """Try again while the file is held: a disk may stay open for some seconds after its VM is gone."""
        deadline = self.clock() + self.patience
        while True:
            self.check()
            try:
                self.host.files.remove_file(path)
                return
            except CommandFailed as error:
                if not _is_held(error) or self.clock() > deadline:
                    raise
            self.sleep(1.0)


def removable(host: Host, entries: Sequence[Entry]) -> list[Entry]:
    """The files of a folder's content that may go: of our kinds, and no disk that a VM of the host uses."""
    ours = [entry for entry in entries if not entry.is_folder and not entry.is_link and is_known(entry.name)]
    disks = {entry.path for entry in ours if entry.name.lower().endswith(FILE_FORMATS)}
    if disks and dependents(host, "", sorted(disks)):
        return [entry for entry in ours if entry.path not in disks and fold(entry.name) != fold(OWNER)]
    return ours


def is_stuck(host: Host, entries: Sequence[Entry]) -> bool:
    """Whether a folder can only stay as it is: in it lies nothing that may go, but something that may not."""
    return any(not entry.is_folder or entry.is_link for entry in entries) and not removable(host, entries)


def is_known(name: str) -> bool:
    """Whether a file's name is one that Hyper-V or we give to files in our folders."""
    lower = name.lower()
    return lower.endswith((*FILE_FORMATS, *CONFIGURATION_FORMATS)) or lower.removesuffix(TEMPORARY) in OUR_FILES


def _is_held(error: CommandFailed) -> bool:
    """A file in use is an IOException of Remove-Item; its text is localised, its id is not."""
    return any(record.identifier == "RemoveFileSystemItemIOError" for record in error.records)


def dependents(host: Host, vm_id: str, disk_paths: Sequence[str]) -> tuple[str, ...]:
    """Ids of VMs whose disks depend on these files, directly or through parents; an unreadable chain counts.

    The disks of checkpoints count as well: another branch of them need not be in the chain that the VM uses now.
    """
    ours = {fold(path) for path in disk_paths}
    found: set[str] = set()
    drives = (*host.drives(), *host.checkpoint_drives())
    chains = {(drive.path, drive.vm_id) for drive in drives if drive.vm_id != vm_id and drive.is_file}
    for _ in range(DEEPEST_CHAIN):
        found |= {owner for path, owner in chains if fold(path) in ours}
        chains = _parents(host, {(path, owner) for path, owner in chains if owner not in found}, found)
        if not chains:
            return tuple(sorted(found))
    return tuple(sorted(found | {owner for _, owner in chains}))


def _parents(host: Host, chains: set[tuple[str, str]], found: set[str]) -> set[tuple[str, str]]:
    """One step up each chain; a chain that cannot be read puts its VM into ``found``."""
    shown = {fold(disk.path): disk for disk in _readable(host, sorted({path for path, _ in chains}))}
    above: set[tuple[str, str]] = set()
    for path, owner in chains:
        disk = shown.get(fold(path))
        if disk is None:
            found.add(owner)
        elif disk.parent_path:
            above.add((disk.parent_path, owner))
    return above


def _readable(host: Host, paths: list[str]) -> tuple[Disk, ...]:
    """Those of the disks that can be read: asked for together, and one by one when that fails."""
    if not paths:
        return ()
    try:
        return host.disks(paths)
    except CommandFailed:
        return tuple(disk for path in paths for disk in _one(host, path))


def _one(host: Host, path: str) -> tuple[Disk, ...]:
    try:
        return host.disks([path])
    except CommandFailed:
        return ()


__all__ = ("REMOVABLE_STATES", "Remover", "dependents", "is_known", "is_stuck", "removable")
