"""The verifier in a real PostgreSQL: who gets in, who does not, what the log says, and what it
must never say. The tokens are made by botocore, AWS's own signer, so both ends are not ours.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime
import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import quote

os.environ["BOTO_DISABLE_CRT"] = "true"  # awscrt orders the parameters its own way

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import psycopg
import pytest
from common import AccessKey, pam_argument
from postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from typing_extensions import Self

assert "RDSTOKEN_TEST_GUARD" in os.environ, "run this through tests/guard.sh"

USERS = ["app", "app_ro", "App", "app user", "müller", "a&DBUser=admin", "100%", "a'b\"c", "u" * 63]
OUTSIDER = "postgres"  # a user of the server's that may not log in with a token

PREFIX = "pam_rdstoken: "
MALFORMED = "the password is not a whole, unaltered authentication token"

LONGEST = 65_530  # what PostgreSQL takes
LENGTHS = [512, 1023, 1024, 2048, 4095, 4096, 8192, 10_239, 16_384, 32_768, 65_000, LONGEST]
TOO_LONG = [LONGEST + 1, 65_535, 65_900]


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


def key_for(length: int, number: int) -> AccessKey:
    """A key whose tokens for `app` have exactly this length."""
    plain = AccessKey(f"ASIAMADEUPFORLEN{number:04}", AccessKey.random().secret_access_key, "a")
    shortest = len(sign(Postgres().host, 10_000, plain))
    session_token = (AccessKey.random(length).session_token or "").replace("+", "a")
    session_token = session_token.replace("/", "b").replace("=", "c")[: length - shortest + 1]
    return AccessKey(plain.access_key_id, plain.secret_access_key, session_token)


KEYS = {length: key_for(length, number) for number, length in enumerate([*LENGTHS, *TOO_LONG])}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    more = tmp_path_factory.mktemp("keys") / "credentials"
    more.touch(mode=0o600)
    more.write_text("".join(key.section(f"of {length}") for length, key in KEYS.items()))
    with Postgres(users=USERS, credentials=more) as postgres:
        SECRETS.update(secrets_of(postgres.session_key), secrets_of(postgres.static_key))
        yield postgres


@pytest.fixture
def make(server: Postgres) -> Callable[..., Token]:
    """Signs for the server, with its session key unless told otherwise."""

    def make(**changes: Any) -> Token:
        request: dict[str, Any] = {
            "host": server.host,
            "port": server.port,
            "key": server.session_key,
        }
        return sign(**(request | changes))

    return make


def login(server: Postgres, password: str, user: str = "app", **options: Any) -> str:
    """Logs in with full certificate verification; answers who we are."""
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


class Refused:
    """What came of a login that failed: the client's error, and the server's log since."""

    def __init__(self, server: Postgres, password: str, user: str = "app") -> None:
        before = len(server.log())
        with pytest.raises(psycopg.OperationalError) as caught:
            login(server, password, user)
        self.user = user
        self.error = str(caught.value)
        self.log = server.log()[before:]
        self.reasons = [
            line.removeprefix(PREFIX) for line in self.log.splitlines() if PREFIX in line
        ]

    def check(self, reason: str) -> None:
        """The client learns nothing, and the log has the one reason."""
        message = f'PAM authentication failed for user "{self.user}"'
        assert self.error.splitlines()[-1].endswith(f"FATAL:  {message}")
        assert self.error.count("FATAL") == 1
        assert "token" not in self.error
        name = self.user.replace('"', '\\"')
        assert self.reasons == [f'refused a token for user "{name}": {reason}']


# Who gets in.


def test_session_token(server: Postgres, make: Callable[..., Token]) -> None:
    token = make()
    assert server.session_key.session_token
    assert {"%2B", "%2F", "%3D"} <= set(re.findall("%..", token))
    assert len(token) > 1500
    assert login(server, token) == "app"


def test_static_key(server: Postgres, make: Callable[..., Token]) -> None:
    token = make(key=server.static_key)
    assert "X-Amz-Security-Token" not in token
    assert login(server, token) == "app"


@pytest.mark.parametrize("user", USERS)
def test_every_user(server: Postgres, make: Callable[..., Token], user: str) -> None:
    assert login(server, make(user=user), user) == user


def test_a_token_is_good_more_than_once(server: Postgres, make: Callable[..., Token]) -> None:
    token = make()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        names = list(pool.map(lambda _: login(server, token), range(30)))
    assert names == ["app"] * 30


@pytest.mark.parametrize(("age", "expires"), [(870, 900), (-270, 900), (0, 60), (-240, 1)])
def test_within_its_time(
    server: Postgres, make: Callable[..., Token], age: int, expires: int
) -> None:
    assert login(server, make(age=age, expires=expires)) == "app"


@pytest.mark.parametrize("length", LENGTHS)
def test_lengths(server: Postgres, make: Callable[..., Token], length: int) -> None:
    token = make(key=KEYS[length])
    assert len(token) == length
    assert login(server, token) == "app"


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


@pytest.mark.parametrize("tool", ORDERS)
def test_orders_of_other_tools(server: Postgres, make: Callable[..., Token], tool: str) -> None:
    assert login(server, reordered(make(), ORDERS[tool])) == "app"


# Who does not, each for one reason.


def test_without_the_slash(server: Postgres, make: Callable[..., Token]) -> None:
    Refused(server, reordered(make(), ORDERS["Go and Ruby"], "?")).check(MALFORMED)


@pytest.mark.parametrize("place", [0, 31, 63])
def test_tampered_signature(server: Postgres, make: Callable[..., Token], place: int) -> None:
    token = make()
    rest, signature = token[:-64], token[-64:]
    changed = "0" if signature[place] != "0" else "1"
    tampered = Token(rest + signature[:place] + changed + signature[place + 1 :])
    Refused(server, tampered).check("the signature does not match")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"age": 901}, "the token has expired"),
        ({"age": 86_400}, "the token has expired"),
        ({"age": 2, "expires": 1}, "the token has expired"),
        ({"age": -360}, "the token is signed more than 5 minutes in the future"),
        ({"user": "app_ro"}, "the token is signed for another user"),
        ({"user": "App"}, "the token is signed for another user"),
        (
            {"host": "other.cluster-abc123def456.us-east-1.rds.amazonaws.com"},
            "the token is signed for another host or port",
        ),
        ({"host": "127.0.0.1"}, "the token is signed for another host or port"),
        ({"port": 5432}, "the token is signed for another host or port"),
        ({"region": "us-west-2"}, "the token is signed for another region"),
        ({"service": "rds"}, "the token is signed for another service than rds-db"),
        ({"expires": 901}, "the token's X-Amz-Expires is not 1 to 900 seconds"),
        ({"expires": 604_800}, "the token's X-Amz-Expires is not 1 to 900 seconds"),
    ],
    ids=str,
)
def test_wrong_claims(
    server: Postgres, make: Callable[..., Token], changes: dict[str, Any], reason: str
) -> None:
    Refused(server, make(**changes)).check(reason)


def test_user_changed_in_the_text(server: Postgres, make: Callable[..., Token]) -> None:
    changed = Token(make().replace("DBUser=app&", "DBUser=app_ro&"))
    Refused(server, changed).check("the token is signed for another user")
    Refused(server, changed, "app_ro").check("the signature does not match")


def test_unknown_key(server: Postgres, make: Callable[..., Token]) -> None:
    Refused(server, make(key=AccessKey.random())).check("the access key id is not known")


def test_wrong_secret(server: Postgres, make: Callable[..., Token]) -> None:
    key = AccessKey(server.static_key.access_key_id, AccessKey.random().secret_access_key)
    Refused(server, make(key=key)).check("the signature does not match")


def test_session_tokens(server: Postgres, make: Callable[..., Token]) -> None:
    ours = server.session_key

    def signed_with(session_token: str | None, key: AccessKey = ours) -> Token:
        key = AccessKey(key.access_key_id, key.secret_access_key, session_token)
        return make(key=key)

    wrong = "the session token does not belong to the access key"
    Refused(server, signed_with(None)).check("the token lacks the session token of its access key")
    Refused(server, signed_with(AccessKey.random(1200).session_token)).check(wrong)
    assert ours.session_token
    Refused(server, signed_with(ours.session_token[:-1])).check(wrong)
    Refused(server, signed_with(ours.session_token, server.static_key)).check(wrong)


@pytest.mark.parametrize("length", [1, 79, 127, 255, 350, 988, 1012, 1024, -65])
def test_cut(server: Postgres, make: Callable[..., Token], length: int) -> None:
    Refused(server, make()[:length]).check(MALFORMED)


def test_cut_within_the_signature(server: Postgres, make: Callable[..., Token]) -> None:
    for length in (-1, -32, -64):
        Refused(server, make()[:length]).check("the signature does not match")


@pytest.mark.parametrize(
    "password",
    ["x", "hunter2", " ", "\n", "null", "pässword", "a" * 65_530, "%", "/?", "a/?b=c", "\x7f\x01"],
    ids=lambda text: ascii(text[:8]),
)
def test_garbage(server: Postgres, password: str) -> None:
    Refused(server, password).check(MALFORMED)


@pytest.mark.parametrize("change", [" {}", "{}\n", "{} ", "https://{}", "{}&x=1", "{}#"])
def test_altered_around(server: Postgres, make: Callable[..., Token], change: str) -> None:
    altered = Token(change.format(make()))
    prefix = not change.startswith("{}")
    Refused(server, altered).check(
        "the token is signed for another host or port" if prefix else MALFORMED
    )


def test_percent_escapes_in_lower_case(server: Postgres, make: Callable[..., Token]) -> None:
    Refused(server, Token(make().replace("%2F", "%2f"))).check(MALFORMED)


@pytest.mark.parametrize("length", TOO_LONG)
def test_too_long_for_postgresql(server: Postgres, make: Callable[..., Token], length: int) -> None:
    """PostgreSQL hangs up before the verifier sees anything of it."""
    token = make(key=KEYS[length])
    assert len(token) == length
    refused = Refused(server, token)
    assert "PAM authentication failed" not in refused.error
    assert re.search("closed.* unexpectedly", refused.error)
    assert "invalid message length" in refused.log
    assert not any("refused a token" in reason for reason in refused.reasons)


def test_users_of_the_server_that_are_not_allowed(
    server: Postgres, make: Callable[..., Token]
) -> None:
    refused = Refused(server, make(user=OUTSIDER), OUTSIDER)
    refused.check("the user may not log in with a token")


# What only a client of our own can send.


class RawClient:
    """As much of PostgreSQL's protocol as a login takes."""

    def __init__(self, server: Postgres, user: str | bytes = "app", *, tls: bool = True) -> None:
        self.socket = socket.create_connection((server.hostaddr, server.port), timeout=20)
        if tls:
            self.socket.sendall(struct.pack("!II", 8, 80877103))
            assert self.socket.recv(1) == b"S"
            context = ssl.create_default_context(cafile=str(server.ca_file))
            self.socket = context.wrap_socket(self.socket, server_hostname=server.host)
        user = user.encode() if isinstance(user, str) else user
        parameters = b"user\0" + user + b"\0database\0postgres\0\0"
        self.socket.sendall(struct.pack("!II", len(parameters) + 8, 196608) + parameters)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def message(self) -> tuple[bytes, bytes]:
        """The server's next message: its letter and its body."""
        kind, length = struct.unpack("!cI", self._exactly(5))
        return kind, self._exactly(length - 4)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def answer(self, password: bytes) -> tuple[bytes, bytes]:
        """Answers the question for a cleartext password."""
        assert self.message() == (b"R", struct.pack("!I", 3))
        self.socket.sendall(struct.pack("!cI", b"p", len(password) + 5) + password + b"\0")
        return self.message()


def test_the_raw_client_can_log_in(server: Postgres, make: Callable[..., Token]) -> None:
    with RawClient(server) as client:
        assert client.answer(make().encode()) == (b"R", struct.pack("!I", 0))


def test_empty_password(server: Postgres) -> None:
    """PostgreSQL itself refuses it, before PAM sees it."""
    before = len(server.log())
    with RawClient(server) as client:
        kind, body = client.answer(b"")
    assert kind == b"E"
    assert b"empty password" in body
    log = server.log()[before:]
    assert "empty password returned by client" in log
    assert "refused a token" not in log


def test_a_password_that_is_no_text(server: Postgres, make: Callable[..., Token]) -> None:
    before = len(server.log())
    with RawClient(server) as client:
        kind, body = client.answer(b"\xff\xfe" + make().encode())
    assert kind == b"E"
    assert b'PAM authentication failed for user "app"' in body
    assert f'{PREFIX}refused a token for user "app": {MALFORMED}' in server.log()[before:]


def test_a_user_that_is_no_text(server: Postgres, make: Callable[..., Token]) -> None:
    before = len(server.log())
    with RawClient(server, b"\xff\x1b[2J\n") as client:
        kind, _body = client.answer(make().encode())
    assert kind == b"E"
    reason = "the token is signed for another user"
    expected = f'{PREFIX}refused a token for user "\ufffd\\u{{1b}}[2J\\n": {reason}'
    assert expected in server.log()[before:].splitlines()


def test_a_client_that_leaves(server: Postgres, make: Callable[..., Token]) -> None:
    """As psql does when it was given no password and asks its user for one."""
    with RawClient(server) as client:
        assert client.message()[0] == b"R"
    assert login(server, make()) == "app"
    assert server.is_running()


def test_without_tls(server: Postgres, make: Callable[..., Token]) -> None:
    """Nothing is asked for: the token never leaves the client."""
    before = len(server.log())
    with RawClient(server, tls=False) as client:
        kind, body = client.message()
        assert kind == b"E"
        assert b"pg_hba.conf rejects connection" in body
        with pytest.raises(EOFError):
            client.message()
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        login(server, make(), sslmode="disable")
    assert PREFIX not in server.log()[before:]


def test_the_certificate_is_the_endpoints(
    server: Postgres, make: Callable[..., Token], tmp_path: pathlib.Path
) -> None:
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        login(server, make(), host="other.us-east-1.rds.amazonaws.com")
    with pytest.raises(psycopg.OperationalError, match="root certificate"):
        login(server, make(), sslrootcert=str(tmp_path / "none.crt"))


# The verifier's own configuration.


@contextlib.contextmanager
def service(server: Postgres, *arguments: str) -> Iterator[None]:
    """The service file with other arguments, for a while."""
    text = server.pam_service_file.read_text()
    line, rest = text.split("\n", 1)
    control = line.split(" [", 1)[0]
    try:
        written = " ".join([control, *map(pam_argument, arguments)])
        server.pam_service_file.write_text(written + "\n" + rest)
        yield
    finally:
        server.pam_service_file.write_text(text)


def failed_closed(server: Postgres, token: Token, reason: str) -> None:
    refused = Refused(server, token)
    assert 'FATAL:  PAM authentication failed for user "app"' in refused.error
    assert reason not in refused.error
    assert len(refused.reasons) == 1
    assert refused.reasons[0].startswith(f"cannot check any token: {reason}")


def test_configuration_changes_need_no_restart(
    server: Postgres, make: Callable[..., Token]
) -> None:
    credentials, more, endpoint, *_ = server.pam_arguments()
    with service(server, credentials, more, endpoint, "users=app_ro"):
        Refused(server, make()).check("the user may not log in with a token")
        assert login(server, make(user="app_ro"), "app_ro") == "app_ro"
    with service(server, credentials, endpoint):
        assert login(server, make()) == "app"
        assert login(server, make(user=OUTSIDER), OUTSIDER) == OUTSIDER
        length_key = make(key=KEYS[1024])
        Refused(server, length_key).check("the access key id is not known")
    assert login(server, make(key=KEYS[1024])) == "app"


def test_endpoints_without_a_region(server: Postgres, make: Callable[..., Token]) -> None:
    credentials, _, endpoint, users, *_ = server.pam_arguments()
    custom = f"endpoint=db.example.com:{server.port}"
    with service(server, credentials, custom, "region=eu-west-1", endpoint, users):
        at = {"host": "db.example.com", "region": "eu-west-1"}
        assert login(server, make(**at)) == "app"
        assert login(server, make()) == "app"
        Refused(server, make(host="db.example.com")).check("the token is signed for another region")
    with service(server, credentials, custom, users):
        failed_closed(server, make(), "argument endpoint: ")


def test_mistakes_let_nobody_in(server: Postgres, make: Callable[..., Token]) -> None:
    credentials, _, endpoint, *_ = server.pam_arguments()
    for arguments, reason in (
        ([], "argument endpoint is missing"),
        ([credentials], "argument endpoint is missing"),
        ([endpoint], "argument credentials is missing"),
        ([credentials, endpoint, "debug"], "argument 3 is not NAME=VALUE"),
        ([credentials, endpoint, "user=app"], "argument 3 is not one of "),
        ([credentials, endpoint, "users="], "argument users: "),
        ([credentials, "endpoint=127.0.0.1:5432"], "argument endpoint: hostname: "),
        (["credentials=/nonexistent", endpoint], 'cannot read "/nonexistent": '),
    ):
        with service(server, *arguments):
            failed_closed(server, make(), reason)
    file = pathlib.Path(credentials.partition("=")[2])
    good = file.read_text()
    try:
        for content, reason in (
            ("", "no access key"),
            ("[default]\nregion = us-east-1\n", "no access key"),
            (good.replace("aws_access_key_id", "access_key_id"), f'"{file}": section 1: '),
            (good.replace("]", "", 1), f'"{file}": '),
        ):
            file.write_text(content)
            with service(server, credentials, endpoint):
                failed_closed(server, make(), reason)
        file.write_text(good)
        file.chmod(0)  # the server's user is never root
        failed_closed(server, make(), f'cannot read "{file}": Permission denied')
    finally:
        file.chmod(0o600)
        file.write_text(good)
    assert login(server, make()) == "app"


# And of all that happened, nothing secret was written down.


def test_the_log_holds_no_secret(server: Postgres, make: Callable[..., Token]) -> None:
    Refused(server, make(age=901))
    Refused(server, make()[:1000])
    log = server.log()
    assert log.count(PREFIX) >= 2
    assert "Action=connect" not in log
    assert "X-Amz-Signature" not in log
    # Nor a part of one: every run of 16 characters is looked for.
    parts = {secret[at : at + 16] for secret in SECRETS for at in range(len(secret) - 15)}
    assert len(parts) > 1000
    leaked = sum(log[at : at + 16] in parts for at in range(len(log)))
    assert leaked == 0


def test_the_verifier_is_the_module_we_think_it_is(server: Postgres) -> None:
    """Its exports are PAM's three functions and nothing else; it names libpam itself."""
    module = server.directory / "server" / "pam_rdstoken.so"
    exported = read("nm", "-D", "--defined-only", "--format=posix", str(module))
    names = {line.split()[0] for line in exported.splitlines()}
    assert names == {"pam_sm_authenticate", "pam_sm_setcred", "pam_sm_acct_mgmt"}
    dynamic = read("readelf", "--dynamic", str(module))
    assert re.search(r"NEEDED.*\[libpam\.so\.0\]", dynamic)
    assert "NODELETE" in dynamic


def read(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
