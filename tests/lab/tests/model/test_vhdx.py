# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual disks: the reader against bytes that qemu-img made, the writer against the reader."""

from __future__ import annotations

import gzip
import struct
import uuid
from pathlib import Path

import pytest
from hyperv_lab.model import vhdx, vhdx_writer
from hyperv_lab.model import vhdx_format as form
from hyperv_lab.model.vhdx_layout import shuffle

DATA = Path(__file__).parent / "data"
MiB = 1024**2
GUID = uuid.UUID("11111111-2222-4333-8444-555555555555")


def unpack(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(gzip.decompress((DATA / f"{name}.gz").read_bytes()))
    return path


def content(path: Path) -> bytes:
    """What a guest would read: the blocks in their order, zeros where the file holds none."""
    disk = vhdx.inspect(path)
    assert disk.bat is not None
    raw = path.read_bytes()
    ratio = form.chunk_ratio(disk.logical_sector_size, disk.block_size)
    blocks = []
    for number in range(-(-disk.size // disk.block_size)):
        entry = struct.unpack_from("<Q", raw, disk.bat.offset + 8 * form.bat_index(number, ratio))[0]
        place = entry >> 20 << 20
        held = entry & 7 == form.BLOCK_FULLY_PRESENT
        blocks.append(raw[place : place + disk.block_size] if held else bytes(disk.block_size))
    return b"".join(blocks)[: disk.size]


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    path = tmp_path / "golden.vhdx"
    vhdx_writer.unpack_golden(path)
    return path


def test_crc32c_of_the_standard() -> None:
    assert form.crc32c(b"123456789") == 0xE3069283


def test_reads_a_dynamic_disk_of_qemu(golden: Path) -> None:
    disk = vhdx.inspect(golden)
    assert (disk.format, disk.type, disk.size, disk.block_size) == ("VHDX", "Dynamic", 8 * MiB, MiB)
    assert disk.identifier == uuid.UUID("64cb199a-d19a-2e46-ba10-05694db8ff28")
    assert disk.data_write_guid == uuid.UUID("8304e84e-e032-4440-8a3a-528ca5e1693b")
    assert disk.logical_sector_size == 512
    assert disk.file_size == golden.stat().st_size
    assert vhdx.is_usable(golden)


@pytest.mark.parametrize(
    ("name", "format_", "kind", "size", "identifier"),
    [
        ("fixed.vhdx", "VHDX", "Fixed", 4 * MiB, "bb42450e-2986-bf4d-a050-a07251d39190"),
        ("fixed.vhd", "VHD", "Fixed", 10514432, "02c9d24d-22e6-4c76-a604-b80b1be3bdfb"),
        ("dynamic.vhd", "VHD", "Dynamic", 10514432, "2407dd9c-4575-4d1d-9276-0fdd20feebac"),
    ],
)
def test_reads_other_disks_of_qemu(
    tmp_path: Path, name: str, format_: str, kind: str, size: int, identifier: str
) -> None:
    disk = vhdx.inspect(unpack(tmp_path, name))
    assert (disk.format, disk.type, disk.size, str(disk.identifier)) == (format_, kind, size, identifier)
    assert vhdx.is_usable(tmp_path / name)


@pytest.mark.parametrize("size", [512, MiB, 8 * MiB + 512, 40 * 1024**3])
@pytest.mark.parametrize("block_size", [MiB, 32 * MiB])
def test_writes_what_it_reads(tmp_path: Path, size: int, block_size: int) -> None:
    path = tmp_path / "new.vhdx"
    payload = vhdx_writer.payload_bytes(min(size, 2 * MiB + 100), 7)
    written = vhdx_writer.write_dynamic(path, size, payload, block_size=block_size, identifier=GUID)
    assert (written.size, written.identifier, written.type) == (size, GUID, "Dynamic")
    assert written == vhdx.inspect(path)
    assert vhdx.is_usable(path)
    if size <= 8 * MiB + 512:
        assert content(path)[: len(payload)] == payload


def test_both_headers_and_both_region_tables_count(golden: Path) -> None:
    before = vhdx.inspect(golden)
    raw = bytearray(golden.read_bytes())
    with golden.open("rb") as file:
        active, _ = vhdx.active_header(file)
    raw[form.REGION_OFFSETS[0]] ^= 1
    raw[form.HEADER_OFFSETS[active] + 100] ^= 1
    golden.write_bytes(raw)
    after = vhdx.inspect(golden)
    assert before.sequence is not None
    assert after.sequence is not None
    assert after.sequence < before.sequence  # the other, older header
    assert after.identifier == before.identifier
    raw[form.HEADER_OFFSETS[1 - active] + 100] ^= 1
    golden.write_bytes(raw)
    with pytest.raises(vhdx.NotAVirtualDisk):
        vhdx.inspect(golden)


def test_a_write_changes_guids_and_header_only(golden: Path) -> None:
    before, bytes_before = vhdx.inspect(golden), golden.read_bytes()
    new = vhdx.set_data_write_guid(golden)
    after, bytes_after = vhdx.inspect(golden), golden.read_bytes()
    assert before.sequence is not None
    assert after.data_write_guid == new != before.data_write_guid
    assert after.file_write_guid != before.file_write_guid
    assert after.sequence == before.sequence + 1
    assert after.identifier == before.identifier
    changed = {
        at // 65536
        for at in range(0, len(bytes_before), 512)
        if bytes_before[at : at + 512] != bytes_after[at : at + 512]
    }
    assert len(changed) == 1  # one of the two headers
    vhdx.set_data_write_guid(golden)
    assert vhdx.inspect(golden).sequence == after.sequence + 1


def test_a_write_leaves_other_names_of_the_file_alone(golden: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.vhdx"
    other.hardlink_to(golden)
    before = golden.read_bytes()
    vhdx.set_data_write_guid(other)
    assert golden.read_bytes() == before
    assert other.read_bytes() != before


def test_differencing_disk_points_at_its_parent(tmp_path: Path) -> None:
    base, child = tmp_path / "base.vhdx", tmp_path / "child.avhdx"
    parent = vhdx_writer.write_dynamic(base, 16 * MiB, MiB)
    disk = vhdx_writer.write_differencing(child, base, "C:\\VMs\\base.vhdx")
    assert (disk.type, disk.size, disk.parent_path) == ("Differencing", 16 * MiB, "C:\\VMs\\base.vhdx")
    assert disk.parent is not None
    assert disk.parent["parent_linkage"] == "{" + str(parent.data_write_guid) + "}"
    assert vhdx.is_usable(child)


@pytest.mark.parametrize("length", [0, 8, 1000, 65536, 200 * 1024, 2 * MiB, 5 * MiB])
def test_part_of_a_disk_is_no_usable_disk(golden: Path, length: int) -> None:
    golden.write_bytes(golden.read_bytes()[:length])
    assert not vhdx.is_usable(golden)


def test_another_layout_has_the_same_content(golden: Path) -> None:
    before, bytes_before, content_before = vhdx.inspect(golden), golden.read_bytes(), content(golden)
    assert shuffle(golden)
    after = vhdx.inspect(golden)
    assert golden.read_bytes() != bytes_before
    assert content(golden) == content_before
    assert after.data_write_guid == before.data_write_guid
    assert after.file_write_guid != before.file_write_guid


def test_sizes_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="size"):
        vhdx_writer.write_dynamic(tmp_path / "odd.vhdx", 1000)
    with pytest.raises(ValueError, match="size"):
        vhdx_writer.write_dynamic(tmp_path / "small.vhdx", 512, 1024)
