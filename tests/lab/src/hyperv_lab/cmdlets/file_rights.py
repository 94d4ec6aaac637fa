# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files as somebody who is no administrator sees them: all can be read; few can be changed.

Harder than Windows, whose users may make folders of their own in the root of a drive: nobody shall count on that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..model import windows_paths as win
from ..model.files import FileError, Volumes

CHANGES = frozenset(
    {"set_attributes", "mkdir", "write", "write_chunk", "remove", "rename", "make_junction", "touch", "make_link"}
)


class ReadOnly:
    """A host's volumes whose files can be changed below some folders only."""

    def __init__(self, volumes: Volumes, writable: Iterable[str]) -> None:
        self._volumes = volumes
        self._writable = tuple(folder.rstrip("\\").lower() + "\\" for folder in writable)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._volumes, name)
        return self._guarded(found, 2 if name == "rename" else 1) if name in CHANGES else found

    def _guarded(self, change: Callable[..., Any], paths: int) -> Callable[..., Any]:
        def checked(*arguments: Any, **named: Any) -> Any:
            for path in arguments[:paths]:
                if not (self._volumes.full(path).lower() + "\\").startswith(self._writable):
                    raise FileError(win.ACCESS_DENIED, path)
            return change(*arguments, **named)

        return checked
