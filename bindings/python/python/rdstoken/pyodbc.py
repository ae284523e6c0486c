"""pyodbc with IAM tokens, through psqlodbc or MariaDB's Connector/ODBC.

    import rdstoken
    import rdstoken.pyodbc

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 5432, "app")
    connection = rdstoken.pyodbc.connect(
        signer, driver="psqlodbc", database="postgres", ca_file="global-bundle.pem"
    )

`driver` is `psqlodbc` or `mariadb-odbc`. `odbc_driver` is the name in odbcinst.ini, or the path of
the driver's library, where that is not the usual one. The rest are pyodbc's keywords (`autocommit`,
`timeout`, ...), and others are the ODBC driver's own (`charset="utf8mb4"`).

Host, port, user and password are the signer's, and so is all about TLS: to give one of these, or a
data source or an option file, is an `InvalidArgumentError`. TLS is always on: the certificate is
checked, and the name in it. `ca_file` holds the authorities to trust; without it, psqlodbc uses
`~/.postgresql/root.crt` and MariaDB's driver the system's.

The token goes into the connection string in braces, `PWD={...}`. That is the form that works:
without braces, in pyodbc's `password=`, in odbc.ini and in a file data source, psqlodbc takes parts
of a token for escapes. One that would be too long for psqlodbc (more than 32,000 bytes) is a
`DriverLimitError`. pyodbc quotes no keywords, so their values may hold no `;`, `{` or `}`.

A login that the server refuses with a token from the cache is tried once more with a fresh one.
With PostgreSQL, that is told by the server's text, which must be English (`lc_messages`).

Leave ODBC's own pool off, as it is unless odbcinst.ini says `Pooling = Yes`. It finds connections
again by their connection string; with tokens in that, it keeps connections that are never used
again. `pyodbc.pooling = False` does not help: unixODBC goes by the file alone. Hand `connect` to a
pool that makes its connections with a function, such as SQLAlchemy's:

    import sqlalchemy.pool

    pool = sqlalchemy.pool.QueuePool(
        lambda: rdstoken.pyodbc.connect(
            signer, driver="psqlodbc", database="postgres", ca_file="global-bundle.pem"
        )
    )
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import pyodbc

import rdstoken
from rdstoken import _connect, _errors, _postgres

if TYPE_CHECKING:
    from rdstoken import Signer

__all__ = ["connect"]

# The keywords of ODBC and of the two drivers that say where to connect, as whom, and how safely.
_OURS = re.compile(
    "driver|dsn|filedsn|savefile|host|server|servername|serverkey|port|socket|namedpipe|tcpip"
    "|uid|user|username|pwd|password|plugin_dir|defaultauth|ca|pqopt|d5|.*(ssl|tls).*"
    # These have libmariadb read option files, which may do without TLS.
    "|options?|use_mycnf",
    re.IGNORECASE,
)


def connect(
    signer: Signer,
    *,
    driver: str,
    database: str | None = None,
    ca_file: str | os.PathLike[str] | None = None,
    hostaddr: str | None = None,
    odbc_driver: str | None = None,
    **kwargs: Any,  # noqa: ANN401 - pyodbc's
) -> pyodbc.Connection:
    """Connect as the signer's user. `kwargs` are `pyodbc.connect`'s.

    - `driver`: `psqlodbc` or `mariadb-odbc`.
    - `hostaddr`: with psqlodbc, the address to connect to, in place of the hostname's.
    """
    for name, value in kwargs.items():
        if _OURS.fullmatch(name):
            raise _errors.InvalidArgumentError(f"{name}: the signer gives it", field=name)
        # pyodbc writes names and values into the string as they are.
        if not name.isidentifier() or (isinstance(value, str) and set(value) & set(";{}")):
            raise _errors.InvalidArgumentError(
                f"{name}: expected a name, and a value without ; {{ and }}", field=name
            )

    def login(token: str) -> pyodbc.Connection:
        string = signer.connection_string(
            driver,
            "connection-string",
            database=database,
            ca_file=None if ca_file is None else os.fspath(ca_file),
            hostaddr=hostaddr,
            odbc_driver=odbc_driver,
            token=token,
        )
        # pyodbc converts the string for ODBC's wide functions, which have a limit of their own.
        rdstoken.check_length(driver, "connection-string-W", token)
        return pyodbc.connect(string, **kwargs)

    return _connect.retrying(signer, login, _refused)


def _refused(error: Exception) -> bool:
    if not isinstance(error, pyodbc.Error):
        return False
    # The driver's own number, in brackets, is MySQL's; psqlodbc has nothing but libpq's text.
    return bool(re.search(r"\((1045|1698)\)", str(error))) or _postgres.libpq_refused(error)
