"""`make servers`: what it prints is what works. Each command is run as it was printed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import local
import pytest
from local import both, environment, lines, text

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from mariadb import MariaDB
    from postgres import Postgres

    Both = tuple[Postgres, MariaDB]


@pytest.fixture(scope="module")
def servers() -> Iterator[Both]:
    with both() as servers:
        yield servers


def shell(script: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", script],
        env=os.environ | more,
        input="SELECT current_user;\n",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("number", range(10))
def test_every_command(servers: Both, number: int) -> None:
    every = lines(*servers)
    assert len(every) == 10
    line = every[number]
    assert line.missing == ""
    server = servers[number // 5]
    before = len(server.records())
    # As in the shell of somebody who uses AWS.
    mine = {"AWS_ACCESS_KEY_ID": "AKIAMINE", "AWS_SECRET_ACCESS_KEY": "x", "AWS_PROFILE": "mine"}
    done = shell(f"set -e\n{environment(servers[0])}\n{line.command}", **mine)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\bapp\b", done.stdout), done.stdout
    assert "warning" not in done.stderr.lower()
    assert [record.accepted for record in server.records()[before:]] == [True]
    assert line.command in text(*servers)


def test_what_is_printed_is_a_script(servers: Both) -> None:
    assert (
        subprocess.run(["sh", "-n"], input=text(*servers), text=True, check=False).returncode == 0
    )
    for server in servers:
        for key in server.profiles.values():
            assert key.secret_access_key not in text(*servers)


def test_without_the_clients_that_only_the_tests_install(
    servers: Both, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "VENV", tmp_path)
    monkeypatch.setenv("ODBCSYSINI", str(tmp_path))
    printed = text(*servers)
    assert "rdstoken.psycopg" in printed
    assert "rdstoken.pymysql" not in printed
    assert "isql" not in printed
    said = (
        "# Left out, as what is in brackets is not installed: ODBC, psqlodbc ({0}odbc-postgresql);"
        " Python, PyMySQL (PyMySQL in .venv); ODBC, MariaDB's ({0}odbc-mariadb)\n"
    )
    assert printed.endswith(said.format(""))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert text(*servers).endswith(said.format("unixodbc "))


def test_by_the_endpoints_own_name_too(servers: Both) -> None:
    postgres, mariadb = servers
    for server in servers:
        login = f"--hostname {server.host} --port {server.port} --username app_ro"
        address = f"--hostaddr {server.hostaddr}" if server is postgres else ""
        client = f"psql {server.dbname}" if server is postgres else f"mariadb {server.dbname}"
        run = f"rdstoken exec {login} --ca-file {server.ca_file} {address} -- {client}"
        done = shell(f"{environment(postgres)}\n{local.ROOT}/tests/hosts.sh {run}")
        assert "app_ro" in done.stdout, done.stderr
    assert {record.user for record in mariadb.records()} >= {"app_ro"}


def test_the_snippet_in_the_docs() -> None:
    page = (local.ROOT / "docs" / "servers.md").read_text()
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", snippet],
        cwd=local.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    user, record = done.stdout.splitlines()
    assert user == "('app',)"
    assert re.fullmatch(r"Record\(user='app', length=8192, .*accepted=True\)", record)


def start(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, local.__file__, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_until_ctrl_c(private: pathlib.Path) -> None:
    process = start()
    assert process.stdout
    assert process.stdin
    process.stdin.close()  # does not count
    printed = []
    for line in process.stdout:
        printed.append(line)
        if "Ctrl-C" in line:
            break
    assert "".join(printed).count("-- psql") == 1
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    process.stdout.close()
    assert list(private.iterdir()) == []


def test_json(private: pathlib.Path) -> None:
    process = start("--print-json")
    assert process.stdout
    description = json.loads(process.stdout.readline())
    assert list(description) == ["Postgres", "MariaDB"]
    assert description["MariaDB"]["more_hostnames"] == ["localhost"]
    process.communicate()
    assert process.returncode == 0
    assert list(private.iterdir()) == []
