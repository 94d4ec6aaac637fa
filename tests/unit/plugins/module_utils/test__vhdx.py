# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VHDX headers: which one counts."""

from __future__ import annotations

import struct
import typing as t
import uuid

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _vhdx
from ansible_collections.fanout.hyperv.plugins.module_utils._vhdx import Header

FIRST = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
SECOND = uuid.UUID("ffeeddcc-bbaa-9988-7766-554433221100")


def header(sequence: int, guid: uuid.UUID, *, signature: bytes = b"head") -> bytes:
    """A whole header with its right checksum."""
    rest = struct.pack("<Q16s16s16s", sequence, b"f" * 16, guid.bytes_le, bytes(16)).ljust(4088, b"\0")
    checksum = _vhdx.crc32c(signature + bytes(4) + rest)
    return signature + struct.pack("<I", checksum) + rest


def test_crc32c_check_value() -> None:
    assert _vhdx.crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize("checksum", [False, True])
def test_a_header(checksum: bool) -> None:
    assert _vhdx.parse_header(header(7, FIRST), checksum=checksum) == Header(7, str(FIRST))


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (b"", False),
        (header(7, FIRST)[:63], False),
        (header(7, FIRST, signature=b"heat"), False),
        (header(7, FIRST)[:64], True),
        (header(7, FIRST)[:-1] + b"x", True),
    ],
)
def test_what_is_no_header(data: bytes, checksum: bool) -> None:
    assert _vhdx.parse_header(data, checksum=checksum) is None


@pytest.mark.parametrize(
    ("headers", "expected", "settled"),
    [
        ([Header(7, "a"), Header(8, "b")], "b", True),
        ([Header(9, "a"), Header(8, "b")], "a", True),
        ([Header(7, "a"), Header(7, "b")], "a", False),
        ([Header(7, "a"), Header(80, "b")], "b", False),
        ([None, Header(8, "b")], "b", False),
        ([Header(7, "a"), None], "a", False),
        ([None, None], None, False),
        ([], None, False),
    ],
)
def test_which_counts(headers: list[Header | None], expected: str | None, settled: bool) -> None:
    current = _vhdx.current(headers)
    assert (None if current is None else current.data_write_guid) == expected
    assert _vhdx.is_settled(headers) is settled


@pytest.mark.parametrize(
    "answers",
    [
        [b"abcd", b"efgh"],
        [list(b"abcd"), list(b"efgh")],
        list(b"abcdefgh"),
        [b"abcdefgh"],
        [bytearray(b"abcd"), b"efgh"],
    ],
)
def test_blocks_in_all_shapes(answers: list[t.Any]) -> None:
    assert _vhdx.blocks(answers, 4) == [b"abcd", b"efgh"]


@pytest.mark.parametrize("answers", [[], ["text"], [[1, 300]], [None], [b"ab"]])
def test_what_is_no_block(answers: list[t.Any]) -> None:
    assert _vhdx.blocks(answers, 4) == []
