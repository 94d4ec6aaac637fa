# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The manifest: what an export is made of. It is written last, so its presence says that the export is complete."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ansible_collections.fanout.hyperv.plugins.module_utils._documents import dump, load, string
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import DiskFacts
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import fold

_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class ManifestFile:
    """One file; ``path`` is relative to the export folder. The hash is added when it is first wanted."""

    path: str
    size: int
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One export. ``vmcx`` and the paths of ``disks`` are relative to the export folder, too."""

    template_id: str
    revision: str
    vmcx: str
    files: tuple[ManifestFile, ...]
    disks: tuple[DiskFacts, ...]

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.size for file in self.files)

    def file(self, path: str) -> ManifestFile | None:
        """The file with this relative path."""
        return next((file for file in self.files if fold(file.path) == fold(path)), None)

    def with_hashes(self, hashes: Mapping[str, str]) -> Manifest:
        """The manifest with the SHA-256 of files, by relative path."""
        known = {fold(path): value.lower() for path, value in hashes.items()}
        return replace(
            self, files=tuple(replace(file, sha256=known.get(fold(file.path), file.sha256)) for file in self.files)
        )

    def differences(self, found: Mapping[str, int]) -> list[str]:
        """Why the files that were found (size by relative path) are not this export; empty when they are."""
        sizes = {fold(path): size for path, size in found.items()}
        return [
            f"{file.path} is missing" if fold(file.path) not in sizes else f"{file.path} has another size"
            for file in self.files
            if sizes.get(fold(file.path)) != file.size
        ]

    def to_json(self) -> str:
        """The document's text."""
        return dump(
            {
                "schema": _SCHEMA,
                "template_id": self.template_id,
                "revision": self.revision,
                "vmcx": self.vmcx,
                "files": [{"path": f.path, "size": f.size, "sha256": f.sha256} for f in self.files],
                "disks": [disk.to_dict() for disk in self.disks],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """The manifest in a document's text; raises HyperVError when it is damaged or of another version."""
        return load(text, "manifest", _SCHEMA, cls._build)

    @classmethod
    def _build(cls, values: dict[str, t.Any]) -> Manifest:
        return cls(
            template_id=string(values["template_id"]).lower(),
            revision=string(values["revision"]),
            vmcx=string(values["vmcx"]),
            files=tuple(_file(file) for file in values["files"]),
            disks=tuple(DiskFacts.from_dict(disk) for disk in values["disks"]),
        )


def _file(values: Mapping[str, t.Any]) -> ManifestFile:
    sha256 = values["sha256"]
    return ManifestFile(
        path=string(values["path"]), size=int(values["size"]), sha256=None if sha256 is None else string(sha256)
    )


__all__ = ("Manifest", "ManifestFile")
