# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin port: JSON over HTTP on loopback, for whoever has the token."""

from __future__ import annotations

import hmac
import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from .control import Control, NotThere
from .reading import ConfigError
from .transport.http import Handler, Listener, Peer, Request, Response

if TYPE_CHECKING:
    from .lab import Lab

ADDRESS = "127.0.0.1"
HOST = r"/hosts/(?P<host>[^/]+)"
VM = HOST + r"/vms/(?P<vm>[^/]+)"


class Admin:
    def __init__(self, lab: Lab) -> None:
        self._token = lab.token
        self._control = Control(lab)
        self._listener = Listener(ADDRESS, 0, self._serve)
        self._routes = [(method, re.compile(path), action) for method, path, action in self._table()]

    @property
    def url(self) -> str:
        return f"http://{ADDRESS}:{self._listener.port}"

    async def start(self) -> None:
        await self._listener.open()

    def stop(self) -> None:
        self._listener.close()
        self._listener.cut_all()

    def _table(self) -> list[tuple[str, str, Callable[..., Any]]]:
        """``at``: the parts of the path; ``query``: its parameters; ``body``: what was sent."""
        do = self._control
        return [
            ("GET", "/state", lambda at, query, body: do.everything()),
            ("GET", r"/state/(?P<host>[^/]+)", lambda at, query, body: do.state(at["host"])),
            ("GET", "/calls", lambda at, query, body: do.calls(query.get("host"), int(query.get("since", "0")))),
            ("DELETE", "/calls", lambda at, query, body: do.clear_calls()),
            ("PATCH", "/rules", lambda at, query, body: do.set_rules(body)),
            ("PUT", "/delegation", lambda at, query, body: do.set_delegation(body["delegation"])),
            ("POST", HOST + "/down", lambda at, query, body: do.down(at["host"])),
            ("POST", HOST + "/up", lambda at, query, body: do.up(at["host"])),
            ("POST", HOST + "/restart", lambda at, query, body: do.restart(at["host"], body)),
            ("POST", HOST + "/restart-winrm", lambda at, query, body: do.restart_winrm(at["host"])),
            ("POST", HOST + "/kill-shells", lambda at, query, body: do.kill_shells(at["host"])),
            ("POST", HOST + "/faults", lambda at, query, body: do.add_fault(at["host"], body)),
            ("DELETE", HOST + "/faults", lambda at, query, body: do.clear_faults(at["host"])),
            (
                "POST",
                HOST + r"/volumes/(?P<letter>[A-Za-z]):?",
                lambda at, query, body: do.set_volume(at["host"], at["letter"], body),
            ),
            ("PATCH", HOST, lambda at, query, body: do.change_host(at["host"], body)),
            ("POST", HOST + "/vms", lambda at, query, body: do.add_vm(at["host"], body)),
            ("PATCH", VM, lambda at, query, body: do.change_vm(at["host"], at["vm"], body)),
            ("DELETE", VM, lambda at, query, body: do.remove_vm(at["host"], at["vm"])),
            ("POST", HOST + "/clone", lambda at, query, body: do.clone(at["host"], body)),
        ]

    def _serve(self, peer: Peer) -> Handler:
        return self._handle

    async def _handle(self, request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("x-lab-token", "").encode(), self._token.encode()):
            return _json(401, {"error": "X-Lab-Token is missing or wrong"})
        try:
            body = json.loads(request.body) if request.body else {}
            if not isinstance(body, Mapping):
                raise ConfigError("", "expected a JSON object")
            return await self._act(request, body)
        except NotThere as error:
            return _json(404, {"error": str(error)})
        except (ConfigError, ValueError, KeyError) as error:
            return _json(400, {"error": str(error)})

    async def _act(self, request: Request, body: Mapping[str, Any]) -> Response:
        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        for method, pattern, action in self._routes:
            match = pattern.fullmatch(request.path)
            if match is None or method != request.method:
                continue
            result = action(self._found(match.groupdict()), query, body)
            if inspect.isawaitable(result):
                result = await result
            return _json(200, {} if result is None else result)
        return _json(404, {"error": f"{request.method} {request.path}: unknown"})

    def _found(self, names: dict[str, str]) -> dict[str, Any]:
        """The parts of a path, with the host and the VM themselves in the place of their names."""
        at: dict[str, Any] = dict(names)
        if "host" in at:
            at["host"] = self._control.host(names["host"])
        if "vm" in at:
            at["vm"] = self._control.vm(at["host"], names["vm"])
        return at


def _json(status: int, content: Any) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(content).encode())
