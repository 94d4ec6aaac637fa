# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Checkpoints of a VM: making one, going back to it, and having it merged away."""

from __future__ import annotations

from ansible_collections.fanout.hyperv.plugins.module_utils._command import Command, command
from ansible_collections.fanout.hyperv.plugins.module_utils._host_base import CHANGE
from ansible_collections.fanout.hyperv.plugins.module_utils._host_vms import VMQuestions, by_id


class CheckpointChanges(VMQuestions):
    """What a host can do with the checkpoints of a VM. Each is found by its id."""

    def take_checkpoint(self, vm_id: str, name: str) -> None:
        """A checkpoint of this name; the VM goes on in new differencing disks."""
        self._session.run(by_id(vm_id), command("Checkpoint-VM", SnapshotName=name), timeout=CHANGE)

    def restore_checkpoint(self, checkpoint_id: str) -> None:
        """The VM becomes what it was, settings and disks; what was written since is lost. It should be off."""
        self._session.run(_checkpoint(checkpoint_id), command("Restore-VMSnapshot", Confirm=False), timeout=CHANGE)

    def remove_checkpoint(self, checkpoint_id: str) -> None:
        """The checkpoint is gone at once; the host merges its disks afterwards, which takes a while."""
        self._session.run(_checkpoint(checkpoint_id), command("Remove-VMSnapshot", Confirm=False), timeout=CHANGE)


def _checkpoint(checkpoint_id: str) -> Command:
    return command("Get-VMSnapshot", Id=checkpoint_id)


__all__ = ("CheckpointChanges",)
