# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A WinRS cmd shell, just so far that clients can see whether a host answers."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from . import scripts
from . import wsman_faults as faults
from .outbox import Outbox
from .shells import Opening, Premises, Shell, command_id_of
from .soap import NS, Message

URI = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd"
NOT_SIMULATED = "NotSimulated: the lab runs no command lines, and does not know this one: {}\r\n"
STREAMS = ("stdout", "stderr")


class CmdShell(Shell):
    output_streams = "stdout stderr"

    def __init__(self, opening: Opening, premises: Premises) -> None:
        super().__init__(opening)
        self.outboxes.clear()  # the shell itself has nothing to say
        self._computer = premises.config.name.upper()
        self._limit = premises.config.winrm.commands_per_shell

    def command(self, message: Message) -> str:
        element = message.element("rsp:CommandLine")
        command_id = command_id_of(element) or str(uuid.uuid4()).upper()
        if command_id in self.outboxes:
            raise faults.command_id_taken()
        if len(self.outboxes) >= self._limit:
            raise faults.too_many_commands(self._limit)
        program = element.findtext("rsp:Command", "", NS)
        if message.options.get("WINRS_SKIP_CMD_SHELL", "").lower() == "true" and "\\" not in program:
            raise faults.no_file()
        words = [
            program,
            *(item.text or "" for item in element.findall("rsp:Arguments", NS)),
        ]
        self.outboxes[command_id] = self._run(command_id, " ".join(words))
        return command_id

    def _run(self, command_id: str, line: str) -> Outbox:
        line = scripts.decode(line)
        answer = scripts.answer(line, self._computer, self.owner.account.name)
        if answer is None:
            answer = scripts.Answer(stderr=NOT_SIMULATED.format(line[:200]), exit_code=1)
        outbox = Outbox(command_id, STREAMS)
        if answer.stdout:
            outbox.put(f"{answer.stdout}\r\n".encode())
        if answer.stderr:
            outbox.put(answer.stderr.encode(), "stderr")
        outbox.finish(answer.exit_code)
        return outbox

    async def receive(self, command_id: str | None, timeout: float, max_envelope: int) -> str:
        if command_id is None:
            raise faults.bad_parameter()
        return await super().receive(command_id, timeout, max_envelope)

    def send(self, command_id: str | None, data: bytes, end: bool) -> None:
        if command_id not in self.outboxes:
            raise faults.no_command()

    def stop(self, command_id: str) -> None:
        self.forget(command_id)

    def forget(self, command_id: str) -> None:
        if self.outboxes.pop(command_id, None) is None:
            raise faults.no_command()

    def end(self, reason: str) -> None:
        self.outboxes.clear()

    def names(self, command_id: str | None) -> Collection[str]:
        return ()
