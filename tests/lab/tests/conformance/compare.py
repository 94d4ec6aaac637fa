# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two answers side by side: every element, attribute, namespace and value in which they differ, by its path."""

from __future__ import annotations

import base64
import binascii
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.recordings.exchanges import CARRIERS, Envelope, local
from tests.recordings.fragments import Message

GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
Key = tuple[str, str, int]


@dataclass(frozen=True)
class Difference:
    """``kind``: missing (the real host has it), extra (the lab has it), value, order."""

    path: str
    kind: str
    real: str = ""
    lab: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.path}: real {self.real[:120]!r}, lab {self.lab[:120]!r}"


def answer(envelope: Envelope, messages: list[Message]) -> ET.Element:
    """An answer as it is compared: what streams carry stands there decoded, in its order."""
    root = ET.fromstring(envelope.text)
    _open_streams(root, messages)
    return root


def _open_streams(root: ET.Element, messages: list[Message]) -> None:
    parents = {child: parent for parent in root.iter() for child in parent}
    carriers = [item for item in root.iter() if local(item.tag) in CARRIERS and (item.text or "").strip()]
    opened: dict[tuple[ET.Element, str, str], ET.Element] = {}
    for item in carriers:
        parent = parents[item]
        key = (parent, local(item.tag), item.get("Name", ""))
        if key in opened:
            opened[key].text = (opened[key].text or "") + _plain(item)
            parent.remove(item)
        else:
            opened[key] = item
            item.text = _plain(item)
    if messages and opened:
        first = next(iter(opened.values()))
        first.text = ""
        first.extend(_message(message) for message in messages)


def _plain(item: ET.Element) -> str:
    """What a command line said, without its white space; nothing of PSRP, which is compared message by message."""
    try:
        return "".join(base64.b64decode(item.text or "").decode("ascii").split())
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _message(message: Message) -> ET.Element:
    element = ET.Element(
        message.kind,
        {
            "object": str(message.object_id),
            "destination": str(message.destination),
            "mark": str(message.marked),
            "pool": str(message.pool),
            "pipeline": str(message.pipeline),
        },
    )
    if message.text:
        element.append(_clixml(ET.fromstring(message.text)))
    return element


def _clixml(root: ET.Element) -> ET.Element:
    """Type names where they are referred to; the numbers of references are each side's own."""
    types: dict[str, list[ET.Element]] = {}
    for element in root.iter():
        number = element.attrib.pop("RefId", "")
        if local(element.tag) == "TN":
            types[number] = list(element)
        elif local(element.tag) == "TNRef":
            element.tag = element.tag[:-3]
            element.extend(types[number])
    return root


def differences(real: ET.Element, lab: ET.Element, path: str = "", ordered: bool = True) -> Iterator[Difference]:
    """``ordered``: whether the order of elements counts; it does not in properties, which are read by name."""
    here = f"{path}/{_name(real)}" if path else _name(real)
    yield from _attributes(real, lab, here)
    if not len(real) and not len(lab) and _text(real) != _text(lab):
        yield Difference(here, "value", _text(real), _text(lab))
    theirs, ours = _children(real), _children(lab)
    for key in theirs.keys() - ours.keys():
        yield Difference(f"{here}/{_name(theirs[key])}", "missing", real=_text(theirs[key]))
    for key in ours.keys() - theirs.keys():
        yield Difference(f"{here}/{_name(ours[key])}", "extra", lab=_text(ours[key]))
    common = [key for key in theirs if key in ours]
    if not ordered:
        pass
    elif common != [key for key in ours if key in theirs]:
        yield Difference(here, "order", str([key[0] for key in common]), str([key[0] for key in ours]))
    for key in common:
        yield from differences(theirs[key], ours[key], here, ordered and "destination" not in real.attrib)


def _attributes(real: ET.Element, lab: ET.Element, here: str) -> Iterator[Difference]:
    for name in sorted(real.attrib.keys() | lab.attrib.keys()):
        theirs, ours = real.get(name), lab.get(name)
        if theirs is None or ours is None:
            yield Difference(f"{here}@{local(name)}", "missing" if ours is None else "extra", theirs or "", ours or "")
        elif _same(theirs) != _same(ours):
            yield Difference(f"{here}@{local(name)}", "value", theirs, ours)


def _children(element: ET.Element) -> dict[Key, ET.Element]:
    seen: Counter[tuple[str, str]] = Counter()
    found: dict[Key, ET.Element] = {}
    for child in element:
        name = _label(child)
        found[(child.tag, name, seen[(child.tag, name)])] = child
        seen[(child.tag, name)] += 1
    return found


def _label(element: ET.Element) -> str:
    """What tells elements of one kind apart; an entry of a dictionary by its key."""
    if element.tag == "En":
        return element[0].text or ""
    return element.get("N") or element.get("Name") or ""


def _name(element: ET.Element) -> str:
    name = _label(element)
    return local(element.tag) + (f"[{name}]" if name else "")


def _text(element: ET.Element) -> str:
    return _same((element.text or "").strip())


def _same(text: str) -> str:
    """Ids are written in either case."""
    return GUID.sub(lambda match: match[0].upper(), text)
