"""mysql-connector-python's connections for asyncio (`mysql.connector.aio`) with IAM tokens.

    import rdstoken
    import rdstoken.mysql_connector_aio

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 3306, "app")


    async def main():
        connection = await rdstoken.mysql_connector_aio.connect(
            signer, database="demo", ca_file="global-bundle.pem"
        )

All is as in `rdstoken.mysql_connector`: what may be given, TLS, the one retry, and that no token is
logged. Without this module, `mysql.connector.aio` verifies no name in a certificate, whatever it is
told. There is no pool: the driver's own keeps for ever the password it was made with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mysql.connector
from mysql.connector.aio.authentication import MySQLAuthenticator
from mysql.connector.aio.connection import MySQLConnection
from mysql.connector.aio.network import MySQLTcpSocket
from mysql.connector.aio.plugins.mysql_clear_password import MySQLClearPasswordAuthPlugin

from rdstoken import _connect, _mysql, mysql_connector

if TYPE_CHECKING:
    import os
    import ssl

    from mysql.connector.aio.network import MySQLSocket

    from rdstoken import Signer

__all__ = ["Connection", "connect", "options"]

options = mysql_connector.options


async def connect(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - mysql-connector-python's
) -> Connection:
    """Connect as the signer's user. `kwargs` are `mysql.connector.aio.connect`'s."""
    pooled = ("pool_name", "pool_size", "pool_reset_session")
    _connect.refuse_given(kwargs, pooled, "the driver's pool never asks for a new token")
    kwargs.pop("use_pure", None)  # there is nothing else
    connection = Connection(signer, **options(signer, ca_file=ca_file, **kwargs))
    await connection.connect()
    return connection


class Connection(MySQLConnection):
    """A connection that logs in with a token, each time it does."""

    def __init__(self, signer: Signer, **kwargs: Any) -> None:  # noqa: ANN401
        """Make a connection that is not open yet; `connect` makes open ones."""
        # The driver takes none without a client's certificate, though it can do with it alone.
        ca_file = kwargs.pop("ssl_ca", None)
        super().__init__(**kwargs)
        self._ssl_ca = ca_file
        self._signer = signer
        self._authenticator = _Authenticator()

    async def connect(self) -> None:
        """Connect, or connect anew."""
        await _connect.retrying_async(self._signer, self._connect_with, _connect.mysql_refused)

    async def reconnect(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Connect anew, if need be several times."""
        with _connect.own_errors(mysql.connector.Error):
            await super().reconnect(*args, **kwargs)

    async def _connect_with(self, token: str) -> None:
        self._password = token
        try:
            await super().connect()
        finally:
            self._password = ""

    async def _do_handshake(self) -> None:
        await super()._do_handshake()
        assert self._socket  # noqa: S101 - it has just been read from
        socket = _Socket(self._host, self._port)
        vars(socket).update(vars(self._socket))
        self._socket = socket

    async def cmd_change_user(
        self,
        username: str = "",
        password: str = "",
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Log in anew: so a session is reset with servers that cannot do it otherwise."""
        if username == self._signer.username and not password:
            password = await self._signer.token_async()
        try:
            return await super().cmd_change_user(username, password, *args, **kwargs)
        finally:
            self._password = ""


class _Socket(MySQLTcpSocket):
    async def switch_to_ssl(self, ssl_context: ssl.SSLContext) -> None:
        # The driver's own leaves the name out, and then no name in the certificate is verified.
        assert self._writer  # noqa: S101 - the greeting came by it
        await self._writer.start_tls(ssl_context, server_hostname=self._host)


class _Authenticator(MySQLAuthenticator):
    def _switch_auth_strategy(self, new_strategy_name: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super()._switch_auth_strategy(new_strategy_name, *args, **kwargs)
        if new_strategy_name == _mysql.CLEAR_PASSWORD:
            password = self._passwords.get(1, "")
            self._auth_strategy = _ClearPassword(
                self._username, password, ssl_enabled=self.ssl_enabled
            )


class _ClearPassword(MySQLClearPasswordAuthPlugin):
    @property
    def requires_ssl(self) -> bool:
        return True  # the driver's own does not insist

    async def auth_switch_response(
        self,
        sock: MySQLSocket,
        auth_data: bytes,
        **kwargs: Any,  # noqa: ANN401
    ) -> bytes:
        # What the driver's own does, but without writing it to the log.
        await sock.write(self.auth_response(auth_data, **kwargs) or b"")
        return bytes(await sock.read())
