# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writer of small but valid VHDX files, so that neither lab nor tests need another program."""

from __future__ import annotations

import gzip
import ntpath
import random
import struct
import uuid
from importlib import resources
from pathlib import Path

from . import vhdx_format as form
from .vhdx import VirtualDisk, inspect
from .vhdx_format import Header, MiB, Region

LOG = Region(MiB, MiB)
METADATA = Region(2 * MiB, MiB)
BAT_OFFSET = 3 * MiB
CREATOR = "fanout.hyperv lab"


def _round_up(number: int, step: int) -> int:
    return -(-number // step) * step


def payload_bytes(length: int, seed: int) -> bytes:
    """Bytes that no compression makes smaller, the same for the same seed."""
    return random.Random(seed).randbytes(length)


def write_dynamic(
    path: Path,
    size: int,
    payload: int | bytes = 0,
    *,
    block_size: int = MiB,
    identifier: uuid.UUID | None = None,
    seed: int = 0,
) -> VirtualDisk:
    """A dynamic VHDX of ``size`` virtual bytes; ``payload`` (bytes, or how many to invent) fills its first blocks."""
    identifier = identifier or uuid.uuid4()
    length = payload if isinstance(payload, int) else len(payload)
    if size % 512 or size <= 0 or length > size:
        raise ValueError("size must be a positive multiple of 512 and not less than the payload")
    return _write(path, size, block_size, payload, length, seed, identifier=identifier, parent=None)


def write_differencing(path: Path, parent: Path, parent_windows_path: str, *, folder: str | None = None) -> VirtualDisk:
    """An empty child of ``parent``, which lies at ``parent_windows_path`` on its host.

    ``folder``: where the child lies there; without it, beside the parent.
    """
    about = inspect(parent)
    if about.data_write_guid is None:
        raise ValueError("only a VHDX can be the parent of a VHDX")
    locator = {"parent_linkage": "{" + str(about.data_write_guid) + "}", **places(parent_windows_path, folder)}
    return _write(path, about.size, 2 * MiB, 0, 0, 0, identifier=about.identifier, parent=locator)


def places(path: str, folder: str | None) -> dict[str, str]:
    """Where a parent is found from the folder of its child: on another drive there is no relative way."""
    found = {"absolute_win32_path": path}
    if folder is None:
        return {"relative_path": ".\\" + path.rsplit("\\", 1)[-1], **found}
    if ntpath.splitdrive(path)[0].lower() != ntpath.splitdrive(folder)[0].lower():
        return found
    return {"relative_path": ".\\" + ntpath.relpath(path, folder), **found}


def _write(
    path: Path,
    size: int,
    block_size: int,
    payload: int | bytes,
    length: int,
    seed: int,
    *,
    identifier: uuid.UUID,
    parent: dict[str, str] | None,
) -> VirtualDisk:
    entries = form.bat_entries(size, block_size, 512, has_parent=parent is not None)
    bat = Region(BAT_OFFSET, _round_up(entries * 8, MiB))
    first_block = bat.offset + bat.length
    blocks = -(-length // block_size)
    table = bytearray(entries * 8)
    ratio = form.chunk_ratio(512, block_size)
    for number in range(blocks):
        entry = (first_block + number * block_size) | form.BLOCK_FULLY_PRESENT
        struct.pack_into("<Q", table, form.bat_index(number, ratio) * 8, entry)
    with path.open("xb") as file:
        file.write(form.FILE_SIGNATURE + CREATOR.encode("utf-16-le"))
        header = Header(0, uuid.uuid4(), uuid.uuid4(), log_length=LOG.length, log_offset=LOG.offset)
        for offset, one in zip(form.HEADER_OFFSETS, (header, header.successor(uuid.uuid4())), strict=True):
            file.seek(offset)
            file.write(one.build())
        regions = form.build_regions({form.REGION_BAT: bat, form.REGION_METADATA: METADATA})
        for offset in form.REGION_OFFSETS:
            file.seek(offset)
            file.write(regions)
        file.seek(METADATA.offset)
        file.write(form.build_metadata(_items(size, block_size, identifier, parent)))
        file.seek(bat.offset)
        file.write(table)
        for number in range(blocks):
            here = min(block_size, length - number * block_size)
            start = number * block_size
            file.seek(first_block + start)
            file.write(
                payload[start : start + here] if isinstance(payload, bytes) else payload_bytes(here, seed + number)
            )
        file.truncate(first_block + blocks * block_size)
    return inspect(path)


def _items(size: int, block_size: int, identifier: uuid.UUID, parent: dict[str, str] | None) -> dict[uuid.UUID, bytes]:
    items = {
        form.ITEM_FILE_PARAMETERS: struct.pack("<II", block_size, form.HAS_PARENT if parent else 0),
        form.ITEM_VIRTUAL_DISK_SIZE: struct.pack("<Q", size),
        form.ITEM_PAGE_83_DATA: identifier.bytes_le,
        form.ITEM_LOGICAL_SECTOR_SIZE: struct.pack("<I", 512),
        form.ITEM_PHYSICAL_SECTOR_SIZE: struct.pack("<I", 4096),
    }
    if parent:
        items[form.ITEM_PARENT_LOCATOR] = form.build_parent_locator(parent)
    return items


def unpack_golden(path: Path) -> VirtualDisk:
    """Put the real VHDX that lies in this package (made by qemu-img) at ``path``."""
    packed = resources.files(__package__ or "hyperv_lab.model").joinpath("golden.vhdx.gz").read_bytes()
    with path.open("xb") as file:
        file.write(gzip.decompress(packed))
    return inspect(path)
