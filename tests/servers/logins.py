"""What the tests of the verifier share: tokens made by botocore, AWS's own signer, so that both
ends are not ours; and logins to either server, with a driver of other people's making.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import socket
import ssl
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import quote

os.environ["BOTO_DISABLE_CRT"] = "true"  # awscrt orders the parameters its own way

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import psycopg
import pymysql
import pytest
from mariadb import MariaDB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common import AccessKey, PrivateServer

assert "RDSTOKEN_TEST_GUARD" in os.environ, "run this through tests/guard.sh"

USERS = ["app", "app_ro", "App", "app user", "müller", "a&DBUser=admin", "100%", "a'b\"c", "u" * 63]

PREFIX = "pam_rdstoken: "
MALFORMED = "the password is not a whole, unaltered authentication token"

DENIED = (psycopg.OperationalError, pymysql.OperationalError)


class Token(str):
    """A token that no traceback shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<a token of {len(self)} bytes>"


SECRETS: set[str] = set()
"""Every secret of this run: what the log must not hold."""


def secrets_of(key: AccessKey) -> set[str]:
    session_token = key.session_token or ""
    return {key.secret_access_key, session_token, quote(session_token, safe="")} - {""}


def sign(
    host: str,
    port: int,
    key: AccessKey,
    user: str = "app",
    *,
    age: int = 0,
    expires: int = 900,
    region: str = "us-east-1",
    service: str = "rds-db",
) -> Token:
    """A token signed `age` seconds ago."""
    credentials = botocore.credentials.Credentials(
        key.access_key_id, key.secret_access_key, key.session_token
    )
    auth = botocore.auth.SigV4QueryAuth(credentials, service, region, expires=expires)
    request = botocore.awsrequest.AWSRequest(
        method="GET",
        url=f"https://{host}:{port}/",
        params={"Action": "connect", "DBUser": user},
        headers={"host": f"{host}:{port}"},
    )
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age)
    naive = now.replace(tzinfo=None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=naive):
        auth.add_auth(request)
    token = Token(request.url.removeprefix("https://"))
    SECRETS.update(secrets_of(key), [token.rpartition("=")[2]])
    return token


# The orders in which AWS's own tools write the same signed request.
A, U, ALG, CRED, DATE, EXP, HDR, TOK, SIG = (
    "Action",
    "DBUser",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
)
ORDERS = {
    "AWS CLI": [A, U, ALG, CRED, DATE, EXP, HDR, TOK, SIG],
    "botocore with awscrt": [A, U, ALG, CRED, DATE, HDR, EXP, TOK, SIG],
    "JavaScript": [A, U, ALG, CRED, DATE, EXP, TOK, SIG, HDR],
    "Go and Ruby": [A, U, ALG, CRED, DATE, EXP, TOK, HDR, SIG],
    "Java": [U, A, TOK, ALG, DATE, HDR, EXP, CRED, SIG],
    ".NET": [A, U, EXP, TOK, ALG, CRED, DATE, HDR, SIG],
    "C++": [A, U, EXP, TOK, DATE, HDR, ALG, CRED, SIG],
    "PHP": [A, U, TOK, ALG, CRED, DATE, HDR, EXP, SIG],
    "Rust": [A, U, ALG, CRED, DATE, EXP, HDR, SIG, TOK],
}


def reordered(token: str, order: Sequence[str], separator: str = "/?") -> Token:
    authority, query = token.split("/?")
    parameters = {parameter.split("=")[0]: parameter for parameter in query.split("&")}
    assert set(parameters) == set(order)
    return Token(authority + separator + "&".join(parameters[name] for name in order))


def login(server: PrivateServer, password: str | bytes, user: str = "app", **options: Any) -> str:
    """Logs in with full certificate verification; answers who we are."""
    if isinstance(server, MariaDB):
        return _mariadb(server, password, user, **options)
    assert isinstance(password, str)  # as psycopg has it
    return _postgres(server, password, user, **options)


def _postgres(server: PrivateServer, password: str, user: str, **options: Any) -> str:
    options = {"sslmode": "verify-full", "sslrootcert": str(server.ca_file)} | options
    with psycopg.connect(
        host=options.pop("host", server.host),
        hostaddr=server.hostaddr,
        port=server.port,
        dbname=server.dbname,
        user=user,
        password=password,
        gssencmode="disable",
        connect_timeout=20,
        **options,
    ) as connection:
        row = connection.execute(
            "select current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()"
        ).fetchone()
    assert row
    assert row[1] is True
    return str(row[0])


def _mariadb(server: PrivateServer, password: str | bytes, user: str, **options: Any) -> str:
    if "ssl_disabled" not in options:
        options = {"ssl": ssl.create_default_context(cafile=str(server.ca_file))} | options
    connection = pymysql.connect(
        host=options.pop("host", server.host),
        user=user,
        # As text, PyMySQL would send it in Latin 1.
        password=password.encode() if isinstance(password, str) else password,
        database=server.dbname,
        charset="utf8mb4",
        defer_connect=True,
        **options,
    )
    # To the address, while the certificate is checked against the name.
    with contextlib.closing(connection):
        connection.connect(socket.create_connection((server.hostaddr, server.port), timeout=20))
        with connection.cursor() as cursor:
            cursor.execute(
                "select current_user(), variable_value from information_schema.session_status"
                " where variable_name = 'ssl_version'"
            )
            row = cursor.fetchone()
    assert row
    assert row[1].startswith("TLS")
    return str(row[0]).rpartition("@")[0]


class Refused:
    """What came of a login that failed: the client's error, and the server's log since."""

    def __init__(self, server: PrivateServer, password: str | bytes, user: str = "app") -> None:
        before = len(server.log())
        with pytest.raises(DENIED) as caught:
            login(server, password, user)
        self.user = user
        self.denied = isinstance(caught.value, pymysql.OperationalError)
        self.error = str(caught.value)
        self.log = server.log()[before:]
        self.reasons = [
            line.removeprefix(PREFIX) for line in self.log.splitlines() if line.startswith(PREFIX)
        ]

    def check(self, reason: str) -> None:
        """The client learns nothing, and the log has the one reason."""
        self.check_client()
        name = self.user.replace('"', '\\"')
        assert self.reasons == [f'refused a token for user "{name}": {reason}']

    def check_client(self) -> None:
        """It learns what every server says to a wrong password, and no more."""
        if self.denied:
            who = repr(f"Access denied for user '{self.user}'@'127.0.0.1' (using password: NO)")
            assert self.error == f"(1045, {who})"
        else:
            message = f'PAM authentication failed for user "{self.user}"'
            assert self.error.splitlines()[-1].endswith(f"FATAL:  {message}")
            assert self.error.count("FATAL") == 1
