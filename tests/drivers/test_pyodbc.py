"""pyodbc through psqlodbc and MariaDB's Connector/ODBC: tokens that arrive whole and in time."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyodbc
import pytest
import rdstoken
import rdstoken.pyodbc
import sqlalchemy.pool
from common import AccessKey, key_for_length
from plaintext import PlainMariaDB, PlainPostgres
from signers import LENGTHS, OTHER, USER, wait_until_dead

if TYPE_CHECKING:
    from plaintext import PlainServer
    from signers import Logins


@dataclasses.dataclass
class Odbc:
    """A driver and its server."""

    driver: str
    logins: Logins
    library: str
    plain: type[PlainServer]
    refusal: str

    def connect(self, signer: rdstoken.Signer, **given: Any) -> str:
        """Connects, asks who is there, and closes."""
        given = {"ca_file": self.logins.ca_file, "database": self.logins.dbname} | given
        with contextlib.closing(rdstoken.pyodbc.connect(signer, driver=self.driver, **given)) as it:
            return user_of(it)

    def string(self, signer: rdstoken.Signer) -> str:
        return signer.connection_string(
            self.driver,
            "connection-string",
            database=self.logins.dbname,
            ca_file=self.logins.ca_file,
        )


def user_of(connection: Any) -> str:
    row = connection.cursor().execute("SELECT CURRENT_USER").fetchone()
    return str(row[0]).removesuffix("@%")


def path_of(library: str) -> str:
    (path,) = pathlib.Path("/usr/lib").glob(f"*/odbc/{library}")
    return str(path)


@pytest.fixture(params=["psqlodbc", "mariadb-odbc"])
def odbc(request: pytest.FixtureRequest) -> Odbc:
    if request.param == "psqlodbc":
        logins = request.getfixturevalue("postgres")
        return Odbc("psqlodbc", logins, "psqlodbcw.so", PlainPostgres, "authentication failed")
    logins = request.getfixturevalue("mariadb")
    return Odbc("mariadb-odbc", logins, "libmaodbc.so", PlainMariaDB, "1045")


@pytest.mark.parametrize("length", LENGTHS)
def test_a_pool_outlives_its_tokens(odbc: Odbc, length: int) -> None:
    signer = odbc.logins.brief(length)

    def connect() -> pyodbc.Connection:
        return rdstoken.pyodbc.connect(
            signer, driver=odbc.driver, database=odbc.logins.dbname, ca_file=odbc.logins.ca_file
        )

    pool = sqlalchemy.pool.QueuePool(connect)
    frozen = odbc.string(signer)
    with contextlib.closing(pool.connect()) as connection:
        assert user_of(connection) == USER
    wait_until_dead(signer)
    connections = [pool.connect() for _ in range(3)]
    assert [user_of(connection) for connection in connections] == [USER] * 3
    record = odbc.logins.server.records()[-1]
    assert (record.length, record.accepted) == (length - 2, True)
    for connection in connections:
        connection.close()
    pool.dispose()

    with pytest.raises(pyodbc.Error, match=odbc.refusal):
        pyodbc.connect(frozen)


@pytest.mark.parametrize("length", LENGTHS)
def test_long_tokens_arrive_whole(odbc: Odbc, length: int) -> None:
    assert odbc.connect(odbc.logins.long(length)) == USER
    record = odbc.logins.server.records()[-1]
    assert (record.length, record.accepted) == (length, True)


def test_one_that_pyodbc_cannot_pass_on_is_not_sent(odbc: Odbc) -> None:
    # The server does not know the key.
    signer = odbc.logins.signer(key_for_length(32_685))
    if odbc.driver == "psqlodbc":
        with odbc.logins.seen() as seen, pytest.raises(rdstoken.DriverLimitError):
            odbc.connect(signer)
        assert seen == []
    else:
        with pytest.raises(pyodbc.Error, match=odbc.refusal):
            odbc.connect(signer)
        assert odbc.logins.server.records()[-1].length == 32_685


def test_the_library_may_be_named(odbc: Odbc) -> None:
    library = path_of(odbc.library)
    assert odbc.connect(odbc.logins.signer(), odbc_driver=library, autocommit=True) == USER


def test_keywords_of_the_drivers_own_are_passed_on(odbc: Odbc) -> None:
    given: dict[str, Any] = {"MaxVarcharSize": 20} if odbc.driver == "psqlodbc" else {}
    given |= {"INITSTMT": "SET @name = 'a value'"} if odbc.driver == "mariadb-odbc" else {}
    assert odbc.connect(odbc.logins.signer(), **given, timeout=5) == USER


def test_the_wrong_ways_fail(odbc: Odbc) -> None:
    signer = odbc.logins.signer()
    string, token = odbc.string(signer), signer.token()
    without = string.replace(f"PWD={{{token}}};", "")
    assert token not in without
    with odbc.logins.seen() as seen:
        attempts: list[tuple[str, dict[str, str]]] = [
            (without + f"PWD={token};", {}),
            (without, {"password": token}),
        ]
        for text, given in attempts:
            if odbc.driver == "psqlodbc":
                with pytest.raises(pyodbc.Error, match=odbc.refusal):
                    pyodbc.connect(text, **given)
                assert odbc.logins.server.records()[-1].length < len(token)
            else:
                pyodbc.connect(text, **given).close()
    assert seen == [odbc.driver == "mariadb-odbc"] * 2


# One retry.


def test_a_refused_token_from_the_cache_is_replaced_once(odbc: Odbc) -> None:
    rotation = odbc.logins.rotation()
    assert odbc.connect(rotation.signer) == USER
    rotation.turn()
    with odbc.logins.seen() as seen:
        assert odbc.connect(rotation.signer) == USER
    assert seen == [False, True]


def test_there_is_no_third_try(odbc: Odbc) -> None:
    rotation = odbc.logins.rotation()
    odbc.connect(rotation.signer)
    rotation.turn(known=False)
    with odbc.logins.seen() as seen, pytest.raises(pyodbc.Error, match=odbc.refusal) as caught:
        odbc.connect(rotation.signer)
    assert seen == [False, False]
    assert "X-Amz" not in str(caught.value)


def test_a_fresh_token_is_not_replaced(odbc: Odbc) -> None:
    signer = odbc.logins.signer(AccessKey.random())
    with odbc.logins.seen() as seen, pytest.raises(pyodbc.Error, match=odbc.refusal):
        odbc.connect(signer)
    assert seen == [False]


def test_other_errors_are_not_tried_again(odbc: Odbc) -> None:
    signer = odbc.logins.signer()
    signer.token()
    with odbc.logins.seen() as seen, pytest.raises(pyodbc.Error, match="test_none"):
        odbc.connect(signer, database="test_none")
    assert seen == [True]


# TLS.


def test_nothing_is_sent_without_tls(odbc: Odbc) -> None:
    with odbc.plain() as server:
        signer = rdstoken.Signer(
            odbc.logins.host,
            server.port,
            USER,
            credentials=rdstoken.Credentials("AKIDEXAMPLE", "key"),
        )
        with pytest.raises(pyodbc.Error, match=r"SSL"):
            odbc.connect(signer)
        assert server.connections == 1
        assert server.passwords == []
        assert b"X-Amz" not in server.received


def test_the_certificate_and_the_name_in_it_are_verified(odbc: Odbc) -> None:
    other = rdstoken.Signer(
        OTHER, odbc.logins.port, USER, credentials=rdstoken.Credentials("AKIDEXAMPLE", "key")
    )
    with odbc.logins.seen() as seen:
        with pytest.raises(pyodbc.Error, match="certificate"):
            odbc.connect(odbc.logins.signer(), ca_file=None)
        with pytest.raises(pyodbc.Error, match="certificate"):
            odbc.connect(other)
    assert seen == []


@pytest.mark.parametrize(
    "name",
    [
        *("Server", "UID", "user", "PWD", "password", "DSN", "FILEDSN", "SSLMODE", "FORCETLS"),
        *("pqopt", "D5", "DRIVER", "USE_MYCNF", "OPTION", "OPTIONS", "x;SSLmode", "x y"),
    ],
)
def test_what_contradicts_the_signer_is_refused(name: str) -> None:
    signer = rdstoken.Signer(OTHER, 5432, USER)
    with pytest.raises(rdstoken.InvalidArgumentError) as caught:
        rdstoken.pyodbc.connect(signer, driver="psqlodbc", **{name: "a value"})
    assert caught.value.field == name


@pytest.mark.parametrize("value", ["1;SSLmode=disable", "{x", "x}"])
def test_a_value_that_pyodbc_would_not_quote_is_refused(value: str) -> None:
    signer = rdstoken.Signer(OTHER, 5432, USER)
    with pytest.raises(rdstoken.InvalidArgumentError, match="UseServerSidePrepare"):
        rdstoken.pyodbc.connect(signer, driver="psqlodbc", UseServerSidePrepare=value)


def test_other_drivers_are_refused(postgres: Logins) -> None:
    for driver in ("redshift-odbc", "psycopg", "none"):
        with pytest.raises(rdstoken.InvalidArgumentError):
            rdstoken.pyodbc.connect(postgres.signer(), driver=driver)


# ODBC's own pool.

POOLING = """
import sys, time, pyodbc, rdstoken, rdstoken.pyodbc

pyodbc.pooling = sys.argv[1] == "True"
host, port, ca_file = sys.argv[2:]
key = rdstoken.Credentials(*sys.stdin.read().split())
for life in (898, 899, 900):
    signer = rdstoken.Signer(host, int(port), "app", credentials=key, expires_in=life)
    connection = rdstoken.pyodbc.connect(
        signer, driver="mariadb-odbc", ca_file=ca_file, autocommit=True
    )
    for _ in range(40):  # those that are closed take a moment
        rows = connection.execute("SELECT id FROM information_schema.processlist").fetchall()
        if len(rows) == 1:
            break
        time.sleep(0.01)
    connection.close()
print(len(rows))
"""


@pytest.mark.parametrize("attribute", [True, False])
@pytest.mark.parametrize(("file", "connections"), [("Yes", 3), ("No", 1)])
def test_odbcs_own_pool_keeps_what_it_never_uses_again(
    mariadb: Logins,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    connections: int,
    *,
    attribute: bool,
) -> None:
    library = path_of("libmaodbc.so")
    (tmp_path / "odbcinst.ini").write_text(
        f"[ODBC]\nPooling = {file}\n[MariaDB Unicode]\nDriver = {library}\nCPTimeout = 60\n"
    )
    monkeypatch.setenv("ODBCSYSINI", str(tmp_path))
    key = mariadb.server.static_key
    arguments = [str(attribute), mariadb.host, str(mariadb.port), mariadb.ca_file]
    done = subprocess.run(
        [sys.executable, "-c", POOLING, *arguments],
        input=f"{key.access_key_id} {key.secret_access_key}",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == connections
