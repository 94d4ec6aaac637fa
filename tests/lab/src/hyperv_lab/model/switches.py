# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Behaviours that nobody has proved on a real host: switches whose default is the one that is harder on clients.

``rules`` in lab.yml sets them. Tests of the collection turn each one by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Rules:
    """One field for each open question."""

    # Names: only Get-VM documents wildcards; the others probably expand them too.
    wildcards_everywhere: bool = True
    unmatched_pattern_is_error: bool = False  # else a pattern that no VM's name matches gives nothing
    names_may_repeat: bool = True  # Rename-VM and Move-VM take a name that another VM of the host has

    # Errors of the Hyper-V module
    errors_end_pipeline: bool = False  # all of them end it; else only what stops a whole command does
    unknown_id_error: str = "InvalidParameter"  # of Get-VM -Id; "ObjectNotFound" is what other cmdlets say
    busy_error: str = "InvalidState"  # what a VM answers on which something else works: or "OperationFailed"
    move_error_category: str = "NotSpecified"  # of a failed Move-VM: or "InvalidOperation"

    # What a VM shows
    busy_keeps_state: bool = True  # Off or Running while it is exported or moved; else Other
    backup_says_so: bool = False  # BackingUpVirtualMachine beside InService; else nothing beside it
    path_is_parent_folder: bool = True  # VM.Path is the folder that holds "Virtual Machines"; else that one itself

    # Get-Content -Encoding Byte -ReadCount n
    content_blocks_are_byte_arrays: bool = False  # a block arrives as bytes; else as an array of single bytes

    # Export-VM
    export_creates_path: bool = False  # a missing folder of -Path is made instead of refused
    export_into_existing_folder: bool = False  # <Path>\<VMName> that is already there is merged into
    export_writes_configuration_first: bool = True  # a broken export then has its .vmcx
    export_failure_leaves_files: bool = True
    default_capture: str = "CaptureSavedState"  # what Export-VM of a running VM does unasked

    # Import-VM
    import_creates_folders: bool = False  # a missing -VirtualMachinePath, -VhdDestinationPath ... is made
    import_locks_definition: bool = True  # two imports of one .vmcx at once: sharing violation for the second
    import_failure_leaves_files: bool = True
    import_vhd_folder_as_named: bool = True  # disks straight into -VhdDestinationPath; else in a folder below it
    notes_survive_import: bool = True

    # Move-VM
    move_creates_folder: bool = False  # a missing -DestinationStoragePath is made
    move_failure_leaves_files: bool = True
    move_failure_leaves_planned_vm: bool = True
    planned_vm_blocks_id: bool = True  # a planned VM left behind makes another move of that VM fail
    move_leaves_empty_folders: bool = True
    move_uses_subfolders: bool = True  # disks in <storage path>\\Virtual Hard Disks; else in the path itself
    move_rewrites_disk_layout: bool = False  # the disk's content arrives the same, its blocks in another order
    storage_counts_as_migration: bool = True  # moves with storage count against MaximumStorageMigrations too
    exports_count_as_storage_migrations: bool = False  # no document names such a limit
    connect_timeout: float = 5.0  # seconds until a host that is down has "not responded"
    delegated_kerberos_is_enough: bool = False  # a forwarded ticket instead of constrained delegation
    credssp_serves_kerberos: bool = False  # credentials brought by CredSSP, hosts whose type is Kerberos
    any_session_serves_credssp: bool = False  # a session without brought credentials, hosts whose type is CredSSP
    missing_cifs_is_no_credentials: bool = False  # 0x8009030E; else 0x80070005
    virtual_account_is_nobody: bool = False  # at the target; else it is the source's computer account there
    computer_account_needs_group: bool = True  # in Hyper-V Administrators of the target, to move in its own name

    # New-VM, and guests
    new_vm_creates_path: bool = False  # a missing folder of -Path is made instead of refused
    copies_keep_read_only: bool = True  # a read-only disk is read-only again after Export-VM and Import-VM -Copy
    slow_shutdown: float = 20.0  # seconds that a guest takes whose setting is "shutdown: slow"
    shutdown_wait: float = 300.0  # seconds after which Stop-VM gives up waiting for a guest that ignores it

    # Jobs
    job_visible_after: float = 2.0  # seconds in which a new migration job is not in the list yet
    job_names_vm_by: str = "id"  # Msvm_MigrationJob.VirtualSystemName: id or name
    job_life: float = 300.0

    # Pipelines that end early
    stop_cancels_work: bool = True  # a stopped pipeline cancels the job behind it
    lost_shell_cancels_work: bool = False  # a deleted shell does

    # Remove-VM
    disks_stay_locked: float = 2.0  # seconds after Remove-VM and after a finished import, export or move
    remove_needs_force: bool = True  # -Confirm:$false alone does not silence the question
    remove_wants_off: bool = True  # a VM that runs is refused; else it is turned off
    remove_leaves_folders: bool = True  # the empty folders of its configuration stay

    # Constrained endpoints (JEA)
    stand_in_hides_cmdlet: bool = True  # a session's own Select-Object hides one that a role makes visible

    def changed(self, values: Mapping[str, Any]) -> Rules:
        """The same with some set; an unknown name or a wrong type is an error, so that no test turns nothing."""
        known = {one.name: type(getattr(self, one.name)) for one in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no such rule: {name}")
            if not (isinstance(value, known[name]) or (known[name] is float and type(value) is int)):
                raise ValueError(f"rule {name} wants a {known[name].__name__}, not {value!r}")
        return replace(self, **values)
