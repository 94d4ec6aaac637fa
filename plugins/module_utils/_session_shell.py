# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One shell on a host with its connection, over pypsrp's classes, which the session hands in."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from ansible_collections.fanout.hyperv.plugins.module_utils._command import Outcome, ProgressRecord
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import CATEGORIES, ErrorRecord
from ansible_collections.fanout.hyperv.plugins.module_utils._failures import NO_SUCH_SHELL, NOTHING_YET
from ansible_collections.fanout.hyperv.plugins.module_utils._session_faults import fault_code
from ansible_collections.fanout.hyperv.plugins.module_utils._session_run import EndNotSeen, Order
from ansible_collections.fanout.hyperv.plugins.module_utils._session_tls import share_trust
from ansible_collections.fanout.hyperv.plugins.module_utils._wire import plain

FAREWELL = 5.0  # seconds that stopping a pipeline or closing a shell may take
WITHOUT_MERGING = "2.1"
"""Later versions of the protocol may say for each command which streams to merge: half of a message, to say none."""
KEPT = 16  # ended pipelines that are not closed on the host: closing the shell closes them for nothing

Prepared = Sequence[Sequence[tuple[str, dict[str, t.Any]]]]
"""Statements, each of commands with their parameters."""


class RemoteShell:
    """One shell on the host with its connection. Raises whatever the libraries below raise."""

    def __init__(self, library: t.Any, options: ConnectionOptions) -> None:
        self.auth = options.auth
        self.order = Order()
        self._options = options
        self._library = library
        self._wsman = library.WSMan(
            options.server,
            port=options.port,
            username=options.username,
            password=options.password,
            ssl=options.tls,
            path=options.path,
            auth=options.auth,
            cert_validation=options.verify,
            encryption=options.message_encryption,
            proxy=options.proxy,
            no_proxy=options.ignore_proxy,
            max_envelope_size=options.max_envelope_size,
            operation_timeout=options.operation_timeout,
            read_timeout=options.read_timeout,
            connection_timeout=options.connection_timeout,
            reconnection_retries=options.reconnection_retries,
            reconnection_backoff=options.reconnection_backoff,
            **_auth_options(options),
        )
        self._pool = library.RunspacePool(self._wsman, configuration_name=options.configuration_name)
        self._pool._serializer = library.Serializer()
        self._pool._fragmenter = library.Fragmenter(self._wsman.max_payload_size, self._pool._serializer)
        self._pool._fragmenter.order = self.order
        self._ended: list[str] = []

    def open(self, left: float) -> None:
        self._limit(left)
        self._pool.open()

    def pipeline(self, prepared: Prepared) -> t.Any:
        pipeline = self._library.PowerShell(self._pool)
        for statement in prepared:
            for name, parameters in statement:
                cmdlet = self._library.Command(name, protocol_version=WITHOUT_MERGING, is_script=False)
                pipeline.add_command(cmdlet).add_parameters(parameters)
            cmdlet.end_of_statement = statement is not prepared[-1]
        return pipeline

    def exchange_keys(self, left: float) -> None:
        self._limit(left)
        self._pool.exchange_keys()

    def send(self, pipeline: t.Any, left: float) -> None:
        self.order.begin()
        self._close_ended(left)
        self._limit(left)
        pipeline.begin_invoke(remote_stream_options=0)

    def adopt(self, pipeline: t.Any) -> None:
        """Treat the pipeline as running although the host did not say so."""
        pipeline._command_id = pipeline.id
        pipeline.state = self._library.State.RUNNING
        self._pool.pipelines[pipeline.id] = pipeline

    def receive(self, pipeline: t.Any, seconds: int, left: float) -> bool:
        """Whether something came within the seconds for which the host may hold its answer back."""
        self._limit(left, seconds)
        try:
            state, _exit_code, streams = self._pool.shell.receive("stdout", command_id=pipeline._command_id)
        except Exception as error:
            if fault_code(error) == NOTHING_YET:
                return False
            raise
        for kind, message in self._pool._parse_responses(streams["stdout"], pipeline):
            if kind == self._library.PIPELINE_OUTPUT:
                pipeline.output.append(message.data.data)
        if state == self._library.DONE and self.running(pipeline):
            raise EndNotSeen("the command is done")
        return bool(streams["stdout"])

    def running(self, pipeline: t.Any) -> bool:
        return bool(pipeline.state == self._library.State.RUNNING)

    def progress(self, pipeline: t.Any) -> list[ProgressRecord]:
        """What came since it was last asked."""
        records, pipeline.streams.progress = pipeline.streams.progress, []
        return [_progress(record) for record in records]

    def outcome(self, pipeline: t.Any) -> Outcome:
        self._ended.append(pipeline._command_id or pipeline.id)
        self._pool.pipelines.pop(pipeline.id, None)
        failed = pipeline.state != self._library.State.COMPLETED
        raw = pipeline.streams.error
        errors = [_error(record, failed and at == len(raw) - 1) for at, record in enumerate(raw)]
        if failed and not errors:
            errors = [ErrorRecord("The pipeline was stopped.", "PipelineStopped", "OperationStopped", terminating=True)]
        return Outcome([plain(item) for item in pipeline.output], tuple(errors))

    def stop(self, pipeline: t.Any) -> bool:
        """Whether the host took note."""
        try:
            self._limit(FAREWELL)
            pipeline.stop()
        except Exception:
            return False
        return True

    def alive(self, left: float) -> bool:
        """Whether the host still has this shell."""
        selectors = self._library.SelectorSet()
        selectors.add_option("ShellId", self._pool.shell.id or self._pool.id)
        self._limit(left)
        try:
            self._wsman.get(self._library.SHELL, selector_set=selectors)
        except Exception as error:
            if fault_code(error) == NO_SUCH_SHELL:
                return False
            raise
        return True

    def idle(self, left: float) -> bool | None:
        """Whether no pipeline runs in the shell; None when the host does not say."""
        self._limit(left, 1)
        try:
            return bool(self._pool.get_available_runspaces() > 0)
        except Exception:
            return None

    def reset(self) -> None:
        """A new connection and, for encrypted messages, a new security context."""
        transport = self._wsman.transport
        if transport.session is not None:
            transport.session.close()
        transport.session = transport.encryption = None

    def close(self) -> None:
        """Remove the shell from the host. Nobody is helped by hearing that this failed."""
        try:
            self._limit(FAREWELL)
            self._pool.close()
        except Exception:
            pass
        self.abandon()

    def abandon(self) -> None:
        """Leave the shell as it is, with whatever runs in it."""
        self.reset()

    @property
    def delegated(self) -> bool | None:
        """Whether the host can act for us towards others; None when that is not known."""
        contexts = getattr(getattr(self._wsman.transport.session, "auth", None), "contexts", None) or {}
        for context in contexts.values():
            wanted = getattr(context, "context_attr", None)
            return None if wanted is None else bool(int(wanted) & 1)  # GSS_C_DELEG_FLAG
        return None

    def _limit(self, left: float, seconds: int | None = None) -> None:
        """Before each request: how long the host may hold its answer back, how long to wait, and a connection."""
        options, transport = self._options, self._wsman.transport
        slack = options.read_timeout - options.operation_timeout
        hold = min(seconds or options.operation_timeout, options.operation_timeout)
        self._wsman.operation_timeout = hold
        transport.read_timeout = max(1.0, min(hold + slack, left + 1.0))
        transport.connection_timeout = max(1.0, min(options.connection_timeout, left))
        if transport.session is None:
            transport.session = transport._build_session()
            share_trust(transport.session)

    def _close_ended(self, left: float) -> None:
        """Hosts limit how many commands a shell may hold; ended ones count until they are closed."""
        while len(self._ended) > KEPT:
            self._limit(left)
            self._pool.shell.signal(self._library.TERMINATE, self._ended.pop(0))


def _auth_options(options: ConnectionOptions) -> dict[str, t.Any]:
    """Only those of the chosen way, and none that is not set: pypsrp has defaults of its own."""
    prefixes = {"credssp": "credssp_", "certificate": "certificate_"}
    prefix = prefixes.get(options.auth, "negotiate_")
    names = [name for name in options.__dataclass_fields__ if name.startswith(prefix)]
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def _progress(record: t.Any) -> ProgressRecord:
    percent, seconds = record.percent_complete, record.seconds_remaining
    completed = getattr(record.progress_type, "value", record.progress_type) == 1
    if completed:  # comes with 100 % also from a command that failed
        percent = None
    return ProgressRecord(
        activity=record.activity or "",
        status=record.description,
        percent=percent if percent is not None and percent >= 0 else None,
        operation=record.current_operation,
        seconds_left=seconds if seconds is not None and seconds >= 0 else None,
        completed=completed,
        activity_id=record.activity_id or 0,
        parent_id=record.parent_activity_id,
    )


def _error(record: t.Any, terminating: bool) -> ErrorRecord:
    exception = getattr(record, "exception", None)
    properties = getattr(exception, "adapted_properties", None) or {}
    category = record.category if isinstance(record.category, int) else 0
    number = properties.get("HResult")
    return ErrorRecord(
        message=record.details_message or properties.get("Message") or str(record),
        error_id=record.fq_error or "",
        category=CATEGORIES[category] if 0 <= category < len(CATEGORIES) else "NotSpecified",
        exception=next(iter(getattr(exception, "types", None) or ()), None),
        target=record.target_name or None,
        command=record.activity or record.command_name or None,
        terminating=terminating,
        hresult=number & 0xFFFFFFFF if isinstance(number, int) else None,
    )


__all__ = ["Prepared", "RemoteShell"]
