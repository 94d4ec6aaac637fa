# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read: sizes, lines, and the table on wide and narrow terminals."""

from __future__ import annotations

import pytest
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import (
    Document,
    Provider,
    Run,
    Template,
    Transfer,
    error_of,
    seconds,
    utc,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._table import (
    duration,
    printable,
    progress_line,
    size,
    table,
)

T0 = seconds("2026-11-20T13:00:00Z")
GIB = 1 << 30
FULL = error_of(
    {
        "code": "0x80070070",
        "layer": "hyperv",
        "message": "Es steht nicht genug Speicherplatz auf dem Datenträger zur Verfügung.",
        "cause": "C: of hv04 has 3.1 GiB free, 60.0 GiB are needed.",
        "remedy": "Make room on C: of hv04, then run the same playbook again with --limit hv04.",
    }
)


def document() -> Document:
    return Document(
        template=Template(name="win11-gold", source="hv01", revision="4f1c00aa12b3"),
        runs=(Run(id="r", started=utc(T0), updated=utc(T0)),),
        providers={
            "hv02": Provider(state="Ready", progress="OK", revision="4f1c00aa12b3", percent=100.0),
            "hv03": Provider(
                state="Needs update",
                progress="Distributing",
                revision="9ab0",
                phase="copying",
                percent=42.0,
                bytes_total=60 * GIB,
                rate=112 << 20,
                eta=utc(T0 + 312),
            ),
            "hv04": Provider(state="Needs update", progress="Failed to distribute", error=FULL),
            "hv05": Provider(state="Not available", progress="OK"),
        },
    )


WIDE = """\
win11-gold from hv01, revision 4f1c00aa12b3: Distributing; 4 providers: 1 ok, 1 distributing, 1 failed, 1 not available

PROVIDER  STATE          PROGRESS              REVISION      DONE   RATE       LEFT      ERROR
hv02      Ready          OK                    4f1c00aa12b3  100 %  -          -         -
hv03      Needs update   Distributing          9ab0          42 %   112 MiB/s  00:05:12  -
hv04      Needs update   Failed to distribute  -             -      -          -         0x80070070
hv05      Not available  OK                    -             -      -          -         -

hv04: 0x80070070: Es steht nicht genug Speicherplatz auf dem Datenträger zur Verfügung.
    cause: C: of hv04 has 3.1 GiB free, 60.0 GiB are needed.
    remedy: Make room on C: of hv04, then run the same playbook again with --limit hv04."""


def test_a_wide_table_has_everything() -> None:
    assert table(document(), width=120, now=T0) == WIDE


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (99, "PROVIDER STATE PROGRESS REVISION DONE RATE LEFT ERROR"),
        (90, "PROVIDER STATE PROGRESS REVISION DONE RATE ERROR"),
        (80, "PROVIDER STATE PROGRESS REVISION DONE ERROR"),
        (65, "PROVIDER STATE PROGRESS DONE ERROR"),
        (60, "PROVIDER STATE PROGRESS ERROR"),
        (50, "PROVIDER STATE PROGRESS"),
    ],
)
def test_narrow_terminals_do_without_columns(width: int, columns: str) -> None:
    lines = table(document(), width=width, now=T0).splitlines()
    title = next(line for line in lines if line.startswith("PROVIDER"))
    assert title.split() == columns.split()


@pytest.mark.parametrize("width", range(40, 131, 3))
def test_no_line_is_wider_than_the_terminal_and_nothing_important_is_missing(width: int) -> None:
    text = table(document(), width=width, now=T0)
    assert max(len(line) for line in text.splitlines()) <= width
    joined = " ".join(text.split())
    for name, entry in document().providers.items():
        assert name in joined
        assert entry.state in joined
        assert entry.progress in joined
    assert str(FULL["remedy"]) in joined
    assert "0x80070070" in joined


def test_a_terminal_that_is_too_narrow_gets_lines() -> None:
    assert "hv04\n  Needs update, Failed to distribute\n" in table(document(), width=10, now=T0)


def test_columns_that_say_nothing_are_left_out() -> None:
    plain = Document(
        template=Template(name="gold", source="hv01"),
        runs=(Run(id="r", started=utc(T0), updated=utc(T0), state="interrupted"),),
        providers={"hv02": Provider(state="Ready", progress="OK")},
    )
    assert table(plain, width=80, now=T0) == (
        "gold from hv01: OK (run interrupted); 1 provider: 1 ok\n\n"
        "PROVIDER  STATE  PROGRESS\n"
        "hv02      Ready  OK"
    )  # fmt: skip


def test_an_error_of_the_whole_comes_first() -> None:
    broken = Document(
        template=Template(name="gold", source="hv01"),
        runs=(Run(id="r", started=utc(T0), updated=utc(T0)),),
        error=error_of({"code": "EXPORT_FAILED", "message": "no export"}),
    )
    assert table(broken, width=80, now=T0).splitlines()[-1] == "gold: EXPORT_FAILED: no export"


def test_an_error_that_many_have_is_said_once() -> None:
    same = error_of({"code": "NO_EXPORT", "message": "no export", "remedy": "make one"})
    other = error_of({"code": "NO_EXPORT", "message": "no export", "remedy": "make another"})
    entries = {f"hv0{number}": Provider(state="Needs update", progress="OK", error=same) for number in range(2, 6)}
    many = Document(
        template=Template(name="gold", source="hv01"),
        runs=(Run(id="r", started=utc(T0), updated=utc(T0)),),
        providers={**entries, "hv06": Provider(state="Needs update", progress="OK", error=other)},
        error=same,
    )
    assert table(many, width=80, now=T0).splitlines()[-4:] == [
        "gold, hv02, hv03, hv04, hv05: NO_EXPORT: no export",
        "    remedy: make one",
        "hv06: NO_EXPORT: no export",
        "    remedy: make another",
    ]


def test_a_name_cannot_draw_on_the_screen() -> None:
    evil = "x\x1b[2Jy\r\nz\x07\u202e"
    assert printable(evil) == "x?[2Jy  z??"
    hostile = Document(
        template=Template(name=evil, source=evil, revision=evil),
        runs=(Run(id="r", started=utc(T0), updated=utc(T0)),),
        providers={evil: Provider(state="Ready", progress="OK", error=error_of({"code": evil, "message": evil}))},
    )
    text = table(hostile, width=100, now=T0) + progress_line(evil, Transfer(phase=evil), T0)
    assert all(character.isprintable() for character in text.replace("\n", ""))


@pytest.mark.parametrize(
    ("transfer", "line"),
    [
        (
            Transfer(phase="copying", percent=42.4, bytes_total=60 * GIB, rate=112 << 20, eta=utc(T0 + 312)),
            "hv03: copying 42 % of 60.0 GiB, 112 MiB/s, 00:05:12 left",
        ),
        (Transfer(phase="copying", percent=3.0), "hv03: copying 3 %"),
        (Transfer(phase="copying", bytes_total=GIB), "hv03: copying 1.0 GiB"),
        (Transfer(phase="verifying"), "hv03: verifying"),
        (Transfer(), "hv03: working"),
    ],
)
def test_a_line_says_what_is_known(transfer: Transfer, line: str) -> None:
    assert progress_line("hv03", transfer, T0) == line


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (112 << 20, "112 MiB"),
        (60 * GIB, "60.0 GiB"),
        (2000 << 50, "2000 PiB"),
    ],
)
def test_sizes(amount: int, text: str) -> None:
    assert size(amount) == text


@pytest.mark.parametrize(
    ("left", "text"), [(-5, "00:00:00"), (59.6, "00:01:00"), (3661, "01:01:01"), (360000, "100:00:00")]
)
def test_durations(left: float, text: str) -> None:
    assert duration(left) == text
