"""mysql-connector-python and its pool with IAM tokens.

    import rdstoken
    import rdstoken.mysql_connector

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 3306, "app")

    # one connection
    connection = rdstoken.mysql_connector.connect(
        signer, database="demo", ca_file="global-bundle.pem"
    )

    # a pool: each connection that it opens, or opens again, gets a token of its own
    pool = rdstoken.mysql_connector.Pool(
        signer, pool_size=5, database="demo", ca_file="global-bundle.pem"
    )
    connection = pool.get_connection()

Both kinds of connection are there: on the C extension, and with `use_pure=True` in Python alone.
Host, port and user are the signer's. To name others is an `InvalidArgumentError`, and so are a
password, a socket, an option file, `failover`, and the pool's keywords given to `connect`: the pool
behind `mysql.connector.connect` keeps for ever the password it was made with. All other keywords
are mysql-connector-python's.

TLS is always on: the certificate is checked, and the name in it. `ca_file` (or `ssl_ca`) holds the
authorities to trust; without it they are the system's. The pure connection trusts the system's in
any case. Whatever asks for less is a `TlsRequiredError`.

A login that the server refuses with a token from the cache is tried once more with a fresh one. A
connection asks the signer again whenever it logs in anew: in `reconnect()`, in
`ping(reconnect=True)`, and where resetting a session takes a login.

The pure connection does not write the token to the log, as mysql-connector-python by itself does at
the level `DEBUG`.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import mysql.connector
import mysql.connector.pooling
from mysql.connector.abstracts import MySQLConnectionAbstract
from mysql.connector.authentication import MySQLAuthenticator
from mysql.connector.plugins.mysql_clear_password import MySQLClearPasswordAuthPlugin

from rdstoken import _connect, _errors, _mysql

if TYPE_CHECKING:
    import os

    from mysql.connector.network import MySQLSocket

    from rdstoken import Signer

__all__ = ["Pool", "connect", "options"]

_POOLED = ("pool_name", "pool_size", "pool_reset_session")
_ELSEWHERE = ("dsn", "dns_srv", "failover", "option_files", "option_groups")


def connect(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - mysql-connector-python's
) -> MySQLConnectionAbstract:
    """Connect as the signer's user. `kwargs` are `mysql.connector.connect`'s."""
    _connect.refuse_given(kwargs, _POOLED, "use rdstoken.mysql_connector.Pool")
    parameters = options(signer, ca_file=ca_file, **kwargs)
    pure = parameters.pop("use_pure", False) or not mysql.connector.HAVE_CEXT
    return (_PureConnection if pure else _ExtensionConnection)(signer, **parameters)


class Pool(mysql.connector.pooling.MySQLConnectionPool):
    """A `MySQLConnectionPool` that gets a token from the signer for each login."""

    def __init__(
        self,
        signer: Signer,
        *,
        ca_file: str | os.PathLike[str] | None = None,
        pool_size: int = 5,
        pool_name: str = "rdstoken",
        pool_reset_session: bool = True,
        **kwargs: Any,  # noqa: ANN401 - mysql-connector-python's
    ) -> None:
        """Make a pool and open its connections. `kwargs` are those of `connect`.

        `pool_name` need not be another for each pool. The driver's own default is made of the
        host's name, and RDS's names are too long for it.
        """
        self._signer = signer
        parameters = options(signer, ca_file=ca_file, **kwargs)
        super().__init__(pool_size, pool_name, pool_reset_session, **parameters)

    def set_config(self, **kwargs: Any) -> None:  # noqa: ANN401 - mysql-connector-python's
        """Set what connections are made with from now on: the keywords of `options`."""
        super().set_config(**options(self._signer, **kwargs))

    def add_connection(self, cnx: MySQLConnectionAbstract | None = None) -> None:
        """Add a connection, by default one that is opened here."""
        with mysql.connector.pooling.CONNECTION_POOL_LOCK:
            if cnx is None and self._cnx_config and not self._cnx_queue.full():
                cnx = connect(self._signer, **self._cnx_config)
                cnx.pool_config_version = self._config_version
            super().add_connection(cnx)

    def get_connection(self) -> mysql.connector.pooling.PooledMySQLConnection:
        """Get a connection, opened again if it was lost."""
        with mysql.connector.pooling.CONNECTION_POOL_LOCK:
            waiting = list(self._cnx_queue.queue)
            try:
                return super().get_connection()
            except _errors.Error:
                # The pool puts a connection back after errors of the driver's alone.
                self._queue_connection(waiting[0])
                raise


class _Login(MySQLConnectionAbstract):
    """A connection that logs in with a token, each time it does."""

    def __init__(self, signer: Signer, **kwargs: Any) -> None:  # noqa: ANN401
        self._signer = signer
        super().__init__(**kwargs)

    def reconnect(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        with _connect.own_errors(mysql.connector.Error):
            super().reconnect(*args, **kwargs)

    def _open_connection(self) -> None:
        _connect.retrying(self._signer, self._open_with, _connect.mysql_refused)

    def _open_with(self, token: str) -> None:
        self._password = token
        try:
            super()._open_connection()  # type: ignore[safe-super] # the real one is to come
        finally:
            self._password = ""

    def cmd_change_user(
        self,
        username: str = "",
        password: str = "",
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        # How a session is reset with servers that cannot do it otherwise.
        if username == self._signer.username and not password:
            password = self._signer.token()
        try:
            return super().cmd_change_user(  # type: ignore[safe-super]
                username, password, *args, **kwargs
            )
        finally:
            self._password = ""


class _PureConnection(_Login, mysql.connector.MySQLConnection):
    def _open_with(self, token: str) -> None:
        self._authenticator = _Authenticator()
        super()._open_with(token)


class _Authenticator(MySQLAuthenticator):
    def _switch_auth_strategy(self, new_strategy_name: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super()._switch_auth_strategy(new_strategy_name, *args, **kwargs)
        if new_strategy_name == _mysql.CLEAR_PASSWORD:
            password = self._passwords.get(1, "")
            self._auth_strategy = _ClearPassword(
                self._username, password, ssl_enabled=self.ssl_enabled
            )


class _ClearPassword(MySQLClearPasswordAuthPlugin):
    def auth_switch_response(self, sock: MySQLSocket, auth_data: bytes, **kwargs: Any) -> bytes:  # noqa: ANN401
        # What the driver's own does, but without writing it to the log.
        sock.send(self.auth_response(auth_data, **kwargs) or b"")
        return bytes(sock.recv())


if mysql.connector.HAVE_CEXT:

    class _ExtensionConnection(_Login, mysql.connector.CMySQLConnection):
        pass


def options(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - mysql-connector-python's
) -> dict[str, Any]:
    """Check and complete keywords for mysql-connector-python. The password is left out."""
    _connect.refuse_others(signer, kwargs, host=None, port=None, user="username")
    kwargs.pop("username", None)
    _mysql.take_login(signer, kwargs, _ELSEWHERE)
    tls = _mysql.take_tls(kwargs, ca_file).files()
    own = {"ssl_cert": tls.cert, "ssl_key": tls.key} if tls.cert is not None else {}
    return (
        kwargs
        | own
        | {
            "host": signer.hostname,
            "port": signer.port,
            "user": signer.username,
            "auth_plugin": _mysql.CLEAR_PASSWORD,
            "ssl_disabled": False,
            "ssl_verify_cert": True,
            "ssl_verify_identity": True,
            "ssl_ca": tls.ca_file or ssl.get_default_verify_paths().cafile,
        }
    )
