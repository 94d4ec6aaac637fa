# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every state and progress word, in the status file, in the right order, through the real playbooks."""

from __future__ import annotations

import json
import threading
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import PROGRESS, STATES

from tests.integration.distribution.conftest import MakeSite, make_site
from tests.integration.distribution.site import SOURCE, TEMPLATE, Site, config

__all__ = ["make_site"]
Words = tuple[str, str]

READY, NEEDS, GONE = "Ready", "Needs update", "Not available"
OK, DISTRIBUTING, ADDING, REMOVING, FAILED = (
    "OK",
    "Distributing",
    "Adding provider",
    "Removing provider",
    "Failed to distribute",
)


class Recorder(threading.Thread):
    """Reads the status file all the time and keeps each provider's words, and the template's, in order."""

    def __init__(self, site: Site) -> None:
        super().__init__(daemon=True)
        self._folder = site.folder / "fanout-status"
        self._end = threading.Event()
        self.providers: dict[str, list[Words]] = {}
        self.template: list[str] = []

    def run(self) -> None:
        while not self._end.wait(0.01):
            self.look()

    def look(self) -> None:
        for path in self._folder.glob("*@*.json"):
            document = json.loads(path.read_text())  # it is replaced whole: half of one would be a failure
            _add(self.template, document["distribution"])
            for name, told in document["providers"].items():
                _add(self.providers.setdefault(name, []), (told["state"], told["progress"]))

    def finish(self) -> None:
        self._end.set()
        self.join(30)
        self.look()


def _add(words: list[t.Any], word: t.Any) -> None:
    if not words or words[-1] != word:
        words.append(word)


@contextmanager
def recorded(site: Site) -> Iterator[Recorder]:
    recorder = Recorder(site)
    recorder.start()
    try:
        yield recorder
    finally:
        recorder.finish()


def in_order(words: list[t.Any], *expected: t.Any) -> bool:
    """Whether the expected words come one after the other, others between them allowed."""
    rest = iter(words)
    return all(any(word == wanted for word in rest) for wanted in expected)


@pytest.mark.slow
def test_every_word_is_seen_in_the_right_order(make_site: MakeSite) -> None:
    site = make_site(config(targets=3, network_rate="12MiB"))
    seen: set[str] = set()
    templates: set[str] = set()

    def play(*arguments: str, playbook: str = "distribute", code: int = 0, **extra: t.Any) -> Recorder:
        with recorded(site) as recorder:
            played = site.play(playbook, *arguments, **extra)
        assert (played.code == 0) is (code == 0), played.output
        seen.update(word for words in recorder.providers.values() for pair in words for word in pair)
        templates.update(recorder.template)
        return recorder

    first = play(distribute_targets=["hv02", "hv03"])
    for name in ("hv02", "hv03"):
        assert in_order(first.providers[name], (NEEDS, OK), (NEEDS, ADDING), (READY, OK)), first.providers[name]
        assert first.providers[name][-1] == (READY, OK)
    assert in_order(first.template, ADDING, OK), first.template

    # A new revision: what is there is older, and is replaced.
    (template,) = site.vms(SOURCE)
    site.lab.patch_vm(SOURCE, template["id"], memory="8GiB")
    site.lab.down("hv03")
    second = play(code=1)
    assert in_order(second.providers["hv02"], (READY, OK), (NEEDS, OK), (NEEDS, DISTRIBUTING), (READY, OK))
    assert second.providers["hv03"][-1] == (GONE, FAILED), second.providers["hv03"]
    assert in_order(second.template, DISTRIBUTING, FAILED), second.template
    assert ADDING not in {word for words in second.providers.values() for _state, word in words}

    # It is back: the failure is known until it is made good.
    site.lab.up("hv03")
    third = play("--limit", "hv03")
    assert in_order(third.providers["hv03"], (GONE, FAILED), (NEEDS, FAILED), (NEEDS, DISTRIBUTING), (READY, OK))
    assert third.providers["hv02"] == [(READY, OK)], "a run for others says nothing new about it"

    # Adding one while the others stay as they are.
    fourth = play(playbook="add", provider="hv04")
    assert in_order(fourth.providers["hv04"], (NEEDS, ADDING), (READY, OK)), fourth.providers["hv04"]
    assert {word for name in ("hv02", "hv03") for word in fourth.providers[name]} == {(READY, OK)}
    assert in_order(fourth.template, OK, ADDING, OK), fourth.template

    # Removing one that is down: it stays until it was there.
    site.lab.down("hv04")
    fifth = play(playbook="remove", provider="hv04", code=1)
    assert fifth.providers["hv04"][-1] == (GONE, REMOVING), fifth.providers["hv04"]
    assert fifth.template[-1] == REMOVING
    site.lab.up("hv04")
    sixth = play()
    assert sixth.providers["hv04"][-1][1] == REMOVING
    assert "hv04" not in site.words()
    assert site.names("hv04") == []
    assert sixth.template[-1] == OK

    # Started by hand.
    (copy,) = site.vms("hv02")
    site.lab.patch_vm("hv02", copy["id"], state="Running")
    seventh = play(code=1)
    assert seventh.providers["hv02"] == [(READY, OK), (NEEDS, FAILED)]
    site.lab.patch_vm("hv02", copy["id"], state="Off")
    eighth = play()
    assert eighth.providers["hv02"] == [(NEEDS, FAILED), (READY, OK)], "nothing was written to it: it is as it was"
    assert [vm["name"] for vm in site.vms("hv02")] == [TEMPLATE]

    assert seen == {*STATES, *PROGRESS}
    assert templates == set(PROGRESS)
