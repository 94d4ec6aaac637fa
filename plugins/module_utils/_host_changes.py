# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What changes VMs on a host. Each VM is found by its id and piped on, so that no name ever selects one."""

from __future__ import annotations

from ansible_collections.fanout.hyperv.plugins.module_utils._command import command
from ansible_collections.fanout.hyperv.plugins.module_utils._host_base import (
    CHANGE,
    POLL_EVERY,
    OnPoll,
    OnProgress,
    select,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._host_checkpoints import CheckpointChanges
from ansible_collections.fanout.hyperv.plugins.module_utils._host_guests import GuestChanges
from ansible_collections.fanout.hyperv.plugins.module_utils._host_vms import VM_PROPERTIES, by_id
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Incompatibility
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import join

LONG = 24 * 3600.0
"""Seconds for what moves the bytes of whole disks."""
_COMPARING = 600.0


class Changes(GuestChanges, CheckpointChanges):
    """What a host can do to VMs."""

    def export_vm(
        self,
        vm_id: str,
        folder: str,
        *,
        timeout: float = LONG,
        on_progress: OnProgress | None = None,
        on_poll: OnPoll | None = None,
        poll_every: float = POLL_EVERY,
    ) -> None:
        """Export the VM into ``folder``, which has to be there; the host makes a folder of the VM's name in it."""
        self._session.run(
            by_id(vm_id),
            command("Export-VM", Path=folder),
            timeout=timeout,
            on_progress=on_progress,
            on_poll=on_poll,
            poll_every=poll_every,
        )

    def import_copy(
        self,
        vmcx: str,
        folder: str,
        *,
        timeout: float = LONG,
        on_progress: OnProgress | None = None,
        on_poll: OnPoll | None = None,
        poll_every: float = POLL_EVERY,
    ) -> VM:
        """A new VM with an id of its own from the configuration file of an export; all its files below ``folder``.

        Whether an import makes folders that are missing is not documented, so they are made before.
        """
        disks = join(folder, "Virtual Hard Disks")
        self.files.ensure_folder(disks)
        answers = self._session.run(
            command(
                "Import-VM",
                Path=vmcx,
                Copy=True,
                GenerateNewId=True,
                VirtualMachinePath=folder,
                SnapshotFilePath=folder,
                SmartPagingFilePath=folder,
                VhdDestinationPath=disks,
            ),
            select(Property=list(VM_PROPERTIES)),
            timeout=timeout,
            on_progress=on_progress,
            on_poll=on_poll,
            poll_every=poll_every,
        )
        if len(answers) != 1:
            raise self._unexpected(f"the import gave {len(answers)} VMs")
        return VM.from_row(self._row(answers[0]))

    def move_vm(
        self,
        vm_id: str,
        destination_host: str,
        folder: str,
        *,
        timeout: float = LONG,
        on_progress: OnProgress | None = None,
        on_poll: OnPoll | None = None,
        poll_every: float = POLL_EVERY,
    ) -> None:
        """Move the VM with its storage to ``folder`` on another host, which has to be there."""
        self._session.run(
            by_id(vm_id),
            command("Move-VM", DestinationHost=destination_host, IncludeStorage=True, DestinationStoragePath=folder),
            timeout=timeout,
            on_progress=on_progress,
            on_poll=on_poll,
            poll_every=poll_every,
        )

    def compare_move(self, vm_id: str, destination_host: str, folder: str) -> tuple[Incompatibility, ...]:
        """Why the VM could not be moved there; empty when nothing speaks against it."""
        rows = self._rows(
            by_id(vm_id),
            command("Compare-VM", DestinationHost=destination_host, IncludeStorage=True, DestinationStoragePath=folder),
            select(ExpandProperty="Incompatibilities"),
            properties=("MessageId", "Message", "Source"),
            timeout=_COMPARING,
        )
        return tuple(Incompatibility.from_row(row) for row in rows)

    def rename_vm(self, vm_id: str, name: str) -> None:
        """Give the VM another name; its files keep theirs."""
        self._session.run(by_id(vm_id), command("Rename-VM", NewName=name), timeout=CHANGE)

    def set_notes(self, vm_id: str, notes: str) -> None:
        """Replace the VM's notes."""
        self._session.run(by_id(vm_id), command("Set-VM", Notes=notes), timeout=CHANGE)

    def remove_vm(self, vm_id: str) -> None:
        """Delete the VM's configuration. Its disks' files stay and are deleted one by one. Force only: no question."""
        self._session.run(by_id(vm_id), command("Remove-VM", Force=True), timeout=CHANGE)


__all__ = ("Changes",)
