"""The Tortoise engine: pools of each backend that outlive their tokens, and none without TLS."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import rdstoken
from plaintext import PlainMariaDB, PlainPostgres
from signers import LENGTHS, USER, wait_until_dead
from tortoise import Tortoise, connections
from tortoise.exceptions import BaseORMException
from tortoise_models import Note

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from plaintext import PlainServer
    from signers import Logins
    from tortoise.backends.base.client import BaseDBAsyncClient

each_driver = pytest.mark.parametrize("driver", ["asyncpg", "psycopg", "mysql"])

CURRENT_USER = {"asyncpg": USER, "psycopg": USER, "mysql": f"{USER}@%"}


@pytest.fixture
def logins(driver: str, request: pytest.FixtureRequest) -> Logins:
    """The server of the driver's kind."""
    logins: Logins = request.getfixturevalue("mariadb" if driver == "mysql" else "postgres")
    return logins


def run(work: Any) -> Any:
    async def to_the_end() -> Any:
        try:
            return await work
        finally:
            await asyncio.sleep(0.05)  # connections close in the background

    return asyncio.run(to_the_end())


@contextlib.asynccontextmanager
async def opened(
    logins: Logins, driver: str, signer: rdstoken.Signer, **given: Any
) -> AsyncIterator[BaseDBAsyncClient]:
    credentials = {
        "driver": driver,
        "signer": signer,
        "database": logins.dbname,
        "ca_file": logins.ca_file,
        **given,
    }
    async with opened_by("rdstoken.tortoise", credentials) as client:
        yield client


@contextlib.asynccontextmanager
async def opened_by(engine: str, credentials: dict[str, Any]) -> AsyncIterator[BaseDBAsyncClient]:
    await Tortoise.init(
        config={
            "connections": {"default": {"engine": engine, "credentials": credentials}},
            "apps": {"models": {"models": ["tortoise_models"]}},
        }
    )
    try:
        yield connections.get("default")
    finally:
        await Tortoise.close_connections()


async def take(client: BaseDBAsyncClient, count: int) -> set[str]:
    """Holds so many connections at once, and answers who is there in them."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(count - 1):
            await stack.enter_async_context(client.acquire_connection())
        rows = await client.execute_query_dict("SELECT CURRENT_USER AS who")
        return {row["who"] for row in rows}


@each_driver
@pytest.mark.parametrize("length", LENGTHS)
def test_its_pool_outlives_its_tokens(logins: Logins, driver: str, length: int) -> None:
    async def work() -> None:
        signer = logins.brief(length)
        async with opened(logins, driver, signer) as client:
            await take(client, 1)
            wait_until_dead(signer)
            with logins.seen() as seen:
                assert await take(client, 3) == {CURRENT_USER[driver]}
            assert seen
            assert all(seen)
            assert signer.stats().signed >= 2

    run(work())


@each_driver
@pytest.mark.parametrize("length", LENGTHS)
def test_long_tokens_arrive_whole(logins: Logins, driver: str, length: int) -> None:
    async def work() -> None:
        async with opened(logins, driver, logins.long(length)) as client:
            assert await take(client, 2) == {CURRENT_USER[driver]}

    run(work())
    record = logins.server.records()[-1]
    assert (record.length, record.accepted) == (length, True)


@each_driver
def test_a_refused_token_from_the_cache_is_replaced_once(logins: Logins, driver: str) -> None:
    async def work() -> None:
        rotation = logins.rotation()
        async with opened(logins, driver, rotation.signer) as client:
            await take(client, 1)
            rotation.turn()
            with logins.seen() as seen:
                await take(client, 2)
        assert seen[:2] == [False, True]
        assert all(seen[1:])

    run(work())


@pytest.mark.parametrize("driver", ["asyncpg", "mysql"])
def test_a_fresh_token_is_not_replaced(logins: Logins, driver: str) -> None:
    # Not with psycopg: its pool itself tries again and again.
    async def work() -> None:
        rotation = logins.rotation()
        rotation.turn(known=False)
        with logins.seen() as seen, pytest.raises(Exception, match=r"1045|authentication failed"):
            async with opened(logins, driver, rotation.signer) as client:
                await take(client, 1)
        assert seen == [False]

    run(work())


@each_driver
def test_nothing_is_sent_without_tls(logins: Logins, driver: str) -> None:
    kind: type[PlainServer] = PlainMariaDB if driver == "mysql" else PlainPostgres
    with kind() as server:
        signer = rdstoken.Signer(
            logins.host, server.port, USER, credentials=rdstoken.Credentials("AKIDEXAMPLE", "key")
        )
        more = {"timeout": 1} if driver == "psycopg" else {}

        async def work() -> None:
            async with opened(logins, driver, signer, **more) as client:
                await take(client, 1)

        with pytest.raises((rdstoken.TlsRequiredError, BaseORMException, OSError)):
            run(work())
        assert server.connections >= 1
        assert server.passwords == []
        assert b"X-Amz" not in server.received


@pytest.mark.parametrize("driver", ["asyncpg", "mysql"])
def test_a_password_in_the_credentials_does_not_outlive_it(logins: Logins, driver: str) -> None:
    signer = logins.brief()
    credentials = {
        "host": logins.host,
        "port": logins.port,
        "user": USER,
        "password": signer.token(),
        "database": logins.dbname,
        "ssl": ssl.create_default_context(cafile=logins.ca_file),
    }

    async def work() -> None:
        async with opened_by(f"tortoise.backends.{driver}", credentials) as client:
            await take(client, 1)
            wait_until_dead(signer)
            with pytest.raises(Exception, match=r"1045|authentication failed"):
                await take(client, 2)

    run(work())


@pytest.mark.parametrize("driver", ["mysql"])
def test_mysql_is_set_up_as_by_tortoise(logins: Logins, driver: str) -> None:
    async def work() -> None:
        signer = logins.signer()
        async with opened(
            logins, driver, signer, storage_engine="InnoDB", minsize=1, maxsize=1
        ) as client:
            await Tortoise.generate_schemas()
            await Note.create(text="a note")
            assert await Note.filter(text="a note").count() == 1
            await client.execute_script("DROP TABLE note")
            (row,) = await client.execute_query_dict(
                "SELECT @@default_storage_engine AS engine, @@time_zone AS zone, @@sql_mode AS mode"
            )
            assert row == {"engine": "InnoDB", "zone": "+00:00", "mode": "STRICT_TRANS_TABLES"}
            await client.close()
            # What Tortoise does to create a database.
            client.database = "test_tortoise"  # type: ignore[attr-defined]
            await client.db_create()
            await client.db_delete()

    run(work())


@pytest.mark.parametrize("driver", ["mysql"])
def test_mysqls_errors_are_tortoises(logins: Logins, driver: str) -> None:
    async def work() -> None:
        signer = logins.signer()
        async with opened(logins, driver, signer, database="test_none") as client:
            with pytest.raises(BaseORMException, match="1049"):
                await take(client, 1)

    run(work())


@pytest.mark.parametrize(
    ("name", "value"),
    [("host", "127.0.0.1"), ("port", 1), ("user", "root"), ("password", "a token"), ("driver", "")],
)
@each_driver
def test_what_contradicts_the_signer_is_refused(driver: str, name: str, value: object) -> None:
    host = "demo.cluster-abc123def456.us-east-1.rds.amazonaws.com"
    signer = rdstoken.Signer(host, 3306, USER)

    async def work() -> None:
        credentials = {"driver": driver, "signer": signer, "database": "demo", name: value}
        async with opened_by("rdstoken.tortoise", credentials):
            pass

    with pytest.raises(rdstoken.InvalidArgumentError) as caught:
        run(work())
    assert caught.value.field == name


def test_aiomysql_where_asyncmy_is_not_there(pytestconfig: pytest.Config) -> None:
    # Tortoise decides between the two when it is imported.
    program = (
        "import sys; sys.modules['asyncmy'] = None; import pytest\n"
        "code = pytest.main(sys.argv[1:])\n"
        "assert 'rdstoken.aiomysql' in sys.modules\n"
        "sys.exit(code)"
    )
    arguments = ["-q", "-c", str(pytestconfig.inipath), "-k", "mysql and not asyncmy", __file__]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
