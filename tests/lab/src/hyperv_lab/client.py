# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for tests: started as a process of its own, led through its admin port."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from . import lab_yml
from .config import LabConfig

Json = dict[str, Any]
START_WITHIN = 60.0
STOP_WITHIN = 20.0
ADMIN_WITHIN = 60.0


class LabError(Exception):
    """The lab did not start, or did not do as it was told."""


class Lab:
    """``with Lab.start(config) as lab:`` - a lab that ends with the block, or with this process."""

    def __init__(
        self, process: subprocess.Popen[bytes], told: Json, config: LabConfig, temporary: Path | None, log: Path
    ) -> None:
        self._process = process
        self._temporary = temporary
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.config = config
        self.admin: str = told["admin"]
        self.token: str = told["token"]
        self.ca = Path(told["ca"])
        self.data = Path(told["data"])
        self.pid: int = told["pid"]
        self.hosts: dict[str, Json] = told["hosts"]
        self.kerberos: Json | None = told["kerberos"]
        self.clients: dict[str, Json] = told["clients"]
        self.log = log

    @classmethod
    def start(cls, config: Mapping[str, Any] | Path | str, data: Path | None = None) -> Lab:
        """From a lab.yml or from the same as a mapping, whose relative file names start at the working directory."""
        mapping = isinstance(config, Mapping)
        read = lab_yml.load(config)  # what is wrong with it is said here, by name
        temporary = Path(tempfile.mkdtemp(prefix="hyperv-lab-")) if data is None else None
        folder = temporary or Path(data or ".")
        folder.mkdir(parents=True, exist_ok=True)
        arguments = [sys.executable, "-m", "hyperv_lab", "--with-stdin", "--data", str(folder)]
        if isinstance(config, Mapping):
            path = folder / "lab.json"
            path.touch(mode=0o600)
            path.write_text(json.dumps(config, default=str), encoding="utf-8")
            arguments += ["--folder", str(Path.cwd())]
        else:
            path = Path(config).resolve()
        log = folder / "lab.log"
        try:
            process = _start([*arguments, str(path)], log)
            return cls(process, _announcement(process, log), read, temporary, log)
        except BaseException:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
            raise
        finally:
            if mapping:
                (folder / "lab.json").unlink(missing_ok=True)

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        _end(self._process)
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    # ---- looking

    def state(self, host: str) -> Json:
        return self._ask("GET", f"/state/{host}")

    def everything(self) -> Json:
        return self._ask("GET", "/state")

    def bugs(self) -> list[str]:
        """What went wrong in the lab itself; a test that finds something here proves nothing."""
        found: list[str] = self.everything()["bugs"]
        return found

    def vm(self, host: str, name: str) -> Json | None:
        """The one VM of that name, or None; several of one name are an error."""
        found = [vm for vm in self.state(host)["vms"] if vm["name"] == name]
        if len(found) > 1:
            raise LabError(f"{len(found)} VMs are called {name} on {host}")
        return found[0] if found else None

    def calls(self, host: str | None = None, since: int = 0) -> list[Json]:
        query = {"since": str(since), **({"host": host} if host else {})}
        found: list[Json] = self._ask("GET", f"/calls?{urllib.parse.urlencode(query)}")
        return found

    def last_call(self) -> int:
        """The number of the latest call: what to give as ``since`` for those that follow."""
        return max((int(call["n"]) for call in self.calls()), default=0)

    def clear_calls(self) -> None:
        self._ask("DELETE", "/calls")

    # ---- changing

    def down(self, host: str) -> None:
        self._ask("POST", f"/hosts/{host}/down")

    def up(self, host: str) -> None:
        self._ask("POST", f"/hosts/{host}/up")

    def restart(self, host: str, seconds: int = 1) -> None:
        """The host goes down and comes up again ``seconds`` later; this does not wait for it."""
        self._ask("POST", f"/hosts/{host}/restart", {"seconds": seconds})

    def kill_shells(self, host: str) -> None:
        """The processes of the host's shells die."""
        self._ask("POST", f"/hosts/{host}/kill-shells")

    def restart_winrm(self, host: str) -> None:
        self._ask("POST", f"/hosts/{host}/restart-winrm")

    def fault(self, host: str, **fault: Any) -> None:
        self._ask("POST", f"/hosts/{host}/faults", fault)

    def clear_faults(self, host: str) -> None:
        self._ask("DELETE", f"/hosts/{host}/faults")

    def set_free(self, host: str, volume: str, size: int | str) -> None:
        self._ask("POST", f"/hosts/{host}/volumes/{volume}", {"free": size})

    def set_capacity(self, host: str, volume: str, size: int | str) -> None:
        self._ask("POST", f"/hosts/{host}/volumes/{volume}", {"capacity": size})

    def patch(self, host: str, **changes: Any) -> None:
        self._ask("PATCH", f"/hosts/{host}", changes)

    def rules(self, **rules: Any) -> None:
        self._ask("PATCH", "/rules", rules)

    def delegation(self, delegation: Any) -> None:
        self._ask("PUT", "/delegation", {"delegation": delegation})

    def add_vm(self, host: str, **vm: Any) -> Json:
        return self._ask("POST", f"/hosts/{host}/vms", vm)

    def patch_vm(self, host: str, vm_id: str, **changes: Any) -> Json:
        return self._ask("PATCH", f"/hosts/{host}/vms/{vm_id}", changes)

    def remove_vm(self, host: str, vm_id: str) -> None:
        self._ask("DELETE", f"/hosts/{host}/vms/{vm_id}")

    def clone(self, host: str, vm_id: str, **more: Any) -> Json:
        """A copy with a new id, made by hand: its Notes come along."""
        return self._ask("POST", f"/hosts/{host}/clone", {"vm": vm_id, **more})

    def inventory(
        self, variables: str = "psrp", *, user: str | None = None, group: str = "hyperv", **more: Any
    ) -> Json:
        """A YAML inventory as for ansible.windows, with the certificates checked; ``more``: variables of the group."""
        users = {one.name: one.password for one in self.config.users}
        name = user or next(iter(users))
        common = {"ansible_user": name, "ansible_password": users[name], **CONNECTIONS[variables](str(self.ca)), **more}
        hosts = {
            host: {"ansible_host": where["address"], "ansible_port": where["https"]}
            for host, where in self.hosts.items()
        }
        return {group: {"hosts": hosts, "vars": common}}

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body, default=str).encode()
        request = urllib.request.Request(
            self.admin + urllib.parse.quote(path, safe="/?=&%"), data, {"X-Lab-Token": self.token}, method=method
        )
        try:
            with self._opener.open(request, timeout=ADMIN_WITHIN) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise LabError(f"{method} {path}: {_reason(error)}") from error


def _reason(error: urllib.error.HTTPError) -> str:
    text = error.read().decode("utf-8", "replace")
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(json.loads(text)["error"])
    return f"{error.code} {text}"


def _psrp(ca: str) -> Json:
    return {
        "ansible_connection": "psrp",
        "ansible_psrp_protocol": "https",
        "ansible_psrp_auth": "negotiate",
        "ansible_psrp_cert_validation": "validate",
        "ansible_psrp_ca_cert": ca,
        "ansible_psrp_ignore_proxy": True,
    }


def _winrm(ca: str) -> Json:
    return {
        "ansible_connection": "winrm",
        "ansible_winrm_scheme": "https",
        "ansible_winrm_transport": "ntlm",
        "ansible_winrm_server_cert_validation": "validate",
        "ansible_winrm_ca_trust_path": ca,
    }


CONNECTIONS = {"psrp": _psrp, "winrm": _winrm}


def _start(arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    source = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))
    with log.open("ab") as errors:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C in a terminal is for the tests; they stop the lab themselves
        )


def _announcement(process: subprocess.Popen[bytes], log: Path) -> Json:
    """The first line, or why there is none."""
    assert process.stdout is not None
    deadline, line = time.monotonic() + START_WITHIN, b""
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            _end(process)
            raise LabError(f"the lab does not listen after {START_WITHIN:.0f} s:\n{_tail(log)}")
        part = os.read(process.stdout.fileno(), 65536)
        if not part:
            _end(process)
            raise LabError(f"the lab ended with {process.returncode}:\n{_tail(log)}")
        line += part
    told: Json = json.loads(line)
    return told


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-4000:]


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_WITHIN)
    if process.stdout is not None:
        process.stdout.close()
