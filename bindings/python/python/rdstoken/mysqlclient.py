"""mysqlclient (MySQLdb) with IAM tokens.

    import rdstoken
    import rdstoken.mysqlclient

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 3306, "app")
    connection = rdstoken.mysqlclient.connect(signer, database="demo", ca_file="global-bundle.pem")

Host, port and user are the signer's. To name others is an `InvalidArgumentError`, and so are a
password, a socket and an option file. All other keywords are mysqlclient's.

TLS is always on, with `ssl_mode="VERIFY_IDENTITY"`: the certificate is checked, and the name in it.
`ca_file` holds the authorities to trust, and `ssl={"ca": ...}` will do; without either, a
mysqlclient built on libmariadb uses the system's, and one built on libmysqlclient refuses to
connect. Whatever asks for less is a `TlsRequiredError`. Where the library forbids passwords in
clear (libmysqlclient), they are allowed for this connection alone.

A login that the server refuses with a token from the cache is tried once more with a fresh one.

mysqlclient has no pool of its own, and no hook for a password. Hand `connect` to a pool that makes
its connections with a function, such as SQLAlchemy's:

    import sqlalchemy.pool

    pool = sqlalchemy.pool.QueuePool(
        lambda: rdstoken.mysqlclient.connect(signer, database="demo", ca_file="global-bundle.pem")
    )

`options` gives the keywords alone, without the password, for whatever passes them on to mysqlclient
and adds a token at each login. An option file is no place for a token: mysqlclient cuts it there.
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

import MySQLdb
import MySQLdb.connections

from rdstoken import _connect, _mysql

if TYPE_CHECKING:
    import os

    from rdstoken import Signer

__all__ = ["connect", "options"]

# All that mysqlclient offers to allow libmysqlclient the clear password, short of a variable in the
# environment of all connections. libmariadb always allows it.
_OPTION_FILE = pathlib.Path(__file__).with_name("mysqlclient.cnf")


def connect(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - mysqlclient's
) -> MySQLdb.connections.Connection:
    """Connect as the signer's user. `kwargs` are `MySQLdb.connect`'s."""
    parameters = options(signer, ca_file=ca_file, **kwargs)

    def login(token: str) -> MySQLdb.connections.Connection:
        return MySQLdb.connect(password=token, **parameters)

    return _connect.retrying(signer, login, _connect.mysql_refused)


def options(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - mysqlclient's
) -> dict[str, Any]:
    """Check and complete keywords for mysqlclient. The password is left out: it has no hook."""
    _mysql.take_login(signer, kwargs, ("named_pipe",))
    tls = _mysql.take_tls(kwargs, ca_file).files()
    files = {"ca": tls.ca_file, "cert": tls.cert, "key": tls.key}
    given = {name: file for name, file in files.items() if file is not None}
    return kwargs | {
        "host": signer.hostname,
        "port": signer.port,
        "user": signer.username,
        "ssl_mode": "VERIFY_IDENTITY",
        "read_default_file": str(_OPTION_FILE),
        **({"ssl": given} if given else {}),
    }
