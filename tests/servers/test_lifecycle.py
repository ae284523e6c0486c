"""The private server as a thing that starts and goes away again, whatever happens to it."""

from __future__ import annotations

import configparser
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import mariadb
import postgres
import pytest
from common import (
    HOSTNAME,
    AccessKey,
    PrivateServer,
    Record,
    ServerError,
    key_for_length,
    pam_argument,
)
from logins import sign
from mariadb import MariaDB
from postgres import Postgres, find_bin
from processes import users_of, wait_until

Start = Callable[..., "subprocess.Popen[str]"]
PROGRAMS: dict[type[PrivateServer], str] = {
    Postgres: postgres.__file__,
    MariaDB: mariadb.__file__,
}


@pytest.fixture(params=[Postgres, MariaDB], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> type[PrivateServer]:
    kind: type[PrivateServer] = request.param
    return kind


@pytest.fixture
def start(private: pathlib.Path, kind: type[PrivateServer]) -> Iterator[Start]:  # noqa: ARG001  for its end
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, PROGRAMS[kind], "--print-json", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    description: dict[str, Any] = json.loads(line)
    return description


def test_standard_input_ends(start: Start, private: pathlib.Path) -> None:
    options = ["--users", "a b,müller", "--session-token-length", "1500"]
    options += ["--token-lengths", "353,8192", "--more-hostnames", "localhost"]
    process = start(*options)
    server = ready(process)
    assert server["more_hostnames"] == ["localhost"]
    assert server["users"] == ["a b", "müller"]
    assert server["hostaddr"] == "127.0.0.1"
    assert 10_000 <= server["port"] <= 65_535
    for name in ("credentials_file", "environment_file", "log_file", "records_file"):
        file = pathlib.Path(server[name])
        assert file.stat().st_mode & 0o777 == 0o600
        assert name == "records_file" or file.stat().st_uid == os.geteuid()
    assert users_of(private)

    keys = configparser.RawConfigParser()
    keys.read(server["credentials_file"])
    expected = ["default", "static", "token-353", "token-8192"]
    assert keys.sections() == server["profiles"] == expected
    session_token = keys["default"]["aws_session_token"]
    assert len(session_token) == 1500
    assert {"+", "/", "="} <= set(session_token)
    assert "aws_session_token" not in keys["static"]
    names = "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"
    script = f'set -a; . "$1"; printenv {names}'
    shell = ["sh", "-c", script, "sh", server["environment_file"]]
    values = subprocess.run(shell, capture_output=True, text=True, check=True).stdout
    assert values.splitlines() == list(keys["default"].values())
    # What was printed is for anybody's eyes.
    printed = json.dumps(server)
    for section in keys.sections():
        for value in keys[section].values():
            assert value not in printed

    output, errors = process.communicate()
    assert (process.returncode, output, errors) == (0, "", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals(start: Start, number: signal.Signals) -> None:
    process = start()
    ready(process)
    process.send_signal(number)
    assert process.wait(30) == 0


def test_killed(start: Start) -> None:
    process = start()
    ready(process)
    process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("after", ["server", "client/ca.crt", "server/pam.d", "server/data"])
def test_stopped_while_it_starts(
    start: Start, private: pathlib.Path, number: signal.Signals, after: str
) -> None:
    process = start()
    wait_until(lambda: bool(list(private.glob(f"*/{after}"))), after)
    process.send_signal(number)
    process.wait(30)


def test_the_server_dies(start: Start, private: pathlib.Path, kind: type[PrivateServer]) -> None:
    process = start()
    ready(process)
    pid_file = {Postgres: "data/postmaster.pid", MariaDB: "mariadb.pid"}[kind]
    (found,) = private.glob(f"*/server/{pid_file}")
    os.kill(int(found.read_text().splitlines()[0]), signal.SIGKILL)
    assert process.stderr
    assert f"{kind.name} has stopped by itself" in process.stderr.read()
    assert process.wait(30) == 1


def test_two_at_once(start: Start) -> None:
    processes = [start(), start()]
    servers = [ready(process) for process in processes]
    assert servers[0]["port"] != servers[1]["port"]
    assert servers[0]["credentials_file"] != servers[1]["credentials_file"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--module", "/nonexistent.so"], "the verifier /nonexistent.so is not there"),
        (["--users", "a#b"], "a PAM argument here holds no '#'"),
        (["--users", ",".join(f"user{number}" for number in range(200))], "too many users"),
        (["--users", "app,app"], "users:\n"),
        (["--token-lengths", "1500,100"], "no token has 100 bytes: the shortest here has 352"),
        (["--credentials", "/nonexistent"], "No such file or directory"),
    ],
    ids=["module", "user", "users", "role", "length", "credentials"],
)
def test_clear_errors(start: Start, options: list[str], message: str) -> None:
    process = start(*options)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output == ""
    assert message in errors
    assert "Traceback" not in errors


def test_finding_postgresql(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ServerError, match="install the package postgresql"):
        find_bin(tmp_path, path=str(tmp_path))
    for version in ("9", "15", "junk"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    (tmp_path / "16" / "bin").mkdir(parents=True)  # the client alone
    assert find_bin(tmp_path) == tmp_path / "15" / "bin"


def test_only_a_taken_port_is_tried_again() -> None:
    """Whatever an earlier attempt has left in the log."""
    reasons = ["Address already in use", "out of luck", "not asked for"]

    class Failing(Postgres):
        def _command(self) -> list[str]:
            return ["sh", "-c", f"echo {reasons.pop(0)}; exit 1"]

    with pytest.raises(ServerError, match=r"did not start.*\n.*\nout of luck$"), Failing():
        pass
    assert reasons == ["not asked for"]


def test_closing_twice(
    private: pathlib.Path, monkeypatch: pytest.MonkeyPatch, kind: type[PrivateServer]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(private))
    with kind() as server:
        assert server.is_running()
        server.close()
        assert not server.is_running()


def test_keys_are_not_shown() -> None:
    key = AccessKey.random(1200)
    assert key.session_token
    for secret in (key.secret_access_key, key.session_token):
        assert secret not in repr(key)
    assert key.access_key_id in repr(key)
    assert AccessKey.random() != AccessKey.random()


@pytest.mark.parametrize("length", [352, 353, 356, 378, 379, 380, 400, 1500, 8192, 65_000, 196_000])
def test_keys_for_exact_lengths(length: int) -> None:
    key = key_for_length(length)
    assert len(sign(HOSTNAME, 10_000, key)) == length
    assert len(sign(HOSTNAME, 65_535, key)) == length
    assert len(key.session_token or "") <= 65_536
    if length >= 400:
        assert {"+", "/", "="} <= set(key.session_token or "")
    other = key_for_length(length + 9, "db.us-east-1.rds.amazonaws.com", "müller")
    assert len(sign("db.us-east-1.rds.amazonaws.com", 10_000, other, "müller")) == length + 9


@pytest.mark.parametrize("length", [-1, 0, 351, 200_000])
def test_lengths_that_no_token_has(length: int) -> None:
    with pytest.raises(ServerError, match=f"no token has {length} bytes"):
        key_for_length(length)


def test_records() -> None:
    line = "m%C3%BCller%20x 3 00ff refused"
    assert Record.read(line) == Record("müller x", 3, "00ff", accepted=False)
    for wrong in ("app 3 00ff", "app 3 00ff maybe"):
        with pytest.raises((ValueError, KeyError)):
            Record.read(wrong)


def test_pam_arguments() -> None:
    assert pam_argument("users=a b") == "[users=a b]"
    assert pam_argument("users=[a]") == "[users=[a\\]]"
    for text in ("users=a#b", "users=a\\b", "users=a\nb"):
        with pytest.raises(ServerError):
            pam_argument(text)
