"""asyncpg and its pool with IAM tokens.

    import rdstoken
    import rdstoken.asyncpg

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 5432, "app")


    async def main():
        # one connection
        connection = await rdstoken.asyncpg.connect(
            signer, database="postgres", ca_file="global-bundle.pem"
        )
        # a pool: each connection that it opens gets a token of its own
        pool = await rdstoken.asyncpg.create_pool(
            signer, database="postgres", ca_file="global-bundle.pem"
        )

Host, port and user are the signer's, and there is no DSN: to give others, a DSN, a service or a
password is an `InvalidArgumentError`. All other keywords are asyncpg's.

TLS is that of `sslmode=verify-full`: the certificate is checked, and the name in it. `ca_file`
holds the authorities to trust; without it they are the system's. `ssl="require"` and
`ssl="verify-ca"` check less, and an `ssl.SSLContext` of your own is taken as it is; whatever could
send the token without TLS is a `TlsRequiredError`.

A login that the server refuses with a token from the cache is tried once more with a fresh one.

`options` gives the keywords alone, for whatever passes them on to asyncpg; asyncpg then asks for a
token at each login, but there is no second try.

No passfile is needed, and one that is written for libpq does not serve asyncpg, which takes no
escapes out of it.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import asyncpg

from rdstoken import _connect, _errors, _postgres

if TYPE_CHECKING:
    import os

    from rdstoken import Signer

__all__ = ["connect", "create_pool", "options"]


async def connect(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - asyncpg's
) -> asyncpg.Connection:
    """Connect as the signer's user. `kwargs` are `asyncpg.connect`'s."""
    return await _login(signer, options(signer, ca_file=ca_file, **kwargs))


def create_pool(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - asyncpg's
) -> asyncpg.Pool:
    """Make a pool, to be awaited or entered. `kwargs` are `asyncpg.create_pool`'s.

    `connect`, a keyword of asyncpg from 0.30 on, is used for the second try and cannot be given.
    """
    _connect.refuse_given(kwargs, ("connect",), "it is how the pool gets its tokens")

    async def login(dsn: str | None = None, **given: Any) -> asyncpg.Connection:  # noqa: ANN401
        # Checked again: `Pool.set_connect_args` replaces all of it.
        if given.get("ssl") is None:
            given["ca_file"] = ca_file
        return await _login(signer, options(signer, dsn=dsn, **given))

    parameters = options(signer, ca_file=ca_file, **kwargs)
    del parameters["password"]
    return asyncpg.create_pool(connect=login, **parameters)


async def _login(signer: Signer, given: dict[str, Any]) -> asyncpg.Connection:
    async def once(token: str) -> asyncpg.Connection:
        return await asyncpg.connect(**given | {"password": token})

    return await _connect.retrying_async(signer, once, _refused)


def options(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - asyncpg's
) -> dict[str, Any]:
    """Check and complete keywords for `asyncpg.connect`. The password is the signer's function."""
    _connect.refuse_given(kwargs, ("dsn", "service", "servicefile"), "give its settings by name")
    _connect.refuse_given(kwargs, ("password", "passfile"))
    _connect.refuse_others(signer, kwargs)
    return kwargs | {
        "host": signer.hostname,
        "port": signer.port,
        "user": signer.username,
        "password": signer.token_async,
        "ssl": _context(kwargs.get("ssl"), ca_file),
    }


def _context(given: object, ca_file: str | os.PathLike[str] | None) -> ssl.SSLContext:
    if isinstance(given, ssl.SSLContext):
        if ca_file is not None:
            raise _errors.InvalidArgumentError(
                "ssl: a context brings its own authorities, so ca_file cannot count",
                field="ssl",
            )
        return given
    if given is None or given is True:
        return _postgres.context(None, ca_file)
    # False, and asyncpg's own enumeration, whose names are not quite libpq's.
    mode = str(getattr(given, "name", given))
    return _postgres.context(mode.replace("_", "-"), ca_file)


def _refused(error: Exception) -> bool:
    return _postgres.sqlstate_refused(getattr(error, "sqlstate", None))
