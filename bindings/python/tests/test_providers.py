"""Credentials of the caller's own: functions and botocore objects."""

from __future__ import annotations

import datetime
import functools
import gc
import pickle
import subprocess
import sys
import threading
import time
import traceback
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import botocore.credentials
import botocore.session
import pytest
import rdstoken
from helpers import ACCESS_KEY_ID, HOSTNAME, SECRET_ACCESS_KEY, SESSION_TOKEN, parsed

UTC = datetime.timezone.utc
WORD = "verySecret"


def signer_of(source: Any, **options: Any) -> rdstoken.Signer:
    return rdstoken.Signer(HOSTNAME, 5432, "app", credentials=source, **options)


def keys_of(token: str) -> tuple[str, str | None]:
    parameters = parsed(token)[1]
    return parameters["X-Amz-Credential"].split("/")[0], parameters.get("X-Amz-Security-Token")


def give() -> rdstoken.Credentials:
    return rdstoken.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN)


class Frozen(NamedTuple):
    access_key: str = ACCESS_KEY_ID
    secret_key: str = SECRET_ACCESS_KEY
    token: str | None = SESSION_TOKEN


class Callable:
    def __call__(self) -> rdstoken.Credentials:
        return give()

    def method(self) -> rdstoken.Credentials:
        return give()


def metadata(number: int, life: float) -> dict[str, str]:
    end = datetime.datetime.now(UTC) + datetime.timedelta(seconds=life)
    return {
        "access_key": f"ASIA{number}",
        "secret_key": SECRET_ACCESS_KEY,
        "token": f"session{number}",
        "expiry_time": end.isoformat(),
    }


def refreshable(life: float, lives: float) -> Any:
    """Credentials of botocore's that live for `life` at first, and for `lives` ever after."""
    calls = 0

    def refresh() -> dict[str, str]:
        nonlocal calls
        calls += 1
        return metadata(calls, lives)

    return botocore.credentials.RefreshableCredentials.create_from_metadata(
        metadata(0, life), refresh, "test"
    )


@pytest.mark.parametrize(
    "source",
    [
        give,
        lambda: give(),
        functools.partial(give),
        Callable(),
        Callable().method,
        botocore.credentials.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN),
        lambda: botocore.credentials.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN),
        botocore.credentials.Credentials(
            ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN
        ).get_frozen_credentials,
        Frozen,  # a class is a slip, but what a lambda makes of it is not
    ],
)
def test_every_kind(source: Any) -> None:
    signer = signer_of((lambda: source()) if source is Frozen else source)
    assert keys_of(signer.token()) == (ACCESS_KEY_ID, SESSION_TOKEN)


def test_without_a_session_token() -> None:
    source = botocore.credentials.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)
    assert keys_of(signer_of(source).token()) == (ACCESS_KEY_ID, None)


@pytest.mark.usefixtures("keys_in_environment")
def test_a_botocore_session() -> None:
    session = botocore.session.Session()
    for source in (session.get_credentials(), session.get_credentials):
        assert keys_of(signer_of(source).token()) == (ACCESS_KEY_ID, SESSION_TOKEN)


def test_refreshable_credentials_bring_their_expiry() -> None:
    source = refreshable(3600, 3600)
    signer = signer_of(source, expires_in=900)
    assert keys_of(signer.token()) == ("ASIA0", "session0")
    short = refreshable(1000, 500)
    signer = signer_of(short)
    # 500 s are within botocore's own window, so it refreshed them.
    short._expiry_time = datetime.datetime.now(UTC) + datetime.timedelta(seconds=500)
    assert keys_of(signer.token())[0] == "ASIA1"
    assert signer.expires_at == short._expiry_time.replace(microsecond=0)


def test_refreshable_credentials_are_refreshed() -> None:
    source = refreshable(-1, 3600)
    assert keys_of(signer_of(source).token()) == ("ASIA1", "session1")


@pytest.mark.parametrize("expiry", [None, "soon", 5, datetime.datetime(2000, 1, 1)])  # noqa: DTZ001
def test_an_expiry_of_another_kind_is_none(expiry: object) -> None:
    source = botocore.credentials.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)
    source._expiry_time = expiry
    signer = signer_of(source)
    signer.token()
    assert signer.expires_at is not None
    assert signer.expires_at.timestamp() > time.time() + 800


def test_the_expiry_is_that_of_the_keys() -> None:
    """A refresh on another thread comes between the keys and their expiry."""
    now = datetime.datetime.now(UTC)
    soon, late = now + datetime.timedelta(seconds=400), now + datetime.timedelta(hours=2)

    class Racing:
        _expiry_time = soon
        _token = "old"
        frozen = Frozen("ASIAOLD", SECRET_ACCESS_KEY, "old")
        asked = 0

        def get_frozen_credentials(self) -> Frozen:
            self.asked += 1
            frozen = self.frozen
            if self.asked == 1:
                self._token, self._expiry_time = "new", late
                self.frozen = Frozen("ASIANEW", SECRET_ACCESS_KEY, "new")
            return frozen

    signer = signer_of(Racing())
    assert keys_of(signer.token()) == ("ASIANEW", "new")
    assert signer.expires_at is not None
    assert signer.expires_at > soon


def raising(error: BaseException) -> Any:
    def source() -> rdstoken.Credentials:
        raise error

    return source


class BotocoreFailure:
    def get_frozen_credentials(self) -> Frozen:
        raise LookupError(WORD)


class PropertyFailure:
    @property
    def access_key(self) -> str:
        raise LookupError(WORD)


class ZoneFailure(datetime.tzinfo):
    def utcoffset(self, _: datetime.datetime | None) -> datetime.timedelta:
        raise LookupError(WORD)

    def dst(self, _: datetime.datetime | None) -> None:
        return None

    def tzname(self, _: datetime.datetime | None) -> None:
        return None


class WithExpiry:
    _expiry_time = datetime.datetime(2030, 1, 1, tzinfo=ZoneFailure())

    def get_frozen_credentials(self) -> Frozen:
        return Frozen()


def needs_an_argument(argument: object) -> None:
    raise AssertionError(argument)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (raising(LookupError(WORD)), "raised LookupError"),
        (raising(rdstoken.RegionNotFoundError(WORD)), "raised RegionNotFoundError"),
        (raising(KeyboardInterrupt(WORD)), "raised KeyboardInterrupt"),
        (raising(SystemExit(WORD)), "raised SystemExit"),
        (needs_an_argument, "raised TypeError"),
        (BotocoreFailure(), "raised LookupError"),
        (lambda: BotocoreFailure(), "raised LookupError"),
        (lambda: PropertyFailure(), "raised LookupError"),
        (WithExpiry(), "raised LookupError"),
        (lambda: None, "class NoneType"),
        (lambda: WORD, "class str"),
        (lambda: (ACCESS_KEY_ID, WORD), "class tuple"),
        (lambda: {"access_key": WORD}, "class dict"),
        (lambda: Frozen(WORD + "\n", WORD), "unusable credentials: access_key_id: expected "),
        (lambda: Frozen(WORD, WORD + "\n"), "unusable credentials: secret_access_key: expected "),
        (lambda: Frozen(token=WORD + " "), "unusable credentials: session_token: expected "),
        (lambda: Frozen(token=WORD + "\ud800"), "unusable credentials: session_token: expected "),
        (lambda: Frozen(secret_key=WORD.encode()), "secret_access_key: expected str, got bytes"),  # type: ignore[arg-type]
        (botocore.credentials.Credentials(None, None), "access_key_id: expected str, got NoneType"),
    ],
)
def test_a_failure_names_the_class_alone(
    source: Any,
    text: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(0)
    signer = signer_of(source)
    with pytest.raises(rdstoken.CredentialsFailedError) as caught:
        signer.token()
    error = caught.value
    assert text in str(error)
    assert str(error).startswith("what was passed as credentials ")
    assert error.__context__ is None
    assert error.__cause__ is None
    everything = [*traceback.format_exception(error), caplog.text, *capfd.readouterr()]
    assert WORD not in "".join(everything)
    assert WORD.encode() not in pickle.dumps(error)


async def asynchronous() -> rdstoken.Credentials:
    return give()


class AsynchronousCall:
    async def __call__(self) -> rdstoken.Credentials:
        return give()


class AsynchronousBotocore:
    async def get_frozen_credentials(self) -> Frozen:
        return Frozen()


@pytest.mark.parametrize(
    "source",
    [
        asynchronous,
        functools.partial(asynchronous),
        AsynchronousCall(),
        AsynchronousBotocore(),
        AsynchronousBotocore().get_frozen_credentials,
    ],
)
def test_a_coroutine_function_is_refused(source: Any) -> None:
    with pytest.raises(rdstoken.InvalidArgumentError, match="not a coroutine") as caught:
        signer_of(source)
    assert caught.value.field == "credentials"


def test_a_class_is_refused() -> None:
    for source in (Frozen, botocore.credentials.Credentials, rdstoken.Credentials):
        with pytest.raises(TypeError, match=r"^credentials: expected .*, got type$"):
            signer_of(source)


def test_not_together_with_a_profile() -> None:
    with pytest.raises(rdstoken.InvalidArgumentError):
        signer_of(give, profile="staging")


def test_nothing_is_asked_before_the_first_token() -> None:
    calls: list[int] = []

    def source() -> rdstoken.Credentials:
        calls.append(1)
        return give()

    signer = signer_of(source)
    assert calls == []
    signer.token()
    assert calls == [1]


def test_signers_share_what_one_object_gives() -> None:
    calls: list[int] = []

    def source() -> rdstoken.Credentials:
        calls.append(1)
        return give()

    signers = [signer_of(source) for _ in range(5)]
    assert len({signer.token() for signer in signers}) <= 2  # the second may have changed
    assert calls == [1]
    del signers
    signer_of(source).token()
    assert calls == [1, 1]


def test_a_method_is_one_object_each_time() -> None:
    class Source:
        calls = 0

        def get(self) -> rdstoken.Credentials:
            self.calls += 1
            return give()

        def other(self) -> rdstoken.Credentials:
            return self.get()

    one, two = Source(), Source()
    signers = [signer_of(source.get) for source in (one, one, two, one)]
    for signer in signers:
        signer.token()
    assert (one.calls, two.calls) == (1, 1)
    signer_of(one.other).token()
    assert one.calls == 2


def test_one_of_many_threads_asks() -> None:
    calls: list[str] = []

    def slow() -> rdstoken.Credentials:
        calls.append(threading.current_thread().name)
        time.sleep(0.2)
        return give()

    signer = signer_of(slow)
    with ThreadPoolExecutor(16) as pool:
        tokens = list(pool.map(lambda _: signer.token(), range(16)))
    assert len(set(tokens)) == 1
    assert len(calls) == 1
    assert calls != [threading.current_thread().name]
    assert signer.stats()[:3] == (1, 15, 1)


def test_the_function_goes_with_the_last_signer() -> None:
    source = Callable()
    gone = weakref.ref(source)
    signers = [signer_of(source), signer_of(source)]
    for signer in signers:
        signer.token()
    del source, signer
    signers.pop()
    assert gone() is not None
    signers.pop()
    gc.collect()
    assert gone() is None


def test_a_function_may_use_another_signer() -> None:
    inner = signer_of(give)

    def source() -> rdstoken.Credentials:
        inner.token()
        return give()

    assert keys_of(signer_of(source).token()) == (ACCESS_KEY_ID, SESSION_TOKEN)


@pytest.mark.parametrize("timeout", [0.1, 0.5])
def test_the_deadline_of_a_function_that_hangs(timeout: float) -> None:
    over = threading.Event()

    def hang() -> rdstoken.Credentials:
        over.wait(20)
        return give()

    signer = signer_of(hang, timeout=timeout)
    start = time.monotonic()
    try:
        with pytest.raises(rdstoken.TimeoutError, match="own provider"):
            signer.token()
        took = time.monotonic() - start
    finally:
        over.set()
    assert timeout <= took < timeout + 0.25


# The function wakes up when the interpreter is gone, and the process is not.
AT_EXIT = """
import sys, time, rdstoken

class Last:
    def __del__(self, sleep=time.sleep):
        sleep(1)

def slow():
    time.sleep(0.5)
    return None

sys.last = Last()
signer = rdstoken.Signer(sys.argv[1], 5432, "app", credentials=slow, timeout=0.05)
try:
    signer.token()
except rdstoken.TimeoutError:
    print("late", flush=True)
"""


def test_the_process_ends_cleanly_while_a_function_hangs() -> None:
    run = subprocess.run(
        [sys.executable, "-c", AT_EXIT, HOSTNAME],
        check=False,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "late\n", "")


# While the interpreter is shut down, a miss finds no interpreter to ask.
IN_SHUTDOWN = """
import os, sys, rdstoken

def give():
    raise AssertionError

class Last:
    def __init__(self, signer):
        self.signer = signer

    def __del__(self, Error=rdstoken.Error, write=os.write):
        try:
            self.signer.token()
        except Error as error:
            write(1, error.code.encode())

sys.last = Last(rdstoken.Signer(sys.argv[1], 5432, "app", credentials=give, timeout=2))
"""


def test_a_token_is_asked_for_while_the_interpreter_shuts_down() -> None:
    start = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-c", IN_SHUTDOWN, HOSTNAME],
        check=False,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert run.returncode == 0
    # Before 3.13 a thread that comes a moment too late hangs, and the deadline ends the wait.
    assert run.stdout in {"CredentialsFailed", "Timeout"}, run.stderr
    assert time.monotonic() - start < 10
