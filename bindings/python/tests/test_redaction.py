"""No secret becomes text by accident."""

from __future__ import annotations

import copy
import gc
import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest
import rdstoken
from helpers import ACCESS_KEY_ID, HOSTNAME

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "verySecretKey/0123456789+abcdefghijklmnop"
SESSION = "verySecretSessionToken+/=="
WORD = "verySecret"


@pytest.fixture
def credentials() -> rdstoken.Credentials:
    return rdstoken.Credentials(ACCESS_KEY_ID, SECRET, SESSION)


def test_repr_of_credentials(credentials: rdstoken.Credentials) -> None:
    assert repr(credentials) == "Credentials(access_key_id='AKIDEXAMPLE')"
    assert str(credentials) == repr(credentials)
    assert f"{credentials}" == repr(credentials)
    assert credentials.access_key_id == ACCESS_KEY_ID


def test_repr_of_a_signer(credentials: rdstoken.Credentials) -> None:
    signer = rdstoken.Signer(HOSTNAME.upper() + ".", 5432, "o'app\n", credentials=credentials)
    signer.token()
    assert repr(signer) == f'Signer(hostname={HOSTNAME!r}, port=5432, username="o\'app\\n")'
    assert str(signer) == repr(signer)


def test_no_attribute_holds_a_secret(credentials: rdstoken.Credentials) -> None:
    signer = rdstoken.Signer(HOSTNAME, 5432, "app", credentials=credentials)
    token = signer.token()
    signature = token[-64:]
    for item in (credentials, signer):
        for name in dir(item):
            text = repr(getattr(item, name))
            assert WORD not in text
            assert signature not in text
        # Python's own view of what an object keeps alive.
        assert not [held for held in gc.get_referents(item) if isinstance(held, str)]
        assert not hasattr(item, "__dict__")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_no_pickle(credentials: rdstoken.Credentials, protocol: int) -> None:
    signer = rdstoken.Signer(HOSTNAME, 5432, "app", credentials=credentials)
    for item in (credentials, signer):
        with pytest.raises(TypeError, match="cannot pickle"):
            pickle.dumps(item, protocol)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_no_copy(credentials: rdstoken.Credentials, copied: Callable[[object], object]) -> None:
    signer = rdstoken.Signer(HOSTNAME, 5432, "app", credentials=credentials)
    for item in (credentials, signer):
        with pytest.raises(TypeError, match="cannot pickle"):
            copied(item)


@pytest.mark.parametrize(
    ("make", "arguments"),
    [
        (rdstoken.Credentials, ("AKID", SECRET + "\n")),
        (rdstoken.Credentials, ("AKID", SECRET + "\ud800")),
        (rdstoken.Credentials, ("AKID", SECRET.encode())),
        (rdstoken.Credentials, ("AKID", SECRET, SESSION + " ")),
        (rdstoken.Credentials, ("AKID", SECRET, SESSION + "\udcff")),
        (rdstoken.Credentials, ("AKID", SECRET, [SESSION])),
        (rdstoken.Credentials, (SECRET + "\n", "x")),
        (rdstoken.Signer, (f"app:{SECRET}@{HOSTNAME}", 5432, "app")),
        (rdstoken.Signer, (HOSTNAME, SECRET, "app")),
        (rdstoken.Signer, (HOSTNAME, 5432, SECRET + "\0")),
        (rdstoken.generate_db_auth_token, (HOSTNAME, 5432, "app", SECRET)),
    ],
)
def test_no_traceback_holds_the_value_at_fault(
    make: Callable[..., object], arguments: tuple[Any, ...]
) -> None:
    with pytest.raises((rdstoken.InvalidArgumentError, TypeError)) as caught:
        make(*arguments)
    error = caught.value
    assert WORD not in "".join(traceback.format_exception(error))
    assert WORD not in repr(error)
    assert WORD.encode() not in pickle.dumps(error)


def test_an_unusable_key_of_the_environment_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET + "\u00e9")
    with pytest.raises(rdstoken.CredentialsFailedError) as caught:
        rdstoken.Signer(HOSTNAME, 5432, "app").token()
    assert WORD not in "".join(traceback.format_exception(caught.value))


def test_no_secret_is_logged_or_printed(
    credentials: rdstoken.Credentials,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RUST_LOG", "trace")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION)
    with caplog.at_level(logging.NOTSET):
        rdstoken.Signer(HOSTNAME, 5432, "app").token()
        rdstoken.Signer(HOSTNAME, 5432, "app", credentials=credentials).token()
        with pytest.raises(rdstoken.RegionNotFoundError):
            rdstoken.Signer("db.example.com", 5432, "app", credentials=credentials).token()
    assert {record.name for record in caplog.records} == {"rdstoken"}
    assert "token signed" in caplog.text
    assert WORD not in caplog.text
    assert "Signature" not in caplog.text
    assert capfd.readouterr() == ("", "")
