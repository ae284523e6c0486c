"""SQLAlchemy with IAM tokens: synchronous and asyncio engines, PostgreSQL and MySQL.

    import sqlalchemy
    import rdstoken
    import rdstoken.sqlalchemy

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 5432, "app")
    engine = sqlalchemy.create_engine("postgresql+psycopg:///postgres")
    rdstoken.sqlalchemy.attach(engine, signer, ca_file="global-bundle.pem")

From then on, each connection that the engine's pool opens logs in with a token of its own. An
engine of `sqlalchemy.ext.asyncio.create_async_engine` is attached to in the same way. It takes
SQLAlchemy 2.0.16 or newer, and one of these:

| in the URL | adapter that logs in |
|---|---|
| `postgresql+psycopg` | `rdstoken.psycopg` |
| `postgresql+psycopg2` | `rdstoken.psycopg2` |
| `postgresql+pg8000` | `rdstoken.pg8000` |
| `postgresql+asyncpg` | `rdstoken.asyncpg` |
| `mysql+pymysql` | `rdstoken.pymysql` |
| `mysql+mysqldb` | `rdstoken.mysqlclient` |
| `mysql+mysqlconnector` | `rdstoken.mysql_connector` |
| `mysql+aiomysql` | `rdstoken.aiomysql` |
| `mysql+asyncmy` | `rdstoken.asyncmy` |

(`mariadb+…` as well.) The adapter's manual says what it takes and what it refuses: host, port and
user are the signer's and may be left out of the URL, which here is
`postgresql+psycopg:///DATABASE`; another host, port or user is an `InvalidArgumentError`, and so is
a password. Whatever else stands in the URL or in `connect_args` reaches the driver.

TLS is always on, with the certificate and the name in it checked. `ca_file` holds the authorities
to trust; without it they are the driver's or the system's. What would send the token without TLS,
such as `?sslmode=prefer`, is a `TlsRequiredError`.

A login that the server refuses with a token from the cache is tried once more with a fresh one.

Never put a token into the URL: SQLAlchemy decodes the `%2F` in it, and the engine would go on
using it when it is long dead.
"""

from __future__ import annotations

import functools
import importlib
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import event

from rdstoken import _connect, _errors

if TYPE_CHECKING:
    import os

    from sqlalchemy import Dialect, Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from rdstoken import Signer

__all__ = ["attach"]

AnyEngine = TypeVar("AnyEngine", bound="Engine | AsyncEngine")

# SQLAlchemy's name of the driver, and our module.
_ADAPTERS = {
    "psycopg": "psycopg",
    "psycopg2": "psycopg2",
    "pg8000": "pg8000",
    "asyncpg": "asyncpg",
    "pymysql": "pymysql",
    "mysqldb": "mysqlclient",
    "mysqlconnector": "mysql_connector",
    "aiomysql": "aiomysql",
    "asyncmy": "asyncmy",
}

_attached: weakref.WeakSet[Dialect] = weakref.WeakSet()


def attach(
    engine: AnyEngine, signer: Signer, *, ca_file: str | os.PathLike[str] | None = None
) -> AnyEngine:
    """Let each connection that the engine opens log in with a token. Returns the engine.

    - `engine`: an `Engine` or `AsyncEngine` that opens its connections itself: made without
      `creator` and `async_creator`.
    - `signer`: who logs in, and where.
    - `ca_file`: the authorities that may have signed the server's certificate.

    Raises `InvalidArgumentError` or `TlsRequiredError` for what stands in the URL; what stands in
    `connect_args` is checked when the first connection is opened.
    """
    own: Engine = getattr(engine, "sync_engine", None) or engine  # type: ignore[assignment]
    dialect = own.dialect
    if dialect.driver not in _ADAPTERS:
        raise _errors.InvalidArgumentError(
            f"engine: its driver is none of {', '.join(_ADAPTERS)}", field="engine"
        )
    if getattr(own.pool, "_creator", attach).__module__ != "sqlalchemy.engine.create":
        raise _errors.InvalidArgumentError(
            "engine: it has a creator or pool of its own, which never asks for a token",
            field="engine",
        )
    if dialect in _attached:
        raise _errors.InvalidArgumentError(
            "engine: it is attached to a signer already", field="engine"
        )
    adapter = importlib.import_module(f"rdstoken.{_ADAPTERS[dialect.driver]}")
    cargs, cparams = dialect.create_connect_args(own.url)
    adapter.options(signer, *cargs, ca_file=ca_file, **cparams)

    def do_connect(
        _dialect: Dialect, _record: object, cargs: list[Any], cparams: dict[str, Any]
    ) -> Any:  # noqa: ANN401 - the driver's connection
        if dialect.is_async:
            _connect.refuse_given(cparams, ("async_creator_fn",), "it never asks for a token")
            connect = getattr(adapter, "connect_async", None) or adapter.connect
            login = functools.partial(connect, signer, ca_file=ca_file)
            return dialect.connect(*cargs, async_creator_fn=login, **cparams)
        if dialect.driver == "pg8000":
            # The dialect works with another of pg8000's interfaces than our `connect`.
            options = adapter.options(signer, ca_file=ca_file, **cparams)
            return _connect.retrying(
                signer,
                lambda token: dialect.connect(password=token, **options),
                adapter.refused,
            )
        return adapter.connect(signer, *cargs, ca_file=ca_file, **cparams)

    event.listen(own, "do_connect", do_connect)
    _attached.add(dialect)
    return engine
