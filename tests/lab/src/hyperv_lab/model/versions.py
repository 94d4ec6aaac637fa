# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between versions of Windows Server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WindowsVersion:
    caption: str
    version: str
    build: str
    vm_versions: tuple[str, ...]

    @property
    def default_vm_version(self) -> str:
        return self.vm_versions[-1]


_2019 = ("5.0", "6.2", "7.0", "7.1", "8.0", "8.1", "8.2", "8.3", "9.0")
_2022 = ("8.0", "8.1", "8.2", "8.3", "9.0", "9.1", "9.2", "9.3", "10.0")

VERSIONS = {
    2016: WindowsVersion("Microsoft Windows Server 2016 Datacenter", "10.0.14393", "14393", _2019[:5]),
    2019: WindowsVersion("Microsoft Windows Server 2019 Datacenter", "10.0.17763", "17763", _2019),
    2022: WindowsVersion("Microsoft Windows Server 2022 Datacenter", "10.0.20348", "20348", _2022),
    2025: WindowsVersion("Microsoft Windows Server 2025 Datacenter", "10.0.26100", "26100", (*_2022, "11.0", "12.0")),
}

VM_VERSION_NAMES = {
    "5.0": "Microsoft Windows 8.1/Server 2012 R2",
    "6.2": "Microsoft Windows 10 1507/Server 2016 Technical Preview 3",
    "7.0": "Microsoft Windows 10 1511/Server 2016 Technical Preview 4",
    "7.1": "Microsoft Windows 10 (Server 2016 Technical Preview 5)",
    "8.0": "Microsoft Windows 10 Anniversary Update/Server 2016",
    "8.1": "Microsoft Windows 10 Creators Update",
    "8.2": "Microsoft Windows 10 Fall Creators Update/Server 1709",
    "8.3": "Microsoft Windows 10 April 2018 Update/Server 1803",
    "9.0": "Microsoft Windows 10 October 2018 Update/Server 2019",
    "9.1": "Microsoft Windows 10 May 2019 Update/Server 1903",
    "9.2": "Microsoft Windows 10 (19H2)",
    "9.3": "Microsoft Windows 10 (20H1)",
    "10.0": "Microsoft Windows Server 2022",
    "11.0": "Microsoft Windows 11 (23H2)",
    "12.0": "Microsoft Windows 11 (24H2)/Server 2025",
}
