"""IAM authentication tokens for Aurora and RDS.

A token takes the place of a database password. It is signed with AWS credentials, valid for at
most 15 minutes, and sent as the password over TLS:

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 5432, "app")
    connection = psycopg.connect(host=..., user="app", password=signer.token(), ...)

`Signer` finds the credentials and the region by itself. `generate_db_auth_token` takes boto3's
words. `presign` is the pure function beneath: no clock, file or network.

Every failure is an `Error`, with a `code` for programs and a text for people; a value of the wrong
type is a `TypeError`. No repr, error or log holds a secret. Everything may be used from any thread.
What happens is logged to `logging.getLogger("rdstoken")`.
"""

from rdstoken import _aio as _aio
from rdstoken import _provider as _provider
from rdstoken._errors import (
    CredentialsExpiredError,
    CredentialsFailedError,
    CredentialsNotFoundError,
    DriverLimitError,
    Error,
    InternalError,
    InvalidArgumentError,
    RegionNotFoundError,
    TimeoutError,
    TlsRequiredError,
)
from rdstoken._rdstoken import (
    Credentials,
    Signer,
    __version__,
    check_length,
    generate_db_auth_token,
    limits,
    presign,
)

TYPE_CHECKING = False  # `typing` takes longer to load than all the rest
if TYPE_CHECKING:
    from rdstoken._limits import Limit
    from rdstoken._stats import Stats
else:

    def __getattr__(name: str) -> type:
        # Tuples with names need `typing` too, so they are loaded when somebody asks for them.
        if name not in {"Limit", "Stats"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
        from rdstoken import _limits, _stats  # noqa: PLC0415

        return _limits.Limit if name == "Limit" else _stats.Stats

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


del TYPE_CHECKING

__all__ = [
    "Credentials",
    "CredentialsExpiredError",
    "CredentialsFailedError",
    "CredentialsNotFoundError",
    "DriverLimitError",
    "Error",
    "InternalError",
    "InvalidArgumentError",
    "Limit",
    "RegionNotFoundError",
    "Signer",
    "Stats",
    "TimeoutError",
    "TlsRequiredError",
    "__version__",
    "check_length",
    "generate_db_auth_token",
    "limits",
    "presign",
]
