"""The `rdstoken` command."""

from __future__ import annotations

import datetime as dt
import json
import os
import pathlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from built import Command

HOST = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET}
LOGIN = ("token", "--hostname", HOST, "--port", "5432", "--username", "app")
SESSION_TOKEN = "IQoJb3JpZ2luX2VjE+/=" * 75  # 1.5 KB


def rfc3339(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc).isoformat()


def test_vectors(command: Command, presign_cases: list[dict[str, Any]]) -> None:
    for case in presign_cases:
        region = ("--region", case["region"]) if case["region"] else ()
        done = command.run(
            "token",
            f"--hostname={case['hostname']}",
            f"--port={case['port']}",
            f"--username={case['username']}",
            f"--expires-in={case['expires_in']}",
            f"--signing-time={rfc3339(case['signing_time'])}",
            "--no-hostname-warning",
            *region,
            env={
                "AWS_ACCESS_KEY_ID": case["access_key_id"],
                "AWS_SECRET_ACCESS_KEY": case["secret_access_key"],
                "AWS_SESSION_TOKEN": case["session_token"] or "",
            },
        )
        assert done.stderr == "", case["name"]
        assert done.stdout == case["token"] + "\n", case["name"]


def test_hostnames_that_are_refused(command: Command, endpoints: dict[str, Any]) -> None:
    for refused in endpoints["refused"]:
        done = command.run("token", f"--hostname={refused['hostname']}", "--port=1", "--username=a")
        assert (done.returncode, done.stdout) == (1, ""), refused["why"]
        assert done.stderr.startswith("rdstoken: InvalidArgument: hostname: "), refused["why"]


@pytest.mark.parametrize("session_token", [None, SESSION_TOKEN], ids=["static", "temporary"])
@pytest.mark.parametrize("now", ["2026-01-01 00:00:00", "2028-02-29 23:59:59"])
def test_equals_the_aws_cli(command: Command, session_token: str | None, now: str) -> None:
    """Byte for byte, with the clock frozen; the AWS CLI prints a newline too."""
    keys = KEYS | ({"AWS_SESSION_TOKEN": session_token} if session_token else {})
    frozen = ("faketime", "-f", now)
    theirs = subprocess.run(
        [
            *frozen,
            pathlib.Path(sys.executable).with_name("aws"),
            *("rds", "generate-db-auth-token", "--region", "us-east-1"),
            *LOGIN[1:],
        ],
        env=os.environ | keys | {"TZ": "UTC"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    ours = command.run(*LOGIN, under=frozen, env=keys | {"TZ": "UTC"})
    assert ours.stdout == theirs
    assert f"X-Amz-Date={now[:4]}" in ours.stdout


@pytest.mark.parametrize("length", [353, 1000, 2048, 4096, 8192, 16384, 32000, 65000, 65530])
def test_tokens_come_out_whole(command: Command, length: int) -> None:
    """Up to the longest password that PostgreSQL takes."""
    short = len(command.run(*LOGIN, env=KEYS).stdout) - 1
    if length == 353:
        username = "a" * (3 + 353 - short)
        done = command.run(*LOGIN[:-1], username, env=KEYS)
    else:
        padding = "A" * (length - short - len("&X-Amz-Security-Token="))
        done = command.run(*LOGIN, env=KEYS | {"AWS_SESSION_TOKEN": padding})
        assert padding in done.stdout
    assert len(done.stdout) == length + 1


def test_json(command: Command) -> None:
    time = "--signing-time=2026-01-01T01:00:00+01:00"
    plain = command.run(*LOGIN, time, env=KEYS)
    answer = json.loads(command.run(*LOGIN, time, "--json", env=KEYS).stdout)
    assert answer == {"token": plain.stdout[:-1], "expires_at": "2026-01-01T00:15:00Z"}


def test_a_profile_is_taken_alone(command: Command, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("[dev]\naws_access_key_id=AKIDDEV\naws_secret_access_key=secret\n")
    done = command.run(
        *LOGIN, "--profile=dev", env=KEYS | {"AWS_SHARED_CREDENTIALS_FILE": str(file)}
    )
    assert "Credential=AKIDDEV%2F" in done.stdout


def test_no_credentials_anywhere(command: Command) -> None:
    done = command.run(*LOGIN)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("rdstoken: CredentialsNotFound: ")
    assert "EC2 instance metadata" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--port", "0"), "InvalidArgument: port: "),
        (("--username", ""), "InvalidArgument: username: "),
        (("--region", "us-east-1a"), "InvalidArgument: region: "),
        (("--profile", ""), "InvalidArgument: profile: "),
        (("--expires-in", "901"), "InvalidArgument: expires_in: "),
        (("--timeout", "0"), "InvalidArgument: timeout: "),
        (("--signing-time", "1969-12-31T23:59:59Z"), "InvalidArgument: signing_time: "),
        (("--signing-time", "9999-12-31T23:59:59Z"), "InvalidArgument: signing_time: "),
        (("--hostname", "db.example.com"), "RegionNotFound: "),
        (("--role-arn", "app"), "InvalidArgument: role_arn: "),
        (("--role-session-name", "app"), "InvalidArgument: role_session_name: "),
        (("--external-id", "id"), "InvalidArgument: external_id: "),
        (("--align", "601"), "InvalidArgument: align: "),
    ],
)
def test_bad_values(command: Command, arguments: tuple[str, str], said: str) -> None:
    given = dict(zip(LOGIN[1::2], LOGIN[2::2], strict=True)) | {arguments[0]: arguments[1]}
    done = command.run("token", *(f"{name}={value}" for name, value in given.items()), env=KEYS)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"rdstoken: {said}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("token",),
        (*LOGIN, "--port", "5432"),
        (*LOGIN, "--signing-time", "yesterday"),
        (*LOGIN, "--timeout", "soon"),
        (*LOGIN, "--timeout", "-1"),
        (*LOGIN, "--unknown"),
        ("token", "--hostname", HOST, "--port", "65536", "--username", "app"),
    ],
)
def test_bad_usage(command: Command, arguments: tuple[str, ...]) -> None:
    done = command.run(*arguments, env=KEYS)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--help" in done.stderr


def test_a_name_that_is_not_rds_own(command: Command) -> None:
    """The token is made all the same: the name may be an alias of a tunnel to a test server."""
    custom = (
        "token",
        "--hostname=db.example.com",
        "--port=1",
        "--username=a",
        "--region=us-east-1",
    )
    done = command.run(*custom, env=KEYS)
    assert done.returncode == 0
    assert done.stdout.startswith("db.example.com:1/?")
    assert done.stderr.startswith("rdstoken: warning: db.example.com is not an RDS endpoint's name")
    assert command.run(*custom, "--no-hostname-warning", env=KEYS).stderr == ""


def test_align(command: Command) -> None:
    time = "--signing-time=2026-01-01T00:09:59Z"
    aligned = command.run(*LOGIN, time, "--align=300", "--json", env=KEYS).stdout
    answer = json.loads(aligned)
    assert "X-Amz-Date=20260101T000500Z" in answer["token"]
    assert answer["expires_at"] == "2026-01-01T00:20:00Z"


def test_help_teaches(command: Command) -> None:
    text = command.run("token", "--help").stdout
    for taught in ("15 minutes", "TLS", "PGPASSWORD", "MYSQL_PWD", "AWS_PROFILE", "rds-db:connect"):
        assert taught in text
    assert max(map(len, text.splitlines())) <= 100


def test_version(command: Command) -> None:
    done = command.run("--version")
    assert done.stdout == f"rdstoken {__import__('rdstoken').__version__}\n"


def test_a_reader_that_went_away_is_an_error(command: Command) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [command.path, *LOGIN], env=os.environ | KEYS, stdout=writing, stderr=-1, check=False
    )
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr.startswith(b"rdstoken: could not write to standard output: ")
