# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What a target is to be supplied with, and what must not stand in the way of it."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ansible_collections.fanout.hyperv.plugins.module_utils import _stamp
from ansible_collections.fanout.hyperv.plugins.module_utils._copies import look
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import Conflict
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import fold

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._holdings import Copies
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be supplied, and how. Times are seconds. ``adopt``: a copy without a stamp is verified and stamped.

    ``keep``: revisions whose copies stay when another takes their place; None leaves those alone that are marked so.
    """

    template_id: str
    name: str
    revision: str
    source: str
    staging_path: str
    target_path: str
    migration_host: str
    concurrency: int
    clones: int
    verify: str
    clone_timeout: float
    move_timeout: float
    limit_timeout: float
    lease_seconds: float
    adopt: bool = False
    keep: tuple[str, ...] | None = None

    def keeps(self, revision: str | None) -> bool:
        """Whether a copy of that revision stays when another takes its place."""
        return self.keep is not None and revision in self.keep

    def stamp(self, vm_id: str, *, revision: str | None = None, superseded: bool = False) -> _stamp.Stamp:
        """What a copy says about itself."""
        return _stamp.Stamp(
            kind="copy",
            vm_id=vm_id,
            template_id=self.template_id,
            template_name=self.name,
            source=self.source,
            revision=revision or self.revision,
            superseded=superseded,
            kept=superseded and self.keeps(revision),
        )


def look_for(order: Order, host: Host) -> Copies:
    """What a target holds of what was ordered."""
    return look(
        host,
        base=order.target_path,
        template_id=order.template_id,
        name=order.name,
        revision=order.revision,
        adopt=order.adopt,
        keep=order.keep,
    )


def refuse_conflicts(found: Copies, label: str) -> None:
    """A VM of the template's name that is not ours is never touched, nor a copy that somebody uses."""
    others = [vm for vm in found.conflicts if fold(vm.name) == fold(found.name)]
    if others:
        raise Conflict(
            f"{label} has a VM {found.name!r} (id {others[0].id}) that is not a copy made by us. It was not touched.",
            code="NAME_CONFLICT",
            remedy="Rename or remove that VM yourself, then run again.",
            host=label,
        )
    for obstacle in found.obstacles:
        raise obstacle.to_error(label)


def refuse_started(found: Copies, vms: Iterable[VM], label: str) -> None:
    """The same for the copies that were found a while ago, as the host shows them now."""
    now = {vm.id: vm for vm in vms}
    copies = (replace(copy, vm=now.get(copy.vm.id, copy.vm)) for copy in found.copies)
    refuse_conflicts(replace(found, copies=tuple(copies)), label)


__all__ = ("Order", "look_for", "refuse_conflicts", "refuse_started")
