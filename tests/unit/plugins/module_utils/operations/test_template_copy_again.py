# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies that are there already and are not as they were, and tries that failed for a while."""

from __future__ import annotations

import functools
import hashlib
import typing as t
from collections.abc import Callable
from dataclasses import replace

import pytest
from ansible_collections.fanout.hyperv.plugins.module_utils import _moving
from ansible_collections.fanout.hyperv.plugins.module_utils._errors import (
    CommandFailed,
    HostUnreachable,
    HyperVError,
    OperationTimedOut,
    OutcomeUnknown,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._manifest import Manifest
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM
from ansible_collections.fanout.hyperv.plugins.module_utils._retrying import Retry
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Values
from ansible_collections.fanout.hyperv.plugins.module_utils.operations import template_copy
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.fake_host import T_ID, FakeHost
from ansible_collections.fanout.hyperv.tests.unit.plugins.module_utils.operations.test_template_copy import (
    DESTINATION,
    NAME,
    REVISION,
    THERE,
    Pair,
    assert_supplied,
    new_pair,
    older_copy,
    supply,
)


@pytest.fixture
def pair() -> Pair:
    return new_pair()


def with_hashes(pair: Pair) -> Pair:
    """The export's manifest knows what its disk's bytes are."""
    source, _target = pair
    path = THERE.manifest(REVISION)
    manifest = Manifest.from_json(str(source.files.read_text(path)))
    sha = hashlib.sha256(b"1000").hexdigest()
    files = tuple(replace(file, sha256=sha) for file in manifest.files)
    source.files.put(path, replace(manifest, files=files).to_json())
    return pair


def the_copy(pair: Pair) -> VM:
    (copy,) = pair[1].machines.values()
    return copy


def forget(pair: Pair) -> None:
    for host in pair:
        host.writes.clear()


def wrote(pair: Pair) -> set[str]:
    return {what for host in pair for what, _which in host.writes}


# Copies that are there already


def test_damage_that_sizes_do_not_show_is_found_by_reading(pair: Pair) -> None:
    with_hashes(pair)
    supply(pair, verify="hash")
    target, copy = pair[1], the_copy(pair)
    (disk,) = target.attached[copy.id]
    target.files.content[disk] = "damaged"
    forget(pair)
    assert not supply(pair)["changed"], "without reading it nothing is seen"
    planned = supply(pair, verify="hash", check_mode=True)
    assert planned["changed"]
    assert planned["reason"] == "damaged"
    assert "SHA-256 is" in planned["reasons"][0]
    assert wrote(pair) == set()
    done = supply(pair, verify="hash")
    assert not done.get("failed"), done
    assert copy.id not in target.machines
    assert_supplied(pair)
    assert not supply(pair, verify="hash")["changed"]


def test_a_copy_that_is_in_order_is_read_and_not_written_to(pair: Pair) -> None:
    with_hashes(pair)
    supply(pair, verify="hash")
    forget(pair)
    pair[1].hashed.clear()
    assert not supply(pair, verify="hash")["changed"]
    assert pair[1].hashed == pair[1].attached[the_copy(pair).id]
    assert wrote(pair) == set()


@pytest.mark.parametrize("verify", ["size", "hash"])
def test_a_copy_that_was_renamed_only_gets_its_name_back(pair: Pair, verify: str) -> None:
    with_hashes(pair)
    supply(pair, verify=verify)
    copy = the_copy(pair)
    pair[1].change(copy.id, name="mine now")
    forget(pair)
    done = supply(pair, verify=verify)
    assert done["changed"], done
    assert done["plan"] == [f"name it {NAME}"]
    assert list(pair[1].machines) == [copy.id]
    assert not wrote(pair) & {"import", "move", "remove_vm"}
    assert_supplied(pair)


def test_a_copy_that_was_renamed_and_damaged_is_made_anew(pair: Pair) -> None:
    with_hashes(pair)
    supply(pair, verify="hash")
    target, copy = pair[1], the_copy(pair)
    target.change(copy.id, name="mine now")
    target.files.content[target.attached[copy.id][0]] = "damaged"
    done = supply(pair, verify="hash")
    assert not done.get("failed"), done
    assert copy.id not in target.machines
    assert_supplied(pair)


@pytest.mark.parametrize("verify", ["size", "hash"])
def test_a_copy_whose_stamp_was_wiped_is_adopted_when_that_is_asked_for(pair: Pair, verify: str) -> None:
    with_hashes(pair)
    supply(pair)
    copy = the_copy(pair)
    pair[1].change(copy.id, notes="mine")
    forget(pair)
    planned = supply(pair, verify=verify, adopt=True, check_mode=True)
    assert planned["plan"] == ["verify and stamp the copy that is there", f"name it {NAME}"]
    done = supply(pair, verify=verify, adopt=True)
    assert not done.get("failed"), done
    assert list(pair[1].machines) == [copy.id]
    assert pair[1].machines[copy.id].notes.startswith("mine")
    assert not wrote(pair) & {"import", "move", "remove_vm"}
    assert not supply(pair)["changed"]


def test_what_is_not_the_copy_it_was_is_not_adopted_and_not_removed(pair: Pair) -> None:
    with_hashes(pair)
    supply(pair)
    target, copy = pair[1], the_copy(pair)
    target.change(copy.id, notes="mine")
    target.files.content[target.attached[copy.id][0]] = "something else"
    forget(pair)
    done = supply(pair, verify="hash", adopt=True)
    assert done["error"]["code"] == "VERIFICATION_FAILED"
    assert target.machines[copy.id].notes == "mine"
    assert "remove_vm" not in wrote(pair)


def test_an_older_copy_that_is_started_while_the_new_one_comes_is_left_running(pair: Pair) -> None:
    old = older_copy(pair)
    source, target = pair
    source.on_move = lambda *_move: target.change(old.id, state="Running")
    done = supply(pair)
    assert done["error"]["code"] == "COPY_RUNNING"
    assert (target.machines[old.id].name, target.machines[old.id].state) == (NAME, "Running")
    source.on_move = lambda *_move: pytest.fail("it has arrived already")
    target.change(old.id, state="Off")
    done = supply(pair)
    assert not done.get("failed"), done
    assert old.id not in target.machines
    assert_supplied(pair)


# Tries that failed for a while


class Time:
    """Passes only while somebody waits to try again; the host's list of jobs is never late."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(_moving, "LATE", 0)
        again = functools.partial(Retry, clock=lambda: self.now, sleep=self.sleep)
        monkeypatch.setattr(template_copy, "Retry", again)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(monkeypatch)


def fails(*errors: HyperVError) -> Callable[..., None]:
    """Moves fail with these errors, one after the other."""
    left = list(errors)

    def fail(*_move: t.Any) -> None:
        if left:
            raise left.pop(0)

    return fail


def moves(pair: Pair) -> int:
    return sum(what == "move" for what, _which in pair[0].writes)


def entry(done: Values) -> Values:
    told: Values = done["distribution"]["providers"]["hv02"]
    return told


BUSY = functools.partial(CommandFailed, "busy", code="BUSY", transient=True)


def test_an_error_that_may_pass_is_tried_again_after_pauses_that_grow(pair: Pair, time: Time) -> None:
    pair[0].on_move = fails(BUSY(), BUSY())
    done = supply(pair)
    assert not done.get("failed"), done
    assert (done["attempts"], entry(done)["attempts"], time.now) == (3, 3, 30.0)
    assert moves(pair) == 3
    assert_supplied(pair)


def test_after_the_last_try_the_error_says_how_many_there_were(pair: Pair, time: Time) -> None:
    pair[0].on_move = fails(BUSY(), BUSY(), BUSY())
    done = supply(pair, retries=1, retry_delay=5.0)
    assert done["error"]["code"] == "BUSY"
    assert (entry(done)["attempts"], time.now) == (2, 5.0)
    assert list(pair[0].machines) == [T_ID]
    assert pair[1].machines == {}


@pytest.mark.parametrize(
    "error", [CommandFailed("no"), CommandFailed("full", code="DISK_FULL"), OperationTimedOut("too long")]
)
def test_what_will_not_pass_is_tried_once(pair: Pair, time: Time, error: HyperVError) -> None:
    pair[0].on_move = fails(error)
    done = supply(pair)
    assert done["failed"]
    assert (entry(done)["attempts"], time.now, moves(pair)) == (1, 0.0, 1)


def test_after_a_lost_answer_the_hosts_are_asked_before_anything_is_repeated(pair: Pair, time: Time) -> None:
    source, _target = pair

    def lost(host: FakeHost, machine: VM, _destination: str, folder: str) -> None:
        host.arrive(machine.id, DESTINATION, folder)
        raise OutcomeUnknown("the answer was lost")

    source.on_move = lost
    done = supply(pair)
    assert not done.get("failed"), done
    assert moves(pair) == 1
    assert_supplied(pair)


def test_a_clone_that_an_earlier_try_left_idle_is_cleared(pair: Pair, time: Time) -> None:
    pair[0].on_move = fails(OutcomeUnknown("cut"))
    done = supply(pair)
    assert not done.get("failed"), done
    assert done["attempts"] == 2, "its own lease, kept because the move might have run, does not stand in the way"
    assert_supplied(pair)


def test_a_host_that_was_away_for_a_moment(pair: Pair, time: Time) -> None:
    source = pair[0]
    plain, left = source.rename_vm, [HostUnreachable("away", host="hv01")]

    def rename(vm_id: str, name: str) -> None:
        if left:
            raise left.pop()
        plain(vm_id, name)

    source.rename_vm = rename  # type: ignore[method-assign]
    done = supply(pair)
    assert (done.get("failed"), done["attempts"]) == (None, 2)
    assert_supplied(pair)


def test_a_source_that_does_not_answer_at_all_is_not_waited_for_by_every_target(pair: Pair, time: Time) -> None:
    source = pair[0]

    def gone(*_arguments: t.Any) -> t.NoReturn:
        raise HostUnreachable("gone", host="hv01")

    source.files.entries = gone  # type: ignore[method-assign, assignment]
    done = supply(pair)
    assert done["error"]["code"] == "UNREACHABLE"
    assert (entry(done)["attempts"], time.now) == (1, 0.0)
    assert "answers" not in entry(done)["facts"], "that the source is gone says nothing of the target"


def test_retries_can_be_turned_off_and_nonsense_is_refused(pair: Pair, time: Time) -> None:
    pair[0].on_move = fails(BUSY())
    assert supply(pair, retries=0)["error"]["code"] == "BUSY"
    assert supply(pair, retries=-1)["error"]["code"] == "INVALID_INPUT"
