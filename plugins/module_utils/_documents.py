# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""JSON documents on the hosts: one road to read them, one error when they are not what they should be."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError

Document = t.TypeVar("Document")


def dump(values: dict[str, t.Any]) -> str:
    """The text of a document, all in ASCII: no encoding on the way can change it."""
    return json.dumps(values, ensure_ascii=True, indent=1)


def load(text: str, what: str, schema: int, build: Callable[[dict[str, t.Any]], Document]) -> Document:
    """The document in the text. ``build`` may raise KeyError, TypeError or ValueError."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(what, "is not JSON", text) from error
    if not isinstance(values, dict):
        raise _damaged(what, "is not an object", text)
    if values.get("schema") != schema:
        raise HyperVError(
            f"The {what} on the host has schema {values.get('schema')!r}; this version knows {schema}.",
            code="DOCUMENT_VERSION",
            remedy="Use the newer version of this collection that wrote it.",
        )
    try:
        return build(values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(what, f"lacks something or has a wrong value ({error!r})", text) from error


def texts(value: t.Any) -> tuple[str, ...]:
    """A list of strings; ValueError when it is something else."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of strings is needed")
    return tuple(value)


def string(value: t.Any) -> str:
    """A string; ValueError when it is something else."""
    if not isinstance(value, str):
        raise ValueError("a string is needed")
    return value


def truth(value: t.Any) -> bool:
    """A truth value; ValueError when it is something else."""
    if not isinstance(value, bool):
        raise ValueError("true or false is needed")
    return value


def _damaged(what: str, why: str, text: str) -> HyperVError:
    return HyperVError(
        f"The {what} on the host {why}.",
        code="DOCUMENT_DAMAGED",
        remedy="Look at the file on the host; it was changed by something else than this collection.",
        raw=text[:200],
    )


__all__ = ("dump", "load", "string", "texts", "truth")
