# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchanges of WSMan with hosts, as files: YAML with ``messages``, each a ``request`` and its ``response``.

This is the form in which pypsrp's project keeps its test data. Those files are no part of this project; own ones are
made by tests/acceptance. All are looked for in HYPERV_RECORDINGS (a folder), or in ../shared/recordings.
"""

from __future__ import annotations

import base64
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from .fragments import Joiner, Message

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("HYPERV_RECORDINGS", ROOT.parent / "shared" / "recordings"))
MISSING = f"no recordings of real hosts at hand: {FOLDER} (HYPERV_RECORDINGS names another folder)"
RSP = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
ADDRESSING = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
WSMAN = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
FAULT = "{http://schemas.microsoft.com/wbem/wsman/1/wsmanfault}WSManFault"
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
POWERSHELL = "http://schemas.microsoft.com/powershell/"
CARRIERS = ("creationXml", "connectXml", "connectResponseXml", "Stream", "Arguments")
"""Elements whose text is PSRP in base64, where the shell is one of PowerShell's."""


def local(tag: str) -> str:
    return tag.rpartition("}")[2]


@dataclass(frozen=True)
class Envelope:
    text: str

    @cached_property
    def root(self) -> ET.Element:
        return ET.fromstring(self.text)

    def find(self, name: str) -> str:
        found = self.root.find(f".//{name}")
        return (found.text or "").strip() if found is not None else ""

    @property
    def action(self) -> str:
        return self.find(f"{ADDRESSING}Action")

    @property
    def operation(self) -> str:
        return self.action.rpartition("/")[2]

    @property
    def resource(self) -> str:
        return self.find(f"{WSMAN}ResourceURI")

    @property
    def shell_id(self) -> str | None:
        for item in self.root.iter(f"{WSMAN}Selector"):
            if item.get("Name") == "ShellId":
                return item.text
        shell = self.root.find(f".//{RSP}Shell")
        return None if shell is None else shell.get("ShellId")

    @property
    def command_id(self) -> str | None:
        return next((item.get("CommandId") for item in self.root.iter() if item.get("CommandId")), None)

    @property
    def fault_code(self) -> int | None:
        found = self.root.find(f".//{FAULT}")
        return None if found is None else int(found.get("Code", "0"))

    def carriers(self) -> Iterator[ET.Element]:
        """The elements that carry PSRP, where this is a message of a PowerShell shell."""
        for element in self.root.iter():
            if local(element.tag) in CARRIERS and (element.text or "").strip():
                yield element

    def payloads(self) -> list[bytes]:
        return [base64.b64decode(element.text or "", validate=True) for element in self.carriers()]


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, None where it was no envelope. ``notes``: what the recorder says beside them."""

    request: Envelope
    response: Envelope | None
    notes: Mapping[str, Any]

    @property
    def is_psrp(self) -> bool:
        return self.request.resource.startswith(POWERSHELL)

    @property
    def status(self) -> int:
        return 500 if self.response is not None and self.response.fault_code is not None else 200


@dataclass(frozen=True)
class Recording:
    path: Path
    exchanges: tuple[Exchange, ...]

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def is_psrp(self) -> bool:
        return any(exchange.is_psrp for exchange in self.exchanges)


class Conversation:
    """Both directions of every PowerShell shell of a recording, put together to PSRP messages."""

    def __init__(self) -> None:
        self._joiners: dict[tuple[str, str], Joiner] = {}

    def restart(self, shell: str) -> None:
        """A client that connects begins to count anew, and gets once more what nobody had acknowledged."""
        for direction in ("request", "response"):
            self._joiners.pop((direction, shell.upper()), None)

    def messages(self, envelope: Envelope, direction: str, shell: str) -> list[Message]:
        if envelope.operation == "ConnectResponse":  # counts on, while what is fetched later may be older
            joiner = Joiner()
        else:
            joiner = self._joiners.setdefault((direction, shell.upper()), Joiner())
        return [message for data in envelope.payloads() for message in joiner.feed(data)]


def load(path: Path) -> Recording:
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)
    exchanges = []
    for item in data["messages"]:
        answer = item.get("response") or ""
        response = Envelope(answer) if answer.lstrip().startswith("<") else None
        notes = {key: value for key, value in item.items() if key not in ("request", "response")}
        exchanges.append(Exchange(Envelope(item["request"]), response, notes))
    return Recording(path, tuple(exchanges))


def joined(recording: Recording, number: int) -> Recording:
    """With the answer of that exchange added to the one before, as where two Receives brought what one could have."""
    items = list(recording.exchanges)
    later, before = items.pop(number), items[number - 1]
    assert later.response is not None and before.response is not None
    root = ET.fromstring(before.response.text)
    (body,) = root.iter(f"{RSP}ReceiveResponse")
    body.extend(later.response.root.iter(f"{RSP}Stream"))
    items[number - 1] = replace(before, response=Envelope(ET.tostring(root, "unicode")))
    return replace(recording, exchanges=tuple(items))


def found(pattern: str = "*.yml", folder: Path = FOLDER) -> list[Path]:
    return sorted(folder.glob(pattern)) if folder.is_dir() else []
