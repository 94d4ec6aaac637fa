# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of Kerberos tickets, as people make them with kinit, and as they go bad."""

from __future__ import annotations

import os
import struct
import subprocess
import time
from pathlib import Path

PATIENCE = 20.0


def sign_in(user: str, password: str, *options: str) -> Path:
    """kinit into the file that KRB5CCNAME names."""
    command = ["kinit", *options, user]
    done = subprocess.run(command, input=f"{password}\n", text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(os.environ["KRB5CCNAME"].removeprefix("FILE:"))


def expired(user: str, password: str) -> None:
    """A ticket whose short life is over."""
    sign_in(user, password, "-l", "1s")
    deadline = time.monotonic() + PATIENCE
    while subprocess.run(["klist", "-s"], check=False).returncode == 0:
        assert time.monotonic() < deadline, "the ticket does not expire"
        time.sleep(0.1)


def shift_clock(tickets: Path, seconds: int) -> None:
    """A file of tickets says how far the client's clock is off (MIT's ccache format 4, DeltaTime)."""
    content = bytearray(tickets.read_bytes())
    version, length, tag, size = struct.unpack(">HHHH", content[:8])
    assert (version, length, tag, size) == (0x0504, 12, 1, 8)
    content[8:12] = struct.pack(">i", seconds)
    tickets.write_bytes(content)
