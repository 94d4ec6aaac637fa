# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts were seen to answer, without when and how much: kinds of objects, their properties, errors, states."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from typing import Any

from tests.recordings.exchanges import Conversation, Recording
from tests.recordings.fragments import Message

Facts = dict[str, Any]
"""Cmdlets of a pipeline, joined by ``|``: ``objects`` (type: property: kinds), ``errors``, ``states``."""

STATES = {"1": "NotStarted", "2": "Running", "3": "Stopped", "4": "Completed", "5": "Failed"}
BAGS = ("Props", "MS")


def of(recordings: Iterable[Recording]) -> Facts:
    facts: Facts = {}
    for recording in recordings:
        _read(recording, facts)
    return facts


def _read(recording: Recording, facts: Facts) -> None:
    conversation, commands = Conversation(), {}
    for exchange in recording.exchanges:
        if not exchange.is_psrp:
            continue
        shell = exchange.request.shell_id or ""
        for message in conversation.messages(exchange.request, "request", shell):
            if message.kind == "CreatePipeline":
                commands[message.pipeline] = _commands(message)
        if exchange.response is None:
            continue
        if exchange.response.fault_code is not None:
            known = facts.setdefault("WSMan", {"faults": []})
            _add(known["faults"], f"{exchange.request.operation}: {exchange.response.fault_code}")
        for message in conversation.messages(exchange.response, "response", shell):
            if message.pipeline in commands:
                _note(facts, commands[message.pipeline], message)


def _commands(message: Message) -> str:
    root = ET.fromstring(message.text)
    return "|".join(item.text or "" for item in root.iter() if item.get("N") == "Cmd")


def _note(facts: Facts, commands: str, message: Message) -> None:
    known = facts.setdefault(commands, {"objects": {}, "errors": [], "states": []})
    root = ET.fromstring(message.text) if message.text else None
    if root is None:
        return
    if message.kind == "PipelineOutput":
        _object(known["objects"], root)
    elif message.kind == "ErrorRecord":
        _add(known["errors"], _error(root))
    elif message.kind == "PipelineState":
        state = next((item.text or "" for item in root.iter() if item.get("N") == "PipelineState"), "")
        _add(known["states"], STATES.get(state, state))
        for item in root.iter():
            if item.get("N") == "ExceptionAsErrorRecord" and len(item):
                _add(known["errors"], _error(item))
    else:
        _add(known.setdefault("streams", []), message.kind)


def _error(record: ET.Element) -> str:
    values = {item.get("N"): item.text or "" for item in record.iter() if item.get("N")}
    return f"{values.get('FullyQualifiedErrorId')} (category {values.get('ErrorCategory_Category')})"


def _object(objects: dict[str, Any], root: ET.Element) -> None:
    types = {item.get("RefId", ""): item.findtext("T", "") for item in root.iter("TN")}
    name = _kind(root, types)
    known = objects.setdefault(name, {})
    for bag in BAGS:
        for item in root.findall(f"{bag}/*"):
            kinds = known.setdefault(item.get("N", "?"), [])
            _add(kinds, _kind(item, types))


def _kind(item: ET.Element, types: Mapping[str, str]) -> str:
    """Of an object its first type; of a simple value its element, also where properties are tied to it."""
    if item.tag != "Obj":
        return item.tag
    reference = item.find("TNRef")
    named = types.get(reference.get("RefId", ""), "") if reference is not None else item.findtext("TN/T", "")
    return named or next((child.tag for child in item if child.tag not in (*BAGS, "ToString")), item.tag)


def _add(known: list[str], value: str) -> None:
    if value not in known:
        known.append(value)
        known.sort()


def differences(real: Facts, lab: Facts) -> list[str]:
    """One line for each; null and a value of any kind are no difference, as it depends on what hosts hold."""
    found = []
    for command in sorted(real.keys() | lab.keys()):
        if command not in real or command not in lab:
            found.append(f"{command}: asked only of {'the lab' if command not in real else 'these hosts'}")
            continue
        found += [f"{command}: {line}" for line in _compare(real[command], lab[command])]
    return found


def _compare(real: Mapping[str, Any], lab: Mapping[str, Any]) -> list[str]:
    lines = []
    for what in ("errors", "states", "streams", "faults"):
        theirs, ours = set(real.get(what, ())), set(lab.get(what, ()))
        lines += [f"{what}: {value}: only these hosts" for value in sorted(theirs - ours)]
        lines += [f"{what}: {value}: only the lab" for value in sorted(ours - theirs)]
    theirs, ours = real.get("objects", {}), lab.get("objects", {})
    for name in sorted(theirs.keys() | ours.keys()):
        if name not in theirs or name not in ours:
            lines.append(f"object {name}: only {'the lab' if name not in theirs else 'these hosts'}")
        else:
            lines += _properties(name, theirs[name], ours[name])
    return lines


def _properties(name: str, real: Mapping[str, list[str]], lab: Mapping[str, list[str]]) -> list[str]:
    lines = []
    for prop in sorted(real.keys() | lab.keys()):
        if prop not in real or prop not in lab:
            lines.append(f"{name}.{prop}: only {'the lab' if prop not in real else 'these hosts'}")
            continue
        theirs, ours = set(real[prop]) - {"Nil"}, set(lab[prop]) - {"Nil"}
        if theirs and ours and theirs != ours:
            lines.append(f"{name}.{prop}: {', '.join(sorted(theirs))}; the lab: {', '.join(sorted(ours))}")
    return lines
