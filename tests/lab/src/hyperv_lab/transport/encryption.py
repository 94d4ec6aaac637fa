# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Message encryption of WinRM over HTTP: one encrypted part in a MIME body (MS-WSMV 2.2.9.1)."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

BOUNDARY = "Encrypted Boundary"
OPENING = b"\tContent-Type: application/octet-stream\r\n"
BOUNDARY_PARAMETER = re.compile(r'boundary="([^"]*)"', re.IGNORECASE)
LENGTH = re.compile(rb"Length=(\d+)")

Wrap = Callable[[bytes], tuple[bytes, bytes, int]]  # clear text to header, sealed text and length of its padding
Unwrap = Callable[[bytes, bytes], bytes]  # header and sealed text to clear text


class BadEncryption(Exception):
    """A body that is not what it says, or that does not belong to this security context."""


def is_encrypted(content_type: str) -> bool:
    return content_type.lower().startswith(("multipart/encrypted", "multipart/x-multi-encrypted"))


def open_message(content_type: str, body: bytes, unwrap: Unwrap) -> bytes:
    """The clear text of a request."""
    match = BOUNDARY_PARAMETER.search(content_type)
    if match is None:
        raise BadEncryption("no boundary")
    boundary = re.escape(match[1].encode("latin-1"))
    body = re.sub(rb"--\s*" + boundary + rb"--\s*\Z", b"", body)
    parts = [part for part in re.split(rb"--\s*" + boundary + rb"\r\n", body) if part]
    if not parts or len(parts) % 2:
        raise BadEncryption("parts are missing")
    return b"".join(_open_part(parts[i], parts[i + 1], unwrap) for i in range(0, len(parts), 2))


def _open_part(head: bytes, sealed: bytes, unwrap: Unwrap) -> bytes:
    length = LENGTH.search(head)
    _, opening, data = sealed.partition(b"Content-Type: application/octet-stream\r\n")
    if length is None or not opening or len(data) < 4:
        raise BadEncryption("a part is damaged")
    (header_length,) = struct.unpack("<i", data[:4])
    clear = unwrap(data[4 : 4 + header_length], data[4 + header_length :])
    if len(clear) != int(length[1]):
        raise BadEncryption(f"{len(clear)} bytes instead of {int(length[1])}")
    return clear


def seal_message(protocol: str, body: bytes, wrap: Wrap, chunk: int | None = None) -> tuple[str, bytes]:
    """Content type and body of an answer; ``chunk``: the longest text that one part may hold."""
    chunks = [body[i : i + chunk] for i in range(0, len(body), chunk)] if chunk and len(body) > chunk else [body]
    kind = "multipart/x-multi-encrypted" if len(chunks) > 1 else "multipart/encrypted"
    sealed = b"".join(_seal_part(protocol, text, wrap) for text in chunks)
    return f'{kind};protocol="{protocol}";boundary="{BOUNDARY}"', sealed + f"--{BOUNDARY}--\r\n".encode()


def _seal_part(protocol: str, text: bytes, wrap: Wrap) -> bytes:
    header, sealed, padding = wrap(text)
    head = (
        f"--{BOUNDARY}\r\n\tContent-Type: {protocol}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(text) + padding}\r\n"
        f"--{BOUNDARY}\r\n"
    )
    return head.encode() + OPENING + struct.pack("<i", len(header)) + header + sealed
