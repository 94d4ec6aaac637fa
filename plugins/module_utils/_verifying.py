# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Holds a copy that has arrived against the manifest of the export that it was made from."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Sequence

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import VerificationFailed
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import fold, inside, name_of

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host
    from ansible_collections.fanout.hyperv.plugins.module_utils._manifest import Manifest
    from ansible_collections.fanout.hyperv.plugins.module_utils._objects import VM, Disk, DiskFacts
    from ansible_collections.fanout.hyperv.plugins.module_utils._work import Reporter

NONE, SIZE, HASH = "none", "size", "hash"


def verify(
    host: Host,
    vm: VM,
    folder: str,
    manifest: Manifest,
    *,
    how: str,
    reporter: Reporter,
    on_poll: Callable[[], None],
) -> tuple[DiskFacts, ...]:
    """What identifies the copy's disks, once they are what they should be; else VerificationFailed with all reasons.

    ``none`` looks whether the disks are there and lie in the copy's own folder; ``size`` compares virtual size,
    identifier and file size and has the host test each disk; ``hash`` compares the SHA-256 of the files as well.
    """
    wrong, disks = examine(host, vm, folder, manifest, how=how, reporter=reporter, on_poll=on_poll)
    if wrong:
        raise VerificationFailed(
            f"The copy {vm.name} ({vm.id}) is not what was exported: {'; '.join(wrong)}.",
            remedy="It was not given the template's name. Run again to make it anew; if it happens again, check the "
            "network and the disks of both hosts.",
            host=host.label,
        )
    return host.disk_facts(disks)


def examine(
    host: Host,
    vm: VM,
    folder: str,
    manifest: Manifest,
    *,
    how: str,
    reporter: Reporter,
    on_poll: Callable[[], None],
) -> tuple[list[str], tuple[Disk, ...]]:
    """What is wrong with a copy, and its disks; changes nothing."""
    drives = host.drives(vm.id)
    disks = host.disks([drive.path for drive in drives if drive.is_file])
    wrong = list(_places(vm, disks, folder, manifest, len(drives)))
    if not wrong and how in (SIZE, HASH):
        wrong += _sizes(disks, manifest)
        wrong += [f"{disk.path}: the host's test of the disk failed" for disk in disks if not host.test_disk(disk.path)]
    if not wrong and how == HASH:
        wrong += _hashes(host, disks, manifest, reporter, on_poll)
    return wrong, disks


def damage(host: Host, vm: VM, folder: str, manifest: Manifest, reporter: Reporter) -> list[str]:
    """What reading every byte of a copy that was verified before brings to light; told at once."""
    reporter.phase("checking")
    wrong, _disks = examine(host, vm, folder, manifest, how=HASH, reporter=reporter, on_poll=reporter.check)
    if wrong:
        reporter.note(f"the copy {vm.name} is damaged: {'; '.join(wrong)}")
        reporter.progress(facts={"copy": "differs"}, reasons=wrong)
    return wrong


def _places(vm: VM, disks: Sequence[Disk], folder: str, manifest: Manifest, drives: int) -> Iterator[str]:
    if vm.state != "Off":
        yield f"it is {vm.state}, not Off"
    expected = sorted(fold(name_of(disk.path)) for disk in manifest.disks)
    if sorted(fold(name_of(disk.path)) for disk in disks) != expected or drives != len(expected):
        names = ", ".join(name_of(disk.path) for disk in disks) or "none"
        yield f"it has {drives} drives with the disks {names} instead of {len(expected)}"
    for disk in disks:
        if not inside(disk.path, folder):
            yield f"{disk.path} lies outside {folder}"
        if disk.parent_path:
            yield f"{disk.path} depends on {disk.parent_path}"


def _sizes(disks: Sequence[Disk], manifest: Manifest) -> Iterator[str]:
    expected = {fold(name_of(disk.path)): disk for disk in manifest.disks}
    for disk in disks:
        wanted = expected[fold(name_of(disk.path))]
        for what, here, there in (
            ("virtual size", disk.size, wanted.size),
            ("disk identifier", disk.identifier, wanted.identifier),
            ("file size", disk.file_size, wanted.file_size),
        ):
            if here != there:
                yield f"{disk.path}: {what} is {here} instead of {there}"


def _hashes(
    host: Host, disks: Sequence[Disk], manifest: Manifest, reporter: Reporter, on_poll: Callable[[], None]
) -> Iterator[str]:
    """The manifest's hashes are of the export's files, which have the same names."""
    expected = {fold(name_of(file.path)): file.sha256 for file in manifest.files}
    total, done = sum(disk.file_size for disk in disks), 0

    def poll() -> None:
        reporter.check()
        on_poll()

    for disk in disks:
        reporter.progress(percent=100 * done / total if total else None, bytes_done=done, bytes_total=total)
        wanted = expected[fold(name_of(disk.path))]
        if wanted is None:
            yield f"{disk.path}: the export's SHA-256 is not known"
            continue
        found = host.files.sha256(disk.path, on_poll=poll)
        done += disk.file_size
        if found != wanted:
            yield f"{disk.path}: SHA-256 is {found} instead of {wanted}"


__all__ = ("HASH", "NONE", "SIZE", "damage", "examine", "verify")
