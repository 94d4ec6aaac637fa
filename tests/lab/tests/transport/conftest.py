# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRM of one host with pipelines that a test holds in its hand, for clients that know nothing of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hyperv_lab.certificates import Authority
from hyperv_lab.config import HostConfig, UserConfig, WinRMConfig
from hyperv_lab.engine.pipeline import END
from hyperv_lab.faults import parse_fault
from hyperv_lab.transport import psrp
from hyperv_lab.transport.accounts import Directory
from hyperv_lab.transport.endpoint import WinRM
from psrpcore.types import ProgressRecordType
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

PASSWORD = "Lab:Passw0rd! ü"
USERS = (
    UserConfig("labadmin", PASSWORD),
    UserConfig("second", PASSWORD),
    UserConfig("nobody", PASSWORD, frozenset({"Users"})),
    UserConfig("operator", PASSWORD, frozenset({"Hyper-V Administrators"})),
    UserConfig("here", PASSWORD, local=True),
    UserConfig("card", PASSWORD, local=True, certificate=True),
)
BOUND = 20.0


class ScriptedRun:
    """Stands for the engine: a handful of commands whose end a test decides.

    Echo -Text x: x. Hold -Name n: progress, then nothing until the test releases n, then n. Collect: its input.
    Break: raises, as a bug would.
    """

    released: dict[str, asyncio.Event] = {}
    started: list[str] = []
    ended: list[str] = []

    def __init__(self, session: Any, pipeline: Any, flush: Callable[[], None]) -> None:
        self.session, self.pipeline, self.flush = session, pipeline, flush
        self.input: asyncio.Queue[Any] = asyncio.Queue()

    async def execute(self, metadata: Any) -> None:
        for command in metadata.commands:
            arguments = {str(name): value for name, value in command.parameters}
            await getattr(self, f"do_{str(command.command_text).lower()}")(**arguments)
        self.pipeline.complete()
        self.flush()

    async def do_echo(self, Text: Any) -> None:  # noqa: N803 (PowerShell's spelling)
        self.pipeline.write_output(Text)

    async def do_hold(self, Name: str) -> None:  # noqa: N803
        self.started.append(Name)
        self.pipeline.write_progress("Holding", 0, Name, percent_complete=1, record_type=ProgressRecordType.Processing)
        self.flush()
        await self.released.setdefault(Name, asyncio.Event()).wait()
        self.ended.append(Name)
        self.pipeline.write_output(Name)

    async def do_collect(self) -> None:
        while (item := await self.input.get()) is not END:
            self.pipeline.write_output(item)

    async def do_break(self) -> None:
        raise RuntimeError("a bug of the lab")


class Rig:
    """A host's WinRM in a thread of its own, and clients for it."""

    def __init__(self, folder: Path, keytab: Path | None = None, **winrm: Any) -> None:
        self.config = HostConfig("hv01", "127.0.77.1", 0, 0, winrm=WinRMConfig(**winrm))
        self.directory = Directory(USERS, "lab.test", ["hv01"])
        self.authority = Authority(folder, folder / "ca.pem")
        self.time = 1000.0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        identity = self.identity = self.authority.identity("hv01", "hv01.lab.test", self.config.address, asks=True)
        self.card = self.authority.client("card", folder / "clients")
        self.directory.map_certificate(self.card.der, "card")
        host = SimpleNamespace(name="hv01", calls=None)
        self.winrm = WinRM(host, self.config, self.directory, identity, keytab=keytab, now=lambda: self.time)
        self.call(self.winrm.start())

    def call(self, work: Any) -> Any:
        """Run something in the host's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(BOUND)

    def do(self, function: Callable[[], Any]) -> Any:
        async def run() -> Any:
            return function()

        return self.call(run())

    def fault(self, **fault: Any) -> None:
        self.do(lambda: self.winrm.faults.add(parse_fault(fault)))
        self.call(self.winrm.settle())

    def release(self, name: str) -> None:
        self.do(lambda: ScriptedRun.released.setdefault(name, asyncio.Event()).set())

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + BOUND
        while not self.do(condition):
            assert time.monotonic() < deadline, "what was waited for did not happen"
            time.sleep(0.005)

    def close(self) -> None:
        self.call(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(BOUND)
        self.loop.close()

    async def _stop(self) -> None:
        self.winrm.stop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others or not (await asyncio.wait(others, timeout=BOUND))[1], "a connection does not end"

    @property
    def port(self) -> dict[bool, int]:
        return {True: self.winrm.https.port, False: self.winrm.http.port}  # type: ignore[union-attr]

    def wsman(
        self, *, ssl: bool = True, auth: str = "ntlm", user: str = "labadmin", server: str = "", **more: Any
    ) -> WSMan:
        options = {
            "username": user,
            "password": PASSWORD,
            "ssl": ssl,
            "auth": auth,
            "port": self.port[ssl],
            "cert_validation": str(self.authority.path) if ssl else True,
            "no_proxy": True,
            "reconnection_retries": 0,
            "operation_timeout": 5,
            "read_timeout": 10,
        }
        return WSMan(server or self.config.address, **{**options, **more})

    def pool(self, **options: Any) -> RunspacePool:
        return RunspacePool(self.wsman(**options))


def run(pool: RunspacePool, name: str, **parameters: Any) -> list[Any]:
    shell = PowerShell(pool)
    shell.add_cmdlet(name).add_parameters(parameters)
    return list(shell.invoke())


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[ScriptedRun]:
    monkeypatch.setattr(psrp, "PipelineRun", ScriptedRun)
    monkeypatch.setenv("NTLM_USER_FILE", "")
    Directory(USERS, "lab.test", ["hv01"]).write_ntlm_file(tmp_path / "ntlm")
    ScriptedRun.released, ScriptedRun.started, ScriptedRun.ended = {}, [], []
    return ScriptedRun


@pytest.fixture
def make_rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def make(**winrm: Any) -> Rig:
        rigs.append(Rig(tmp_path / str(len(rigs)), **winrm))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    return make_rig()


@pytest.fixture
def invoke() -> Callable[..., list[Any]]:
    return run
