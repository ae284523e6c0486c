"""What the tests of the private servers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from logins import Token, sign

if TYPE_CHECKING:
    from collections.abc import Callable

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
