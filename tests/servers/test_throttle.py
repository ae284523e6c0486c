"""The verifier's throttle, through the real PostgreSQL, where each login is its own process."""

from __future__ import annotations

import concurrent.futures
import time

import psycopg
import pytest
import rdstoken
from postgres import Postgres


def login(server: Postgres, token: str) -> str:
    with psycopg.connect(
        host=server.host,
        hostaddr=server.hostaddr,
        port=server.port,
        user="app",
        dbname=server.dbname,
        password=token,
        sslmode="verify-full",
        sslrootcert=str(server.ca_file),
    ) as connection:
        row = connection.execute("SELECT current_user").fetchone()
    assert row
    return str(row[0])


def is_refused(server: Postgres, token: str) -> bool:
    try:
        login(server, token)
    except psycopg.OperationalError:
        return True
    return False


def test_new_tokens_are_refused_and_seen_ones_are_not() -> None:
    with Postgres() as server:
        key = server.session_key
        credentials = rdstoken.Credentials(
            key.access_key_id, key.secret_access_key, key.session_token
        )
        now = int(time.time())

        def token(age: int) -> str:
            return rdstoken.presign(
                hostname=server.host,
                port=server.port,
                username="app",
                credentials=credentials,
                signing_time=now - age,
            )

        service = server.pam_service_file
        state = service.parent.parent / "throttle"
        service.write_text(
            service.read_text().replace("[credentials=", f"[throttle=1:{state}] [credentials=", 1)
        )
        assert login(server, token(0)) == "app"
        # Again and again, however fast.
        for _ in range(5):
            assert login(server, token(0)) == "app"
        # One new token a second: of eight at once, most come too early.
        tokens = [token(age) for age in range(1, 9)]
        with concurrent.futures.ThreadPoolExecutor(len(tokens)) as pool:
            refused = sum(pool.map(lambda token: is_refused(server, token), tokens))
        assert refused >= 1
        assert server.log().count("too many new tokens in this second") == refused
        assert (state.stat().st_size - 12) % 32 == 0

        # A file that cannot be used lets nobody in.
        service.write_text(service.read_text().replace(str(state), "/nonexistent/throttle"))
        with pytest.raises(psycopg.OperationalError):
            login(server, token(0))
        assert "cannot use the throttle's file" in server.log()
