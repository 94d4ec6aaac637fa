# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""How the report looks: light and dark, on screen and on paper, and without any colour at all."""

from __future__ import annotations

import typing as t

LIGHT = """
  color-scheme: light;
  --page: #f4f5f8; --card: #ffffff; --ink: #171a21; --muted: #565e6c; --line: #dde1e8; --track: #e8ebf1;
  --ok: #17703f; --distributing: #2356c5; --adding: #0a6a79; --removing: #7a4a12; --needs_update: #7d5b00;
  --failed: #b3261e; --not_available: #6a46a3; --waiting: #9aa2b1; --soft: 9%; --stripe: #fff6; --dark-stripe: #0004;
"""
DARK = """
  color-scheme: dark;
  --page: #0f1218; --card: #181c24; --ink: #e9ecf2; --muted: #a6aebd; --line: #2c323e; --track: #2a303b;
  --ok: #62d196; --distributing: #82aaff; --adding: #62ccdb; --removing: #e0a763; --needs_update: #ecc157;
  --failed: #ff9188; --not_available: #c5a9ff; --waiting: #78818f; --soft: 16%; --stripe: #0006; --dark-stripe: #0006;
"""

STRIPES: t.Final = {
    "distributing": "45deg, var(--stripe) 0 3px, transparent 3px 8px",
    "adding": "-45deg, var(--stripe) 0 3px, transparent 3px 8px",
    "removing": "90deg, var(--stripe) 0 2px, transparent 2px 6px",
    "needs_update": "0deg, var(--stripe) 0 2px, transparent 2px 6px",
    "failed": "45deg, var(--dark-stripe) 0 4px, transparent 4px 8px",
    "not_available": "90deg, var(--dark-stripe) 0 3px, transparent 3px 9px",
    "waiting": "45deg, var(--stripe) 0 2px, transparent 2px 5px",
    "cloning": "-45deg, var(--stripe) 0 3px, transparent 3px 8px",
    "verifying": "90deg, var(--stripe) 0 2px, transparent 2px 6px",
    "hashing": "90deg, var(--stripe) 0 2px, transparent 2px 6px",
    "naming": "0deg, var(--stripe) 0 2px, transparent 2px 4px",
    "removal": "45deg, var(--dark-stripe) 0 3px, transparent 3px 7px",
}
"""A pattern for each, so that a bar is read without its colour. Those not named here are plain."""

KINDS = ("ok", "distributing", "adding", "removing", "needs_update", "failed", "not_available")
PHASES: t.Final = {
    "waiting": "waiting",
    "cloning": "adding",
    "copying": "distributing",
    "verifying": "ok",
    "naming": "ok",
    "exporting": "removing",
    "hashing": "needs_update",
    "removal": "failed",
    "other": "waiting",
}
"""The colour of each phase in the time line."""

SHEET = """
* { box-sizing: border-box; }
html { font: 16px/1.5 Inter, "Segoe UI Variable Text", "Segoe UI", system-ui, -apple-system, Roboto, "Helvetica Neue",
  Arial, sans-serif; background: var(--page); color: var(--ink); -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 78rem; padding: 2.5rem 1.5rem 3rem; }
h1 { font-size: 2.1rem; line-height: 1.15; letter-spacing: -.02em; margin: .15rem 0 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; letter-spacing: -.005em; margin: 0 0 1rem; }
p { margin: 0; }
code, .code { font-family: "Cascadia Mono", Consolas, ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace;
  font-size: .88em; overflow-wrap: anywhere; }
.eyebrow { color: var(--muted); font-size: .8rem; letter-spacing: .07em; text-transform: uppercase;
  font-weight: 600; }
.muted, .note { color: var(--muted); }
.note { font-size: .85rem; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
header { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: flex-end; justify-content: space-between; }
.words { display: flex; flex-wrap: wrap; gap: .5rem; }
.badge { display: inline-flex; align-items: center; gap: .5rem; font-weight: 600; border-radius: 99rem;
  padding: .4rem 1rem .4rem .8rem; color: var(--tone); border: 1.5px solid var(--tone);
  background: color-mix(in srgb, var(--tone) var(--soft), var(--card)); }
.word { display: inline-flex; align-items: center; gap: .4rem; color: var(--tone); font-weight: 550;
  white-space: nowrap; }
svg.icon { width: 1em; height: 1em; flex: none; fill: none; stroke: currentColor; stroke-width: 2.2;
  stroke-linecap: round;
  stroke-linejoin: round; }
dl.about { display: flex; flex-wrap: wrap; gap: .8rem 2.4rem; margin: 1.5rem 0 1.75rem; }
dl.about dt { color: var(--muted); font-size: .8rem; }
dl.about dd { margin: 0; font-weight: 550; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .9rem; padding: 1.4rem 1.5rem;
  margin: 0 0 1.25rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem 2rem;
  margin-bottom: 1.4rem; }
.figure b { display: block; font-size: 1.6rem; font-weight: 650; letter-spacing: -.02em; line-height: 1.25; }
.figure span { color: var(--muted); font-size: .85rem; }
.bar { display: flex; gap: 2px; height: 1.5rem; border-radius: .5rem; overflow: hidden; background: var(--track); }
.bar i, .key i, .lane i { background-color: var(--tone); }
.bar i { min-width: 3px; }
ul.keys { list-style: none; display: flex; flex-wrap: wrap; gap: .4rem 1.6rem; margin: .9rem 0 0; padding: 0;
  font-size: .9rem; }
.key { display: inline-flex; align-items: center; gap: .5rem; }
.key i { width: .95rem; height: .95rem; border-radius: .25rem; }
.key b { font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .55rem 1rem .55rem 0; border-top: 1px solid var(--line); vertical-align: top; }
thead th { border-top: 0; color: var(--muted); font-size: .8rem; font-weight: 600; white-space: nowrap;
  padding-top: 0; }
tbody th[scope=row] { font-weight: 600; overflow-wrap: anywhere; min-width: 8rem; width: 26%; }
table.many { font-size: .82rem; }
table.many th, table.many td { padding-top: .28rem; padding-bottom: .28rem; }
table.many .meter { width: 3rem; }
.amount { white-space: nowrap; }
tbody th[scope=rowgroup] { padding: 1.1rem 0 .5rem; font-size: .85rem; }
tbody:first-of-type th[scope=rowgroup] { padding-top: .6rem; }
th .note, td .note { display: block; font-weight: 400; max-width: 30rem; white-space: normal; }
.right { text-align: right; }
th.right:last-child, td.right:last-child { padding-right: 0; }
.meter { display: inline-block; width: 5rem; height: .5rem; border-radius: 1rem; background: var(--track);
  overflow: hidden;
  vertical-align: middle; margin-right: .6rem; }
.meter i { display: block; height: 100%; background: var(--tone); border-radius: 1rem; }
.time { display: grid; grid-template-columns: minmax(5rem, 12rem) 1fr; gap: .35rem 1rem; align-items: center;
  font-size: .9rem; }
.time .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; text-align: right; }
.lane { position: relative; height: 1.25rem; border-radius: .3rem; background: var(--track); overflow: hidden; }
.lane i { position: absolute; top: 0; bottom: 0; min-width: 2px; border-right: 1px solid var(--card); }
.dense { font-size: .75rem; row-gap: .15rem; }
.dense .lane { height: .85rem; }
.axis { position: relative; height: 1.2rem; color: var(--muted); font-size: .78rem; }
.axis span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.axis span:first-child { transform: none; }
.chart { height: 6.5rem; border-bottom: 1px solid var(--line); }
.chart svg { width: 100%; height: 100%; display: block; overflow: visible; }
.chart path { fill: var(--distributing); fill-opacity: .22; stroke: var(--distributing); stroke-width: 1.6;
  vector-effect: non-scaling-stroke; }
.chart line { stroke: var(--line); vector-effect: non-scaling-stroke; }
.scale { align-self: stretch; display: flex; flex-direction: column; justify-content: space-between;
  text-align: right; color: var(--muted);
  font-size: .78rem; }
.problem { border-left: 4px solid var(--tone); padding: .1rem 0 .1rem 1.1rem; margin-top: 1.3rem; }
.problem h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
.problem h3 .code { color: var(--tone); margin-right: .5rem; }
.problem p { margin: .3rem 0 0; overflow-wrap: anywhere; max-width: 62rem; }
.problem dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: .5rem 0 0; }
.problem dt { color: var(--muted); }
.problem dd { margin: 0; overflow-wrap: anywhere; max-width: 56rem; }
details summary { cursor: pointer; color: var(--muted); font-size: .85rem; margin-top: .4rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0 0; font-size: .85rem; }
footer { color: var(--muted); font-size: .83rem; padding: .5rem 0 0; max-width: 62rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
a { color: inherit; }
@media (max-width: 40rem) { body { padding: 1.5rem 1rem; } section { padding: 1.1rem 1rem; } h1 { font-size: 1.6rem;
  } }
@media print {
  html { font-size: 11px; background: none; } body { max-width: none; padding: 0; }
  section { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 1rem 0; }
  .scroll { overflow: visible; } tr, .problem, .figure, .key { break-inside: avoid; } h2 { break-after: avoid; }
  thead { display: table-header-group; } footer { break-inside: avoid; }
  .bar, .bar i, .key i, .lane, .lane i, .meter, .meter i { print-color-adjust: exact;
  -webkit-print-color-adjust: exact; }
  details > summary { display: none; }
}
"""


def _pattern(name: str) -> str:
    stripes = STRIPES.get(name)
    return f" background-image: repeating-linear-gradient({stripes});" if stripes else ""


def style() -> str:
    """The whole style sheet. Nobody's text is in it."""
    kinds = "".join(f".{kind} {{ --tone: var(--{kind}); }}\ni.{kind} {{{_pattern(kind)} }}\n" for kind in KINDS)
    phases = "".join(
        f"i.phase-{phase} {{ --tone: var(--{tone});{_pattern(phase)} }}\n" for phase, tone in PHASES.items()
    )
    return (
        f":root {{{LIGHT}}}\n@media (prefers-color-scheme: dark) {{ :root {{{DARK}}} }}\n"
        f"@media print {{ :root {{{LIGHT}}} }}\n{SHEET}{kinds}{phases}"
    )


__all__ = ("KINDS", "PHASES", "style")
