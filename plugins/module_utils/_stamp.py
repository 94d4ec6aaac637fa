# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The stamp: the line in a VM's Notes that makes it ours.

Notes travel with export and import. So a stamp counts only for the VM whose id it names: what somebody cloned from one
of ours carries our line with another id, and is not ours. What people wrote around the line is kept as it is.
"""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput

Kind = t.Literal["template", "copy", "guest"]
KINDS: tuple[Kind, ...] = ("template", "copy", "guest")

MARK = "fanout.hyperv"
LONGEST_LINE = 2000
_VERSION = 1
_BEGIN = '{"' + MARK + '":'
_LINE_END = re.compile(r"(\r\n|\r|\n)")


@dataclass(frozen=True, kw_only=True)
class Maintenance:
    """Who took a template into maintenance, when (ISO 8601, the source's clock), and what it was then.

    ``revision`` is None where it could not be told. ``checkpoint`` is the name of the one made on entering.
    """

    by: str
    since: str
    revision: str | None = None
    checkpoint: str | None = None

    @classmethod
    def read(cls, values: object) -> Maintenance | None:
        """From a stamp. One that is damaged still means that somebody is at it."""
        if not isinstance(values, dict):
            return None if values is None else cls(by="somebody", since="an unknown time")
        known = {one.name: values.get(one.name) for one in fields(cls)}
        told = {name: value for name, value in known.items() if isinstance(value, str)}
        return cls(**{"by": "somebody", "since": "an unknown time", **told})


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What a VM of ours says about itself.

    ``staging`` (template): where its record lies. ``maintenance`` (template): who changes it at the moment.
    ``superseded`` (copy): another copy has taken its place. ``kept`` (copy): it stays although it is superseded.
    ``made`` (guest): what it was made with.
    ``unfinished`` (guest): it is still being made.
    """

    kind: Kind
    vm_id: str
    template_id: str
    template_name: str
    source: str
    revision: str | None = None
    staging: str | None = None
    superseded: bool = False
    kept: bool = False
    made: t.Mapping[str, t.Any] | None = None
    unfinished: bool = False
    maintenance: Maintenance | None = None

    def line(self) -> str:
        """The one line, all in ASCII: nothing in a name can end it or look like another."""
        values: dict[str, t.Any] = {
            MARK: _VERSION,
            "vm": self.vm_id,
            "kind": self.kind,
            "template": self.template_id,
            "name": self.template_name,
            "source": self.source,
        }
        values |= {"revision": self.revision} if self.revision is not None else {}
        values |= {"staging": self.staging} if self.staging is not None else {}
        values |= {"superseded": True} if self.superseded else {}
        values |= {"kept": True} if self.kept else {}
        values |= {"made": dict(self.made)} if self.made is not None else {}
        values |= {"unfinished": True} if self.unfinished else {}
        values |= {"maintenance": asdict(self.maintenance)} if self.maintenance is not None else {}
        line = json.dumps(values, ensure_ascii=True, separators=(",", ":"))
        if len(line) > LONGEST_LINE:
            raise InvalidInput(
                f"The stamp for the VM's notes would have {len(line)} characters; {LONGEST_LINE} are the most.",
                code="STAMP_TOO_LONG",
                remedy="Use a shorter template name, inventory name or staging folder.",
            )
        return line


def parse(notes: str, vm_id: str) -> Stamp | None:
    """The stamp in the notes that is about this VM. When there are several, the last one."""
    found = [stamp for stamp in _stamps(notes) if stamp.vm_id == vm_id.lower()]
    return found[-1] if found else None


def foreign(notes: str, vm_id: str) -> Stamp | None:
    """A stamp in the notes that is about another VM: this one was cloned from it. None when this VM is ours."""
    if parse(notes, vm_id) is not None:
        return None
    return next((stamp for stamp in reversed(list(_stamps(notes)))), None)


def merge(notes: str, stamp: Stamp) -> str:
    """The notes with this stamp and no other; the text of people stays as it is."""
    rest = remove(notes)
    line_end = "\r" if rest.endswith("\r") else "\n"  # "\r" and "\n" would become one line end
    return f"{rest}{line_end}{stamp.line()}" if rest else stamp.line()


def remove(notes: str) -> str:
    """The notes without stamps."""
    pieces = _LINE_END.split(notes)
    lines, ends = pieces[0::2], ["", *pieces[1::2]]
    kept = [(end, line) for end, line in zip(ends, lines, strict=True) if not _is_stamp(line)]
    text = "".join(end + line for end, line in kept)
    first_end = kept[0][0] if kept else ""
    return text[len(first_end) :]


def _is_stamp(line: str) -> bool:
    return line.strip().startswith(_BEGIN)


def _stamps(notes: str) -> Iterator[Stamp]:
    for line in _LINE_END.split(notes)[0::2]:
        if _is_stamp(line):
            stamp = _read(line.strip())
            if stamp is not None:
                yield stamp


def _read(line: str) -> Stamp | None:
    """The stamp in the line; None when it is damaged, or written by a version that we do not know."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or values.get(MARK) != _VERSION or values.get("kind") not in KINDS:
        return None
    needed = [values.get(name) for name in ("vm", "template", "name", "source")]
    optional = [values.get(name) for name in ("revision", "staging")]
    if not all(isinstance(value, str) for value in [*needed, *(value for value in optional if value is not None)]):
        return None
    return Stamp(
        kind=values["kind"],
        vm_id=values["vm"].lower(),
        template_id=values["template"].lower(),
        template_name=values["name"],
        source=values["source"],
        revision=values.get("revision"),
        staging=values.get("staging"),
        superseded=values.get("superseded") is True,
        kept=values.get("kept") is True,
        made=made if isinstance(made := values.get("made"), dict) else None,
        unfinished=values.get("unfinished") is True,
        maintenance=Maintenance.read(values.get("maintenance")),
    )


__all__ = ("KINDS", "LONGEST_LINE", "MARK", "Kind", "Maintenance", "Stamp", "foreign", "merge", "parse", "remove")
