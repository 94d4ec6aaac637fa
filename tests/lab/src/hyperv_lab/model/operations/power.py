# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shutting a guest down: the host asks, the guest decides."""

from __future__ import annotations

import asyncio

from .. import register
from ..failures import E_NOT_READY, E_TIMED_OUT_WAITING, Failure
from ..host import Host
from ..vm import OFF, PAUSED, RUNNING, VirtualMachine
from .common import wrong_state


async def shut_down(host: Host, vm: VirtualMachine) -> None:
    """What Stop-VM without -TurnOff waits for: ``vm.shutdown`` says how the guest takes it.

    now: at once; slow: after a while, also when nobody waits any more; ignores: never; locked: somebody uses it, which
    the cmdlet asks about; none: there are no integration services.
    """
    head = host.say("state_failed", vm=vm.name)
    if vm.state == PAUSED:
        raise wrong_state(host, head)
    if vm.shutdown == "none":
        raise Failure(head, host.say_code(E_NOT_READY), hresult=E_NOT_READY)
    if vm.shutdown == "ignores":
        await host.clock.sleep(host.rules.shutdown_wait)
        raise Failure(head, host.say_code(E_TIMED_OUT_WAITING), hresult=E_TIMED_OUT_WAITING)
    if vm.shutdown == "slow":
        await asyncio.shield(host.start(_later(host, vm)))
        return
    _off(host, vm)


async def _later(host: Host, vm: VirtualMachine) -> None:
    await host.clock.sleep(host.rules.slow_shutdown)
    _off(host, vm)


def _off(host: Host, vm: VirtualMachine) -> None:
    if vm.state == RUNNING and not vm.deleted:
        vm.state, vm.started_at = OFF, None
        register.save(host, vm)
