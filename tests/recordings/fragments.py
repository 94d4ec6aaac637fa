# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PSRP on the wire (MS-PSRP 2.2.1 and 2.2.4): fragments to messages and back, with what is wrong with them."""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass, field, replace

from psrpcore.types import PSRPMessageType

FRAGMENT = struct.Struct(">QQBI")
HEADER = struct.Struct("<II16s16s")
START, END = 1, 2
TO_CLIENT, TO_SERVER = 1, 2
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Message:
    """One message; ``object_id`` is that of its fragments, ``pieces`` how many they were."""

    object_id: int
    destination: int
    kind: str
    pool: uuid.UUID
    pipeline: uuid.UUID
    text: str
    pieces: int = 1
    marked: bool = True
    """Whether a byte order mark precedes the text: hosts send one."""

    def encode(self) -> bytes:
        """As bytes, without the fragments' headers."""
        number = getattr(PSRPMessageType, self.kind).value
        head = HEADER.pack(self.destination, number, self.pool.bytes_le, self.pipeline.bytes_le)
        return head + (BOM if self.marked else b"") + self.text.encode("utf-8", "surrogatepass")


class BrokenStream(ValueError):
    """Bytes that are no fragments, or fragments out of order."""


@dataclass(frozen=True)
class Fragment:
    object_id: int
    number: int
    flags: int
    blob: bytes

    def encode(self) -> bytes:
        return FRAGMENT.pack(self.object_id, self.number, self.flags, len(self.blob)) + self.blob


def split(data: bytes) -> list[Fragment]:
    found = []
    while data:
        if len(data) < FRAGMENT.size:
            raise BrokenStream(f"{len(data)} bytes are left, too few for a fragment")
        object_id, number, flags, length = FRAGMENT.unpack_from(data)
        blob = data[FRAGMENT.size : FRAGMENT.size + length]
        if len(blob) != length:
            raise BrokenStream(f"a fragment of {length} bytes has {len(blob)}")
        found.append(Fragment(object_id, number, flags, blob))
        data = data[FRAGMENT.size + length :]
    return found


def decode(blob: bytes, object_id: int, pieces: int) -> Message:
    destination, number, pool, pipeline = HEADER.unpack_from(blob)
    body = blob[HEADER.size :]
    return Message(
        object_id,
        destination,
        PSRPMessageType(number).name,
        uuid.UUID(bytes_le=pool),
        uuid.UUID(bytes_le=pipeline),
        body.removeprefix(BOM).decode("utf-8", "surrogatepass"),
        pieces,
        body.startswith(BOM),
    )


@dataclass
class Joiner:
    """Fragments of one direction of one runspace pool, in the order of their arrival, to messages.

    Object ids rise; a message's fragments are numbered from 0, the first flagged as start and the last as end.
    Messages of several pipelines may be in pieces at the same time.
    """

    last_object: int = 0
    open: dict[int, list[Fragment]] = field(default_factory=dict)

    def feed(self, data: bytes) -> list[Message]:
        return [message for piece in split(data) for message in self._take(piece)]

    def _take(self, piece: Fragment) -> list[Message]:
        if piece.flags & START:
            if piece.object_id <= self.last_object:
                raise BrokenStream(f"object id {piece.object_id} follows {self.last_object}")
            self.last_object = piece.object_id
            self.open[piece.object_id] = []
        parts = self.open.get(piece.object_id)
        if parts is None:
            raise BrokenStream(f"object {piece.object_id} has no start")
        if piece.number != len(parts):
            raise BrokenStream(f"object {piece.object_id}: fragment {piece.number} where {len(parts)} was due")
        parts.append(piece)
        if not piece.flags & END:
            return []
        del self.open[piece.object_id]
        return [decode(b"".join(part.blob for part in parts), piece.object_id, len(parts))]


def fragments(message: Message, pieces: int | None = None) -> list[Fragment]:
    """The message cut into so many fragments of about the same size."""
    blob, count = message.encode(), pieces or message.pieces
    step = -(-len(blob) // count)
    cut = [blob[start : start + step] for start in range(0, len(blob), step)]
    cut += [b""] * (count - len(cut))
    last = len(cut) - 1
    return [
        Fragment(message.object_id, number, (START if number == 0 else 0) | (END if number == last else 0), part)
        for number, part in enumerate(cut)
    ]


def with_text(message: Message, text: str) -> Message:
    return replace(message, text=text)
