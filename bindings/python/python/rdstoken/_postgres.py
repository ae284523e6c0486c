"""What the PostgreSQL adapters share: libpq's parameters, TLS modes, and what a refusal looks like.

For the adapters alone. Nothing here is public, and `import rdstoken` does not load it.
"""

from __future__ import annotations

import os
import re
import ssl
from typing import TYPE_CHECKING, Any

from rdstoken import _connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdstoken._rdstoken import Signer

# Anything else would send the token without TLS, or at the server's choice.
_ENCRYPTED = ("require", "verify-ca", "verify-full")


def check_sslmode(sslmode: object, name: str = "sslmode") -> None:
    """Refuse a mode that may do without TLS."""
    if sslmode is not None and sslmode not in _ENCRYPTED:
        raise _connect.tls_required(name)


def libpq_parameters(
    signer: Signer, ca_file: str | os.PathLike[str] | None, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Check and complete connection parameters in libpq's words. The password is left out.

    With `hostaddr`, another port than the signer's may be named: both say where to connect to, a
    tunnel's end for example, and the certificate is still checked against the signer's hostname.
    """
    _connect.refuse_given(given, ("password",))
    _connect.refuse_others(signer, given, port=None if given.get("hostaddr") else "port")
    check_sslmode(given.get("sslmode"))
    # libpq makes a `sslmode` of it, and of two the last one counts.
    _connect.refuse_given(given, ("requiressl",), "sslmode says it")
    # libpq prefers GSSAPI's encryption to TLS, and then `sslmode` and certificates do not count.
    if given.get("gssencmode") not in (None, "disable"):
        raise _connect.tls_required("gssencmode")
    parameters = {
        **given,
        "host": signer.hostname,
        "user": signer.username,
        "gssencmode": "disable",
    }
    for name, value in (("port", signer.port), ("sslmode", "verify-full")):
        if parameters.get(name) is None:
            parameters[name] = value
    if ca_file is not None:
        _connect.refuse_given(given, ("sslrootcert",), "ca_file says it")
        parameters["sslrootcert"] = os.fspath(ca_file)
    return parameters


def context(
    sslmode: str | None, ca_file: str | os.PathLike[str] | None, name: str = "ssl"
) -> ssl.SSLContext:
    """Make the context for one of libpq's modes: `verify-full` unless told otherwise."""
    check_sslmode(sslmode, name)
    made = _connect.ssl_context(ca_file)
    if sslmode in ("require", "verify-ca"):
        made.check_hostname = False
    if sslmode == "require" and ca_file is None:  # with a CA file it is `verify-ca` to libpq too
        made.verify_mode = ssl.CERT_NONE
    made.set_alpn_protocols(["postgresql"])  # PostgreSQL asks for it when TLS comes first
    return made


# libpq keeps no SQLSTATE of a failed login, only the server's text: PostgreSQL's own for passwords
# and PAM, and RDS Proxy's. A server that speaks another language gets no second try.
_LIBPQ_REFUSAL = re.compile(r"FATAL:\s+(The )?\w+ authentication failed for (user|the role) ")


def libpq_refused(error: BaseException) -> bool:
    """Tell whether this error of libpq's says that the password was refused."""
    return bool(_LIBPQ_REFUSAL.search(str(error)))


def sqlstate_refused(sqlstate: object) -> bool:
    """Tell whether PostgreSQL refuses a password with this code."""
    return sqlstate in ("28P01", "28000")
