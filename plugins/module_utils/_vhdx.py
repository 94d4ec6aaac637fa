# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The part of a VHDX file's headers that says whether its content was written (MS-VHDX 2.2.2)."""

from __future__ import annotations

import struct
import typing as t
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

HEADER_OFFSETS = (64 * 1024, 128 * 1024)
HEADER_SIZE = 4096
_SIGNATURE = b"head"
_FIELDS = struct.Struct("<4sIQ16s16s16s")


@dataclass(frozen=True)
class Header:
    """One of the two headers."""

    sequence: int
    data_write_guid: str


def read_bytes(answer: t.Any) -> bytes | None:
    """Bytes, whether they came as a byte array or as a list of numbers; None when they are something else."""
    if isinstance(answer, (bytes, bytearray)):
        return bytes(answer)
    if isinstance(answer, list) and all(isinstance(item, int) and 0 <= item < 256 for item in answer):
        return bytes(answer)
    return None


def blocks(answers: Sequence[t.Any], size: int) -> list[bytes]:
    """The blocks of ``size`` bytes in what came, also when the blocks were unrolled into single bytes."""
    if answers and all(isinstance(answer, int) for answer in answers):
        return blocks([list(answers)], size)
    arrived = b"".join(read_bytes(answer) or b"" for answer in answers)
    return [arrived[start : start + size] for start in range(0, len(arrived) - size + 1, size)]


def parse_header(data: bytes, *, checksum: bool) -> Header | None:
    """The header at the start of ``data``; None when it is not one. With ``checksum``, ``data`` is all of it."""
    if len(data) < _FIELDS.size:
        return None
    signature, stored, sequence, _file_write, data_write, _log = _FIELDS.unpack_from(data)
    if signature != _SIGNATURE:
        return None
    if checksum and (len(data) < HEADER_SIZE or _checksum(data[:HEADER_SIZE]) != stored):
        return None
    return Header(sequence, str(uuid.UUID(bytes_le=data_write)))


def current(headers: Sequence[Header | None]) -> Header | None:
    """The header that counts: the valid one with the highest sequence number."""
    valid = [header for header in headers if header is not None]
    return max(valid, key=lambda header: header.sequence, default=None)


def is_settled(headers: Sequence[Header | None]) -> bool:
    """Whether two headers look as a writer that came to its end leaves them: both there, one number apart.

    Otherwise one of them may be torn, and only its checksum tells.
    """
    first, second = headers if len(headers) == 2 else (None, None)
    return first is not None and second is not None and abs(first.sequence - second.sequence) == 1


def _checksum(header: bytes) -> int:
    """CRC-32C of the header with its checksum field taken as zero."""
    return crc32c(header[:4] + b"\0\0\0\0" + header[8:])


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli)."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def _table_entry(index: int) -> int:
    for _bit in range(8):
        index = (index >> 1) ^ (0x82F63B78 if index & 1 else 0)
    return index


_TABLE = tuple(_table_entry(index) for index in range(256))

__all__ = (
    "HEADER_OFFSETS",
    "HEADER_SIZE",
    "Header",
    "blocks",
    "crc32c",
    "current",
    "is_settled",
    "parse_header",
    "read_bytes",
)
