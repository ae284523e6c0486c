"""The adapters for MySQL's drivers: logins at a real MariaDB, alone and through pools, that outlive
their tokens, and none without TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import mysql.connector
import mysql.connector.pooling
import pytest
import rdstoken
import rdstoken.aiomysql
import rdstoken.mysql_connector
import rdstoken.mysql_connector_aio
import rdstoken.pymysql
from mysql_drivers import (
    AIOMYSQL,
    ASYNCMY,
    CONNECTOR_AIO,
    DRIVERS,
    MYSQLCLIENT,
    PURE,
    PYMYSQL,
    Driver,
    Pool,
)
from plaintext import PlainMariaDB
from signers import LENGTHS, OTHER, USER, made, wait_until_dead

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from common import Record
    from signers import Logins

SOMEBODY = f"{USER}@%"

each_driver = pytest.mark.parametrize("driver", DRIVERS, ids=repr)


def records_of(
    logins: Logins, driver: Driver, signer: rdstoken.Signer, **given: Any
) -> list[Record]:
    """What reaches the server while the driver tries to connect in vain."""
    before = len(logins.server.records())
    with pytest.raises((rdstoken.Error, *driver.errors)) as caught:
        driver.connect(signer, **given)
    assert signer.token() not in str(caught.value) + repr(caught.value)
    return logins.server.records()[before:]


def lose(pool: mysql.connector.pooling.MySQLConnectionPool) -> None:
    """Takes a connection that is alive out of the pool, and puts it back cut off."""
    connection = pool.get_connection()
    assert connection.is_connected()
    connection.disconnect()
    with contextlib.suppress(mysql.connector.Error):
        connection.close()


# Tokens come and go.


class Old(NamedTuple):
    """What was opened with tokens that have expired since."""

    pools: dict[tuple[str, int], Pool]
    frozen: dict[str, Pool]
    frozen_connector: mysql.connector.pooling.MySQLConnectionPool
    pymysql: rdstoken.pymysql.Connection
    pure: Any


@pytest.fixture(scope="module")
def old(mariadb: Logins) -> Iterator[Old]:
    with contextlib.ExitStack() as stack:
        signer = mariadb.brief()
        pools = {
            (driver.name, length): driver.pool(mariadb.brief(length), mariadb.ca_file)
            for driver in DRIVERS
            for length in LENGTHS
        }
        context = ssl.create_default_context(cafile=mariadb.ca_file)
        static: dict[str, Any] = {
            "host": mariadb.host,
            "port": mariadb.port,
            "user": USER,
            "password": signer.token(),
        }
        frozen = {
            driver.name: driver.bare_pool(**static, ssl=context)
            for driver in (PYMYSQL, AIOMYSQL, ASYNCMY)
        }
        frozen[MYSQLCLIENT.name] = MYSQLCLIENT.bare_pool(**static, ssl={"ca": mariadb.ca_file})
        frozen_connector = mysql.connector.pooling.MySQLConnectionPool(
            pool_size=1, pool_name="frozen", ssl_ca=mariadb.ca_file, use_pure=True, **static
        )
        for pool in (*pools.values(), *frozen.values()):
            stack.callback(pool.close)
            assert pool.take(1) == [SOMEBODY]
        stack.callback(frozen_connector._remove_connections)  # noqa: SLF001 - it has no public name
        pymysql = rdstoken.pymysql.connect(mariadb.brief(), ca_file=mariadb.ca_file)
        stack.callback(pymysql.close)
        pure = rdstoken.mysql_connector.connect(
            mariadb.brief(), ca_file=mariadb.ca_file, use_pure=True
        )
        stack.callback(pure.close)
        last = mariadb.brief()
        last.token()
        wait_until_dead(last)
        yield Old(pools, frozen, frozen_connector, pymysql, pure)


@each_driver
@pytest.mark.parametrize("length", LENGTHS)
def test_a_pool_outlives_its_tokens(mariadb: Logins, old: Old, driver: Driver, length: int) -> None:
    before = len(mariadb.server.records())
    assert old.pools[driver.name, length].take(3) == [SOMEBODY] * 3
    records = mariadb.server.records()[before:]
    assert {(record.length, record.accepted) for record in records} == {(length - 2, True)}


@pytest.mark.parametrize("driver", [PYMYSQL, MYSQLCLIENT, AIOMYSQL, ASYNCMY], ids=repr)
def test_a_pool_with_a_password_does_not(old: Old, driver: Driver) -> None:
    with pytest.raises(driver.errors, match="1045"):
        old.frozen[driver.name].take(3)


def test_the_connectors_own_pool_does_not(old: Old) -> None:
    lose(old.frozen_connector)
    with pytest.raises(mysql.connector.Error, match="1045"):
        old.frozen_connector.get_connection()


def test_pymysql_connects_again_with_a_new_token(old: Old) -> None:
    old.pymysql.close()
    old.pymysql.connect()
    with old.pymysql.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER()")
        assert cursor.fetchone() == (SOMEBODY,)


def test_the_connector_logs_in_again_with_a_new_token(old: Old) -> None:
    old.pure.reconnect()
    # How a session is reset where the server is too old to do so by itself.
    old.pure.cmd_change_user(USER)
    assert old.pure.is_connected()
    assert not [value for value in vars(old.pure).values() if "X-Amz" in str(value)]


def test_the_connector_for_asyncio_logs_in_again_with_a_new_token(mariadb: Logins) -> None:
    signer = mariadb.brief()

    async def log_in_again() -> None:
        connection = await rdstoken.mysql_connector_aio.connect(signer, ca_file=mariadb.ca_file)
        wait_until_dead(signer)
        await connection.cmd_change_user(USER)
        await connection.reconnect()
        assert await connection.is_connected()
        assert not [value for value in vars(connection).values() if "X-Amz" in str(value)]
        await connection.close()
        await asyncio.sleep(0.05)

    asyncio.run(log_in_again())
    assert signer.stats().signed == 2


def test_aiomysql_connects_again_with_a_new_token(mariadb: Logins) -> None:
    signer = mariadb.brief()

    async def ping_a_lost_one() -> None:
        connection = await rdstoken.aiomysql.connect(signer, ca_file=mariadb.ca_file)
        connection.close()
        wait_until_dead(signer)
        await connection.ping()
        await connection.ensure_closed()
        await asyncio.sleep(0.05)

    asyncio.run(ping_a_lost_one())
    assert signer.stats().signed == 2


@pytest.mark.parametrize("adapter", [rdstoken.aiomysql, rdstoken.asyncmy])
def test_a_pool_for_asyncio_keeps_to_its_sizes(mariadb: Logins, adapter: Any) -> None:
    async def work() -> None:
        signer = mariadb.signer()
        with mariadb.seen() as seen:
            pool = await adapter.create_pool(
                signer, ca_file=mariadb.ca_file, minsize=2, maxsize=3, pool_recycle=3600
            )
            async with pool:
                assert (pool.size, pool.freesize) == (2, 2)
                async with pool.acquire(), pool.acquire(), pool.acquire():
                    assert (pool.size, pool.freesize) == (3, 0)
                    with pytest.raises(asyncio.TimeoutError):
                        await asyncio.wait_for(pool.acquire(), 0.1)
                assert (pool.size, pool.freesize) == (3, 3)
                async with pool.acquire() as connection:
                    connection.close()  # one that is lost is not given back
                async with pool.acquire(), pool.acquire(), pool.acquire():
                    assert pool.size == 3
            await asyncio.sleep(0.05)
        assert seen == [True] * 4

    asyncio.run(work())


@each_driver
@pytest.mark.parametrize("length", LENGTHS)
def test_long_tokens_arrive_whole(mariadb: Logins, driver: Driver, length: int) -> None:
    signer = mariadb.long(length)
    before = len(mariadb.server.records())
    with contextlib.closing(driver.pool(signer, mariadb.ca_file)) as pool:
        assert pool.take(2) == [SOMEBODY] * 2
    assert driver.connect(signer, ca_file=mariadb.ca_file) == SOMEBODY
    records = mariadb.server.records()[before:]
    assert len(records) >= 3
    assert {(record.length, record.accepted) for record in records} == {(length, True)}


# One retry.


@each_driver
def test_a_refused_token_from_the_cache_is_replaced_once(mariadb: Logins, driver: Driver) -> None:
    rotation = mariadb.rotation()
    assert driver.connect(rotation.signer, ca_file=mariadb.ca_file) == SOMEBODY
    rotation.turn()
    with mariadb.seen() as seen:
        assert driver.connect(rotation.signer, ca_file=mariadb.ca_file) == SOMEBODY
    assert seen == [False, True]


@each_driver
def test_a_pool_replaces_a_refused_token_once(mariadb: Logins, driver: Driver) -> None:
    rotation = mariadb.rotation()
    with contextlib.closing(driver.pool(rotation.signer, mariadb.ca_file)) as pool:
        pool.take(1)
        rotation.turn()
        with mariadb.seen() as seen:
            assert pool.take(3) == [SOMEBODY] * 3
    assert seen[:2] == [False, True]
    assert all(seen[1:])


@each_driver
def test_a_fresh_token_is_not_replaced(mariadb: Logins, driver: Driver) -> None:
    rotation = mariadb.rotation()
    rotation.turn(known=False)
    with mariadb.seen() as seen, pytest.raises(driver.errors, match="1045"):
        driver.connect(rotation.signer, ca_file=mariadb.ca_file)
    assert seen == [False]


@pytest.mark.parametrize("use_pure", [True, False])
def test_the_connectors_pool_does_not_replace_a_fresh_token(
    mariadb: Logins, *, use_pure: bool
) -> None:
    if not use_pure and not mysql.connector.HAVE_CEXT:
        use_pure = True
    rotation = mariadb.rotation()
    pool = rdstoken.mysql_connector.Pool(
        rotation.signer, pool_size=1, ca_file=mariadb.ca_file, use_pure=use_pure
    )
    lose(pool)
    rotation.signer.invalidate()
    rotation.turn(known=False)
    with mariadb.seen() as seen, pytest.raises(mysql.connector.Error, match="1045"):
        pool.get_connection()
    assert seen == [False]


@each_driver
def test_credentials_that_come_too_late_are_no_failure_of_the_network(
    mariadb: Logins, driver: Driver
) -> None:
    def credentials() -> rdstoken.Credentials:
        time.sleep(0.3)
        raise RuntimeError

    signer = mariadb.signer(credentials=credentials, timeout=0.1)
    with pytest.raises(rdstoken.TimeoutError):
        driver.connect(signer, ca_file=mariadb.ca_file)
    with pytest.raises(rdstoken.TimeoutError):
        driver.pool(signer, mariadb.ca_file).take(1)


@each_driver
def test_there_is_no_third_try(mariadb: Logins, driver: Driver) -> None:
    rotation = mariadb.rotation()
    driver.connect(rotation.signer, ca_file=mariadb.ca_file)
    rotation.turn(known=False)
    with mariadb.seen() as seen, pytest.raises(driver.errors, match="1045"):
        driver.connect(rotation.signer, ca_file=mariadb.ca_file)
    assert seen == [False, False]


@each_driver
def test_other_errors_are_not_tried_again(mariadb: Logins, driver: Driver) -> None:
    signer = mariadb.signer()
    signer.token()
    records = records_of(
        mariadb, driver, signer, **{driver.database: "test_none"}, ca_file=mariadb.ca_file
    )
    assert [record.accepted for record in records] == [True]
    assert signer.stats().signed == 1


# TLS.


@each_driver
@pytest.mark.parametrize("in_greeting", [False, True])
def test_nothing_is_sent_without_tls(mariadb: Logins, driver: Driver, *, in_greeting: bool) -> None:
    with PlainMariaDB(in_greeting=in_greeting) as server:
        signer = rdstoken.Signer(
            mariadb.host, server.port, USER, credentials=rdstoken.Credentials("AKIDEXAMPLE", "key")
        )
        with pytest.raises((rdstoken.TlsRequiredError, *driver.errors)):
            driver.connect(signer, ca_file=mariadb.ca_file)
        with pytest.raises((rdstoken.TlsRequiredError, *driver.errors)):
            driver.pool(signer, mariadb.ca_file).take(1)
        assert server.connections == 2
        assert server.passwords == [b""] * len(server.passwords)
        assert b"X-Amz" not in server.received


@pytest.mark.parametrize("driver", [PYMYSQL, MYSQLCLIENT, AIOMYSQL, ASYNCMY], ids=repr)
def test_by_themselves_drivers_send_it(mariadb: Logins, driver: Driver) -> None:
    with PlainMariaDB() as server:
        given = {"host": mariadb.host, "port": server.port, "user": USER, "password": "the token"}
        if driver is AIOMYSQL:
            given["ssl"] = ssl.create_default_context()
        with pytest.raises(driver.errors, match="1045"):
            driver.bare(**given)
        assert server.passwords == [b"the token"]


@each_driver
def test_the_certificate_is_verified(mariadb: Logins, driver: Driver) -> None:
    # The system's authorities, who have not signed it.
    assert records_of(mariadb, driver, mariadb.signer()) == []


@each_driver
def test_the_name_in_the_certificate_is_verified(mariadb: Logins, driver: Driver) -> None:
    signer = rdstoken.Signer(
        OTHER, mariadb.port, USER, credentials=rdstoken.Credentials("AKIDEXAMPLE", "key")
    )
    assert records_of(mariadb, driver, signer, ca_file=mariadb.ca_file) == []


def test_by_itself_the_connector_for_asyncio_verifies_no_name(
    mariadb: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", mariadb.ca_file)  # nor does it take `ssl_ca` alone
    with mariadb.seen() as seen, pytest.raises(mysql.connector.Error, match="1045"):
        CONNECTOR_AIO.bare(
            host=OTHER,
            port=mariadb.port,
            user=USER,
            password="the token",
            ssl_verify_cert=True,
            ssl_verify_identity=True,
        )
    assert seen == [False]


# What may not be given.

REFUSED: list[tuple[type[rdstoken.Error], str, Any]] = [
    (rdstoken.TlsRequiredError, "ssl", None),
    (rdstoken.TlsRequiredError, "ssl", False),
    (rdstoken.TlsRequiredError, "ssl", {}),
    (rdstoken.TlsRequiredError, "ssl", {"ca": "ca.pem", "check_hostname": False}),
    (rdstoken.TlsRequiredError, "ssl", {"verify_mode": "none"}),
    (rdstoken.TlsRequiredError, "ssl", {"verify_mode": None}),
    (rdstoken.TlsRequiredError, "ssl_disabled", True),
    (rdstoken.TlsRequiredError, "ssl_verify_cert", False),
    (rdstoken.TlsRequiredError, "ssl_verify_identity", False),
    (rdstoken.TlsRequiredError, "ssl_mode", "DISABLED"),
    (rdstoken.TlsRequiredError, "ssl_mode", "PREFERRED"),
    (rdstoken.TlsRequiredError, "ssl_mode", "REQUIRED"),
    (rdstoken.TlsRequiredError, "ssl_mode", "VERIFY_CA"),
    (rdstoken.InvalidArgumentError, "ssl", {"capath": "certs"}),
    (rdstoken.InvalidArgumentError, "host", "127.0.0.1"),
    (rdstoken.InvalidArgumentError, "port", 3306),
    (rdstoken.InvalidArgumentError, "user", "root"),
    (rdstoken.InvalidArgumentError, "password", "a token"),
    (rdstoken.InvalidArgumentError, "passwd", "a token"),
    (rdstoken.InvalidArgumentError, "unix_socket", "/run/mysqld.sock"),
    (rdstoken.InvalidArgumentError, "read_default_file", "my.cnf"),
    (rdstoken.InvalidArgumentError, "auth_plugin", "mysql_native_password"),
    (rdstoken.InvalidArgumentError, "ssl_key", "key.pem"),
    (rdstoken.InvalidArgumentError, "ssl_capath", "/etc/ssl/certs"),
    (rdstoken.InvalidArgumentError, "ssl_cipher", "AES128-SHA"),
    (rdstoken.TlsRequiredError, "ssl_verify_cert", "false"),
]


@pytest.fixture
def idle() -> rdstoken.Signer:
    """A signer that is asked for nothing."""
    credentials = rdstoken.Credentials("AKIDEXAMPLE", "key")
    return rdstoken.Signer(OTHER, 3307, USER, credentials=credentials)


@each_driver
@pytest.mark.parametrize(("error", "name", "value"), REFUSED, ids=str)
def test_what_contradicts_the_signer_is_refused(
    idle: rdstoken.Signer, driver: Driver, error: type[rdstoken.Error], name: str, value: object
) -> None:
    with pytest.raises(error) as caught:
        driver.options(idle, **{name: value})
    assert caught.value.field == name
    with pytest.raises(error):
        driver.connect(idle, **{name: value})
    assert idle.stats().signed == 0


@each_driver
def test_a_context_must_verify(idle: rdstoken.Signer, driver: Driver) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    with pytest.raises(rdstoken.TlsRequiredError):
        driver.options(idle, ssl=context)
    context.verify_mode = ssl.CERT_NONE
    with pytest.raises(rdstoken.TlsRequiredError):
        driver.options(idle, ssl=context)


@each_driver
def test_what_agrees_with_the_signer_may_be_given(
    mariadb: Logins, idle: rdstoken.Signer, driver: Driver
) -> None:
    signer = mariadb.signer()
    given: list[dict[str, Any]] = [
        {"host": mariadb.host.upper() + ".", "port": mariadb.port, "user": USER},
        {"ssl_ca": mariadb.ca_file, "ssl_verify_cert": True, "ssl_verify_identity": True},
        {"ssl": {"ca": mariadb.ca_file}, "ssl_disabled": False, "ssl_mode": "VERIFY_IDENTITY"},
        # As SQLAlchemy reads them in a URL.
        {"ssl_verify_cert": "true", "ssl_verify_identity": "True"},
        {"password": None, "unix_socket": None, "auth_plugin": "mysql_clear_password"},
    ]
    for options in given:
        if not {"ssl", "ssl_ca"} & options.keys():
            options["ca_file"] = mariadb.ca_file
        assert driver.connect(signer, **options) == SOMEBODY
    with pytest.raises(rdstoken.InvalidArgumentError, match="ca_file"):
        driver.options(idle, ca_file="one.pem", ssl_ca="another.pem")


@pytest.mark.parametrize("driver", [PYMYSQL, AIOMYSQL, ASYNCMY], ids=repr)
def test_a_context_of_the_callers_own_serves(mariadb: Logins, driver: Driver) -> None:
    context = ssl.create_default_context(cafile=mariadb.ca_file)
    assert driver.connect(mariadb.signer(), ssl=context) == SOMEBODY
    with pytest.raises(rdstoken.InvalidArgumentError, match="ca_file"):
        driver.options(mariadb.signer(), ssl=context, ca_file=mariadb.ca_file)


@pytest.mark.parametrize("driver", [MYSQLCLIENT, PURE], ids=repr)
def test_others_take_none(idle: rdstoken.Signer, driver: Driver) -> None:
    with pytest.raises(rdstoken.InvalidArgumentError, match="ssl"):
        driver.options(idle, ssl=ssl.create_default_context())


@pytest.mark.parametrize("driver", [PYMYSQL, AIOMYSQL, ASYNCMY], ids=repr)
def test_a_certificate_of_the_callers_own_must_be_there(
    mariadb: Logins, idle: rdstoken.Signer, driver: Driver, tmp_path: pathlib.Path
) -> None:
    for cert in (tmp_path / "nowhere.pem", mariadb.ca_file):  # the latter has no key in it
        with pytest.raises(rdstoken.InvalidArgumentError) as caught:
            driver.options(idle, ssl_cert=str(cert))
        assert caught.value.field == "ssl_cert"


def test_what_is_one_drivers_alone_is_refused(idle: rdstoken.Signer) -> None:
    handler = {"mysql_clear_password": object}
    for driver, given in (
        (PYMYSQL, {"auth_plugin_map": handler}),
        (PYMYSQL, {"ssl_key_password": "a password"}),
        (ASYNCMY, {"sock": object()}),
        (ASYNCMY, {"password_creator": str}),
        (PURE, {"option_files": "my.cnf"}),
        (PURE, {"failover": [{"host": "127.0.0.1"}]}),
        (PURE, {"username": "root"}),
    ):
        with pytest.raises(rdstoken.InvalidArgumentError) as caught:
            driver.options(idle, **given)
        assert caught.value.field in given
    for driver in (PURE, CONNECTOR_AIO):
        with pytest.raises(rdstoken.InvalidArgumentError, match="pool_name"):
            driver.connect(idle, pool_name="a pool")


# By the way.


def test_the_options_of_a_driver_with_a_hook_serve_alone(mariadb: Logins) -> None:
    signer = mariadb.signer()
    for driver in (PYMYSQL, ASYNCMY):
        assert driver.bare(**driver.options(signer, ca_file=mariadb.ca_file)) == SOMEBODY


def test_pymysqls_options_refuse_a_server_without_tls(mariadb: Logins) -> None:
    # As versions before 1.2 did, and this one does when TLS is only preferred.
    with PlainMariaDB() as server:
        signer = rdstoken.Signer(
            mariadb.host, server.port, USER, credentials=rdstoken.Credentials("AKIDEXAMPLE", "key")
        )
        options = PYMYSQL.options(signer, ca_file=mariadb.ca_file)
        del options["ssl"]
        with pytest.raises(rdstoken.TlsRequiredError):
            PYMYSQL.bare(**options)
        assert server.passwords == []


@pytest.mark.parametrize("driver", [PURE, CONNECTOR_AIO], ids=repr)
def test_the_connector_does_not_log_the_token(
    mariadb: Logins,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    driver: Driver,
) -> None:
    caplog.set_level(logging.DEBUG)
    signer = mariadb.signer()
    real = rdstoken.mysql_connector.options

    def until_the_server_asks(*given: Any, **named: Any) -> dict[str, Any]:
        return real(*given, **named) | {"auth_plugin": ""}

    for module in (rdstoken.mysql_connector, rdstoken.mysql_connector_aio):
        monkeypatch.setattr(module, "options", until_the_server_asks)
    assert driver.connect(signer, ca_file=mariadb.ca_file) == SOMEBODY
    assert "mysql_clear_password" in caplog.text
    assert "X-Amz" not in caplog.text

    # By itself it does.
    monkeypatch.setenv("SSL_CERT_FILE", mariadb.ca_file)
    driver.bare(host=mariadb.host, port=mariadb.port, user=USER, password=signer.token())
    assert signer.token() in caplog.text
    caplog.clear()


@pytest.mark.parametrize("error", [rdstoken.CredentialsFailedError, rdstoken.TimeoutError])
def test_the_connectors_pool_keeps_its_connections_when_there_is_no_token(
    mariadb: Logins, error: type[rdstoken.Error]
) -> None:
    working = True

    def credentials() -> rdstoken.Credentials:
        if not working:
            if error is rdstoken.TimeoutError:
                time.sleep(0.5)
            raise RuntimeError
        return made(mariadb.server.session_key)

    signer = mariadb.signer(credentials=credentials, timeout=0.3)
    pool = rdstoken.mysql_connector.Pool(
        signer, pool_size=1, ca_file=mariadb.ca_file, use_pure=True, pool_name="kept"
    )
    working = False
    signer.invalidate(credentials=True)
    # One that is alive needs none.
    lose(pool)
    with pytest.raises(error):
        pool.get_connection()
    working = True
    signer.invalidate(credentials=True)
    pool.set_config(ca_file=mariadb.ca_file, use_pure=True, database=mariadb.dbname)
    with contextlib.closing(pool.get_connection()) as connection:
        assert connection.database == mariadb.dbname
    pool._remove_connections()  # noqa: SLF001


@pytest.mark.skipif(mysql.connector.HAVE_CEXT, reason="it is tested with the rest")
def test_the_connectors_extension(pytestconfig: pytest.Config) -> None:
    # It brings an OpenSSL of its own, which does not load beside an older one of the system's. So
    # the same tests again where it comes first.
    program = "import sys, _mysql_connector, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    arguments = ["-q", "-c", str(pytestconfig.inipath), "-k", "extension", __file__]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
