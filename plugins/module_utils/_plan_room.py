# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What a plan says about room and places: on the source, and on the targets. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.fanout.hyperv.plugins.module_utils._paths import LONGEST_PATH, volume_of
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import (
    ERROR,
    WARNING,
    Finding,
    Needs,
    Provider,
    clones_that_fit,
    free_at,
    gib,
    room_for,
)


def staging_finding(source: Provider, needs: Needs) -> Finding | None:
    """Why the staging folder cannot be where it is said to be: then not even the record is written."""
    # \fanout\<36>\<12>\export\<name>\Virtual Machines\<36>.vmcx, or ...\Virtual Hard Disks\<file>
    disk = max((len(name) for name in needs.disk_names), default=0)
    inner = max(len("\\Virtual Machines\\") + 41, len("\\Virtual Hard Disks\\") + disk)
    length = len(source.path) + len("\\fanout\\") + 36 + 1 + 12 + len("\\export\\") + len(needs.name) + inner
    if volume_of(source.path, [volume.name for volume in source.volumes]) is None:
        code, what = "PATH_VOLUME_MISSING", f"{source.name} has no volume for the staging folder {source.path}."
        remedy = "Create it there or choose another path (distribute_staging_path), then run again."
    elif length > LONGEST_PATH:
        code = "PATH_TOO_LONG"
        what = (
            f"The export of {needs.name} below {source.path} on {source.name} would have paths of {length} characters, "
            f"more than {LONGEST_PATH}."
        )
        remedy = "Choose a shorter path (distribute_staging_path) or a shorter name of the VM, then run again."
    else:
        return None
    return Finding(severity=ERROR, provider=source.name, code=code, what=what, remedy=remedy)


def source_room(source: Provider, size: int, export_needed: bool, wanted: int) -> tuple[int, Finding | None]:
    """How many clones the source has room for; a finding when there is not even room for one."""
    free = free_at(source.path, source.volumes)
    if wanted == 0 or free is None:
        return wanted, None
    clones = clones_that_fit(free, size, export_needed=export_needed, wanted=wanted)
    if clones > 0:
        return clones, None
    needed = room_for(size) * (2 if export_needed else 1)
    return 0, Finding(
        severity=ERROR,
        provider=source.name,
        code="SPACE_SOURCE",
        what=f"{source.name} has {gib(free)} free for {source.path}; export and one clone need {gib(needed)}.",
        remedy="Make room there or choose another path (distribute_staging_path), then run again.",
    )


def limit_findings(source: Provider, concurrency: int, copies: int) -> Iterator[Finding]:
    limit = min(source.settings.maximum_migrations, source.settings.maximum_storage_migrations)
    if copies > limit and concurrency > limit:
        yield Finding(
            severity=WARNING,
            provider=source.name,
            code="MIGRATION_LIMIT",
            what=f"{source.name} allows {limit} simultaneous migrations, fewer than the {concurrency} asked for.",
            remedy=(
                f"Set-VMHost -MaximumVirtualMachineMigrations {concurrency} -MaximumStorageMigrations {concurrency}; "
                "until then copies wait for each other."
            ),
        )


def export_missing(source: Provider, revision: str | None) -> Finding:
    return Finding(
        severity=ERROR,
        provider=source.name,
        code="EXPORT_MISSING",
        what=f"{source.name} has no complete export of revision {revision} any more, which is pinned.",
        remedy="Pin another revision, or none: fanout.hyperv.rollback with rollback_revision=latest.",
    )


def target_space(target: Provider, size: int, *, reclaimable: int = 0, kept: int = 0) -> Iterator[Finding]:
    """Room for the new copy beside everything that is kept. ``reclaimable``: bytes that are cleaned up first.

    ``kept``: how many copies of older revisions stay, which take up space.
    """
    free = free_at(target.path, target.volumes)
    needed = room_for(size)
    if free is not None and free + reclaimable < needed:
        yield Finding(
            severity=ERROR,
            provider=target.name,
            code="SPACE_TARGET",
            what=f"{target.name} has {gib(free)} free for {target.path}; the copy needs {gib(needed)}"
            + (f" beside {kept} that are kept." if kept else "."),
            remedy="Make room there or choose another path (distribute_target_path), then run again."
            + (" Or keep fewer revisions (distribute_keep_revisions): the surplus goes first then." if kept else ""),
        )


__all__ = ("export_missing", "limit_findings", "source_room", "staging_finding", "target_space")
