# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Who is to hold a template, who joins and who leaves. Pure functions; nothing in here asks a host."""

from __future__ import annotations

import difflib
import typing as t
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import InvalidInput
from ansible_collections.fanout.hyperv.plugins.module_utils._holdings import OFF
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import ERROR, Finding
from ansible_collections.fanout.hyperv.plugins.module_utils._record import KEEP, REMOVE, Record, Wish
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import REMOVABLE_STATES

ALL = "all"
NEAR = 3
"""How many similar names are shown for one that does not exist."""

Holdings = Mapping[str, Mapping[str, t.Any]]
"""What each provider that answered holds of the template, as ``host_info`` shows it, by inventory name."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a run asks of the list. ``targets`` sets it whole; ``named`` are those of them that were named one by one.

    ``unlisted``: what happens to copies on providers that are not in the list.
    """

    targets: tuple[str, ...] | None = None
    named: frozenset[str] = frozenset()
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    unlisted: str = KEEP
    remove_guests: bool = False


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The list of this run. ``wish`` is what has to be recorded, ``refused`` who was to leave and cannot now."""

    record: Record
    wish: Wish
    refused: Mapping[str, Finding]
    empty: frozenset[str] = frozenset()

    @property
    def targets(self) -> tuple[str, ...]:
        """Who is to hold the template."""
        return self.record.targets

    @property
    def leaving(self) -> tuple[str, ...]:
        """Whose copies are to go."""
        return self.record.pending_removals


def expand(
    names: Sequence[str] | None, groups: Mapping[str, Sequence[str]], candidates: Sequence[str]
) -> list[str] | None:
    """Inventory names for a list that may name groups; ``all`` means every provider of the play."""
    if names is None:
        return None
    found: list[str] = []
    for name in names:
        found += candidates if name == ALL else groups.get(name, [name])
    return list(dict.fromkeys(found))


def check_known(option: str, names: Iterable[str], hosts: Sequence[str], groups: Sequence[str]) -> None:
    """Refuse names that are neither hosts nor groups of the inventory, with those that look like them."""
    known = list(dict.fromkeys([*hosts, *groups, ALL]))
    unknown = [name for name in names if name not in known]
    if not unknown:
        return
    near = [f"{name}: {', '.join(like)}" for name in unknown if (like := similar(name, known))]
    raise InvalidInput(
        f"{option} names {', '.join(unknown)}, neither a host nor a group of the inventory.",
        code="UNKNOWN_PROVIDER",
        cause=f"Similar names are known: {'; '.join(near)}." if near else None,
        remedy="Correct the names, or add the hosts to the inventory.",
    )


def similar(name: str, known: Sequence[str]) -> list[str]:
    """Names that somebody may have meant, without regard to case."""
    by_lower = {one.lower(): one for one in reversed(known)}
    found = difflib.get_close_matches(name.lower(), list(by_lower), n=NEAR, cutoff=0.6)
    shorter = [lower for lower in by_lower if lower.split(".")[0] == name.lower().split(".")[0]]
    return [by_lower[lower] for lower in dict.fromkeys([*shorter, *found])][:NEAR]


def make_listing(
    record: Record,
    request: Request,
    *,
    declared: bool,
    candidates: Sequence[str],
    ineligible: Collection[str],
    holdings: Holdings,
    computers: Mapping[str, str],
) -> Listing:
    """Who is to hold the template after this request. ``declared`` tells whether there was a list before.

    Who holds nothing of what should go is done with at once. Who cannot let go stays as it was.
    """
    targets = _targets(record, request, declared, candidates, ineligible)
    before = targets if targets is not None else record.targets
    wanted = tuple(name for name in (*before, *request.add) if name not in request.remove)
    leaving = [*request.remove, *_left_out(record, request, declared or request.targets is not None, wanted, holdings)]
    refused = dict(_refusals(record, request, leaving, holdings))
    wish = Wish(
        targets=None if targets is None else _with_refused(record, targets, refused),
        add=request.add,
        remove=tuple(dict.fromkeys(name for name in leaving if name not in refused)),
    )
    changed = record.changed(wish)
    gone = frozenset(name for name in (*changed.pending_removals, *changed.unlisted) if _empty(name, holdings))
    twice = frozenset(name for name in changed.pending_removals if same_as_listed(changed, name, computers))
    wish = Wish(targets=wish.targets, add=wish.add, remove=wish.remove, removed=tuple(sorted(gone | twice)))
    changed = changed.removed(*wish.removed)
    supplied = {
        name: computers[name]
        for name in changed.targets
        if holdings.get(name, {}).get("verdict") == "current" and name in computers
    }
    news = {name: known for name, known in supplied.items() if _is_news(changed, name, known)}
    wish = Wish(targets=wish.targets, add=wish.add, remove=wish.remove, removed=wish.removed, supplied=news)
    return Listing(record=changed.supplied(news), wish=wish, refused=refused, empty=gone | twice)


def _targets(
    record: Record, request: Request, declared: bool, candidates: Sequence[str], ineligible: Collection[str]
) -> tuple[str, ...] | None:
    """The list as a whole: as asked, else all eligible providers when there was none; None: as it was.

    Whose copy is still to be removed comes back by its name, not as a member of a group.
    """
    if request.targets is not None:
        leaving = set(record.pending_removals) - request.named
        return tuple(name for name in request.targets if name not in leaving)
    if declared or request.add or request.remove:
        return None
    return tuple(name for name in candidates if name not in ineligible)


def _left_out(
    record: Record, request: Request, has_list: bool, wanted: Sequence[str], holdings: Holdings
) -> Iterator[str]:
    """Who has to let go because the list does not name it."""
    if request.unlisted != REMOVE or not has_list:
        return
    held = (name for name, copy in holdings.items() if copy.get("copies"))
    yield from (name for name in (*record.targets, *record.unlisted, *held) if name not in wanted)


def _refusals(
    record: Record, request: Request, leaving: Iterable[str], holdings: Holdings
) -> Iterator[tuple[str, Finding]]:
    for name in leaving:
        if name not in record.pending_removals:
            finding = obstacle(name, holdings.get(name, {}), remove_guests=request.remove_guests)
            if finding is not None:
                yield name, finding


def _with_refused(record: Record, targets: tuple[str, ...], refused: Collection[str]) -> tuple[str, ...]:
    """Who was in the list and cannot leave it stays in it."""
    return (*targets, *(name for name in record.targets if name in refused and name not in targets))


def _empty(name: str, holdings: Holdings) -> bool:
    copy = holdings.get(name)
    return copy is not None and not has_anything(copy)


def has_anything(copy: Mapping[str, t.Any]) -> bool:
    """Whether a provider holds something of the template that could go."""
    return bool(copy.get("copies")) or any(not leftover.get("stuck") for leftover in copy.get("leftovers", ()))


def same_as_listed(record: Record, name: str, computers: Mapping[str, str]) -> str | None:
    """The name in the list of the computer that this name means, too: what lies there belongs to that one."""
    mine = computers.get(name)
    others = {other: computers.get(other, record.computers.get(other)) for other in record.targets if other != name}
    return next((other for other, known in others.items() if mine is not None and known == mine), None)


def _is_news(record: Record, name: str, computer: str) -> bool:
    return name in record.joining or record.computers.get(name) != computer


def obstacle(name: str, copy: Mapping[str, t.Any], *, remove_guests: bool) -> Finding | None:
    """Why a provider's copy cannot be removed; None when nothing stands in the way."""
    copies = copy.get("copies", ())
    stripped = [vm for vm in copies if not vm.get("stamped", True)]
    busy = [vm for vm in copies if vm["state"] != OFF]
    users = copy.get("users", ())
    guests = [user for user in users if user["kind"] == "guest"]
    others = [user for user in users if user["kind"] != "guest"]
    running = [guest for guest in guests if guest["state"] not in REMOVABLE_STATES]
    if stripped:
        code, what = "STAMP_MISSING", f"the VM {_names(stripped)} lies in our folder, but carries no stamp of ours"
        remedy = "If it is yours, move it out of that folder. If not, remove it yourself; then run again."
    elif busy:
        code, what = "VM_NOT_OFF", f"the copy {_names(busy)} is {busy[0]['state']}"
        remedy = "Shut it down, then run again."
    elif guests and not remove_guests:
        code, what = "GUESTS_DEPEND", f"disks of the copy are needed by the guests {_names(guests)}"
        remedy = "Remove the guests first, or say remove_guests: true to have them removed, too."
    elif others:
        code, what = "DISK_IN_USE", f"disks of the copy are needed by the VMs {_names(others)}, which are not ours"
        remedy = "Remove those VMs, or give them disks of their own."
    elif running:
        code, what = "VM_NOT_OFF", f"the guests {_names(running)} are not off"
        remedy = "Shut them down, then run again."
    else:
        return None
    return Finding(
        severity=ERROR,
        provider=name,
        code=code,
        what=f"{name}: The copy was not removed: {what}. Nothing was touched.",
        remedy=remedy,
    )


def _names(vms: Iterable[Mapping[str, t.Any]]) -> str:
    return ", ".join(f"{vm['name']} ({vm['id']})" for vm in vms)


__all__ = (
    "ALL",
    "Holdings",
    "Listing",
    "Request",
    "check_known",
    "expand",
    "has_anything",
    "make_listing",
    "obstacle",
    "same_as_listed",
    "similar",
)
