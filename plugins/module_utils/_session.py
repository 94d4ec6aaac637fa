# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One PowerShell remoting session: structured commands in, plain objects out.

``Session.run`` ends in one of a few ways, and the type of what it raises says what is known: ``HostUnreachable`` and
``AuthenticationFailed`` (nothing was started), ``CommandFailed`` (the host said no), ``OperationTimedOut`` (told to
stop), ``OutcomeUnknown`` (sent, end not seen: read the state back). A connection that breaks while a command runs is
made anew; commands that only read are repeated when their answer is lost, commands that write never are.

pypsrp is imported when the first session is opened (``_session_library.py``).
"""

from __future__ import annotations

import functools
import time
import types
import typing as t
import uuid
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.fanout.hyperv.plugins.module_utils._command import Command, Outcome, ProgressRecord, command
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    CommandFailed,
    ErrorRecord,
    HyperVError,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._failures import explain
from ansible_collections.fanout.hyperv.plugins.module_utils._session_faults import refused
from ansible_collections.fanout.hyperv.plugins.module_utils._session_library import library
from ansible_collections.fanout.hyperv.plugins.module_utils._session_run import Deadline, Interrupted, Run
from ansible_collections.fanout.hyperv.plugins.module_utils._session_shell import Prepared, RemoteShell
from ansible_collections.fanout.hyperv.plugins.module_utils._session_tls import preload_trust
from ansible_collections.fanout.hyperv.plugins.module_utils._wire import (
    Credential,
    Int64,
    Properties,
    Secret,
    UInt32,
    UInt64,
    wire,
)

ATTEMPTS = 3  # of a command that may be repeated
PATIENCE = 60.0  # seconds without any answer, after which the outcome of a running command counts as unknown
IDLE = 15.0  # seconds after which a connection is tried out before something that writes is sent over it


def preload() -> None:
    """Import and read what a session needs, so that processes forked from this one need not."""
    library()
    preload_trust()


class Session:
    """A session to one host. It opens when it is first used, and anew when its shell was lost."""

    def __init__(
        self,
        options: ConnectionOptions,
        *,
        label: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        patience: float = PATIENCE,
    ) -> None:
        self.options = options.validate()
        self.label = label
        self.warnings = list(options.warnings)
        self._clock = clock
        self._sleep = sleep
        self._patience = patience
        self._shell: RemoteShell | None = None
        self._used = clock()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        """Orphaned or interrupted: what runs on the host goes on, so its shell must stay."""
        if kind is not None and not issubclass(kind, Exception):
            self.abandon()
        else:
            self.close()

    def close(self) -> None:
        """Remove the shell from the host."""
        shell, self._shell = self._shell, None
        if shell is not None:
            shell.close()

    def abandon(self) -> None:
        """Let go of the shell without closing it: a command that runs in it goes on."""
        shell, self._shell = self._shell, None
        if shell is not None:
            shell.abandon()

    @t.overload
    def run(
        self,
        *stages: Command,
        timeout: float = ...,
        check: t.Literal[True] = ...,
        on_progress: Callable[[ProgressRecord], None] | None = ...,
        on_poll: Callable[[], None] | None = ...,
        poll_every: float = ...,
    ) -> list[t.Any]: ...

    @t.overload
    def run(
        self,
        *stages: Command,
        timeout: float = ...,
        check: t.Literal[False],
        on_progress: Callable[[ProgressRecord], None] | None = ...,
        on_poll: Callable[[], None] | None = ...,
        poll_every: float = ...,
    ) -> Outcome: ...

    def run(
        self,
        *stages: Command,
        timeout: float = 60,
        check: bool = True,
        on_progress: Callable[[ProgressRecord], None] | None = None,
        on_poll: Callable[[], None] | None = None,
        poll_every: float = 20,
    ) -> list[t.Any] | Outcome:
        """Run the stages as one pipeline and return its objects.

        Every error that the host reports is raised as CommandFailed, also those after which it went on; with
        ``check=False`` objects and errors are returned as they are. ``on_poll`` is called about every ``poll_every``
        seconds while the command runs. What the callbacks raise stops the command, except for what is not an Exception
        (Orphaned, KeyboardInterrupt): then it goes on, and the session lets go of it.
        """
        callbacks = {"on_progress": on_progress, "on_poll": on_poll, "poll_every": poll_every}
        outcome = self._send([stages], timeout, callbacks)
        if check and outcome.errors:
            raise self._failed(outcome.errors)
        return outcome.objects if check else outcome

    def run_together(
        self, *pipelines: Sequence[Command], echo: Callable[[str], Command], timeout: float = 60
    ) -> list[list[t.Any]] | None:
        """What each of several pipelines gives that only read, for the price of one; None when the host reports errors.

        They are sent as statements of one pipeline, with a mark between each two that ``echo`` makes the host write.
        Which of them an error belongs to is not guessed: a caller that gets None asks one by one.
        """
        mark = f"fanout-{uuid.uuid4()}"
        between = (echo(mark),)
        statements = [statement for pipeline in pipelines for statement in (between, pipeline)][1:]
        outcome = self._send(statements, timeout, {})
        answers: list[list[t.Any]] = [[]]
        for item in outcome.objects:
            if item == mark:
                answers.append([])
            else:
                answers[-1].append(item)
        return answers if len(answers) == len(pipelines) and not outcome.errors else None

    def _send(self, statements: Sequence[Sequence[Command]], timeout: float, callbacks: dict[str, t.Any]) -> Outcome:
        """What the host says to statements that are sent as one pipeline; nothing of it tells a secret."""
        deadline = Deadline(self._clock, timeout)
        stages = [stage for statement in statements for stage in statement]
        prepared = [
            [(stage.full_name, {name: wire(value, _seal) for name, value in stage.parameters.items()}) for stage in one]
            for one in statements
        ]
        secrets = [*self.options.secrets, *_secrets([stage.parameters for stage in stages])]
        try:
            outcome = self._persist(stages, prepared, deadline, callbacks)
        except HyperVError as error:
            raise self._signed(error, secrets) from error.__cause__
        errors = tuple(functools.reduce(ErrorRecord.without, secrets, record) for record in outcome.errors)
        return Outcome(outcome.objects, errors)

    def _persist(
        self, stages: Sequence[Command], prepared: Prepared, deadline: Deadline, callbacks: dict[str, t.Any]
    ) -> Outcome:
        """Run; again when nothing ran, or when nothing was changed and the answer was lost."""
        reads = all(stage.reads for stage in stages)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(stages, prepared, reads, deadline, callbacks)
            except Interrupted as interrupted:
                if not interrupted.shell_usable:
                    self.abandon()
                may_repeat = interrupted.nothing_ran or reads
                if not may_repeat or attempt == ATTEMPTS or deadline.left <= 0:
                    raise interrupted.error from interrupted.__cause__
        raise AssertionError("not reached")

    def _once(
        self,
        stages: Sequence[Command],
        prepared: Prepared,
        reads: bool,
        deadline: Deadline,
        callbacks: dict[str, t.Any],
    ) -> Outcome:
        shell = self._ready(reads, deadline)
        try:
            if _secrets([stage.parameters for stage in stages]):
                self._exchange_keys(shell, deadline)
            run = Run(
                shell,
                shell.pipeline(prepared),
                stages,
                label=self.label,
                deadline=deadline,
                clock=self._clock,
                sleep=self._sleep,
                patience=self._patience,
                **callbacks,
            )
            outcome = run.outcome()
        except Interrupted:
            raise
        except Exception:
            self.close()  # told to stop; whether it did is not known, and a busy shell would hold up the next command
            raise
        except BaseException:
            self.abandon()
            raise
        self._used = self._clock()
        return outcome

    # -- the shell ----------------------------------------------------------------------------------------------------

    def _ready(self, reads: bool, deadline: Deadline) -> RemoteShell:
        """A shell that can take a command."""
        if self._shell is not None and not reads and self._clock() - self._used > IDLE and not self._holds(deadline):
            self.abandon()
        if self._shell is None:
            self._shell = self._open(deadline)
        return self._shell

    def _open(self, deadline: Deadline) -> RemoteShell:
        shell = None
        try:
            shell = RemoteShell(library(), self.options)
            shell.open(deadline.left)
        except HyperVError:
            raise
        except Exception as error:
            if shell is not None:
                shell.abandon()
            raise refused(error, self.label, self.options.auth) from error
        if self.options.negotiate_delegate and shell.delegated is False:
            self._warn("Delegation was asked for and not granted: NTLM was used, or the ticket is not forwardable.")
        self._used = self._clock()
        return shell

    def _exchange_keys(self, shell: RemoteShell, deadline: Deadline) -> None:
        try:
            shell.exchange_keys(deadline.left)
        except Exception as error:
            raise Interrupted(refused(error, self.label, self.options.auth)) from error

    def _holds(self, deadline: Deadline) -> bool:
        """Whether shell and connection still hold after a rest; the connection is made anew where it does not."""
        shell = t.cast(RemoteShell, self._shell)
        for _attempt in range(2):
            try:
                return shell.alive(max(1.0, min(10.0, deadline.left)))
            except Exception:
                shell.reset()
        return False

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    # -- errors -------------------------------------------------------------------------------------------------------

    def _failed(self, records: Sequence[ErrorRecord]) -> CommandFailed:
        code, cause, remedy, transient = explain(records)
        decisive = next((record for record in reversed(records) if record.terminating), records[0])
        raw = "; ".join(f"{record.error_id} {' '.join(record.hresults)} {record.message}" for record in records)
        return CommandFailed(
            f"{self.label}: {decisive.command or 'the host'}: {decisive.message.strip()}",
            records=records,
            code=code,
            cause=cause,
            remedy=remedy,
            transient=transient,
            raw=raw,
            host=self.label,
        )

    def _signed(self, error: HyperVError, secrets: Sequence[str]) -> HyperVError:
        """With the host's name, and without our secrets should a library or the host have repeated one."""
        error.host = error.host or self.label
        for secret in secrets:
            error.hide(secret)
        return error


# -- secrets -----------------------------------------------------------------------------------------------------------


def _secrets(value: t.Any) -> list[str]:
    """The secrets in parameters, however deep."""
    if isinstance(value, Secret):
        return [value.reveal()]
    if isinstance(value, Credential):
        return [value.password.reveal()]
    if isinstance(value, Properties):
        value = value.values
    if isinstance(value, Mapping):
        value = list(value.values())
    return [secret for item in value for secret in _secrets(item)] if isinstance(value, (list, tuple)) else []


def _seal(value: Secret | Credential | Properties) -> t.Any:
    classes = library()
    if isinstance(value, Properties):
        made = classes.GenericComplexObject()
        made.extended_properties = dict(value.values)
        return made
    if isinstance(value, Credential):
        return classes.PSCredential(username=value.username, password=value.password.reveal())
    return classes.TaggedValue("SS", value.reveal())


__all__ = [
    "Command",
    "ConnectionOptions",
    "Credential",
    "ErrorRecord",
    "Int64",
    "Outcome",
    "ProgressRecord",
    "Properties",
    "Secret",
    "Session",
    "UInt32",
    "UInt64",
    "command",
    "preload",
]
