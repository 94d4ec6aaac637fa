# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine: its settings, its devices, and what is being done to it."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace

OFF, RUNNING, SAVED, PAUSED = "Off", "Running", "Saved", "Paused"
NO_MAC = "000000000000"
NAME_LENGTH = 100

# What the virtualization service says of a VM while it works on it (names of VMOperationalStatus).
EXPORTING = "ExportingVirtualMachine"
MIGRATING = "MigratingVirtualMachine"
MIGRATING_PLANNED = "MigratingPlannedVm"
BACKING_UP = "BackingUpVirtualMachine"
MODIFYING = "ModifyingUpVirtualMachine"
MERGING = "MergingDisks"
CHECKPOINTING = "CreatingSnapshot"
ACTIVITIES = (EXPORTING, MIGRATING, MIGRATING_PLANNED, BACKING_UP, MODIFYING, MERGING, CHECKPOINTING)


class Busy(Exception):
    """Something else works on this VM; only one at a time may."""

    def __init__(self, activity: str) -> None:
        super().__init__(activity)
        self.activity = activity


@dataclass
class HardDisk:
    """A virtual disk in its slot; ``disk_number`` instead of a file for a pass-through disk."""

    path: str
    controller_type: str = "SCSI"
    controller_number: int = 0
    location: int = 0
    disk_number: int | None = None
    shared: bool = False

    @property
    def file_name(self) -> str:
        return self.path.replace("/", "\\").rsplit("\\", 1)[-1]


@dataclass
class Dvd:
    path: str | None = None
    controller_type: str = "SCSI"
    controller_number: int = 0
    location: int = 1


@dataclass
class NetworkAdapter:
    name: str = "Network Adapter"
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    switch: str | None = None
    mac: str = NO_MAC
    static_mac: bool = False
    vlan: int | None = None


@dataclass
class Checkpoint:
    """``disks`` are the files as they were when it was taken: they must not change any more."""

    id: uuid.UUID
    name: str
    created: datetime.datetime
    disks: list[HardDisk]
    parent: uuid.UUID | None = None
    notes: str = ""
    settings: VirtualMachine | None = None  # what the VM was; None where only its disks are known


@dataclass
class Memory:
    startup: int = 1024**3
    dynamic: bool = False
    minimum: int = 512 * 1024**2
    maximum: int = 1024**4


@dataclass
class Automatic:
    """What the host does with the VM by itself; names of the enums StartAction, StopAction, CriticalErrorAction."""

    start_action: str = "StartIfRunning"
    start_delay: int = 0
    stop_action: str = "Save"
    critical_action: str = "Pause"
    critical_timeout: int = 30
    checkpoints: bool = False


@dataclass(eq=False)
class VirtualMachine:
    id: uuid.UUID
    name: str
    path: str  # the folder that holds "Virtual Machines"
    created: datetime.datetime
    version: str
    snapshot_path: str = ""
    paging_path: str = ""
    generation: int = 2
    processors: int = 1
    memory: Memory = field(default_factory=Memory)
    automatic: Automatic = field(default_factory=Automatic)
    secure_boot: bool = True
    secure_boot_template: str = "MicrosoftWindows"
    tpm: bool = False
    checkpoint_type: str = "Production"
    notes: str = ""
    state: str = OFF
    adapters: list[NetworkAdapter] = field(default_factory=list)
    disks: list[HardDisk] = field(default_factory=list)
    dvds: list[Dvd] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    current_checkpoint: uuid.UUID | None = None
    clustered: bool = False
    replication: str = "Disabled"
    guardian: str | None = None  # the host whose certificates protect the vTPM
    low_mmio: int = 128 * 1024**2
    high_mmio: int = 512 * 1024**2
    compatible_cpu: bool = False
    guest_cache_types: bool = False
    battery: bool = False
    enhanced_transport: str = "VMBus"
    lock_on_disconnect: str = "Off"
    shutdown: str = "now"  # how the guest takes it when it is asked to shut down: operations/power.py
    activity: str | None = None
    started_at: float | None = None
    deleted: bool = False

    @property
    def file_id(self) -> str:
        """The id as the names of its files have it."""
        return str(self.id).upper()

    @property
    def configuration_folder(self) -> str:
        return self.path.rstrip("\\") + "\\Virtual Machines"

    def system_file(self, extension: str) -> str:
        return f"{self.configuration_folder}\\{self.file_id}.{extension}"

    @property
    def system_files(self) -> list[str]:
        extensions = ["vmcx", "vmrs"] + (["vmgs"] if self.generation == 2 else [])
        return [self.system_file(extension) for extension in extensions]

    @property
    def checkpoint_folder(self) -> str:
        return (self.snapshot_path or self.path).rstrip("\\") + "\\Snapshots"

    def checkpoint_files(self, checkpoint: Checkpoint) -> list[str]:
        return [f"{self.checkpoint_folder}\\{str(checkpoint.id).upper()}.{extension}" for extension in ("vmcx", "vmrs")]

    @property
    def needs_processor_match(self) -> bool:
        return bool(self.checkpoints or self.state in (SAVED, PAUSED, RUNNING)) and not self.compatible_cpu

    @contextmanager
    def occupied(self, activity: str) -> Iterator[None]:
        """Do something to the VM that nothing else may interfere with."""
        if self.activity is not None:
            raise Busy(self.activity)
        self.activity = activity
        try:
            yield
        finally:
            self.activity = None

    def all_disks(self) -> list[HardDisk]:
        """Its own disks and those its checkpoints hold, each file once."""
        seen: dict[str, HardDisk] = {}
        for disk in [*self.disks, *(disk for checkpoint in self.checkpoints for disk in checkpoint.disks)]:
            seen.setdefault(disk.path.lower(), disk)
        return list(seen.values())

    def twin(self) -> VirtualMachine:
        """An independent object with the same settings."""
        return replace(
            self,
            memory=replace(self.memory),
            automatic=replace(self.automatic),
            adapters=[replace(adapter) for adapter in self.adapters],
            disks=[replace(disk) for disk in self.disks],
            dvds=[replace(dvd) for dvd in self.dvds],
            checkpoints=[
                replace(checkpoint, disks=[replace(disk) for disk in checkpoint.disks])
                for checkpoint in self.checkpoints
            ],
            activity=None,
            started_at=None,
            deleted=False,
        )

    def restore(self, before: VirtualMachine) -> None:
        """Take back all settings; what is being done to the VM stays."""
        for one in fields(self):
            if one.name not in ("activity", "started_at", "deleted"):
                setattr(self, one.name, getattr(before, one.name))
