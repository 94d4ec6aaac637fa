# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""Cleans the staging folder of a template: clones that nobody works with, exports of revisions that nobody keeps."""

from __future__ import annotations

from datetime import timedelta

from ansible_collections.fanout.hyperv.plugins.module_utils._errors import CommandFailed, Refused
from ansible_collections.fanout.hyperv.plugins.module_utils._exporting import exporting
from ansible_collections.fanout.hyperv.plugins.module_utils._lease import Lease
from ansible_collections.fanout.hyperv.plugins.module_utils._lookup import vm_id
from ansible_collections.fanout.hyperv.plugins.module_utils._paths import Layout, check_folder, is_revision
from ansible_collections.fanout.hyperv.plugins.module_utils._removing import Remover, is_stuck
from ansible_collections.fanout.hyperv.plugins.module_utils._staging import Clone, read_clones
from ansible_collections.fanout.hyperv.plugins.module_utils._work import Change, Decision, Operation, Values, Work


def decide(work: Work) -> Decision:
    """What belongs to no running work and to no revision that is kept."""
    params = work.params
    expiry = timedelta(seconds=params["lease_seconds"])
    layout = Layout(check_folder(params["staging_path"]), vm_id(params["template_id"], "template_id"))
    clones = read_clones(work.host, layout)
    dead = [clone for clone in clones if clone.abandoned(work.owner, expiry)]

    def stuck(folder: str) -> bool:
        return is_stuck(work.host, work.host.files.tree(folder))

    alive = {clone.revision for clone in clones if clone not in dead}
    keep = {*params["keep"], *alive}
    old = [
        entry.path
        for entry in work.host.files.entries(layout.template) or ()
        if entry.is_folder and not entry.is_link and is_revision(entry.name) and entry.name not in keep
    ]
    dead = [clone for clone in dead if clone.vm is not None or not stuck(clone.folder)]
    old = [folder for folder in old if not stuck(folder)]
    if not dead and not old:
        return None
    names = [clone.folder for clone in dead] + old
    return Change(
        reason=f"clean {', '.join(names)}",
        before={"folders": names},
        after={"folders": []},
        apply=lambda: _clean(work, layout, expiry, dead, old),
        plan=tuple(f"clean {name}" for name in names),
    )


def _clean(work: Work, layout: Layout, expiry: timedelta, dead: list[Clone], old: list[str]) -> Values:
    left: list[str] = []
    remover = Remover(host=work.host, check=work.reporter.check)
    with Lease(work.host, layout.export_lease, work.owner, expiry=expiry).held(
        # Clones that go are in nobody's hands; into a folder of an old revision a run that has gone may still export.
        lambda: bool(old) and exporting(work.host),
        wait=work.params["wait"],
        check=work.reporter.check,
    ) as lease:
        for clone in dead:
            lease.renew(force=True)
            left += _clean_clone(remover, clone)
        for folder in old:
            lease.renew(force=True)
            left += remover.clear(folder)
    return {"left": left}


def _clean_clone(remover: Remover, clone: Clone) -> tuple[str, ...]:
    """A clone whose import still runs on the host holds its files: it is left for later."""
    try:
        if clone.vm is not None:
            return remover.remove_vm(clone.vm, clone.folder)
        return remover.clear(clone.folder)
    except (CommandFailed, Refused):
        return (clone.folder,)


OPERATION = Operation(
    name="staging_clean",
    argument_spec={
        "template_id": {"type": "str", "required": True},
        "staging_path": {"type": "str", "required": True},
        "keep": {"type": "list", "elements": "str", "default": []},
        "wait": {"type": "float", "default": 0.0},
        "lease_seconds": {"type": "float", "default": 120.0},
    },
    decide=decide,
)
