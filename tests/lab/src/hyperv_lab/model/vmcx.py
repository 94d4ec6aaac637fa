# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own .vmcx: the whole configuration of a VM in one binary-looking file with a checksum."""

from __future__ import annotations

import datetime
import json
import struct
import uuid
import zlib
from dataclasses import asdict, fields
from typing import Any

from .vm import Automatic, Checkpoint, Dvd, HardDisk, Memory, NetworkAdapter, VirtualMachine

MAGIC = b"\x01\x00vmcx.lab\x00\x00"
_HEAD = struct.Struct("<12sII")
BLOCK = 4096
NOT_KEPT = {"activity", "started_at", "deleted"}
NESTED_LISTS = {"adapters": NetworkAdapter, "disks": HardDisk, "dvds": Dvd}


class DamagedConfiguration(Exception):
    """The file is no configuration, or not a whole one."""


def dump(vm: VirtualMachine) -> bytes:
    values = {name: value for name, value in asdict(vm).items() if name not in NOT_KEPT}
    body = zlib.compress(json.dumps(values, default=_plain).encode())
    block = _HEAD.pack(MAGIC, len(body), zlib.crc32(body)) + body
    return block.ljust(-(-len(block) // BLOCK) * BLOCK, b"\0")


def load(raw: bytes) -> VirtualMachine:
    try:
        magic, length, checksum = _HEAD.unpack_from(raw)
    except struct.error as error:
        raise DamagedConfiguration("too short") from error
    body = raw[_HEAD.size : _HEAD.size + length]
    if magic != MAGIC or len(body) != length or zlib.crc32(body) != checksum:
        raise DamagedConfiguration("no configuration of a virtual machine")
    return _build(json.loads(zlib.decompress(body)))


def _plain(value: Any) -> str:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} cannot be kept in a configuration")


def _build(values: dict[str, Any]) -> VirtualMachine:
    known = {one.name for one in fields(VirtualMachine)}
    values = {name: value for name, value in values.items() if name in known}
    for name, kind in NESTED_LISTS.items():
        values[name] = [kind(**_typed(item)) for item in values.get(name, ())]
    values["checkpoints"] = [_checkpoint(item) for item in values.get("checkpoints", ())]
    values["memory"] = Memory(**values["memory"])
    values["automatic"] = Automatic(**values["automatic"])
    return VirtualMachine(**_typed(values))


def _checkpoint(item: dict[str, Any]) -> Checkpoint:
    settings = item.get("settings")
    disks = [HardDisk(**disk) for disk in item["disks"]]
    return Checkpoint(**_typed(item) | {"disks": disks, "settings": None if settings is None else _build(settings)})


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    """Strings back to what they were, by their names."""
    typed = dict(values)
    for name in ("id", "parent", "current_checkpoint"):
        if isinstance(typed.get(name), str):
            typed[name] = uuid.UUID(typed[name])
    if isinstance(typed.get("created"), str):
        typed["created"] = datetime.datetime.fromisoformat(typed["created"])
    return typed
