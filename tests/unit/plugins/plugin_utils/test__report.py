# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page: well-formed, complete, without anything that runs or comes from elsewhere, whatever the names are."""

from __future__ import annotations

import html.parser
import re
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._html import Html, element, escaped, join
from ansible_collections.fanout.hyperv.plugins.plugin_utils._report import render
from ansible_collections.fanout.hyperv.plugins.plugin_utils._report_style import DARK, LIGHT, PHASES, style
from ansible_collections.fanout.hyperv.plugins.plugin_utils._report_table import TITLES, natural
from ansible_collections.fanout.hyperv.plugins.plugin_utils._report_timeline import clock, human, window_of
from ansible_collections.fanout.hyperv.plugins.plugin_utils._states import PROGRESS, STATES
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

T0 = seconds("2026-11-20T13:00:00Z")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202egpj.exe\x1b[31m&amp;"
VOID = frozenset({"meta", "link"})


class Page(html.parser.HTMLParser):
    """What a browser would make of it: every element is closed where it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(text)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def run(name: str = "run-1", **more: t.Any) -> Run:
    return Run(**{"id": name, "started": utc(T0), "updated": utc(T0 + 60), **more})


def document(**more: t.Any) -> Document:
    full = error_of(
        {"code": "DISK_FULL", "layer": "hyperv", "message": "it is full", "cause": "no room", "remedy": "go"}
    )
    phases = (
        Phase(phase="cloning", started=utc(T0 + 5), finished=utc(T0 + 9)),
        Phase(phase="copying", started=utc(T0 + 9), finished=utc(T0 + 29)),
        Phase(phase="polishing", started=utc(T0 + 29)),
    )
    values: dict[str, t.Any] = {
        "template": Template(name="gold", source="hv01", revision="985f74d2bff0"),
        "concurrency": 2,
        "runs": (run(),),
        "providers": {
            "hv02": Provider(
                state="Ready",
                progress="OK",
                phases=phases,
                percent=100.0,
                bytes_done=40 << 20,
                bytes_total=40 << 20,
                run="run-1",
            ),
            "hv10": Provider(state="Needs update", progress="Failed to distribute", error=full),
            "hv9": Provider(state="Not available", progress="Failed to distribute", error=full),
            "hv3": Provider(state="Needs update", progress="OK", reasons=("older revision",)),
        },
        "source_phases": (Phase(phase="exporting", started=utc(T0 + 1), finished=utc(T0 + 4)),),
        "throughput": Throughput(run="run-1", started=utc(T0 + 9), every=1, rates=(1 << 20, 2 << 20)),
        **more,
    }
    return Document(**values)


def page(shown: Document) -> Page:
    return Page(render(shown, now=T0 + 60, file_name="gold@hv01.json"))


def test_everything_is_said_in_words() -> None:
    text = page(document()).text
    for word in (
        "gold",
        "hv01",
        "985f74d2bff0",
        "1 of 4",
        "Failed to distribute (1)",
        "Not available (1)",
        "older revision",
    ):
        assert word in text
    for word in (
        "DISK_FULL",
        "it is full",
        "no room",
        "1 problem",
        "40.0 MiB",
        "exporting",
        "cloning 4 s, copying 20 s",
    ):
        assert word in text
    assert text.count("it is full") == 1


def test_nothing_in_it_runs_or_comes_from_elsewhere() -> None:
    shown = page(document())
    assert {tag for tag, _attributes in shown.tags} & {"script", "iframe", "object", "img", "form", "base"} == set()
    for _tag, attributes in shown.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    assert "url(" not in style()
    assert "@import" not in style()


def test_hostile_names_are_text() -> None:
    hostile = document(
        template=Template(name=HOSTILE, source=HOSTILE, revision=HOSTILE),
        providers={
            HOSTILE: Provider(
                state="Needs update",
                progress="Failed to distribute",
                phase=HOSTILE,
                percent=5.0,
                reasons=(HOSTILE,),
                error=error_of({key: HOSTILE for key in ("code", "message", "cause", "remedy", "raw")}),
                phases=(Phase(phase=HOSTILE, started=utc(T0)),),
            )
        },
        runs=(run(awx_job_id=HOSTILE),),
    )
    shown = page(hostile)
    plain = page(document())
    known = {tag for tag, _attributes in plain.tags} | {"details", "summary", "pre"}
    assert {tag for tag, _attributes in shown.tags} <= known
    assert not [name for _tag, attributes in shown.tags for name in attributes if name.startswith("on")]
    text = render(hostile, now=T0, file_name=HOSTILE)
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "<script>alert(1)</script>" in shown.text


@pytest.mark.parametrize(("state", "reloads"), [("running", 1), ("finished", 0), ("interrupted", 0)])
def test_it_reloads_itself_until_the_run_has_ended(state: str, reloads: int) -> None:
    shown = page(document(runs=(run(state=state),)))
    found = [
        attributes for tag, attributes in shown.tags if tag == "meta" and attributes.get("http-equiv") == "refresh"
    ]
    assert len(found) == reloads
    assert ("Run interrupted" in shown.text) == (state == "interrupted")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("progress", PROGRESS)
def test_every_state_and_progress_can_be_shown(state: str, progress: str) -> None:
    shown = page(document(providers={"hv02": Provider(state=state, progress=progress)}))
    assert state in shown.text
    assert progress in shown.text


def test_a_document_that_knows_little_is_shown_too() -> None:
    empty = Document(template=Template(name="gold", source="hv01"), runs=(run(),))
    assert "None is known yet." in page(empty).text
    assert window_of(empty) is None


def test_the_table_is_one_for_screen_readers() -> None:
    shown = page(document())
    heads = [attributes for tag, attributes in shown.tags if tag == "th"]
    assert {attributes.get("scope") for attributes in heads} == {"col", "row", "rowgroup"}
    labels = {attributes["aria-labelledby"] for tag, attributes in shown.tags if tag == "section"}
    assert labels <= {attributes.get("id") for tag, attributes in shown.tags if tag == "h2"}
    assert [attributes.get("lang") for tag, attributes in shown.tags if tag == "html"] == ["en"]


def test_problems_that_many_have_are_said_once() -> None:
    error = error_of({"code": "DISK_FULL", "layer": "hyperv", "message": "full"})
    many = {
        f"hv{number}": Provider(state="Needs update", progress="Failed to distribute", error=error)
        for number in range(99)
    }
    text = page(document(providers=many)).text
    assert "1 problem" in text
    assert "and 87 more" in text
    assert text.count("DISK_FULL") == 1


def test_hosts_are_sorted_as_people_count() -> None:
    assert sorted(["hv10", "hv9", "hv2", "b"], key=natural) == ["b", "hv2", "hv9", "hv10"]


def test_only_the_last_run_that_copied_is_in_the_time_line() -> None:
    later = run("run-2", started=utc(T0 + 5000), updated=utc(T0 + 5060), state="finished")
    window = window_of(document(runs=(later, run())))
    assert window is not None
    assert window.run.id == "run-1"
    shown = document(runs=(later, run()), throughput=Throughput(run="run-0", started=utc(T0), every=1, rates=(5,)))
    assert "M0" not in render(shown, now=T0, file_name="x")


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (0, "0 s"),
        (59.6, "1 min 00 s"),
        (61, "1 min 01 s"),
        (3600, "1 h 00 min"),
        (90_000, "25 h 00 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_time_spans(amount: float, said: str) -> None:
    assert human(amount) == said


def test_a_time_of_today_needs_no_date() -> None:
    assert ">13:00:00 UTC<" in clock(utc(T0), today=utc(T0 + 60))
    assert ">2026-11-20 13:00:00 UTC<" in clock(utc(T0), today=utc(T0 + 100_000))


@pytest.mark.parametrize("span", [1, 7, 61, 3601, 200_000, 3_000_000])
def test_the_axis_has_a_handful_of_marks(span: int) -> None:
    entry = Provider(state="Ready", progress="OK", phases=(Phase(phase="copying", started=utc(T0)),))
    shown = document(runs=(run(updated=utc(T0 + span)),), providers={"hv02": entry})
    text = render(shown, now=T0, file_name="x")
    marks = re.findall(r'<span style="left:[\d.]+%">', text)
    assert 1 <= len(marks) <= 10


def luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "muted", *TITLES])
@pytest.mark.parametrize("ground", ["card", "page"])
def test_words_stand_out_as_wcag_wants(theme: str, ink: str, ground: str) -> None:
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", theme))
    first, second = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
    assert (first + 0.05) / (second + 0.05) >= 4.5


def test_every_kind_and_phase_has_its_look() -> None:
    sheet = style()
    for kind in TITLES:
        assert f".{kind} {{ --tone: var(--{kind}); }}" in sheet
    for phase in PHASES:
        assert f"i.phase-{phase} " in sheet


def test_markup_is_made_of_markup_only() -> None:
    assert element("b", "<i>", Html("<i>"), None, class_="a&b", data_x=None) == '<b class="a&amp;b">&lt;i&gt;<i></b>'
    assert element("meta", http_equiv="x") == '<meta http-equiv="x">'
    assert escaped('a"\n\u202eb') == "a&quot; ?b"
    assert join(["<", Html("<")]) == "&lt;<"


def test_300_providers_make_a_page_of_moderate_size() -> None:
    entry = document().providers["hv02"]
    many = {f"hv{number:03}": replace(entry) for number in range(300)}
    text = render(document(providers=many), now=T0, file_name="x")
    assert len(text) < 700_000
    assert "time dense" in text
