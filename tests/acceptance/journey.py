# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journey of a template, step by step: declared, distributed, changed, lost, supplied again, taken back.

The disk of the template is never changed: no structured cmdlet writes to it, and starting the VM would run whatever it
holds. A new revision comes from one more processor, which is taken back in the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .place import ROOT, Place, Played, Stopped, Values, changed_machines

PLAYBOOK = "fanout.hyperv.{}"
GOOD = ("Ready", "OK")


@dataclass(frozen=True)
class Statement:
    text: str
    true: bool

    def __str__(self) -> str:
        return f"  {'yes' if self.true else 'NO '}  {self.text}"


def exists(playbook: str) -> bool:
    return (ROOT / "playbooks" / f"{playbook}.yml").exists()


@dataclass
class Journey:
    place: Place
    template: str
    tell: Callable[[str], None] = print
    statements: list[Statement] = field(default_factory=list)
    untaken: list[str] = field(default_factory=list)
    """Steps that could not be taken, with the reason."""
    _original: Values | None = None

    def plan(self) -> list[str]:
        """What the journey will do, for people who have to agree to it."""
        place = self.place
        targets = ", ".join(place.targets)
        return [
            f"Source {place.source}; targets {targets}.",
            f"Refuse when a target holds a VM called {self.template}, or when it is not Off on the source.",
            f"Distribute {self.template}: exported on the source, cloned, moved to every target by Live Migration.",
            "Repeat the run; give the template one processor more with Set-VM; distribute it again.",
            f"Remove the copy on {place.targets[0]} with Remove-VM, as somebody would by hand; distribute again.",
            f"Remove {place.targets[-1]} from the distribution, then add it again.",
            f"Take the copies back from {targets}, and the processor from the template.",
            "Disk files of the copy removed by hand stay on its target, in our folder there: Remove-VM leaves them.",
        ]

    def run(self) -> bool:
        """All steps; what was changed on the template is taken back whatever happens."""
        steps = [
            self.survey,
            self.check_mode,
            self.distribute,
            self.repeat,
            self.new_revision,
            self.lost_copy,
            self.remove_provider,
            self.add_provider,
            self.teardown,
        ]
        try:
            for step in steps:
                self._take(step)
        finally:
            self._put_back()
            self.place.forget_raw()
        return all(statement.true for statement in self.statements)

    def _take(self, step: Callable[[], None]) -> None:
        name = step.__name__.replace("_", " ")
        self.tell(f"{name}: {(step.__doc__ or '').strip()}")
        try:
            step()
        finally:
            self.place.keep_recordings(step.__name__)

    def _say(self, text: str, true: bool) -> None:
        statement = Statement(text, true)
        self.statements.append(statement)
        self.tell(str(statement))

    def _distribute(self, name: str, **more: Any) -> Played:
        return self.place.play(name, PLAYBOOK.format("distribute"), distribute_template=self.template, **more)

    def _copies(self, machines: dict[str, list[Values]]) -> dict[str, list[str]]:
        """Ids of the VMs with the template's name on each target."""
        return {
            host: [str(vm["Id"]) for vm in machines[host] if vm["Name"] == self.template] for host in self.place.targets
        }

    def _supplied(self) -> dict[str, list[str]]:
        """Every target has one copy, and the status file says so."""
        copies = self._copies(self.place.machines())
        self._say("every target holds one VM of that name", all(len(ids) == 1 for ids in copies.values()))
        words = self.place.words()
        self._say("the status file calls every target Ready, OK", set(words.values()) == {GOOD})
        return copies

    def _template(self, machines: dict[str, list[Values]]) -> Values:
        found = [vm for vm in machines[self.place.source] if vm["Name"] == self.template]
        if len(found) != 1:
            raise Stopped(f"{self.place.source} holds {len(found)} virtual machines called {self.template}")
        return found[0]

    # ---- the steps

    def survey(self) -> None:
        """every host answers, and nothing is in the way"""
        machines = self.place.machines()
        template = self._template(machines)
        if str(_plain(template["State"])) != "Off":
            raise Stopped(f"{self.template} is {_plain(template['State'])} on {self.place.source}, not Off")
        taken = [host for host, ids in self._copies(machines).items() if ids]
        if taken:
            raise Stopped(f"{', '.join(taken)}: there is a VM called {self.template} already; nothing was touched")
        self._original = template
        self._say(f"{len(machines)} hosts answer", len(machines) == len(self.place.providers))
        if not exists("preflight"):
            self.untaken.append("preflight: there is no playbook for it")
            return
        played = self.place.play("preflight", PLAYBOOK.format("preflight"), distribute_template=self.template)
        self._say("preflight finds nothing in the way", played.code == 0)

    def check_mode(self) -> None:
        """the plan is shown and nothing is changed"""
        before = self.place.machines()
        played = self.place.check("check", PLAYBOOK.format("distribute"), distribute_template=self.template)
        self._say("check mode ends well", played.code == 0)
        self._say("no host holds anything else", not changed_machines(before, self.place.machines()))

    def distribute(self) -> None:
        """the first distribution"""
        played = self._distribute("distribute")
        self._say("the run ends well", played.code == 0)
        self._supplied()
        if not exists("status"):
            self.untaken.append("status: there is no playbook for it")
            return
        shown = self.place.play("status", PLAYBOOK.format("status"), status_template=self.template)
        self._say("the hosts themselves show the same", shown.code == 0)

    def repeat(self) -> None:
        """the run once more"""
        before = self.place.machines()
        played = self._distribute("repeat")
        self._say("the run ends well and changes nothing", (played.code, played.changed) == (0, set()))
        self._say("no host holds anything else", not changed_machines(before, self.place.machines()))

    def new_revision(self) -> None:
        """the template is changed, and distributed again"""
        assert self._original is not None
        before = self._copies(self.place.machines())
        self._processors(int(self._original["ProcessorCount"]) + 1)
        played = self._distribute("new revision")
        self._say("the run ends well", played.code == 0)
        after = self._supplied()
        self._say("every copy is another VM than before", all(before[host] != after[host] for host in before))

    def lost_copy(self) -> None:
        """one copy is deleted by hand, and supplied again"""
        host = self.place.targets[0]
        before = self._copies(self.place.machines())
        for vm_id in before[host]:
            self.place.by_hand(
                "delete a copy", [host], ("Get-VM", {"Id": vm_id}), ("Remove-VM", {"Force": True, "Confirm": False})
            )
        played = self._distribute("lost copy")
        self._say("the run ends well", played.code == 0)
        after = self._supplied()
        others = [name for name in before if name != host]
        self._say("the other copies were left alone", all(before[name] == after[name] for name in others))

    def remove_provider(self) -> None:
        """a provider leaves the distribution"""
        if not exists("remove"):
            self.untaken.append("remove provider: there is no playbook for it")
            return
        host = self.place.targets[-1]
        before = self.place.machines()
        played = self._provider("remove", host)
        self._say("the run ends well", played.code == 0)
        after = self.place.machines()
        self._say(f"{host} holds no copy any more", self._copies(after)[host] == [])
        self._say("all other hosts hold what they held", set(changed_machines(before, after)) <= {host})

    def add_provider(self) -> None:
        """the provider joins again"""
        if not exists("add") or not exists("remove"):
            self.untaken.append("add provider: there is no playbook for it")
            return
        played = self._provider("add", self.place.targets[-1])
        self._say("the run ends well", played.code == 0)
        copies = self._copies(self.place.machines())
        self._say("every target holds one VM of that name", all(len(ids) == 1 for ids in copies.values()))

    def teardown(self) -> None:
        """everything is taken back"""
        if not exists("teardown"):
            self.untaken.append("teardown: there is no playbook for it; the copies are still there")
            return
        played = self.place.play(
            "teardown",
            PLAYBOOK.format("teardown"),
            distribute_template=self.template,
            teardown_confirm=self.template,
        )
        self._say("the run ends well", played.code == 0)
        machines = self.place.machines()
        self._say("no target holds a copy", not any(self._copies(machines).values()))
        template = self._template(machines)
        self._say("the template is still there", template["Id"] == (self._original or {}).get("Id"))

    def _provider(self, playbook: str, hosts: str) -> Played:
        return self.place.play(playbook, PLAYBOOK.format(playbook), distribute_template=self.template, provider=hosts)

    def _processors(self, count: int) -> None:
        assert self._original is not None
        self.place.by_hand(
            f"{count} processors",
            [self.place.source],
            ("Get-VM", {"Id": str(self._original["Id"])}),
            ("Set-VM", {"ProcessorCount": count}),
        )

    def _put_back(self) -> None:
        if self._original is not None:
            self._processors(int(self._original["ProcessorCount"]))
            self.place.keep_recordings("put_back")


def _plain(value: Any) -> Any:
    """An enum's word; hosts send it with its number."""
    if isinstance(value, dict):
        return value.get("_text") or value.get("ToString") or value.get("_value") or value
    return value
