# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report in a real browser: it opens without a word on the console, asks for nothing, and no name does anything."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._report import render
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import (
    Document,
    Phase,
    Provider,
    Run,
    Template,
    Throughput,
    error_of,
    seconds,
    utc,
)

from .browser import MISSING, Browser, find

PROGRAM = find()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

T0 = seconds("2026-11-20T13:00:00Z")
SCRIPT = "<script>document.title='owned';alert(1)</script>"
HOSTILE = f"\"'><img src=x onerror=\"document.title='owned'\">{SCRIPT}\u202e\u2066fdp.exe"
FULL = error_of({"code": "DISK_FULL", "layer": "hyperv", "message": "The disk is full.", "remedy": "Make room."})


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM) as one:
        yield one


def document(providers: dict[str, Provider], state: str = "finished", **template: t.Any) -> Document:
    return Document(
        template=Template(**{"name": "win11-gold", "source": "hv01", "revision": "985f74d2bff0", **template}),
        concurrency=2,
        runs=(Run(id="run-1", started=utc(T0), updated=utc(T0 + 60), state=state),),
        providers=providers,
        throughput=Throughput(run="run-1", started=utc(T0), every=1, rates=(5, 9, 7)),
    )


def ready(**more: t.Any) -> Provider:
    phases = (Phase(phase="copying", started=utc(T0 + 1), finished=utc(T0 + 30)),)
    return Provider(**{"state": "Ready", "progress": "OK", "percent": 100.0, "phases": phases, **more})


def failed() -> Provider:
    return Provider(state="Needs update", progress="Failed to distribute", error=FULL)


def opened(browser: Browser, folder: Path, shown: Document) -> str:
    """The page's text, after it was opened from disk; it has said and asked for nothing."""
    page = folder / "page.html"
    page.write_text(render(shown, now=T0 + 60, file_name="win11-gold@hv01.json"), encoding="utf-8")
    browser.said.clear()
    browser.requested.clear()
    browser.look()
    browser.open(page)
    assert browser.said == []
    assert {url for url in browser.requested if not url.startswith("data:")} == {page.as_uri()}
    text: str = browser.value("document.body.innerText")
    return text


def rows(browser: Browser) -> dict[str, list[str]]:
    found: dict[str, list[str]] = browser.value(
        "Object.fromEntries([...document.querySelectorAll('[aria-labelledby=providers] tr')]"
        ".filter(row => row.querySelector('th[scope=row]'))"
        ".map(row => [row.querySelector('bdi').innerText,"
        " [...row.querySelectorAll('td .word')].map(one => one.innerText)]))"
    )
    return found


def test_it_shows_the_states(browser: Browser, tmp_path: Path) -> None:
    away = Provider(state="Not available", progress="OK")
    text = opened(browser, tmp_path, document({"hv02": ready(), "hv03": failed(), "hv04": away}))
    assert rows(browser) == {
        "hv02": ["Ready", "OK"],
        "hv03": ["Needs update", "Failed to distribute"],
        "hv04": ["Not available", "OK"],
    }
    assert "1 of 3" in text
    assert "Make room." in text


def test_a_hostile_name_does_nothing(browser: Browser, tmp_path: Path) -> None:
    error = FULL | {"message": HOSTILE, "raw": HOSTILE}
    providers = {
        HOSTILE: Provider(state="Needs update", progress="Failed to distribute", error=error, reasons=(HOSTILE,))
    }
    text = opened(browser, tmp_path, document(providers, name=HOSTILE, source=HOSTILE))
    assert SCRIPT in text
    assert "\u202e" not in text
    assert "owned" in browser.value("document.title")  # as a word of the name,
    assert browser.value("document.title").endswith(": Failed to distribute")  # not by its script
    assert browser.value("document.scripts.length + document.images.length") == 0


def test_a_page_of_a_run_that_goes_on_loads_itself_anew(browser: Browser, tmp_path: Path) -> None:
    opened(browser, tmp_path, document({"hv02": ready(), "hv03": failed()}, state="running"))
    opened_once = browser.loads
    page = tmp_path / "page.html"
    page.write_text(render(document({"hv02": ready()}), now=T0 + 90, file_name="x"), encoding="utf-8")
    browser.wait(lambda: browser.loads > opened_once)
    assert rows(browser) == {"hv02": ["Ready", "OK"]}
    assert browser.said == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_follows_the_reader_s_choice_of_light_and_dark(browser: Browser, tmp_path: Path, dark: bool) -> None:
    opened(browser, tmp_path, document({"hv02": ready()}))
    browser.look(dark=dark)
    ground = browser.value("getComputedStyle(document.documentElement).backgroundColor")
    channels = [int(part) for part in ground.removeprefix("rgb(").removesuffix(")").split(",")]
    assert (max(channels) < 60) == dark


def test_on_paper_it_is_light_and_complete(browser: Browser, tmp_path: Path) -> None:
    opened(browser, tmp_path, document({f"hv{number:02}": ready() for number in range(2, 60)}))
    browser.look(dark=True, medium="print")
    assert browser.value("getComputedStyle(document.querySelector('h1')).color") == "rgb(23, 26, 33)"
    browser.paper(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    browser.look()


@pytest.mark.parametrize("width", [1200, 390], ids=["desk", "telephone"])
def test_300_providers_can_be_read(browser: Browser, tmp_path: Path, width: int) -> None:
    names = [f"hyperv-{number:03}.branch-{number % 7}.example.com" for number in range(300)]
    providers = {name: failed() if number % 40 == 3 else ready() for number, name in enumerate(names)}
    browser.look(width=width)
    text = opened(browser, tmp_path, document(providers))
    browser.look(width=width)
    assert "292 of 300" in text
    assert len(rows(browser)) == 300
    assert list(rows(browser))[0] == names[3]
    wide = browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0, "the page itself scrolls sideways"
    smallest = browser.value(
        "Math.min(...[...document.querySelectorAll('.time .name')]"
        ".map(one => parseFloat(getComputedStyle(one).fontSize)))"
    )
    assert smallest >= 11
