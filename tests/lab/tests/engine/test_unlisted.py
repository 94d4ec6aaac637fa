# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of commands: those of real hosts that are not simulated are told apart from those that no host has."""

from __future__ import annotations

import pytest
from hyperv_lab.engine.tables import resolve
from hyperv_lab.engine.unlisted import UNLISTED, is_unlisted


@pytest.mark.parametrize("name", ["Invoke-Expression", "new-pssession", "Microsoft.PowerShell.Utility\\Get-Random"])
def test_known_by_name_only(name: str) -> None:
    assert is_unlisted(name)
    assert resolve(name) is None


@pytest.mark.parametrize("name", ["Get-VMM", "Move-VMs", "Export-Everything", "", "Get-VM"])
def test_not_in_the_list(name: str) -> None:
    assert not is_unlisted(name)


def test_every_name_is_written_as_a_command() -> None:
    assert len(UNLISTED) > 200
    assert all(name.count("-") == 1 and name == name.lower() for name in UNLISTED)
