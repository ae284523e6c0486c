"""asyncmy (0.2.18 or newer) and its pool with IAM tokens.

    import rdstoken
    import rdstoken.asyncmy

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 3306, "app")


    async def main():
        # one connection
        connection = await rdstoken.asyncmy.connect(
            signer, database="demo", ca_file="global-bundle.pem"
        )
        # a pool: each connection that it opens gets a token of its own
        pool = await rdstoken.asyncmy.create_pool(
            signer, database="demo", ca_file="global-bundle.pem"
        )

Host, port and user are the signer's. To name others is an `InvalidArgumentError`, and so are a
password, a socket and an option file. All other keywords are asyncmy's.

TLS is always on: the certificate is checked, and the name in it. `ca_file` holds the authorities to
trust; without it they are the system's. An `ssl.SSLContext` of your own (`ssl`) must verify as
much. Whatever asks for less is a `TlsRequiredError`; asyncmy by itself sends the token in clear
unless it is given `ssl`.

A login that the server refuses with a token from the cache is tried once more with a fresh one.

`options` gives the keywords alone, for whatever passes them on to asyncmy; asyncmy then asks for a
token at each login, but there is no second try.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import asyncmy
import asyncmy.connection
import asyncmy.errors
import asyncmy.pool

from rdstoken import _connect, _mysql

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable

    from rdstoken import Signer

__all__ = ["Pool", "connect", "create_pool", "options"]

Answer = TypeVar("Answer")


async def connect(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - asyncmy's
) -> asyncmy.connection.Connection:
    """Connect as the signer's user. `kwargs` are `asyncmy.connect`'s."""
    creator = _PasswordCreator(signer)
    parameters = options(signer, ca_file=ca_file, **kwargs) | {"password_creator": creator}

    async def login() -> asyncmy.connection.Connection:
        return await asyncmy.connect(**parameters)

    return await creator.retrying(login)


async def create_pool(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    minsize: int = 1,
    **kwargs: Any,  # noqa: ANN401 - asyncmy's
) -> Pool:
    """Make a pool and open its first `minsize` connections. `kwargs` are `asyncmy.create_pool`'s.

    Use it in `async with`, or close it with `close()` and `await wait_closed()`.
    """
    pool = Pool(signer, ca_file=ca_file, minsize=minsize, **kwargs)
    if minsize:
        async with pool.cond:
            await pool.fill_free_pool()
    return pool


class Pool(asyncmy.pool.Pool):
    """An `asyncmy.Pool` that gets a token from the signer for each connection that it opens."""

    def __init__(
        self,
        signer: Signer,
        *,
        ca_file: str | os.PathLike[str] | None = None,
        minsize: int = 1,
        maxsize: int = 10,
        **kwargs: Any,  # noqa: ANN401 - asyncmy's
    ) -> None:
        """Make a pool without connections yet. To be called in the event loop."""
        self._creator = _PasswordCreator(signer)
        # Not checked with the rest: the pool's own keywords are not `connect`'s.
        parameters = options(signer, ca_file=ca_file, **kwargs)
        parameters["password_creator"] = self._creator
        super().__init__(minsize, maxsize, **parameters)

    async def fill_free_pool(self, override_min: bool = False) -> None:  # noqa: FBT001, FBT002
        """Drop dead connections and open missing ones. asyncmy calls this, under its lock."""

        async def fill() -> None:
            await super(Pool, self).fill_free_pool(override_min)

        await self._creator.retrying(fill)


class _PasswordCreator:
    """Gives asyncmy tokens, and knows the last of them, should it be refused."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._last: str | None = None

    async def __call__(self) -> str:
        self._last = await self._signer.token_async()
        return self._last

    async def retrying(self, login: Callable[[], Awaitable[Answer]]) -> Answer:
        """Do `login`; once more if the server refused a token from the cache."""
        try:
            return await self._telling(login)
        except Exception as error:
            last = self._last
            if last is None or not (_connect.mysql_refused(error) and self._signer.refused(last)):
                raise
        return await self._telling(login)

    async def _telling(self, login: Callable[[], Awaitable[Answer]]) -> Answer:
        with _connect.own_errors(asyncmy.errors.OperationalError):
            return await login()


def options(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - asyncmy's
) -> dict[str, Any]:
    """Check and complete keywords for asyncmy. The password is the signer's function."""
    _mysql.take_login(signer, kwargs, ("sock",))
    _connect.refuse_given(kwargs, ("password_creator",))
    tls = _mysql.take_tls(kwargs, ca_file)
    return kwargs | {
        "host": signer.hostname,
        "port": signer.port,
        "user": signer.username,
        "password_creator": signer.token_async,
        "ssl": tls.context(),
    }
