# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the model says that something failed, as Hyper-V would say it. The cmdlets make error records of it."""

from __future__ import annotations

E_DISK_FULL = 0x80070070
E_FILE_EXISTS = 0x80070050
E_FILE_NOT_FOUND = 0x80070002
E_PATH_NOT_FOUND = 0x80070003
E_ACCESS_DENIED = 0x80070005
E_SHARING_VIOLATION = 0x80070020
E_INVALID_NAME = 0x8007007B
E_TIMED_OUT = 0x8007274C
E_REFUSED = 0x8007274D
E_HOST_NOT_FOUND = 0x80072AF9
E_NO_CREDENTIALS = 0x8009030E
E_UNKNOWN_CREDENTIALS = 0x8009030D
E_DEVICE_OPEN = 0xC03A0014
E_CORRUPT_DISK = 0xC03A0005
E_BUSY = 0x800700AA
E_CANCELLED = 0x800704C7
E_NOT_READY = 0x80070015
E_TIMED_OUT_WAITING = 0x800705B4


class Failure(Exception):
    """A refusal or a failure of the virtualization service: lines of text, error id, category, the code behind it."""

    def __init__(
        self,
        *lines: str,
        identifier: str = "OperationFailed",
        category: str = "NotSpecified",
        hresult: int | None = None,
        target: str | None = None,
    ) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
        self.identifier = identifier
        self.category = category
        self.hresult = hresult
        self.target = target

    @property
    def message(self) -> str:
        return "\n".join(self.lines)
