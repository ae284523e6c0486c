"""Tokens pass whole, however long."""

from __future__ import annotations

import asyncio

import pytest
import rdstoken
from helpers import (
    ACCESS_KEY_ID,
    HOSTNAME,
    SECRET_ACCESS_KEY,
    SIGNING_TIME,
    botocore_token,
)

LENGTHS = [353, 500, 1024, 2048, 4096, 10_239, 16_384, 32_768, 65_000, 65_530]


def request_for(length: int) -> tuple[str, str | None]:
    """A user and a session token whose token has `length` bytes."""

    def token_length(username: str, session_token: str | None) -> int:
        return len(
            rdstoken.presign(
                hostname=HOSTNAME,
                port=5432,
                username=username,
                credentials=rdstoken.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, session_token),
                signing_time=SIGNING_TIME,
            )
        )

    missing = length - token_length("a", None)
    if missing < 100:
        return "a" * (1 + missing), None
    missing = length - token_length("a", "T")
    return "a", "T" * (1 + missing)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_token_passes_whole(length: int) -> None:
    username, session_token = request_for(length)
    credentials = rdstoken.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, session_token)
    presigned = rdstoken.presign(
        hostname=HOSTNAME,
        port=5432,
        username=username,
        credentials=credentials,
        signing_time=SIGNING_TIME,
    )
    assert len(presigned.encode()) == length
    assert presigned == botocore_token(
        hostname=HOSTNAME,
        port=5432,
        username=username,
        region="us-east-1",
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
        session_token=session_token,
        signing_time=SIGNING_TIME,
        expires_in=900,
    )

    signer = rdstoken.Signer(HOSTNAME, 5432, username, credentials=credentials)
    for token in (signer.token(), signer(), asyncio.run(signer.token_async())):
        assert len(token.encode()) == length
        # All but the time and the signature is the same.
        for part in ("X-Amz-Date=", "X-Amz-Signature="):
            assert token.index(part) == presigned.index(part)
        assert ("&X-Amz-Security-Token=" + (session_token or "") + "&" in token) == bool(
            session_token
        )


@pytest.mark.parametrize("length", [1500, 32_768])
def test_a_session_token_of_the_environment(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    session_token = ("T+/=" * length)[:length]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", session_token)
    token = rdstoken.Signer(HOSTNAME, 5432, "app").token()
    encoded = session_token.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    assert f"&X-Amz-Security-Token={encoded}&X-Amz-Signature=" in token
