# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shell on a host of the model without wire and WinRM: commands go through the real engine, objects come out."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from hyperv_lab import cmdlets
from hyperv_lab.engine.clixml import to_wire
from hyperv_lab.engine.errors import PSError
from hyperv_lab.engine.pipeline import PipelineRun
from hyperv_lab.engine.session import Caller, Session

from tests.lab.tests.model.labs import ADMIN, Model, run

cmdlets.load_all()
Stage = tuple[str, dict[str, Any]]


@dataclass
class Records:
    """Takes the place of the engine's output: keeps what a client would get."""

    objects: list[Any] = field(default_factory=list)
    errors: list[PSError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    progress_records: list[dict[str, Any]] = field(default_factory=list)
    state: str = "Running"

    def write(self, value: Any) -> None:
        assert to_wire(value)  # whatever leaves a host can be written
        self.objects.append(value)

    def error(self, error: PSError) -> None:
        self.errors.append(error)

    def message(self, kind: str, text: str) -> None:
        self.warnings.append(f"{kind}: {text}")

    def progress(self, record: dict[str, Any]) -> None:
        self.progress_records.append(record)

    def complete(self) -> None:
        self.state = "Completed"

    def fail(self, error: PSError) -> None:
        self.errors.append(error)
        self.state = "Failed"

    def stopped(self) -> None:
        self.state = "Stopped"

    @property
    def one(self) -> Any:
        assert not self.errors, [error.message for error in self.errors]
        assert len(self.objects) == 1, self.objects
        return self.objects[0]

    @property
    def error_id(self) -> str:
        assert len(self.errors) == 1, self.errors
        return self.errors[0].error_id


class Shell:
    def __init__(self, model: Model, host: str = "hv01", caller: Caller = ADMIN) -> None:
        self.model = model
        self.session = Session(model.host(host), caller)

    async def send(self, *stages: Stage) -> Records:
        records = Records()
        pipeline = PipelineRun(self.session, SimpleNamespace(pipeline_id=uuid.uuid4()), lambda: None)
        pipeline.output = records  # type: ignore[assignment]
        commands = [
            SimpleNamespace(
                command_text=name, parameters=list(parameters.items()), is_script=False, end_of_statement=False
            )
            for name, parameters in stages
        ]
        await pipeline.execute(SimpleNamespace(commands=commands, no_input=True))
        return records

    def start(self, *stages: Stage) -> asyncio.Task[Records]:
        return asyncio.ensure_future(self.send(*stages))

    def __call__(self, name: str, *more: Stage, **parameters: Any) -> Records:
        return run(self.send((name, parameters), *more))
