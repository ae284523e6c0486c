"""pg8000 with IAM tokens.

    import rdstoken
    import rdstoken.pg8000

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 5432, "app")
    connection = rdstoken.pg8000.connect(signer, database="postgres", ca_file="global-bundle.pem")

It is a connection of `pg8000.dbapi`; `connect_native` makes one of `pg8000.native`. pg8000 has no
pool of its own: use SQLAlchemy's, with `rdstoken.sqlalchemy.attach`.

Host, port and user are the signer's. To name others is an `InvalidArgumentError`, and so is a
password. All other keywords are pg8000's. Those that bring a connection of their own (`sock`,
`unix_sock`) cannot be given.

TLS is that of `sslmode=verify-full`: the certificate is checked, and the name in it, which pg8000
by itself does not do. `ca_file` holds the authorities to trust; without it they are the system's.
An `ssl.SSLContext` of your own (`ssl_context`) is taken as it is; `ssl_context=False`, which sends
the token in clear, is a `TlsRequiredError`.

A login that the server refuses with a token from the cache is tried once more with a fresh one.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pg8000.dbapi
import pg8000.native

from rdstoken import _connect, _errors, _postgres

if TYPE_CHECKING:
    import os

    from rdstoken import Signer

__all__ = ["connect", "connect_native", "options"]


def connect(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - pg8000's
) -> pg8000.dbapi.Connection:
    """Connect as the signer's user. `kwargs` are `pg8000.dbapi.connect`'s."""
    parameters = options(signer, ca_file=ca_file, **kwargs)
    return _connect.retrying(
        signer, lambda token: pg8000.dbapi.connect(password=token, **parameters), refused
    )


def connect_native(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - pg8000's
) -> pg8000.native.Connection:
    """Connect as the signer's user. `kwargs` are `pg8000.native.Connection`'s."""
    parameters = options(signer, ca_file=ca_file, **kwargs)
    return _connect.retrying(
        signer, lambda token: pg8000.native.Connection(password=token, **parameters), refused
    )


def options(
    signer: Signer,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - pg8000's
) -> dict[str, Any]:
    """Check and complete keywords for pg8000. The password is left out: it has no hook for one."""
    _connect.refuse_given(kwargs, ("password",))
    _connect.refuse_given(kwargs, ("sock", "unix_sock"), "its other end cannot be the signer's")
    _connect.refuse_others(signer, kwargs)
    return kwargs | {
        "host": signer.hostname,
        "port": signer.port,
        "user": signer.username,
        "ssl_context": _context(kwargs.get("ssl_context"), ca_file),
    }


def _context(given: object, ca_file: str | os.PathLike[str] | None) -> ssl.SSLContext:
    if isinstance(given, ssl.SSLContext):
        if ca_file is not None:
            raise _errors.InvalidArgumentError(
                "ssl_context: it brings its own authorities, so ca_file cannot count",
                field="ssl_context",
            )
        return given
    if given is None or given is True:
        return _postgres.context(None, ca_file)
    raise _connect.tls_required("ssl_context")


def refused(error: Exception) -> bool:
    """Tell whether the server refused the password."""
    fields = error.args[0] if error.args else None
    return isinstance(fields, dict) and _postgres.sqlstate_refused(fields.get("C"))
