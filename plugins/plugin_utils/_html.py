# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""HTML that cannot be broken by what it shows: text becomes markup only here, and is escaped when it does."""

from __future__ import annotations

import html
import typing as t
from collections.abc import Iterable

from ansible_collections.fanout.hyperv.plugins.plugin_utils._table import printable

EMPTY_TAGS = frozenset({"meta", "link"})


class Html(str):
    """Text that is markup already. Whatever is not of this type is escaped."""

    __slots__ = ()


Content = t.Union[str, "Html", Iterable["Html"], None]


def escaped(text: object) -> Html:
    """Any text as markup: on one line, without control and direction characters, all that means something escaped."""
    return Html(html.escape(printable(text), quote=True))


def join(parts: Iterable[Content]) -> Html:
    """Parts one after the other."""
    return Html("".join(_markup(part) for part in parts))


def element(tag: str, /, *content: Content, **attributes: str | None) -> Html:
    """An element. Attributes that are None are left out; ``class_`` is class, ``aria_label`` is aria-label."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in EMPTY_TAGS:
        return Html(f"<{tag}{said}>")
    return Html(f"<{tag}{said}>{join(content)}</{tag}>")


def name_of(text: object) -> Html:
    """A name that people chose: its writing direction stays its own."""
    return element("bdi", str(text))


def _markup(part: Content) -> str:
    if part is None:
        return ""
    if isinstance(part, Html):
        return str(part)
    if isinstance(part, str):
        return str(escaped(part))
    return "".join(_markup(one) for one in part)


__all__ = ("Content", "Html", "element", "escaped", "join", "name_of")
