"""psycopg2 and its pools with IAM tokens.

    import psycopg2.pool
    import rdstoken
    import rdstoken.psycopg2

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 5432, "app")

    # one connection
    connection = rdstoken.psycopg2.connect(signer, dbname="postgres", ca_file="global-bundle.pem")

    # a pool: each connection that it opens gets a token of its own
    pool = psycopg2.pool.ThreadedConnectionPool(
        1,
        10,
        dbname="postgres",
        connection_factory=rdstoken.psycopg2.connection_factory(
            signer, ca_file="global-bundle.pem"
        ),
    )

Host, port and user are the signer's. To name others is an `InvalidArgumentError`, and so is a
password. All else is psycopg2's: keywords, or a connection string as the first argument.

TLS, `ca_file`, tunnels and the one retry are as in `rdstoken.psycopg`. An asynchronous connection
(`async_=1`) gets its token, but no retry: it is not yet logged in when the call returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extensions

from rdstoken import _connect, _postgres

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from rdstoken import Signer

__all__ = ["connect", "connection_factory", "options"]


def connect(
    signer: Signer,
    dsn: str | None = None,
    connection_factory: Callable[..., psycopg2.extensions.connection] | None = None,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - psycopg2's
) -> psycopg2.extensions.connection:
    """Connect as the signer's user. All but `signer` and `ca_file` is `psycopg2.connect`'s."""
    factory = _factory(signer, ca_file, connection_factory)
    # It insists on some parameter, though the factory has all that is needed.
    return psycopg2.connect(dsn or "", connection_factory=factory, **kwargs)


def connection_factory(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    base: Callable[..., psycopg2.extensions.connection] | None = None,
) -> Callable[..., psycopg2.extensions.connection]:
    """Make the argument `connection_factory` of `psycopg2.connect` and of psycopg2's pools.

    `base` makes the connections in place of `psycopg2.extensions.connection`: a subclass of that,
    or a function that takes what the class does.
    """
    return _factory(signer, ca_file, base)


def _factory(
    signer: Signer,
    ca_file: str | os.PathLike[str] | None,
    base: Callable[..., psycopg2.extensions.connection] | None,
) -> Callable[..., psycopg2.extensions.connection]:
    make = base or psycopg2.extensions.connection

    def factory(dsn: str, *args: Any, **kwargs: Any) -> psycopg2.extensions.connection:  # noqa: ANN401
        parameters = options(signer, dsn, ca_file=ca_file)

        def connect(token: str) -> psycopg2.extensions.connection:
            return make(psycopg2.extensions.make_dsn(password=token, **parameters), *args, **kwargs)

        return _connect.retrying(signer, connect, _postgres.libpq_refused)

    return factory


def options(
    signer: Signer,
    dsn: str = "",
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - psycopg2's
) -> dict[str, Any]:
    """Check and complete keywords for libpq. The password is left out: psycopg2 has no hook."""
    given = psycopg2.extensions.parse_dsn(dsn) | kwargs
    return _postgres.libpq_parameters(signer, ca_file, given)
