# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Virtual disks of a host."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.fanout.hyperv.plugins.module_utils import _vhdx
from ansible_collections.fanout.hyperv.plugins.module_utils._command import command
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError
from ansible_collections.fanout.hyperv.plugins.module_utils._host_base import QUESTION, Part, Question, select
from ansible_collections.fanout.hyperv.plugins.module_utils._host_files import Files
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import Disk, DiskFacts
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import fold

_DISK = ("Path", "VhdFormat", "VhdType", "FileSize", "Size", "DiskIdentifier", "ParentPath", "Attached")
_PIECE = 64
_WITH_WRITE_GUID = (".vhdx", ".avhdx")


class DiskQuestions(Part):
    """What a host knows about virtual disks' files."""

    files: Files

    def disks(self, paths: Sequence[str]) -> tuple[Disk, ...]:
        """Those of the disks whose files are there. A file that is there and cannot be read is an error."""
        if not paths:
            return ()
        outcome = self._session.run(
            command("Get-VHD", Path=list(paths)),
            select(Property=list(_DISK)),
            timeout=QUESTION,
            check=False,
        )
        disks = tuple(Disk.from_row(self._row(answer)) for answer in outcome.objects)
        shown = {fold(disk.path) for disk in disks}
        unseen = [path for path in paths if fold(path) not in shown]
        if outcome.errors and (not unseen or self.files.found(unseen)):
            raise self._failed("Virtual disks could not be read", outcome.errors)
        return disks

    def disks_of(self, vm_id: str) -> tuple[Disk, ...]:
        """The disks of a VM, all of which have to be there."""
        return self._ask(self._disks_of(vm_id))

    def _disks_of(self, vm_id: str) -> Question[tuple[Disk, ...]]:
        return self._each(command("Get-VHD", VMId=vm_id), properties=_DISK, read=Disk.from_row)

    def test_disk(self, path: str) -> bool:
        """Whether the host finds the disk (and its parents) usable."""
        answers = self._session.run(command("Test-VHD", Path=path), timeout=QUESTION)
        return bool(answers) and all(answer is True for answer in answers)

    def data_write_guid(self, path: str) -> str | None:
        """The DataWriteGuid of a VHDX file; None for a VHD, which has none.

        Two pieces of 64 bytes cross the network, one of each header. Only when they do not look as a writer leaves them
        are the whole headers read and their checksums looked at.
        """
        if not path.lower().endswith(_WITH_WRITE_GUID):
            return None
        pieces = self._header_pieces(path, _PIECE)
        headers = [_vhdx.parse_header(piece, checksum=False) for piece in pieces]
        if not _vhdx.is_settled(headers):
            pieces = self._header_pieces(path, _vhdx.HEADER_SIZE)
            headers = [_vhdx.parse_header(piece, checksum=True) for piece in pieces]
        header = _vhdx.current(headers)
        if header is None:
            raise HyperVError(
                f"{path} has no valid VHDX header.",
                code="VHDX_HEADER_INVALID",
                layer="host",
                remedy="Look at the disk with Test-VHD on the host; it may be damaged or no VHDX.",
                host=self._session.label,
            )
        return header.data_write_guid

    def _header_pieces(self, path: str, size: int) -> list[bytes]:
        """The first ``size`` bytes of both headers."""
        answers = self._session.run(
            command(
                "Get-Content",
                LiteralPath=path,
                Encoding="Byte",
                ReadCount=size,
                TotalCount=_vhdx.HEADER_OFFSETS[1] + size,
            ),
            select(Index=[offset // size for offset in _vhdx.HEADER_OFFSETS]),
            timeout=QUESTION,
        )
        return _vhdx.blocks(answers, size)

    def disk_facts(self, disks: Iterable[Disk]) -> tuple[DiskFacts, ...]:
        """What identifies the disks' content without reading it."""
        return tuple(self._facts(disk) for disk in disks)

    def _facts(self, disk: Disk) -> DiskFacts:
        guid = self.data_write_guid(disk.path)
        return DiskFacts(
            path=disk.path,
            size=disk.size,
            identifier=disk.identifier,
            guid=guid,
            file_size=disk.file_size,
            modified=self.files.modified(disk.path) if guid is None else None,
            parent=disk.parent_path,
        )


__all__ = ("DiskQuestions",)
