# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server side of one pipeline's streams: records and objects to psrpcore, states to the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from psrpcore._payload import PSRPMessage, create_message
from psrpcore.types import ProgressRecordType, PSInvocationState, PSRPMessageType

from .clixml import to_wire
from .errors import PSError
from .records import error_record, message_record

BOM = b"\xef\xbb\xbf"


class Output:
    """Writes to one ``psrpcore.ServerPipeline``; ``flush`` tells the transport that there is something to send."""

    def __init__(self, pipeline: Any, flush: Callable[[], None]) -> None:
        self._pipeline = pipeline
        self._flush = flush

    def write(self, value: Any) -> None:
        """One object of the output stream, written by the lab's own rules of depth."""
        pool = self._pipeline.runspace_pool
        data = create_message(
            False,
            PSRPMessageType.PipelineOutput,
            BOM + to_wire(value).encode("utf-8"),
            pool.runspace_pool_id,
            self._pipeline.pipeline_id,
        )
        message = PSRPMessage(
            PSRPMessageType.PipelineOutput,
            bytearray(data),
            pool.runspace_pool_id,
            self._pipeline.pipeline_id,
            pool._fragment_counter,
        )
        pool._send_buffer.append(message)
        self._flush()

    def error(self, error: PSError) -> None:
        record = error_record(error, extended=True)
        self._pipeline.prepare_message(record, message_type=PSRPMessageType.ErrorRecord)
        self._flush()

    def message(self, kind: str, text: str) -> None:
        record, message_type = message_record(kind, text)
        self._pipeline.prepare_message(record, message_type=message_type)
        self._flush()

    def progress(self, record: Mapping[str, Any]) -> None:
        self._pipeline.write_progress(
            record["activity"],
            record["activity_id"],
            record["status"],
            percent_complete=record["percent"],
            seconds_remaining=record["seconds"],
            record_type=ProgressRecordType.Completed if record["completed"] else ProgressRecordType.Processing,
        )
        self._flush()

    def complete(self) -> None:
        self._pipeline.complete()
        self._flush()

    def fail(self, error: PSError) -> None:
        record = error_record(error, extended=False)
        self._pipeline._change_state(PSInvocationState.Failed, error=record)
        self._flush()

    def stopped(self) -> None:
        if self._pipeline.state in (PSInvocationState.Running, PSInvocationState.Stopping):
            self._pipeline.stop()
        self._flush()
