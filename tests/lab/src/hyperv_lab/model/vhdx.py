# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reader of real virtual disks: VHDX after MS-VHDX, and the footer of the older VHD."""

from __future__ import annotations

import os
import struct
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from . import vhdx_format as form
from .vhdx_format import Header, NotAVirtualDisk, Region

__all__ = [
    "NotAVirtualDisk",
    "VirtualDisk",
    "active_header",
    "break_hard_link",
    "inspect",
    "is_usable",
    "payload_places",
    "set_data_write_guid",
]

VHD_TYPES = {2: "Fixed", 3: "Dynamic", 4: "Differencing"}


@dataclass(frozen=True)
class VirtualDisk:
    """What a virtual disk's own bytes say about it."""

    format: str  # VHD or VHDX
    type: str  # Fixed, Dynamic, Differencing
    size: int
    file_size: int
    identifier: uuid.UUID
    block_size: int
    logical_sector_size: int
    physical_sector_size: int
    parent: dict[str, str] | None = None
    data_write_guid: uuid.UUID | None = None
    file_write_guid: uuid.UUID | None = None
    sequence: int | None = None
    bat: Region | None = None

    @property
    def parent_path(self) -> str:
        """The parent's path as Windows shows it, "" when there is none."""
        if not self.parent:
            return ""
        return self.parent.get("absolute_win32_path") or self.parent.get("relative_path") or ""


def inspect(path: Path) -> VirtualDisk:
    """Read a VHDX or VHD file; raises NotAVirtualDisk, or OSError when it cannot be read."""
    with path.open("rb") as file:
        file_size = os.fstat(file.fileno()).st_size
        if file.read(len(form.FILE_SIGNATURE)) == form.FILE_SIGNATURE:
            return _read_vhdx(file, file_size)
        return _read_vhd(file, file_size)


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)


def read_headers(file: BinaryIO) -> list[Header | None]:
    return [Header.parse(_at(file, offset, form.HEADER_SIZE)) for offset in form.HEADER_OFFSETS]


def active_header(file: BinaryIO) -> tuple[int, Header]:
    """Which of the two headers counts (0 or 1): the valid one with the higher sequence number."""
    valid = [(number, header) for number, header in enumerate(read_headers(file)) if header is not None]
    if not valid:
        raise NotAVirtualDisk("no valid header")
    return max(valid, key=lambda found: found[1].sequence)


def _read_vhdx(file: BinaryIO, file_size: int) -> VirtualDisk:
    _, header = active_header(file)
    regions = _read_regions(file)
    try:
        metadata, bat = regions[form.REGION_METADATA], regions[form.REGION_BAT]
    except KeyError as error:
        raise NotAVirtualDisk("a required region is missing") from error
    items = form.parse_metadata(_at(file, metadata.offset, form.METADATA_TABLE_SIZE))

    def item(guid: uuid.UUID) -> bytes:
        if guid not in items:
            raise NotAVirtualDisk(f"metadata item {guid} is missing")
        offset, length = items[guid]
        value = _at(file, metadata.offset + offset, length)
        if len(value) != length:
            raise NotAVirtualDisk("the file ends inside its metadata")
        return value

    block_size, flags = struct.unpack("<II", item(form.ITEM_FILE_PARAMETERS))
    has_parent = bool(flags & form.HAS_PARENT)
    fixed = bool(flags & form.LEAVE_BLOCKS_ALLOCATED)
    return VirtualDisk(
        format="VHDX",
        type="Differencing" if has_parent else "Fixed" if fixed else "Dynamic",
        size=struct.unpack("<Q", item(form.ITEM_VIRTUAL_DISK_SIZE))[0],
        file_size=file_size,
        identifier=uuid.UUID(bytes_le=item(form.ITEM_PAGE_83_DATA)),
        block_size=block_size,
        logical_sector_size=struct.unpack("<I", item(form.ITEM_LOGICAL_SECTOR_SIZE))[0],
        physical_sector_size=struct.unpack("<I", item(form.ITEM_PHYSICAL_SECTOR_SIZE))[0],
        parent=form.parse_parent_locator(item(form.ITEM_PARENT_LOCATOR)) if has_parent else None,
        data_write_guid=header.data_write_guid,
        file_write_guid=header.file_write_guid,
        sequence=header.sequence,
        bat=bat,
    )


def _read_regions(file: BinaryIO) -> dict[uuid.UUID, Region]:
    for offset in form.REGION_OFFSETS:
        regions = form.parse_regions(_at(file, offset, form.REGION_SIZE))
        if regions is not None:
            return regions
    raise NotAVirtualDisk("no valid region table")


def _read_vhd(file: BinaryIO, file_size: int) -> VirtualDisk:
    footer = _at(file, max(0, file_size - 512), 512)
    if len(footer) < 512 or not footer.startswith(b"conectix"):
        raise NotAVirtualDisk("neither VHDX nor VHD")
    total = sum(footer[:64]) + sum(footer[68:])
    if struct.unpack_from(">I", footer, 64)[0] != ~total & 0xFFFFFFFF:
        raise NotAVirtualDisk("wrong checksum in the VHD footer")
    size, kind = struct.unpack_from(">Q", footer, 48)[0], struct.unpack_from(">I", footer, 60)[0]
    if kind not in VHD_TYPES:
        raise NotAVirtualDisk("unknown type of VHD")
    block_size, parent = 0, None
    if kind != 2:
        dynamic = _at(file, struct.unpack_from(">Q", footer, 16)[0], 1024)
        if not dynamic.startswith(b"cxsparse"):
            raise NotAVirtualDisk("no header of a dynamic VHD")
        block_size = struct.unpack_from(">I", dynamic, 32)[0]
        if kind == 4:
            parent = {"absolute_win32_path": dynamic[64:576].decode("utf-16-be").rstrip("\0")}
    return VirtualDisk(
        format="VHD",
        type=VHD_TYPES[kind],
        size=size,
        file_size=file_size,
        identifier=uuid.UUID(bytes=footer[68:84]),
        block_size=block_size,
        logical_sector_size=512,
        physical_sector_size=512,
        parent=parent,
    )


def payload_places(path: Path) -> list[int]:
    """File offsets of the payload blocks that a VHDX really holds."""
    disk = inspect(path)
    if disk.bat is None:
        return []
    ratio = form.chunk_ratio(disk.logical_sector_size, disk.block_size)
    entries = form.bat_entries(
        disk.size, disk.block_size, disk.logical_sector_size, has_parent=disk.type == "Differencing"
    )
    with path.open("rb") as file:
        raw = _at(file, disk.bat.offset, entries * 8)
    if len(raw) < entries * 8:
        raise NotAVirtualDisk("the file ends inside its block allocation table")
    places = []
    for number, (entry,) in enumerate(struct.iter_unpack("<Q", raw)):
        is_bitmap = number % (ratio + 1) == ratio
        if not is_bitmap and entry & form.STATE_MASK in (form.BLOCK_FULLY_PRESENT, form.BLOCK_PARTIALLY_PRESENT):
            places.append(entry >> form.OFFSET_SHIFT << form.OFFSET_SHIFT)
    return places


def is_usable(path: Path) -> bool:
    """Whether the structures are whole and every block that the file claims to hold lies inside it."""
    try:
        disk = inspect(path)
        places = payload_places(path)
    except NotAVirtualDisk:
        return False
    return all(place >= form.MiB and place + disk.block_size <= disk.file_size for place in places)


def break_hard_link(path: Path) -> None:
    """Give ``path`` bytes of its own when it shares them with another name."""
    if path.stat().st_nlink < 2:
        return
    own = path.with_name(path.name + ".own")
    with path.open("rb") as source, own.open("wb") as target:
        while chunk := source.read(4 * form.MiB):
            target.write(chunk)
    own.replace(path)


def set_data_write_guid(path: Path, data_write_guid: uuid.UUID | None = None) -> uuid.UUID:
    """What opening a VHDX and writing data does: the inactive header is rewritten and becomes the active one."""
    break_hard_link(path)
    new = data_write_guid or uuid.uuid4()
    with path.open("r+b") as file:
        number, header = active_header(file)
        file.seek(form.HEADER_OFFSETS[1 - number])
        file.write(header.successor(new).build())
    return new
