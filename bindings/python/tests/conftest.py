"""What the tests share.

The credential chain must find nothing here but what a test puts there, and reach nothing off this
machine. tests/guard.sh sees to that; without it nothing runs.
"""

from __future__ import annotations

import gc
import os
import socket
from typing import TYPE_CHECKING

import pytest
import rdstoken
from helpers import ACCESS_KEY_ID, HOSTNAME, SECRET_ACCESS_KEY, SESSION_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

os.environ["BOTO_DISABLE_CRT"] = "true"  # awscrt orders the parameters its own way


def pytest_configure() -> None:
    if "RDSTOKEN_TEST_GUARD" not in os.environ:
        pytest.exit("run the tests through tests/guard.sh", returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.fixture
def credentials() -> rdstoken.Credentials:
    return rdstoken.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN)


@pytest.fixture
def signer(credentials: rdstoken.Credentials) -> rdstoken.Signer:
    """One that waits for nothing."""
    return rdstoken.Signer(HOSTNAME, 5432, "app", credentials=credentials)


def forget_earlier_signers() -> None:
    """Leave no signer of an earlier test that would share its credentials or its failures."""
    gc.collect()


@pytest.fixture
def keys_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_earlier_signers()
    # os.environ is written through to the C environment, which is what Rust reads.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION_TOKEN)


@pytest.fixture
def mute_source(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A credential source that takes connections and never answers."""
    forget_earlier_signers()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        url = f"http://127.0.0.1:{port}/credentials"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        yield
