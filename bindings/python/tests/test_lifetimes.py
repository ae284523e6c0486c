"""How long tokens are kept, and what a signer tells of it."""

from __future__ import annotations

import asyncio
import datetime
import pickle
import sys
import time
from typing import Any

import pytest
import rdstoken
from helpers import (
    ACCESS_KEY_ID,
    HOSTNAME,
    SECRET_ACCESS_KEY,
    parsed,
    wait_for_the_next_second,
)

UTC = datetime.timezone.utc


def key_of(token: str) -> str:
    return parsed(token)[1]["X-Amz-Credential"].split("/")[0]


class Rotating:
    """A function that gives another key each time."""

    def __init__(self, life: float | None = 3600) -> None:
        self.life = life
        self.calls = 0

    def __call__(self) -> rdstoken.Credentials:
        self.calls += 1
        expires_at = None if self.life is None else time.time() + self.life
        return rdstoken.Credentials(
            f"AKID{self.calls}", SECRET_ACCESS_KEY, "session", expires_at=expires_at
        )


def signer_of(source: Any, **options: Any) -> rdstoken.Signer:
    return rdstoken.Signer(HOSTNAME, 5432, "app", credentials=source, **options)


def test_a_token_is_reused() -> None:
    source = Rotating()
    signer = signer_of(source)
    first = signer.token()
    wait_for_the_next_second()
    assert signer.token() == first
    assert signer() == first
    assert source.calls == 1


def test_a_token_that_is_reused_is_one_object(signer: rdstoken.Signer) -> None:
    first = signer.token()
    assert signer.token() is first
    assert signer() is first
    assert asyncio.run(signer.token_async()) is first
    wait_for_the_next_second()
    assert signer.refused(first)
    fresh = signer.token()
    assert fresh is not first
    assert signer.token() is fresh


def test_a_token_that_is_renewed_is_another_object() -> None:
    source = Rotating()
    signer, other = signer_of(source), signer_of(source)
    first = signer.token()
    other.invalidate(credentials=True)
    other.token()
    renewed = signer.token()
    assert [key_of(token) for token in (first, renewed)] == ["AKID1", "AKID2"]
    assert signer.token() is renewed


def test_a_token_that_dies_is_another_object() -> None:
    signer = signer_of(Rotating(), expires_in=2, min_validity=1)
    wait_for_the_next_second()
    first = signer.token()
    assert signer.token() is first
    wait_for_the_next_second()
    wait_for_the_next_second()
    assert signer.token() != first


@pytest.mark.parametrize("credentials", [False, True])
def test_a_token_that_is_forgotten_is_let_go(credentials: bool) -> None:  # noqa: FBT001
    signer = signer_of(Rotating())
    token = signer.token()
    held = sys.getrefcount(token)
    signer.invalidate(credentials=credentials)
    assert sys.getrefcount(token) == held - 1


def test_without_the_cache_each_call_signs() -> None:
    source = Rotating()
    signer = signer_of(source, cache=False)
    first = signer.token()
    wait_for_the_next_second()
    assert signer.token() != first
    assert signer.token() is not signer.token()
    assert source.calls == 1
    assert signer.stats()[:3] == (4, 0, 1)


def test_min_validity() -> None:
    signer = signer_of(Rotating(), expires_in=3, min_validity=2.0)
    first = signer.token()
    assert signer.token() == first
    time.sleep(1.1)
    assert signer.token() != first


@pytest.mark.parametrize("min_validity", [None, 0, 0.5, 30])
def test_min_validity_leaves_room(min_validity: float | None) -> None:
    signer = signer_of(Rotating(), min_validity=min_validity)
    assert signer.token() == signer.token()


def test_align() -> None:
    source = Rotating()
    tokens = set()
    before = int(time.time()) // 600
    for _ in range(2):
        signer = signer_of(rdstoken.Credentials("AKID", SECRET_ACCESS_KEY), align=600)
        tokens.add(signer.token())
        wait_for_the_next_second()
    signer = signer_of(source, align=600)
    date = parsed(signer.token())[1]["X-Amz-Date"]
    moment = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert moment.timestamp() % 600 == 0
    assert len(tokens) <= 1 + int(time.time()) // 600 - before


def test_a_token_dies_with_its_credentials() -> None:
    end = int(time.time()) + 500
    credentials = rdstoken.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, expires_at=end)
    signer = signer_of(credentials)
    signer.token()
    assert signer.expires_at == datetime.datetime.fromtimestamp(end, UTC)


def test_expired_credentials() -> None:
    credentials = rdstoken.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, expires_at=1)
    with pytest.raises(rdstoken.CredentialsExpiredError):
        signer_of(credentials).token()


def test_expires_at_of_credentials() -> None:
    east = datetime.timezone(datetime.timedelta(hours=14))
    moment = datetime.datetime(2026, 1, 1, 12, 30, 15, 999_999, east)
    credentials = rdstoken.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, moment)
    assert credentials.expires_at == moment.replace(microsecond=0)
    assert credentials.expires_at.tzinfo is UTC
    assert rdstoken.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY).expires_at is None


def test_the_mandatory_window() -> None:
    source = Rotating(life=100)
    signer = signer_of(source, advisory_window=99, mandatory_window=99)
    assert key_of(signer.token()) == "AKID1"
    time.sleep(1.5)
    assert key_of(signer.token()) == "AKID2"


def test_invalidate() -> None:
    source = Rotating()
    signer = signer_of(source)
    first = signer.token()
    wait_for_the_next_second()
    signer.invalidate()
    second = signer.token()
    assert second != first
    assert key_of(second) == "AKID1"
    signer.invalidate(credentials=True)
    assert key_of(signer.token()) == "AKID2"
    assert source.calls == 2


def test_invalidating_the_credentials_is_for_all_who_share_them() -> None:
    source = Rotating()
    signers = [signer_of(source), signer_of(source)]
    assert [key_of(signer.token()) for signer in signers] == ["AKID1", "AKID1"]
    signers[0].invalidate(credentials=True)
    assert [key_of(signer.token()) for signer in signers] == ["AKID2", "AKID2"]


def test_given_credentials_stay(signer: rdstoken.Signer) -> None:
    signer.token()
    signer.invalidate(credentials=True)
    assert key_of(signer.token()) == ACCESS_KEY_ID


@pytest.mark.parametrize("arguments", [(True,), (False,)])
def test_invalidate_takes_a_keyword(signer: rdstoken.Signer, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        signer.invalidate(*arguments)


@pytest.mark.parametrize("value", [1, None, "yes"])
def test_invalidate_takes_a_bool(signer: rdstoken.Signer, value: Any) -> None:
    with pytest.raises(TypeError, match=r"^credentials: expected bool, got "):
        signer.invalidate(credentials=value)


def test_stats() -> None:
    signer = signer_of(Rotating())
    assert signer.stats() == rdstoken.Stats(0, 0, 0, 0, None, None)
    for _ in range(3):
        signer.token()
    stats = signer.stats()
    assert stats == rdstoken.Stats(1, 2, 1, 0, None, signer.expires_at)
    assert stats.expires_at is not None
    assert pickle.loads(pickle.dumps(stats)) == stats
    assert repr(stats).startswith("Stats(signed=1, reused=2, renewals=1, failures=0, ")
    with pytest.raises(AttributeError):
        stats.signed = 5  # type: ignore[misc]


def test_stats_of_a_failure() -> None:
    def fail() -> rdstoken.Credentials:
        raise OSError

    signer = signer_of(fail)
    with pytest.raises(rdstoken.CredentialsFailedError):
        signer.token()
    assert signer.stats() == rdstoken.Stats(0, 0, 0, 1, "CredentialsFailed", None)


def test_what_is_valid_serves_while_the_renewal_fails() -> None:
    source = Rotating(life=100)

    def flaky() -> rdstoken.Credentials:
        if source.calls:
            raise OSError
        return source()

    signer = signer_of(flaky, advisory_window=99, mandatory_window=99)
    first = signer.token()
    time.sleep(1.5)
    assert key_of(signer.token()) == "AKID1"
    assert signer.token() == first
    stats = signer.stats()
    assert (stats.failures, stats.last_error) == (1, "CredentialsFailed")
