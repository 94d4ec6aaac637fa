# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write down what pypsrp says and hears: loaded before workers are forked, so that all of them do."""

from __future__ import annotations

import json
import logging
import os
import threading
import typing as t
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
    name: exchanges
    type: aggregate
    short_description: Write down WSMan exchanges
    description:
      - Every request and its answer as a line of JSON, one file per process, below the folder E(FANOUT_EXCHANGES).
    requirements:
      - pypsrp
"""
SENT, RECEIVED = "Sending message on attempt", "Received message: "


class Writer(logging.Handler):
    """pypsrp logs whole messages, decrypted and without the headers of HTTP, so that no credentials are among them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(logging.DEBUG)
        self._folder = folder
        self._sent: dict[int, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        text, thread = record.getMessage(), threading.get_ident()
        if text.startswith(SENT):
            self._sent[thread] = text.partition(": ")[2]
        elif text.startswith(RECEIVED) and thread in self._sent:
            self._write({"request": self._sent.pop(thread), "response": text.removeprefix(RECEIVED)})

    def _write(self, exchange: dict[str, str]) -> None:
        path = self._folder / f"{os.getpid()}.jsonl"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
            file.write(json.dumps(exchange) + "\n")


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "exchanges"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: t.Any, **options: t.Any) -> None:
        super().__init__(*arguments, **options)
        folder = os.environ.get("FANOUT_EXCHANGES")
        if folder:
            logger = logging.getLogger("pypsrp.wsman")
            logger.setLevel(logging.DEBUG)
            logger.propagate = False
            logger.addHandler(Writer(Path(folder)))
