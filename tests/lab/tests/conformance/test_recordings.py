# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded exchanges of real hosts: whole in themselves, and answered by the lab as they were answered there."""

from __future__ import annotations

import asyncio
import functools
import uuid
from pathlib import Path

import pytest
from hyperv_lab.transport import psrp, scripts

from tests.recordings.exchanges import FOLDER, MISSING, Conversation, Recording, found, joined, load
from tests.recordings.fragments import TO_CLIENT, TO_SERVER, Message

from .allowed import ALLOWED, JOINED, NOT_REPLAYED, refused
from .compare import Difference
from .replay import Pair, RecordedRun, Replay, script_answers

PATHS = found()
KNOWN = [path for path in PATHS if path.stem.startswith("test_")]
"""Those of pypsrp's project."""
NAMES = [path.stem for path in PATHS]
POOL_ONLY = {"SessionCapability", "ApplicationPrivateData", "RunspacePoolState", "RunspaceAvailability"}
pytestmark = pytest.mark.skipif(not PATHS, reason=MISSING)
every_recording = pytest.mark.parametrize("path", PATHS, ids=NAMES)


@functools.cache
def read(path: Path) -> Recording:
    recording = load(path)
    return joined(recording, JOINED[recording.name]) if recording.name in JOINED else recording


@functools.cache
def replayed(path: Path) -> list[Pair]:
    recording = read(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psrp, "PipelineRun", RecordedRun)
        if not recording.is_psrp:
            patch.setattr(scripts, "answer", script_answers(recording))
        replay = Replay(recording)
        pairs = asyncio.run(replay.run())
        assert replay.bugs == []
    return pairs


@every_recording
def test_a_recording_is_whole(path: Path) -> None:
    """Fragments, ids and addressing of both directions: what the lab's own messages are held to as well."""
    recording = read(path)
    conversation, asked = Conversation(), set()
    for exchange in recording.exchanges:
        asked.add(exchange.request.find("{http://schemas.xmlsoap.org/ws/2004/08/addressing}MessageID"))
        if exchange.response is None:
            continue
        assert exchange.response.find("{http://schemas.xmlsoap.org/ws/2004/08/addressing}RelatesTo") in asked
        if not exchange.is_psrp:
            continue
        shell = exchange.request.shell_id or ""
        if exchange.request.operation == "Connect":
            conversation.restart(shell)
        for message in conversation.messages(exchange.request, "request", shell):
            assert message.destination == TO_SERVER
        for message in conversation.messages(exchange.response, "response", exchange.response.shell_id or shell):
            check_answer(message)


def check_answer(message: Message) -> None:
    assert message.destination == TO_CLIENT
    if message.kind in POOL_ONLY:
        assert message.pipeline == uuid.UUID(int=0)
    elif message.kind.startswith("Pipeline"):
        assert message.pipeline != uuid.UUID(int=0)


@every_recording
def test_the_lab_answers_as_the_real_host_did(path: Path) -> None:
    if path.stem in NOT_REPLAYED:
        pytest.skip(NOT_REPLAYED[path.stem])
    pairs = replayed(path)
    assert pairs
    for pair in pairs:
        where = f"{path.stem}[{pair.number}] {pair.operation}"
        assert pair.status[0] == pair.status[1], where
        found_here = refused(path.stem, pair.differences)
        assert not found_here, "\n".join([where, *map(str, found_here)])


@pytest.mark.skipif(len(KNOWN) < 39, reason=MISSING)
def test_every_allowed_difference_is_there() -> None:
    """An allowance that nothing needs would hide what comes later."""
    pairs = [(path.stem, pair) for path in KNOWN if path.stem not in NOT_REPLAYED for pair in replayed(path)]
    unused = [
        allowed
        for allowed in ALLOWED
        if not any(allowed.covers(name, one) for name, pair in pairs for one in pair.differences)
    ]
    assert unused == []
    assert NOT_REPLAYED.keys() | JOINED.keys() <= {path.stem for path in KNOWN}


@pytest.mark.skipif(not KNOWN, reason=MISSING)
def test_a_difference_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison itself: another state, another element and another order are not allowed."""
    name = "test_psrp_open_runspace"
    for one in (
        Difference("Envelope/Body/Shell/State", "value", "Connected", "Disconnected"),
        Difference("Envelope/Body/Shell/BufferMode", "missing"),
        Difference("Envelope/Body/ReceiveResponse/Stream[stdout]", "order"),
        Difference("Envelope/Body/ReceiveResponse/Stream[stdout]/PipelineState/Obj/MS/I32[PipelineState]", "value"),
    ):
        assert refused(name, (one,)) == [one]
    monkeypatch.setattr(psrp.PSShell, "input_streams", "stdin")
    pairs = asyncio.run(Replay(read(FOLDER / f"{name}.yml")).run())
    assert refused(name, pairs[0].differences) == [
        Difference("Envelope/Body/Shell/InputStreams", "value", "stdin pr", "stdin")
    ]
