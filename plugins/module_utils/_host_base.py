# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What the parts of a host have in common: how a question is put."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ansible_collections.fanout.hyperv.plugins.module_utils._command import Command, ProgressRecord, command
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    CommandFailed,
    ErrorRecord,
    HyperVError,
    OperationTimedOut,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._failures import explain
from ansible_collections.fanout.hyperv.plugins.module_utils._shapes import Row
from ansible_collections.fanout.hyperv.plugins.module_utils._wire import Properties

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._session import Session

Answer = t.TypeVar("Answer")
OnProgress = Callable[[ProgressRecord], None]
OnPoll = Callable[[], None]

QUESTION = 120.0
"""Seconds for what only looks; a busy host with hundreds of VMs needs some of them."""
CHANGE = 300.0
"""Seconds for a small change."""
POLL_EVERY = 5.0
"""Seconds between two calls of ``on_poll`` while a long command runs."""
VIRTUALIZATION = r"root\virtualization\v2"

NO_DRIVE = "DriveNotFound"
"""The identifier of the error for a path on a drive that the session does not have."""


@dataclass(frozen=True)
class Instances:
    """A question for the instances of a CIM class.

    ``mark`` is a property that every instance has and that no other class of the same pipeline is asked for.
    """

    name: str
    mark: str
    properties: tuple[str, ...] = ()
    namespace: str | None = None
    where: str | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """As parameters of the cmdlet, all of which also bind from the pipeline by property name."""
        named = {"ClassName": self.name, "Namespace": self.namespace, "Filter": self.where}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True)
class Question(t.Generic[Answer]):
    """A pipeline that only looks, and how its objects are read."""

    stages: tuple[Command, ...]
    read: Callable[[list[t.Any]], Answer]


class Part:
    """A part of a host, on one session: cmdlets and typed parameters in, what they mean out."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _ask(self, question: Question[Answer]) -> Answer:
        return question.read(self._session.run(*question.stages, timeout=QUESTION))

    def _answers(self, *questions: Question[t.Any] | None) -> list[t.Any]:
        """The answers to several questions, None for None; asked one by one only when the host refuses any of them."""
        asked = [question for question in questions if question is not None]
        together = self._ask_together(*asked)
        answers = iter([self._ask(question) for question in asked] if together is None else together)
        return [None if question is None else next(answers) for question in questions]

    def _ask_together(self, *questions: Question[t.Any]) -> list[t.Any] | None:
        """The answers to several questions for the price of one; None when the host refuses any of them."""
        pipelines = [question.stages for question in questions]
        try:
            found = self._session.run_together(*pipelines, echo=_echo, timeout=QUESTION)
        except OperationTimedOut:  # each of them may still be answered in its own time
            return None
        if found is None:
            return None
        return [question.read(objects) for question, objects in zip(questions, found, strict=True)]

    def _about(
        self, *stages: Command, properties: Sequence[str], read: Callable[[list[Row]], Answer]
    ) -> Question[Answer]:
        """The question for the objects of a pipeline, each with these properties only."""
        return Question((*stages, select(Property=list(properties))), lambda objects: read(self._read_rows(objects)))

    def _each(
        self, *stages: Command, properties: Sequence[str], read: Callable[[Row], Answer]
    ) -> Question[tuple[Answer, ...]]:
        """The same, read one by one."""
        return self._about(*stages, properties=properties, read=lambda rows: tuple(map(read, rows)))

    def _rows(self, *stages: Command, properties: Sequence[str], timeout: float = QUESTION) -> list[Row]:
        """The objects of a pipeline, each with these properties only."""
        return self._read_rows(self._session.run(*stages, select(Property=list(properties)), timeout=timeout))

    def _read_rows(self, objects: Sequence[t.Any]) -> list[Row]:
        return [self._row(answer) for answer in objects]

    def _only(self, *stages: Command, properties: Sequence[str]) -> Question[Row]:
        """The question for the only object of a pipeline."""
        return self._about(*stages, properties=properties, read=lambda rows: self._single(stages[-1].name, rows))

    def _single(self, what: str, rows: Sequence[Row]) -> Row:
        if len(rows) != 1:
            raise self._unexpected(f"{what} gave {len(rows)} objects instead of one")
        return rows[0]

    def _instances(self, *asked: Instances) -> list[list[Row]]:
        """The instances of several classes for the price of one pipeline."""
        return self._ask(self._about_instances(*asked, read=lambda found: found))

    def _about_instances(self, *asked: Instances, read: Callable[[list[list[Row]]], Answer]) -> Question[Answer]:
        """The question for the instances of several classes; in which order they come does not matter."""
        questions = command("Write-Output", InputObject=[Properties(one.parameters) for one in asked])
        wanted = dict.fromkeys(name for one in asked for name in (one.mark, *one.properties))

        def sorted_out(rows: list[Row]) -> Answer:
            return read([[row for row in rows if row.get(one.mark) is not None] for one in asked])

        return self._about(questions, command("Get-CimInstance"), properties=tuple(wanted), read=sorted_out)

    def _row(self, answer: t.Any) -> Row:
        if not isinstance(answer, dict):
            raise self._unexpected(f"a {type(answer).__name__} came instead of an object")
        return answer

    def _unexpected(self, what: str) -> HyperVError:
        return HyperVError(
            f"The host's answer is not what was asked for: {what}.",
            code="UNEXPECTED_ANSWER",
            layer="protocol",
            host=self._session.label,
        )

    def _failed(self, what: str, records: Sequence[ErrorRecord]) -> CommandFailed:
        """For errors that only the question's context tells from an answer."""
        code, cause, remedy, transient = explain(records)
        return CommandFailed(
            f"{self._session.label}: {what}: {records[0].message.strip()}",
            records=records,
            code=code,
            cause=cause,
            remedy=remedy,
            transient=transient,
            raw="; ".join(f"{record.error_id} {record.message}" for record in records),
            host=self._session.label,
        )

    def _no_drives(self, records: Sequence[ErrorRecord]) -> CommandFailed:
        return CommandFailed(
            f"{self._session.label}: the session shows no drives, so nothing is known about files",
            records=records,
            code="NO_DRIVES",
            cause="The endpoint does not offer the file system.",
            remedy="Let its role capability say VisibleProviders = 'FileSystem', as that of this collection does.",
            host=self._session.label,
        )


def _echo(text: str) -> Command:
    return command("Write-Output", InputObject=text)


def select(**parameters: t.Any) -> Command:
    """Properties or objects of what comes.

    By its full name: endpoints without a script language have a function of the bare name, which lets next to nothing
    through.
    """
    return Command("Select-Object", parameters, module="Microsoft.PowerShell.Utility")


def is_missing(record: ErrorRecord) -> bool:
    """Whether the error says that a file, folder or drive is not there (not that it may not be seen).

    A command that an endpoint does not offer has the same category.
    """
    return record.category == "ObjectNotFound" and record.identifier != "CommandNotFoundException"


def says_missing(error: CommandFailed) -> bool:
    """Whether that is all that went wrong."""
    return bool(error.records) and all(is_missing(record) for record in error.records)


__all__ = (
    "CHANGE",
    "NO_DRIVE",
    "POLL_EVERY",
    "QUESTION",
    "VIRTUALIZATION",
    "Instances",
    "OnPoll",
    "OnProgress",
    "Part",
    "Question",
    "is_missing",
    "says_missing",
    "select",
)
