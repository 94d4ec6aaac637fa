# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pipeline from being sent to its end: deadline, callbacks, and what to do when the connection breaks."""

from __future__ import annotations

import math
import struct
import typing as t
from collections.abc import Callable, Iterator, Sequence

from ansible_collections.fanout.hyperv.plugins.module_utils._command import Command, Outcome, ProgressRecord
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    HostUnreachable,
    HyperVError,
    OperationTimedOut,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._failures import NO_SUCH_SHELL
from ansible_collections.fanout.hyperv.plugins.module_utils._session_faults import (
    Trouble,
    fault_code,
    refused,
    trouble,
    unknown,
)

SHORTLY = 2  # seconds


class EndNotSeen(OSError):
    """The host says that the command is done, and how it ended was in an answer that did not arrive."""


class Order:
    """Whether something the host said was lost with a broken connection.

    A host numbers what it sends. After a break the next number tells: if it follows the last one that was seen, nothing
    was lost; if not, something may have been.
    """

    _HEADER = struct.Struct(">QQBI")  # object, fragment of it, flags (2: the last one), length

    def __init__(self) -> None:
        self._next: tuple[int, int] | None = None
        self._broken = False
        self.lost = False

    def begin(self) -> None:
        """For a new pipeline: what was lost of earlier ones is no concern of it."""
        self._broken = self.lost = False

    def broke(self) -> None:
        self._broken = True

    def see(self, data: bytes) -> None:
        for number, fragment, last in self._fragments(data):
            if self._broken:
                self._broken = False
                self.lost = self.lost or (number, fragment) != self._next
            self._next = (number + 1, 0) if last else (number, fragment + 1)

    def _fragments(self, data: bytes) -> Iterator[tuple[int, int, bool]]:
        at = 0
        while at + self._HEADER.size <= len(data):
            number, fragment, flags, length = self._HEADER.unpack_from(data, at)
            yield number, fragment, bool(flags & 2)
            at += self._HEADER.size + length


class Deadline:
    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock = clock
        self.seconds = seconds
        self._at = clock() + seconds

    @property
    def left(self) -> float:
        return self._at - self._clock()


class Interrupted(Exception):
    """The pipeline did not come to an end that was seen.

    ``nothing_ran`` is certain when set; ``shell_usable`` says whether the shell can take the next command.
    """

    def __init__(self, error: HyperVError, *, nothing_ran: bool = False, shell_usable: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.nothing_ran = nothing_ran
        self.shell_usable = shell_usable


class Shell(t.Protocol):
    """What a run needs of the remote shell. Its methods raise whatever the libraries below raise."""

    order: Order
    auth: str

    def send(self, pipeline: t.Any, left: float) -> None: ...
    def adopt(self, pipeline: t.Any) -> None: ...
    def receive(self, pipeline: t.Any, seconds: int, left: float) -> bool: ...
    def running(self, pipeline: t.Any) -> bool: ...
    def progress(self, pipeline: t.Any) -> list[ProgressRecord]: ...
    def outcome(self, pipeline: t.Any) -> Outcome: ...
    def stop(self, pipeline: t.Any) -> bool: ...
    def idle(self, left: float) -> bool | None: ...
    def alive(self, left: float) -> bool: ...
    def reset(self) -> None: ...


class Run:
    """One pipeline. ``outcome()`` gives what it gave, or raises Interrupted or OperationTimedOut."""

    def __init__(
        self,
        shell: Shell,
        pipeline: t.Any,
        stages: Sequence[Command],
        *,
        label: str,
        deadline: Deadline,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        patience: float,
        on_progress: Callable[[ProgressRecord], None] | None = None,
        on_poll: Callable[[], None] | None = None,
        poll_every: float = 20,
    ) -> None:
        self._shell = shell
        self._pipeline = pipeline
        self._what = " | ".join(stage.name for stage in stages)
        self._label = label
        self._deadline = deadline
        self._clock = clock
        self._sleep = sleep
        self._patience = patience
        self._on_progress = on_progress
        self._on_poll = on_poll
        self._poll_every = poll_every
        self._polled = self._asked = clock()
        self._silent_since: float | None = None
        self._failures = 0
        self._last = Exception()
        self._doubtful = False

    def outcome(self) -> Outcome:
        self._start()
        while self._shell.running(self._pipeline):
            self._turn()
        outcome = self._shell.outcome(self._pipeline)
        if self._shell.order.lost and not outcome.failed:
            raise self._lost("something that the host said was lost with a broken connection", shell_usable=True)
        return outcome

    # -- sending ------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        try:
            self._shell.send(self._pipeline, self._deadline.left)
        except Exception as error:
            self._sort_out(error)

    def _sort_out(self, error: Exception) -> None:
        """The command was not acknowledged. Return if it runs all the same."""
        kind = trouble(error)
        if kind is Trouble.DEFECT:
            raise error
        if kind is Trouble.BROKEN:
            if self._shell.running(self._pipeline):  # acknowledged, but not all of its parameters
                raise Interrupted(unknown(error, self._label, self._what, "the connection broke")) from error
            self._find_out(error)
            return
        why = refused(error, self._label, self._shell.auth)
        rejected = kind is Trouble.REJECTED  # as after a break, when the messages' encryption no longer fits
        if rejected:
            self._shell.reset()
        certain = rejected or fault_code(error) == NO_SUCH_SHELL
        raise Interrupted(why, nothing_ran=certain, shell_usable=rejected) from error

    def _find_out(self, first: Exception) -> None:
        """We chose the command's id, so the host can be asked whether it has it."""
        self._shell.adopt(self._pipeline)
        self._fail(first)
        while self._failures:
            self._shell.reset()
            self._pause()
            self._receive(1)
            if self._failures and fault_code(self._last) == NO_SUCH_SHELL:
                if not self._is_alive():
                    raise self._lost("the remote session is gone")
                raise Interrupted(self._not_arrived(first), shell_usable=True) from first

    def _not_arrived(self, first: Exception) -> HyperVError:
        why = refused(first, self._label, self._shell.auth)
        return HostUnreachable(
            f"{why.message} (the host does not know the command: it did not arrive)",
            code="NOT_ARRIVED",
            cause=why.cause,
            remedy=why.remedy,
            raw=why.raw,
        )

    # -- waiting ------------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        """One Receive, which the host holds until it has something to say, and what follows from it."""
        left = self._deadline.left
        if left <= 0:
            if self._failures:
                self._give_up()
            self._expire()
        due = self._polled + self._poll_every - self._clock()
        hold = min(left, due if self._on_poll else left, SHORTLY if self._doubtful else left)
        came = self._receive(max(1, math.ceil(hold)))
        if self._failures:
            self._after_failure()
        elif self._doubtful:
            self._settle_doubt(came)
        self._tell()

    def _receive(self, seconds: int) -> bool:
        """Whether something came."""
        self._asked = self._clock()
        try:
            came = self._shell.receive(self._pipeline, seconds, self._deadline.left)
        except Exception as error:
            if trouble(error) is Trouble.DEFECT:
                raise
            self._fail(error)
            return False
        self._failures, self._silent_since = 0, None
        return came

    def _settle_doubt(self, came: bool) -> None:
        """After a break nothing comes: the command still works, or its last words were in the answer that was lost."""
        self._doubtful = False
        if came or not self._shell.running(self._pipeline):
            return
        if self._shell.idle(min(SHORTLY, self._deadline.left)) and not self._receive(1):
            raise self._lost("it has ended, and how was lost with a broken connection", shell_usable=True)

    def _fail(self, error: Exception) -> None:
        self._last = error
        self._failures += 1
        self._doubtful = True
        self._shell.order.broke()
        if self._silent_since is None:
            self._silent_since = self._asked

    def _after_failure(self) -> None:
        if self._shell.order.lost:
            raise self._lost("something that the host said was lost with a broken connection")
        if isinstance(self._last, EndNotSeen):
            raise self._lost("it has ended, and how was lost with a broken connection", shell_usable=True)
        if fault_code(self._last) == NO_SUCH_SHELL:
            alive = self._is_alive()
            raise self._lost("the host no longer knows the command" if alive else "the remote session is gone")
        self._shell.reset()
        self._pause()

    def _pause(self) -> None:
        """Before the next try; give up when the host has been silent for too long."""
        if self._silence > self._patience or self._deadline.left <= 0:
            self._give_up()
        self._sleep(min(0.1 * 2 ** min(self._failures - 1, 5), 2.0, max(0.0, self._deadline.left)))

    def _give_up(self) -> t.NoReturn:
        raise self._lost(f"the host has not answered for {self._silence:.0f} s")

    @property
    def _silence(self) -> float:
        return 0.0 if self._silent_since is None else self._clock() - self._silent_since

    def _is_alive(self) -> bool:
        try:
            return self._shell.alive(max(1.0, min(10.0, self._deadline.left)))
        except Exception:
            return False

    def _lost(self, why: str, *, shell_usable: bool = False) -> Interrupted:
        interrupted = Interrupted(unknown(self._last, self._label, self._what, why), shell_usable=shell_usable)
        interrupted.__cause__ = self._last
        return interrupted

    # -- deadline and callbacks ---------------------------------------------------------------------------------------

    def _expire(self) -> t.NoReturn:
        stopped = self._shell.stop(self._pipeline)
        raise OperationTimedOut(
            f"{self._label}: {self._what} did not end within {self._deadline.seconds:g} s",
            stopped=stopped,
            cause="The host is busy, or the work takes longer than it was given.",
            remedy="Check the host's load and 'Get-VM' for what is under way, or allow more time.",
        )

    def _tell(self) -> None:
        try:
            records = self._shell.progress(self._pipeline)
            for record in records if self._on_progress else ():
                t.cast("Callable[[ProgressRecord], None]", self._on_progress)(record)
            if self._on_poll and self._clock() - self._polled >= self._poll_every:
                self._on_poll()
                self._polled = self._clock()
        except Exception:
            self._shell.stop(self._pipeline)
            raise


__all__ = ["Deadline", "EndNotSeen", "Interrupted", "Order", "Run", "Shell"]
