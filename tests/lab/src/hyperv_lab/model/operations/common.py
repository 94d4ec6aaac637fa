# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every operation has in common: one at a time per VM, a job, and how failures are told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from .. import jobs
from ..failures import Failure
from ..host import Host
from ..vm import Busy, VirtualMachine


@contextmanager
def occupied(host: Host, vm: VirtualMachine, activity: str, *heads: str) -> Iterator[None]:
    """Nobody else works on the VM meanwhile; who comes second is refused at once."""
    if vm.id not in host.vms or vm.deleted:
        raise missing(host, vm)
    try:
        with vm.occupied(activity):
            yield
    except Busy as error:
        raise busy(host, *heads) from error


def wrong_state(host: Host, *heads: str) -> Failure:
    return Failure(*heads, host.say("wrong_state"), identifier="InvalidState", category="InvalidOperation")


def busy(host: Host, *heads: str) -> Failure:
    """Something else works on the VM."""
    identifier = host.rules.busy_error
    category = "InvalidOperation" if identifier == "InvalidState" else "NotSpecified"
    return Failure(*heads, host.say("wrong_state"), identifier=identifier, category=category)


def missing(host: Host, vm: VirtualMachine) -> Failure:
    """The VM that somebody holds in hand is not on this host any more."""
    return Failure(
        host.say("no_service", host=host.computer_name), identifier="ObjectNotFound", category="ObjectNotFound"
    )


@contextmanager
def job_of(host: Host, job: jobs.Job) -> Iterator[None]:
    """The job ends as what happens inside says."""
    try:
        yield
    except asyncio.CancelledError:
        host.jobs.end(job, jobs.TERMINATED, host.say("0x800704C7"))
        raise
    except Exception as error:
        host.jobs.end(job, jobs.EXCEPTION, str(error))
        raise
    host.jobs.end(job)
