# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Stops a guest: asks it to shut down, and turns it off only if that is allowed."""

from __future__ import annotations

import contextlib
import time
import typing as t
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    CommandFailed,
    NotFound,
    OperationTimedOut,
    OutcomeUnknown,
    Refused,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import REMOVABLE_STATES
from ansible_collections.fanout.hyperv.plugins.module_utils._waiting import wait_until

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM

POLL = 2.0


@dataclass(frozen=True, kw_only=True)
class Stopper:
    """Stops guests of one host. ``timeout``: seconds that a guest has; ``alive`` is called while it is waited for."""

    host: Host
    timeout: float
    turn_off: bool
    alive: Callable[[], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def stop(self, vm_id: str, name: str) -> VM:
        """The VM, off or with a saved state. Where the command got lost, the VM's state says how it went."""
        vm = self._now(vm_id, name)
        if vm.state in REMOVABLE_STATES:
            return vm
        deadline = self.clock() + self.timeout
        why: list[CommandFailed] = []
        with contextlib.suppress(OperationTimedOut, OutcomeUnknown):
            try:
                self.host.shut_down(vm.id, max(1.0, self.timeout), on_poll=self.alive)
            except CommandFailed as error:  # at once: it is locked, or cannot be asked
                why.append(error)
        off = self._wait(vm_id, name, 0.0 if why else max(0.0, deadline - self.clock()))
        if off is None and self.turn_off:
            self.host.turn_off(vm.id)
            off = self._wait(vm_id, name, POLL)
        if off is None:
            raise Refused(
                f"{name} ({vm.id}) did not shut down within {self.timeout:.0f} s; it was not removed.",
                code="GUEST_DID_NOT_STOP",
                cause=str(why[0]) if why else None,
                remedy="Shut it down yourself, give it more time, or allow that it is turned off.",
                host=self.host.label,
            )
        return off

    def _wait(self, vm_id: str, name: str, timeout: float) -> VM | None:
        def is_off() -> VM | None:
            vm = self._now(vm_id, name)
            return vm if vm.state in REMOVABLE_STATES else None

        return wait_until(is_off, timeout=timeout, every=POLL, check=self.alive, clock=self.clock, sleep=self.sleep)

    def _now(self, vm_id: str, name: str) -> VM:
        vm = self.host.vm(vm_id)
        if vm is None:
            raise NotFound(
                f"{name} ({vm_id}) is not on {self.host.label} any more.",
                code="GUEST_NOT_FOUND",
                remedy="Run again.",
                host=self.host.label,
            )
        return vm


__all__ = ("Stopper",)
