# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What a target holds of one template, as values: copies, leftovers, VMs in the way; and what may be done with them."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import shown
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import attempt_of, name_of
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import ERROR, WARNING, Finding

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Values

OFF = "Off"
"""The only state in which a copy of ours is ever replaced or removed."""

COPY_RUNNING, STAMP_MISSING = "COPY_RUNNING", "STAMP_MISSING"

NO_COPY, UNVERIFIED, OLDER, UNSTAMPED = "no_copy", "unverified", "older", "unstamped"
STARTED, MOVED, CHANGED, DAMAGED, RENAMED = "started", "moved", "changed", "damaged", "renamed"
WORDS = (NO_COPY, UNVERIFIED, OLDER, UNSTAMPED, STARTED, MOVED, CHANGED, DAMAGED, RENAMED)
"""Why a provider needs an update. ``renamed`` is said only when nothing else is wrong."""


def temporary_name(vm_id: str) -> str:
    """The name of a VM of ours that is not, or no longer, the copy people use."""
    return f"fanout-{vm_id[:8]}"


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """Why what lies on a target is not replaced. Nothing was touched."""

    code: str
    what: str
    remedy: str

    def to_error(self, label: str) -> HyperVError:
        """The same as an error about that host."""
        return Refused(f"{label}: {self.what}", code=self.code, remedy=self.remedy, host=label)


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A VM on a target that is ours for this template. ``folder`` is its attempt's folder; None when it lies elsewhere.

    ``verified``: it was right once, so it has a baseline. ``reasons``: how it differs from that, as sentences;
    ``word``: the first of them as one of ``WORDS``. ``kept``: why a superseded or unfinished copy cannot go now.
    ``retained``: a superseded copy that is not to be removed; such a one is not looked at any closer. ``size``: bytes
    that the removal of one that can go would set free.
    """

    vm: VM
    stamp: _stamp.Stamp | None
    folder: str | None
    verified: bool
    reasons: tuple[str, ...] = ()
    word: str | None = None
    kept: str | None = None
    retained: bool = False
    size: int = 0

    @property
    def revision(self) -> str | None:
        """The revision that it is a copy of: by its stamp, else by its folder's name."""
        if self.stamp is not None and self.stamp.revision is not None:
            return self.stamp.revision
        attempt = None if self.folder is None else attempt_of(name_of(self.folder).lower())
        return None if attempt is None else attempt[0]

    @property
    def superseded(self) -> bool:
        """Whether a newer copy has taken its place."""
        return self.stamp is not None and self.stamp.superseded

    @property
    def removable(self) -> bool:
        """Whether it is only still there because nobody has removed it."""
        return self.superseded and self.kept is None and not self.retained

    @property
    def finished(self) -> bool:
        """Whether everything was done to it: the name comes last."""
        named = self.vm.name != temporary_name(self.vm.id)
        return self.stamp is not None and not self.superseded and named and (self.verified or self.folder is None)

    @property
    def unfinished(self) -> bool:
        """Whether a run has brought it here and not come to name it. One that people have named is theirs to judge."""
        named = self.vm.name != temporary_name(self.vm.id)
        return not self.stripped and not self.superseded and not named and self.folder is not None

    @property
    def proven(self) -> bool:
        """Whether it was verified once and nothing about it is wrong but the name."""
        unchanged = not self.reasons or self.misnamed
        return self.verified and self.folder is not None and not self.stripped and not self.retained and unchanged

    @property
    def misnamed(self) -> bool:
        """Whether nothing about it is wrong but the name."""
        return self.word == RENAMED

    @property
    def stripped(self) -> bool:
        """Whether only its place says that it is ours. Copies arrive stamped, so somebody has emptied its Notes."""
        return self.stamp is None

    def to_dict(self) -> Values:
        """For results."""
        return {
            "id": self.vm.id,
            "name": self.vm.name,
            "state": self.vm.state,
            "revision": self.revision,
            "folder": self.folder,
            "verified": self.verified,
            "superseded": self.superseded,
            "removable": self.removable,
            "kept": self.kept,
            "retained": self.retained,
            "stamped": not self.stripped,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """An attempt's folder in which no VM lies: of an attempt that failed, or of one that is still on its way.

    ``stuck``: what is left in it is not ours, so it stays.
    """

    folder: str
    revision: str
    attempt: str
    owner: Values | None
    size: int
    stuck: bool = False


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Everything that a target holds of a template, seen from the revision that it should hold.

    ``adopt``: a copy whose stamp is gone is to be verified and stamped again.
    """

    name: str
    revision: str | None
    copies: tuple[Copy, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    conflicts: tuple[VM, ...] = ()
    foreign: tuple[VM, ...] = ()
    adopt: bool = False

    @property
    def current(self) -> Copy | None:
        """The verified, unchanged copy of the revision."""
        return next((copy for copy in self._finished() if self._is_right(copy) and not copy.reasons), None)

    @property
    def arrived(self) -> Copy | None:
        """A copy of the revision that only has to be verified and named: not finished yet, or renamed since."""
        if self.current is not None:
            return None
        open_ones = (copy for copy in self.copies if not copy.superseded and (copy.misnamed or not copy.finished))
        stamped = (copy for copy in open_ones if not copy.stripped or self._adoptable(copy))
        return next((copy for copy in stamped if copy.folder is not None and self._is_right(copy)), None)

    @property
    def at_hand(self) -> Copy | None:
        """A copy of the revision that was verified before and is what it was then: it only has to be stamped and named.

        One that was renamed since, one that a killed run did not come to name, or one that another has superseded.
        """
        if self.current is not None:
            return None
        proven = [copy for copy in self.copies if copy.proven and self._is_right(copy)]
        return min(proven, key=lambda copy: copy.superseded, default=None)

    @property
    def cleanable(self) -> tuple[Leftover, ...]:
        """Leftovers of which something can go."""
        return tuple(leftover for leftover in self.leftovers if not leftover.stuck)

    @property
    def removable(self) -> tuple[Copy, ...]:
        """Superseded copies that can go, and are not about to be the current one again."""
        return tuple(copy for copy in self.copies if copy.removable and copy != self.at_hand)

    @property
    def surplus(self) -> tuple[Copy, ...]:
        """Unfinished copies beside the current one, which another run has made: nobody will finish them any more."""
        if self.current is None:
            return ()
        return tuple(copy for copy in self.copies if copy.unfinished and copy.kept is None)

    @property
    def verdict(self) -> str:
        """One word: current, differs, older or none; unknown as long as the revision is not known."""
        if self.revision is None:
            return "unknown"
        if self.current is not None:
            return "current"
        held = self._held()
        if any(self._is_right(copy) for copy in held):
            return "differs"
        return "older" if held or any(copy.superseded for copy in self.copies) else "none"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why what is there is not taken for a copy of the revision, as sentences."""
        return self._why[1]

    @property
    def reason(self) -> str | None:
        """The same as one of ``WORDS``; None when the copy is right."""
        return self._why[0]

    @property
    def _why(self) -> tuple[str | None, tuple[str, ...]]:
        if self.current is not None or self.revision is None:
            return None, ()
        held = self._held()
        differing = [copy for copy in held if self._is_right(copy)]
        if differing:
            return differing[0].word, tuple(reason for copy in differing for reason in copy.reasons)
        if held:
            return OLDER, (_older(held[0]),)
        if self.arrived is not None:
            return UNVERIFIED, ("A copy has arrived that is not verified yet.",)
        return NO_COPY, ("It holds no copy.",)

    @property
    def obstacles(self) -> tuple[Obstacle, ...]:
        """Why the copies that are there must not be replaced now."""
        if self.current is not None or self.revision is None:
            return ()
        standing = [copy for copy in self.copies if not copy.superseded]
        stripped = [copy for copy in standing if copy.stripped and not self._adoptable(copy)]
        running = [copy for copy in standing if copy not in stripped and copy.vm.state != OFF]
        return (*(_stripped_obstacle(copy) for copy in stripped), *(_running_obstacle(copy) for copy in running))

    def damaged(self, vm_id: str, reasons: Iterable[str]) -> Copies:
        """The same after a closer look at one of the copies has shown that it is not what it should be."""
        more = tuple(reasons)
        if not more:
            return self
        copies = (
            replace(copy, reasons=(*copy.reasons, *more), word=DAMAGED) if copy.vm.id == vm_id else copy
            for copy in self.copies
        )
        return replace(self, copies=tuple(copies))

    def _finished(self) -> list[Copy]:
        return [copy for copy in self.copies if copy.finished]

    def _held(self) -> list[Copy]:
        """Copies that were finished once, also those whose stamp is gone."""
        return [copy for copy in self.copies if copy.finished or (copy.stripped and copy.verified)]

    def _adoptable(self, copy: Copy) -> bool:
        """Only the baseline beside it proves that a VM without a stamp was ours."""
        return self.adopt and copy.verified

    def _is_right(self, copy: Copy) -> bool:
        return self.revision is not None and copy.revision == self.revision

    def to_dict(self) -> Values:
        """For results."""
        goes = (*self.removable, *self.surplus)
        return {
            "verdict": self.verdict,
            "copies": [copy.to_dict() | {"removable": copy.removable or copy in self.surplus} for copy in self.copies],
            "arrived": None if self.arrived is None else self.arrived.to_dict(),
            "at_hand": None if self.at_hand is None else self.at_hand.to_dict(),
            "conflicts": [{"id": vm.id, "name": vm.name} for vm in self.conflicts],
            "foreign": [{"id": vm.id, "name": vm.name} for vm in self.foreign],
            "leftovers": shown(self.leftovers),
            "leftover_bytes": sum(one.size for one in self.cleanable) + sum(one.size for one in goes),
            "reason": self.reason,
            "reasons": list(self.reasons),
            "obstacles": shown(self.obstacles),
        }


def _older(copy: Copy) -> str:
    started = f" It is {copy.vm.state}." if copy.vm.state != OFF else ""
    return f"It holds revision {copy.revision or 'unknown'}.{started}"


def _stripped_obstacle(copy: Copy) -> Obstacle:
    return Obstacle(
        code=STAMP_MISSING,
        what=f"The VM {copy.vm.name!r} (id {copy.vm.id}) lies in our folder, but carries no stamp of ours in its "
        "Notes. It was not touched.",
        remedy="To have it verified and stamped again, add the provider anew (ansible-playbook fanout.hyperv.add, or "
        "distribute_adopt=true). If it is yours, move it out of that folder; then a new copy is made.",
    )


def _running_obstacle(copy: Copy) -> Obstacle:
    return Obstacle(
        code=COPY_RUNNING,
        what=f"The copy {copy.vm.name!r} (id {copy.vm.id}) has to be replaced, but it is {copy.vm.state}. "
        "It was not touched.",
        remedy="Shut it down (or turn it off, if nothing in it is needed), then run again: a copy that is off is "
        "replaced. To keep what was done in it, export it first.",
    )


def obstacle_findings(provider: str, copy: Mapping[str, t.Any], *, adopted: bool = False) -> Iterator[Finding]:
    """What lies on a provider and is not replaced, or not removed, now. ``adopted``: not because of a missing stamp."""
    for obstacle in copy.get("obstacles", ()):
        if not (adopted and obstacle["code"] == STAMP_MISSING):
            what = f"{provider}: {obstacle['what']}"
            yield Finding(
                severity=ERROR, provider=provider, code=obstacle["code"], what=what, remedy=obstacle["remedy"]
            )
    at_hand = (copy.get("at_hand") or {}).get("id")
    for one in copy.get("copies", ()):
        if one.get("superseded") and one.get("kept") and one["id"] != at_hand:
            yield Finding(
                severity=WARNING,
                provider=provider,
                code="COPY_KEPT",
                what=f"{provider}: the older copy {one['name']!r} (id {one['id']}) is kept: {one['kept']}.",
                remedy="It takes up space. The next run after that has ended removes it.",
            )


__all__ = (
    "CHANGED",
    "COPY_RUNNING",
    "DAMAGED",
    "MOVED",
    "NO_COPY",
    "OFF",
    "OLDER",
    "RENAMED",
    "STAMP_MISSING",
    "STARTED",
    "UNSTAMPED",
    "UNVERIFIED",
    "WORDS",
    "Copies",
    "Copy",
    "Leftover",
    "Obstacle",
    "obstacle_findings",
    "temporary_name",
)
