# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What MS-VHDX lays down: places, identifiers, structures and the checksum. Nothing here opens a file."""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass, replace
from functools import lru_cache

KiB = 1024
MiB = 1024 * KiB

FILE_SIGNATURE = b"vhdxfile"
HEADER_OFFSETS = (64 * KiB, 128 * KiB)
HEADER_SIZE = 4 * KiB
REGION_OFFSETS = (192 * KiB, 256 * KiB)
REGION_SIZE = 64 * KiB

REGION_BAT = uuid.UUID("2DC27766-F623-4200-9D64-115E9BFD4A08")
REGION_METADATA = uuid.UUID("8B7CA206-4790-4B9A-B8FE-575F050F886E")

ITEM_FILE_PARAMETERS = uuid.UUID("CAA16737-FA36-4D43-B3B6-33F0AA44E76B")
ITEM_VIRTUAL_DISK_SIZE = uuid.UUID("2FA54224-CD1B-4876-B211-5DBED83BF4B8")
ITEM_PAGE_83_DATA = uuid.UUID("BECA12AB-B2E6-4523-93EF-C309E000C746")
ITEM_LOGICAL_SECTOR_SIZE = uuid.UUID("8141BF1D-A96F-4709-BA47-F233A8FAAB5F")
ITEM_PHYSICAL_SECTOR_SIZE = uuid.UUID("CDA348C7-445D-4471-9CC9-E9885251C556")
ITEM_PARENT_LOCATOR = uuid.UUID("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C")
PARENT_LOCATOR_VHDX = uuid.UUID("B04AEFB7-D19E-4A81-B789-25B8E9445913")

LEAVE_BLOCKS_ALLOCATED = 1
HAS_PARENT = 2
ITEM_IS_VIRTUAL_DISK = 2
ITEM_IS_REQUIRED = 4

BLOCK_NOT_PRESENT = 0
BLOCK_ZERO = 2
BLOCK_FULLY_PRESENT = 6
BLOCK_PARTIALLY_PRESENT = 7
STATE_MASK = 7
OFFSET_SHIFT = 20

_HEADER = struct.Struct("<4sIQ16s16s16sHHIQ")
_REGION_HEAD = struct.Struct("<4sIII")
_REGION_ENTRY = struct.Struct("<16sQII")
_METADATA_HEAD = struct.Struct("<8sHH20x")
_METADATA_ENTRY = struct.Struct("<16sIII4x")
_LOCATOR_HEAD = struct.Struct("<16sHH")
_LOCATOR_ENTRY = struct.Struct("<IIHH")
METADATA_TABLE_SIZE = 64 * KiB


class NotAVirtualDisk(Exception):
    """The bytes are not what the format demands."""


def _crc_table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = (number >> 1) ^ 0x82F63B78 if number & 1 else number >> 1
        table.append(number)
    return tuple(table)


_CRC_TABLE = _crc_table()


@lru_cache(maxsize=128)
def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli). Remembered, because every copy of a disk asks for the same 64 KiB again."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC_TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def checksum_is_right(block: bytes) -> bool:
    """Headers and region tables keep their checksum at offset 4, and compute it as if zeros stood there."""
    return struct.unpack_from("<I", block, 4)[0] == crc32c(block[:4] + bytes(4) + block[8:])


def with_checksum(block: bytes) -> bytes:
    return block[:4] + struct.pack("<I", crc32c(block[:4] + bytes(4) + block[8:])) + block[8:]


@dataclass(frozen=True)
class Header:
    """One of the two headers of a VHDX file."""

    sequence: int
    file_write_guid: uuid.UUID
    data_write_guid: uuid.UUID
    log_guid: uuid.UUID = uuid.UUID(int=0)
    log_length: int = MiB
    log_offset: int = MiB
    log_version: int = 0
    version: int = 1

    @classmethod
    def parse(cls, block: bytes) -> Header | None:
        """None when signature, checksum or version are wrong: such a header does not count."""
        if len(block) < HEADER_SIZE or not block.startswith(b"head") or not checksum_is_right(block[:HEADER_SIZE]):
            return None
        _, _, sequence, file_guid, data_guid, log_guid, log_version, version, length, offset = _HEADER.unpack_from(
            block
        )
        if version != 1:
            return None
        return cls(
            sequence=sequence,
            file_write_guid=uuid.UUID(bytes_le=file_guid),
            data_write_guid=uuid.UUID(bytes_le=data_guid),
            log_guid=uuid.UUID(bytes_le=log_guid),
            log_length=length,
            log_offset=offset,
            log_version=log_version,
        )

    def build(self) -> bytes:
        fields = _HEADER.pack(
            b"head",
            0,
            self.sequence,
            self.file_write_guid.bytes_le,
            self.data_write_guid.bytes_le,
            self.log_guid.bytes_le,
            self.log_version,
            self.version,
            self.log_length,
            self.log_offset,
        )
        return with_checksum(fields.ljust(HEADER_SIZE, b"\0"))

    def successor(self, data_write_guid: uuid.UUID) -> Header:
        """The header that comes after this one when data were written."""
        return replace(self, sequence=self.sequence + 1, file_write_guid=uuid.uuid4(), data_write_guid=data_write_guid)


@dataclass(frozen=True)
class Region:
    offset: int
    length: int


def parse_regions(block: bytes) -> dict[uuid.UUID, Region] | None:
    """The regions of a region table, or None when the table does not count."""
    if len(block) < REGION_SIZE or not block.startswith(b"regi") or not checksum_is_right(block):
        return None
    count = _REGION_HEAD.unpack_from(block)[2]
    if count > 2047:
        return None
    regions: dict[uuid.UUID, Region] = {}
    for number in range(count):
        guid, offset, length, _ = _REGION_ENTRY.unpack_from(block, _REGION_HEAD.size + number * _REGION_ENTRY.size)
        regions[uuid.UUID(bytes_le=guid)] = Region(offset, length)
    return regions


def build_regions(regions: dict[uuid.UUID, Region]) -> bytes:
    table = _REGION_HEAD.pack(b"regi", 0, len(regions), 0)
    for guid, region in regions.items():
        table += _REGION_ENTRY.pack(guid.bytes_le, region.offset, region.length, 1)
    return with_checksum(table.ljust(REGION_SIZE, b"\0"))


def parse_metadata(table: bytes) -> dict[uuid.UUID, tuple[int, int]]:
    """Item -> (offset in the region, length)."""
    if len(table) < METADATA_TABLE_SIZE or not table.startswith(b"metadata"):
        raise NotAVirtualDisk("no metadata table")
    count = _METADATA_HEAD.unpack_from(table)[2]
    if count > 2047:
        raise NotAVirtualDisk("too many metadata items")
    items: dict[uuid.UUID, tuple[int, int]] = {}
    for number in range(count):
        place = _METADATA_HEAD.size + number * _METADATA_ENTRY.size
        guid, offset, length, _ = _METADATA_ENTRY.unpack_from(table, place)
        items[uuid.UUID(bytes_le=guid)] = (offset, length)
    return items


def build_metadata(items: dict[uuid.UUID, bytes]) -> bytes:
    """The metadata region: its table, then the items one after the other."""
    table = _METADATA_HEAD.pack(b"metadata", 0, len(items))
    values = b""
    for guid, value in items.items():
        flags = ITEM_IS_REQUIRED
        if guid not in (ITEM_FILE_PARAMETERS, ITEM_PARENT_LOCATOR):
            flags |= ITEM_IS_VIRTUAL_DISK
        table += _METADATA_ENTRY.pack(guid.bytes_le, METADATA_TABLE_SIZE + len(values), len(value), flags)
        values += value
    return table.ljust(METADATA_TABLE_SIZE, b"\0") + values


def parse_parent_locator(value: bytes) -> dict[str, str]:
    if len(value) < _LOCATOR_HEAD.size:
        raise NotAVirtualDisk("parent locator too short")
    guid, _, count = _LOCATOR_HEAD.unpack_from(value)
    if uuid.UUID(bytes_le=guid) != PARENT_LOCATOR_VHDX:
        raise NotAVirtualDisk("unknown kind of parent locator")
    entries: dict[str, str] = {}
    for number in range(count):
        place = _LOCATOR_HEAD.size + number * _LOCATOR_ENTRY.size
        key_at, value_at, key_length, value_length = _LOCATOR_ENTRY.unpack_from(value, place)
        key = value[key_at : key_at + key_length].decode("utf-16-le")
        entries[key] = value[value_at : value_at + value_length].decode("utf-16-le")
    return entries


def build_parent_locator(entries: dict[str, str]) -> bytes:
    head = _LOCATOR_HEAD.pack(PARENT_LOCATOR_VHDX.bytes_le, 0, len(entries))
    texts = b""
    start = _LOCATOR_HEAD.size + len(entries) * _LOCATOR_ENTRY.size
    table = b""
    for key, value in entries.items():
        raw_key, raw_value = key.encode("utf-16-le"), value.encode("utf-16-le")
        at = start + len(texts)
        table += _LOCATOR_ENTRY.pack(at, at + len(raw_key), len(raw_key), len(raw_value))
        texts += raw_key + raw_value
    return head + table + texts


def chunk_ratio(logical_sector_size: int, block_size: int) -> int:
    return (2**23 * logical_sector_size) // block_size


def bat_entries(size: int, block_size: int, logical_sector_size: int, *, has_parent: bool) -> int:
    """How many entries the block allocation table has; sector bitmap entries stand between the payload's."""
    ratio = chunk_ratio(logical_sector_size, block_size)
    blocks = max(1, -(-size // block_size))
    if has_parent:
        return -(-blocks // ratio) * (ratio + 1)
    return blocks + (blocks - 1) // ratio


def bat_index(block: int, ratio: int) -> int:
    return block + block // ratio
