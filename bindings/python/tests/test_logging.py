"""Core's log records reach Python's logging."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
import rdstoken
from helpers import HOSTNAME, SECRET_ACCESS_KEY

SECRETS = (SECRET_ACCESS_KEY, "verySecretSession", "X-Amz-Signature")
LOGGER = logging.getLogger("rdstoken")


def give() -> rdstoken.Credentials:
    return rdstoken.Credentials("AKIDLOG", SECRET_ACCESS_KEY, "verySecretSession")


def fail() -> rdstoken.Credentials:
    raise OSError(SECRET_ACCESS_KEY)


def signer_of(source: Any, hostname: str = HOSTNAME, **options: Any) -> rdstoken.Signer:
    return rdstoken.Signer(hostname, 5432, "app", credentials=source, **options)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int, str]]:
    for record in caplog.records:
        for secret in SECRETS:
            assert secret not in repr(vars(record))
    return caplog.record_tuples


def test_a_renewal_and_a_signature(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "rdstoken")
    signer = signer_of(give)
    signer.token()
    assert told(caplog) == [
        ("rdstoken", logging.DEBUG, "credentials renewed"),
        ("rdstoken", logging.DEBUG, f"token signed for {HOSTNAME}:5432"),
    ]
    assert caplog.records[0].pathname == __file__
    signer.token()
    assert len(caplog.records) == 2


def test_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "rdstoken")
    with pytest.raises(rdstoken.CredentialsFailedError):
        signer_of(fail).token()
    # The caller is told, so nobody need be warned.
    ((name, level, text),) = told(caplog)
    assert (name, level) == ("rdstoken", logging.DEBUG)
    assert text.endswith("raised OSError")


def test_a_failure_that_no_caller_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "rdstoken")
    end = time.time() + 30  # within the mandatory window
    given = [rdstoken.Credentials("AKID", "secret", expires_at=end)]

    def once() -> rdstoken.Credentials:
        return given.pop() if given else fail()

    signer = signer_of(once)
    signer.token()
    assert told(caplog) == []
    signer.token()
    ((name, level, text),) = told(caplog)
    assert (name, level) == ("rdstoken", logging.WARNING)
    assert "raised OSError" in text


@pytest.mark.parametrize("warn", [True, False])
def test_the_warning_of_a_name_that_is_not_rdss(
    caplog: pytest.LogCaptureFixture, *, warn: bool
) -> None:
    caplog.set_level(logging.WARNING, "rdstoken")
    signer = signer_of(give, "db.example.com", region="us-east-1", cache=False, warn_hostname=warn)
    signer.token()
    signer.token()
    texts = [text for _, level, text in told(caplog) if level == logging.WARNING]
    assert len(texts) == warn
    assert all(text.startswith("db.example.com is not an RDS endpoint's name") for text in texts)


def test_the_level_is_looked_up_each_time(caplog: pytest.LogCaptureFixture) -> None:
    for level, count in ((logging.WARNING, 0), (logging.DEBUG, 1), (logging.ERROR, 1)):
        caplog.set_level(level, "rdstoken")
        signer_of(give(), cache=False).token()
        assert len(caplog.records) == count


class Handler(logging.Handler):
    def __init__(self, work: Any) -> None:
        super().__init__()
        self.work = work
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        self.work(record)


@pytest.fixture
def handle(request: pytest.FixtureRequest) -> Any:
    def add(work: Any) -> Handler:
        handler = Handler(work)
        before = LOGGER.level
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.DEBUG)

        def undo() -> None:
            LOGGER.removeHandler(handler)
            LOGGER.setLevel(before)

        request.addfinalizer(undo)
        return handler

    return add


def test_a_handler_may_ask_the_same_signer(handle: Any) -> None:
    signer = signer_of(give, timeout=5)
    tokens: list[str] = []
    handle(lambda _: tokens.append(signer.token()))
    start = time.monotonic()
    token = signer.token()
    assert time.monotonic() - start < 1
    assert set(tokens) == {token}


def test_a_handler_may_wait_for_another_thread_that_signs(handle: Any) -> None:
    """Both hold what the other waits for, if records were delivered in mid-renewal."""
    signer = signer_of(give, timeout=5)

    def work(_: object) -> None:
        thread = threading.Thread(target=signer.token)
        thread.start()
        thread.join(3)
        assert not thread.is_alive()

    handle(work)
    start = time.monotonic()
    signer.token()
    assert time.monotonic() - start < 2


def test_a_handler_that_ends_the_program(handle: Any) -> None:
    def work(_: object) -> None:
        raise KeyboardInterrupt

    handle(work)
    with pytest.raises(KeyboardInterrupt):
        signer_of(give).token()


def test_a_filters_fault_costs_no_token(handle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    handle(lambda _: None)
    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)

    def faulty(_: logging.LogRecord) -> bool:
        raise ValueError

    LOGGER.addFilter(faulty)
    try:
        assert signer_of(give).token()
    finally:
        LOGGER.removeFilter(faulty)
    assert {hook.exc_type for hook in unraisable} == {ValueError}


def test_many_threads_log(handle: Any) -> None:
    handler = handle(lambda _: None)
    signer = signer_of(give, cache=False)

    def work() -> None:
        for _ in range(200):
            signer.token()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert handler.count == 1 + 800


def test_a_program_that_sets_nothing_up_sees_warnings() -> None:
    program = (
        "import rdstoken\n"
        "given = rdstoken.Credentials('AKID', 'secret')\n"
        "make = rdstoken.Signer('db.example.com', 1, 'a', region='us-east-1', credentials=given)\n"
        "make.token()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert run.stdout == ""
    assert run.stderr.startswith("db.example.com is not an RDS endpoint's name")
    assert run.stderr.count("\n") == 1


def test_a_program_that_loads_logging_later() -> None:
    program = (
        "import sys, rdstoken\n"
        "given = rdstoken.Credentials('AKID', 'secret')\n"
        f"signer = rdstoken.Signer('{HOSTNAME}', 1, 'a', credentials=given, cache=False)\n"
        "signer.token()\n"
        "print('logging' in sys.modules)\n"
        "import logging\n"
        "signer.token()\n"
        "logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format='%(message)s')\n"
        "signer.token()\n"
        "logging.disable()\n"
        "signer.token()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert run.stdout == f"False\ntoken signed for {HOSTNAME}:1\n"
