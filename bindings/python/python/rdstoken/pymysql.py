"""PyMySQL with IAM tokens.

    import rdstoken
    import rdstoken.pymysql

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 3306, "app")
    connection = rdstoken.pymysql.connect(signer, database="demo", ca_file="global-bundle.pem")

Host, port and user are the signer's. To name others is an `InvalidArgumentError`, and so are a
password, a socket and an option file. All other keywords are PyMySQL's.

TLS is always on: the certificate is checked, and the name in it. `ca_file` holds the authorities to
trust; without it they are the system's. PyMySQL's own `ssl_ca`, `ssl_cert` and `ssl_key` will do,
and an `ssl.SSLContext` that verifies as much; whatever asks for less is a `TlsRequiredError`. So is
a server that offers no TLS.

A login that the server refuses with a token from the cache is tried once more with a fresh one. The
connection asks the signer again whenever it connects anew: `ping(reconnect=True)` is safe.

PyMySQL has no pool of its own. Hand `connect` to one that makes its connections with a function,
such as SQLAlchemy's:

    import sqlalchemy.pool

    pool = sqlalchemy.pool.QueuePool(
        lambda: rdstoken.pymysql.connect(signer, database="demo", ca_file="global-bundle.pem")
    )

`options` gives the keywords alone, for whatever passes them on to PyMySQL; PyMySQL then asks for a
token at each login, but there is no second try. Never pass a token as `password=` through a pool:
it would be the same for ever, and PyMySQL would send it in clear to a server without TLS.
"""

from __future__ import annotations

import functools
import ssl
from typing import TYPE_CHECKING, Any

import pymysql
import pymysql.connections
import pymysql.err

from rdstoken import _connect, _errors, _mysql

if TYPE_CHECKING:
    import os
    import socket
    from collections.abc import Callable, Mapping

    from pymysql.cursors import Cursor
    from pymysql.protocol import MysqlPacket

    from rdstoken import Signer

    _Base = pymysql.connections.Connection[Cursor]
else:
    _Base = pymysql.connections.Connection

__all__ = ["Connection", "connect", "options"]


def connect(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - PyMySQL's
) -> Connection:
    """Connect as the signer's user. `kwargs` are `pymysql.connect`'s."""
    return Connection(signer, ca_file=ca_file, **kwargs)


class Connection(_Base):
    """A `pymysql.connections.Connection` that logs in with a token, each time it connects."""

    def __init__(
        self,
        signer: Signer,
        *,
        ca_file: str | os.PathLike[str] | None = None,
        **kwargs: Any,  # noqa: ANN401 - PyMySQL's
    ) -> None:
        """Do what `connect` does."""
        self._signer = signer
        self._token: str | None = None
        super().__init__(**options(signer, ca_file=ca_file, **kwargs))

    def connect(self, sock: socket.socket | None = None) -> None:
        """Connect, or connect anew. A socket of the caller's own serves one try alone."""
        if sock is not None:
            super().connect(sock)
            return
        _connect.retrying(self._signer, self._connect_with, _connect.mysql_refused)

    def _connect_with(self, token: str) -> None:
        self._token = token
        try:
            super().connect()
        finally:
            self._token = None


def options(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - PyMySQL's
) -> dict[str, Any]:
    """Check and complete keywords for PyMySQL. In place of a password, it gets a function."""
    _mysql.take_login(signer, kwargs)
    tls = _mysql.take_tls(kwargs, ca_file)
    _connect.refuse_given(kwargs, ("ssl_key_password",), "give a context that has the key")
    plugins = kwargs.get("auth_plugin_map") or {}
    if {_mysql.CLEAR_PASSWORD, _mysql.CLEAR_PASSWORD.encode()} & plugins.keys():
        raise _errors.InvalidArgumentError(
            f"auth_plugin_map: the signer's takes the place of {_mysql.CLEAR_PASSWORD}",
            field="auth_plugin_map",
        )
    return answering(
        kwargs
        | {
            "host": signer.hostname,
            "port": signer.port,
            "user": signer.username,
            "ssl": tls.context(),
        },
        signer.token,
    )


def answering(parameters: Mapping[str, Any], token: Callable[[], str]) -> dict[str, Any]:
    """Add to keywords for PyMySQL what asks for a token when the server does. Not public."""
    plugins = parameters.get("auth_plugin_map") or {}
    handler = functools.partial(_ClearPassword, token)
    return {**parameters, "auth_plugin_map": {**plugins, _mysql.CLEAR_PASSWORD: handler}}


class _ClearPassword:
    """Answers a server that asks for the password in clear, as PyMySQL has it."""

    def __init__(self, token: Callable[[], str], connection: _Base) -> None:
        self._token = token
        self._connection = connection

    def authenticate(self, _request: MysqlPacket) -> MysqlPacket:
        connection = self._connection
        # Versions before 1.2 go on without TLS if the server offers none.
        if not isinstance(getattr(connection, "_sock", None), ssl.SSLSocket):
            raise _errors.TlsRequiredError("the server offers no TLS, and a token needs it")
        token = getattr(connection, "_token", None) or self._token()
        connection.write_packet(token.encode() + b"\0")
        # As PyMySQL's own plugins do.
        answer: MysqlPacket = connection._read_packet()  # type: ignore[no-untyped-call] # noqa: SLF001
        return answer
