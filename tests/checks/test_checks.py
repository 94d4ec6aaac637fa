# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each check catches what it is there for, and lets pass what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checks import built_collection
from tests.checks import source_rules as rules

UTILS = "plugins/module_utils/"


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [
        (f"{UTILS}_session.py", "shell.add_script('x')", "only_structured_commands"),
        (f"{UTILS}_host.py", "from pypsrp.powershell import PowerShell", "one_file_speaks_psrp"),
        ("plugins/action/operation.py", "import winrm", "one_file_speaks_psrp"),
        (f"{UTILS}operations/vm_move.py", "run('Move-VM')", "one_place_names_cmdlets"),
        (f"{UTILS}_lease.py", "run('Microsoft.PowerShell.Management\\\\New-Item')", "one_place_names_cmdlets"),
        (f"{UTILS}operations/vm_move.py", "from ansible.errors import AnsibleError", "operations_know_no_ansible"),
        (f"{UTILS}operations/vm_move.py", "module.fail_json(msg='x')", "one_place_ends_modules"),
        ("plugins/modules/vm_move.py", "module.exit_json()", "one_place_ends_modules"),
        (
            f"{UTILS}operations/vm_move.py",
            "from ansible_collections.fanout.hyperv.plugins.plugin_utils._slots import Slots",
            "arrows_point_one_way",
        ),
        ("tests/lab/src/hyperv_lab/lab.py", "import pypsrp.wsman", "arrows_point_one_way"),
        ("plugins/callback/distribution_status.py", "import hyperv_lab", "arrows_point_one_way"),
    ],
)
def test_broken_rule_is_found(path: str, text: str, rule: str) -> None:
    found = list(rules.check_source(path, text))
    assert [line.rpartition("[")[2] for line in found] == [f"{rule}]"]
    assert found[0].startswith(f"{path}:1: ")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (f"{UTILS}_session_library.py", "from pypsrp.powershell import PowerShell"),
        (f"{UTILS}_host.py", "run('Move-VM')"),
        (f"{UTILS}_host_files.py", "run('New-Item')"),
        (f"{UTILS}_running.py", "from ansible.module_utils.basic import AnsibleModule\nm.exit_json()"),
        (f"{UTILS}operations/vm_move.py", '"""Move-VM is what the host runs."""\nraise E("Move-VM failed")'),
        (f"{UTILS}operations/vm_move.py", "import ansible_collections.fanout.hyperv.plugins.module_utils._stamp"),
        ("plugins/action/operation.py", "from ansible.plugins.action import ActionBase"),
        ("tests/lab/src/hyperv_lab/cmdlets/vm.py", "cmdlet('Move-VM')\nimport psrpcore"),
        ("tests/unit/plugins/test_x.py", "import pypsrp, hyperv_lab\nassert 'Move-VM'"),
    ],
)
def test_right_source_passes(path: str, text: str) -> None:
    assert list(rules.check_source(path, text)) == []


HEADER = "\n".join(
    [f"{rules.LICENCE_LINES[0]}2026 X", f"{rules.LICENCE_LINES[1]}https://x)", rules.LICENCE_LINES[2], ""]
)


@pytest.mark.parametrize("text", [HEADER, f"#!/usr/bin/python\n{HEADER}", f"---\n{HEADER}x: 1\n", ""])
def test_header_accepted(text: str) -> None:
    assert list(rules.check_header("a.py", text)) == []


@pytest.mark.parametrize(
    "text", ["x = 1\n", f"\n{HEADER}", HEADER.replace("-or-later", "-only"), HEADER.splitlines()[0]]
)
def test_header_missed(text: str) -> None:
    assert len(list(rules.check_header("a.py", text))) == 1


def test_the_project_lists_its_own_files() -> None:
    root = Path(__file__).resolve().parents[2]
    assert "tests/checks/source_rules.py" in rules.project_files(root)


def test_archive_problems() -> None:
    shipped = ["README.md", "plugins/modules/x.py", "tests/lab/x.py", ".yamllint", "notes.txt", "MANIFEST.json"]
    found = list(built_collection.problems(shipped, [name for name in shipped if name != "notes.txt"]))
    assert "COPYING is missing" in found
    assert "nothing below roles" in found
    assert "notes.txt is not part of the repository" in found
    assert "tests/lab/x.py should not be shipped" in found
    assert ".yamllint should not be shipped" in found
    assert not any("README.md" in line or "plugins/modules" in line or "MANIFEST" in line for line in found)
