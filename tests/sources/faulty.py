"""A server of our own for each network source of credentials, and every way it can go wrong.

Standard library only, on loopback only. Every server is well until its `fault` is set.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

STATUS_FAULTS = {"500": 500, "429": 429, "403": 403}
FAULTS = [
    "refused",
    "dropped",
    "mute",
    *STATUS_FAULTS,
    "truncated",
    "malformed expiry",
    "wrong types",
    "broken after the secret",
    "huge",
    "drip",
    "redirect",
]
HUGE = 50 * 1024 * 1024
LONGEST = 120.0
"""No connection is kept for longer than this many seconds, whatever the fault."""


@dataclasses.dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str] = dataclasses.field(repr=False)
    body: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Answer:
    body: str = dataclasses.field(repr=False)
    kind: str = "application/json"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    last: bool = True
    """Whether this answers the request for the credentials, not one on the way to it. Faults in
    what an answer says come with the last one; the others from the first."""


class Server:
    """HTTP, a thread for each connection, one request on each.

    `answer` makes the answer to a request: the good one for None, else one that is faulty in what
    it says.
    """

    def __init__(
        self, answer: Callable[[Request, str | None], Answer], *, late: bool = False
    ) -> None:
        self.fault: str | None = None
        self.requests: list[Request] = []
        self._answer = answer
        self._late = late
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._queue: list[socket.socket] = []
        self._socket = self._bound(0)
        self.port: int = self._socket.getsockname()[1]
        self.trap: Server | None = None
        self._listen(16)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._stop.set()
        self._unlisten()
        for thread in self._threads:
            thread.join()

    def break_down(self, fault: str) -> None:
        """From now on, this goes wrong."""
        if fault in ("refused", "dropped"):
            self._unlisten()
            # Bound, so that nobody else gets the port.
            self._socket = self._bound(self.port)
            if fault == "dropped":
                self._fill_queue()
        self.fault = fault

    @staticmethod
    def _bound(port: int) -> socket.socket:
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        return bound

    def _fill_queue(self) -> None:
        """With nobody accepting and the queue full, the kernel drops what asks for a connection."""
        self._socket.listen(0)
        for _ in range(8):
            client = socket.socket()
            client.settimeout(0)
            client.connect_ex(("127.0.0.1", self.port))
            self._queue.append(client)
        with socket.socket() as probe:
            probe.settimeout(0.2)
            try:
                probe.connect(("127.0.0.1", self.port))
            except TimeoutError:
                return
        raise AssertionError("the queue is not full")

    def _listen(self, backlog: int) -> None:
        self._socket.listen(backlog)
        self._start(self._accept, self._socket)

    def _unlisten(self) -> None:
        with contextlib.suppress(OSError):  # not one that listens
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for client in self._queue:
            client.close()
        self._queue.clear()

    def _start(self, work: Callable[[socket.socket], None], connection: socket.socket) -> None:
        thread = threading.Thread(target=work, args=(connection,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        # A client that goes away early is what many faults are about.
        with connection, contextlib.suppress(OSError, EOFError):
            connection.settimeout(5)
            request = _read(connection)
            self.requests.append(request)
            answer = self._answer(request, None)
            fault = self.fault if answer.last or not self._late else None
            match fault:
                case None:
                    connection.sendall(_head(answer) + answer.body.encode())
                case "mute":
                    self._hold(connection)
                case "drip":
                    self._drip(connection, _head(answer) + answer.body.encode())
                case "redirect":
                    assert self.trap
                    where = ("Location", self.trap.url + request.path)
                    moved = Answer("", status=307, headers=(where,))
                    connection.sendall(_head(moved))
                case status if status in STATUS_FAULTS:
                    refusal = self._answer(request, fault)
                    refusal = dataclasses.replace(refusal, status=STATUS_FAULTS[status])
                    connection.sendall(_head(refusal) + refusal.body.encode())
                case _ if not answer.last:
                    connection.sendall(_head(answer) + answer.body.encode())
                case "truncated":
                    body = answer.body.encode()
                    connection.sendall(_head(answer) + body[: len(body) * 4 // 5])
                case "huge":
                    self._flood(connection, answer)
                case _:
                    wrong = self._answer(request, fault)
                    connection.sendall(_head(wrong) + wrong.body.encode())

    def _hold(self, connection: socket.socket) -> None:
        """Until the client goes away."""
        connection.settimeout(0.1)
        end = time.monotonic() + LONGEST
        while not self._stop.is_set() and time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1024):
                    return

    def _drip(self, connection: socket.socket, data: bytes) -> None:
        for byte in data:
            connection.sendall(bytes([byte]))
            if self._stop.wait(1):
                return

    def _flood(self, connection: socket.socket, answer: Answer) -> None:
        """A good answer, but for the space around it."""
        connection.settimeout(20)
        connection.sendall(_head(answer, HUGE + len(answer.body)))
        space = b" " * 65_536
        for _ in range(HUGE // len(space)):
            if self._stop.is_set():
                return
            connection.sendall(space)
        connection.sendall(answer.body.encode())


def _head(answer: Answer, length: int | None = None) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} Status",
        f"Content-Type: {answer.kind}",
        f"Content-Length: {len(answer.body.encode()) if length is None else length}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in answer.headers),
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def _read(connection: socket.socket) -> Request:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    while len(body) < int(headers.get("content-length", "0")):
        body += _more(connection)
    return Request(method, path, headers, body)


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise EOFError
    return data
