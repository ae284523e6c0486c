"""What the tests of the drivers share: signers for a private server, and what that server saw."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest
import rdstoken
from common import AccessKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from common import PrivateServer

USER = "app"
OTHER = "other.cluster-abc123def456.us-east-1.rds.amazonaws.com"
"""A name that leads to the servers, and is not in their certificates."""
LENGTHS = (1500, 8192)

LEFT_TO_THE_COLLECTOR = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.usefixtures("collect"),
]
"""For tests of refused logins: asyncpg, asyncmy, aiomysql and pg8000 leave the socket open."""


class Logins:
    """A running private server that knows keys for tokens of these lengths, and one to replace."""

    def __init__(self, server: PrivateServer) -> None:
        self.server = server
        self.host, self.port, self.dbname = server.host, server.port, server.dbname
        self.hostaddr, self.ca_file = server.hostaddr, str(server.ca_file)

    def signer(self, key: AccessKey | None = None, **options: Any) -> rdstoken.Signer:
        """A signer for the server's user, with the server's session key unless told otherwise."""
        credentials = options.pop("credentials", None) or made(key or self.server.session_key)
        return rdstoken.Signer(self.host, self.port, USER, credentials=credentials, **options)

    def brief(self, length: int | None = None, **options: Any) -> rdstoken.Signer:
        """A signer whose tokens live for 2 seconds, and are reused in the first of them.

        They have this `length`, less the two digits that 2 is shorter than 900.
        """
        key = None if length is None else self.server.keys[length]
        return self.signer(key, expires_in=2, **options)

    def long(self, length: int) -> rdstoken.Signer:
        """A signer whose tokens have exactly this length."""
        signer = self.signer(self.server.keys[length])
        assert len(signer.token()) == length
        return signer

    def rotation(self) -> Rotation:
        return Rotation(self)

    def learn(self, *keys: AccessKey) -> None:
        """Makes the server know these keys besides its own, and none that it learned before."""
        path = self.server._server / "more-credentials"  # noqa: SLF001
        keys = keys or (AccessKey.random(),)  # a file without any lets nobody in
        text = "".join(key.section(f"key {number}") for number, key in enumerate(keys))
        self.server._write(path, text, give=True)  # noqa: SLF001

    @contextlib.contextmanager
    def seen(self) -> Iterator[list[bool]]:
        """A list that at the end says, for each password that arrived, whether it was accepted."""
        before = len(self.server.records())
        answers: list[bool] = []
        yield answers
        answers += [record.accepted for record in self.server.records()[before:]]


class Rotation:
    """A signer whose token the server refuses after a `turn`, although the signer thinks it good.

    The next one that is signed is good again.
    """

    def __init__(self, logins: Logins) -> None:
        self._logins = logins
        self._key = AccessKey.random(40)
        logins.learn(self._key)
        self.signer = logins.signer(self._key)

    def turn(self, *, known: bool = True) -> None:
        """Makes the server forget the key until a token is signed; for ever if not `known`.

        Returns in the second after, when the next token will be another than the last.
        """
        self._logins.learn()
        time.sleep(1.01 - time.time() % 1)
        if known:
            _WhenSigned(lambda: self._logins.learn(self._key))


class _WhenSigned(logging.Handler):
    """Calls a function once when a token was signed, which is before that is handed out."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self._then = then
        self._logger = logging.getLogger("rdstoken")
        self._logger.setLevel(logging.DEBUG)
        self._logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("token signed"):
            self._logger.removeHandler(self)
            self._then()


def made(key: AccessKey, expires_at: float | None = None) -> rdstoken.Credentials:
    return rdstoken.Credentials(
        key.access_key_id, key.secret_access_key, key.session_token, expires_at
    )


def wait_until_dead(signer: rdstoken.Signer) -> None:
    """Returns when the signer's last token has expired."""
    assert signer.expires_at
    time.sleep(max(0.0, signer.expires_at.timestamp() - time.time()) + 0.05)
