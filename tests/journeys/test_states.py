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


class Seen:
    """The words of one journey."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.words: set[str] = set()
        self.template: set[str] = set()

    def play(self, *arguments: str, playbook: str = "distribute", code: int = 0, **extra: t.Any) -> Recorder:
        with recorded(self.site) as recorder:
            played = self.site.play(playbook, *arguments, **extra)
        assert (played.code == 0) is (code == 0), played.output
        self.words.update(word for words in recorder.providers.values() for pair in words for word in pair)
        self.template.update(recorder.template)
        return recorder


# The two journeys together see every word there is.
COPYING = {OK, ADDING, DISTRIBUTING, FAILED}
JOINING = {OK, ADDING, REMOVING}
assert {READY, NEEDS, GONE} == set(STATES)
assert set(PROGRESS) == COPYING | JOINING


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_first_copies_new_revisions_failures_and_what_was_done_by_hand(make_site: MakeSite) -> None:
    site = make_site(config(targets=2, network_rate="12MiB"))
    seen = Seen(site)
    first = seen.play()
    for name in ("hv02", "hv03"):
        assert in_order(first.providers[name], (NEEDS, OK), (NEEDS, ADDING), (READY, OK)), first.providers[name]
        assert first.providers[name][-1] == (READY, OK)
    assert in_order(first.template, ADDING, OK), first.template

    # A new revision: what is there is older, and is replaced.
    (template,) = site.vms(SOURCE)
    site.lab.patch_vm(SOURCE, template["id"], memory="8GiB")
    site.lab.down("hv03")
    second = seen.play(code=1)
    assert in_order(second.providers["hv02"], (READY, OK), (NEEDS, OK), (NEEDS, DISTRIBUTING), (READY, OK))
    assert second.providers["hv03"][-1] == (GONE, FAILED), second.providers["hv03"]
    assert in_order(second.template, DISTRIBUTING, FAILED), second.template
    assert ADDING not in {word for words in second.providers.values() for _state, word in words}

    # It is back: the failure is known until it is made good.
    site.lab.up("hv03")
    third = seen.play("--limit", "hv03")
    assert in_order(third.providers["hv03"], (GONE, FAILED), (NEEDS, FAILED), (NEEDS, DISTRIBUTING), (READY, OK))
    assert third.providers["hv02"] == [(READY, OK)], "a run for others says nothing new about it"

    # Started by hand.
    (copy,) = site.vms("hv02")
    site.lab.patch_vm("hv02", copy["id"], state="Running")
    fourth = seen.play(code=1)
    assert fourth.providers["hv02"] == [(READY, OK), (NEEDS, FAILED)]
    site.lab.patch_vm("hv02", copy["id"], state="Off")
    fifth = seen.play()
    assert fifth.providers["hv02"] == [(NEEDS, FAILED), (READY, OK)], "nothing was written to it: it is as it was"
    assert [vm["name"] for vm in site.vms("hv02")] == [TEMPLATE]

    assert seen.words == {READY, NEEDS, GONE} | COPYING
    assert seen.template == COPYING


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_providers_that_join_and_leave(make_site: MakeSite) -> None:
    site = make_site(config(targets=2, network_rate="24MiB"))
    seen = Seen(site)
    seen.play(distribute_targets=["hv02"])

    # One is added while the other stays as it is.
    added = seen.play(playbook="add", provider="hv03")
    assert in_order(added.providers["hv03"], (NEEDS, ADDING), (READY, OK)), added.providers["hv03"]
    assert set(added.providers["hv02"]) == {(READY, OK)}
    assert in_order(added.template, OK, ADDING, OK), added.template

    # One that is removed while it is down stays until it was there.
    site.lab.down("hv03")
    refused = seen.play(playbook="remove", provider="hv03", code=1)
    assert refused.providers["hv03"][-1] == (GONE, REMOVING), refused.providers["hv03"]
    assert set(refused.providers["hv02"]) == {(READY, OK)}
    assert refused.template[-1] == REMOVING
    site.lab.up("hv03")
    gone = seen.play()
    assert {word for _state, word in gone.providers["hv03"]} == {REMOVING}
    assert list(site.words()) == ["hv02"]
    assert site.names("hv03") == []
    assert gone.template[-1] == OK

    assert seen.words == {READY, NEEDS, GONE} | JOINING
    assert seen.template == JOINING
