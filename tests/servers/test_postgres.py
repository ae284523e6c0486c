"""What is PostgreSQL's own about the verifier in it: its longest password, what only a client of
our own can send, and its refusal of clients without TLS.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest
from logins import MALFORMED, PREFIX, Refused, Token, login
from postgres import Postgres

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

OUTSIDER = "postgres"  # a user of the server's that may not log in with a token

LONGEST = 65_530
TOO_LONG = [LONGEST + 1, 65_535, 65_900]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres(token_lengths=[LONGEST, *TOO_LONG]) as postgres:
        yield postgres


def test_the_longest(server: Postgres, make: Callable[..., Token]) -> None:
    token = make(key=server.keys[LONGEST])
    assert len(token) == LONGEST
    assert login(server, token) == "app"


@pytest.mark.parametrize("length", TOO_LONG)
def test_too_long_for_postgresql(server: Postgres, make: Callable[..., Token], length: int) -> None:
    """PostgreSQL hangs up before the verifier sees anything of it."""
    token = make(key=server.keys[length])
    assert len(token) == length
    refused = Refused(server, token)
    assert "PAM authentication failed" not in refused.error
    assert re.search("closed.* unexpectedly", refused.error)
    assert "invalid message length" in refused.log
    assert not any("refused a token" in reason for reason in refused.reasons)
    assert all(record.length <= LONGEST for record in server.records())


def test_users_of_the_server_that_are_not_allowed(
    server: Postgres, make: Callable[..., Token]
) -> None:
    refused = Refused(server, make(user=OUTSIDER), OUTSIDER)
    refused.check("the user may not log in with a token")


# What only a client of our own can send.


class RawClient:
    """As much of PostgreSQL's protocol as a login takes."""

    def __init__(self, server: Postgres, user: str | bytes = "app", *, tls: bool = True) -> None:
        self.socket = socket.create_connection((server.hostaddr, server.port), timeout=20)
        if tls:
            self.socket.sendall(struct.pack("!II", 8, 80877103))
            assert self.socket.recv(1) == b"S"
            context = ssl.create_default_context(cafile=str(server.ca_file))
            self.socket = context.wrap_socket(self.socket, server_hostname=server.host)
        user = user.encode() if isinstance(user, str) else user
        parameters = b"user\0" + user + b"\0database\0postgres\0\0"
        self.socket.sendall(struct.pack("!II", len(parameters) + 8, 196608) + parameters)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def message(self) -> tuple[bytes, bytes]:
        """The server's next message: its letter and its body."""
        kind, length = struct.unpack("!cI", self._exactly(5))
        return kind, self._exactly(length - 4)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def answer(self, password: bytes) -> tuple[bytes, bytes]:
        """Answers the question for a cleartext password."""
        assert self.message() == (b"R", struct.pack("!I", 3))
        self.socket.sendall(struct.pack("!cI", b"p", len(password) + 5) + password + b"\0")
        return self.message()


def test_the_raw_client_can_log_in(server: Postgres, make: Callable[..., Token]) -> None:
    with RawClient(server) as client:
        assert client.answer(make().encode()) == (b"R", struct.pack("!I", 0))


def test_empty_password(server: Postgres) -> None:
    """PostgreSQL itself refuses it, before PAM sees it."""
    before = len(server.log())
    with RawClient(server) as client:
        kind, body = client.answer(b"")
    assert kind == b"E"
    assert b"empty password" in body
    log = server.log()[before:]
    assert "empty password returned by client" in log
    assert "refused a token" not in log


def test_a_password_that_is_no_text(server: Postgres, make: Callable[..., Token]) -> None:
    before = len(server.log())
    with RawClient(server) as client:
        kind, body = client.answer(b"\xff\xfe" + make().encode())
    assert kind == b"E"
    assert b'PAM authentication failed for user "app"' in body
    assert f'{PREFIX}refused a token for user "app": {MALFORMED}' in server.log()[before:]


def test_a_user_that_is_no_text(server: Postgres, make: Callable[..., Token]) -> None:
    before = len(server.log())
    with RawClient(server, b"\xff\x1b[2J\n") as client:
        kind, _body = client.answer(make().encode())
    assert kind == b"E"
    reason = "the token is signed for another user"
    expected = f'{PREFIX}refused a token for user "\ufffd\\u{{1b}}[2J\\n": {reason}'
    assert expected in server.log()[before:].splitlines()


def test_a_client_that_leaves(server: Postgres, make: Callable[..., Token]) -> None:
    """As psql does when it was given no password and asks its user for one."""
    with RawClient(server) as client:
        assert client.message()[0] == b"R"
    assert login(server, make()) == "app"
    assert server.is_running()


def test_without_tls(server: Postgres, make: Callable[..., Token]) -> None:
    """Nothing is asked for: the token never leaves the client."""
    before = len(server.log())
    with RawClient(server, tls=False) as client:
        kind, body = client.message()
        assert kind == b"E"
        assert b"pg_hba.conf rejects connection" in body
        with pytest.raises(EOFError):
            client.message()
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        login(server, make(), sslmode="disable")
    assert PREFIX not in server.log()[before:]


def test_the_certificate_is_the_endpoints(
    server: Postgres, make: Callable[..., Token], tmp_path: pathlib.Path
) -> None:
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        login(server, make(), host="other.us-east-1.rds.amazonaws.com")
    with pytest.raises(psycopg.OperationalError, match="root certificate"):
        login(server, make(), sslrootcert=str(tmp_path / "none.crt"))


def test_the_verifier_is_the_module_we_think_it_is(server: Postgres) -> None:
    """Its exports are PAM's three functions and nothing else; it names libpam itself."""
    module = server.directory / "server" / "pam_rdstoken.so"
    exported = read("nm", "-D", "--defined-only", "--format=posix", str(module))
    names = {line.split()[0] for line in exported.splitlines()}
    assert names == {"pam_sm_authenticate", "pam_sm_setcred", "pam_sm_acct_mgmt"}
    dynamic = read("readelf", "--dynamic", str(module))
    assert re.search(r"NEEDED.*\[libpam\.so\.0\]", dynamic)
    assert "NODELETE" in dynamic


def read(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
