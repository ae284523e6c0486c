"""psycopg 3 and psycopg_pool with IAM tokens.

    import psycopg_pool
    import rdstoken
    import rdstoken.psycopg

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 5432, "app")

    # one connection
    with rdstoken.psycopg.connect(signer, dbname="postgres", ca_file="global-bundle.pem") as conn:
        conn.execute("select 1")

    # a pool: each connection that it opens gets a token of its own
    pool = psycopg_pool.ConnectionPool(
        connection_class=rdstoken.psycopg.connection_class(signer, ca_file="global-bundle.pem"),
        kwargs={"dbname": "postgres"},
    )

`connect_async` and `async_connection_class` are the same for asyncio. `connection_class` works with
every psycopg_pool; from 3.3 on, `pool_kwargs` can be used in its place.

Host, port and user are the signer's. To name others is an `InvalidArgumentError`, and so is a
password. All else is psycopg's: keywords, or a connection string as the first argument.

TLS is `sslmode=verify-full`: the certificate is checked, and the name in it. `ca_file` holds the
authorities to trust (`sslrootcert`); without it libpq uses its own, `~/.postgresql/root.crt`, and
`ca_file="system"` means the system's, from libpq 16 on. `sslmode="require"` and `"verify-ca"` may
be asked for; whatever could send the token without TLS is a `TlsRequiredError`.

To connect through a tunnel, pass `hostaddr` and, if it is another, `port`. The token and the
certificate remain those of the signer's hostname.

A login that the server refuses with a token from the cache is tried once more with a fresh one.
That, and that alone, is told by the server's text, which must be English (`lc_messages`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

import psycopg
from psycopg.conninfo import conninfo_to_dict

from rdstoken import _connect, _postgres

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable

    from rdstoken import Signer

__all__ = [
    "async_connection_class",
    "connect",
    "connect_async",
    "connection_class",
    "options",
    "pool_kwargs",
    "pool_kwargs_async",
]

Sync = TypeVar("Sync", bound="psycopg.Connection[Any]")
Async = TypeVar("Async", bound="psycopg.AsyncConnection[Any]")


def connect(
    signer: Signer,
    conninfo: str = "",
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - psycopg's
) -> psycopg.Connection[Any]:
    """Connect as the signer's user. `conninfo` and `kwargs` are `psycopg.Connection.connect`'s."""
    return connection_class(signer, ca_file=ca_file).connect(conninfo, **kwargs)


async def connect_async(
    signer: Signer,
    conninfo: str = "",
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - psycopg's
) -> psycopg.AsyncConnection[Any]:
    """Do what `connect` does, for asyncio."""
    return await async_connection_class(signer, ca_file=ca_file).connect(conninfo, **kwargs)


@overload
def connection_class(
    signer: Signer, *, ca_file: str | os.PathLike[str] | None = None
) -> type[psycopg.Connection[Any]]: ...
@overload
def connection_class(
    signer: Signer, *, ca_file: str | os.PathLike[str] | None = None, base: type[Sync]
) -> type[Sync]: ...
def connection_class(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    base: type[psycopg.Connection[Any]] = psycopg.Connection,
) -> type[psycopg.Connection[Any]]:
    """Make a subclass of `base` whose `connect` logs in with a token, for a pool of any version.

    Its `connect` takes what `connect` above takes.
    """

    class Connection(base):  # type: ignore[misc, valid-type]
        @classmethod
        def connect(cls, conninfo: str = "", **kwargs: Any) -> Any:  # noqa: ANN401
            parameters = options(signer, conninfo, ca_file=ca_file, **kwargs)
            return _connect.retrying(
                signer,
                lambda token: super(Connection, cls).connect(password=token, **parameters),
                _postgres.libpq_refused,
            )

    return Connection


@overload
def async_connection_class(
    signer: Signer, *, ca_file: str | os.PathLike[str] | None = None
) -> type[psycopg.AsyncConnection[Any]]: ...
@overload
def async_connection_class(
    signer: Signer, *, ca_file: str | os.PathLike[str] | None = None, base: type[Async]
) -> type[Async]: ...
def async_connection_class(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    base: type[psycopg.AsyncConnection[Any]] = psycopg.AsyncConnection,
) -> type[psycopg.AsyncConnection[Any]]:
    """Do what `connection_class` does, for asyncio."""

    class AsyncConnection(base):  # type: ignore[misc, valid-type]
        @classmethod
        async def connect(cls, conninfo: str = "", **kwargs: Any) -> Any:  # noqa: ANN401
            parameters = options(signer, conninfo, ca_file=ca_file, **kwargs)
            return await _connect.retrying_async(
                signer,
                lambda token: super(AsyncConnection, cls).connect(password=token, **parameters),
                _postgres.libpq_refused,
            )

    return AsyncConnection


def pool_kwargs(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - psycopg's
) -> Callable[[], dict[str, Any]]:
    """Make a function for the argument `kwargs` of a pool of psycopg_pool 3.3 or newer.

    For pools with a connection class of their own. The pool calls it for each connection, but tells
    it of no refusal: there is no second try.
    """
    parameters = options(signer, ca_file=ca_file, **kwargs)
    return lambda: parameters | {"password": signer.token()}


def pool_kwargs_async(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - psycopg's
) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Do what `pool_kwargs` does, for an `AsyncConnectionPool`."""
    parameters = options(signer, ca_file=ca_file, **kwargs)

    async def current() -> dict[str, Any]:
        return parameters | {"password": await signer.token_async()}

    return current


def options(
    signer: Signer,
    conninfo: str = "",
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - psycopg's
) -> dict[str, Any]:
    """Check and complete keywords for psycopg. The password is left out: it has no hook for one."""
    # psycopg merges the two in this way as well.
    return _postgres.libpq_parameters(signer, ca_file, conninfo_to_dict(conninfo) | kwargs)
