# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of VHDX files as a guest sees it: read through differencing disks, written into the top one, merged."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from . import vhdx, vhdx_writer
from . import vhdx_format as form
from .vhdx import VirtualDisk

ENTRY = struct.Struct("<Q")


class Blocks:
    """The payload blocks of one file, by their number on the virtual disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.disk: VirtualDisk = vhdx.inspect(path)
        if self.disk.bat is None:
            raise vhdx.NotAVirtualDisk("only a VHDX has blocks")
        self._bat = self.disk.bat.offset
        self._ratio = form.chunk_ratio(self.disk.logical_sector_size, self.disk.block_size)

    @property
    def size(self) -> int:
        return self.disk.block_size

    @property
    def count(self) -> int:
        return -(-self.disk.size // self.size)

    def _entry_at(self, number: int) -> int:
        return self._bat + form.bat_index(number, self._ratio) * ENTRY.size

    def place(self, number: int) -> int | None:
        """Where the file holds the block; None when it does not."""
        with self.path.open("rb") as file:
            file.seek(self._entry_at(number))
            (entry,) = ENTRY.unpack(file.read(ENTRY.size))
        state = entry & form.STATE_MASK
        if state == form.BLOCK_PARTIALLY_PRESENT:
            raise NotImplementedError(f"{self.path.name} has blocks that are there in part")
        return entry >> form.OFFSET_SHIFT << form.OFFSET_SHIFT if state == form.BLOCK_FULLY_PRESENT else None

    def held(self) -> Iterator[int]:
        return (number for number in range(self.count) if self.place(number) is not None)

    def allocate(self, number: int, content: bytes) -> int:
        """Put a block that the file does not hold at its end."""
        place = -(-self.path.stat().st_size // form.MiB) * form.MiB
        with self.path.open("r+b") as file:
            file.seek(place)
            file.write(content.ljust(self.size, b"\0"))
            file.seek(self._entry_at(number))
            file.write(ENTRY.pack(place | form.BLOCK_FULLY_PRESENT))
        return place


def read(chain: Sequence[Path], offset: int, length: int) -> bytes:
    """Bytes of the virtual disk; ``chain`` is the disk, its parent, and so on. What no file holds is zero."""
    parts = []
    while length > 0:
        blocks = Blocks(chain[0])
        number, inside = divmod(offset, blocks.size)
        here = min(length, blocks.size - inside)
        place = blocks.place(number)
        if place is not None:
            with chain[0].open("rb") as file:
                file.seek(place + inside)
                parts.append(file.read(here))
        else:
            parts.append(read(chain[1:], offset, here) if len(chain) > 1 else bytes(here))
        offset, length = offset + here, length - here
    return b"".join(parts)


def write(chain: Sequence[Path], offset: int, content: bytes) -> None:
    """Write into the first file of the chain; a block that it does not hold yet comes up from below first."""
    blocks = Blocks(chain[0])
    while content:
        number, inside = divmod(offset, blocks.size)
        here = min(len(content), blocks.size - inside)
        place = blocks.place(number)
        if place is None:
            start = number * blocks.size
            below = min(blocks.size, blocks.disk.size - start)
            place = blocks.allocate(number, read(chain[1:], start, below) if len(chain) > 1 else b"")
        with chain[0].open("r+b") as file:
            file.seek(place + inside)
            file.write(content[:here])
        offset, content = offset + here, content[here:]


def merge(child: Path, parents: Sequence[Path]) -> bool:
    """Bring what the child holds into its parent, the first of ``parents``; whether that changed the parent."""
    blocks = Blocks(child)
    changed = False
    for number in blocks.held():
        start = number * blocks.size
        length = min(blocks.size, blocks.disk.size - start)
        content = read([child], start, length)
        if content != read(parents, start, length):
            vhdx.break_hard_link(parents[0])
            write(parents, start, content)
            changed = True
    return changed


def first_written(chain: Sequence[Path]) -> int | None:
    """Where the first block that any file of the chain holds ends on the virtual disk; None for an empty disk."""
    for path in reversed(chain):
        blocks = Blocks(path)
        number = next(blocks.held(), None)
        if number is not None:
            return min((number + 1) * blocks.size, blocks.disk.size)
    return None


def change_parent(path: Path, windows_path: str, parent: Path, parent_windows_path: str) -> None:
    """Let a child stand on another file, which has the same content as its old parent."""
    linkage = {"parent_linkage": "{" + str(vhdx.inspect(parent).data_write_guid) + "}"}
    locator = linkage | vhdx_writer.places(parent_windows_path, windows_path.rpartition("\\")[0])
    with path.open("r+b") as file:
        start, items = _metadata(file)
        file.seek(start)
        file.write(form.build_metadata(items | {form.ITEM_PARENT_LOCATOR: form.build_parent_locator(locator)}))


def _metadata(file: BinaryIO) -> tuple[int, dict[uuid.UUID, bytes]]:
    """Where the metadata region begins, and the items in it."""
    file.seek(form.REGION_OFFSETS[0])
    regions = form.parse_regions(file.read(form.REGION_SIZE))
    if regions is None:
        raise vhdx.NotAVirtualDisk("no valid region table")
    region = regions[form.REGION_METADATA]
    file.seek(region.offset)
    content = file.read(region.length)
    places = form.parse_metadata(content[: form.METADATA_TABLE_SIZE])
    return region.offset, {item: content[at : at + length] for item, (at, length) in places.items()}
