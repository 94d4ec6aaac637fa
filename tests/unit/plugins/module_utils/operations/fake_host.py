# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Hyper-V host in memory, for tests of decisions. It notes every call that would write on a real one."""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from ansible_collections.fanout.hyperv.plugins.module_utils._command import ProgressRecord
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import CommandFailed, InvalidInput
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import (
    VM,
    Computer,
    Definition,
    Disk,
    DiskFacts,
    Drive,
    Entry,
    Glance,
    HostSettings,
    MigrationJob,
    Overview,
    PlannedVM,
    Survey,
    Switch,
    Volume,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import fold, inside, join, name_of, parent
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Owner, Values, Work

T_ID = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER_ID = "bbbbbbbb-0000-4000-8000-000000000002"
COPY_ID = "cccccccc-0000-4000-8000-000000000003"
STAGING = r"D:\Staging"


def vm(vm_id: str = T_ID, name: str = "win11-gold", **changes: t.Any) -> VM:
    """A VM that is off and that nobody has done anything with."""
    values: Values = {
        "id": vm_id,
        "name": name,
        "state": "Off",
        "notes": "",
        "generation": 2,
        "version": "9.0",
        "path": rf"D:\VMs\{name}",
        "configuration_location": rf"D:\VMs\{name}",
        "snapshot_location": rf"D:\VMs\{name}",
        "statuses": ("Ok",),
        "is_clustered": False,
        "replication_state": "Disabled",
        "parent_snapshot_id": None,
        "created": None,
    }
    return VM(**{**values, **changes})


def job(vm_id: str, *, destination: str = "hv02.lab.test", percent: int = 30, state: str = "running") -> MigrationJob:
    """A migration of that VM."""
    return MigrationJob(
        id=f"job-{vm_id}", vm=vm_id, destination=destination, percent=percent, state=state, error_code=0, error_text=""
    )


class FakeFiles:
    """Files by path: a text, or a size for what is no text. Folders are noted by themselves."""

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        self.content: dict[str, str | int] = {}
        self.folders: set[str] = set()
        self.links: set[str] = set()

    def put(self, path: str, content: str | int) -> None:
        """A file that is there, with the folders above it; not noted as written."""
        self.make(parent(path))
        self.content[path] = content

    def make(self, folder: str) -> None:
        """A folder that is there, with those above it."""
        while folder not in self.folders and parent(folder) != folder:
            self.folders.add(folder)
            folder = parent(folder)

    def _key(self, path: str) -> str | None:
        return next((known for known in self.content if fold(known) == fold(path)), None)

    def entry(self, path: str) -> Entry | None:
        key = self._key(path)
        is_folder = any(fold(folder) == fold(path) for folder in self.folders)
        if key is None and not is_folder:
            return None
        content = 0 if key is None else self.content[key]
        return Entry(
            name=name_of(path),
            path=key or path,
            is_folder=is_folder,
            size=content if isinstance(content, int) else len(content),
            modified=self._host.time,
            is_link=path in self.links,
        )

    def found(self, paths: Sequence[str]) -> tuple[Entry, ...]:
        return tuple(entry for path in paths if (entry := self.entry(path)) is not None)

    def entries(self, folder: str) -> tuple[Entry, ...] | None:
        if not any(fold(folder) == fold(known) for known in self.folders):
            return None
        below = sorted(path for path in [*self.folders, *self.content] if fold(parent(path)) == fold(folder))
        return tuple(entry for path in below if path != folder and (entry := self.entry(path)) is not None)

    def tree(self, folder: str) -> tuple[Entry, ...]:
        everything: list[Entry] = []
        for entry in self.entries(folder) or ():
            everything.append(entry)
            if entry.is_folder and not entry.is_link:
                everything += self.tree(entry.path)
        return tuple(everything)

    def read_text(self, path: str) -> str | None:
        key = self._key(path)
        return None if key is None else str(self.content[key])

    read_plain = read_text

    def sha256(self, path: str, *, timeout: float = 0, on_poll: Callable[[], None] | None = None) -> str:
        self._host.hashed.append(path)
        return hashlib.sha256(str(self.content[str(self._key(path))]).encode()).hexdigest()

    def modified(self, path: str) -> datetime:
        return self._host.time

    def write_text(self, path: str, content: str) -> None:
        self._host.wrote("write", path)
        assert parent(path) in self.folders, f"no folder for {path}"
        self.content[path] = content

    write_in_place = write_text

    def create_text(self, path: str, content: str) -> bool:
        self._host.wrote("create", path)
        if self._key(path) is not None:
            return False
        self.content[path] = content
        return True

    def ensure_folder(self, path: str) -> None:
        self._host.wrote("folder", path)
        self.make(path)

    def remove_file(self, path: str) -> bool:
        self._host.wrote("remove", path)
        key = self._key(path)
        if key is None:
            return False
        del self.content[key]
        self._host.disk_files.pop(key, None)
        return True

    def remove_files(self, entries: Sequence[Entry]) -> int:
        return sum(self.remove_file(entry.path) for entry in entries if not entry.is_folder and not entry.is_link)

    def remove_emptied_folder(self, path: str) -> bool:
        if self.entries(path):
            return False
        self.folders.discard(path)
        return True

    remove_folder_if_empty = remove_emptied_folder

    def remove_empty_folders(self, path: str) -> tuple[str, ...]:
        self._host.wrote("prune", path)
        left = [entry.path for entry in self.tree(path) if not entry.is_folder or entry.is_link]
        for folder in sorted(self.folders, key=len, reverse=True):
            if (folder == path or inside(folder, path)) and not self.entries(folder):
                self.folders.discard(folder)
        return tuple(left)


class FakeHost:
    """One host. ``before_write`` is called with each writing call, and may change things or raise."""

    def __init__(self, label: str = "hv01") -> None:
        self.label = label
        self.auth, self.endpoint = "kerberos", "Microsoft.PowerShell"
        self.time = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
        self.files = FakeFiles(self)
        self.machines: dict[str, VM] = {}
        self.disk_files: dict[str, Disk] = {}
        self.guids: dict[str, str | None] = {}
        self.attached: dict[str, list[str]] = {}
        self.checkpointed: dict[str, list[str]] = {}
        self.running: list[MigrationJob] = []
        self.limit = 2
        self.planned: list[PlannedVM] = []
        self.writes: list[tuple[str, str]] = []
        self.hashed: list[str] = []
        self.before_write: Callable[[str, str], None] = lambda _what, _which: None
        self.peers: dict[str, FakeHost] = {}
        self.percent: int | None = 50
        self.on_move: Callable[[FakeHost, VM, str, str], None] = lambda *_move: None

    # Making things

    def add(self, machine: VM, *disks: str, size: int = 1000, parent_path: str = "") -> VM:
        """A VM that is there, with these disks."""
        self.machines[machine.id] = machine
        self.attached[machine.id] = list(disks)
        for path in disks:
            self.add_disk(path, size=size, parent_path=parent_path)
        return machine

    def add_disk(self, path: str, *, size: int = 1000, parent_path: str = "", identifier: str = "disk-1") -> None:
        """A virtual disk's file."""
        self.files.put(path, size)
        self.disk_files[path] = Disk(
            path=path,
            format="VHDX",
            type="Differencing" if parent_path else "Dynamic",
            file_size=size,
            size=10 * size,
            identifier=identifier,
            parent_path=parent_path,
            attached=False,
        )
        self.guids.setdefault(path, "guid-1")

    def change(self, vm_id: str, **changes: t.Any) -> None:
        """Somebody else changes a VM."""
        self.machines[vm_id] = replace(self.machines[vm_id], **changes)

    def wrote(self, what: str, which: str) -> None:
        self.before_write(what, which)
        self.writes.append((what, which))

    # Questions

    def vms(self) -> tuple[VM, ...]:
        return tuple(self.machines.values())

    def vm(self, vm_id: str) -> VM | None:
        return self.machines.get(vm_id)

    def named(self, name: str) -> tuple[VM, ...]:
        return tuple(machine for machine in self.machines.values() if machine.name == name)

    def drives(self, vm_id: str | None = None) -> tuple[Drive, ...]:
        wanted = self.attached if vm_id is None else {vm_id: self.attached.get(vm_id, [])}
        return tuple(
            Drive(vm_id=owner, path=path, controller_type="SCSI", number=0, location=place)
            for owner, paths in wanted.items()
            for place, path in enumerate(paths)
        )

    def checkpoint_drives(self) -> tuple[Drive, ...]:
        return tuple(
            Drive(vm_id=owner, path=path, controller_type="SCSI", number=0, location=place)
            for owner, paths in self.checkpointed.items()
            for place, path in enumerate(paths)
        )

    def disks(self, paths: Sequence[str]) -> tuple[Disk, ...]:
        return tuple(self.disk_files[path] for path in paths if path in self.disk_files)

    def disks_of(self, vm_id: str) -> tuple[Disk, ...]:
        missing = [path for path in self.attached[vm_id] if path not in self.disk_files]
        if missing:
            raise CommandFailed(f"no {missing[0]}")
        return self.disks(self.attached[vm_id])

    def disk_facts(self, disks: Sequence[Disk]) -> tuple[DiskFacts, ...]:
        return tuple(
            DiskFacts(
                path=disk.path,
                size=disk.size,
                identifier=disk.identifier,
                guid=self.guids[disk.path],
                file_size=disk.file_size,
                modified=self.time if self.guids[disk.path] is None else None,
                parent=disk.parent_path,
            )
            for disk in disks
        )

    def definition(self, vm_id: str) -> Definition:
        return Definition(
            vm=self.machines[vm_id],
            processors=2,
            memory_startup=4 << 30,
            dynamic_memory=False,
            memory_minimum=0,
            memory_maximum=0,
            secure_boot=True,
            secure_boot_template="MicrosoftWindows",
            tpm=False,
            shielded=False,
            adapters=(),
            drives=self.drives(vm_id),
            dvds=(),
            checkpoints=(),
            disks=self.disks(self.attached[vm_id]),
        )

    def jobs(self) -> tuple[MigrationJob, ...]:
        return tuple(self.running)

    def planned_vms(self) -> tuple[PlannedVM, ...]:
        return tuple(self.planned)

    def settings(self) -> HostSettings:
        return HostSettings(
            name=self.label.upper(),
            fqdn_suffix="lab.test",
            virtual_machine_path="D:\\VMs\\",
            virtual_hard_disk_path=r"D:\VHDs",
            migration_enabled=True,
            migration_authentication="Kerberos",
            maximum_migrations=self.limit,
            maximum_storage_migrations=self.limit,
            any_network=True,
            supported_versions=("9.0",),
            performance="SMB",
        )

    def computer(self) -> Computer:
        return Computer(
            dns_name=self.label,
            domain="lab.test",
            part_of_domain=True,
            uuid=f"uuid-{self.label}",
            os_caption="Windows Server 2022",
            os_build="20348",
            clustered=False,
        )

    def volumes(self) -> tuple[Volume, ...]:
        return (Volume(name="D:\\", free=10**9, capacity=10**10),)

    def survey(self) -> Survey:
        machine = Overview(
            computer=self.computer(), volumes=self.volumes(), jobs=self.jobs(), planned_vms=self.planned_vms()
        )
        settings, vms, switches = self.settings(), self.vms(), self.switches()
        return Survey(settings=settings, machine=machine, vms=vms, switches=switches, migration_networks=())

    def glance(self, folder: str, copies: Mapping[str, str]) -> Glance | None:
        """Everything at once, or nothing, as a host has it."""
        entries = self.files.entries(folder)
        texts = {path: self.files.read_text(path) for path in copies.values()}
        try:
            disks = {vm_id: self.disks_of(vm_id) for vm_id in copies}
        except CommandFailed:
            return None
        there = {path: text for path, text in texts.items() if text is not None}
        return None if entries is None or there != texts else Glance(entries=entries, disks=disks, texts=there)

    def switches(self) -> tuple[Switch, ...]:
        return (Switch(name="Production", id=OTHER_ID, type="External"),)

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    # Changes

    def set_notes(self, vm_id: str, notes: str) -> None:
        self.wrote("notes", vm_id)
        self.change(vm_id, notes=notes)

    def rename_vm(self, vm_id: str, name: str) -> None:
        self.wrote("rename", vm_id)
        self.change(vm_id, name=name)

    def remove_vm(self, vm_id: str) -> None:
        self.wrote("remove_vm", vm_id)
        del self.machines[vm_id]
        del self.attached[vm_id]

    def export_vm(
        self,
        vm_id: str,
        folder: str,
        *,
        timeout: float = 0,
        on_progress: Callable[[ProgressRecord], None] | None = None,
        on_poll: Callable[[], None] | None = None,
    ) -> None:
        """Half of the files are there when ``before_write`` is asked, all of them afterwards."""
        machine = self.machines[vm_id]
        base = join(folder, machine.name)
        self.files.put(join(base, "Virtual Machines", f"{vm_id}.vmcx"), 10)
        if on_progress is not None:
            on_progress(ProgressRecord(activity="Exporting", percent=50))
        if on_poll is not None:
            on_poll()
        self.wrote("export", vm_id)
        for path in self.attached[vm_id]:
            copy, original = join(base, "Virtual Hard Disks", name_of(path)), self.disk_files[path]
            self.add_disk(copy, size=original.file_size, identifier=original.identifier)
            self.guids[copy] = self.guids[path]

    def move_vm(
        self,
        vm_id: str,
        destination_host: str,
        folder: str,
        *,
        timeout: float = 0,
        on_progress: Callable[[ProgressRecord], None] | None = None,
        on_poll: Callable[[], None] | None = None,
    ) -> None:
        """``on_move`` may raise, or do a part of it, before the VM arrives."""
        machine = self.machines[vm_id]
        self.wrote("move", vm_id)
        if on_progress is not None:
            on_progress(ProgressRecord(activity="Moving", percent=self.percent))
        self.on_move(self, machine, destination_host, folder)
        self.arrive(vm_id, destination_host, folder)

    def arrive(self, vm_id: str, destination_host: str, folder: str) -> None:
        """The VM is at the other host from now on."""
        machine = self.machines.pop(vm_id)
        self.attached.pop(vm_id, None)
        self.running = [one for one in self.running if one.vm != vm_id]
        peer = self.peers.get(destination_host)
        if peer is not None:
            peer.machines[vm_id] = replace(machine, path=folder, configuration_location=folder)


class FakeReporter:
    """Keeps what was told."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.percents: list[float] = []
        self.notes: list[str] = []
        self.on_check: Callable[[], None] = lambda: None

    def phase(self, name: str, **fields: t.Any) -> None:
        self.phases.append(name)

    def progress(
        self,
        percent: float | None = None,
        bytes_done: int | None = None,
        bytes_total: int | None = None,
        **fields: t.Any,
    ) -> None:
        if percent is not None:
            self.percents.append(percent)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def check(self) -> None:
        self.on_check()


class FakeSlots:
    """Always free."""

    @contextmanager
    def clone(self, limit: int, check: Callable[[], None]) -> Iterator[None]:
        yield

    @contextmanager
    def exclusive(self, name: str, check: Callable[[], None]) -> Iterator[None]:
        yield

    @contextmanager
    def copy(
        self, limit: int, vm_id: str, in_flight: Callable[[], Collection[str]], check: Callable[[], None]
    ) -> Iterator[None]:
        yield


class FakeHosts:
    """Hosts by role; the control session is the same host."""

    def __init__(self, **hosts: FakeHost) -> None:
        self._hosts = hosts

    def has(self, role: str) -> bool:
        return role in self._hosts

    def get(self, role: str, *, control: bool = False) -> t.Any:
        if role not in self._hosts:
            raise InvalidInput(f"no {role}")
        return self._hosts[role]


def work(params: Values, **hosts: FakeHost) -> Work:
    """Work on these hosts; the roles are the names of the arguments."""
    return Work(
        params=params,
        provider=hosts["host"].label,
        hosts=t.cast(t.Any, FakeHosts(**hosts)),
        reporter=FakeReporter(),
        slots=FakeSlots(),
        owner=Owner(controller="here", pid=1, run="run-1"),
    )


def defaults(operation: t.Any, **given: t.Any) -> Values:
    """The options of an operation as Ansible hands them over: defaults where nothing is given."""
    unknown = set(given) - set(operation.argument_spec)
    assert not unknown, f"no such option: {unknown}"
    return {name: option.get("default") for name, option in operation.argument_spec.items()} | given
