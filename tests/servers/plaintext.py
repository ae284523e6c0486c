"""Servers without TLS that ask for a password in clear and keep all that a client sends: what a
token falls into when a client does not insist on TLS. They let nobody in.

From Python: `with PlainPostgres() as server: ...`. From anything else, as a command:

    python3 tests/servers/plaintext.py {postgres,mariadb} --print-json

It prints one line when the server listens, and runs until its standard input ends. Then it prints
a second line: how many connections came, how many bytes, and the length and SHA-256 of each
password. Meanwhile `received_file` holds all the bytes.
"""

from __future__ import annotations

import abc
import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import secrets
import select
import socket
import struct
import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING

from common import listen

if TYPE_CHECKING:
    from typing_extensions import Self

SILENCE_SECONDS = 5
"""How long a client may say nothing, and how long `received` waits for those still connected."""


class PlainServer(abc.ABC):
    """Listens on a free loopback port of five digits while it is entered.

    `received` is all that clients have sent, `passwords` what they gave for a password, and
    `connections` how many came. Each waits until nobody is connected any more.
    """

    name: str

    def __init__(self, *, copy_to: pathlib.Path | None = None) -> None:
        self.hostaddr = "127.0.0.1"
        self._copy_to = copy_to
        self._received = bytearray()
        self._passwords: list[bytes] = []
        self._connections = 0
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()

    @abc.abstractmethod
    def _serve(self, client: Client) -> bytes:
        """Asks for the password, answers with a refusal, and returns what came."""

    def __enter__(self) -> Self:
        self._listener = listen()
        self._listener.settimeout(0)
        self.port: int = self._listener.getsockname()[1]
        self._stopping = False
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._acceptor.join()
        self._settle()
        self._listener.close()

    @property
    def received(self) -> bytes:
        self._settle()
        return bytes(self._received)

    @property
    def passwords(self) -> list[bytes]:
        self._settle()
        return list(self._passwords)

    @property
    def connections(self) -> int:
        self._settle()
        return self._connections

    def _settle(self) -> None:
        deadline = time.monotonic() + SILENCE_SECONDS
        with self._changed:
            while self._open or (not self._stopping and self._somebody_waits(0)):
                if time.monotonic() > deadline:
                    return
                self._changed.wait(0.02)

    def _somebody_waits(self, seconds: float) -> bool:
        return bool(select.select([self._listener], [], [], seconds)[0])

    def _accept(self) -> None:
        while not self._stopping:
            if not self._somebody_waits(0.05):
                continue
            # In one step, so that nobody is ever neither waiting nor open.
            with self._changed, contextlib.suppress(OSError):
                connection = self._listener.accept()[0]
                self._connections += 1
                self._open.add(connection)
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(SILENCE_SECONDS)
        client = Client(connection, self)
        # Whatever a client says that is no login, it is kept.
        with contextlib.suppress(OSError, EOFError, ValueError, struct.error):
            try:
                password = self._serve(client)
                with self._changed:
                    self._passwords.append(password)
            finally:
                client.drain()
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()
        connection.close()

    def keep(self, data: bytes) -> None:
        with self._changed:
            self._received += data
            if self._copy_to:
                with self._copy_to.open("ab") as copy:
                    copy.write(data)


class Client:
    """A connection, all of whose bytes are kept."""

    def __init__(self, connection: socket.socket, server: PlainServer) -> None:
        self._connection = connection
        self._server = server
        self._unread = b""

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def read(self, count: int) -> bytes:
        while len(self._unread) < count:
            more = self._connection.recv(65_536)
            if not more:
                raise EOFError
            self._server.keep(more)
            self._unread += more
        data, self._unread = self._unread[:count], self._unread[count:]
        return data

    def drain(self) -> None:
        """Keeps the rest, until the client closes. It is told that nothing more will come."""
        self._connection.shutdown(socket.SHUT_WR)
        self._connection.settimeout(1)
        while more := self._connection.recv(65_536):
            self._server.keep(more)


class PlainPostgres(PlainServer):
    """Answers "no" to TLS and to GSSAPI encryption, and asks for the password in clear."""

    name = "PostgreSQL"

    def _serve(self, client: Client) -> bytes:
        ssl_request, gss_request = 80_877_103, 80_877_104
        while True:
            length, code = struct.unpack("!II", client.read(8))
            if code not in {ssl_request, gss_request}:
                break
            client.send(b"N")
        client.read(length - 8)
        client.send(struct.pack("!cII", b"R", 8, 3))
        kind, length = struct.unpack("!cI", client.read(5))
        password = client.read(length - 4).rstrip(b"\0")
        if kind != b"p":
            raise ValueError("not a password")
        fields = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0"
        client.send(struct.pack("!cI", b"E", 4 + len(fields)) + fields)
        return password


class PlainMariaDB(PlainServer):
    """Greets without offering TLS, and asks for the password in clear: by switching to
    `mysql_clear_password` after the greeting, as real servers do, or in the greeting itself.
    """

    name = "MariaDB"

    CLEAR = b"mysql_clear_password"
    # LONG_PASSWORD, LONG_FLAG, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION,
    # MULTI_STATEMENTS, MULTI_RESULTS, PS_MULTI_RESULTS, PLUGIN_AUTH, CONNECT_ATTRS,
    # PLUGIN_AUTH_LENENC_CLIENT_DATA. Not SSL, 0x800.
    CAPABILITIES = 0x003F_A20D

    def __init__(self, *, in_greeting: bool = False, copy_to: pathlib.Path | None = None) -> None:
        super().__init__(copy_to=copy_to)
        self._in_greeting = in_greeting

    def _serve(self, client: Client) -> bytes:
        plugin = self.CLEAR if self._in_greeting else b"mysql_native_password"
        scramble = bytes(secrets.choice(range(33, 127)) for _ in range(20))
        self._send(
            client,
            0,
            b"\x0a5.5.5-10.11.0-MariaDB\0"
            + struct.pack("<I", 1)
            + scramble[:8]
            + struct.pack(
                "<xHBHHB10x", self.CAPABILITIES & 0xFFFF, 45, 2, self.CAPABILITIES >> 16, 21
            )
            + scramble[8:]
            + b"\0"
            + plugin
            + b"\0",
        )
        number, response = self._read(client)
        password = self._given(response) if self._in_greeting else None
        if password is None:
            self._send(client, number + 1, b"\xfe" + self.CLEAR + b"\0")
            number, password = self._read(client)
        self._send(client, number + 1, b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied")
        return password.rstrip(b"\0")

    @staticmethod
    def _send(client: Client, number: int, body: bytes) -> None:
        client.send(struct.pack("<I", len(body))[:3] + bytes([number]) + body)

    @staticmethod
    def _read(client: Client) -> tuple[int, bytes]:
        header = client.read(4)
        return header[3], client.read(int.from_bytes(header[:3], "little"))

    def _given(self, response: bytes) -> bytes | None:
        """The password in the client's first answer, if that is the kind it gives."""
        if self.CLEAR + b"\0" not in response:
            return None
        rest = response[32:].partition(b"\0")[2]  # what follows the user's name
        length, rest = rest[0], rest[1:]
        if length >= 0xFC:
            size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[length]
            length, rest = int.from_bytes(rest[:size], "little"), rest[size:]
        return rest[:length]


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Runs a server without TLS on a free loopback port that asks for a password in"
        " clear, keeps all it is sent and lets nobody in, until standard input ends."
    )
    kinds: dict[str, type[PlainServer]] = {"postgres": PlainPostgres, "mariadb": PlainMariaDB}
    parser.add_argument("kind", choices=kinds)
    parser.add_argument(
        "--print-json",
        action="store_true",
        help="as the other servers have it; here it is always so",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rdstoken-plaintext.") as directory:
        file = pathlib.Path(directory) / "received"
        file.touch(mode=0o600)
        with kinds[options.kind](copy_to=file) as server:
            description = {
                "server": server.name,
                "hostaddr": server.hostaddr,
                "port": server.port,
                "received_file": str(file),
            }
            print(json.dumps(description), flush=True)
            while os.read(sys.stdin.fileno(), 4096):
                pass
            result = {
                "connections": server.connections,
                "received": len(server.received),
                "passwords": [
                    {"length": len(password), "sha256": hashlib.sha256(password).hexdigest()}
                    for password in server.passwords
                ],
            }
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
