"""The native half of rdstoken. Import from `rdstoken` instead."""

import datetime
from collections.abc import Coroutine
from typing import Any, final

__all__ = ["Credentials", "Signer", "__version__", "generate_db_auth_token", "presign"]

__version__: str

@final
class Credentials:
    """AWS credentials: an access key, with a session token if they are temporary.

    - `access_key_id`, `secret_access_key`: the access key's two halves.
    - `session_token`: what temporary credentials come with. `None`, or an empty text, means none.

    The secrets cannot be read back. They are in no repr, error or log, and are wiped from memory
    with the last object that uses them; the texts that were passed in are Python's own and are
    not wiped. For the same reason credentials cannot be copied or pickled (`TypeError`): pass on
    the object itself.

    Immutable, and may be shared between threads.

    Raises `InvalidArgumentError`, whose `field` is the argument's name, if a value is empty (the
    first two), too long, or has characters other than visible ASCII, such as a stray newline;
    `TypeError` for a value of the wrong type.
    """

    def __new__(
        cls,
        access_key_id: str,
        secret_access_key: str,
        session_token: str | None = None,
    ) -> Credentials: ...
    @property
    def access_key_id(self) -> str:
        """The access key id. It is no secret: it stands readable in every token."""

@final
class Signer:
    """Makes tokens for one database user at one endpoint.

    - `hostname`: the database's endpoint name; a DNS name alone, not an IP address.
    - `port`: the database's port.
    - `username`: the database user. Case and spaces are kept.
    - `region`: the endpoint's region. `None` finds it: in the hostname, else in `AWS_REGION` or
      `AWS_DEFAULT_REGION`, else in the profile.
    - `profile`: take the credentials from this profile alone. `None` means the default chain of the
      AWS SDKs: environment, shared config and credentials files, web identity, container, EC2
      instance.
    - `credentials`: sign with these and look for none. Not together with `profile`.
    - `expires_in`: how long a token is valid, in whole seconds, 1 to 900.
    - `timeout`: how long to wait for credentials, in seconds, all sources together; more than 0, at
      most 3600.

    Making a signer looks for nothing yet: no variable, file or network is read before the first
    token. A signer can be called: `signer()` is `signer.token()`, for drivers that take a function
    in place of a password.

    Its settings never change, and it may be shared between threads. It survives a fork: the child
    may go on using it. It cannot be copied or pickled (`TypeError`), because it may hold
    credentials.

    Raises `InvalidArgumentError`, whose `field` is the argument's name, for a value that cannot be
    right; `TypeError` for a value of the wrong type.
    """

    def __new__(
        cls,
        hostname: str,
        port: int,
        username: str,
        *,
        region: str | None = None,
        profile: str | None = None,
        credentials: Credentials | None = None,
        expires_in: int = 900,
        timeout: float = 5.0,
    ) -> Signer: ...
    def token(self) -> str:
        """Make a token for the next login, signed now.

        Waits while credentials are fetched, no longer than `timeout` and 0.1 s; other threads run
        meanwhile. With credentials and a region at hand it does not wait. A signal that arrives
        during the wait is handled after it; so is Ctrl-C (`KeyboardInterrupt`).

        Returns the token: a few hundred characters, several thousand with a session token. Hand it
        to the driver whole, as the password, over TLS. It is a secret while it is valid.

        Raises `RegionNotFoundError`, `CredentialsNotFoundError`, `CredentialsFailedError`,
        `CredentialsExpiredError` or `TimeoutError`.
        """

    def token_async(self) -> Coroutine[Any, Any, str]:
        """As `token()`, for asyncio: await the result. The event loop runs on meanwhile.

        The work is done by `asyncio.to_thread`. Cancelling the wait does not stop it; the thread
        ends by itself, within `timeout` and 0.1 s.

        Raises what `token()` raises.
        """

    def __call__(self) -> str: ...
    @property
    def expires_at(self) -> datetime.datetime | None:
        """When the token that was handed out last stops working; `None` before the first.

        An aware `datetime` in UTC, whole seconds: the earlier of signing time plus `expires_in` and
        the expiry of the credentials. A connection that is open by then stays open.
        """

def presign(
    *,
    hostname: str,
    port: int,
    username: str,
    region: str | None = None,
    credentials: Credentials,
    signing_time: datetime.datetime | float,
    expires_in: int = 900,
) -> str:
    """Make a token from what is given alone: no clock, variable, file or network is read.

    - `hostname`: the database's endpoint name; a DNS name alone, not an IP address. It is
      lower-cased and loses one final dot.
    - `port`: the database's port. It is always signed.
    - `username`: the database user. Case and spaces are kept.
    - `region`: the endpoint's region; `None` finds it in the hostname.
    - `credentials`: who signs.
    - `signing_time`: when the token begins to be valid: an aware `datetime`, or Unix seconds (`int`
      or `float`). A fraction of a second is dropped.
    - `expires_in`: how long the token is valid, in whole seconds, 1 to 900.

    Returns the token: a few hundred characters, several thousand with a session token. Hand it to
    the driver whole, as the password, over TLS. It is a secret while it is valid.

    Raises `InvalidArgumentError`, whose `field` is the argument's name, for a value that cannot be
    right, such as a naive `datetime`; `RegionNotFoundError` if the region is `None` and the
    hostname has none; `TypeError` for a value of the wrong type.
    """

def generate_db_auth_token(
    DBHostname: str,
    Port: int,
    DBUsername: str,
    Region: str | None = None,
) -> str:
    """Make a token in boto3's words, with credentials from the default chain.

    - `DBHostname`: the database's endpoint name.
    - `Port`: the database's port.
    - `DBUsername`: the database user.
    - `Region`: the endpoint's region. `None` finds it: in the hostname, else in `AWS_REGION` or
      `AWS_DEFAULT_REGION`, else in the profile.

    The same as `Signer(DBHostname, Port, DBUsername, region=Region).token()`, and in place of
    `boto3.client("rds").generate_db_auth_token(...)`. A program that connects more than once keeps
    a `Signer` instead.

    Raises what `Signer` and its `token()` raise; the `field` of an `InvalidArgumentError` is the
    name used here.
    """
