# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What an operation is, and what it is given to work with. No Ansible in here.

An operation decides, from what the hosts show and what was asked, whether there is something to do. It never looks at
check mode and never ends the process: both doors (``_running.py`` and the action plugin) do that for all operations.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._errors import HyperVError
    from ansible_collections.fanout.hyperv.plugins.module_utils._host import Host

Values = dict[str, t.Any]


class Reporter(t.Protocol):
    """Tells the world how far the work is, and notices when nobody is left to tell."""

    def phase(self, name: str, **fields: t.Any) -> None:
        """A new phase of the work begins."""

    def progress(
        self,
        percent: float | None = None,
        bytes_done: int | None = None,
        bytes_total: int | None = None,
        **fields: t.Any,
    ) -> None:
        """How far the current phase is."""

    def note(self, text: str) -> None:
        """A line that people want to see now."""

    def check(self) -> None:
        """Raise ``Orphaned`` when the controlling process has gone."""


class Slots(t.Protocol):
    """Bounds what one control node does at the same time. Each method waits, calling ``check`` while it does."""

    def clone(self, limit: int, check: Callable[[], None]) -> AbstractContextManager[t.Any]:
        """At most ``limit`` clones exist at the same time."""

    def copy(
        self,
        limit: int,
        vm_id: str,
        in_flight: Callable[[], Collection[str]],
        check: Callable[[], None],
    ) -> AbstractContextManager[t.Any]:
        """At most ``limit`` moves at the same time, counting the moves that the source shows by ``in_flight()``."""

    def exclusive(self, name: str, check: Callable[[], None]) -> AbstractContextManager[t.Any]:
        """One at a time."""


class Hosts(t.Protocol):
    """The Hyper-V hosts of a task by role; ``host`` is the one that the task is for."""

    def get(self, role: str, *, control: bool = False) -> Host:
        """The host of that role; with ``control`` over a second session of its own. Opened when first used."""

    def has(self, role: str) -> bool:
        """Whether it is known how to reach the host of that role."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Who works: written into leases and owner files on the hosts, so that others can tell whose they are."""

    controller: str
    pid: int
    run: str


@dataclass(frozen=True, kw_only=True)
class Work:
    """Everything an operation may use. ``provider`` is the inventory name of the task's host."""

    params: Values
    provider: str
    hosts: Hosts
    reporter: Reporter
    slots: Slots
    owner: Owner

    @property
    def host(self) -> Host:
        """The host that the task is for."""
        return self.hosts.get("host")

    def other(self, role: str) -> Host:
        """The host of another role, the source for instance."""
        return self.hosts.get(role)

    def has(self, role: str) -> bool:
        """Whether it is known how to reach the host of that role."""
        return self.hosts.has(role)

    def control(self, role: str = "host") -> Host:
        """The same machine over a second session, usable while the first one is blocked by a long command."""
        return self.hosts.get(role, control=True)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What an operation is about to do: why, and how it looks before and after.

    ``values`` are result values that are known beforehand (the same in check mode); what ``apply`` returns is added to
    them. ``plan`` are the steps, as sentences for people.
    """

    reason: str
    before: Values
    after: Values
    apply: Callable[[], Values | None]
    plan: tuple[str, ...] = ()
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Same:
    """The host is already as asked; what there is to tell about it."""

    values: Values = field(default_factory=dict)
    reason: str | None = None


Decision = Change | Same | None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One verb. Either ``decide`` (something may change) or ``gather`` (an ``_info`` module: nothing ever does).

    ``hosts`` are further roles: for a role ``source`` the option ``source`` is an inventory name, ``source_connection``
    a dictionary of connection options. ``on_error`` adds result values to a failure. An operation with
    ``needs_host=False`` works on the control node alone and takes no connection options.
    """

    name: str
    argument_spec: Mapping[str, Values]
    decide: Callable[[Work], Decision] | None = None
    gather: Callable[[Work], Values] | None = None
    on_error: Callable[[Work, HyperVError], Values] | None = None
    hosts: tuple[str, ...] = ()
    needs_host: bool = True
    mutually_exclusive: Sequence[Sequence[str]] = ()
    required_together: Sequence[Sequence[str]] = ()
    required_one_of: Sequence[Sequence[str]] = ()
    required_if: Sequence[Sequence[t.Any]] = ()
    required_by: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def rules(self) -> Values:
        """The rules between options, by the names that Ansible's validators use."""
        return {
            "mutually_exclusive": list(self.mutually_exclusive),
            "required_together": list(self.required_together),
            "required_one_of": list(self.required_one_of),
            "required_if": list(self.required_if),
            "required_by": dict(self.required_by),
        }


__all__ = (
    "Change",
    "Decision",
    "Hosts",
    "Operation",
    "Owner",
    "Reporter",
    "Same",
    "Slots",
    "Values",
    "Work",
)
