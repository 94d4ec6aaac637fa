# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Supplies the source itself with a copy, of which its guests are made: never of the template. Nothing is moved.

Beside the template the copy has a name of its own, so that the template's name stays that of one VM.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.fanout.hyperv.plugins.module_utils._copies import look
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    HyperVError,
    OperationTimedOut,
    OutcomeUnknown,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._guests import LOCAL_NAME
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import is_clone
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import new_attempt
from ansible_collections.fanout.hyperv.plugins.module_utils._staging import lies_in, works_with
from ansible_collections.fanout.hyperv.plugins.module_utils._supply import Supply

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._holdings import Copies
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM
    from ansible_collections.fanout.hyperv.plugins.module_utils._order import Order
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Work


def supply_of(work: Work, order: Order) -> Supply:
    """The road to a copy on this provider: from the source to another host, or on the source itself."""
    if work.provider != order.source:
        return Supply(work=work, order=order)
    return LocalSupply(work=work, order=replace(order, name=LOCAL_NAME.format(template=order.name)))


class LocalSupply(Supply):
    """A copy on the source: imported from the export to where it stays."""

    def look(self) -> Copies:
        """What the source holds; clones on their way to other providers are no copies of its own."""
        found = look(
            self.target,
            base=self.order.target_path,
            template_id=self.order.template_id,
            name=self.order.name,
            revision=self.order.revision,
            vms=[vm for vm in self.target.vms() if not is_clone(vm)],
            adopt=True,  # one that a killed run has imported and not stamped yet
            keep=self.order.keep,
        )
        for vm_id, wrong in self._damage.items():
            found = found.damaged(vm_id, wrong)
        return found

    def _is_worked_for(self) -> bool:
        """Clones for others are imported here, too: only a folder without a VM says that it is for us."""
        imports = bool(self.look().leftovers) and bool(self.target.planned_vms())
        return imports or works_with(self.target, self.order.name)

    def _bring(self, found: Copies) -> tuple[VM, str]:
        if found.arrived is not None:
            self.notes.append("a copy that had been imported before was taken")
            return found.arrived.vm, str(found.arrived.folder)
        attempt = new_attempt()
        folder = self._here.attempt(self.order.revision, attempt)
        try:
            with self.work.slots.exclusive("clone", self._waiting):
                return self._import(attempt, folder), folder
        except (OutcomeUnknown, OperationTimedOut):
            raise
        except HyperVError:
            with self._telling("attempt"):
                if not any(lies_in(vm, folder) for vm in self.target.vms()):
                    self._remover(self.target).clear(folder)
            raise

    def _import(self, attempt: str, folder: str) -> VM:
        self.work.reporter.phase("cloning")
        self._lease.check()
        self.target.files.ensure_folder(folder)
        self._write_owner(self.target, self._here, folder, attempt, folder)
        return self._arrived(self._imported(self.target, folder, self.work.reporter.check).id)


__all__ = ("LocalSupply", "supply_of")
