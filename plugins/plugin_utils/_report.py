# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""The report: one page for people, made of a status document alone. No script, no network, nothing beside it."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ansible_collections.fanout.hyperv.plugins.plugin_utils._html import Html, element, escaped, join, name_of
from ansible_collections.fanout.hyperv.plugins.plugin_utils._report_style import style
from ansible_collections.fanout.hyperv.plugins.plugin_utils._report_table import (
    DASH,
    TITLES,
    providers_section,
    word,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._report_timeline import clock, human, timeline
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Document
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_parts import (
    INTERRUPTED,
    RUNNING,
    SURVEY,
    Run,
    seconds,
    utc,
)
from ansible_collections.fanout.hyperv.plugins.plugin_utils._table import problems, size

RELOAD = 5
"""Seconds after which the page of a run that goes on loads itself anew."""

NAMES_SHOWN = 12

ICONS: t.Final = {
    "ok": "M3 8.5 6.5 12 13 4.5",
    "distributing": "M2 8h9M8 4l4 4-4 4M14.5 3v10",
    "adding": "M8 3v10M3 8h10",
    "removing": "M3 8h10",
    "needs_update": "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
    "failed": "M4 4l8 8M12 4l-8 8",
    "not_available": "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M4.2 4.2l7.6 7.6",
}

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""The browser is told what holds anyway: no script, nothing from anywhere."""


def render(document: Document, *, now: float, file_name: str) -> str:
    """The page. ``document`` as ``StatusFile.read`` returns it; ``file_name`` is that of the status file."""
    head = join(
        [
            Html('<meta charset="utf-8">'),
            element("meta", http_equiv="Content-Security-Policy", content=POLICY),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("meta", http_equiv="refresh", content=str(RELOAD)) if document.run.state == RUNNING else None,
            element("link", rel="icon", href="data:,"),
            element("title", f"{document.template.name}: {document.distribution}"),
            element("style", Html(style())),
        ]
    )
    body = element(
        "body",
        _icons(),
        element("main", *_header(document), _overview(document), _errors(document), providers_section(document, now)),
        timeline(document),
        _history(document),
        _footer(document, now, file_name),
    )
    return f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n{body}\n</html>\n'


def _icons() -> Html:
    drawn = "".join(
        f'<symbol id="i-{name}" viewBox="0 0 16 16"><path d="{path}"/></symbol>' for name, path in ICONS.items()
    )
    return Html(f'<svg width="0" height="0" style="position:absolute" aria-hidden="true">{drawn}</svg>')


# the top of the page


def _header(document: Document) -> Iterator[Html]:
    template, run = document.template, document.run
    badges = [word(document.distribution, class_="badge")]
    if run.state == INTERRUPTED:
        badges.append(word("Run interrupted", "failed", "badge"))
    if template.maintenance:
        badges.append(word("Maintenance", "needs_update", "badge"))
    if template.pinned:
        badges.append(word("Pinned revision", "needs_update", "badge"))
    yield element(
        "header",
        element(
            "div",
            element("p", "Hyper-V template distribution", class_="eyebrow"),
            element("h1", name_of(template.name)),
        ),
        element("div", *badges, class_="words"),
    )
    about = [
        ("Source", name_of(template.source)),
        ("Revision", element("span", template.revision or DASH, class_="code")),
        ("Run started", clock(run.started)),
        ("Run ended", clock(run.finished) if run.finished else element("span", _unended(run))),
        ("At the same time", escaped(f"{document.concurrency} copies" if document.concurrency else DASH)),
        ("AWX job", escaped(run.awx_job_id) if run.awx_job_id else None),
    ]
    pairs = [element("div", element("dt", key), element("dd", value)) for key, value in about if value is not None]
    yield element("dl", *pairs, class_="about")


def _unended(run: Run) -> str:
    return "not yet" if run.state == RUNNING else "without saying so"


def _overview(document: Document) -> Html:
    counts = document.summary()
    total = counts.pop("providers")
    kinds = [kind for kind in reversed(TITLES) if counts[kind]]
    parts = [
        element("i", class_=kind, style=f"flex:{counts[kind]}", title=f"{TITLES[kind]}: {counts[kind]}")
        for kind in kinds
    ]
    keys = [
        element(
            "li",
            element("span", element("i", class_=kind), element("b", str(counts[kind])), TITLES[kind], class_="key"),
        )
        for kind in kinds
    ]
    said = ", ".join(f"{counts[kind]} {TITLES[kind]}" for kind in kinds)
    return element(
        "section",
        element("h2", "Overview", id="overview", class_="hidden"),
        element("div", *(_figure(*figure) for figure in _figures(document, total, counts["ok"])), class_="figures"),
        element("div", *parts, class_="bar", role="img", aria_label=f"{total} providers: {said}"),
        element("ul", *keys, class_="keys"),
        aria_labelledby="overview",
    )


def _figure(number: str, what: str) -> Html:
    return element("div", element("b", number, class_="number"), element("span", what), class_="figure")


def _figures(document: Document, total: int, good: int) -> Iterator[tuple[str, str]]:
    run = document.run
    yield f"{good} of {total}", "providers OK"
    active = [entry for entry in document.providers.values() if entry.run == run.id and entry.phase]
    done = run.bytes_copied + sum(entry.bytes_done or 0 for entry in active)
    yield size(done), f"copied in this run, to {run.copied} provider{'' if run.copied == 1 else 's'}"
    rates = [entry.rate for entry in active if entry.rate]
    if run.state == RUNNING and rates:
        yield f"{size(sum(rates))}/s", f"now, {len(rates)} {'copy' if len(rates) == 1 else 'copies'}"
    elif (throughput := document.throughput) and throughput.run == run.id and any(throughput.rates):
        moving = [rate for rate in throughput.rates if rate]
        yield f"{size(sum(moving) / len(moving))}/s", f"while copies ran; at most {size(max(moving))}/s"
    yield (
        human(seconds(run.finished or run.updated) - seconds(run.started)),
        "so far" if run.state == RUNNING else "the whole run",
    )


# errors


def _errors(document: Document) -> Html | None:
    found = problems(document)
    if not found:
        return None
    title = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    return element(
        "section",
        element("h2", title, id="errors"),
        *(_problem(names, error) for names, error in found),
        aria_labelledby="errors",
    )


def _problem(names: list[str], error: dict[str, t.Any]) -> Html:
    rows = [(key.capitalize(), error.get(key)) for key in ("cause", "remedy")]
    if error.get("transient"):
        rows.append(("Retry", "May well succeed when it is tried again."))
    told = [join([element("dt", key), element("dd", str(value))]) for key, value in rows if value]
    raw = (
        element("details", element("summary", "What the host said"), element("pre", error["raw"]))
        if error.get("raw")
        else None
    )
    return element(
        "div",
        element("h3", element("span", error["code"], class_="code"), *_names(names)),
        element("p", error["message"]),
        element("dl", *told) if told else None,
        raw,
        class_="problem failed",
    )


def _names(names: list[str]) -> Iterator[Html]:
    for number, name in enumerate(names[:NAMES_SHOWN]):
        yield join([", " if number else None, name_of(name)])
    rest = names[NAMES_SHOWN:]
    if rest:
        yield element("details", element("summary", f"and {len(rest)} more"), *_all(rest))


def _all(names: list[str]) -> Iterator[Html]:
    for number, name in enumerate(names):
        yield join([", " if number else None, name_of(name)])


# the end of the page


def _history(document: Document) -> Html:
    titles = ("Run", "Ended", "Took", "Copied", "Failed", "Bytes")
    heads = [element("th", title, scope="col", class_="right" if title not in titles[:2] else None) for title in titles]
    rows = [_past(run) for run in document.runs]
    table = element("table", element("thead", element("tr", *heads)), element("tbody", *rows))
    return element(
        "section",
        element("h2", "The last runs", id="runs"),
        element("div", table, class_="scroll"),
        aria_labelledby="runs",
    )


def _past(run: Run) -> Html:
    words = {RUNNING: word("running", "distributing"), INTERRUPTED: word("interrupted", "failed")}
    ended = words.get(run.state) or (word("with failures", "failed") if run.failed else word("finished", "ok"))
    numbers: list[str] = [human(seconds(run.finished or run.updated) - seconds(run.started))]
    numbers += [DASH] * 3 if run.kind == SURVEY else [str(run.copied), str(run.failed), size(run.bytes_copied)]
    kind = element("span", "asked the hosts only" if run.kind == SURVEY else None, class_="note")
    return element(
        "tr",
        element("th", element("span", clock(run.started), class_="number"), kind, scope="row"),
        element("td", ended),
        *(element("td", number, class_="right number") for number in numbers),
    )


def _footer(document: Document, now: float, file_name: str) -> Html:
    written = seconds(document.run.updated) if document.run.state == RUNNING else now
    reload = (
        f"It loads itself anew every {RELOAD} seconds while the run goes on; when this time is older than a minute, "
        "the run has died."
        if document.run.state == RUNNING
        else ""
    )
    return element(
        "footer",
        element(
            "p", "Written ", clock(utc(written)), " from ", element("span", file_name, class_="code"), f". {reload}"
        ),
        element("p", "A report of what the hosts showed; every run asks them anew. Made by fanout.hyperv."),
    )


__all__ = ("RELOAD", "render")
