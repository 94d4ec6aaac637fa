# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Headless Chromium through its own debugging pipe: no driver, no download, nothing but Debian's package.

The DevTools protocol over two pipes: each message is JSON that ends with a zero byte. The browser reads its
descriptor 3 and writes its descriptor 4.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

from tests.integration.ending import with_this_process

PACKAGE = "chromium-headless-shell"
PROGRAMS = (PACKAGE, "chromium", "chromium-browser", "google-chrome")
MISSING = f"no Chromium here: on Debian, apt-get install --no-install-recommends {PACKAGE}"
FLAGS = (
    "--headless",
    "--no-sandbox",  # tests run as root in containers; the only pages are our own files
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
)
PATIENCE = 60.0

Values = dict[str, t.Any]


def find() -> str | None:
    """The browser's path, None when there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class BrowserError(Exception):
    """The browser does not answer, or refuses."""


def _as_pipe(to_read: int, to_write: int) -> None:
    """In the browser's process: its pipe has the numbers 3 and 4, and it ends with the tests."""
    moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10) for descriptor in (to_read, to_write)]
    for number, descriptor in enumerate(moved, start=3):
        os.dup2(descriptor, number)
    with_this_process()


class Browser:
    """One browser with one page. What the page says, asks for and throws is kept."""

    def __init__(self, program: str) -> None:
        self._profile = tempfile.TemporaryDirectory(prefix="fanout-browser-", ignore_cleanup_errors=True)
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        command = [program, *FLAGS, f"--user-data-dir={self._profile.name}"]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            command, preexec_fn=lambda: _as_pipe(to_read, to_write), pass_fds=(3, 4), stdout=quiet, stderr=quiet
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer = b""
        self._number = 0
        self.said: list[str] = []
        self.requested: list[str] = []
        self.loads = 0
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_error: object) -> None:
        with contextlib.suppress(BrowserError, OSError):
            self._call("Browser.close")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()
        self._process.wait(30)
        os.close(self._write)
        os.close(self._read)
        self._profile.cleanup()

    def open(self, page: Path) -> None:
        """Load a file and wait until it is shown."""
        before = self.loads
        self.call("Page.navigate", url=page.as_uri())
        self.wait(lambda: self.loads > before)

    def wait(self, condition: t.Callable[[], bool]) -> None:
        """Listen until something holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self._listen(deadline)

    def call(self, method: str, **parameters: t.Any) -> Values:
        """Ask something of the page."""
        return self._call(method, session=self._session, **parameters)

    def value(self, expression: str) -> t.Any:
        """What a JavaScript expression is in the page; the debugger may, though the page itself may not."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def look(self, *, dark: bool = False, width: int = 1200, medium: str = "") -> None:
        """Light or dark, how wide, on screen or paper."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=medium, features=[scheme])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)

    def picture(self, path: Path, *, height: int | None = None) -> None:
        """The page, or its upper part, as a PNG."""
        whole = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": whole["width"], "height": height or whole["height"], "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def paper(self, path: Path) -> None:
        """The page as it is printed, as a PDF."""
        printed = self.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
        path.write_bytes(base64.b64decode(printed["data"]))

    def _call(self, method: str, session: str | None = None, **parameters: t.Any) -> Values:
        self._number += 1
        number = self._number
        message: Values = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._listen(deadline)
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                result: Values = answer["result"]
                return result

    def _listen(self, deadline: float) -> Values:
        """The next message; events are noted on the way."""
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            ready = select.select([self._read], [], [], max(0.0, left))[0]
            chunk = os.read(self._read, 1 << 16) if ready else b""
            if not chunk:
                raise BrowserError("the browser says nothing any more" if ready else "the browser does not answer")
            self._buffer += chunk
        text, _zero, self._buffer = self._buffer.partition(b"\0")
        message: Values = json.loads(text)
        self._note(message.get("method", ""), message.get("params") or {})
        return message

    def _note(self, event: str, told: Values) -> None:
        if event == "Page.loadEventFired":
            self.loads += 1
        elif event == "Network.requestWillBeSent":
            self.requested.append(told["request"]["url"])
        elif event in (
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Log.entryAdded",
            "Page.javascriptDialogOpening",
        ):
            self.said.append(f"{event}: {json.dumps(told)[:500]}")


__all__ = ("MISSING", "PACKAGE", "Browser", "BrowserError", "find")
