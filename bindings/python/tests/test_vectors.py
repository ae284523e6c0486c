"""The shared vectors, which are botocore's work: the same bytes in every language."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import rdstoken
from helpers import parsed, shared_json

CASES: list[dict[str, Any]] = shared_json("vectors/presign.json")["cases"]
ENDPOINTS = shared_json("vectors/endpoints.json")

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])


def credentials_of(case: dict[str, Any]) -> rdstoken.Credentials:
    return rdstoken.Credentials(
        case["access_key_id"], case["secret_access_key"], case["session_token"]
    )


def test_there_are_vectors() -> None:
    assert len(CASES) > 30


@every_case
def test_presign(case: dict[str, Any]) -> None:
    token = rdstoken.presign(
        hostname=case["hostname"],
        port=case["port"],
        username=case["username"],
        region=case["region"],
        credentials=credentials_of(case),
        signing_time=case["signing_time"],
        expires_in=case["expires_in"],
    )
    assert token == case["token"]


@every_case
def test_presign_at_a_datetime(case: dict[str, Any]) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=-7, minutes=30))
    token = rdstoken.presign(
        hostname=case["hostname"],
        port=case["port"],
        username=case["username"],
        region=case["region"],
        credentials=credentials_of(case),
        signing_time=datetime.datetime.fromtimestamp(case["signing_time"], zone),
        expires_in=case["expires_in"],
    )
    assert token == case["token"]


@every_case
def test_signer_differs_in_time_alone(case: dict[str, Any]) -> None:
    signer = rdstoken.Signer(
        case["hostname"],
        case["port"],
        case["username"],
        region=case["region"],
        credentials=credentials_of(case),
        expires_in=case["expires_in"],
    )
    authority, parameters = parsed(signer.token())
    expected_authority, expected = parsed(case["token"])
    assert authority == expected_authority
    assert list(parameters) == list(expected)
    for name in ("X-Amz-Date", "X-Amz-Signature"):
        assert len(parameters.pop(name)) == len(expected.pop(name))
    # The credential's second part is the day.
    key, _, *scope = parameters.pop("X-Amz-Credential").rsplit("/", 4)
    expected_key, _, *expected_scope = expected.pop("X-Amz-Credential").rsplit("/", 4)
    assert (key, scope) == (expected_key, expected_scope)
    assert parameters == expected


@every_case
def test_presign_equals_the_signer_at_its_time(case: dict[str, Any]) -> None:
    credentials = credentials_of(case)
    signer = rdstoken.Signer(
        case["hostname"],
        case["port"],
        case["username"],
        region=case["region"],
        credentials=credentials,
        expires_in=case["expires_in"],
    )
    token = signer.token()
    expires_at = signer.expires_at
    assert expires_at is not None
    signing_time = expires_at - datetime.timedelta(seconds=case["expires_in"])
    assert token == rdstoken.presign(
        hostname=case["hostname"],
        port=case["port"],
        username=case["username"],
        region=case["region"],
        credentials=credentials,
        signing_time=signing_time,
        expires_in=case["expires_in"],
    )


@pytest.mark.parametrize("hostname", ENDPOINTS["look_alikes"])
def test_look_alikes_name_no_region(hostname: str, credentials: rdstoken.Credentials) -> None:
    with pytest.raises(rdstoken.RegionNotFoundError):
        rdstoken.presign(
            hostname=hostname, port=1, username="app", credentials=credentials, signing_time=0
        )


@pytest.mark.parametrize("case", ENDPOINTS["refused"], ids=lambda case: case["why"])
def test_what_is_no_hostname_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(rdstoken.InvalidArgumentError) as caught:
        rdstoken.Signer(case["hostname"], 5432, "app")
    assert caught.value.field == "hostname"
