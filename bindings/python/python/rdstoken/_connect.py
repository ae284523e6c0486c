"""What the driver adapters share: what may be given, TLS, and the one retry.

For the adapters alone. Nothing here is public, and `import rdstoken` does not load it.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING, TypeVar

from rdstoken import _errors

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from rdstoken._rdstoken import Signer

Connection = TypeVar("Connection")


# What may be given.


def refuse_given(
    given: Mapping[str, object], names: Iterable[str], why: str = "the signer gives it"
) -> None:
    """Refuse these arguments, unless they are absent or `None`."""
    for name in names:
        if given.get(name) is not None:
            raise _errors.InvalidArgumentError(f"{name}: {why}", field=name)


def refuse_others(
    signer: Signer,
    given: Mapping[str, object],
    *,
    host: str | None = "host",
    port: str | None = "port",
    user: str | None = "user",
) -> None:
    """Refuse a host, port or user that is not the one the signer signs for.

    The arguments are what the driver calls them. To say the signer's own again is no fault.
    """
    for name, own in ((host, signer.hostname), (port, signer.port), (user, signer.username)):
        value = given.get(name) if name else None
        if value is None or value == own or str(value) == str(own):
            continue
        if name == host and str(value).lower().removesuffix(".") == own:
            continue
        raise _errors.InvalidArgumentError(
            f"{name}: it is not the signer's, so its tokens would be refused", field=name
        )


# TLS.


def tls_required(name: str) -> _errors.TlsRequiredError:
    """Make the error for an argument that would let the token leave without TLS."""
    return _errors.TlsRequiredError(
        f"{name}: a token is sent over TLS alone, and this would do without", field=name
    )


def ssl_context(ca_file: str | os.PathLike[str] | None = None) -> ssl.SSLContext:
    """Make a context that verifies the certificate and the name in it.

    `ca_file` holds the authorities to trust; `None` means the system's.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise _errors.InvalidArgumentError(
            f"ca_file: no certificates can be read from it: {error.strerror}",
            field="ca_file",
        ) from None


def check_context(context: ssl.SSLContext, name: str) -> None:
    """Refuse a context of the caller's own that verifies nothing."""
    if context.verify_mode is not ssl.CERT_REQUIRED:
        raise _errors.TlsRequiredError(
            f"{name}: it verifies no certificate, so anybody could take the token",
            field=name,
        )


# A refused login.


def mysql_refused(error: BaseException) -> bool:
    """Tell whether this error of a MySQL driver's says that the password was refused."""
    number = getattr(error, "errno", None) or next(iter(error.args), None)
    return number in (1045, 1698)  # ER_ACCESS_DENIED_ERROR, and without "using password"


@contextlib.contextmanager
def own_errors(drivers: type[Exception]) -> Iterator[None]:
    """Raise the error of ours that a driver has made one of its own of.

    Our `TimeoutError` is an `OSError`, so some take it for the network's.
    """
    try:
        yield
    except drivers as error:
        if isinstance(error.__cause__, _errors.Error):
            raise error.__cause__ from None
        raise


def retrying(
    signer: Signer,
    connect: Callable[[str], Connection],
    is_refusal: Callable[[Exception], bool],
    token: Callable[[], str] | None = None,
) -> Connection:
    """Connect with a token; once more with a fresh one if the server refused one from the cache.

    `token` gets tokens another way than by `signer.token`.
    """
    token = token or signer.token
    first = token()
    try:
        return connect(first)
    except Exception as error:
        if not (is_refusal(error) and signer.refused(first)):
            raise
    return connect(token())


async def retrying_async(
    signer: Signer,
    connect: Callable[[str], Awaitable[Connection]],
    is_refusal: Callable[[Exception], bool],
) -> Connection:
    """Do what `retrying` does, for asyncio."""
    first = await signer.token_async()
    try:
        return await connect(first)
    except Exception as error:
        if not (is_refusal(error) and signer.refused(first)):
            raise
    return await connect(await signer.token_async())
