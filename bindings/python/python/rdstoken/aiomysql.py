"""aiomysql and its pool with IAM tokens.

    import rdstoken
    import rdstoken.aiomysql

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 3306, "app")


    async def main():
        # one connection
        connection = await rdstoken.aiomysql.connect(
            signer, db="demo", ca_file="global-bundle.pem"
        )
        # a pool: each connection that it opens gets a token of its own
        pool = await rdstoken.aiomysql.create_pool(signer, db="demo", ca_file="global-bundle.pem")

Host, port and user are the signer's. To name others is an `InvalidArgumentError`, and so are a
password, a socket and an option file. All other keywords are aiomysql's.

TLS is always on: the certificate is checked, and the name in it. `ca_file` holds the authorities to
trust; without it they are the system's. An `ssl.SSLContext` of your own (`ssl`) must verify as
much. Whatever asks for less is a `TlsRequiredError`, and so is a server that offers no TLS: to that
one aiomysql by itself sends the token in clear, even if it was given a context.

A login that the server refuses with a token from the cache is tried once more with a fresh one.

A connection asks the signer again whenever it connects anew, as aiomysql's `ping` does by itself.

aiomysql has no hook for a password, and its own pool keeps for ever the one it was made with. Use
`create_pool` of this module, or `connect` where a library takes a function that connects
(`async_creator_fn`, with SQLAlchemy).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiomysql
from pymysql.constants import CLIENT

from rdstoken import _connect, _errors, _mysql

if TYPE_CHECKING:
    import os

    from rdstoken import Signer

__all__ = ["Connection", "Pool", "connect", "create_pool", "options"]


async def connect(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - aiomysql's
) -> Connection:
    """Connect as the signer's user. `kwargs` are `aiomysql.connect`'s."""
    connection = Connection(signer, ca_file=ca_file, **kwargs)
    await connection._connect()  # noqa: SLF001 - as aiomysql's own connect
    return connection


class Connection(aiomysql.Connection):  # type: ignore[misc] # aiomysql has no types
    """An `aiomysql.Connection` that logs in with a token, each time it connects."""

    _writer = None  # aiomysql's `__del__` looks at it, even if `__init__` went no further

    def __init__(
        self,
        signer: Signer,
        *,
        ca_file: str | os.PathLike[str] | None = None,
        **kwargs: Any,  # noqa: ANN401 - aiomysql's
    ) -> None:
        """Make a connection that is not open yet; `connect` makes open ones."""
        self._signer = signer
        super().__init__(**options(signer, ca_file=ca_file, **kwargs))

    async def _connect(self) -> None:
        """Connect, or connect anew: `ping` does so if the connection is lost."""
        await _connect.retrying_async(self._signer, self._connect_with, _connect.mysql_refused)

    async def _connect_with(self, token: str) -> None:
        self._password = token
        try:
            await super()._connect()
        finally:
            self._password = ""

    async def _get_server_information(self) -> None:
        await super()._get_server_information()
        if not self.server_capabilities & CLIENT.SSL:
            raise _errors.TlsRequiredError("the server offers no TLS, and a token needs it")


async def create_pool(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    minsize: int = 1,
    **kwargs: Any,  # noqa: ANN401 - aiomysql's
) -> Pool:
    """Make a pool and open its first `minsize` connections. `kwargs` are `aiomysql.create_pool`'s.

    Use it in `async with`, or close it with `close()` and `await wait_closed()`.
    """
    pool = Pool(signer, ca_file=ca_file, minsize=minsize, **kwargs)
    if minsize:
        async with pool._cond:  # noqa: SLF001 - as aiomysql's own create_pool
            await pool._fill_free_pool(override_min=False)  # noqa: SLF001
    return pool


class Pool(aiomysql.Pool):  # type: ignore[misc] # aiomysql has no types
    """An `aiomysql.Pool` that gets a token from the signer for each connection that it opens."""

    _minsize: int

    def __init__(
        self,
        signer: Signer,
        *,
        ca_file: str | os.PathLike[str] | None = None,
        minsize: int = 1,
        maxsize: int = 10,
        echo: bool = False,
        pool_recycle: int = -1,
        **kwargs: Any,  # noqa: ANN401 - aiomysql's
    ) -> None:
        """Make a pool without connections yet. To be called in the event loop."""
        self._signer = signer
        parameters = options(signer, ca_file=ca_file, **kwargs)
        loop = asyncio.get_running_loop()
        super().__init__(minsize, maxsize, echo, pool_recycle, loop, **parameters)

    async def _fill_free_pool(self, override_min: bool) -> None:  # noqa: FBT001 - aiomysql's
        # With a minimum of 0 aiomysql's own does no more than to drop dead connections, and that
        # without waiting for anything. To open new ones is our part.
        minimum, self._minsize = self._minsize, 0
        try:
            await super()._fill_free_pool(False)  # noqa: FBT003
        finally:
            self._minsize = minimum
        while self.size < self.minsize:
            await self._open()
        if override_min and not self._free and (not self.maxsize or self.size < self.maxsize):
            await self._open()

    async def _open(self) -> None:
        self._acquiring += 1
        try:
            connection = await connect(self._signer, echo=self._echo, **self._conn_kwargs)
            self._free.append(connection)
            self._cond.notify()
        finally:
            self._acquiring -= 1


def options(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - aiomysql's
) -> dict[str, Any]:
    """Check and complete keywords for aiomysql. The password is left out: it has no hook."""
    _mysql.take_login(signer, kwargs)
    tls = _mysql.take_tls(kwargs, ca_file)
    return kwargs | {
        "host": signer.hostname,
        "port": signer.port,
        "user": signer.username,
        "ssl": tls.context(),
    }
