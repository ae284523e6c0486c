"""Credentials that live for a minute, three minutes of logins, and not one refused.

The credentials come from an endpoint as ECS has it. The verifier forgets each key in the second in
which it expires, as AWS does, so that a token of dead credentials would be refused.
"""

from __future__ import annotations

import datetime as dt
import http.server
import json
import threading
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
import rdstoken
from common import AccessKey
from postgres import Postgres

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

LIFE = 60
DURATION = 180
INTERVAL = 0.1


class Keys:
    """Access keys that live for a minute, and the verifier's file of those that are alive."""

    def __init__(self, file: pathlib.Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._alive: list[tuple[float, AccessKey]] = []
        self.minted = 0
        self._write()

    def mint(self) -> tuple[float, AccessKey]:
        with self._lock:
            # Whole seconds, as the endpoint tells them.
            key = (float(int(time.time()) + LIFE), AccessKey.random(1200))
            self._alive.append(key)
            self.minted += 1
            self._write()
            return key

    def forget_the_dead(self) -> None:
        with self._lock:
            alive = [key for key in self._alive if key[0] > time.time()]
            if alive != self._alive:
                self._alive = alive
                self._write()

    def _write(self) -> None:
        # One that is always there, because a file without any key is an error.
        keys = [AccessKey.random(), *(key for _, key in self._alive)]
        text = "".join(key.section(f"key{number}") for number, key in enumerate(keys))
        fresh = self._file.with_suffix(".new")
        fresh.write_text(text)
        fresh.chmod(0o644)
        fresh.replace(self._file)


@pytest.fixture
def server() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture
def keys(server: Postgres) -> Iterator[Keys]:
    # The server's user reads it; the directory lets it pass.
    file = server.directory / "rotating-keys"
    keys = Keys(file)
    service = server.pam_service_file
    service.write_text(
        service.read_text().replace("[credentials=", f"[credentials={file}] [credentials=", 1)
    )
    over = threading.Event()

    def reap() -> None:
        while not over.wait(0.05):
            keys.forget_the_dead()

    reaper = threading.Thread(target=reap)
    reaper.start()
    yield keys
    over.set()
    reaper.join()


@pytest.fixture
def endpoint(keys: Keys) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            expires, key = keys.mint()
            expiration = dt.datetime.fromtimestamp(expires, dt.timezone.utc)
            body = json.dumps(
                {
                    "AccessKeyId": key.access_key_id,
                    "SecretAccessKey": key.secret_access_key,
                    "Token": key.session_token,
                    "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}/credentials"
        httpd.shutdown()


def test_no_login_is_refused(
    server: Postgres, keys: Keys, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint)
    signer = rdstoken.Signer(
        server.host,
        server.port,
        "app",
        advisory_window=20,
        mandatory_window=5,
        min_validity=5,
    )
    logins = 0
    end = time.monotonic() + DURATION
    while (begin := time.monotonic()) < end:
        with psycopg.connect(
            host=server.host,
            hostaddr=server.hostaddr,
            port=server.port,
            user="app",
            dbname=server.dbname,
            password=signer.token(),
            sslmode="verify-full",
            sslrootcert=str(server.ca_file),
        ):
            logins += 1
        time.sleep(max(0.0, begin + INTERVAL - time.monotonic()))
    assert logins > DURATION / INTERVAL / 2
    assert "refused" not in server.log()
    # A renewal 20 to 24 seconds before each expiry.
    assert DURATION // (LIFE - 20) <= keys.minted <= DURATION // (LIFE - 24) + 2
    stats = signer.stats()
    assert (stats.renewals, stats.failures) == (keys.minted, 0)
    assert stats.reused > stats.signed
