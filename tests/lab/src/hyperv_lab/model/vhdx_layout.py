# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same disk content in another layout: what a host may make of a VHDX that it writes anew."""

from __future__ import annotations

import struct
from pathlib import Path

from . import vhdx
from . import vhdx_format as form


def shuffle(path: Path) -> bool:
    """Swap the places of the first two blocks that the file holds; False where there are no two.

    Content, identifiers and DataWriteGuid stay; the file's bytes, its FileWriteGuid and so its hash do not.
    """
    try:
        disk = vhdx.inspect(path)
    except vhdx.NotAVirtualDisk:
        return False
    if disk.bat is None or disk.type == "Differencing":
        return False
    vhdx.break_hard_link(path)
    with path.open("r+b") as file:
        file.seek(disk.bat.offset)
        table = bytearray(file.read(disk.bat.length))
        held = [
            at
            for at in range(0, len(table) - len(table) % 8, 8)
            if struct.unpack_from("<Q", table, at)[0] & form.STATE_MASK == form.BLOCK_FULLY_PRESENT
        ][:2]
        if len(held) < 2:
            return False
        entries = [struct.unpack_from("<Q", table, at)[0] for at in held]
        places = [entry >> form.OFFSET_SHIFT << form.OFFSET_SHIFT for entry in entries]
        blocks = []
        for place in places:
            file.seek(place)
            blocks.append(file.read(disk.block_size))
        for at, entry, place, block in zip(held, reversed(entries), places, reversed(blocks), strict=True):
            struct.pack_into("<Q", table, at, entry)
            file.seek(place)
            file.write(block)
        file.seek(disk.bat.offset)
        file.write(table)
        number, header = vhdx.active_header(file)
        file.seek(form.HEADER_OFFSETS[1 - number])
        file.write(header.successor(header.data_write_guid).build())
    return True
