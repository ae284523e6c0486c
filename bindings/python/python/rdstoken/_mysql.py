"""What the adapters for MySQL's drivers share: which arguments are refused, and TLS.

For the adapters alone. Nothing here is public, and `import rdstoken` does not load it.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from rdstoken import _connect, _errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdstoken._rdstoken import Signer

CLEAR_PASSWORD = "mysql_clear_password"  # noqa: S105 - a plugin's name

_PASSWORDS = ("password", "passwd", "password1", "password2", "password3")

# An option file can hold a socket, a password and settings of TLS, and some drivers let it win.
_ELSEWHERE = ("unix_socket", "read_default_file", "read_default_group")


def take_login(signer: Signer, given: dict[str, Any], elsewhere: Iterable[str] = ()) -> None:
    """Take what says where and how to log in out of `given`, and refuse what is not the signer's.

    `elsewhere` names more arguments that would lead to another server.
    """
    elsewhere = (*_ELSEWHERE, *elsewhere)
    _connect.refuse_given(given, _PASSWORDS)
    _connect.refuse_given(given, elsewhere, "it can lead to another server than the signer's")
    _connect.refuse_others(signer, given)
    if given.get("auth_plugin") not in (None, "", CLEAR_PASSWORD):
        raise _errors.InvalidArgumentError(
            f"auth_plugin: the server asks for tokens by {CLEAR_PASSWORD}",
            field="auth_plugin",
        )
    for name in (*_PASSWORDS, *elsewhere, "auth_plugin"):
        given.pop(name, None)


class Tls(NamedTuple):
    """How the certificate is checked, and the client's own."""

    ca_file: str | None
    cert: str | None
    key: str | None
    given: ssl.SSLContext | None

    def context(self) -> ssl.SSLContext:
        """Make a context for the drivers that take one."""
        if self.given is not None:
            return self.given
        context = _connect.ssl_context(self.ca_file)
        if self.cert is not None:
            try:
                context.load_cert_chain(self.cert, self.key)
            except OSError as error:  # ssl.SSLError is one
                raise _errors.InvalidArgumentError(
                    "ssl_cert: no certificate and its key can be read from it and ssl_key:"
                    f" {error.strerror}",
                    field="ssl_cert",
                ) from None
        return context

    def files(self) -> Tls:
        """Refuse a context, for the drivers that take the names of files alone."""
        if self.given is not None:
            raise _errors.InvalidArgumentError(
                "ssl: the driver takes no context; give ca_file", field="ssl"
            )
        return self


def take_tls(given: dict[str, Any], ca_file: str | os.PathLike[str] | None) -> Tls:
    """Take the drivers' many ways to ask for TLS out of `given`, and refuse what verifies less.

    What remains cannot contradict what is made of the answer.
    """
    options = _of_ssl(given.pop("ssl", True))
    for name in ("ca", "cert", "key"):
        value = given.pop(f"ssl_{name}", None)
        if value is not None:
            options[name] = value
    if given.pop("ssl_disabled", None):
        raise _connect.tls_required("ssl_disabled")
    for name in ("ssl_verify_cert", "ssl_verify_identity"):
        if not _is_on(given.pop(name, None)):
            raise _unverified(name)
    mode = given.pop("ssl_mode", None)
    if mode is not None and str(mode).upper() != "VERIFY_IDENTITY":
        raise _unverified("ssl_mode")

    _connect.refuse_given(given, ("ssl_capath", "ssl_cipher"), "it would not be used")
    if options.get("key") is not None and options.get("cert") is None:
        raise _errors.InvalidArgumentError(
            "ssl_key: expected only together with ssl_cert", field="ssl_key"
        )

    ca_file = _path(ca_file)
    own, context = _path(options.get("ca")), options.get("context")
    if ca_file is not None and (context is not None or own not in (None, ca_file)):
        raise _errors.InvalidArgumentError(
            "ca_file: other authorities are given as well", field="ca_file"
        )
    return Tls(ca_file or own, _path(options.get("cert")), _path(options.get("key")), context)


def _of_ssl(value: object) -> dict[str, Any]:
    """Read the argument `ssl`: true, a context, or a dictionary in the manner of mysql_ssl_set."""
    if not value:
        raise _connect.tls_required("ssl")
    if isinstance(value, ssl.SSLContext):
        _connect.check_context(value, "ssl")
        if not value.check_hostname:
            raise _unverified("ssl")
        return {"context": value}
    if not isinstance(value, Mapping):
        return {}
    options = dict(value)
    mode = options.pop("verify_mode", True)
    if not _is_on(options.pop("check_hostname", True)) or not (
        mode in (ssl.CERT_REQUIRED, "required") or (mode is not None and _is_on(mode))
    ):
        raise _unverified("ssl")
    if options.keys() - {"ca", "cert", "key"}:
        raise _errors.InvalidArgumentError(
            "ssl: of a dictionary, ca, cert and key are understood; else give a context",
            field="ssl",
        )
    return options


def _is_on(value: object) -> bool:
    """Tell whether an option is on: as it is unless given, or as a URL says it."""
    return value is None or str(value).lower() in ("true", "1", "yes")


def _unverified(name: str) -> _errors.TlsRequiredError:
    return _errors.TlsRequiredError(
        f"{name}: without the certificate and the name in it being verified, anybody could"
        " take the token",
        field=name,
    )


def _path(value: str | os.PathLike[str] | None) -> str | None:
    return None if value is None else os.fspath(value)
