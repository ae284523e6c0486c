"""The native half of rdstoken. Import from `rdstoken` instead."""

import datetime
from collections.abc import Callable, Coroutine
from typing import Any, Literal, final

from rdstoken._limits import Limit
from rdstoken._provider import BotocoreCredentials, FrozenCredentials
from rdstoken._stats import Stats

__all__ = [
    "Credentials",
    "Signer",
    "__version__",
    "check_length",
    "generate_db_auth_token",
    "limits",
    "presign",
]

__version__: str

@final
class Credentials:
    """AWS credentials: an access key, with a session token if they are temporary.

    - `access_key_id`, `secret_access_key`: the access key's two halves.
    - `session_token`: what temporary credentials come with. `None`, or an empty text, means none.
    - `expires_at`: when they expire: an aware `datetime`, or Unix seconds (`int` or `float`) of the
      years 1970 to 9999. A fraction of a second is dropped. `None` means that it is not known, or
      never. No token signed with them is said to live longer.

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
        expires_at: datetime.datetime | float | None = None,
    ) -> Credentials: ...
    @property
    def access_key_id(self) -> str:
        """The access key id. It is no secret: it stands readable in every token."""
    @property
    def expires_at(self) -> datetime.datetime | None:
        """When they expire; `None` if that is not known, or never.

        An aware `datetime` in UTC, whole seconds.
        """

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
    - `credentials`: sign with these and look for none. Not together with `profile`. One of:
      - `Credentials`.
      - A function without arguments that returns `Credentials`, a botocore credentials object or
        botocore's frozen credentials: `boto3.Session().get_credentials`, for one. No coroutine
        function.
      - A botocore credentials object: anything with `get_frozen_credentials()`. Its expiry is read
        from `_expiry_time`, if that is an aware `datetime`; it has no public name in botocore.
    - `role_arn`: assume this role with the credentials found as above.
    - `role_session_name`: the name of the assumed role's session, 2 to 64 characters. `None` means
      "rdstoken". Only with `role_arn`.
    - `external_id`: the external id that the role's trust policy asks for. Only with `role_arn`.
    - `expires_in`: how long a token is valid, in whole seconds, 1 to 900.
    - `timeout`: how long to wait for credentials, in seconds, all sources together; more than 0, at
      most 3600.
    - `min_validity`: reuse a token while it has at least this many seconds left, 0 to 899 and less
      than `expires_in`. `None` means 60, or `expires_in` - 1 if that is less.
    - `align`: sign as of the last multiple of this, in whole seconds, 0 to 600; 0 is off. All who
      hold the same credentials then make the same token, which Aurora does not throttle. A fresh
      token has at least `expires_in` - `align` seconds left; that must not be less than
      `min_validity`.
    - `cache`: reuse tokens. `False` signs anew each time; credentials are kept all the same.
    - `advisory_window`: so many seconds before the credentials expire, one caller renews them and
      the others use what is there; at most 43200. It is lengthened by up to a fifth at random.
    - `mandatory_window`: so many seconds before the credentials expire, all callers wait for the
      renewal; no more than `advisory_window`.
    - `warn_hostname`: log a warning, once, if the hostname is none of RDS's own: the server checks
      the name that is signed, and knows only its own.

    Making a signer looks for nothing yet: no variable, file or network is read before the first
    token. A signer can be called: `signer()` is `signer.token()`, for drivers that take a function
    in place of a password.

    Signers of the same profile, or with the same function, method or botocore object, and of the
    same role share one set of credentials, fetched by one of them at a time. A function is called
    on a short-lived thread of rdstoken's, when there are no credentials or they had better be
    renewed; those that tell no expiry are asked for again after 15 minutes. If it takes longer than
    `timeout`, the caller is answered without it. What it raises becomes a `CredentialsFailedError`
    that names the class alone, because the text may hold secrets. The signer keeps it alive, and
    the garbage collector does not see a cycle through it.

    What happens is logged to `logging.getLogger("rdstoken")`, at the levels `DEBUG` and `WARNING`,
    after the call that it happened in. No record holds a secret.

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
        credentials: (
            Credentials
            | BotocoreCredentials
            | Callable[[], Credentials | BotocoreCredentials | FrozenCredentials]
            | None
        ) = None,
        role_arn: str | None = None,
        role_session_name: str | None = None,
        external_id: str | None = None,
        expires_in: int = 900,
        timeout: float = 5.0,
        min_validity: float | None = None,
        align: int = 0,
        cache: bool = True,
        advisory_window: float = 300,
        mandatory_window: float = 60,
        warn_hostname: bool = True,
    ) -> Signer: ...
    def token(self) -> str:
        """Give a token for the next login: one handed out before if good enough, else a new one.

        With one handed out before it returns at once, takes no lock and keeps the GIL. Else
        it signs, and waits while credentials are fetched, no longer than `timeout` and 0.1 s; other
        threads run meanwhile. A signal that arrives during the wait is handled after it; so is
        Ctrl-C (`KeyboardInterrupt`).

        While a renewal of the credentials fails, a token that is still valid is handed out, even
        with less than `min_validity` left; one that is not, never.

        Returns the token: a few hundred characters, several thousand with a session token. Hand it
        to the driver whole, as the password, over TLS. It is a secret while it is valid.

        Raises `RegionNotFoundError`, `CredentialsNotFoundError`, `CredentialsFailedError`,
        `CredentialsExpiredError` or `TimeoutError`.
        """

    def token_async(self) -> Coroutine[Any, Any, str]:
        """As `token()`, for asyncio: await the result, once. The event loop runs on meanwhile.

        A token that is handed out again is looked up when the result is awaited, and takes no
        thread. Else the work is done by `asyncio.to_thread`. Cancelling the wait does not stop it;
        the thread ends by itself, within `timeout` and 0.1 s.

        Raises what `token()` raises.
        """

    def connection_string(
        self,
        driver: str,
        form: str | None = None,
        *,
        database: str | None = None,
        ca_file: str | None = None,
        hostaddr: str | None = None,
        odbc_driver: str | None = None,
        on_limit: Literal["refuse", "warn"] = "refuse",
        token: str | None = None,
    ) -> str:
        """Write a connection string with a token for the next login.

        It is quoted and escaped as the driver's parser wants it, asks for TLS and verifies the
        certificate and its name. It is as secret as the token in it, and works as long as that. A
        driver with a hook for a fresh password is better served there: see the modules of
        `rdstoken` that are named like drivers.

        - `driver`: the driver that reads it: "psqlodbc", "libpq", "pgjdbc", ...; `limits()` lists
          them.
        - `form`: its syntax: "connection-string" for ODBC, "uri", "passfile", ...; `None` means the
          first that can be written for the driver.
        - `database`: the database to use; `None` leaves it to the driver.
        - `ca_file`: the file of the certificate authorities to trust; `None` leaves it to the
          driver.
        - `hostaddr`: connect to this address, while the certificate is still that of the endpoint's
          name. Only for libpq and what stands on it.
        - `odbc_driver`: what ODBC calls the driver: its name in odbcinst.ini or its library's path.
          `None` means `PostgreSQL Unicode` or `MariaDB Unicode`.
        - `on_limit`: "refuse" or "warn" (to the log) if the driver is known to cut or alter a token
          of this length.
        - `token`: the token to write, for who needs to know it, to try once more after `refused()`;
          `None` means one from `token()`.

        Raises `InvalidArgumentError` for an unknown driver or form, or an option that the string
        has no room for; `DriverLimitError`; and what `token()` raises.
        """

    def refused(self, token: str) -> bool:
        """Tell the signer that the server refused a login because of the password.

        - `token`: the token that was refused.

        Returns whether to try once more, with a fresh token. `True` if the token had been handed
        out before, and so may have died since: it is forgotten, and the next call signs a new one.
        `False` if it came fresh from signing, because the next would be refused as well; if the
        next would be the same, within the same second or period of `align`; if tokens are not
        reused at all; or if it is for another login.
        """

    @property
    def hostname(self) -> str:
        """The endpoint's name, as it is signed: lower case, no final dot."""

    @property
    def port(self) -> int:
        """The endpoint's port."""

    @property
    def username(self) -> str:
        """The database user."""

    def invalidate(self, *, credentials: bool = False) -> None:
        """Forget the token, so that the next call signs a new one.

        For the one retry after a login was refused with a token that had been handed out before.

        - `credentials`: forget the credentials that signed it as well, for all signers that share
          them, so that the next call fetches new ones. `Credentials` that were passed in stay.
        """

    def stats(self) -> Stats:
        """Tell what has been done so far."""

    def __call__(self) -> str: ...
    @property
    def expires_at(self) -> datetime.datetime | None:
        """When the token that was signed last stops working; `None` before the first.

        An aware `datetime` in UTC, whole seconds: the earlier of signing time plus `expires_in` and
        the expiry of the credentials. A connection that is open by then stays open.
        """

def check_length(driver: str, form: str, token: str) -> None:
    """Check that a driver passes on a token whole that is given to it in a certain form.

    - `driver`, `form`: as `limits()` names them, for example "mariadb-cli" and "prompt".
    - `token`: the token; its length counts.

    Raises `DriverLimitError` if the driver is known not to; `InvalidArgumentError` for a driver or
    form that is not known.
    """

def limits() -> list[Limit]:
    """List what drivers do to long passwords: a `Limit` for each driver and way to give it one."""

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
