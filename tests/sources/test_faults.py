"""Every way that a source can fail: the call ends in time, with the right kind of error; a token
that is still valid is served meanwhile and a dead one never; and nothing shows a secret.

All cases run at once, a few at a time, and each test looks at its part of one.
"""

from __future__ import annotations

import concurrent.futures
from typing import TYPE_CHECKING

import pytest
from cases import GRACE, TIMEOUT, Canary, Seen, cold, run_case
from faulty import FAULTS
from kinds import FILE_FAULTS, NETWORK, PROCESS_FAULTS, Container, Process, Source

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator

AT_ONCE = 8
PATIENCE = 40.0

# The kinds. AGAIN is what the SDK tries again, after pauses that it throws dice for: a failure if
# there is time enough for it to give up, and until then the deadline may come first.
FAILED, MISSING, TIMED_OUT, AGAIN = "CredentialsFailed", "CredentialsNotFound", "Timeout", "again"

EVERY: list[type[Source]] = [*NETWORK, Process]

CONTAINER, EC2, EC2_LATE, ROLE, WEB, SSO = (source.name for source in NETWORK)
SOURCES = [CONTAINER, EC2, EC2_LATE, ROLE, WEB, SSO]
TABLE = {
    "refused": [AGAIN, MISSING, MISSING, AGAIN, AGAIN, AGAIN],
    "dropped": [TIMED_OUT] * 6,
    "mute": [TIMED_OUT] * 6,
    "500": [AGAIN] * 6,
    "429": [FAILED] * 6,
    "403": [FAILED] * 6,
    "truncated": [AGAIN, FAILED, FAILED, AGAIN, AGAIN, AGAIN],
    "malformed expiry": [AGAIN, FAILED, FAILED, FAILED, FAILED, FAILED],
    "wrong types": [AGAIN, FAILED, FAILED, FAILED, FAILED, FAILED],
    "broken after the secret": [AGAIN, FAILED, FAILED, FAILED, FAILED, FAILED],
    # An answer that is too long breaks off, and the SDK asks again.
    "huge": [AGAIN, FAILED, FAILED, AGAIN, AGAIN, AGAIN],
    "drip": [TIMED_OUT] * 6,
    "redirect": [FAILED] * 6,
}
PROCESS_TABLE = {
    "missing program": FAILED,
    "non-zero exit": FAILED,
    "hangs": TIMED_OUT,
    "ignores SIGTERM": TIMED_OUT,
    "garbage": FAILED,
    "huge output": FAILED,
    "endless output": FAILED,
    "malformed expiry": FAILED,
    "wrong types": FAILED,
    "killed": FAILED,
    # The SDKs pass over what they cannot read, as over what is not there.
    "directory": MISSING,
    "fifo": TIMED_OUT,
    "malformed": FAILED,
    "binary": MISSING,
    "loop": FAILED,
    "huge file": "OK",
}
EXPECTED = {
    (source, fault): kind
    for fault, kinds in TABLE.items()
    for source, kind in zip(SOURCES, kinds, strict=True)
} | {(Process.name, fault): kind for fault, kind in PROCESS_TABLE.items()}

assert set(TABLE) == set(FAULTS)
assert set(PROCESS_TABLE) == {*PROCESS_FAULTS, *FILE_FAULTS}


def cases() -> list[object]:
    return [pytest.param(case, id=", ".join(case)) for case in EXPECTED]


@pytest.fixture(scope="module")
def all_seen(
    probe: pathlib.Path, canary: Canary, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], concurrent.futures.Future[Seen]]]:
    makers = {source.name: source for source in EVERY}

    def run(number: int, case: tuple[str, str]) -> Seen:
        source, fault = case
        directory = tmp_path_factory.getbasetemp() / f"case-{number}"
        return run_case(
            ", ".join(case),
            probe,
            lambda name, life: makers[source](directory / name, life=life),
            lambda made: made.break_down(fault),
            canary,
            patience=PATIENCE if EXPECTED[case] == AGAIN else None,
        )

    # Those that keep a processor busy come last, out of the others' way.
    order = sorted(EXPECTED, key=lambda case: "huge" in case[1] or "endless" in case[1])
    pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
    try:
        yield {case: pool.submit(run, number, case) for number, case in enumerate(order)}
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def see(
    all_seen: dict[tuple[str, str], concurrent.futures.Future[Seen]],
) -> Callable[[tuple[str, str]], Seen]:
    return lambda case: all_seen[case].result()


@pytest.mark.parametrize(
    "case",
    cases(),
)
def test_kind(case: tuple[str, str], see: Callable[[tuple[str, str]], Seen]) -> None:
    seen = see(case)
    kind = EXPECTED[case]
    if kind == AGAIN:
        assert seen.cold["kind"] in (FAILED, TIMED_OUT)
        assert seen.patient
        assert seen.patient["kind"] == FAILED
    else:
        assert seen.cold["kind"] == kind


@pytest.mark.parametrize("case", cases())
def test_deadline(case: tuple[str, str], see: Callable[[tuple[str, str]], Seen]) -> None:
    seen = see(case)
    for answer in [seen.cold, *seen.served, *seen.dead]:
        assert answer["elapsed"] <= TIMEOUT + GRACE


@pytest.mark.parametrize("case", cases())
def test_a_valid_token_is_served(
    case: tuple[str, str], see: Callable[[tuple[str, str]], Seen]
) -> None:
    seen = see(case)
    assert seen.good
    for answer in seen.served:
        assert answer["kind"] == "OK"
        assert answer["access_key_id"] == seen.good["access_key_id"]
        assert answer["expires_at"] == seen.good["expires_at"]
        assert answer["expires_at"] > answer["at"]


@pytest.mark.parametrize(
    "case",
    cases(),
)
def test_a_dead_token_is_not(case: tuple[str, str], see: Callable[[tuple[str, str]], Seen]) -> None:
    seen = see(case)
    assert seen.dead
    for answer in seen.dead:
        assert answer["kind"] in (FAILED, MISSING, TIMED_OUT, "CredentialsExpired")


@pytest.mark.parametrize("source", SOURCES)
def test_redirects_are_not_followed(source: str, see: Callable[[tuple[str, str]], Seen]) -> None:
    assert see((source, "redirect")).followed == 0


@pytest.mark.parametrize(
    "fault",
    PROCESS_FAULTS,
)
def test_no_program_is_left_running(fault: str, see: Callable[[tuple[str, str]], Seen]) -> None:
    assert see((Process.name, fault)).left == 0


@pytest.mark.parametrize(
    "source",
    EVERY,
    ids=lambda source: source.name,
)
def test_expired_credentials(source: type[Source], canary: Canary, tmp_path: pathlib.Path) -> None:
    with source(tmp_path, life=-60) as made:
        environment = made.base() | made.environment()
        canary.keep(made.secrets)
        answer = cold(f"{source.name}, expired", environment, canary)
    assert answer["kind"] == "CredentialsExpired"


def test_nothing_shows_a_secret(
    all_seen: dict[tuple[str, str], concurrent.futures.Future[Seen]], canary: Canary
) -> None:
    concurrent.futures.wait(all_seen.values())
    secrets, characters = canary.size()
    assert secrets > 4 * len(EXPECTED)
    assert characters > 500 * len(EXPECTED)
    assert canary.leaks() == []


def test_the_canary_sings(tmp_path: pathlib.Path) -> None:
    """Any 16 characters of a secret, wherever they stand."""
    with Container(tmp_path) as source:
        source.environment()
        secrets = sorted(source.secrets)
    assert len(secrets) == 5
    for secret in secrets:
        canary = Canary()
        canary.keep(secrets)
        canary.see("quiet", f"nothing to see, or too little of it: {secret[7:22]}")
        canary.see("whole", secret)
        canary.see("part", f'{{"text": "{secret[-16:]}"}}')
        canary.see("signature", "X-Amz-Signature=")
        assert canary.leaks() == ["whole", "part", "signature"]
