# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pipeline as the client asked for it: statements, stages, streams, and the state it ends in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .session import Session

END = object()  # put into ``input`` when the client has said that no more comes


class PipelineRun:
    """One pipeline of a shell. The transport feeds ``input``, awaits ``execute`` and cancels it to stop."""

    def __init__(self, session: Session, server_pipeline: Any, flush: Callable[[], None]) -> None:
        self.session = session
        self.pipeline = server_pipeline
        self.flush = flush
        self.input: asyncio.Queue[Any] = asyncio.Queue()

    async def execute(self, metadata: Any) -> None:
        """Run the PowerShell pipeline of ``metadata`` to its end; never raises but for faults of psrpcore."""
        raise NotImplementedError
