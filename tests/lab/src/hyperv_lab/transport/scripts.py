# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few command lines that the lab answers: what clients try to see whether a host is there. Nothing more runs."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

ENCODED = re.compile(r"powershell(?:\.exe)?\s.*-enc?\w*\s+(\S+)", re.IGNORECASE | re.DOTALL)
# What Ansible adds to a script, so that its exit code becomes the task's.
TAILS = (
    re.compile(r"\s*exit \$LASTEXITCODE\s*\Z", re.IGNORECASE),
    re.compile(
        r"\s*If \(-not \$\?\) \{ If \(Get-Variable LASTEXITCODE -ErrorAction SilentlyContinue\)"
        r" \{ exit \$LASTEXITCODE \} Else \{ exit 1 \} \}\s*\Z",
        re.IGNORECASE,
    ),
)
EXIT = re.compile(r"exit(?:\s+(-?\d{1,9}))?", re.IGNORECASE)
ECHO = re.compile(r"(?:cmd(?:\.exe)?\s+/c\s+)?echo\s+([\w .,:+-]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0


def strip_script(text: str) -> str | None:
    """The one line of a script that carries one of Ansible's endings, or None."""
    for tail in TAILS:
        line, found = tail.subn("", text)
        if found:
            return line.strip()
    return None


def decode(line: str) -> str:
    """A command line of PowerShell with an encoded script: the script."""
    match = ENCODED.match(line)
    if match is None:
        return line
    try:
        script = base64.b64decode(match[1], validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError):
        return line
    return strip_script(script) or script.strip()


def answer(line: str, computer: str, user: str) -> Answer | None:
    """None: the lab does not know this line."""
    line = line.strip()
    if line.lower() in ("hostname", "hostname.exe"):
        return Answer(computer)
    if line.lower() in ("whoami", "whoami.exe"):
        return Answer(user.lower())
    if match := EXIT.fullmatch(line):
        return Answer(exit_code=int(match[1] or 0))
    if match := ECHO.fullmatch(line):
        return Answer(match[1])
    return None
