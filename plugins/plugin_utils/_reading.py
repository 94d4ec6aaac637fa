# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Finding and reading status files, for those who only look; and what a survey says to them."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from pathlib import Path

from ansible_collections.fanout.hyperv.plugins.plugin_utils._status import Damaged, Document
from ansible_collections.fanout.hyperv.plugins.plugin_utils._status_file import StatusFile, files

OF_A_RUN = frozenset({"due", "tried", "working"})
"""Facts that say what a run was to do and did. A survey is no such run."""

Values = dict[str, t.Any]
Found = tuple[StatusFile, Document]


class StatusError(Exception):
    """What was asked for is not there, or cannot be read; the message says what to do."""


def documents(folder: Path, templates: Iterable[str], source: str | None = None) -> list[Found]:
    """The status files of templates, of all when none is named, each as it has to be seen now."""
    names = list(templates)
    if not names:
        return [_read(path) for path in files(folder)]
    return [_read(_file_of(folder, name, source)) for name in names]


def _file_of(folder: Path, template: str, source: str | None) -> Path:
    found = files(folder, template, source)
    if len(found) == 1:
        return found[0]
    if found:
        raise StatusError(
            f"There are status files of several templates called {template!r} in {folder}: "
            f"{', '.join(path.name for path in found)}. Say which one: the option source."
        )
    where = f" on {source}" if source else ""
    raise StatusError(
        f"There is no status file of the template {template!r}{where} in {folder}. A distribution with the callback "
        "fanout.hyperv.distribution_status enabled writes it; FANOUT_STATUS_DIR or the option status_dir names another "
        "folder."
    )


def _read(path: Path) -> Found:
    file = StatusFile(path=path)
    try:
        document = file.read()
    except (OSError, Damaged) as error:
        raise StatusError(f"A status file cannot be read: {error}") from None
    if document is None:
        raise StatusError(f"The status file {path} has just gone.")
    return file, document


def surveyed(distribution: Mapping[str, t.Any]) -> Values:
    """What a plan says to the status file, told by somebody who has no intention to carry it out."""
    providers = {name: _seen(report) for name, report in (distribution.get("providers") or {}).items()}
    return {**distribution, "survey": True, "concurrency": None, "providers": providers}


def _seen(report: Mapping[str, t.Any]) -> Values:
    facts = {key: value for key, value in report.get("facts", {}).items() if key not in OF_A_RUN}
    seen = {key: value for key, value in report.items() if key not in ("facts", "error")}
    if facts.get("answers") is False and report.get("error"):
        seen["error"] = report["error"]
    return {**seen, "facts": facts}


__all__ = ("StatusError", "documents", "surveyed")
