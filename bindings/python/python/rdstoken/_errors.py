"""The exceptions, and the one place that knows which class belongs to which of core's codes."""

from __future__ import annotations

import builtins

TYPE_CHECKING = False  # `typing` takes longer to load than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar


class Error(Exception):
    """Why a token could not be made. Every exception of rdstoken is one.

    `str(error)` is one line for people. It never holds a secret: no token, key, session token or
    signature, and not the value of the argument at fault.

    Errors can be pickled, and so cross processes.
    """

    code: ClassVar[str]
    """What went wrong, for programs: `"RegionNotFound"`, for example. Each class has one."""

    field: str | None
    """The name of the argument at fault, of an `InvalidArgumentError`; else `None`."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        """Take the text for people, and the argument at fault if there is one."""
        super().__init__(message)
        self.field = field


class InternalError(Error):
    """A fault in rdstoken itself. Please report it."""

    code = "Internal"


class InvalidArgumentError(Error, ValueError):
    """An argument is not what it must be; `field` names it."""

    code = "InvalidArgument"


class RegionNotFoundError(Error):
    """The region was neither given nor found in the hostname, the environment or the profile."""

    code = "RegionNotFound"


class CredentialsNotFoundError(Error):
    """No credential source had any credentials. The text lists the sources."""

    code = "CredentialsNotFound"


class CredentialsFailedError(Error):
    """A credential source is set up, but failed to give usable credentials."""

    code = "CredentialsFailed"


class CredentialsExpiredError(Error):
    """The credentials had expired at the signing time."""

    code = "CredentialsExpired"


class TimeoutError(Error, builtins.TimeoutError):
    """The deadline passed before the credentials arrived."""

    code = "Timeout"


class DriverLimitError(Error):
    """The driver, or the way the token would be given to it, cuts or alters one of this length."""

    code = "DriverLimit"


class TlsRequiredError(Error):
    """The login would send the token without TLS."""

    code = "TlsRequired"


BY_CODE: dict[str, type[Error]] = {
    cls.code: cls
    for cls in (
        InternalError,
        InvalidArgumentError,
        RegionNotFoundError,
        CredentialsNotFoundError,
        CredentialsFailedError,
        CredentialsExpiredError,
        TimeoutError,
        DriverLimitError,
        TlsRequiredError,
    )
}


def _maker(by_code: dict[str, type[Error]]) -> Callable[[str, str, str | None], Error]:
    # It holds all it needs: a module's own names are gone when the interpreter shuts down.
    def from_code(code: str, message: str, field: str | None) -> Error:
        """Make the exception for an error of core's. The native module calls this."""
        return by_code.get(code, by_code["Internal"])(message, field=field)

    return from_code


from_code = _maker(BY_CODE)

# Tracebacks and pickles name the place that users import from.
for _cls in (Error, *BY_CODE.values()):
    _cls.__module__ = "rdstoken"
