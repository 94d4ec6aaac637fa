# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running commands: values, errors, progress, deadlines."""

from __future__ import annotations

import datetime
import time
import typing as t
from collections.abc import Callable

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    CommandFailed,
    InvalidInput,
    OperationTimedOut,
    Orphaned,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._session import (
    Int64,
    ProgressRecord,
    Secret,
    Session,
    UInt32,
    UInt64,
    command,
)

from .conftest import COMMANDS_PER_SHELL, HOST, Place


def until(condition: Callable[[], t.Any], seconds: float = 20) -> t.Any:
    """What the condition says when it is true; fails after some time."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found


@pytest.mark.parametrize(
    "value",
    [
        True,
        5,
        -(2**31),
        2**31,
        64 * 2**30,
        2**63,
        1.5,
        1e300,
        datetime.timedelta(hours=1, seconds=1.5),
        -datetime.timedelta(days=400, seconds=1),
        datetime.datetime(2026, 11, 20, 13, 9, 1, 5, tzinfo=datetime.timezone.utc),
        b"\x00\xff",
        "a'b\"$(x);`\n\x00ä_x0041_\U0001f600",
        "",
        [1, "a", 2**40, [True, None]],
        {"a": 1, "b": ["c"]},
    ],
    ids=str,
)
def test_values_go_there_and_back(session: Session, value: t.Any) -> None:
    session.run(command("Set-Variable", Name="kept", Value=value))
    (came,) = session.run(command("Get-Variable", Name="kept", ValueOnly=True))
    assert came == value
    assert type(came) is type(value)


def test_integers_of_a_certain_type(place: Place) -> None:
    with place.session() as session:
        for value in (Int64(5), UInt32(2**32 - 1), UInt64(5)):
            session.run(command("Set-Variable", Name="kept", Value=value))
            assert session.run(command("Get-Variable", Name="kept", ValueOnly=True)) == [int(value)]


def test_what_the_strict_binder_takes(place: Place) -> None:
    """Memory beyond Int32, ids as text, a switch, an enum by name."""
    with place.session() as session:
        vm = session.run(command("Get-VM", Name="two"))[0]
        pipeline = command("Get-VM", Id=vm["Id"]), command("Set-VM", MemoryStartupBytes=6 * 2**30, Passthru=True)
        changed = session.run(*pipeline)[0]
    assert changed["MemoryStartup"] == 6 * 2**30
    assert changed["Id"] == vm["Id"]


def test_enums_arrive_as_names_in_both_shapes(place: Place) -> None:
    with place.session() as session:
        raw = session.run(command("Get-VM", Name="one"))[0]
        selected = session.run(command("Get-VM", Name="one"), command("Select-Object", Property=["State", "Name"]))[0]
    assert raw["State"] == selected["State"] == "Off"
    assert raw["_type"] == "Microsoft.HyperV.PowerShell.VirtualMachine"
    assert selected["_type"].startswith("Selected.")


# -- errors ---------------------------------------------------------------------------------------------------------


def test_an_error_after_which_the_host_went_on(session: Session) -> None:
    asked = command("Get-VM", Name=["nobody", "one"])
    with pytest.raises(CommandFailed) as caught:
        session.run(asked)
    record = caught.value.records[0]
    assert record.identifier == "InvalidParameter"
    assert (record.category, record.command, record.terminating) == ("InvalidArgument", "Get-VM", False)
    outcome = session.run(asked, check=False)
    assert [vm["Name"] for vm in outcome.objects] == ["one"]
    assert outcome.errors == (record,)
    assert not outcome.failed


def test_an_error_that_ends_it(session: Session) -> None:
    with pytest.raises(CommandFailed) as caught:
        session.run(command("Get-VM", Name="nobody", ErrorAction="Stop"))
    assert caught.value.records[-1].terminating
    assert session.run(command("Get-VM", Name="one"))


def test_the_hosts_hresult_says_what_to_do(place: Place) -> None:
    place.fault("fail_command", command="Export-VM", message="Fehlgeschlagen. (0x80070070)")
    with place.session() as session, pytest.raises(CommandFailed) as caught:
        session.run(command("Export-VM", Name="one", Path="C:\\export"))
    assert caught.value.code == "DISK_FULL"
    assert "0x80070070" in str(caught.value.raw)
    assert caught.value.remedy


@pytest.mark.parametrize(("name", "parameters"), [("No-SuchThing", {}), ("Get-VM", {"Colour": "red"})])
def test_a_command_that_does_not_exist(place: Place, name: str, parameters: dict[str, t.Any]) -> None:
    with place.session() as session, pytest.raises(CommandFailed) as caught:
        session.run(command(name, **parameters))
    assert caught.value.code in ("CMDLET_MISSING", "CMDLET_DIFFERS")


def test_what_cannot_be_sent_is_not_sent(place: Place) -> None:
    with place.session() as session, pytest.raises(InvalidInput):
        session.run(command("Get-VM", Name=object()))
    assert place.lab.calls(HOST) == []


def test_a_secret_goes_encrypted_and_is_seen_nowhere(place: Place) -> None:
    with place.session(protocol="http") as session:
        session.run(command("Set-Variable", Name="kept", Value=[Secret("t0p-secret"), "open"]))
    assert len(place.calls("Set-Variable")) == 1
    assert "t0p-secret" not in str(place.lab.calls(HOST))


# -- time -----------------------------------------------------------------------------------------------------------


def test_progress_arrives_while_it_runs(session: Session, place: Place) -> None:
    records: list[ProgressRecord] = []
    polls: list[float] = []
    folder = f"C:\\progress-{session.options.protocol}"
    session.run(command("New-Item", Path=folder, ItemType="Directory"))
    session.run(
        command("Get-VM", Name="one"),
        command("Export-VM", Path=folder),
        on_progress=records.append,
        on_poll=lambda: polls.append(time.monotonic()),
        poll_every=0.1,
    )
    percents = [record.percent for record in records if record.percent is not None]
    assert len(percents) > 1 and percents == sorted(percents)
    assert polls


def test_the_deadline_stops_the_command_on_the_host(session: Session, place: Place) -> None:
    began = time.monotonic()
    with pytest.raises(OperationTimedOut) as caught:
        session.run(command("Start-Sleep", Seconds=60), timeout=1)
    assert caught.value.stopped
    assert time.monotonic() - began < 10
    assert until(lambda: place.calls("Start-Sleep")[0]["ended"] is not None)
    assert session.run(command("Get-VM", Name="one"))


def test_what_a_callback_raises_stops_the_command_on_the_host(place: Place) -> None:
    def fail() -> None:
        raise KeyError("lease lost")

    with place.session() as session, pytest.raises(KeyError):
        session.run(command("Start-Sleep", Seconds=60), on_poll=fail, poll_every=0.1)
    assert until(lambda: place.calls("Start-Sleep")[0]["ended"] is not None)


def test_an_orphans_command_goes_on(place: Place) -> None:
    def notice() -> None:
        raise Orphaned

    with pytest.raises(Orphaned), place.session() as session:
        session.run(command("Start-Sleep", Seconds=3), on_poll=notice, poll_every=0.1)
    assert place.calls("Start-Sleep")[0]["ended"] is None
    ended = until(lambda: place.calls("Start-Sleep")[0]["ended"] is not None and place.calls("Start-Sleep")[0])
    assert ended["error"] is None
    assert ended["ended"] - ended["started"] >= 3
    place.lab.restart_winrm(HOST)  # takes the shell away that was left


def test_more_commands_than_a_shell_may_hold(session: Session) -> None:
    for _time in range(COMMANDS_PER_SHELL * 2):
        assert session.run(command("Get-VM", Name="one"))


def test_big_parameters_and_answers(session: Session) -> None:
    text = "0123456789abcdef" * 40000
    session.run(command("Set-Variable", Name="kept", Value=text))
    assert session.run(command("Get-Variable", Name="kept", ValueOnly=True)) == [text]
