# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export-VM: the VM's configuration and disks into a folder of its own below the one that is named."""

from __future__ import annotations

from collections.abc import Callable

from .. import jobs, vmcx
from ..chains import chain
from ..failures import E_ACCESS_DENIED, E_FILE_EXISTS, E_FILE_NOT_FOUND, E_INVALID_NAME, Failure
from ..host import Host
from ..register import GUEST_STATE_FILE, STATE_FILE
from ..storage import (
    INVALID_IN_NAMES,
    Copier,
    Copy,
    CopyError,
    Work,
    copy_failure,
    ensure_folder,
    is_absolute,
    join,
    require_folder,
    write_file,
)
from ..vm import EXPORTING, OFF, SAVED, VirtualMachine
from .common import job_of, occupied

FOLDERS = ("Virtual Machines", "Virtual Hard Disks", "Snapshots")


async def export_vm(
    host: Host,
    vm: VirtualMachine,
    folder: str,
    *,
    capture: str | None = None,
    tell: Callable[[int], None] | None = None,
) -> None:
    """Write ``<folder>\\<VM's name>\\...``. Fails before a byte is written when that folder is there already."""
    with occupied(host, vm, EXPORTING, host.say("export_failed")):
        _check_limit(host, vm)
        work = Work(host.jobs.begin(jobs.EXPORT, vm.id, vm.name), tell)
        copier = Copier(host, host, work)
        try:
            with job_of(host, work.job):
                await _export(host, vm, folder, capture or host.rules.default_capture, copier)
        except BaseException:
            if not host.rules.export_failure_leaves_files:
                copier.undo()
            raise
    host.hold(copier.made, host.rules.disks_stay_locked)


def _check_limit(host: Host, vm: VirtualMachine) -> None:
    if not host.rules.exports_count_as_storage_migrations:
        return
    limit = host.settings.maximum_storage_migrations
    moving = sum(job.with_storage for job in host.jobs.running(jobs.MIGRATION))
    if moving + len(host.jobs.running(jobs.EXPORT)) >= limit:
        raise Failure(host.say("export_failed"), host.say("move_storage_limit", vm=vm.name, limit=limit))


async def _export(host: Host, vm: VirtualMachine, folder: str, capture: str, copier: Copier) -> None:
    root = _root(host, vm, folder)
    try:
        for name in FOLDERS:
            ensure_folder(host, join(root, name))
        copies = _copies(host, vm, root)
        copier.plan(copies)
        twin = _exported(vm, root, capture)
        first = host.rules.export_writes_configuration_first
        if first:
            _write_configuration(host, twin, copier)
        for copy in copies:
            await copier.copy(copy)
        if not first:
            _write_configuration(host, twin, copier)
    except CopyError as error:
        raise copy_failure(host, error, *_heads(host, vm, error)) from error


def _heads(host: Host, vm: VirtualMachine, error: CopyError) -> list[str]:
    if error.hresult == E_FILE_NOT_FOUND:
        return [host.say("export_failed"), host.say("export_failed_vm", vm=vm.name)]
    return [host.say("export_copy_failed")]


def _root(host: Host, vm: VirtualMachine, folder: str) -> str:
    """The folder of this export; refused when it cannot be made or is there."""
    if not is_absolute(folder):
        raise Failure(
            host.say("export_failed"),
            host.say("invalid_parameter"),
            identifier="InvalidParameter",
            category="InvalidArgument",
        )
    if folder.startswith("\\\\"):
        raise _failed(
            host, vm, E_ACCESS_DENIED
        )  # shares are reached as the host's computer account, which has no rights
    if INVALID_IN_NAMES.search(vm.name) or vm.name != vm.name.rstrip(". "):
        raise _failed(host, vm, E_INVALID_NAME)
    try:
        require_folder(host, folder, may_create=host.rules.export_creates_path)
    except CopyError as error:
        raise _failed(host, vm, error.hresult) from error
    root = join(folder, vm.name)
    if host.volumes.exists(root) and not host.rules.export_into_existing_folder:
        raise _failed(host, vm, E_FILE_EXISTS)
    return root


def _failed(host: Host, vm: VirtualMachine, hresult: int) -> Failure:
    return Failure(
        host.say("export_failed"),
        host.say("export_failed_vm", vm=vm.name),
        host.say_code(hresult),
        hresult=hresult,
    )


def _copies(host: Host, vm: VirtualMachine, root: str) -> list[Copy]:
    """Every disk of the VM and of its checkpoints, with the parents they stand on, into one folder."""
    seen: dict[str, Copy] = {}
    for disk in vm.all_disks():
        if disk.disk_number is not None:
            raise Failure(host.say("export_failed"), host.say("pass_through", vm=vm.name))
        for path in chain(host, disk.path):
            name = path.rpartition("\\")[2]
            seen.setdefault(path.lower(), Copy(path, join(root, "Virtual Hard Disks", name)))
    return list(seen.values())


def _exported(vm: VirtualMachine, root: str, capture: str) -> VirtualMachine:
    """The VM as its exported configuration describes it: same id, disks where the export has them."""
    twin = vm.twin()
    twin.path = twin.snapshot_path = twin.paging_path = root
    if vm.state not in (OFF, SAVED):
        twin.state = SAVED if capture == "CaptureSavedState" else OFF
    for disk in [*twin.disks, *(disk for checkpoint in twin.checkpoints for disk in checkpoint.disks)]:
        disk.path = join(root, "Virtual Hard Disks", disk.file_name)
    return twin


def _write_configuration(host: Host, twin: VirtualMachine, copier: Copier) -> None:
    contents = {"vmcx": vmcx.dump(twin), "vmrs": STATE_FILE, "vmgs": GUEST_STATE_FILE}
    files = {path: contents[path.rpartition(".")[2]] for path in twin.system_files}
    for checkpoint in twin.checkpoints:
        for path in twin.checkpoint_files(checkpoint):
            files[path] = contents[path.rpartition(".")[2]]
    for path, content in files.items():
        write_file(host, path, content)
        copier.made.append(path)
