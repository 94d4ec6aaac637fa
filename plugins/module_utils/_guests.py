# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The guests of a template on one provider: what they are called, what they were made with, and what the host shows.

A guest is ours by its stamp alone. A VM that was being made when its run was killed is ours by the owner file in its
folder, which goes when the guest is finished: so a guest whose Notes somebody has emptied is not touched.
"""

from __future__ import annotations

import string
import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._documents import dump, load
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError, InvalidInput
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import OWNER, Layout, fold, join, name_of, same
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import LONGEST_NAME
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import is_stuck
from ansible_collections.fanout.hyperv.plugins.module_utils._retiring import guest_folder

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Definition, Entry
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Values

FULL, LINKED = "full", "linked"
PATTERN = "{template}-{provider}-{index:03}"
LOCAL_NAME = "{template} (guests)"
"""What the copy on the source is called, of which its guests are made."""
MIB = 1024 * 1024
_PENDING = "pending-"
_SCHEMA = 1


# Names


def names_of(pattern: str, count: int, *, template: str, provider: str) -> tuple[str, ...]:
    """The names of so many guests. The pattern knows template, provider and index (with a number of digits)."""
    pieces = _pieces(pattern)
    if count > 1 and not any(field == "index" for _text, field, _spec in pieces):
        raise InvalidInput(
            f"The pattern {pattern!r} gives {count} guests the same name.",
            remedy="Put {index} or {index:03} into it.",
        )
    words = {"template": template, "provider": provider}
    return tuple(
        "".join(
            text + ("" if field is None else format(index, spec) if field == "index" else words[field])
            for text, field, spec in pieces
        )
        for index in range(1, count + 1)
    )


def _pieces(pattern: str) -> list[tuple[str, str | None, str]]:
    try:
        parsed = [(text, field, spec or "", way) for text, field, spec, way in string.Formatter().parse(pattern)]
    except ValueError as error:
        raise _bad_pattern(pattern) from error
    for _text, field, spec, way in parsed:
        known = field in (None, "template", "provider", "index")
        digits = spec == "" or (
            field == "index" and len(spec) == 2 and spec[0] == "0" and spec.isascii() and spec.isdigit()
        )
        if not known or not digits or way is not None:
            raise _bad_pattern(pattern)
    return [(text, field, spec) for text, field, spec, _way in parsed]


def _bad_pattern(pattern: str) -> InvalidInput:
    return InvalidInput(
        f"{pattern!r} is no pattern for names.",
        remedy="It may hold {template}, {provider}, {index} and {index:03}, and any text that a VM's name can have.",
    )


def check_names(names: Sequence[str], template: str) -> None:
    """Names that VMs can have, each once; Windows takes upper and lower case for the same."""
    seen: set[str] = set()
    for name in names:
        bad = any(ord(character) < 32 for character in name)
        if not name.strip() or name != name.strip() or bad or len(name) > LONGEST_NAME:
            raise InvalidInput(
                f"{name!r} cannot be the name of a guest.",
                remedy=f"Give 1 to {LONGEST_NAME} characters, none of them a control character, no space at the ends.",
            )
        if fold(name) in seen:
            raise InvalidInput(f"The name {name!r} is there twice.", remedy="Give each guest a name of its own.")
        if fold(name) == fold(template):
            raise InvalidInput(
                f"A guest cannot be called {name!r}: that is the name of the copy.", remedy="Give it another name."
            )
        seen.add(fold(name))


# What guests are made with


@dataclass(frozen=True, kw_only=True)
class Making:
    """What a guest is made with. What is None is as the copy has it; ``vlan`` 0 is none. ``path`` is a folder."""

    kind: str
    path: str
    memory_mb: int | None = None
    processors: int | None = None
    switch: str | None = None
    vlan: int | None = None
    start: bool = True

    def to_dict(self) -> Values:
        """For the stamp, without what is as the copy has it."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, t.Any] | None) -> Making | None:
        """From a stamp; None when it says nothing that we can use."""
        known = {field.name for field in fields(cls)}
        try:
            making = cls(**{name: value for name, value in (values or {}).items() if name in known})
        except TypeError:
            return None
        wrong = making.kind not in (FULL, LINKED) or not isinstance(making.path, str)
        return None if wrong or not _typed(making) else making

    def over(self, copy: Definition) -> Definition:
        """The copy's settings with these put over them. Limits of dynamic memory are widened to hold the start's."""
        startup = copy.memory_startup if self.memory_mb is None else self.memory_mb * MIB
        return replace(
            copy,
            processors=self.processors or copy.processors,
            memory_startup=startup,
            memory_minimum=min(copy.memory_minimum, startup),
            memory_maximum=max(copy.memory_maximum, startup),
        )


def _typed(making: Making) -> bool:
    numbers = (making.memory_mb, making.processors, making.vlan)
    return all(value is None or type(value) is int for value in numbers) and isinstance(
        making.switch, (str, type(None))
    )


# What is there


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A guest of ours. ``folder``: its own; None when it was moved. ``owned``: the owner file is still in it."""

    vm: VM
    stamp: _stamp.Stamp
    folder: str | None
    owned: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing is left to be done to it."""
        return not self.stamp.unfinished and not self.owned

    def outdated(self, revision: str | None) -> bool:
        """Whether it was made from another revision; nobody can say when the revision is not known."""
        return revision is not None and self.stamp.revision != revision

    def to_dict(self, revision: str | None) -> Values:
        """For results."""
        return {
            "id": self.vm.id,
            "name": self.vm.name,
            "state": self.vm.state,
            "revision": self.stamp.revision,
            "outdated": self.outdated(revision),
            "finished": self.finished,
            "folder": self.folder,
            "made": None if self.stamp.made is None else dict(self.stamp.made),
        }


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A guest that was removed to be made anew: what is needed to do so. ``macs``: adapter names with addresses."""

    vm_id: str
    name: str
    made: Mapping[str, t.Any]
    macs: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> str:
        return dump(
            {
                "schema": _SCHEMA,
                "vm_id": self.vm_id,
                "name": self.name,
                "made": dict(self.made),
                "macs": [list(pair) for pair in self.macs],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Pending:
        """Raises HyperVError when it is damaged."""
        return load(text, "note about a guest that is being made anew", _SCHEMA, cls._build)

    @classmethod
    def _build(cls, values: dict[str, t.Any]) -> Pending:
        return cls(
            vm_id=str(values["vm_id"]),
            name=str(values["name"]),
            made=dict(values["made"]),
            macs=tuple((str(name), str(mac)) for name, mac in values["macs"]),
        )


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """A guest's folder of a run that was killed; ``vm`` when one was registered already. ``stuck``: nothing may go."""

    folder: str
    vm: VM | None = None
    stuck: bool = False


@dataclass(frozen=True, kw_only=True)
class Found:
    """Everything about the guests of one template on a host."""

    guests: tuple[Guest, ...] = ()
    unfinished: tuple[Unfinished, ...] = ()
    pending: tuple[tuple[str, Pending], ...] = ()
    exports: tuple[Entry, ...] = ()
    others: tuple[VM, ...] = ()

    def named(self, name: str) -> Guest | None:
        """The guest of that name, as Windows compares names."""
        return next((guest for guest in self.guests if fold(guest.vm.name) == fold(name)), None)

    def in_the_way(self, names: Iterable[str]) -> list[VM]:
        """VMs of these names that are not our guests."""
        wanted = {fold(name) for name in names}
        return [vm for vm in self.others if fold(vm.name) in wanted]

    def waiting(self, name: str) -> Pending | None:
        """What is known of a guest that was removed and not made anew."""
        return next((note for _path, note in self.pending if fold(note.name) == fold(name)), None)


def guests_among(vms: Iterable[VM], template_id: str) -> tuple[Guest, ...]:
    """The guests of the template among VMs that were listed: by their stamps, nothing else is asked."""
    found = []
    for vm in vms:
        stamp = _stamp.parse(vm.notes, vm.id)
        if stamp is not None and stamp.kind == "guest" and stamp.template_id == template_id:
            found.append(Guest(vm=vm, stamp=stamp, folder=guest_folder(vm, template_id)))
    return tuple(sorted(found, key=lambda guest: fold(guest.vm.name)))


def copy_name(template: str, template_id: str, vms: Iterable[VM]) -> str:
    """What the copy on a host is called. Beside the template itself it has a name of its own."""
    return LOCAL_NAME.format(template=template) if any(vm.id == template_id for vm in vms) else template


def summary(guests: Iterable[Guest], revision: str | None) -> Values:
    """How many guests there are, and how many of them were made from another revision."""
    known = [guest for guest in guests if guest.finished]
    return {"count": len(known), "outdated": sum(guest.outdated(revision) for guest in known)}


def look(host: Host, layouts: Sequence[Layout], template_id: str, vms: Sequence[VM]) -> Found:
    """Ask the host about the guests of a template, whose folders lie below ``layouts``."""
    stamped = guests_among(vms, template_id)
    owners = {join(entry.path, OWNER): entry for entry in _folders(host, layouts)}
    unfinished, owned = [], set()
    for there in host.files.found(tuple(owners)):
        entry = next(entry for path, entry in owners.items() if same(path, there.path))
        vm = next((vm for vm in vms if _lies_in(vm, entry.path, template_id)), None)
        guest = next((guest for guest in stamped if vm is not None and guest.vm.id == vm.id), None)
        if guest is not None and not _is_nameless(guest.vm, entry.path):
            owned.add(guest.vm.id)
            continue
        stuck = vm is None and is_stuck(host, host.files.tree(entry.path))
        unfinished.append(Unfinished(folder=entry.path, vm=vm, stuck=stuck))
    half = {one.vm.id for one in unfinished if one.vm is not None}
    guests = tuple(replace(guest, owned=guest.vm.id in owned) for guest in stamped if guest.vm.id not in half)
    known = {guest.vm.id for guest in guests} | half
    return Found(
        guests=guests,
        unfinished=tuple(unfinished),
        pending=pending_notes(host, layouts[0]),
        exports=tuple(entry for entry in _inside(host, layouts[0]) if entry.name.lower().startswith("export-")),
        others=tuple(vm for vm in vms if vm.id not in known),
    )


def temporary_name(folder: str) -> str:
    """What a guest is called while it is made; its folder's name is an attempt's."""
    return f"fanout-{name_of(folder)}"


def _is_nameless(vm: VM, folder: str) -> bool:
    return fold(vm.name) == fold(temporary_name(folder))


def _lies_in(vm: VM, folder: str, template_id: str) -> bool:
    own = guest_folder(vm, template_id)
    return own is not None and same(own, folder)


def _inside(host: Host, layout: Layout) -> Iterator[Entry]:
    for entry in host.files.entries(layout.guests) or ():
        if entry.is_folder and not entry.is_link:
            yield entry


def _folders(host: Host, layouts: Sequence[Layout]) -> Iterator[Entry]:
    for layout in layouts:
        for entry in _inside(host, layout):
            if len(entry.name) == 8 and all(character in "0123456789abcdef" for character in entry.name.lower()):
                yield entry


def other_paths(base: str, asked: str | None, made: Iterable[Mapping[str, t.Any] | None]) -> list[str]:
    """The folders besides ``base`` in which guests lie: the one asked for, and those that guests were made in."""
    paths = [asked, *(making.path for one in made if (making := Making.from_dict(one)))]
    others: list[str] = []
    for path in paths:
        if path and not any(same(path, known) for known in (base, *others)):
            others.append(path)
    return others


def pending_path(layout: Layout, vm_id: str) -> str:
    """Where the note about a guest that is made anew lies."""
    return join(layout.guests, f"{_PENDING}{vm_id}.json")


def pending_notes(host: Host, layout: Layout) -> tuple[tuple[str, Pending], ...]:
    """The notes about guests that are made anew, each with its path. A damaged one counts as none."""
    return tuple(_pending(host, layout))


def _pending(host: Host, layout: Layout) -> Iterator[tuple[str, Pending]]:
    for entry in host.files.entries(layout.guests) or ():
        if entry.is_folder or entry.is_link or not entry.name.lower().startswith(_PENDING):
            continue
        text = host.files.read_text(entry.path) if entry.name.lower().endswith(".json") else None
        try:
            note = None if text is None else Pending.from_json(text)
        except HyperVError:
            note = None
        if note is not None:
            yield entry.path, note


__all__ = (
    "FULL",
    "LINKED",
    "LOCAL_NAME",
    "PATTERN",
    "Found",
    "Guest",
    "Making",
    "Pending",
    "Unfinished",
    "check_names",
    "copy_name",
    "guests_among",
    "look",
    "names_of",
    "other_paths",
    "pending_notes",
    "pending_path",
    "summary",
    "temporary_name",
)
