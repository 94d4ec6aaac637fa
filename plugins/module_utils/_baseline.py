# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The baseline: what a verified copy looked like. A copy that differs was changed or started by hand."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fanout.hyperv.plugins.module_utils._documents import dump, load, string
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import DiskFacts
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import fold

_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """One copy as it was, or as it is shown now: both have the same form and are compared."""

    vm_id: str
    state: str
    revision: str
    disks: tuple[DiskFacts, ...]

    def to_json(self) -> str:
        """The document's text."""
        return dump(
            {
                "schema": _SCHEMA,
                "vm_id": self.vm_id,
                "state": self.state,
                "revision": self.revision,
                "disks": [disk.to_dict() for disk in self.disks],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Baseline:
        """The baseline in a document's text; raises HyperVError when it is damaged or of another version."""
        return load(text, "baseline", _SCHEMA, cls._build)

    @classmethod
    def _build(cls, values: dict[str, t.Any]) -> Baseline:
        return cls(
            vm_id=string(values["vm_id"]).lower(),
            state=string(values["state"]),
            revision=string(values["revision"]),
            disks=tuple(DiskFacts.from_dict(disk) for disk in values["disks"]),
        )


def differences(baseline: Baseline, shown: Baseline) -> list[str]:
    """Why what is shown now is not the copy of the baseline, as sentences; empty when it is."""
    if baseline.vm_id != shown.vm_id:
        return [f"The baseline is about another VM ({baseline.vm_id})."]
    reasons = []
    if baseline.revision != shown.revision:
        reasons.append(f"It was revision {baseline.revision} and says {shown.revision}.")
    if baseline.state != shown.state:
        reasons.append(f"It was {baseline.state} and is {shown.state}.")
    now = {fold(disk.path): disk for disk in shown.disks}
    for disk in baseline.disks:
        there = now.pop(fold(disk.path), None)
        reasons += [f"The disk {disk.path} is gone."] if there is None else _disk_differences(disk, there)
    return reasons + [f"The disk {disk.path} was added." for disk in now.values()]


def _disk_differences(was: DiskFacts, shown: DiskFacts) -> list[str]:
    checks = (
        (was.size != shown.size, "has another virtual size"),
        (was.identifier != shown.identifier, "has another identifier"),
        (was.file_size != shown.file_size, f"is a file of {shown.file_size} bytes and was one of {was.file_size}"),
        (fold(was.parent) != fold(shown.parent), "has another parent"),
        (shown.mark is None, "cannot be read"),
        (shown.mark is not None and was.mark != shown.mark, "was written to"),
    )
    return [f"The disk {was.path} {what}." for differs, what in checks if differs]


__all__ = ("Baseline", "differences")
