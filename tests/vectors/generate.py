"""Writes presign.json: tokens made by botocore, AWS's own signer, from made-up keys.

Run it through `make vectors`; the result is committed, and CI fails when it differs. What botocore
leaves to its caller is done here: the host is lower-cased, one trailing dot is
dropped, and the port is always signed (botocore would drop 443).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import pathlib
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

os.environ["BOTO_DISABLE_CRT"] = "true"  # awscrt orders the parameters its own way

import botocore.auth
import botocore.awsrequest
import botocore.compat
import botocore.credentials

HERE = pathlib.Path(__file__).parent
CLUSTER = "mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com"
ACCESS_KEY_ID = "AKIDEXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SIGNING_TIME = 1_767_225_600  # 2026-01-01T00:00:00Z


def session_token(length: int, seed: str) -> str:
    """Text of `length` characters that looks like a session token, with its + / and =."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    text, block = "", seed.encode()
    while len(text) < length:
        block = hashlib.sha256(block).digest()
        text += "".join(alphabet[byte % 64] for byte in block)
    return text[: length - 2] + "==" if length > 2 else text[:length]


def case(name: str, **changes: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "name": name,
        "hostname": CLUSTER,
        "port": 5432,
        "username": "app_user",
        "region": None,
        "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SECRET_ACCESS_KEY,
        "session_token": None,
        "signing_time": SIGNING_TIME,
        "expires_in": 900,
    } | changes
    found = request.pop("found", "us-east-1")  # the region that the hostname names
    return request | sign(request, request["region"] or found)


def sign(request: dict[str, Any], region: str) -> dict[str, str]:
    host = request["hostname"].lower().removesuffix(".")
    authority = f"{host}:{request['port']}"
    credentials = botocore.credentials.Credentials(
        request["access_key_id"],
        request["secret_access_key"],
        request["session_token"] or None,  # botocore would sign an empty one
    )
    auth = botocore.auth.SigV4QueryAuth(
        credentials, "rds-db", region, expires=request["expires_in"]
    )
    made = botocore.awsrequest.AWSRequest(
        method="GET",
        url=f"https://{authority}/",
        params={"Action": "connect", "DBUser": request["username"]},
        headers={"host": authority},
    )
    now = dt.datetime.fromtimestamp(request["signing_time"], dt.timezone.utc)
    frozen = now.replace(tzinfo=None)
    with (
        mock.patch("botocore.auth.get_current_datetime", return_value=frozen),
        mock.patch.object(auth, "signature", wraps=auth.signature) as signature,
    ):
        auth.add_auth(made)
    string_to_sign: str = signature.call_args.args[0]
    parts = urlsplit(made.url)
    assert parts.netloc == authority
    return {"string_to_sign": string_to_sign, "token": made.url.removeprefix("https://")}


def users() -> list[dict[str, Any]]:
    odd = {
        "space": "app user",
        "spaces around": " app ",
        "plus": "app+ro",
        "percent": "100%",
        "percent that looks encoded": "a%2Fb",
        "slash": "team/app",
        "ampersand": "a&DBUser=admin",
        "hash": "a#b",
        "at": "app@corp.example.com",
        "equals": "a=b",
        "question": "a?b",
        "tilde and unreserved": "A-z_0.9~",
        "star quote": "a*'\"(b)!",
        "upper case": "AppUser",
        "UTF-8": "müller",
        "emoji": "db🔑",
        "tab and newline": "a\tb\nc",
        "one letter": "a",
        "255 bytes": "u" * 255,
    }
    return [case(f"user: {name}", username=user) for name, user in odd.items()]


def endpoints() -> list[dict[str, Any]]:
    data = json.loads((HERE / "endpoints.json").read_text())
    return [
        case(f"endpoint: {kind['kind']}", hostname=kind["hostname"], found=kind["region"])
        if kind["region"]
        else case(f"endpoint: {kind['kind']}", hostname=kind["hostname"], region="eu-west-1")
        for kind in data["endpoints"]
    ]


def main() -> None:
    cases = [
        case("plain"),
        case("region given", region="us-east-1"),
        case("region given against the hostname's", region="eu-central-1"),
        case("custom name", hostname="db.example.com", region="ap-southeast-7"),
        case("upper-case host", hostname=CLUSTER.upper()),
        case("trailing dot", hostname=CLUSTER + "."),
        case("port 80", port=80),
        case("port 443", port=443),
        case("port 1", port=1),
        case("port 3306", port=3306),
        case("port 65535", port=65535),
        case("expires in 1", expires_in=1),
        case("expires in 60", expires_in=60),
        case("last second of a day", signing_time=SIGNING_TIME - 1),
        case("leap day", signing_time=1_709_208_000),
        case("session token empty", session_token=""),
        case("session token short", session_token="abc"),
        case("session token 1 KB", session_token=session_token(1024, "1")),
        case("session token 1.5 KB, all escaped", session_token="+/=" * 512),
        case("session token 4 KB", session_token=session_token(4096, "4")),
        case("session token 32 KB", session_token=session_token(32768, "32")),
        case("slash in key id", access_key_id="AKID/EXAMPLE+1"),
        *users(),
        *endpoints(),
    ]
    text = json.dumps(
        {
            "comment": "Made by generate.py with botocore from made-up keys. Do not edit.",
            "cases": cases,
        },
        indent=1,
        ensure_ascii=True,
    )
    (HERE / "presign.json").write_text(text + "\n")
    print(f"wrote {len(cases)} cases")


if __name__ == "__main__":
    main()
