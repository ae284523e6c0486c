"""The ways into a server that the tests go through: each driver by itself and through its pool, and
SQLAlchemy and Django on top of them. All of them log in with a signer and say who they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import itertools
import ssl
from typing import TYPE_CHECKING, Any, Protocol

import asyncpg
import django
import django.db.utils
import pg8000
import psycopg
import psycopg2
import psycopg2.pool
import psycopg_pool
import pytest
import rdstoken
import rdstoken.asyncpg
import rdstoken.pg8000
import rdstoken.psycopg
import rdstoken.psycopg2
import rdstoken.sqlalchemy
import sqlalchemy
import sqlalchemy.exc
import sqlalchemy.ext.asyncio
from django.conf import settings
from django.db import ConnectionHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from rdstoken import Signer

FAILURES = (
    psycopg.Error,
    psycopg_pool.PoolTimeout,
    psycopg2.Error,
    asyncpg.PostgresError,
    pg8000.Error,
    sqlalchemy.exc.DBAPIError,
    django.db.utils.Error,
    rdstoken.TlsRequiredError,
    ssl.SSLError,
    ConnectionError,
)

# Who is logged in. No row, and so an error, without TLS.
WHO = {
    "postgres": "select current_user::text from pg_stat_ssl where ssl and pid = pg_backend_pid()",
    "mariadb": "select substring_index(current_user(), '@', 1)"
    " from information_schema.session_status"
    " where variable_name = 'Ssl_cipher' and variable_value <> ''",
}

Users = list[str]


class Login(Protocol):
    def __call__(self, signer: Signer, dbname: str, ca_file: str | None) -> str: ...


class Pool(Protocol):
    def __call__(
        self, signer: Signer, dbname: str, ca_file: str | None
    ) -> contextlib.AbstractContextManager[Callable[[int], Users]]:
        """A pool of up to 3 connections: a function that has so many open at the same time."""


@dataclasses.dataclass(frozen=True)
class Door:
    name: str
    server: str
    login: Login
    pool: Pool | None = None
    insists: bool = False
    """Whether it goes on trying whatever the error, as psycopg_pool does until it times out."""

    def refused(self) -> contextlib.AbstractContextManager[Any]:
        """The login must fail, in the driver's own way."""
        return pytest.raises(FAILURES)

    def once(self, answers: list[bool], count: int) -> list[bool]:
        """The answers to one attempt, which makes so many tries at most."""
        return answers[:count] if self.insists else answers

    def __repr__(self) -> str:
        return self.name


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs it to its end in an event loop of its own."""
    return asyncio.run(work)


@contextlib.contextmanager
def loop() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """An event loop for a pool, which must not outlive it."""
    own = asyncio.new_event_loop()
    try:
        yield own.run_until_complete
    finally:
        own.run_until_complete(own.shutdown_asyncgens())
        own.close()


def _only(rows: Any) -> str:
    ((user,),) = rows
    return str(user)


# psycopg


def _psycopg(signer: Signer, dbname: str, ca_file: str | None) -> str:
    with rdstoken.psycopg.connect(signer, dbname=dbname, ca_file=ca_file) as connection:
        return _only(connection.execute(WHO["postgres"]).fetchall())


def _psycopg_async(signer: Signer, dbname: str, ca_file: str | None) -> str:
    async def main() -> str:
        async with await rdstoken.psycopg.connect_async(
            signer, dbname=dbname, ca_file=ca_file
        ) as connection:
            return _only(await (await connection.execute(WHO["postgres"])).fetchall())

    return str(run(main()))


@contextlib.contextmanager
def psycopg_pool_of(**options: Any) -> Iterator[Callable[[int], Users]]:
    with psycopg_pool.ConnectionPool(
        **{"min_size": 1, "max_size": 3, "timeout": 10} | options
    ) as pool:
        pool.wait()  # else the first to ask makes it grow

        def users(count: int) -> Users:
            with contextlib.ExitStack() as stack:
                held = [stack.enter_context(pool.connection()) for _ in range(count)]
                return [_only(each.execute(WHO["postgres"]).fetchall()) for each in held]

        yield users


@contextlib.contextmanager
def psycopg_async_pool_of(**options: Any) -> Iterator[Callable[[int], Users]]:
    with loop() as run_in:
        pool: Any = psycopg_pool.AsyncConnectionPool(
            min_size=1, max_size=3, timeout=10, open=False, **options
        )
        run_in(pool.open(wait=True))

        async def users(count: int) -> Users:
            async with contextlib.AsyncExitStack() as stack:
                held = [await stack.enter_async_context(pool.connection()) for _ in range(count)]
                rows = [await (await each.execute(WHO["postgres"])).fetchall() for each in held]
                return [_only(each) for each in rows]

        try:
            yield lambda count: run_in(users(count))
        finally:
            run_in(pool.close())


def _psycopg_pool(signer: Signer, dbname: str, ca_file: str | None) -> Any:
    return psycopg_pool_of(
        connection_class=rdstoken.psycopg.connection_class(signer, ca_file=ca_file),
        kwargs={"dbname": dbname},
    )


def _psycopg_async_pool(signer: Signer, dbname: str, ca_file: str | None) -> Any:
    return psycopg_async_pool_of(
        connection_class=rdstoken.psycopg.async_connection_class(signer, ca_file=ca_file),
        kwargs={"dbname": dbname},
    )


# psycopg2


def _psycopg2(signer: Signer, dbname: str, ca_file: str | None) -> str:
    connection = rdstoken.psycopg2.connect(signer, dbname=dbname, ca_file=ca_file)
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(WHO["postgres"])
        return _only(cursor.fetchall())


@contextlib.contextmanager
def psycopg2_pool_of(**options: Any) -> Iterator[Callable[[int], Users]]:
    pool = psycopg2.pool.ThreadedConnectionPool(1, 3, **options)

    def who(connection: Any) -> str:
        with connection.cursor() as cursor:
            cursor.execute(WHO["postgres"])
            return _only(cursor.fetchall())

    def users(count: int) -> Users:
        held = [pool.getconn() for _ in range(count)]
        try:
            return [who(each) for each in held]
        finally:
            for each in held:
                pool.putconn(each)

    try:
        yield users
    finally:
        pool.closeall()


def _psycopg2_pool(signer: Signer, dbname: str, ca_file: str | None) -> Any:
    return psycopg2_pool_of(
        dbname=dbname,
        connection_factory=rdstoken.psycopg2.connection_factory(signer, ca_file=ca_file),
    )


# asyncpg


def _asyncpg(signer: Signer, dbname: str, ca_file: str | None) -> str:
    async def main() -> str:
        connection = await rdstoken.asyncpg.connect(signer, database=dbname, ca_file=ca_file)
        try:
            return str(await connection.fetchval(WHO["postgres"]))
        finally:
            await connection.close()

    return str(run(main()))


@contextlib.contextmanager
def asyncpg_pool_of(make: Callable[[], Any]) -> Iterator[Callable[[int], Users]]:
    async def entered() -> Any:
        return await make()

    with loop() as run_in:
        pool = run_in(entered())

        async def users(count: int) -> Users:
            async with contextlib.AsyncExitStack() as stack:
                held = [await stack.enter_async_context(pool.acquire()) for _ in range(count)]
                return [await each.fetchval(WHO["postgres"]) for each in held]

        try:
            yield lambda count: run_in(users(count))
        finally:
            run_in(pool.close())


def _asyncpg_pool(signer: Signer, dbname: str, ca_file: str | None) -> Any:
    return asyncpg_pool_of(
        lambda: rdstoken.asyncpg.create_pool(
            signer, database=dbname, ca_file=ca_file, min_size=1, max_size=3
        )
    )


# pg8000


def _pg8000(signer: Signer, dbname: str, ca_file: str | None) -> str:
    connection = rdstoken.pg8000.connect(signer, database=dbname, ca_file=ca_file)
    with contextlib.closing(connection):
        cursor = connection.cursor()
        cursor.execute(WHO["postgres"])
        return _only(cursor.fetchall())


def _pg8000_native(signer: Signer, dbname: str, ca_file: str | None) -> str:
    connection = rdstoken.pg8000.connect_native(signer, database=dbname, ca_file=ca_file)
    with contextlib.closing(connection):
        return _only(connection.run(WHO["postgres"]))


# SQLAlchemy


@contextlib.contextmanager
def engine_of(
    url: str, server: str, signer: Signer, dbname: str, ca_file: str | None
) -> Iterator[Callable[[int], Users]]:
    engine = sqlalchemy.create_engine(f"{url}:///{dbname}", pool_size=3, max_overflow=0)
    rdstoken.sqlalchemy.attach(engine, signer, ca_file=ca_file)
    who = sqlalchemy.text(WHO[server])

    def users(count: int) -> Users:
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(engine.connect()) for _ in range(count)]
            return [_only(each.execute(who).fetchall()) for each in held]

    try:
        yield users
    finally:
        engine.dispose()


@contextlib.contextmanager
def async_engine_of(
    url: str, server: str, signer: Signer, dbname: str, ca_file: str | None
) -> Iterator[Callable[[int], Users]]:
    engine = sqlalchemy.ext.asyncio.create_async_engine(
        f"{url}:///{dbname}", pool_size=3, max_overflow=0
    )
    rdstoken.sqlalchemy.attach(engine, signer, ca_file=ca_file)
    who = sqlalchemy.text(WHO[server])

    async def users(count: int) -> Users:
        async with contextlib.AsyncExitStack() as stack:
            held = [await stack.enter_async_context(engine.connect()) for _ in range(count)]
            return [_only((await each.execute(who)).fetchall()) for each in held]

    with loop() as run_in:
        try:
            yield lambda count: run_in(users(count))
        finally:
            run_in(engine.dispose())


# Django

if not settings.configured:
    settings.configure(USE_TZ=True)
    django.setup()


_numbers = itertools.count()


def django_settings(server: str, signer: Signer, dbname: str, **options: Any) -> dict[str, Any]:
    backend = {"postgres": "postgresql", "mariadb": "mysql"}[server]
    return {
        "ENGINE": f"rdstoken.django.{backend}",
        "HOST": signer.hostname,
        "PORT": signer.port,
        "USER": signer.username,
        "NAME": dbname,
        "OPTIONS": options,
    }


@contextlib.contextmanager
def django_of(settings: dict[str, Any], server: str) -> Iterator[Callable[[int], Users]]:
    """Connections as Django's threads have them: a handler each."""
    alias = f"database {next(_numbers)}"  # all pools of the process go by it
    handlers = [ConnectionHandler({"default": {}, alias: settings}) for _ in range(3)]

    def who(connection: Any) -> str:
        with connection.cursor() as cursor:
            cursor.execute(WHO[server])
            return _only(cursor.fetchall())

    def users(count: int) -> Users:
        held = [handler[alias] for handler in handlers[:count]]
        try:
            return [who(each) for each in held]
        finally:
            for each in held:
                each.close()

    try:
        yield users
    finally:
        wrapper = handlers[0][alias]
        wrapper.close()
        if hasattr(wrapper, "close_pool"):
            wrapper.close_pool()


def _django(
    server: str, signer: Signer, dbname: str, ca_file: str | None, **options: Any
) -> contextlib.AbstractContextManager[Callable[[int], Users]]:
    ours = {"signer": signer} | ({"ca_file": ca_file} if ca_file else {})
    return django_of(django_settings(server, signer, dbname, rdstoken=ours, **options), server)


# All of them.


def _once(pool: Any) -> Any:
    """A login through a pool of one's own."""

    @functools.wraps(pool)
    def login(signer: Signer, dbname: str, ca_file: str | None) -> str:
        with pool(signer, dbname, ca_file) as users:
            (user,) = users(1)
            return str(user)

    return login


def _through(name: str, server: str, pool: Any, *, insists: bool = False) -> Door:
    return Door(name, server, _once(pool), pool, insists)


def _sqlalchemy(url: str, server: str, make: Any = engine_of) -> Door:
    name = f"sqlalchemy {url}" + (" async" if make is async_engine_of else "")
    return _through(name, server, functools.partial(make, url, server))


POSTGRES = [
    Door("psycopg", "postgres", _psycopg, _psycopg_pool),
    Door("psycopg async", "postgres", _psycopg_async, _psycopg_async_pool),
    Door("psycopg2", "postgres", _psycopg2, _psycopg2_pool),
    Door("asyncpg", "postgres", _asyncpg, _asyncpg_pool),
    Door("pg8000", "postgres", _pg8000),
    Door("pg8000 native", "postgres", _pg8000_native),
    _sqlalchemy("postgresql+psycopg", "postgres"),
    _sqlalchemy("postgresql+psycopg2", "postgres"),
    _sqlalchemy("postgresql+pg8000", "postgres"),
    _sqlalchemy("postgresql+psycopg", "postgres", async_engine_of),
    _sqlalchemy("postgresql+asyncpg", "postgres", async_engine_of),
    _through("django", "postgres", functools.partial(_django, "postgres")),
    _through(
        "django pool",
        "postgres",
        functools.partial(_django, "postgres", pool={"min_size": 0, "max_size": 3, "timeout": 2}),
        insists=True,
    ),
]
MARIADB = [
    _sqlalchemy("mysql+pymysql", "mariadb"),
    _sqlalchemy("mysql+mysqldb", "mariadb"),
    _sqlalchemy("mysql+mysqlconnector", "mariadb"),
    _sqlalchemy("mysql+aiomysql", "mariadb", async_engine_of),
    _sqlalchemy("mysql+asyncmy", "mariadb", async_engine_of),
    _through("django mysql", "mariadb", functools.partial(_django, "mariadb")),
]
ALL = POSTGRES + MARIADB
