"""The fakes without TLS see a token that a client sends in clear. So when they see none, none came.

The clients here are the real ones, told to do without TLS or left to their own choice.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import plaintext
import psycopg
import pymysql
import pytest
from common import HOSTNAME, key_for_length
from logins import Token, sign
from plaintext import PlainMariaDB, PlainPostgres

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTHS = [353, 1500, 65_000]


def token_of(length: int) -> Token:
    return sign(HOSTNAME, 12_345, key_for_length(length))


@pytest.fixture
def postgres() -> Iterator[PlainPostgres]:
    with PlainPostgres() as server:
        yield server


@pytest.fixture(params=[False, True], ids=["switch", "greeting"])
def mariadb(request: pytest.FixtureRequest) -> Iterator[PlainMariaDB]:
    with PlainMariaDB(in_greeting=request.param) as server:
        yield server


def psycopg_login(server: PlainPostgres, token: Token, sslmode: str) -> str:
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(
            host=server.hostaddr,
            port=server.port,
            user="app",
            password=token,
            sslmode=sslmode,
            connect_timeout=10,
        )
    return str(caught.value)


def pymysql_login(server: PlainMariaDB, token: Token, **options: Any) -> str:
    with pytest.raises(pymysql.OperationalError) as caught:
        pymysql.connect(
            host=server.hostaddr, port=server.port, user="app", password=token, **options
        )
    return str(caught.value)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("sslmode", ["disable", "prefer"])
def test_postgresql_sees_it(postgres: PlainPostgres, sslmode: str, length: int) -> None:
    token = token_of(length)
    assert "password authentication failed" in psycopg_login(postgres, token, sslmode)
    assert postgres.passwords == [token.encode()]
    assert token.encode() in postgres.received


@pytest.mark.parametrize("sslmode", ["require", "verify-full"])
def test_postgresql_sees_nothing(postgres: PlainPostgres, sslmode: str) -> None:
    assert "server does not support SSL" in psycopg_login(postgres, token_of(1500), sslmode)
    assert postgres.connections == 1
    assert postgres.passwords == []
    assert postgres.received == struct.pack("!II", 8, 80_877_103)


@pytest.mark.parametrize("length", LENGTHS)
def test_mariadb_sees_it(mariadb: PlainMariaDB, length: int) -> None:
    token = token_of(length)
    assert "1045" in pymysql_login(mariadb, token)
    assert mariadb.passwords == [token.encode()]
    assert token.encode() in mariadb.received


def test_mariadb_sees_nothing(mariadb: PlainMariaDB) -> None:
    context = ssl.create_default_context()
    assert "SSL is required" in pymysql_login(mariadb, token_of(1500), ssl=context)
    assert mariadb.connections == 1
    assert mariadb.passwords == []
    assert mariadb.received == b""


@pytest.mark.parametrize(
    ("options", "insists"),
    [
        ([], False),
        (["--ssl"], False),
        (["--ssl-ca=/etc/ssl/certs/ca-certificates.crt"], False),
        (["--ssl-verify-server-cert"], True),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_makes_the_mariadb_command_insist(
    mariadb: PlainMariaDB, options: list[str], *, insists: bool
) -> None:
    """It takes TLS where it is offered, and does without where it is not, unless it verifies."""
    token = token_of(8192)
    command = ["mariadb", "--no-defaults", "--protocol=tcp", f"--host={mariadb.hostaddr}"]
    command += [f"--port={mariadb.port}", "--user=app", "--execute=SELECT 1", *options]
    environment = os.environ | {"MYSQL_PWD": token}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert ("SSL is required" if insists else "1045") in done.stderr
    assert mariadb.passwords == ([] if insists else [token.encode()])


def test_whatever_is_sent_is_kept(postgres: PlainPostgres, mariadb: PlainMariaDB) -> None:
    """From clients that know no protocol, or leave in the middle of it."""
    for server in (postgres, mariadb):
        for data in (b"\0", b"\xff" * 100, b"\0\0\0\x08\0\0\0\0", b"\x03\0\0\1abc", b""):
            before = server.received
            with socket.create_connection((server.hostaddr, server.port)) as client:
                client.sendall(data)
            assert server.received == before + data
        assert server.passwords == []
        assert server.connections == 5


def test_nobody_connects(postgres: PlainPostgres) -> None:
    assert (postgres.connections, postgres.passwords, postgres.received) == (0, [], b"")
    assert 10_000 <= postgres.port <= 65_535


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_the_command(kind: str) -> None:
    token = token_of(1500)
    process = subprocess.Popen(
        [sys.executable, plaintext.__file__, kind, "--print-json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    server = json.loads(process.stdout.readline())
    login = {"host": server["hostaddr"], "port": server["port"], "user": "app", "password": token}
    if kind == "postgres":
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(**login)
    else:
        with pytest.raises(pymysql.OperationalError):
            pymysql.connect(**login)
    file = pathlib.Path(server["received_file"])
    received = file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    assert token.encode() in received
    output, _ = process.communicate()
    assert process.returncode == 0
    digest = hashlib.sha256(token.encode()).hexdigest()
    result = json.loads(output)
    assert result == {
        "connections": 1,
        "received": len(received),
        "passwords": [{"length": 1500, "sha256": digest}],
    }
    assert not file.parent.exists()
