# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session itself: what it repeats and what never, when it opens and lets go, what it hides."""

from __future__ import annotations

import sys
import typing as t

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _session as module
from ansible_collections.fanout.hyperv.plugins.module_utils._command import Command, Outcome
from ansible_collections.fanout.hyperv.plugins.module_utils._connection import ConnectionOptions
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    CommandFailed,
    ErrorRecord,
    HostUnreachable,
    HyperVError,
    InvalidInput,
    OperationTimedOut,
    Orphaned,
    OutcomeUnknown,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._session import Credential, Secret, Session, command
from ansible_collections.fanout.hyperv.plugins.module_utils._session_library import library
from ansible_collections.fanout.hyperv.plugins.module_utils._session_run import Interrupted
from pypsrp.exceptions import AuthenticationError, WSManFaultError

READ, WRITE = command("Get-VM"), command("Move-VM", Name="x")
OPTIONS = ConnectionOptions("hv01", "admin", "hunter2")
GONE = WSManFaultError(0x8033805B, "hv01", "gone", None, None, None)
LOST = Interrupted(OutcomeUnknown("lost"))
NOT_ARRIVED = Interrupted(HostUnreachable("not arrived", code="NOT_ARRIVED"), shell_usable=True)
NOTHING_RAN = Interrupted(HostUnreachable("shell gone"), nothing_ran=True)


class FakeShell:
    """A shell that only remembers; FakeRun speaks for its pipelines."""

    made: t.ClassVar[list[FakeShell]]
    opening: t.ClassVar[list[Exception | None]]
    living: t.ClassVar[list[bool | Exception]]
    delegated: t.ClassVar[bool | None] = None

    def __init__(self, library: object, options: ConnectionOptions) -> None:
        self.did: list[str] = []
        self.made.append(self)

    def open(self, left: float) -> None:
        self.did.append("open")
        error = self.opening.pop(0) if self.opening else None
        if error is not None:
            raise error

    def pipeline(self, prepared: t.Any) -> t.Any:
        self.prepared = prepared
        return prepared

    def exchange_keys(self, left: float) -> None:
        self.did.append("keys")

    def alive(self, left: float) -> bool:
        self.did.append("alive")
        answer = self.living.pop(0) if self.living else True
        if isinstance(answer, Exception):
            raise answer
        return answer

    def reset(self) -> None:
        self.did.append("reset")

    def close(self) -> None:
        self.did.append("close")

    def abandon(self) -> None:
        self.did.append("abandon")


class FakeRun:
    script: t.ClassVar[list[Outcome | BaseException | t.Callable[[t.Any], Outcome]]]

    def __init__(self, shell: FakeShell, pipeline: t.Any, stages: t.Any, **options: t.Any) -> None:
        shell.did.append(" | ".join(stage.name for stage in stages))
        self.shell = shell

    def outcome(self) -> Outcome:
        step = self.script.pop(0) if self.script else Outcome(["object"])
        if isinstance(step, BaseException):
            raise step
        return step(self.shell.prepared) if callable(step) else step


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeShell.made, FakeShell.opening, FakeShell.living, FakeRun.script = [], [], [], []
    monkeypatch.setattr(module, "RemoteShell", FakeShell)
    monkeypatch.setattr(module, "Run", FakeRun)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def session(clock: Clock) -> Session:
    return Session(OPTIONS, label="hv01", clock=clock)


def did(number: int = 0) -> list[str]:
    return FakeShell.made[number].did


def test_it_opens_when_first_used_and_closes(session: Session) -> None:
    with session:
        assert not FakeShell.made
        assert session.run(READ) == ["object"]
        session.run(READ)
    assert did() == ["open", "Get-VM", "Get-VM", "close"]


@pytest.mark.parametrize("lost", [LOST, NOT_ARRIVED, NOTHING_RAN])
def test_a_read_whose_answer_is_lost_is_repeated(session: Session, lost: Interrupted) -> None:
    FakeRun.script = [lost, lost]
    assert session.run(READ) == ["object"]
    assert sum(shell.did.count("Get-VM") for shell in FakeShell.made) == 3


def test_a_read_is_not_repeated_for_ever(session: Session) -> None:
    FakeRun.script = [LOST] * 10
    with pytest.raises(OutcomeUnknown):
        session.run(READ)
    assert len(FakeRun.script) == 10 - module.ATTEMPTS


def test_nothing_is_repeated_after_the_deadline(session: Session, clock: Clock) -> None:
    FakeRun.script = [LOST] * 10
    with pytest.raises(OutcomeUnknown):
        session.run(READ, timeout=0)
    assert len(FakeRun.script) == 9


@pytest.mark.parametrize("lost", [LOST, NOT_ARRIVED])
@pytest.mark.parametrize("stages", [[WRITE], [READ, WRITE], [command("Start-Sleep", Seconds=1)]])
def test_what_writes_is_never_repeated(session: Session, lost: Interrupted, stages: list[Command]) -> None:
    FakeRun.script = [lost]
    with pytest.raises(type(lost.error)):
        session.run(*stages)
    assert len(FakeShell.made) == 1


def test_what_writes_is_repeated_when_the_host_said_that_nothing_ran(session: Session) -> None:
    FakeRun.script = [NOTHING_RAN]
    assert session.run(WRITE) == ["object"]
    assert did(0) == ["open", "Move-VM", "abandon"]
    assert did(1) == ["open", "Move-VM"]


def test_a_shell_in_which_something_may_run_is_left_alone(session: Session) -> None:
    FakeRun.script = [LOST]
    with session, pytest.raises(OutcomeUnknown):
        session.run(WRITE)
    assert did() == ["open", "Move-VM", "abandon"]


def test_after_a_timeout_the_next_command_gets_a_shell_of_its_own(session: Session) -> None:
    FakeRun.script = [OperationTimedOut("slow")]
    with pytest.raises(OperationTimedOut):
        session.run(WRITE)
    session.run(READ)
    assert did(0) == ["open", "Move-VM", "close"]
    assert did(1) == ["open", "Get-VM"]


@pytest.mark.parametrize("error", [Orphaned(), KeyboardInterrupt(), SystemExit(1)])
def test_an_orphan_leaves_its_shell_on_the_host(session: Session, error: BaseException) -> None:
    FakeRun.script = [Outcome([]), error]
    with pytest.raises(type(error)), session:
        session.run(READ)
        session.run(WRITE)
    assert did() == ["open", "Get-VM", "Move-VM", "abandon"]


def test_an_orphan_that_noticed_it_elsewhere_leaves_its_shell_too(session: Session) -> None:
    with pytest.raises(Orphaned), session:
        session.run(READ)
        raise Orphaned
    assert did()[-1] == "abandon"


def test_an_ordinary_error_closes(session: Session) -> None:
    with pytest.raises(KeyError), session:
        session.run(READ)
        raise KeyError
    assert did()[-1] == "close"


# -- after a rest ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("living", "stays"),
    [([True], True), ([False], False), ([OSError("cut"), True], True), ([OSError("cut"), OSError("cut")], False)],
)
def test_before_it_writes_after_a_rest_it_looks_whether_the_shell_is_there(
    session: Session, clock: Clock, living: list[bool | Exception], stays: bool
) -> None:
    session.run(READ)
    clock.now += module.IDLE + 1
    FakeShell.living = living
    session.run(WRITE)
    assert len(FakeShell.made) == (1 if stays else 2)
    assert did(-1)[-1] == "Move-VM"


def test_it_does_not_look_before_it_reads_or_without_a_rest(session: Session, clock: Clock) -> None:
    session.run(READ)
    session.run(WRITE)
    clock.now += module.IDLE + 1
    session.run(READ)
    assert "alive" not in did()


# -- errors ---------------------------------------------------------------------------------------------------------


def test_a_host_that_cannot_be_reached_is_not_tried_again(session: Session) -> None:
    FakeShell.opening = [ConnectionRefusedError(111, "refused")]
    with pytest.raises(HostUnreachable) as caught:
        session.run(READ)
    assert (caught.value.code, caught.value.host) == ("CONNECTION_REFUSED", "hv01")
    assert len(FakeShell.made) == 1


WARNED = ErrorRecord("Ein Fehler", "ObjectNotFound,X", "ObjectNotFound", command="Get-VM")
ENDED = ErrorRecord("Kein Platz (0x80070070)", "OperationFailed,X", command="Export-VM", terminating=True)


def test_an_error_after_which_the_host_went_on_is_an_error(session: Session) -> None:
    FakeRun.script = [Outcome(["half"], (WARNED,))]
    with pytest.raises(CommandFailed) as caught:
        session.run(READ)
    assert caught.value.records == (WARNED,)
    assert caught.value.code == "OBJECT_NOT_FOUND"
    assert caught.value.message == "hv01: Get-VM: Ein Fehler"


def test_unless_the_caller_wants_to_see_for_itself(session: Session) -> None:
    FakeRun.script = [Outcome(["half"], (WARNED,))]
    outcome = session.run(READ, check=False)
    assert (outcome.objects, outcome.errors, outcome.failed) == (["half"], (WARNED,), False)


def echo(text: str) -> Command:
    return command("Write-Output", InputObject=text)


def answers(*objects: t.Sequence[t.Any], errors: tuple[ErrorRecord, ...] = ()) -> t.Callable[[t.Any], Outcome]:
    """What a host says to several statements: the objects of each, and between them the mark that it was given."""

    def say(statements: t.Any) -> Outcome:
        [mark] = {dict(one[0][1]).get("InputObject") for one in statements[1::2]}
        said = [item for each in objects for item in (mark, *each)]
        return Outcome(said[1:], errors)

    return say


def test_several_questions_are_one_pipeline_and_each_has_its_own_answer(session: Session) -> None:
    FakeRun.script = [answers(["a", "b"], [], ["c"])]
    found = session.run_together(
        (READ,), (command("Get-VMSwitch"),), (command("Get-VMHost"), command("Select-Object")), echo=echo
    )
    assert found == [["a", "b"], [], ["c"]]
    assert did() == ["open", "Get-VM | Write-Output | Get-VMSwitch | Write-Output | Get-VMHost | Select-Object"]
    statements = [[name for name, _parameters in one] for one in FakeShell.made[0].prepared]
    assert statements == [
        ["Get-VM"],
        ["Write-Output"],
        ["Get-VMSwitch"],
        ["Write-Output"],
        ["Get-VMHost", "Select-Object"],
    ]


@pytest.mark.parametrize(
    "said", [answers(["a"], ["b"], errors=(WARNED,)), answers(["a"]), answers(["a"], ["b"], ["c"]), Outcome([])]
)
def test_of_an_answer_that_is_not_whole_nothing_is_believed(
    session: Session, said: Outcome | t.Callable[[t.Any], Outcome]
) -> None:
    FakeRun.script = [said]
    assert session.run_together((READ,), (command("Get-VMSwitch"),), echo=echo) is None


def test_several_questions_are_asked_again_when_the_answer_is_lost(session: Session) -> None:
    FakeRun.script = [LOST, answers(["a"], ["b"])]
    assert session.run_together((READ,), (command("Get-VMSwitch"),), echo=echo) == [["a"], ["b"]]


def test_the_error_that_ended_it_speaks_and_all_are_kept(session: Session) -> None:
    FakeRun.script = [Outcome([], (WARNED, ENDED))]
    with pytest.raises(CommandFailed) as caught:
        session.run(WRITE)
    error = caught.value
    assert "Export-VM: Kein Platz" in error.message
    assert error.code == "DISK_FULL"
    assert error.records == (WARNED, ENDED)
    assert "0x80070070" in str(error.raw) and "ObjectNotFound" in str(error.raw)


def test_our_secrets_are_in_no_error(session: Session) -> None:
    told = ErrorRecord("the password hunter2 is wrong", "X")
    FakeRun.script = [Outcome([], (told,)), Interrupted(OutcomeUnknown("hunter2", raw="hunter2"))]
    for _time in range(2):
        with pytest.raises(HyperVError) as caught:
            session.run(WRITE)
        assert "hunter2" not in str(caught.value) + repr(caught.value) + str(caught.value.to_dict())


def test_secrets_of_a_command_are_in_no_error_either(session: Session) -> None:
    FakeRun.script = [Outcome([], (ErrorRecord("bad t0psecret", "X"),))]
    with pytest.raises(CommandFailed) as caught:
        session.run(command("New-Thing", A=[{"b": Credential("u", Secret("t0psecret"))}]))
    assert "t0psecret" not in str(caught.value) + str(caught.value.to_dict()) + repr(caught.value.records)


def test_keys_are_exchanged_only_for_secrets(session: Session) -> None:
    session.run(READ)
    session.run(command("New-Thing", A=[{"b": Secret("x")}]))
    assert did() == ["open", "Get-VM", "keys", "New-Thing"]


def test_what_cannot_be_sent_opens_nothing(session: Session) -> None:
    with pytest.raises(InvalidInput):
        session.run(command("Get-VM", Id=object()))
    assert not FakeShell.made


def test_bad_options_are_refused_at_once() -> None:
    with pytest.raises(InvalidInput):
        Session(ConnectionOptions("hv01", "admin", "x", protocol="http", auth="basic"), label="hv01")


def test_delegation_that_was_not_granted_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    options = ConnectionOptions("hv01", "admin", "x", auth="kerberos", negotiate_delegate=True)
    for delegated, warned in ((False, 1), (True, 0), (None, 0)):
        monkeypatch.setattr(FakeShell, "delegated", delegated)
        session = Session(options, label="hv01")
        session.run(READ)
        assert len(session.warnings) == warned


def test_without_pypsrp_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    library.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "pypsrp"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InvalidInput) as caught:
        Session(OPTIONS, label="hv01").run(READ)
    assert caught.value.code == "LIBRARY_MISSING"
    assert "pip install 'pypsrp" in str(caught.value.remedy)


def test_a_parameter_without_a_value_is_left_out() -> None:
    assert command("Get-VM", Name=None, Id="x").parameters == {"Id": "x"}
    with pytest.raises(InvalidInput, match="Name"):
        Command("Get-VM", {"Name": None})


def test_a_commands_repr_shows_no_values() -> None:
    assert "x" not in repr(command("Get-VM", Name="x"))


def test_refused_keys_are_an_error_of_the_connection(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: FakeShell, left: float) -> None:
        raise AuthenticationError("no")

    monkeypatch.setattr(FakeShell, "exchange_keys", refuse)
    with pytest.raises(HyperVError):
        session.run(command("New-Thing", A=Secret("x")))
