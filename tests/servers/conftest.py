"""What the tests of the private servers share."""

from __future__ import annotations

import pathlib
import tempfile
from typing import TYPE_CHECKING, Any

import pytest
from logins import Token, sign
from processes import users_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from common import PrivateServer


@pytest.fixture
def make(server: PrivateServer) -> Callable[..., Token]:
    """Signs for the server, with its session key unless told otherwise."""

    def make(**changes: Any) -> Token:
        request: dict[str, Any] = {
            "host": server.host,
            "port": server.port,
            "key": server.session_key,
        }
        return sign(**(request | changes))

    return make


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> Iterator[pathlib.Path]:
    """A directory for all temporary files. Afterwards nothing is in it and nobody uses it."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="rdstoken-lifecycle."))
    directory.chmod(0o711)  # pytest's own would keep the server's user out
    monkeypatch.setenv("TMPDIR", str(directory))
    yield directory
    wait_until(lambda: not list(directory.iterdir()), "its files are gone")
    wait_until(lambda: not users_of(directory), "its processes are gone")
    directory.rmdir()
