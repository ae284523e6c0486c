"""Any input gives botocore's token or a typed error, and never anything else."""

from __future__ import annotations

import datetime
from typing import Any

import rdstoken
from helpers import botocore_token
from hypothesis import given, settings
from hypothesis import strategies as st

settings.register_profile("rdstoken", deadline=None, max_examples=300, database=None)
settings.load_profile("rdstoken")

LAST_SECOND = 253_402_299_899  # 9999-12-31T23:44:59Z: the token must expire in 9999 too
VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
LABEL = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?", fullmatch=True)
REGION = st.from_regex(r"[a-z]{2,4}(-[a-z]{1,8}){1,2}-[0-9]{1,2}", fullmatch=True)

REQUESTS = st.fixed_dictionaries(
    {
        # A last label of letters, lest it be taken for an IP address.
        "hostname": st.lists(LABEL, min_size=1, max_size=5).map(
            lambda labels: ".".join([*labels, "Example"])
        ),
        "port": st.integers(1, 65535) | st.sampled_from([80, 443]),
        "username": st.text(
            st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=63
        ),
        "region": REGION,
        "access_key_id": st.text(VISIBLE, min_size=1, max_size=128),
        "secret_access_key": st.text(VISIBLE, min_size=1, max_size=64),
        "session_token": st.none() | st.text(VISIBLE, max_size=2000),
        "signing_time": st.integers(0, LAST_SECOND),
        "expires_in": st.integers(1, 900),
    }
)


def presign(request: dict[str, Any]) -> str:
    keys = ("access_key_id", "secret_access_key", "session_token")
    credentials = rdstoken.Credentials(*(request[key] for key in keys))
    rest = {name: value for name, value in request.items() if name not in keys}
    return rdstoken.presign(credentials=credentials, **rest)


@given(REQUESTS)
def test_a_good_request_gives_botocores_token(request: dict[str, Any]) -> None:
    assert presign(request) == botocore_token(**request)


ANY_TEXT = st.text(st.characters(), max_size=300)
ANY_NUMBER = st.integers() | st.floats() | st.integers(-(10**400), 10**400)
ANY_TIME = st.datetimes(timezones=st.none() | st.timezones())
ANYTHING = st.none() | st.booleans() | st.binary() | ANY_TEXT | ANY_NUMBER | ANY_TIME
GOOD: dict[str, Any] = {
    "hostname": "db.abc123.us-east-1.rds.amazonaws.com",
    "port": 5432,
    "username": "app",
    "region": None,
    "access_key_id": "AKIDEXAMPLE",
    "secret_access_key": "secret",
    "session_token": None,
    "signing_time": 0,
    "expires_in": 900,
}


@given(st.sampled_from(sorted(GOOD)), ANYTHING)
def test_one_strange_argument(field: str, value: object) -> None:
    try:
        token = presign(GOOD | {field: value})
    except rdstoken.RegionNotFoundError:
        assert field == "hostname"
    except rdstoken.InvalidArgumentError as error:
        assert error.field == field  # noqa: PT017 - either outcome is right
    except TypeError as error:
        assert str(error).startswith(f"{field}: ")  # noqa: PT017 - as above
    else:
        assert len(token.rpartition("&X-Amz-Signature=")[2]) == 64


@given(st.fixed_dictionaries(dict.fromkeys(sorted(GOOD), ANYTHING)))
def test_strange_arguments_all_together(request: dict[str, Any]) -> None:
    try:
        token = presign(request)
    except (rdstoken.InvalidArgumentError, rdstoken.RegionNotFoundError, TypeError):
        return
    assert len(token.rpartition("&X-Amz-Signature=")[2]) == 64


@given(ANY_TEXT, ANYTHING, ANY_TEXT, ANYTHING, ANYTHING, ANYTHING)
def test_a_signer_of_strange_arguments(  # noqa: PLR0917 - as many as a signer takes
    hostname: str, port: Any, username: str, region: Any, expires_in: Any, timeout: Any
) -> None:
    try:
        signer = rdstoken.Signer(
            hostname, port, username, region=region, expires_in=expires_in, timeout=timeout
        )
    except (rdstoken.InvalidArgumentError, TypeError):
        return
    assert repr(signer).startswith("Signer(hostname=")


@given(st.datetimes(datetime.datetime(1970, 1, 2), timezones=st.timezones()))  # noqa: DTZ001
def test_a_datetime_is_the_same_moment_as_its_seconds(moment: datetime.datetime) -> None:
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    seconds = (moment - epoch) // datetime.timedelta(seconds=1)
    if seconds > LAST_SECOND:
        return
    assert presign(GOOD | {"signing_time": moment}) == presign(GOOD | {"signing_time": seconds})
