# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that break, answers that are lost, shells that go: what is certain and what is not."""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _session
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    HostUnreachable,
    OutcomeUnknown,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._session import Session, command

from .conftest import HOST, Place

READ = command("Get-VM", Name="one")
WRITE = command("Start-Sleep", Seconds=1)


@contextmanager
def later(seconds: float, action: t.Callable[[], None]) -> Iterator[None]:
    timer = threading.Timer(seconds, action)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@pytest.fixture
def warm(session: Session) -> Session:
    """A session that is open, so that a fault meets the command and not the opening."""
    session.run(command("Get-VM", Name="two"))
    return session


def read(session: Session) -> list[str]:
    return [vm["Name"] for vm in session.run(READ)]


# -- while the command runs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cut", "http_status"])
def test_a_request_for_the_answer_does_not_get_through(warm: Session, place: Place, kind: str) -> None:
    place.fault(kind, action="Receive", command="Start-Sleep", count=2)
    assert warm.run(WRITE) == []
    assert len(place.calls("Start-Sleep")) == 1
    place.fault(kind, action="Receive", command="Get-VM", count=2)
    assert read(warm) == ["one"]


def test_a_lost_answer_to_what_reads(warm: Session, place: Place) -> None:
    place.lab.clear_calls()
    place.fault("lose_answer", action="Receive", command="Get-VM")
    assert read(warm) == ["one"]
    assert len(place.calls("Get-VM")) == 2


def test_a_lost_answer_to_what_writes(warm: Session, place: Place) -> None:
    place.fault("lose_answer", action="Receive", command="Start-Sleep")
    with pytest.raises(OutcomeUnknown) as caught:
        warm.run(WRITE, timeout=30)
    assert caught.value.remedy and "asked" in caught.value.remedy
    assert len(place.calls("Start-Sleep")) == 1
    assert read(warm) == ["one"]


def test_lost_progress_is_not_taken_for_nothing_lost(warm: Session, place: Place) -> None:
    """The end is seen, but an error record could have been in the answer that was lost."""
    folder = f"C:\\lost-{warm.options.protocol}"
    warm.run(command("New-Item", Path=folder, ItemType="Directory"))
    place.fault("lose_answer", action="Receive", command="Export-VM")
    with pytest.raises(OutcomeUnknown):
        warm.run(command("Get-VM", Name="one"), command("Export-VM", Path=folder))
    (call,) = place.calls("Export-VM")
    assert call["error"] is None


def test_a_hanging_answer_is_given_up(place: Place) -> None:
    with place.session(operation_timeout=1, read_timeout=2) as session:
        session.run(READ)
        place.fault("hang", action="Receive", command="Start-Sleep")
        began = time.monotonic()
        assert session.run(command("Start-Sleep", Seconds=3), timeout=30) == []
        assert time.monotonic() - began < 12


def test_a_host_that_falls_silent_for_good(place: Place) -> None:
    with place.session(operation_timeout=1, read_timeout=2) as session:
        session.run(READ)
        place.fault("hang", count=50)
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            session.run(command("Start-Sleep", Seconds=1), timeout=4)
        assert time.monotonic() - began < 9
        place.lab.clear_faults(HOST)


def test_the_shell_goes_while_the_command_runs(warm: Session, place: Place) -> None:
    with later(0.3, lambda: place.lab.restart_winrm(HOST)), pytest.raises(OutcomeUnknown):
        warm.run(command("Start-Sleep", Seconds=5))
    assert read(warm) == ["one"]


# -- while the command is sent --------------------------------------------------------------------------------------


def test_a_command_that_does_not_arrive(warm: Session, place: Place) -> None:
    place.fault("cut_on_command", command="Start-Sleep")
    with pytest.raises(HostUnreachable) as caught:
        warm.run(WRITE)
    assert (caught.value.code, caught.value.transient) == ("NOT_ARRIVED", True)
    assert place.calls("Start-Sleep") == []
    assert warm.run(command("Start-Sleep", Milliseconds=10)) == []


def test_a_command_that_reads_and_does_not_arrive(warm: Session, place: Place) -> None:
    place.lab.clear_calls()
    place.fault("cut_on_command", command="Get-VM")
    assert read(warm) == ["one"]
    assert len(place.calls("Get-VM")) == 1


def test_a_command_that_arrives_without_our_knowing(warm: Session, place: Place) -> None:
    place.fault("lose_answer", action="Command", command="Start-Sleep")
    assert warm.run(WRITE) == []
    assert len(place.calls("Start-Sleep")) == 1


def test_a_command_that_the_hosts_http_layer_turns_away(warm: Session, place: Place) -> None:
    place.fault("http_status", status=400, action="Command", command="Start-Sleep")
    assert warm.run(WRITE) == []
    assert len(place.calls("Start-Sleep")) == 1


# -- before the command ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rest", [0.0, _session.IDLE + 1])
def test_the_shell_went_while_nobody_looked(warm: Session, place: Place, rest: float) -> None:
    place.lab.restart_winrm(HOST)
    warm._used -= rest
    assert warm.run(WRITE) == []
    place.lab.restart_winrm(HOST)
    assert read(warm) == ["one"]
    assert len(place.calls("Start-Sleep")) == 1


def test_opening_that_breaks_started_nothing(place: Place) -> None:
    place.fault("cut", action="Create")
    with place.session() as session:
        with pytest.raises(HostUnreachable) as caught:
            session.run(WRITE)
        assert caught.value.code == "CONNECTION_BROKEN"
        assert place.lab.calls(HOST) == []
        assert session.run(WRITE) == []
