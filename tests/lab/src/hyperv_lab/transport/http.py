# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 over asyncio streams with h11: one object per TCP connection, since signing in belongs to a connection."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import unquote

import h11

CHUNK = 1 << 16
MAX_BODY = 1 << 20
TICKS = 20  # of a slow answer in a second
GONE = (ConnectionError, TimeoutError, ssl.SSLError, h11.RemoteProtocolError, asyncio.IncompleteReadError)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: str = ""


@dataclass(frozen=True)
class Response:
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    rate: int | None = None  # bytes a second; None: as fast as the connection takes them


class CutConnection(Exception):
    """The handler says: break this connection, without an answer."""


Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Peer:
    """Who is at the other end of a new connection."""

    address: str
    tls: bool
    certificate: bytes | None = None  # the client's (DER), if it has shown one


class HttpConnection:
    """Requests and answers of one connection, one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
        self._reader = reader
        self._writer = writer
        self._handler = handler
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=CHUNK)
        self._incoming: asyncio.Task[bytes] | None = None

    async def run(self) -> None:
        try:
            while await self._exchange():
                pass
        except (*GONE, CutConnection):
            pass
        finally:
            if self._incoming is not None:
                self._incoming.cancel()
            self.abort()

    def abort(self) -> None:
        transport = self._writer.transport
        if not transport.is_closing():
            transport.abort()

    async def _exchange(self) -> bool:
        """One request and its answer; False when there is no next one."""
        request = await self._read()
        if request is None:
            return False
        response = await self._answer(request)
        if response is None:
            return False
        await self._write(response)
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            await self._close()
            return False
        self._http.start_next_cycle()
        return True

    def _next_data(self) -> asyncio.Task[bytes]:
        """The read that is under way: of the next request, or of the end of the connection."""
        if self._incoming is None:
            self._incoming = asyncio.ensure_future(self._reader.read(CHUNK))
        return self._incoming

    async def _read(self) -> Request | None:
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._expect_continue()
                data = await self._next_data()
                self._incoming = None
                if not data and head is None:
                    return None
                self._http.receive_data(data)
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY:
                    await self._write(Response(413))
                    return None
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _request(head, bytes(body))
            else:
                return None

    def _expect_continue(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            self._writer.write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")

    async def _answer(self, request: Request) -> Response | None:
        """What the handler answers; it is cancelled when the client goes away meanwhile."""
        task = asyncio.ensure_future(self._handler(request))
        watch = self._next_data()
        try:
            await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and not self._client_waits(watch):
                return None
            return await task
        finally:
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    @staticmethod
    def _client_waits(watch: asyncio.Task[bytes]) -> bool:
        """Whether what came during the handler's work was data (of a next request), not the end."""
        return not watch.cancelled() and watch.exception() is None and bool(watch.result())

    async def _write(self, response: Response) -> None:
        headers = [
            ("Server", "Microsoft-HTTPAPI/2.0"),
            ("Date", formatdate(usegmt=True)),
            *response.headers,
            ("Content-Length", str(len(response.body))),
        ]
        parts = [self._http.send(h11.Response(status_code=response.status, headers=headers))]
        if response.body:
            parts.append(self._http.send(h11.Data(data=response.body)))
        parts.append(self._http.send(h11.EndOfMessage()))
        await self._send(b"".join(part for part in parts if part), response.rate)

    async def _send(self, data: bytes, rate: int | None) -> None:
        if rate is None:
            self._writer.write(data)
            await self._writer.drain()
            return
        step = max(1, rate // TICKS)
        for start in range(0, len(data), step):
            self._writer.write(data[start : start + step])
            await self._writer.drain()
            await asyncio.sleep(step / rate)

    async def _close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await self._writer.wait_closed()


def _request(head: h11.Request, body: bytes) -> Request:
    headers = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in head.headers}
    path, _, query = head.target.decode("latin-1").partition("?")
    return Request(head.method.decode("ascii"), unquote(path), headers, body, query)


class Listener:
    """One port. ``serve`` makes the handler of each new connection."""

    def __init__(
        self, address: str, port: int, serve: Callable[[Peer], Handler], tls: ssl.SSLContext | None = None
    ) -> None:
        self.address = address
        self.port = port
        self._serve = serve
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._deaf: asyncio.Server | None = None
        self._silent: set[asyncio.StreamWriter] = set()
        self._connections: set[HttpConnection] = set()

    @property
    def listening(self) -> bool:
        return self._server is not None

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def open(self) -> None:
        """Listen; a port that was free once is used again."""
        if self._deaf is not None:
            self.close()
        if self._server is None:
            self._server = await asyncio.start_server(
                self._connected, self.address, self.port, ssl=self._tls, limit=1 << 20, backlog=256
            )
            self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Take no new connections; those that there are stay."""
        for server in (self._server, self._deaf):
            if server is not None:
                server.close()
        self._server = self._deaf = None
        for writer in tuple(self._silent):
            writer.transport.abort()
        self._silent.clear()

    async def go_deaf(self) -> None:
        """Take new connections, and never say a word on them: not even TLS is spoken."""
        self.close()
        if self._deaf is None:
            self._deaf = await asyncio.start_server(self._keep, self.address, self.port, backlog=256)

    def cut_all(self) -> None:
        for connection in tuple(self._connections):
            connection.abort()

    def _keep(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._silent.add(writer)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = (writer.get_extra_info("peername") or ("", 0))[0]
        tls = writer.get_extra_info("ssl_object")
        peer = Peer(address, self._tls is not None, tls.getpeercert(True) if tls else None)
        connection = HttpConnection(reader, writer, self._serve(peer))
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
