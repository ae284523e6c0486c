"""The MySQL drivers, each behind the same few words, so that one test serves all of them."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import inspect
import ssl
from typing import TYPE_CHECKING, Any, TypeVar

import aiomysql
import asyncmy
import asyncmy.errors
import mysql.connector
import mysql.connector.aio
import MySQLdb
import pymysql
import rdstoken
import rdstoken.aiomysql
import rdstoken.asyncmy
import rdstoken.mysql_connector
import rdstoken.mysql_connector_aio
import rdstoken.mysqlclient
import rdstoken.pymysql
import sqlalchemy.pool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

Answer = TypeVar("Answer")

QUERY = "SELECT CURRENT_USER()"


class Driver(abc.ABC):
    """One connection, or a pool of them, that the adapter makes."""

    name: str
    errors: tuple[type[Exception], ...]
    """What the driver raises."""
    database = "database"
    """What it calls the database."""

    @abc.abstractmethod
    def options(self, signer: rdstoken.Signer, **given: Any) -> dict[str, Any]:
        """The adapter's keywords for the driver."""

    @abc.abstractmethod
    def connect(self, signer: rdstoken.Signer, **given: Any) -> str:
        """Connects, asks who is there, and closes."""

    @abc.abstractmethod
    def bare(self, **given: Any) -> str:
        """Does the same without the adapter."""

    @abc.abstractmethod
    def pool(self, signer: rdstoken.Signer, ca_file: str) -> Pool:
        """Makes a pool that opens connections when they are taken."""

    def __repr__(self) -> str:
        return self.name


class Pool(abc.ABC):
    @abc.abstractmethod
    def take(self, count: int) -> list[str]:
        """Holds so many connections at once, and answers who is there in each. They are open from
        the last time, or opened now.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Closes all connections."""


class Plain(Driver):
    """A driver without asyncio and without a pool: SQLAlchemy's pool serves."""

    def __init__(self, name: str, adapter: Any, module: Any) -> None:
        self.name = name
        self._adapter = adapter
        self._module = module
        self.errors = (module.Error,)

    def options(self, signer: rdstoken.Signer, **given: Any) -> dict[str, Any]:
        options: dict[str, Any] = self._adapter.options(signer, **given)
        return options

    def connect(self, signer: rdstoken.Signer, **given: Any) -> str:
        with contextlib.closing(self._adapter.connect(signer, **given)) as connection:
            return user_of(connection)

    def bare(self, **given: Any) -> str:
        with contextlib.closing(self._module.connect(**given)) as connection:
            return user_of(connection)

    def pool(self, signer: rdstoken.Signer, ca_file: str) -> Pool:
        return QueuePool(lambda: self._adapter.connect(signer, ca_file=ca_file))

    def bare_pool(self, **given: Any) -> Pool:
        return QueuePool(lambda: self._module.connect(**given))


class QueuePool(Pool):
    def __init__(self, connect: Callable[[], Any]) -> None:
        self._pool = sqlalchemy.pool.QueuePool(connect, pool_size=5)

    def take(self, count: int) -> list[str]:
        connections = [self._pool.connect() for _ in range(count)]
        users = [user_of(connection) for connection in connections]
        for connection in connections:
            connection.close()
        return users

    def close(self) -> None:
        self._pool.dispose()


class Connector(Driver):
    """mysql-connector-python, in one of its two kinds."""

    errors = (mysql.connector.Error,)

    def __init__(self, name: str, *, pure: bool) -> None:
        self.name = name
        self._pure: dict[str, Any] = {"use_pure": pure}

    def options(self, signer: rdstoken.Signer, **given: Any) -> dict[str, Any]:
        return rdstoken.mysql_connector.options(signer, **self._pure, **given)

    def connect(self, signer: rdstoken.Signer, **given: Any) -> str:
        connection = rdstoken.mysql_connector.connect(signer, **self._pure, **given)
        with contextlib.closing(connection):
            return user_of(connection)

    def bare(self, **given: Any) -> str:
        with contextlib.closing(mysql.connector.connect(**self._pure, **given)) as connection:
            return user_of(connection)

    def pool(self, signer: rdstoken.Signer, ca_file: str) -> Pool:
        return ConnectorPool(
            rdstoken.mysql_connector.Pool(signer, pool_size=3, ca_file=ca_file, **self._pure)
        )


class ConnectorPool(Pool):
    """It opens all its connections at once: those that were taken are cut, to be opened again."""

    def __init__(self, pool: mysql.connector.pooling.MySQLConnectionPool) -> None:
        self._pool = pool

    def take(self, count: int) -> list[str]:
        connections = [self._pool.get_connection() for _ in range(count)]
        users = [user_of(connection) for connection in connections]
        for connection in connections:
            connection.disconnect()
            with contextlib.suppress(mysql.connector.Error):  # it finds no session to reset
                connection.close()
        return users

    def close(self) -> None:
        self._pool._remove_connections()  # noqa: SLF001 - it has no public name


class Async(Driver):
    """A driver for asyncio, with a pool of its own."""

    database = "db"

    def __init__(
        self, name: str, adapter: Any, module: Any, errors: tuple[type[Exception], ...]
    ) -> None:
        self.name = name
        self._adapter = adapter
        self._module = module
        self.errors = errors

    def options(self, signer: rdstoken.Signer, **given: Any) -> dict[str, Any]:
        options: dict[str, Any] = self._adapter.options(signer, **given)
        return options

    def connect(self, signer: rdstoken.Signer, **given: Any) -> str:
        return run(lambda: self._user(lambda: self._adapter.connect(signer, **given)))

    def bare(self, **given: Any) -> str:
        return run(lambda: self._user(lambda: self._module.connect(**given)))

    async def _user(self, connect: Callable[[], Awaitable[Any]]) -> str:
        connection = await connect()
        try:
            return await user_of_async(connection)
        finally:
            close = getattr(connection, "ensure_closed", None) or connection.close
            await close()

    def pool(self, signer: rdstoken.Signer, ca_file: str) -> Pool:
        return AsyncPool(lambda: self._adapter.create_pool(signer, ca_file=ca_file))

    def bare_pool(self, **given: Any) -> Pool:
        return AsyncPool(lambda: self._module.create_pool(**given))


class AsyncPool(Pool):
    """A pool of asyncio's, in an event loop that runs while connections are taken."""

    def __init__(self, create: Callable[[], Awaitable[Any]]) -> None:
        self._loop = asyncio.new_event_loop()
        try:
            self._pool = self._loop.run_until_complete(_awaited(create))
        except BaseException:
            close(self._loop)
            raise

    def take(self, count: int) -> list[str]:
        return self._loop.run_until_complete(self._take(count))

    async def _take(self, count: int) -> list[str]:
        async with contextlib.AsyncExitStack() as stack:
            connections = [
                await stack.enter_async_context(self._pool.acquire()) for _ in range(count)
            ]
            return [await user_of_async(connection) for connection in connections]

    def close(self) -> None:
        self._pool.close()
        self._loop.run_until_complete(self._pool.wait_closed())
        close(self._loop)


def run(work: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work())
    finally:
        close(loop)


def close(loop: asyncio.AbstractEventLoop) -> None:
    # The drivers do not wait until a connection is closed.
    loop.run_until_complete(asyncio.sleep(0.05))
    loop.close()


class ConnectorAio(Async):
    """mysql-connector-python for asyncio, which has no pool that could be of use."""

    database = "database"

    def __init__(self) -> None:
        super().__init__(
            "mysql-connector-aio",
            rdstoken.mysql_connector_aio,
            mysql.connector.aio,
            (mysql.connector.Error, ssl.SSLError),
        )

    def pool(self, signer: rdstoken.Signer, ca_file: str) -> Pool:
        return LoginPool(lambda: self.connect(signer, ca_file=ca_file))


class LoginPool(Pool):
    """No pool: each connection is opened when it is taken."""

    def __init__(self, connect: Callable[[], str]) -> None:
        self._connect = connect

    def take(self, count: int) -> list[str]:
        return [self._connect() for _ in range(count)]

    def close(self) -> None:
        pass


async def _awaited(create: Callable[[], Awaitable[Any]]) -> Any:
    return await create()


def user_of(connection: Any) -> str:
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(QUERY)
        return str(cursor.fetchone()[0])


async def user_of_async(connection: Any) -> str:
    cursor = connection.cursor()
    async with await cursor if inspect.isawaitable(cursor) else cursor as cursor:
        await cursor.execute(QUERY)
        return str((await cursor.fetchone())[0])


PYMYSQL = Plain("pymysql", rdstoken.pymysql, pymysql)
MYSQLCLIENT = Plain("mysqlclient", rdstoken.mysqlclient, MySQLdb)
PURE = Connector("mysql-connector-pure", pure=True)
EXTENSION = Connector("mysql-connector-extension", pure=False)
AIOMYSQL = Async("aiomysql", rdstoken.aiomysql, aiomysql, (pymysql.Error,))
ASYNCMY = Async("asyncmy", rdstoken.asyncmy, asyncmy, (asyncmy.errors.MySQLError,))

CONNECTOR_AIO = ConnectorAio()

DRIVERS = [PYMYSQL, MYSQLCLIENT, PURE, CONNECTOR_AIO, AIOMYSQL, ASYNCMY]
if mysql.connector.HAVE_CEXT:
    DRIVERS.append(EXTENSION)
