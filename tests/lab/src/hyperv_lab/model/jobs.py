# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of the virtualization service: what runs, how far it is, how it ended, and when others can see it."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field

from .clock import Clock
from .switches import Rules

RUNNING, COMPLETED, EXCEPTION, TERMINATED = "running", "completed", "failed", "terminated"
JOB_STATES = {RUNNING: 4, COMPLETED: 7, EXCEPTION: 10, TERMINATED: 8}
MIGRATION, EXPORT, IMPORT = "migration", "export", "import"
FAILED_CODE = 32768


@dataclass(eq=False)
class Job:
    kind: str
    vm_id: uuid.UUID
    vm_name: str
    submitted: datetime.datetime
    started: float
    destination: str | None = None
    with_storage: bool = False
    incoming: bool = False  # the other host's migration: counts here, is listed there
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    state: str = RUNNING
    percent: int = 0
    error_code: int = 0
    error_text: str = ""
    ended: float | None = None


class Jobs:
    """The jobs of one host."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: list[Job] = []

    def begin(
        self,
        kind: str,
        vm_id: uuid.UUID,
        vm_name: str,
        *,
        destination: str | None = None,
        with_storage: bool = False,
        incoming: bool = False,
    ) -> Job:
        job = Job(
            kind,
            vm_id,
            vm_name,
            self._clock.wall(),
            self._clock.now(),
            destination=destination,
            with_storage=with_storage,
            incoming=incoming,
        )
        self._jobs.append(job)
        return job

    def end(self, job: Job, state: str = COMPLETED, error: str = "") -> None:
        job.state = state
        job.ended = self._clock.now()
        if state == COMPLETED:
            job.percent = 100
        else:
            job.error_code, job.error_text = FAILED_CODE, error

    def running(self, kind: str) -> list[Job]:
        """Those that count against a limit, the other host's included."""
        return [job for job in self._jobs if job.kind == kind and job.state == RUNNING]

    def visible(self, rules: Rules) -> list[Job]:
        """Those that somebody who lists them sees now."""
        now = self._clock.now()
        self._jobs = [job for job in self._jobs if job.ended is None or now - job.ended < rules.job_life]
        return [
            job
            for job in self._jobs
            if not job.incoming and (job.kind != MIGRATION or now - job.started >= rules.job_visible_after)
        ]

    def forget(self) -> None:
        """The list lives in the service: it is empty when Windows has started."""
        self._jobs.clear()

    def all(self) -> list[Job]:
        return list(self._jobs)
