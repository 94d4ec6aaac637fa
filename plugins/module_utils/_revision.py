# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The revision: a fingerprint of what a template is. Nothing in it depends on the host, on a path, an id or the time.

So a copy's own definition has the revision of its template, as far as the values travel with the VM. (What does not
travel, and is left out: addresses that a host chooses, file names, what lies in a DVD drive, the order of adapters.)
"""

from __future__ import annotations

import hashlib
import json
import typing as t
from collections.abc import Callable, Iterable, Mapping

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import Adapter, Definition, DiskFacts, Drive
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import fold

LENGTH = 12
"""Hexadecimal characters of a revision."""
_FORM = 1
"""Changes when what goes into the revision changes."""

Settings = dict[str, t.Any]


def revision(definition: Definition, guids: Mapping[str, str | None]) -> str:
    """The revision of a VM. ``guids`` has the content mark of each disk by its path: see ``marks``."""
    canonical = json.dumps(settings(definition, guids), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()[:LENGTH]


def marks(facts: Iterable[DiskFacts]) -> dict[str, str | None]:
    """What stands for the content of each disk, by path: a VHDX's DataWriteGuid, a VHD's size and time."""
    return {fact.path: fact.mark for fact in facts}


def settings(definition: Definition, guids: Mapping[str, str | None]) -> Settings:
    """The normalised form that the revision is made of; also what people are shown when it changed."""
    by_path = {fold(path): guid for path, guid in guids.items()}
    firmware = {"secure_boot": definition.secure_boot, "template": definition.secure_boot_template}
    return {
        "form": _FORM,
        "generation": definition.vm.generation,
        "version": definition.vm.version,
        "processors": definition.processors,
        "memory": _memory(definition),
        "firmware": None if definition.secure_boot is None else firmware,
        "tpm": definition.tpm,
        "adapters": sorted((_adapter(adapter) for adapter in definition.adapters), key=repr),
        "dvds": sorted(f"{dvd.controller_type} {dvd.number} {dvd.location}" for dvd in definition.dvds),
        "disks": dict(sorted(_disk(definition, drive, by_path) for drive in definition.drives)),
    }


def explain(old: Settings, new: Settings) -> list[str]:
    """What differs between the normalised forms of two revisions, as "what: before -> after"."""
    before, after = _flat("", old), _flat("", new)
    names = [*before, *(name for name in after if name not in before)]
    return [
        f"{name}: {before.get(name, 'nothing')} -> {after.get(name, 'nothing')}"
        for name in names
        if before.get(name) != after.get(name)
    ]


def settle_vhd(now: DiskFacts, then: DiskFacts, same_content: Callable[[], bool]) -> DiskFacts:
    """A VHD's facts for the revision: when only its time differs from the known ones, the content decides.

    ``same_content`` compares SHA-256 sums; it is asked only then, because the host reads the whole file for it.
    """
    if now.guid is not None or then.guid is not None or now.modified == then.modified:
        return now
    alike = (now.size, now.identifier, now.file_size) == (then.size, then.identifier, then.file_size)
    if not alike or not same_content():
        return now
    return DiskFacts(**{**vars(now), "modified": then.modified})


def _memory(definition: Definition) -> Settings:
    """Minimum and maximum say something only while memory is dynamic."""
    memory: Settings = {"startup": definition.memory_startup, "dynamic": definition.dynamic_memory}
    if definition.dynamic_memory:
        memory |= {"minimum": definition.memory_minimum, "maximum": definition.memory_maximum}
    return memory


def _adapter(adapter: Adapter) -> Settings:
    return {
        "name": adapter.name,
        "switch": adapter.switch,
        "vlan": adapter.vlan,
        "static_mac": adapter.static_mac,
        "legacy": adapter.legacy,
    }


def _disk(definition: Definition, drive: Drive, guids: Mapping[str, str | None]) -> tuple[str, Settings]:
    place = f"{drive.controller_type} {drive.number} {drive.location}"
    disk = definition.disk(drive)
    guid = guids.get(fold(drive.path))
    if disk is None or guid is None:
        raise Refused(
            f"The disk at {place} ({drive.path or 'a physical disk'}) cannot be part of a revision: "
            "the host does not show what it is.",
            code="DISK_WITHOUT_REVISION",
            remedy="Templates need virtual disks (VHDX or VHD) that exist and are not in use.",
        )
    return place, {"size": disk.size, "identifier": disk.identifier, "content": guid}


def _flat(prefix: str, value: t.Any) -> dict[str, str]:
    if isinstance(value, dict):
        return {
            name: text
            for key, item in value.items()
            for name, text in _flat(f"{prefix}.{key}".strip("."), item).items()
        }
    if isinstance(value, list):
        return {
            name: text for index, item in enumerate(value) for name, text in _flat(f"{prefix}[{index}]", item).items()
        }
    return {prefix: str(value)}


__all__ = ("LENGTH", "Settings", "explain", "marks", "revision", "settings", "settle_vhd")
