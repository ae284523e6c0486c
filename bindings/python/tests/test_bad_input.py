"""Every wrong argument gives the error that names it, and never its value."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from typing import Any

import pytest
import rdstoken
from helpers import ACCESS_KEY_ID, HOSTNAME, SECRET_ACCESS_KEY, SIGNING_TIME

ROLE_ARN = "arn:aws:iam::123456789012:role/app"
CREDENTIALS = rdstoken.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)


def make_signer(**arguments: Any) -> object:
    good: dict[str, Any] = {"hostname": HOSTNAME, "port": 5432, "username": "app"}
    return rdstoken.Signer(**(good | arguments))


def make_role(**arguments: Any) -> object:
    return make_signer(role_arn=ROLE_ARN, **arguments)


def make_presign(**arguments: Any) -> object:
    good: dict[str, Any] = {
        "hostname": HOSTNAME,
        "port": 5432,
        "username": "app",
        "credentials": CREDENTIALS,
        "signing_time": SIGNING_TIME,
    }
    return rdstoken.presign(**(good | arguments))


def make_boto3(**arguments: Any) -> object:
    good: dict[str, Any] = {"DBHostname": HOSTNAME, "Port": 5432, "DBUsername": "app"}
    return rdstoken.generate_db_auth_token(**(good | arguments))


def make_credentials(**arguments: Any) -> object:
    good: dict[str, Any] = {"access_key_id": ACCESS_KEY_ID, "secret_access_key": SECRET_ACCESS_KEY}
    return rdstoken.Credentials(**(good | arguments))


Make = Callable[..., object]

HOSTNAMES = [(make_signer, "hostname"), (make_presign, "hostname"), (make_boto3, "DBHostname")]
PORTS = [(make_signer, "port"), (make_presign, "port"), (make_boto3, "Port")]
USERNAMES = [(make_signer, "username"), (make_presign, "username"), (make_boto3, "DBUsername")]
REGIONS = [(make_signer, "region"), (make_presign, "region"), (make_boto3, "Region")]
PROFILES = [(make_signer, "profile")]
EXPIRIES = [(make_signer, "expires_in"), (make_presign, "expires_in")]
TIMEOUTS = [(make_signer, "timeout")]
MIN_VALIDITIES = [(make_signer, "min_validity")]
ALIGNS = [(make_signer, "align")]
WINDOWS = [(make_signer, "advisory_window"), (make_signer, "mandatory_window")]
FLAGS = [(make_signer, "cache"), (make_signer, "warn_hostname")]
ROLES = [(make_signer, "role_arn")]
SESSION_NAMES = [(make_role, "role_session_name")]
EXTERNAL_IDS = [(make_role, "external_id")]
ONLY_WITH_A_ROLE = [(make_signer, "role_session_name"), (make_signer, "external_id")]
EXPIRES_AT = [(make_credentials, "expires_at")]
TIMES = [(make_presign, "signing_time")]
KEY_IDS = [(make_credentials, "access_key_id")]
SECRET_KEYS = [(make_credentials, "secret_access_key")]
SESSION_TOKENS = [(make_credentials, "session_token")]
REQUIRED_CREDENTIALS = [(make_presign, "credentials")]
OPTIONAL_CREDENTIALS = [(make_signer, "credentials")]

UTC = datetime.timezone.utc
EAST = datetime.timezone(datetime.timedelta(hours=14))
WEST = datetime.timezone(-datetime.timedelta(hours=14))
LAST_SECOND = 253_402_299_899  # 9999-12-31T23:44:59Z: the token must expire in 9999 too
NAIVE = datetime.datetime.fromtimestamp(SIGNING_TIME, UTC).replace(tzinfo=None)


class ZoneWithoutOffset(datetime.tzinfo):
    """A datetime in this zone is naive, though it has a zone."""

    def utcoffset(self, _: datetime.datetime | None) -> None:
        return None

    def dst(self, _: datetime.datetime | None) -> None:
        return None

    def tzname(self, _: datetime.datetime | None) -> None:
        return None


class NoNumber:
    """It looks like a number until it is asked."""

    def __index__(self) -> int:
        raise ZeroDivisionError

    def __float__(self) -> float:
        raise ZeroDivisionError


def cases(*rows: tuple[list[tuple[Make, str]], list[Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("make", "field", "value"),
        [
            pytest.param(make, field, value, id=f"{make.__name__}-{field}-{number}")
            for places, values in rows
            for make, field in places
            for number, value in enumerate(values)
        ],
    )


TEXTS = ["a\ud800b", "\udfff", "a\0b", ""]
NUMBERS = [0, -1, 1 << 31, 1 << 63, 1 << 64, 1 << 127, 10**30, -(10**30), 10**400]


@cases(
    (HOSTNAMES, [*TEXTS, "10.0.0.5", "https://" + HOSTNAME, "a b", "a" * 300, "dätenbank"]),
    (USERNAMES, [*TEXTS, "u" * 256, "ü" * 128]),
    (REGIONS, [*TEXTS, "us-east-1a", "US-EAST-1", "aws-global", "us east 1"]),
    (PROFILES, [*TEXTS, "p" * 1025]),
    (PORTS, [*NUMBERS, 65536, 70000]),
    (EXPIRIES, [*NUMBERS, -5, 901, 1000]),
    (TIMEOUTS, [*NUMBERS, -0.0, 1e-30, 3601, 1e300, math.nan, math.inf, -math.inf]),
    (TIMES, [-1, -0.5, LAST_SECOND + 1, 1 << 63, 1 << 64, 10**30, -(10**30), 10**400]),
    (TIMES, [math.nan, math.inf, -math.inf, 1e300, -1e300, LAST_SECOND + 1.0, 1.8e19, 9.3e18]),
    (TIMES, [NAIVE, NAIVE.replace(tzinfo=ZoneWithoutOffset())]),
    (TIMES, [datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)]),
    (TIMES, [datetime.datetime.min.replace(tzinfo=EAST)]),
    (TIMES, [datetime.datetime.max.replace(tzinfo=zone) for zone in (UTC, WEST)]),
    (MIN_VALIDITIES, [*NUMBERS[1:], -0.5, 900, 1e300, math.nan, math.inf, -math.inf]),
    (ALIGNS, [*NUMBERS[1:], -5, 601, 841]),
    (WINDOWS, [*NUMBERS[1:], -0.5, 43_201, 1e300, math.nan, math.inf, -math.inf]),
    (WINDOWS[1:], [301, 300.001]),
    (ROLES, [*TEXTS, "role/app", "arn:aws:iam::123456789012:user/app", "arn:aws:iam::1 2:role/a"]),
    (SESSION_NAMES, [*TEXTS, "a", "a" * 65, "a b", "a:b"]),
    (EXTERNAL_IDS, [*TEXTS, "a", "a" * 1225, "a b"]),
    (ONLY_WITH_A_ROLE, ["app"]),
    (EXPIRES_AT, [-1, 253_402_300_800, 1 << 63, 1 << 64, 10**400, math.nan, math.inf, -1e300]),
    (EXPIRES_AT, [NAIVE, NAIVE.replace(tzinfo=ZoneWithoutOffset())]),
    (KEY_IDS, [*TEXTS, "A" * 129, "AKID\n", "AKID EXAMPLE", "AKIDÉ"]),
    (SECRET_KEYS, [*TEXTS, "s" * 1025, "secret\n", " secret"]),
    (SESSION_TOKENS, [*TEXTS[:-1], "t" * 65_537, "token\n"]),
)
def test_a_value_that_cannot_be_right(make: Make, field: str, value: object) -> None:
    with pytest.raises(rdstoken.InvalidArgumentError) as caught:
        make(**{field: value})
    error = caught.value
    assert error.field == field
    assert error.code == "InvalidArgument"
    assert str(error).startswith(f"{field}: expected ")
    # Python's own error would hold the value.
    assert error.__context__ is None
    assert error.__cause__ is None


NO_TEXT = [b"bytes", 1, True, ["a"], object()]
NO_INTEGER = ["5432", b"1", 1.0, True, False, None, [1], 1j, object()]
NO_NUMBER = ["5", b"5", True, False, None, [5], 1j, object(), datetime.timedelta(seconds=5)]
NO_CREDENTIALS = [(ACCESS_KEY_ID, SECRET_ACCESS_KEY), ACCESS_KEY_ID, {}, rdstoken.Credentials]


@cases(
    (HOSTNAMES, [*NO_TEXT, None]),
    (USERNAMES, [*NO_TEXT, None]),
    (REGIONS, NO_TEXT),
    (PROFILES, NO_TEXT),
    (PORTS, NO_INTEGER),
    (EXPIRIES, NO_INTEGER),
    (TIMEOUTS, NO_NUMBER),
    (TIMES, [*NO_NUMBER, datetime.date(2026, 1, 1), datetime.time(0), "2026-01-01T00:00:00Z"]),
    (KEY_IDS, [*NO_TEXT, None]),
    (SECRET_KEYS, [*NO_TEXT, None]),
    (SESSION_TOKENS, NO_TEXT),
    (MIN_VALIDITIES, [value for value in NO_NUMBER if value is not None]),
    (WINDOWS, NO_NUMBER),
    (ALIGNS, NO_INTEGER),
    (FLAGS, [0, 1, "yes", None, 1.0]),
    (ROLES, NO_TEXT),
    (SESSION_NAMES, NO_TEXT),
    (EXTERNAL_IDS, NO_TEXT),
    (EXPIRES_AT, [value for value in NO_NUMBER if value is not None]),
    (REQUIRED_CREDENTIALS, [*NO_CREDENTIALS, None]),
    (OPTIONAL_CREDENTIALS, NO_CREDENTIALS),
)
def test_a_value_of_the_wrong_type(make: Make, field: str, value: object) -> None:
    with pytest.raises(TypeError) as caught:
        make(**{field: value})
    assert str(caught.value).startswith(f"{field}: expected ")
    assert str(caught.value).endswith(f", got {type(value).__name__}")


@cases(
    (PORTS, [NoNumber()]),
    (EXPIRIES, [NoNumber()]),
    (TIMEOUTS, [NoNumber()]),
    (WINDOWS, [NoNumber()]),
)
def test_an_error_of_the_callers_own_comes_through(make: Make, field: str, value: object) -> None:
    with pytest.raises(ZeroDivisionError):
        make(**{field: value})


@pytest.mark.parametrize("make", [make_signer, make_presign, make_boto3, make_credentials])
def test_an_unknown_argument(make: Make) -> None:
    with pytest.raises(TypeError, match="unknown"):
        make(unknown=1)


def test_a_profile_and_credentials_together() -> None:
    with pytest.raises(rdstoken.InvalidArgumentError) as caught:
        make_signer(profile="staging", credentials=CREDENTIALS)
    assert caught.value.field == "profile"


def test_what_just_passes() -> None:
    make_signer(port=1, expires_in=1, timeout=0.001)
    make_signer(port=65535, expires_in=900, timeout=3600)
    make_signer(username="u" * 255, profile="p" * 1024, region="us-gov-west-1")
    make_signer(min_validity=0, align=600, advisory_window=0, mandatory_window=0)
    make_signer(min_validity=899, advisory_window=43_200, mandatory_window=43_200)
    make_signer(min_validity=300, align=600, cache=False, warn_hostname=False)
    make_role(role_session_name="a" * 64, external_id="a" * 1224)
    make_credentials(expires_at=0)
    make_credentials(expires_at=253_402_300_799)
    make_credentials(access_key_id="A" * 128, secret_access_key="s" * 1024)
    make_credentials(session_token="t" * 65_536)
    make_credentials(session_token="")
    make_presign(signing_time=0)
    make_presign(signing_time=LAST_SECOND)


class Integer:
    """A number of another library, as NumPy has them."""

    def __index__(self) -> int:
        return 300


def test_numbers_of_other_libraries() -> None:
    assert make_presign(port=Integer()) == make_presign(port=300)
    assert make_presign(expires_in=Integer()) == make_presign(expires_in=300)
    assert make_presign(signing_time=Integer()) == make_presign(signing_time=300)
    make_signer(timeout=Integer())


@pytest.mark.parametrize(
    ("signing_time", "whole"),
    [
        (SIGNING_TIME + 0.999_999, SIGNING_TIME),
        (float(SIGNING_TIME), SIGNING_TIME),
        (0.999_999_999_9, 0),
        (datetime.datetime.fromtimestamp(SIGNING_TIME, EAST), SIGNING_TIME),
        (datetime.datetime.fromtimestamp(SIGNING_TIME, WEST), SIGNING_TIME),
        (datetime.datetime(1970, 1, 1, 0, 0, 0, 999_999, UTC), 0),
        # As a float this microsecond rounds up to the next second, which is refused.
        (datetime.datetime(9999, 12, 31, 23, 44, 59, 999_999, UTC), LAST_SECOND),
    ],
)
def test_a_fraction_of_a_second_is_dropped(signing_time: object, whole: int) -> None:
    assert make_presign(signing_time=signing_time) == make_presign(signing_time=whole)
