# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The acceptance journey against the lab: every statement true, and recordings that tell nothing, replayed."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
import yaml
from hyperv_lab.transport import psrp

from tests.acceptance.__main__ import in_the_lab, report
from tests.acceptance.journey import Journey
from tests.lab.tests.conformance.allowed import refused
from tests.lab.tests.conformance.replay import RecordedRun, Replay
from tests.recordings.exchanges import Conversation, Recording

TEMPLATE = "win11-gold"
REPLAYED = 6


def everything_in(recording: Recording) -> str:
    """The file's text, and that of the messages inside."""
    conversation, parts = Conversation(), [recording.path.read_text(encoding="utf-8")]
    for exchange in recording.exchanges:
        shell = exchange.request.shell_id or ""
        for side, envelope in (("request", exchange.request), ("response", exchange.response)):
            if envelope is not None and exchange.is_psrp:
                parts += [message.text for message in conversation.messages(envelope, side, shell)]
    return "\n".join(parts)


def check_cleaned(journey: Journey, recordings: list[Recording]) -> None:
    inventory = yaml.safe_load(journey.place.inventory.read_text(encoding="utf-8"))["hyperv"]
    words = [inventory["vars"]["ansible_password"], inventory["vars"]["ansible_user"], "lab.test"]
    for name, variables in inventory["hosts"].items():
        words += [name, variables["ansible_host"]]
    found = "|".join(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])" for word in words)
    # Three letters stand between two signs somewhere in base64, sooner or later.
    telling = re.compile(rf"{found}|(?<![A-Za-z0-9+/])LAB(?![A-Za-z0-9+/=])", re.IGNORECASE)
    for recording in recordings:
        told = telling.search(everything_in(recording))
        assert told is None, f"{recording.name}: {told}"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_journey_against_the_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journey = in_the_lab(tmp_path, targets=2, template=TEMPLATE)
    assert journey.untaken == []
    wrong = [str(one) for one in journey.statements if not one.true]
    assert not wrong, "\n".join(wrong)
    assert len(journey.statements) > 20

    text = report(tmp_path, journey, journey).read_text(encoding="utf-8")
    assert "NO" not in text
    assert text.endswith("## What differed from the lab\n\nNothing.\n")

    recordings = journey.place.recordings()
    assert len(recordings) > 20
    assert not (tmp_path / "raw").exists()
    check_cleaned(journey, recordings)

    monkeypatch.setattr(psrp, "PipelineRun", RecordedRun)
    for recording in sorted(recordings, key=lambda one: len(one.exchanges))[-REPLAYED:]:
        for pair in asyncio.run(Replay(recording).run()):
            assert not refused(recording.name, pair.differences), f"{recording.name}[{pair.number}]"
