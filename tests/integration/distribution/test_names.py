# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that would be code or patterns elsewhere are only names here; the VM beside the template is never touched."""

from __future__ import annotations

import pytest

from .conftest import MakeSite
from .site import SOURCE, config, vm

GOOD = (
    "win11-gold[1]",
    "it's; $(Stop-Computer) `n",
    "grüße ä ö ü",
    "%TEMP% & echo {0}",
    "x" * 100,
    "-Name a -Force",
    "--",
)
FOLDER = "which cannot be in a folder's name"
SPACE = "begins or ends with a space or ends with a dot, which Windows drops from folder names"
REMEDY = "Rename the template VM, then run again."
REFUSED = {
    "a*": f"The name 'a*' contains *, {FOLDER}",
    'say "hi"': f"""The name 'say "hi"' contains ", {FOLDER}""",
    "a?b": f"The name 'a?b' contains ?, {FOLDER}",
    "a/b": f"The name 'a/b' contains /, {FOLDER}",
    "a\\b": f"The name 'a\\\\b' contains \\, {FOLDER}",
    "a:b": f"The name 'a:b' contains :, {FOLDER}",
    "a|b": f"The name 'a|b' contains |, {FOLDER}",
    "a\tb": f"The name 'a\\tb' contains control characters, {FOLDER}",
    "-Name * -Force": f"The name '-Name * -Force' contains *, {FOLDER}",
    "ends with dot.": f"The name 'ends with dot.' {SPACE}",
    " begins with space": f"The name ' begins with space' {SPACE}",
    "NUL": "The name 'NUL' is a reserved device name of Windows",
    "com1.old": "The name 'com1.old' is a reserved device name of Windows",
    "x" * 101: f"The name '{'x' * 101}' has 101 characters; Hyper-V takes at most 100",
    "": "The template's name is empty",
}


@pytest.mark.slow
def test_a_name_is_only_a_name(make_site: MakeSite) -> None:
    beside = "win11-gold1"
    # Windows takes paths of 259 characters, and the export's folder has the template's name.
    disks = [[{"size": "40GiB", "payload": "1MiB", "name": f"{number}.vhdx"}] for number in range(len(GOOD))]
    vms = [vm(name, disks=own) for name, own in zip(GOOD, disks, strict=True)]
    site = make_site(config(targets=1, vms=[*vms, vm(beside)], network_rate="100MiB"))
    untouched = next(vm for vm in site.vms(SOURCE) if vm["name"] == beside)
    played = site.distribute(template=list(GOOD), distribute_staging_path="C:\\S")
    assert played.code == 0, played.output
    assert site.names("hv02") == sorted(GOOD)
    assert site.names(SOURCE) == sorted([*GOOD, beside])
    assert next(vm for vm in site.vms(SOURCE) if vm["name"] == beside) == untouched
    again = site.distribute(template=list(GOOD))
    assert (again.code, again.changed) == (0, {}), again.output


def told(output: str) -> str:
    """What a task that failed has said, without the terminal's line breaks."""
    return " ".join(output.split())


def test_names_that_cannot_be_are_refused_before_any_host_is_asked(make_site: MakeSite) -> None:
    site = make_site(config(targets=1, vms=[vm("win11-gold1")]))
    for name, reason in REFUSED.items():
        played = site.distribute(template=name)
        assert played.code != 0, name
        assert "Traceback" not in played.output, played.output
        assert reason in told(played.output), played.output
        assert REMEDY in told(played.output), played.output
    assert site.lab.calls() == []


def test_a_name_that_no_vm_has_is_said_also_when_a_pattern_would_match(make_site: MakeSite) -> None:
    site = make_site(config(targets=1, vms=[vm("win11-gold1")]))
    played = site.distribute(template="win11-gold[1]")
    assert played.code != 0
    assert "no VM called 'win11-gold[1]'" in played.output
    assert site.writes() == []


def test_a_name_too_long_for_the_staging_folder_is_refused_before_anything_is_written(make_site: MakeSite) -> None:
    site = make_site(config(targets=1, vms=[vm("x" * 100)]))
    played = site.distribute(template="x" * 100)
    assert played.code != 0
    assert "distribute_staging_path" in played.output
    assert site.status()["providers"]["hv02"]["error"]["code"] == "PATH_TOO_LONG"
    assert site.writes() == []
