# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real MIT KDC on loopback for one run of the lab: the realm of its domain, its users and its hosts' services."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from .config import DelegationConfig, UserConfig

ADDRESS = "127.0.0.1"
PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local")
PACKAGES = ("gssapi", "krb5")
PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/lib/mit/sbin")
# The services that a computer's account answers for when somebody reaches its WinRM.
SERVICES = ("HTTP", "WSMAN", "host")
STARTS_WITHIN = 10.0
PR_SET_PDEATHSIG = 1

CLIENTS = """\
[libdefaults]
  default_realm = {realm}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
  forwardable = true
[realms]
  {realm} = {{
    kdc = {address}:{port}
  }}
[domain_realm]
  {domain} = {realm}
  .{domain} = {realm}
"""
SERVER = """\
[kdcdefaults]
  kdc_listen = {address}:{port}
  kdc_tcp_listen = {address}:{port}
[realms]
  {realm} = {{
    database_name = {folder}/principal
    key_stash_file = {folder}/stash
    max_life = 10h
    max_renewable_life = 7d
    supported_enctypes = aes256-cts:normal
  }}
[logging]
  kdc = FILE:{folder}/kdc.log
"""


class KerberosMissing(RuntimeError):
    """What the lab's KDC needs is not installed; says what to do."""


def missing() -> str | None:
    """What has to be installed before a lab can have ``kerberos: true``; None when all is there."""
    programs = [name for name in PROGRAMS if _program(name) is None]
    packages = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if not programs and not packages:
        return None
    return (
        f"Kerberos needs {', '.join((*programs, *packages))}: install the packages of requirements/debian.txt "
        "('make system-packages' as root), then requirements/kerberos.txt ('make')"
    )


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *PLACES)))


class Kdc:
    """Made with its database; ``start`` runs it until ``stop``, or until the lab's process is gone."""

    def __init__(
        self,
        folder: Path,
        clients: Path,
        domain: str,
        users: Iterable[UserConfig],
        hosts: Mapping[str, str],
        delegation: str | Mapping[str, DelegationConfig] = "none",
    ) -> None:
        """``hosts``: DNS names by names. ``clients``: where the krb5.conf that clients need is written."""
        if (what := missing()) is not None:
            raise KerberosMissing(what)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        self.realm, self.port, self.clients = domain.upper(), _free_port(), clients
        self._folder, self._hosts = folder, hosts
        self._process: subprocess.Popen[bytes] | None = None
        values = {"realm": self.realm, "domain": domain.lower(), "address": ADDRESS, "port": self.port}
        clients.write_text(CLIENTS.format(**values), encoding="utf-8")
        (folder / "kdc.conf").write_text(SERVER.format(folder=folder, **values), encoding="utf-8")
        self._run("kdb5_util", "create", "-s", "-r", self.realm, "-P", secrets.token_hex(16))
        self._run("kadmin.local", text="".join(f"{line}\n" for line in self._commands(users, delegation)))

    def keytab(self, host: str) -> Path:
        """The keys of one host's services."""
        return self._folder / f"{host.lower()}.keytab"

    def _commands(self, users: Iterable[UserConfig], delegation: str | Mapping[str, DelegationConfig]) -> Iterator[str]:
        for user in users:
            if not user.local:
                flags = "+requires_preauth" + (" -allow_forwardable" if user.sensitive else "")
                yield f"addprinc {flags} -pw {_quoted(user.password)} {_quoted(user.name)}"
        for name, dns_name in self._hosts.items():
            account = {} if isinstance(delegation, str) else delegation
            trusted = account.get(name, DelegationConfig()).unconstrained
            for service in SERVICES:
                principal = f"{service}/{dns_name.lower()}"
                yield f"addprinc -randkey {'+ok_as_delegate ' if trusted else ''}{principal}"
                yield f"ktadd -k {_quoted(str(self.keytab(name)))} {principal}"

    def environment(self) -> dict[str, str]:
        """For clients and for the lab itself."""
        return {"KRB5_CONFIG": str(self.clients)}

    def _own(self) -> dict[str, str]:
        return {**os.environ, **self.environment(), "KRB5_KDC_PROFILE": str(self._folder / "kdc.conf")}

    def _run(self, program: str, *arguments: str, text: str | None = None) -> None:
        done = subprocess.run(
            [str(_program(program)), *arguments],
            input=text,
            env=self._own(),
            capture_output=True,
            text=True,
            check=False,
        )
        # kadmin.local ends with 0 whatever became of its commands, and says what went wrong there.
        wrong = [line for line in done.stderr.splitlines() if "policy" not in line and "Authenticating" not in line]
        if done.returncode or wrong and program == "kadmin.local":
            raise RuntimeError(f"{program}: {' '.join(wrong) or done.returncode}")

    async def start(self) -> None:
        with (self._folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [str(_program("krb5kdc")), "-n", "-r", self.realm],
                env=self._own(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=_ends_with_parent,
            )
        deadline = asyncio.get_running_loop().time() + STARTS_WITHIN
        while not _listens(self.port):
            if self._process.poll() is not None or asyncio.get_running_loop().time() > deadline:
                raise RuntimeError(f"the KDC does not start: {(self._folder / 'output').read_text(errors='replace')}")
            await asyncio.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self._process = None


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _ends_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        port: int = free.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((ADDRESS, port)) == 0
