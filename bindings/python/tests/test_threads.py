"""One signer serves many threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import rdstoken
from helpers import ACCESS_KEY_ID, HOSTNAME, parsed

THREADS = 16


def tokens_of_many_threads(signer: rdstoken.Signer, rounds: int) -> list[str]:
    together = threading.Barrier(THREADS)

    def work() -> list[str]:
        together.wait(10)
        return [signer.token() for _ in range(rounds)]

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(work) for _ in range(THREADS)]
        return [token for future in futures for token in future.result()]


def check(tokens: list[str]) -> None:
    for token in tokens:
        authority, parameters = parsed(token)
        assert authority == f"{HOSTNAME}:5432"
        assert parameters["X-Amz-Credential"].startswith(ACCESS_KEY_ID + "/")
        assert len(parameters["X-Amz-Signature"]) == 64


def test_with_credentials_at_hand(signer: rdstoken.Signer) -> None:
    tokens = tokens_of_many_threads(signer, 100)
    assert len(tokens) == THREADS * 100
    check(tokens)
    # Signing is deterministic, so there are no more tokens than seconds went by.
    by_second = {parsed(token)[1]["X-Amz-Date"] for token in tokens}
    assert len(set(tokens)) == len(by_second)
    assert len({id(token) for token in tokens}) == len(by_second)


@pytest.mark.usefixtures("keys_in_environment")
def test_with_credentials_to_fetch() -> None:
    tokens = tokens_of_many_threads(rdstoken.Signer(HOSTNAME, 5432, "app"), 3)
    assert len(tokens) == THREADS * 3
    check(tokens)


@pytest.mark.usefixtures("mute_source")
def test_all_of_them_time_out() -> None:
    signer = rdstoken.Signer(HOSTNAME, 5432, "app", timeout=0.2)
    with ThreadPoolExecutor(THREADS) as pool:
        errors = [future.exception() for future in [pool.submit(signer) for _ in range(THREADS)]]
    assert [type(error) for error in errors] == [rdstoken.TimeoutError] * THREADS
