"""The same bytes as boto3, in place of which generate_db_auth_token stands."""

from __future__ import annotations

import datetime
import inspect
from typing import Any
from unittest import mock

import boto3
import pytest
import rdstoken
from helpers import ACCESS_KEY_ID, HOSTNAME, SECRET_ACCESS_KEY, SIGNING_TIME

SESSION_TOKENS = [None, "short", "T+/=" * 384]
USERS = ["app", "app user", "a+b/c=d&e%f", "müller"]


def client(session_token: str | None) -> Any:
    return boto3.client(
        "rds",
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        aws_session_token=session_token,
    )


@pytest.mark.parametrize("session_token", SESSION_TOKENS, ids=["none", "short", "long"])
@pytest.mark.parametrize("username", USERS)
@pytest.mark.parametrize("region", [None, "eu-central-1"])
def test_boto3_makes_the_same_token(
    session_token: str | None, username: str, region: str | None
) -> None:
    now = datetime.datetime.fromtimestamp(SIGNING_TIME, datetime.timezone.utc)
    with mock.patch("botocore.auth.get_current_datetime", return_value=now.replace(tzinfo=None)):
        expected = client(session_token).generate_db_auth_token(
            DBHostname=HOSTNAME, Port=5432, DBUsername=username, Region=region
        )
    assert expected == rdstoken.presign(
        hostname=HOSTNAME,
        port=5432,
        username=username,
        region=region,
        credentials=rdstoken.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, session_token),
        signing_time=now,
    )


def test_the_arguments_are_boto3s() -> None:
    ours = inspect.signature(rdstoken.generate_db_auth_token)
    theirs = inspect.signature(client(None).generate_db_auth_token)
    assert list(ours.parameters) == list(theirs.parameters)
    for name, parameter in theirs.parameters.items():
        assert ours.parameters[name].default == parameter.default
