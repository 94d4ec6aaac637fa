# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What a plan says about room, places and moves: on the source, and on the targets. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ansible_collections.fanout.hyperv.plugins.module_utils._holdings import temporary_name
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import LONGEST_PATH, volume_of
from ansible_collections.fanout.hyperv.plugins.module_utils._preflight import (
    ERROR,
    NO_DELEGATION,
    WARNING,
    Finding,
    Needs,
    Provider,
    clones_that_fit,
    free_at,
    gib,
    planned_remedy,
    room_for,
)

CREDSSP = "credssp"
CREDENTIAL_GUARD = 26100
"""The first build of Windows Server (2025) on which Credential Guard is on unless somebody turns it off."""


def staging_finding(source: Provider, needs: Needs) -> Finding | None:
    """Why the staging folder cannot be where it is said to be: then not even the record is written."""
    # \fanout\<36>\<12>\export\<name>\Virtual Machines\<36>.vmcx, or ...\Virtual Hard Disks\<file>;
    # clones have the same below clones\<8>, which is longer when the name is shorter
    disk = max((len(name) for name in needs.disk_names), default=0)
    inner = max(len("\\Virtual Machines\\") + 41, len("\\Virtual Hard Disks\\") + disk)
    length = len(source.path) + len("\\fanout\\") + 36 + 1 + 12 + len("\\export\\") + max(len(needs.name), 8) + inner
    if volume_of(source.path, [volume.name for volume in source.volumes]) is None:
        code, what = "PATH_VOLUME_MISSING", f"{source.name} has no volume for the staging folder {source.path}."
        remedy = "Create it there or choose another path (distribute_staging_path), then run again."
    elif length > LONGEST_PATH:
        code = "PATH_TOO_LONG"
        what = (
            f"Export and clones of {needs.name} below {source.path} on {source.name} would have paths of {length} "
            f"characters, more than {LONGEST_PATH}."
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


def delegation_findings(source: Provider, copies: int) -> Iterator[Finding]:
    """Hosts of the type CredSSP take credentials that the session has brought, and those alone; if they can.

    That other sessions do not work there nobody has proved, so it stops nobody.
    """
    if copies == 0 or not source.auth or source.settings.migration_authentication != "CredSSP":
        return
    if source.auth != CREDSSP:
        what = (
            f"{source.name} and its targets use CredSSP for live migration, and the session to {source.name} is signed "
            f"in with {source.auth}, which brings no credentials: moves may end with 0x8009030E."
        )
    elif _has_credential_guard(source):
        what = (
            f"{source.name} uses CredSSP for live migration and runs Windows build {source.computer.os_build}, where "
            "Credential Guard is on unless it was turned off: moves may end with 0x8009030E."
        )
    else:
        return
    instead = "" if source.auth == CREDSSP else f" Or sign in to {source.name} with ansible_psrp_auth: credssp."
    yield Finding(
        severity=WARNING,
        provider=source.name,
        code=NO_DELEGATION,
        what=what,
        remedy="On all hosts Set-VMHost -VirtualMachineMigrationAuthenticationType Kerberos, and let the source "
        f"delegate to the targets (docs/delegation.md).{instead}",
    )


def _has_credential_guard(source: Provider) -> bool:
    build = source.computer.os_build
    return source.computer.part_of_domain and build.isdecimal() and int(build) >= CREDENTIAL_GUARD


def planned_findings(target: Provider, source: Provider, ours: Collection[str]) -> Iterator[Finding]:
    """What broken moves of ours have left half made. It keeps its id from being used, and nobody else removes it."""
    jobs = (*target.jobs, *source.jobs)
    for planned in target.planned_vms:
        named = planned.name == temporary_name(planned.id)
        moving = any(job.concerns(planned.id, planned.name if named else None) for job in jobs)
        if moving or not (named or planned.id in ours):
            continue
        yield Finding(
            severity=WARNING,
            provider=target.name,
            code="PLANNED_VM_LEFT",
            what=f"A move that broke off has left the planned VM {planned.name} ({planned.id}) on {target.name}.",
            remedy=f"{planned_remedy(target.name)}. Copies to {target.name} get other ids and need not wait for that.",
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


__all__ = (
    "delegation_findings",
    "export_missing",
    "limit_findings",
    "planned_findings",
    "source_room",
    "staging_finding",
    "target_space",
)
