# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import-VM: from an exported .vmcx, in place, as a copy, or as a copy with a new id."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .. import chains, jobs, register, vmcx
from ..failures import E_SHARING_VIOLATION, Failure
from ..files import FileError
from ..host import Host
from ..storage import Copier, Copy, CopyError, Work, copy_failure, ensure_folder, join, parent, require_folder
from ..vm import HardDisk, VirtualMachine
from .common import job_of
from .compatibility import Report, of_import

IN_PLACE, COPY = "register", "copy"


@dataclass(frozen=True)
class ImportRequest:
    """Where from, how, and where to; None = the host's own folders."""

    path: str
    kind: str = IN_PLACE
    new_id: bool = False
    vm_path: str | None = None
    vhd_path: str | None = None
    snapshot_path: str | None = None
    paging_path: str | None = None
    vhd_source: str | None = None

    @property
    def is_copy(self) -> bool:
        return self.kind == COPY


def compare_import(host: Host, request: ImportRequest) -> Report:
    """What stands in the way of this import; the report's VM is what would be imported."""
    return _report(host, _read(host, request), request)


def compare_again(host: Host, report: Report) -> Report:
    """Another look at a report's VM, which somebody may have mended."""
    if not isinstance(report.request, ImportRequest):
        raise TypeError("this report is not of an import")
    return _report(host, report.vm, report.request)


def _report(host: Host, vm: VirtualMachine, request: ImportRequest) -> Report:
    missing = [disk for disk in vm.all_disks() if not host.volumes.exists(disk.path)]
    return Report(
        vm,
        "ImportVirtualMachine",
        host.computer_name,
        path=request.vm_path or host.settings.virtual_machine_path,
        snapshot_path=request.snapshot_path or host.settings.virtual_machine_path,
        vhd_destination=request.vhd_path or host.settings.virtual_hard_disk_path,
        vhd_source=request.vhd_source or "",
        incompatibilities=of_import(host, vm, missing),
        request=request,
    )


async def import_vm(
    host: Host, request: ImportRequest, *, tell: Callable[[int], None] | None = None, repaired: Report | None = None
) -> VirtualMachine:
    """The new VM. ``repaired``: the report of a comparison whose VM somebody has mended since."""
    with _definition_in_use(host, request.path):
        report = compare_import(host, request) if repaired is None else compare_again(host, repaired)
        vm = report.vm
        _check_id(host, vm, request)
        if report.incompatibilities:
            raise Failure(host.say("import_configuration"), category="InvalidOperation")
        if request.is_copy:
            return await _copy(host, vm, request, tell)
    try:
        register.register(host, vm)  # the definition is the VM's own from now on
    except CopyError as error:
        host.vms.pop(vm.id, None)
        raise copy_failure(host, error, host.say("import_failed")) from error
    return vm


def _read(host: Host, request: ImportRequest) -> VirtualMachine:
    """The configuration, with its disks where this import finds them."""
    if not request.path.lower().endswith(".vmcx") or not _is_file(host, request.path):
        raise Failure(host.say("file_not_found"), identifier="ObjectNotFound", category="ObjectNotFound")
    try:
        vm = vmcx.load(host.volumes.read(request.path))
    except vmcx.DamagedConfiguration as error:
        raise Failure(host.say("import_failed"), host.say("import_unreadable"), hresult=0x80070057) from error
    except FileError as error:
        raise Failure(host.say("import_failed"), host.say_code(error.hresult), hresult=error.hresult) from error
    if vm.version not in host.windows.vm_versions:
        raise Failure(host.say("import_newer", folder=parent(request.path)))
    root = parent(parent(request.path))
    for disk in [*vm.disks, *(disk for checkpoint in vm.checkpoints for disk in checkpoint.disks)]:
        disk.path = _find_disk(host, disk, root, request.vhd_source)
    vm.path = vm.snapshot_path = vm.paging_path = root
    vm.clustered, vm.replication = False, "Disabled"  # neither travels with an export
    if not host.rules.notes_survive_import:
        vm.notes = ""
    return vm


def _is_file(host: Host, path: str) -> bool:
    with contextlib.suppress(FileError):
        return bool(host.volumes.exists(path) and not host.volumes.is_dir(path))
    return False


def _find_disk(host: Host, disk: HardDisk, root: str, vhd_source: str | None) -> str:
    """Where the configuration says, else where the import was told to look, else beside the configuration."""
    places = [disk.path, join(root, "Virtual Hard Disks", disk.file_name)]
    if vhd_source:
        places.insert(0, join(vhd_source, disk.file_name))
    return next((place for place in places if host.volumes.exists(place)), disk.path)


@contextlib.contextmanager
def _definition_in_use(host: Host, path: str) -> Iterator[None]:
    """Two imports of one definition file at once: the second does not get it."""
    if not host.rules.import_locks_definition or not _is_file(host, path):
        yield
        return
    key = path.lower()
    if key in host.definitions_in_use:
        raise Failure(host.say("import_failed"), host.say_code(E_SHARING_VIOLATION), hresult=E_SHARING_VIOLATION)
    host.definitions_in_use.add(key)
    try:
        with host.volumes.using(path):
            yield
    finally:
        host.definitions_in_use.discard(key)


def _check_id(host: Host, vm: VirtualMachine, request: ImportRequest) -> None:
    if request.new_id:
        return
    if vm.id in host.vms or (host.rules.planned_vm_blocks_id and vm.id in host.planned):
        raise Failure(host.say("import_failed"), host.say("same_id"), category="InvalidOperation")


async def _copy(
    host: Host, vm: VirtualMachine, request: ImportRequest, tell: Callable[[int], None] | None
) -> VirtualMachine:
    if request.new_id:
        vm.id = uuid.uuid4()
        for adapter in vm.adapters:
            adapter.id = uuid.uuid4()
    work = Work(host.jobs.begin(jobs.IMPORT, vm.id, vm.name), tell)
    copier = Copier(host, host, work)
    host.planned[vm.id] = vm
    try:
        with job_of(host, work.job):
            try:
                await _copy_disks(host, vm, request, copier)
                vm.created = host.clock.wall()
                register.register(host, vm)
            except CopyError as error:
                raise copy_failure(host, error, host.say("import_copy_failed")) from error
    except BaseException:
        if not host.rules.import_failure_leaves_files:
            copier.undo()
        raise
    finally:
        host.planned.pop(vm.id, None)
    host.hold(copier.made, host.rules.disks_stay_locked)
    return vm


async def _copy_disks(host: Host, vm: VirtualMachine, request: ImportRequest, copier: Copier) -> None:
    """Disks under their own file names straight into the folder; parents go with their children."""
    default = host.settings.virtual_machine_path
    vm.path = request.vm_path or default
    vm.snapshot_path = request.snapshot_path or default
    vm.paging_path = request.paging_path or default
    vhd_folder = request.vhd_path or host.settings.virtual_hard_disk_path
    if request.vhd_path and not host.rules.import_vhd_folder_as_named:
        vhd_folder = join(request.vhd_path, "Virtual Hard Disks")
    for named in (request.vm_path, request.snapshot_path, request.paging_path, request.vhd_path):
        if named is not None:
            require_folder(host, named, may_create=host.rules.import_creates_folders)
    ensure_folder(host, vhd_folder)
    for folder in (vm.configuration_folder, vm.checkpoint_folder):
        ensure_folder(host, folder)
    copies: dict[str, Copy] = {}
    for disk in vm.all_disks():
        for path in chains.chain(host, disk.path):
            copies.setdefault(path.lower(), Copy(path, join(vhd_folder, path.rpartition("\\")[2])))
    copier.plan(copies.values())
    for copy in copies.values():
        await copier.copy(copy)
    for disk in [*vm.disks, *(disk for checkpoint in vm.checkpoints for disk in checkpoint.disks)]:
        disk.path = copies[disk.path.lower()].target
