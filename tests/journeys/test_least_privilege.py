# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main journey through the endpoint that the project ships, by a user who is nobody otherwise."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

import pytest

from tests.integration.distribution.conftest import MakeSite, make_site
from tests.integration.distribution.site import ROOT, SOURCE, TEMPLATE, Site, Values, config

__all__ = ["make_site"]
ENDPOINT = "FanoutHyperV"
TARGETS = ("hv02", "hv03")
OPERATOR = "operator"
FILE = ROOT / "files" / "jea" / ENDPOINT / f"{ENDPOINT}.pssc"


def constrained(groups_of_the_source: Sequence[str] = ("Hyper-V Administrators",), **more: t.Any) -> Values:
    """Hosts of the domain that the .pssc names, with a user of the group that it lets in.

    In a session the user is a virtual account: for the targets that is the source's computer account.
    """
    lab = config(targets=len(TARGETS), session_configurations={ENDPOINT: str(FILE)}, **more)
    operator = {"name": OPERATOR, "password": "Lab-Passw0rd!", "groups": ["Fanout Operators"]}
    source = {"name": f"{SOURCE}$", "password": "Not-us3d", "groups": list(groups_of_the_source)}
    return lab | {"domain": "contoso.test", "users": [operator, source]}


def open_to(site: Site, configuration: str | None) -> None:
    """The inventory, with this endpoint."""
    more = {"ansible_psrp_configuration_name": configuration} if configuration else {}
    site.write_inventory(site.lab.inventory(user=OPERATOR, **more))


def supplied(site: Site) -> None:
    assert site.words() == {name: ("Ready", "OK") for name in TARGETS}
    assert [site.names(name) for name in TARGETS] == [[TEMPLATE]] * len(TARGETS)


@pytest.mark.slow
def test_distribute_again_and_remove(make_site: MakeSite) -> None:
    site = make_site(constrained())
    open_to(site, ENDPOINT)
    played = site.distribute()
    assert played.code == 0, played.output
    supplied(site)

    since = site.last_call()
    again = site.distribute()
    assert (again.code, again.changed) == (0, {}), again.output
    assert site.writes(since) == []

    removed = site.play("remove", provider=",".join(TARGETS))
    assert removed.code == 0, removed.output
    assert [site.names(name) for name in (SOURCE, *TARGETS)] == [[TEMPLATE], [], []]

    callers = {call["user"] for call in site.lab.calls()}
    assert callers and all(caller.startswith("WinRM Virtual Users\\") for caller in callers)
    assert site.lab.bugs() == []


@pytest.mark.slow
def test_a_source_whose_computer_account_may_not_migrate(make_site: MakeSite) -> None:
    site = make_site(constrained(groups_of_the_source=["Domain Computers"]))
    open_to(site, ENDPOINT)
    played = site.distribute()
    assert played.code != 0
    assert {site.status()["providers"][name]["error"]["code"] for name in TARGETS} == {"ACCESS_DENIED"}
    assert [site.names(name) for name in (SOURCE, *TARGETS)] == [[TEMPLATE], [], []]


@pytest.mark.slow
def test_without_the_endpoint_the_same_user_is_nobody(make_site: MakeSite) -> None:
    site = make_site(constrained())
    open_to(site, None)
    played = site.distribute()
    assert played.code != 0
    assert "ACCESS_DENIED" in played.output
    assert site.lab.calls() == []
    assert site.names(SOURCE) == [TEMPLATE]
