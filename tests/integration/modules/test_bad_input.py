# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people get wrong: a clear message, nothing touched, never a traceback."""

from __future__ import annotations

import pytest

from .doors import CLONED_ID, NET, NO_ID, PASSWORD, T_ID, TWIN_ID, Door, Task, writes

COPY = {"template_id": T_ID, "name": "win11-gold", "staging_path": r"D:\Staging", "revision": "0123456789ab"}

TABLE: list[tuple[Task, str | None, str]] = [
    (Task("vm_info", {"nam": "x"}), None, "Unsupported parameters for (fanout.hyperv.vm_info) module: nam"),
    (Task("vm_info", {"name": "x", "id": T_ID}), None, "mutually exclusive"),
    (Task("vm_export", {"path": r"D:\E"}), None, "one of the following is required: name, id"),
    (Task("vm_remove", {}), None, "missing required arguments: id"),
    (Task("vm_export", {"id": T_ID, "timeout": "soon"}), None, "timeout"),
    (Task("template", {"id": T_ID, "state": "gone"}), None, "value of state must be one of: present, absent"),
    (Task("template", {"id": T_ID, "multi_provider": "perhaps"}), None, "multi_provider"),
    (Task("vm_info", {"auth": "magic"}), None, "value of auth must be one of"),
    (Task("vm_info", {"id": "win11-gold"}), "INVALID_INPUT", "not the id of a VM"),
    (Task("vm_info", {"name": " "}), "INVALID_INPUT", "empty"),
    (Task("template", {"name": "win11*"}), "VM_NOT_FOUND", "There is no VM with the name 'win11*'"),
    (Task("template", {"name": "win11-gold[1]"}), "VM_NOT_FOUND", "no VM"),
    (Task("template", {"name": "WIN11-GOLD"}), "VM_NOT_FOUND", "upper and lower case"),
    (Task("template", {"name": "x'; Remove-VM *; $(evil)"}), "VM_NOT_FOUND", "no VM"),
    (Task("template", {"id": T_ID, "staging_path": "Staging"}), "INVALID_PATH", "full path"),
    (Task("template", {"id": T_ID, "staging_path": r"D:\St*"}), "INVALID_PATH", "wildcard"),
    (Task("template_copy", {**COPY, "concurrency": 0}), "INVALID_INPUT", "'concurrency' is 0; it has to be a whole"),
    (Task("template_copy", {**COPY, "clones": -1}), "INVALID_INPUT", "'clones' is -1; it has to be a whole number"),
    (Task("vm_export", {"id": NO_ID, "path": r"D:\E"}), "VM_NOT_FOUND", NO_ID),
    (Task("vm_remove", {"id": NO_ID[:-1]}), "INVALID_INPUT", "not the id"),
    (Task("vm_remove", {"id": TWIN_ID}), "NOT_OURS", "not touched"),
    (Task("vm_remove", {"id": CLONED_ID}), "NOT_OURS", "cloned from"),
    (Task("vm_info", {"password": "wrong"}), "BAD_CREDENTIALS", "hv01"),
    (Task("vm_info", {"username": "nobody"}), "BAD_CREDENTIALS", "hv01"),
    (Task("vm_info", {"server": f"{NET}.99"}), "CONNECTION_REFUSED", "Nothing listens"),
    (Task("vm_info", {"server": "https://hv01:5986"}), "INVALID_SERVER", "host"),
    (Task("vm_info", {"protocol": "http", "auth": "basic"}), "INSECURE_CONNECTION", "clear"),
    (Task("vm_info", {"ca_cert": "/nowhere.pem"}), "NO_SUCH_FILE", "/nowhere.pem"),
]


@pytest.mark.slow
def test_clear_messages_and_nothing_touched(door: Door) -> None:
    before = door.lab.last_call()
    results = door.run(*(task for task, _code, _text in TABLE))
    wrong = []
    for (task, code, text), ran in zip(TABLE, results, strict=True):
        message = str(ran.result.get("msg"))
        for address, name in ((f"{NET}.1", "hv01"), (f"{NET}.2", "hv02")):
            message = message.replace(f"{address}:", f"{name}:")
        if (ran.outcome, ran.code, text in message, ran.changed) != ("failed", code, True, False):
            wrong.append(f"{task.module} {dict(task.args)}: {ran.outcome} {ran.code} {message}")
        if "Traceback" in str(ran.result):
            wrong.append(f"{task.module} {dict(task.args)}: a traceback")
    assert not wrong, "\n".join(wrong)
    assert writes(door.lab, before) == []
    assert PASSWORD not in door.output
