"""Prints the median time of one call, in nanoseconds: calls.py WHAT HOSTNAME SECONDS.

The credentials are those of the environment. Each peer is used as its documentation has it, with
all that can be made once made once.
"""

from __future__ import annotations

import datetime
import os
import statistics
import sys
import time
import timeit
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOGIN = (sys.argv[2], 5432, "app")


def signing_key() -> tuple[str, str, str]:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    key_id, secret, session_token = (os.environ[name] for name in names)
    return key_id, secret, session_token


def hit() -> Callable[[], object]:
    import rdstoken  # noqa: PLC0415

    signer = rdstoken.Signer(*LOGIN, credentials=rdstoken.Credentials(*signing_key()))
    signer.token()
    return signer.token


def sign() -> Callable[[], object]:
    import rdstoken  # noqa: PLC0415

    credentials = rdstoken.Credentials(*signing_key())
    return rdstoken.Signer(*LOGIN, credentials=credentials, cache=False).token


def boto3() -> Callable[[], object]:
    import boto3  # noqa: PLC0415

    client = boto3.client("rds", region_name="us-east-1")
    return lambda: client.generate_db_auth_token(*LOGIN)


def awscrt() -> Callable[[], object]:
    from awscrt import auth, http  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415

    hostname, port, username = LOGIN
    config = auth.AwsSigningConfig(
        algorithm=auth.AwsSigningAlgorithm.V4,
        signature_type=auth.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
        credentials_provider=auth.AwsCredentialsProvider.new_static(*signing_key()),
        region="us-east-1",
        service="rds-db",
        use_double_uri_encode=True,
        should_normalize_uri_path=True,
        signed_body_value=auth.AwsSignedBodyValue.EMPTY_SHA256,
        signed_body_header_type=auth.AwsSignedBodyHeaderType.NONE,
        expiration_in_seconds=900,
        omit_session_token=False,
    )

    def call() -> str:
        now = config.replace(date=datetime.datetime.now(datetime.timezone.utc))
        headers = http.HttpHeaders([("host", f"{hostname}:{port}")])
        request = http.HttpRequest("GET", f"/?Action=connect&DBUser={username}", headers)
        path: str = auth.aws_sign_request(request, now).result().path
        return f"{hostname}:{port}{path}"

    return call


def main() -> None:
    call = {"hit": hit, "sign": sign, "boto3": boto3, "awscrt": awscrt}[sys.argv[1]]()
    timer = timeit.Timer("call()", globals={"call": call})
    number, _ = timer.autorange(lambda _number, _taken: None)
    number = max(1, number // 10)
    end = time.monotonic() + float(sys.argv[3])
    times: list[float] = []
    while time.monotonic() < end or not times:
        times.append(timer.timeit(number) / number * 1e9)
    print(statistics.median(times))


if __name__ == "__main__":
    main()
