# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Where things lie on the hosts. Paths are made of ids, so that a template's name never is one."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PureWindowsPath

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput

ROOT = "fanout"
OWNER = "owner.json"
BASELINE = "baseline.json"
MANIFEST = "manifest.json"
RECORD = "record.json"
OUR_FILES = (OWNER, BASELINE, MANIFEST, RECORD)
"""The names of the files that we write ourselves; each may also be there with ``TEMPORARY`` at its end."""
TEMPORARY = ".new"

LONGEST_PATH = 259
"""MAX_PATH without its terminating NUL: what the file cmdlets of Windows PowerShell 5.1 take."""

_WILDCARDS = "*?[]`"
_FORBIDDEN = '<>"|'
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{device}{digit}" for device in ("com", "lpt") for digit in "123456789¹²³"]
)


def fold(text: str) -> str:
    """One spelling for names that a Windows file system takes as equal: upper case, character by character.

    Not casefold(): "ß" and "ss" are two names.
    """
    return "".join(upper if len(upper := character.upper()) == 1 else character for character in text)


def _parts(path: str) -> tuple[str, ...] | None:
    """The folded parts of an absolute path; None when it is not one, or when it could mean another place."""
    pure = PureWindowsPath(path)
    if not pure.drive or not pure.root or ".." in pure.parts:
        return None
    first, *rest = pure.parts
    if any(":" in part for part in rest):
        return None
    return (fold(first), *(fold(part) for part in rest))


def same(path: str, other: str) -> bool:
    """Whether two absolute paths are one place."""
    parts = _parts(path)
    return parts is not None and parts == _parts(other)


def inside(path: str, folder: str) -> bool:
    """Whether the path lies below the folder: by whole parts, without regard to case. The folder itself does not."""
    parts, above = _parts(path), _parts(folder)
    if parts is None or above is None:
        return False
    return len(parts) > len(above) and parts[: len(above)] == above


def join(folder: str, *names: str) -> str:
    """A path below the folder."""
    return str(PureWindowsPath(folder, *names))


def parent(path: str) -> str:
    """The folder that the path lies in."""
    return str(PureWindowsPath(path).parent)


def name_of(path: str) -> str:
    """The last part of a path."""
    return PureWindowsPath(path).name


def relative(path: str, folder: str) -> str:
    """The path as seen from the folder, which it has to lie in."""
    if not inside(path, folder):
        raise InvalidInput(f"{path} does not lie in {folder}.", code="PATH_OUTSIDE")
    depth = len(PureWindowsPath(folder).parts)
    return str(PureWindowsPath(*PureWindowsPath(path).parts[depth:]))


def volume_of(path: str, volumes: Iterable[str]) -> str | None:
    """The mount point among ``volumes`` that the path lies on; the deepest, if several fit."""
    fitting = [name for name in volumes if same(path, name) or inside(path, name)]
    return max(fitting, key=lambda name: len(PureWindowsPath(name).parts), default=None)


def check_folder(path: str, *, allow_unc: bool = False, room: int = 0) -> str:
    """The folder as Windows writes it; raises InvalidInput when it cannot be used safely.

    ``room`` is the number of characters that will be added to it. Wildcard characters are refused although
    ``-LiteralPath`` could take them: ``Export-VM``, ``Move-VM`` and ``New-Item`` have no such parameter.
    """
    pure = PureWindowsPath(path)
    reason = _bad_root(path, pure, allow_unc) or _bad_characters(pure) or _bad_parts(pure)
    if reason is None and len(str(pure)) + room > LONGEST_PATH:
        reason = f"is too long: {room} more characters are needed, and Windows takes {LONGEST_PATH}"
    if reason is not None:
        raise InvalidInput(f"The folder '{path}' {reason}.", code="INVALID_PATH", remedy="Choose another folder.")
    return str(pure)


def _bad_root(path: str, pure: PureWindowsPath, allow_unc: bool) -> str | None:
    if path.replace("/", "\\").startswith(("\\\\?\\", "\\\\.\\")):
        return "is a device path"
    if not pure.drive or not pure.root:
        return "is not a full path with a drive"
    if pure.drive.startswith("\\\\"):
        return None if allow_unc else "is a network path"
    return None if pure.drive[0].isascii() and pure.drive[0].isalpha() else "has a drive that cannot be"


def _bad_characters(pure: PureWindowsPath) -> str | None:
    text = str(pure)
    if any(character in _WILDCARDS for character in text):
        return "has wildcard characters (* ? [ ] `)"
    if any(character in _FORBIDDEN or ord(character) < 32 for character in text):
        return "has characters that Windows does not take in a path"
    return "has a colon in a name" if any(":" in part for part in pure.parts[1:]) else None


def is_reserved(name: str) -> bool:
    """Whether Windows takes the name, with any ending, for a device."""
    return name.split(".")[0].rstrip(" ").lower() in _RESERVED


def _bad_parts(pure: PureWindowsPath) -> str | None:
    for part in pure.parts[1:]:
        if part == "..":
            return "goes up with '..'"
        if part.endswith((" ", ".")):
            return f"has a name that ends with a space or a full stop: {part!r}"
        if is_reserved(part):
            return f"has a name that Windows reserves: {part!r}"
    return None


def new_attempt() -> str:
    """A name for one attempt: eight hexadecimal digits."""
    return secrets.token_hex(4)


@dataclass(frozen=True)
class Layout:
    """The places of one template below a base: the staging folder of the source, or a target's path."""

    base: str
    template_id: str

    @property
    def root(self) -> str:
        """Everything of ours on this host."""
        return join(self.base, ROOT)

    @property
    def template(self) -> str:
        """Everything of this template."""
        return join(self.root, self.template_id)

    @property
    def record(self) -> str:
        """What was asked for (source)."""
        return join(self.template, RECORD)

    def revision(self, revision: str) -> str:
        """Everything of a revision (source)."""
        return join(self.template, revision)

    def export(self, revision: str) -> str:
        """The folder given to the export (source)."""
        return join(self.revision(revision), "export")

    def manifest(self, revision: str) -> str:
        """What the export is made of; its presence says that it is complete (source)."""
        return join(self.revision(revision), MANIFEST)

    def clones(self, revision: str) -> str:
        """The folder of all clones (source)."""
        return join(self.revision(revision), "clones")

    def clone(self, revision: str, attempt: str) -> str:
        """One clone's own folder (source)."""
        return join(self.clones(revision), attempt)

    def attempt(self, revision: str, attempt: str) -> str:
        """The folder of one attempt, and then of the copy that it made (target)."""
        return join(self.template, f"{revision}-{attempt}")

    @property
    def guests(self) -> str:
        """Everything about guests made from a copy here."""
        return join(self.template, "guests")

    def guest(self, attempt: str) -> str:
        """The folder of one guest."""
        return join(self.guests, attempt)

    def guest_export(self, revision: str) -> str:
        """The export of the copy here from which whole guests are made."""
        return join(self.guests, f"export-{revision}")

    def owner(self, folder: str) -> str:
        """Who made a clone or attempt folder."""
        return join(folder, OWNER)

    def baseline(self, folder: str) -> str:
        """What the verified copy in that folder looked like."""
        return join(folder, BASELINE)

    @property
    def leases(self) -> str:
        """All leases on this host."""
        return join(self.root, "leases")

    @property
    def export_lease(self) -> str:
        """The lease that keeps exports apart (source)."""
        return join(self.leases, "export")

    @property
    def copy_lease(self) -> str:
        """The lease that keeps copy jobs of this template apart (target)."""
        return join(self.leases, f"copy-{self.template_id}")

    @property
    def record_lease(self) -> str:
        """The lease that keeps changes of this template's record apart (source)."""
        return join(self.leases, f"record-{self.template_id}")

    def owns(self, path: str) -> bool:
        """Whether the path lies in this template's folder."""
        return inside(path, self.template)


def attempt_of(folder_name: str) -> tuple[str, str] | None:
    """Revision and attempt in the name of a target's folder; None when it is not one of ours."""
    revision, dash, attempt = folder_name.partition("-")
    if not dash or not is_revision(revision) or not _is_hex(attempt, 8):
        return None
    return revision, attempt


def is_revision(name: str) -> bool:
    """Whether a folder's name is that of a revision."""
    return _is_hex(name, 12)


def _is_hex(text: str, length: int) -> bool:
    return len(text) == length and all(character in "0123456789abcdef" for character in text)


__all__ = (
    "BASELINE",
    "LONGEST_PATH",
    "MANIFEST",
    "OUR_FILES",
    "OWNER",
    "RECORD",
    "ROOT",
    "TEMPORARY",
    "Layout",
    "attempt_of",
    "check_folder",
    "fold",
    "inside",
    "is_reserved",
    "is_revision",
    "join",
    "name_of",
    "new_attempt",
    "parent",
    "relative",
    "same",
    "volume_of",
)
