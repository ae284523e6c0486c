"""What is MariaDB's own about the verifier in it. Above all that a client must insist on TLS by
itself: the server refuses one without it, but only when it has the token.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pymysql
import pytest
from common import HERE, Record, ServerError
from logins import MALFORMED, PREFIX, Refused, Token, login, sign
from mariadb import MariaDB, find_plugins, find_program

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator

LONGEST = 196_000  # about as long as a token can be; the server takes more


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    with MariaDB(token_lengths=[1500, LONGEST]) as mariadb:
        yield mariadb


def record(password: bytes, *, accepted: bool) -> Record:
    return Record("app", len(password), hashlib.sha256(password).hexdigest(), accepted)


def denied(server: MariaDB, password: str | bytes, user: str = "app", **options: Any) -> str:
    with pytest.raises(pymysql.OperationalError) as caught:
        login(server, password, user, **options)
    return str(caught.value)


def test_the_longest(server: MariaDB, make: Callable[..., Token]) -> None:
    token = make(key=server.keys[LONGEST])
    assert len(token) == LONGEST
    assert login(server, token) == "app"
    assert server.records()[-1] == record(token.encode(), accepted=True)


def test_without_tls(server: MariaDB, make: Callable[..., Token]) -> None:
    """Nobody gets in, but a good token has come in clear."""
    token = make()
    before = len(server.records())
    assert "Access denied" in denied(server, token, ssl_disabled=True)
    assert server.records()[before:] == [record(token.encode(), accepted=True)]


def test_secure_transport_comes_too_late_as_well() -> None:
    class Stricter(MariaDB):
        def _command(self) -> list[str]:
            return [*super()._command(), "--require-secure-transport=ON"]

    with Stricter() as server:
        token = sign(server.host, server.port, server.session_key)
        assert login(server, token) == "app"
        assert "Access denied" in denied(server, token, ssl_disabled=True)
        assert server.records() == [record(token.encode(), accepted=True)] * 2


def test_the_certificate_is_the_endpoints(server: MariaDB, make: Callable[..., Token]) -> None:
    before = len(server.records())
    other = "other.us-east-1.rds.amazonaws.com"
    assert "Hostname mismatch" in denied(server, make(), host=other)
    roots = {"ca": "/etc/ssl/certs/ca-certificates.crt"}  # not ours
    assert "unable to get local issuer" in denied(server, make(), ssl=roots)
    assert len(server.records()) == before


def test_a_password_that_is_no_text(server: MariaDB, make: Callable[..., Token]) -> None:
    password = b"\xff\xfe" + make().encode()
    Refused(server, password).check(MALFORMED)
    assert server.records()[-1] == record(password, accepted=False)


def test_empty_password(server: MariaDB, make: Callable[..., Token]) -> None:
    """The server's plugin gives up before the verifier has any."""
    before = len(server.records())
    denied(server, b"")
    assert login(server, make()) == "app"
    assert len(server.records()) == before + 1
    assert f'{PREFIX}refused user "app": no password came' in server.log()


def test_a_client_that_leaves(server: MariaDB, make: Callable[..., Token]) -> None:
    class Leaves:
        """PyMySQL's hook for the plugin that is asked for the token."""

        def __init__(self, _: object) -> None:
            pass

        def authenticate(self, _: object) -> None:
            raise KeyboardInterrupt

    before = len(server.records())
    with pytest.raises(KeyboardInterrupt):
        login(server, make(), auth_plugin_map={b"mysql_clear_password": Leaves})
    assert login(server, make()) == "app"
    assert len(server.records()) == before + 1


@pytest.mark.parametrize("user", ["root", "mariadb.sys", "postgres", "", "nobody"])
def test_nobody_else_gets_in(server: MariaDB, make: Callable[..., Token], user: str) -> None:
    before = len(server.records())
    for password in ("", "root", make()):
        denied(server, password, user)
    # MariaDB lets a user that it does not know run into a plugin that it does.
    assert not any(record.accepted for record in server.records()[before:])
    assert not [file for file in server.directory.rglob("*") if file.is_socket()]


CLIENT = ["mariadb", "--no-defaults", "--batch", "--skip-column-names"]


def test_the_mariadb_command(server: MariaDB, make: Callable[..., Token]) -> None:
    """By the endpoint's name, which hosts.sh resolves. Users may create what tests need."""

    def sql(statements: str) -> subprocess.CompletedProcess[str]:
        where = [f"--host={server.host}", f"--port={server.port}", "--user=app", server.dbname]
        tls = [f"--ssl-ca={server.ca_file}", "--ssl-verify-server-cert"]
        return subprocess.run(
            [str(HERE.parent / "hosts.sh"), *CLIENT, *where, *tls, "--execute", statements],
            env=os.environ | {"MYSQL_PWD": make(key=server.keys[1500])},
            capture_output=True,
            text=True,
            check=False,
        )

    assert sql("SELECT CURRENT_USER()").stdout == "app@%\n"
    own = sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (7); SELECT n FROM t; DROP TABLE t")
    assert own.stdout == "7\n"
    for_tests = sql("CREATE DATABASE test_demo; CREATE TABLE test_demo.t (n INT)")
    assert (for_tests.returncode, for_tests.stderr) == (0, "")
    for statement in ("CREATE DATABASE other", "SELECT * FROM mysql.global_priv"):
        assert "denied" in sql(statement).stderr


def test_finding_mariadb(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ServerError, match="install the package mariadb-server"):
        find_program("mariadbd", path=str(tmp_path))
    with pytest.raises(ServerError, match="install the package mariadb-server"):
        find_plugins((f"{tmp_path}/*",))
    plugin = tmp_path / "x86" / "auth_pam_v1.so"
    plugin.parent.mkdir()
    plugin.touch()
    assert find_plugins((f"{tmp_path}/*",)) == plugin.parent
