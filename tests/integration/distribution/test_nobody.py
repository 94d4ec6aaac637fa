# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in which there is no provider that could fail: what is wrong is said all the same, and the run fails."""

from __future__ import annotations

from .conftest import MakeSite
from .site import SOURCE, TEMPLATE, config


def test_a_run_without_providers_is_no_success(make_site: MakeSite) -> None:
    site = make_site(config(targets=0))
    for playbook in ("distribute", "preflight"):
        missing = site.distribute(playbook=playbook, template="win11-glod")
        assert missing.code != 0, missing.output
        assert "hv01 has no VM called 'win11-glod'" in missing.output
    nobody = site.distribute("--limit", SOURCE)
    assert nobody.code != 0, nobody.output
    assert f"No provider can hold {TEMPLATE}" in nobody.output
    assert site.writes() == []
