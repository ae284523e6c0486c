"""The verifier in each real server: who gets in, who does not, and what the log says."""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import pathlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from common import AccessKey, PrivateServer, Record, pam_argument
from logins import (
    MALFORMED,
    ORDERS,
    PREFIX,
    SECRETS,
    USERS,
    Refused,
    Token,
    login,
    reordered,
    secrets_of,
)
from mariadb import MariaDB
from postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LENGTHS = [353, 512, 1023, 1024, 2048, 4095, 4096, 8192, 10_239, 16_384, 32_768, 65_000, 65_530]
MORE_KEY = AccessKey.random(300)


@pytest.fixture(scope="module", params=[Postgres, MariaDB], ids=lambda kind: kind.name)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrivateServer]:
    more = tmp_path_factory.mktemp("keys") / "credentials"
    more.touch(mode=0o600)
    more.write_text(MORE_KEY.section("more"))
    with request.param(users=USERS, token_lengths=LENGTHS, credentials=more) as server:
        SECRETS.update(*map(secrets_of, server.profiles.values()))
        yield server


# Who gets in.


def test_session_token(server: PrivateServer, make: Callable[..., Token]) -> None:
    token = make()
    assert server.session_key.session_token
    assert {"%2B", "%2F", "%3D"} <= set(re.findall("%..", token))
    assert len(token) > 1500
    assert login(server, token) == "app"


def test_static_key(server: PrivateServer, make: Callable[..., Token]) -> None:
    token = make(key=server.static_key)
    assert "X-Amz-Security-Token" not in token
    assert login(server, token) == "app"


@pytest.mark.parametrize("user", USERS)
def test_every_user(server: PrivateServer, make: Callable[..., Token], user: str) -> None:
    assert login(server, make(user=user), user) == user


def test_a_token_is_good_more_than_once(server: PrivateServer, make: Callable[..., Token]) -> None:
    token = make()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        names = list(pool.map(lambda _: login(server, token), range(30)))
    assert names == ["app"] * 30


@pytest.mark.parametrize(("age", "expires"), [(870, 900), (-270, 900), (0, 60), (-240, 1)])
def test_within_its_time(
    server: PrivateServer, make: Callable[..., Token], age: int, expires: int
) -> None:
    assert login(server, make(age=age, expires=expires)) == "app"


@pytest.mark.parametrize("length", LENGTHS)
def test_lengths(server: PrivateServer, make: Callable[..., Token], length: int) -> None:
    token = make(key=server.keys[length])
    assert len(token) == length
    before = len(server.records())
    assert login(server, token) == "app"
    digest = hashlib.sha256(token.encode()).hexdigest()
    assert server.records()[before:] == [Record("app", length, digest, accepted=True)]


@pytest.mark.parametrize("tool", ORDERS)
def test_orders_of_other_tools(
    server: PrivateServer, make: Callable[..., Token], tool: str
) -> None:
    assert login(server, reordered(make(), ORDERS[tool])) == "app"


# Who does not, each for one reason.


def test_without_the_slash(server: PrivateServer, make: Callable[..., Token]) -> None:
    Refused(server, reordered(make(), ORDERS["Go and Ruby"], "?")).check(MALFORMED)


@pytest.mark.parametrize("place", [0, 31, 63])
def test_tampered_signature(server: PrivateServer, make: Callable[..., Token], place: int) -> None:
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
    server: PrivateServer, make: Callable[..., Token], changes: dict[str, Any], reason: str
) -> None:
    Refused(server, make(**changes)).check(reason)


def test_user_changed_in_the_text(server: PrivateServer, make: Callable[..., Token]) -> None:
    changed = Token(make().replace("DBUser=app&", "DBUser=app_ro&"))
    Refused(server, changed).check("the token is signed for another user")
    Refused(server, changed, "app_ro").check("the signature does not match")


def test_unknown_key(server: PrivateServer, make: Callable[..., Token]) -> None:
    Refused(server, make(key=AccessKey.random())).check("the access key id is not known")


def test_wrong_secret(server: PrivateServer, make: Callable[..., Token]) -> None:
    key = AccessKey(server.static_key.access_key_id, AccessKey.random().secret_access_key)
    Refused(server, make(key=key)).check("the signature does not match")


def test_session_tokens(server: PrivateServer, make: Callable[..., Token]) -> None:
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
def test_cut(server: PrivateServer, make: Callable[..., Token], length: int) -> None:
    Refused(server, make()[:length]).check(MALFORMED)


def test_cut_within_the_signature(server: PrivateServer, make: Callable[..., Token]) -> None:
    for length in (-1, -32, -64):
        Refused(server, make()[:length]).check("the signature does not match")


@pytest.mark.parametrize(
    "password",
    ["x", "hunter2", " ", "\n", "null", "pässword", "a" * 65_530, "%", "/?", "a/?b=c", "\x7f\x01"],
    ids=lambda text: ascii(text[:8]),
)
def test_garbage(server: PrivateServer, password: str) -> None:
    Refused(server, password).check(MALFORMED)


@pytest.mark.parametrize("change", [" {}", "{}\n", "{} ", "https://{}", "{}&x=1", "{}#"])
def test_altered_around(server: PrivateServer, make: Callable[..., Token], change: str) -> None:
    altered = Token(change.format(make()))
    prefix = not change.startswith("{}")
    Refused(server, altered).check(
        "the token is signed for another host or port" if prefix else MALFORMED
    )


def test_percent_escapes_in_lower_case(server: PrivateServer, make: Callable[..., Token]) -> None:
    Refused(server, Token(make().replace("%2F", "%2f"))).check(MALFORMED)


# The verifier's own configuration.


@contextlib.contextmanager
def service(server: PrivateServer, *arguments: str) -> Iterator[None]:
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


def failed_closed(server: PrivateServer, token: Token, reason: str) -> None:
    refused = Refused(server, token)
    refused.check_client()
    assert reason not in refused.error
    assert len(refused.reasons) == 1
    assert refused.reasons[0].startswith(f"cannot check any token: {reason}")


def test_configuration_changes_need_no_restart(
    server: PrivateServer, make: Callable[..., Token]
) -> None:
    credentials, more, endpoint, *_ = server.pam_arguments()
    with service(server, credentials, more, endpoint, "users=app_ro"):
        Refused(server, make()).check("the user may not log in with a token")
        assert login(server, make(user="app_ro"), "app_ro") == "app_ro"
    with service(server, credentials, endpoint):
        assert login(server, make()) == "app"
        Refused(server, make(key=MORE_KEY)).check("the access key id is not known")
    assert login(server, make(key=MORE_KEY)) == "app"


def test_endpoints_without_a_region(server: PrivateServer, make: Callable[..., Token]) -> None:
    credentials, _, endpoint, users, *_ = server.pam_arguments()
    custom = f"endpoint=db.example.com:{server.port}"
    with service(server, credentials, custom, "region=eu-west-1", endpoint, users):
        at = {"host": "db.example.com", "region": "eu-west-1"}
        assert login(server, make(**at)) == "app"
        assert login(server, make()) == "app"
        Refused(server, make(host="db.example.com")).check("the token is signed for another region")
    with service(server, credentials, custom, users):
        failed_closed(server, make(), "argument endpoint: ")


def test_mistakes_let_nobody_in(server: PrivateServer, make: Callable[..., Token]) -> None:
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


def test_a_record_that_cannot_be_written_lets_nobody_in(
    server: PrivateServer, make: Callable[..., Token]
) -> None:
    credentials, _, endpoint, *_ = server.pam_arguments()
    with service(server, credentials, endpoint, "record=/nonexistent/records"):
        refused = Refused(server, make())
    refused.check_client()
    (reason,) = refused.reasons
    assert reason.startswith("cannot write the record: No such file or directory")


# And of all that happened, nothing secret was written down.


def test_the_log_holds_no_secret(server: PrivateServer, make: Callable[..., Token]) -> None:
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
