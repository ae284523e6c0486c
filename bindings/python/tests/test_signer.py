"""Where a signer finds credentials and region, and how it fails."""

from __future__ import annotations

import datetime
import os
import pathlib
import signal
import threading
import time

import pytest
import rdstoken
from helpers import ACCESS_KEY_ID, HOSTNAME, SECRET_ACCESS_KEY, SESSION_TOKEN, parsed

CUSTOM_NAME = "db.example.com"


def write_profile(name: str, *, region: str | None = None) -> None:
    """The guard has set both files' places, in a home of its own."""
    lines = [
        f"[profile {name}]",
        f"aws_access_key_id = AKID{name.upper()}",
        f"aws_secret_access_key = {SECRET_ACCESS_KEY}",
    ]
    if region is not None:
        lines.append(f"region = {region}")
    text = "\n".join(lines) + "\n"
    pathlib.Path(os.environ["AWS_CONFIG_FILE"]).write_text(text, encoding="utf-8")


@pytest.fixture(autouse=True)
def config_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


def region_and_key(token: str) -> tuple[str, str]:
    key, _, region, *_ = parsed(token)[1]["X-Amz-Credential"].split("/")
    return region, key


@pytest.mark.usefixtures("keys_in_environment")
def test_keys_of_the_environment() -> None:
    token = rdstoken.Signer(HOSTNAME, 5432, "app").token()
    authority, parameters = parsed(token)
    assert authority == f"{HOSTNAME}:5432"
    assert parameters["DBUser"] == "app"
    assert parameters["X-Amz-Security-Token"] == SESSION_TOKEN
    assert region_and_key(token) == ("us-east-1", ACCESS_KEY_ID)


@pytest.mark.usefixtures("keys_in_environment")
def test_generate_db_auth_token_uses_the_chain() -> None:
    by_keyword = rdstoken.generate_db_auth_token(
        DBHostname=HOSTNAME, Port=5432, DBUsername="app", Region="eu-central-1"
    )
    assert region_and_key(by_keyword) == ("eu-central-1", ACCESS_KEY_ID)
    by_position = rdstoken.generate_db_auth_token(HOSTNAME, 5432, "app")
    assert region_and_key(by_position) == ("us-east-1", ACCESS_KEY_ID)


def test_a_profile_of_a_file() -> None:
    write_profile("staging")
    token = rdstoken.Signer(HOSTNAME, 5432, "app", profile="staging").token()
    assert region_and_key(token) == ("us-east-1", "AKIDSTAGING")


@pytest.mark.usefixtures("keys_in_environment")
def test_a_named_profile_goes_before_the_environment() -> None:
    write_profile("staging")
    token = rdstoken.Signer(HOSTNAME, 5432, "app", profile="staging").token()
    assert region_and_key(token) == ("us-east-1", "AKIDSTAGING")


def test_the_region_of_a_profile() -> None:
    write_profile("staging", region="ap-south-2")
    token = rdstoken.Signer(CUSTOM_NAME, 5432, "app", profile="staging").token()
    assert region_and_key(token) == ("ap-south-2", "AKIDSTAGING")


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_of_the_environment(
    variable: str, monkeypatch: pytest.MonkeyPatch, credentials: rdstoken.Credentials
) -> None:
    monkeypatch.setenv(variable, "eu-north-1")
    token = rdstoken.Signer(CUSTOM_NAME, 5432, "app", credentials=credentials).token()
    assert region_and_key(token) == ("eu-north-1", ACCESS_KEY_ID)


def test_the_callers_region_goes_first(
    monkeypatch: pytest.MonkeyPatch, credentials: rdstoken.Credentials
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    signer = rdstoken.Signer(HOSTNAME, 5432, "app", region="eu-west-3", credentials=credentials)
    assert region_and_key(signer.token()) == ("eu-west-3", ACCESS_KEY_ID)


def test_no_region_anywhere(credentials: rdstoken.Credentials) -> None:
    signer = rdstoken.Signer(CUSTOM_NAME, 5432, "app", credentials=credentials)
    with pytest.raises(rdstoken.RegionNotFoundError, match="AWS_REGION"):
        signer.token()
    assert signer.expires_at is None


@pytest.mark.parametrize("make", [rdstoken.Signer, rdstoken.generate_db_auth_token])
def test_no_credentials_anywhere(make: type[rdstoken.Signer]) -> None:
    start = time.monotonic()
    with pytest.raises(rdstoken.CredentialsNotFoundError) as caught:
        # generate_db_auth_token fails in its first call, a Signer in its second.
        make(HOSTNAME, 5432, "app")()
    assert time.monotonic() - start < 5.1
    for source in (
        "environment variables",
        "shared config and credentials files",
        "web identity",
        "ECS or EKS container",
        "EC2 instance metadata",
    ):
        assert source in str(caught.value)


def test_no_such_profile() -> None:
    with pytest.raises(rdstoken.CredentialsNotFoundError, match="profile"):
        rdstoken.Signer(HOSTNAME, 5432, "app", profile="nobody").token()


def test_a_source_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing listens on port 9.
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/")
    with pytest.raises(rdstoken.CredentialsFailedError, match="container"):
        rdstoken.Signer(HOSTNAME, 5432, "app").token()


@pytest.mark.usefixtures("mute_source")
def test_the_deadline_holds_while_other_threads_run() -> None:
    signer = rdstoken.Signer(HOSTNAME, 5432, "app", timeout=0.7)
    beats = 0
    over = threading.Event()

    def beat() -> None:
        nonlocal beats
        while not over.wait(0.01):
            beats += 1

    thread = threading.Thread(target=beat)
    thread.start()
    start = time.monotonic()
    try:
        with pytest.raises(rdstoken.TimeoutError, match=r"no credentials within 0\.7 s"):
            signer.token()
        took, beats_meanwhile = time.monotonic() - start, beats
    finally:
        over.set()
        thread.join()
    assert 0.7 <= took < 2
    assert beats_meanwhile >= 10


@pytest.mark.usefixtures("mute_source")
def test_the_builtin_timeout_error_catches_it() -> None:
    with pytest.raises(TimeoutError):
        rdstoken.Signer(HOSTNAME, 5432, "app", timeout=0.05).token()


@pytest.mark.usefixtures("mute_source")
def test_a_signal_is_handled_after_the_wait() -> None:
    handled: list[float] = []
    before = signal.signal(signal.SIGUSR1, lambda *_: handled.append(time.monotonic()))
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1))
    signer = rdstoken.Signer(HOSTNAME, 5432, "app", timeout=0.5)
    start = time.monotonic()
    timer.start()
    try:
        with pytest.raises(rdstoken.TimeoutError):
            signer.token()
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert len(handled) == 1
    assert handled[0] - start >= 0.5


def test_expires_at(credentials: rdstoken.Credentials) -> None:
    signer = rdstoken.Signer(HOSTNAME, 5432, "app", credentials=credentials, expires_in=60)
    before_the_first = signer.expires_at
    assert before_the_first is None
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    token = signer.token()
    after = datetime.datetime.now(datetime.timezone.utc)
    expires_at = signer.expires_at
    assert expires_at is not None
    assert expires_at.tzinfo is datetime.timezone.utc
    assert expires_at.microsecond == 0
    minute = datetime.timedelta(seconds=60)
    assert before + minute <= expires_at <= after + minute
    parameters = parsed(token)[1]
    assert parameters["X-Amz-Expires"] == "60"
    assert parameters["X-Amz-Date"] == (expires_at - minute).strftime("%Y%m%dT%H%M%SZ")


def test_a_token_lives_900_seconds_unless_told_otherwise(signer: rdstoken.Signer) -> None:
    assert parsed(signer.token())[1]["X-Amz-Expires"] == "900"


def test_a_signer_is_a_function_too(signer: rdstoken.Signer) -> None:
    assert callable(signer)
    authority, parameters = parsed(signer())
    assert authority == f"{HOSTNAME}:5432"
    assert len(parameters["X-Amz-Signature"]) == 64


def test_the_settings_cannot_change(signer: rdstoken.Signer) -> None:
    for name in ("expires_at", "token", "timeout"):
        with pytest.raises(AttributeError):
            setattr(signer, name, None)


def test_making_a_signer_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = rdstoken.Signer(HOSTNAME, 5432, "app")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDLATER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
    assert region_and_key(signer.token()) == ("us-east-1", "AKIDLATER")
