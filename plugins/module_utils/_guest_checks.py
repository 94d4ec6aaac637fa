# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What stands in the way of making guests. Pure functions; nothing in here asks a host."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import fold, volume_of
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import ERROR, Finding, free_at, gib, room_for

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import Definition, Volume

LINKABLE = (".vhdx",)


def refuse_unlinkable(copy: Definition) -> None:
    """Why a VM of its own could not have its disks where the copy has them."""
    why = next(_unlinkable(copy), None)
    if why is not None:
        raise Refused(
            f"No linked guest can be made of {copy.vm.name}: {why}.",
            code="GUEST_NOT_LINKABLE",
            remedy="Make whole guests (kind: full), or change the template.",
        )


def _unlinkable(copy: Definition) -> Iterator[str]:
    slots = {(drive.controller_type.upper(), drive.number, drive.location) for drive in copy.drives}
    boot = ("SCSI" if copy.vm.generation > 1 else "IDE", 0, 0)
    if boot not in slots:
        yield f"it has no disk at {boot[0]} controller 0, location 0, where a new VM has its first one"
    for drive in copy.drives:
        where = f"{drive.controller_type} controller {drive.number}, location {drive.location}"
        if not drive.is_file or not drive.path.lower().endswith(LINKABLE):
            yield f"{drive.path or where} is not a VHDX"
        kind = drive.controller_type.upper()
        if kind not in ("SCSI", "IDE") or (kind == "SCSI" and drive.number > 0):
            yield f"it has a disk at {where}, and a new VM has no such controller"
        if (kind, drive.number, drive.location) == ("IDE", 1, 0):
            yield f"it has a disk at {where}, where a new VM has its DVD drive"


def check_macs(macs: Sequence[tuple[str, str]], name: str) -> tuple[tuple[str, str], ...]:
    """The addresses that can be given again; an adapter is found by its name, so each needs one of its own."""
    known = tuple((adapter, mac) for adapter, mac in macs if mac.strip("0"))
    if len({fold(adapter) for adapter, _mac in macs}) < len(macs) and known:
        raise Refused(
            f"The network adapters of {name} cannot be told apart by their names; it was not touched.",
            code="ADAPTERS_ALIKE",
            remedy="Rename them (Rename-VMNetworkAdapter), or recreate the guest without its addresses.",
        )
    return known


def guest_space(provider: str, volumes: Iterable[Volume], needs: Mapping[str, int], what: str) -> Iterator[Finding]:
    """Room for guests beside everything that is there, older copies among it. ``needs``: bytes by folder."""
    known = tuple(volumes)
    by_volume: dict[str | None, int] = {}
    for path, size in needs.items():
        name = volume_of(path, [volume.name for volume in known])
        by_volume[name] = by_volume.get(name, 0) + size
    for name, size in by_volume.items():
        free = None if name is None else free_at(name, known)
        if free is not None and size and free < room_for(size):
            yield Finding(
                severity=ERROR,
                provider=provider,
                code="SPACE_GUESTS",
                what=f"{provider} has {gib(free)} free on {name}; {what} need {gib(room_for(size))}.",
                remedy="Make room there, choose another folder, or make fewer or linked guests.",
            )


__all__ = ("check_macs", "guest_space", "refuse_unlinkable")
