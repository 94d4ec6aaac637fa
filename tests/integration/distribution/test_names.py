# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that would be code or patterns elsewhere are only names here; the VM beside the template is never touched."""

from __future__ import annotations

import pytest

from .conftest import MakeSite
from .site import SOURCE, config, vm

GOOD = ["win11-gold[1]", "it's; $(Stop-Computer) `n", "grüße ä ö ü", "%TEMP% & echo {0}", "x" * 100, "-Name * -Force"]
BAD = [
    "a*",
    'say "hi"',
    "a?b",
    "a/b",
    "a\\b",
    "a:b",
    "a|b",
    "x" * 101,
    "ends with dot.",
    " begins with space",
    "",
    "NUL",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in GOOD if "*" not in name])
def test_a_name_is_only_a_name(make_site: MakeSite, name: str) -> None:
    beside = "win11-gold1"
    disks = [{"size": "40GiB", "payload": "8MiB", "name": "gold.vhdx"}]
    site = make_site(config(targets=1, vms=[vm(name, disks=disks), vm(beside)]))
    untouched = next(vm for vm in site.vms(SOURCE) if vm["name"] == beside)
    # Windows takes paths of 259 characters, and the export's folder has the template's name.
    played = site.distribute(template=name, distribute_staging_path="C:\\S")
    assert played.code == 0, played.output
    assert site.names("hv02") == [name]
    assert next(vm for vm in site.vms(SOURCE) if vm["name"] == beside) == untouched
    again = site.distribute(template=name)
    assert (again.code, again.changed) == (0, {}), again.output


def test_names_that_cannot_be_are_refused_before_any_host_is_asked(make_site: MakeSite) -> None:
    site = make_site(config(targets=1, vms=[vm("win11-gold1")]))
    for name in BAD:
        played = site.distribute(template=name)
        assert played.code != 0, name
        assert "Traceback" not in played.output, played.output
        assert "TEMPLATE_NAME" in played.output or "name" in played.output.lower(), played.output
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
