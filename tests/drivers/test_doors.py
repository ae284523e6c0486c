"""What every driver's adapter must do, through each door: see doors.py."""

from __future__ import annotations

import contextlib
import logging
import traceback
from typing import TYPE_CHECKING, Any

import doors
import pytest
import rdstoken
from common import HOSTNAME, AccessKey
from plaintext import PlainMariaDB, PlainPostgres
from signers import LEFT_TO_THE_COLLECTOR, LENGTHS, OTHER, USER, made, wait_until_dead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doors import Door
    from rdstoken import Signer
    from signers import Logins

    Opened = tuple[Signer, Callable[[int], list[str]], contextlib.ExitStack]

pytestmark = LEFT_TO_THE_COLLECTOR

every = pytest.mark.parametrize("door", doors.ALL, ids=repr)


@pytest.fixture
def logins(door: Door, request: pytest.FixtureRequest) -> Logins:
    found: Logins = request.getfixturevalue(door.server)
    return found


POOLS = [door for door in doors.ALL if door.pool]


@pytest.fixture(scope="module")
def opened(postgres: Logins, mariadb: Logins) -> Iterator[dict[tuple[Door, int], Opened]]:
    """All the pools, each with a connection and a signer whose first token is dead."""
    with contextlib.ExitStack() as every:
        found = {}
        for door in POOLS:
            logins = {"postgres": postgres, "mariadb": mariadb}[door.server]
            for length in LENGTHS:
                signer = logins.brief(length)
                stack = every.enter_context(contextlib.ExitStack())
                assert door.pool
                users = stack.enter_context(door.pool(signer, logins.dbname, logins.ca_file))
                assert users(1) == [USER]
                found[door, length] = signer, users, stack
        wait_until_dead(signer)
        yield found


@pytest.mark.parametrize("door", POOLS, ids=repr)
@pytest.mark.parametrize("length", LENGTHS)
def test_a_pool_goes_on_when_its_first_token_is_dead(
    door: Door, logins: Logins, opened: dict[tuple[Door, int], Opened], length: int
) -> None:
    signer, users, stack = opened[door, length]
    before = len(logins.server.records())
    with stack:  # closed at once: the server has few places
        assert users(3) == [USER] * 3
    records = logins.server.records()[before:]
    assert len(records) >= 2
    assert {(record.length, record.accepted) for record in records} == {(length - 2, True)}
    assert signer.stats().signed > 1


@every
@pytest.mark.parametrize("length", LENGTHS)
def test_long_tokens_arrive_whole(door: Door, logins: Logins, length: int) -> None:
    signer = logins.long(length)
    before = len(logins.server.records())
    assert door.login(signer, logins.dbname, logins.ca_file) == USER
    if door.pool:
        with door.pool(signer, logins.dbname, logins.ca_file) as users:
            assert users(2) == [USER] * 2
    records = logins.server.records()[before:]
    assert len(records) >= (3 if door.pool else 1)
    assert all(record.accepted and record.length == length for record in records)


@every
def test_a_refused_token_from_the_cache_is_replaced_once(door: Door, logins: Logins) -> None:
    rotation = logins.rotation()
    assert door.login(rotation.signer, logins.dbname, logins.ca_file) == USER
    rotation.turn()
    with logins.seen() as answers:
        assert door.login(rotation.signer, logins.dbname, logins.ca_file) == USER
    assert answers == [False, True]
    assert rotation.signer.stats().signed == 2


@every
def test_there_is_no_third_try(
    door: Door, logins: Logins, caplog: pytest.LogCaptureFixture
) -> None:
    rotation = logins.rotation()
    tokens = [rotation.signer.token()]
    rotation.turn(known=False)
    with caplog.at_level(logging.DEBUG), logins.seen() as answers, door.refused() as caught:
        door.login(rotation.signer, logins.dbname, logins.ca_file)
    assert door.once(answers, 2) == [False, False]
    tokens.append(rotation.signer.token())
    told = caplog.text + "".join(traceback.format_exception(caught.value))
    assert not [token for token in tokens if token in told or token[-64:] in told]


@every
def test_a_fresh_token_that_is_refused_is_not_replaced(door: Door, logins: Logins) -> None:
    signer = logins.signer(AccessKey.random(40))  # a key that the server does not know
    with logins.seen() as answers, door.refused():
        door.login(signer, logins.dbname, logins.ca_file)
    assert door.once(answers, 1) == [False]


@every
def test_another_error_is_no_reason_to_try_again(door: Door, logins: Logins) -> None:
    signer = logins.signer()
    signer.token()
    with logins.seen() as answers, door.refused():
        door.login(signer, "nowhere", logins.ca_file)
    assert door.once(answers, 1) == [True]
    assert signer.stats().signed == 1


@every
def test_without_tls_no_token_leaves(door: Door, logins: Logins) -> None:
    plain: Any = {"postgres": PlainPostgres, "mariadb": PlainMariaDB}[door.server]
    with plain() as server:
        signer = rdstoken.Signer(
            HOSTNAME, server.port, USER, credentials=made(logins.server.session_key)
        )
        with door.refused():
            door.login(signer, logins.dbname, logins.ca_file)
        assert server.connections
        assert server.passwords == []
        assert b"X-Amz" not in server.received


@every
def test_a_server_with_another_name_in_its_certificate_gets_no_token(
    door: Door, logins: Logins
) -> None:
    signer = rdstoken.Signer(OTHER, logins.port, USER, credentials=made(logins.server.session_key))
    with logins.seen() as answers, door.refused():
        door.login(signer, logins.dbname, logins.ca_file)
    assert answers == []


@every
def test_a_server_with_another_certificate_gets_no_token(door: Door, logins: Logins) -> None:
    with logins.seen() as answers, door.refused():
        door.login(logins.signer(), logins.dbname, "/etc/ssl/certs/ca-certificates.crt")
    assert answers == []
