"""The `rdstoken` command at real servers: exec, url, odbc, passfile and drivers; and docs/shell.md,
every block of which is run. tests/test_cli.py has what needs no server.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
import rdstoken
from plaintext import PlainMariaDB, PlainPostgres
from processes import wait_until
from programs import run
from signers import LENGTHS, USER

from built import ROOT, Command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plaintext import PlainServer
    from signers import Logins
    from typing_extensions import Self

PAGE = ROOT / "docs" / "shell.md"
WHO = "SELECT CURRENT_USER"
PSQL = ("psql", "--no-psqlrc", "--no-align", "--tuples-only", f"--command={WHO}")
MARIADB = ("mariadb", "--no-defaults", "--skip-column-names", f"--execute={WHO}")


def keys(logins: Logins, profile: str = "default", **more: str) -> dict[str, str]:
    file = str(logins.server.credentials_file)
    return {"AWS_SHARED_CREDENTIALS_FILE": file, "AWS_PROFILE": profile, **more}


def login(logins: Logins, port: int | None = None) -> list[str]:
    return [f"--hostname={logins.host}", f"--port={port or logins.port}", f"--username={USER}"]


def check_no_secret(logins: Logins, text: str) -> None:
    assert "X-Amz" not in text
    for key in logins.server.profiles.values():
        assert key.secret_access_key not in text
        assert not key.session_token or key.session_token[:40] not in text


def command(
    logins: Logins,
    name: str,
    *options: str,
    port: int | None = None,
    profile: str = "default",
    text: str = "",
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a subcommand. Whatever comes of it, only an answer that is one holds a token."""
    env = keys(logins, profile) | (env or {})
    done = run(Command.path, name, *login(logins, port), *options, env=env, text=text)
    check_no_secret(logins, done.stderr)
    if name not in {"url", "odbc"}:
        check_no_secret(logins, done.stdout)
    return done


def execute(
    logins: Logins, *client: str | pathlib.Path, options: tuple[str, ...] = (), **more: Any
) -> subprocess.CompletedProcess[str]:
    options = (f"--ca-file={logins.ca_file}", *options, "--", *map(str, client))
    return command(logins, "exec", *options, **more)


def psql(
    logins: Logins, *arguments: str, options: tuple[str, ...] = (), **more: Any
) -> subprocess.CompletedProcess[str]:
    options = (f"--database={logins.dbname}", *options)
    return execute(logins, *PSQL, *arguments, options=options, **more)


# exec


@pytest.mark.parametrize("length", LENGTHS)
def test_psql(postgres: Logins, length: int) -> None:
    done = psql(postgres, profile=f"token-{length}")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{USER}\n", "")
    assert postgres.server.records()[-1].length == length


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("program", ["mariadb", "mysql"])
def test_mariadb(mariadb: Logins, program: str, length: int) -> None:
    done = execute(mariadb, program, *MARIADB[1:], profile=f"token-{length}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{USER}@")
    assert mariadb.server.records()[-1].length == length


def test_dumps(postgres: Logins, mariadb: Logins, tmp_path: pathlib.Path) -> None:
    done = execute(postgres, "pg_dump", "--schema-only", postgres.dbname)
    assert "PostgreSQL database dump complete" in done.stdout, done.stderr
    # An option that must be the first stays it, and its file is read.
    defaults = tmp_path / "my.cnf"
    defaults.write_text("[client]\nuser=nobody\n[mariadb-dump]\nskip-comments\nskip-ssl\n")
    dump = ("mariadb-dump", f"--defaults-file={defaults}", "--no-tablespaces", mariadb.dbname)
    done = execute(mariadb, *dump)
    assert (done.returncode, done.stderr) == (0, "")
    assert "SET" in done.stdout
    assert "Dump completed" not in done.stdout


def test_an_address_beside_the_name(postgres: Logins, mariadb: Logins) -> None:
    options = (f"--hostaddr={postgres.hostaddr}",)
    assert psql(postgres, options=options, env={"LD_PRELOAD": ""}).stdout == f"{USER}\n"
    for option, field in ((options[0], "hostaddr"), ("--database=x", "database")):
        done = execute(mariadb, *MARIADB, options=(option,))
        assert done.stderr.startswith(f"rdstoken: InvalidArgument: {field}: expected none: ")


def test_the_exit_code_is_the_clients(postgres: Logins) -> None:
    stop = ("psql", "-X", "--set=ON_ERROR_STOP=1", postgres.dbname)
    done = execute(postgres, *stop, text="SELECT 1/0;\n")
    assert (done.returncode, done.stdout) == (3, "")
    assert "division by zero" in done.stderr
    assert execute(postgres, "sh", "-c", "exit 7").returncode == 7


@pytest.mark.parametrize("client", ["psql", "mariadb"])
def test_the_client_alone_has_the_token(
    postgres: Logins, mariadb: Logins, tmp_path: pathlib.Path, client: str
) -> None:
    """It takes the place of the command, gets the signals, and the token is no argument."""
    program = tmp_path / client
    program.write_text(
        "#!/bin/sh\n[ $# = 1 ] && exit  # asked for its settings\n"
        "trap 'exit 5' TERM\necho $$\nwhile :; do sleep 0.05; done\n"
    )
    program.chmod(0o700)
    logins, variable = {"psql": (postgres, "PGPASSWORD"), "mariadb": (mariadb, "MYSQL_PWD")}[client]
    with subprocess.Popen(
        [Command.path, "exec", *login(logins), "--", program],
        env=os.environ | keys(logins),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == f"{process.pid}\n"
        environ = pathlib.Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        (token,) = (
            line.partition(b"=")[2] for line in environ if line.startswith(variable.encode() + b"=")
        )
        assert b"X-Amz-Signature" in token
        holders = set()
        for other in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                assert token not in (other / "cmdline").read_bytes()
                if token in (other / "environ").read_bytes():
                    holders.add(int(other.name))
        # The client's own children are its own matter.
        assert process.pid in holders
        assert os.getpid() not in holders
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 5


def test_mysqls_own_client_gets_its_own_options(mariadb: Logins, tmp_path: pathlib.Path) -> None:
    client = tmp_path / "mysql"
    client.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "mysql  Ver 8.0.36 for Linux" && exit\n'
        'for argument in "$@"; do echo "$argument"; done\necho "${#MYSQL_PWD}"\n'
    )
    client.chmod(0o700)
    done = execute(mariadb, client, "--login-path=x", "shop", profile="token-1500")
    assert done.stdout.split() == [
        *("--login-path=x", f"--host={mariadb.host}", f"--port={mariadb.port}", f"--user={USER}"),
        *("--protocol=TCP", "--enable-cleartext-plugin", "--ssl-mode=VERIFY_IDENTITY"),
        *(f"--ssl-ca={mariadb.ca_file}", "shop", "1500"),
    ]


def fake(path: pathlib.Path, does: str = "") -> pathlib.Path:
    """A client that notes what it was run with."""
    path.write_text(f'#!/bin/sh\necho "$@" >> {path}.runs\n{does}\n')
    path.chmod(0o700)
    return path


def runs(client: pathlib.Path) -> list[str]:
    noted = pathlib.Path(f"{client}.runs")
    return noted.read_text().splitlines() if noted.exists() else []


def test_a_script_is_run_once_or_not_at_all(mariadb: Logins, tmp_path: pathlib.Path) -> None:
    script = fake(tmp_path / "mysql-nightly.sh")
    done = execute(mariadb, script)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "rdstoken: InvalidArgument: command: expected one of mysql, mysqladmin, "
    )
    assert done.stderr.endswith("; a script runs rdstoken exec itself\n")
    assert runs(script) == []
    script = fake(tmp_path / "mariadb-nightly.sh")
    assert execute(mariadb, script, "all").returncode == 0
    (arguments,) = runs(script)
    assert arguments.startswith("--host=")
    assert arguments.endswith(" all")


def test_a_client_is_asked_after_its_arguments_are_checked(
    mariadb: Logins, tmp_path: pathlib.Path
) -> None:
    client = fake(tmp_path / "mysql")
    assert execute(mariadb, client, "--skip-ssl").returncode == 1
    for option in ("--database=x", "--region=x y"):
        assert execute(mariadb, client, options=(option,)).returncode == 1
    assert runs(client) == []
    assert execute(mariadb, client, "--no-defaults", "shop").returncode == 0
    asked, printed, started = runs(client)
    assert (asked, printed) == ("--version", "--no-defaults --print-defaults")
    assert started.startswith("--no-defaults --host=")


def test_a_client_that_does_not_answer(mariadb: Logins, tmp_path: pathlib.Path) -> None:
    client = fake(tmp_path / "mysql", "exec sleep 60")
    start = time.monotonic()
    done = execute(mariadb, client)
    assert time.monotonic() - start < 10
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"rdstoken: could not run {client}: it did not answer within 5 seconds\n"
    assert runs(client) == ["--version"]


@pytest.mark.parametrize("line", ["password=hunter2", "pass=hunter2", "skip-password"])
@pytest.mark.parametrize("client", ["mariadb", "mysql", "mariadb-dump", "mariadb-admin"])
def test_a_password_in_the_clients_files(
    mariadb: Logins, tmp_path: pathlib.Path, client: str, line: str
) -> None:
    """It would count more than the token."""
    word = {"mariadb-dump": mariadb.dbname, "mariadb-admin": "ping"}.get(client, f"-e{WHO}")
    (tmp_path / ".my.cnf").write_text(f"[client]\n{line}\n")
    env = {"HOME": str(tmp_path)}
    with mariadb.seen() as seen:
        done = execute(mariadb, client, word, env=env)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            "rdstoken: InvalidArgument: command: expected a client without a password in its option"
            " files, which it would send in place of the token; give it --no-defaults or"
            " --defaults-file=FILE first\n"
        )
        assert seen == []
    other = tmp_path / "other.cnf"
    other.write_text("[client]\nuser=nobody\n[other]\npassword=hunter2\n")
    for first in ("--no-defaults", f"--defaults-file={other}"):
        assert execute(mariadb, client, first, word, env=env).returncode == 0
    (tmp_path / ".my.cnf").rename(other)
    assert "a password in its option files" in execute(mariadb, client, first, word).stderr


def test_bad_commands(postgres: Logins) -> None:
    done = execute(postgres, "no-such-client")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == "rdstoken: could not run no-such-client: No such file or directory (os error 2)\n"
    )
    for arguments in (("psql",), ("--",), ()):
        done = command(postgres, "exec", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "-- <COMMAND>..." in done.stderr


# exec and TLS


@pytest.fixture
def plain(request: pytest.FixtureRequest) -> Iterator[PlainServer]:
    kind: type[PlainServer] = request.param
    with kind() as server:
        yield server


def received_no_token(server: PlainServer) -> bool:
    return not server.passwords and b"X-Amz" not in server.received


@pytest.mark.parametrize("plain", [PlainPostgres], indirect=True)
@pytest.mark.parametrize(
    "arguments",
    [
        ("sslmode=disable",),
        ("host=127.0.0.1 sslmode = 'prefer'",),
        ("postgresql:///db?sslmode=require",),
        ("postgresql:///db?%73slmode=disable",),
        ("postgresql:///db?ssl=true",),
        ("requiressl=0",),
        ("--dbname=service=weak",),
        ("-dservice = weak",),
        ("service=weak password=hunter2",),
        ("-c", "\\connect 'host=127.0.0.1 sslmode=disable'"),
        ("host=/run requirepeer=root",),
    ],
    ids=" ".join,
)
def test_arguments_that_weaken_psql(
    postgres: Logins, plain: PlainServer, tmp_path: pathlib.Path, arguments: tuple[str, ...]
) -> None:
    env = _weak_home(tmp_path, plain.port)
    done = execute(postgres, "psql", "-X", *arguments, port=plain.port, env=env)
    _check_refused(done, plain)


@pytest.mark.parametrize("plain", [PlainMariaDB], indirect=True)
@pytest.mark.parametrize(
    "argument",
    [
        *("--skip-ssl", "--ssl=0", "--ssl=no", "--disable-ssl", "--loose-skip-ssl"),
        *("--skip-ssl-verify-server-cert", "--ssl_verify_server_cert=FALSE", "--ssl-v=no"),
    ],
)
@pytest.mark.parametrize("program", ["mariadb", "mysql", "mariadb-dump"])
def test_arguments_that_weaken_mariadb(
    mariadb: Logins, plain: PlainServer, program: str, argument: str
) -> None:
    done = execute(mariadb, program, "--no-defaults", argument, port=plain.port)
    _check_refused(done, plain)


def _check_refused(done: subprocess.CompletedProcess[str], plain: PlainServer) -> None:
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("rdstoken: TlsRequired: argument ")
    assert "hunter2" not in done.stderr
    assert plain.connections == 0


def _weak_home(home: pathlib.Path, port: int) -> dict[str, str]:
    """The settings of somebody who does not care for TLS."""
    service = home / "services"
    service.write_text(f"[weak]\nhost=127.0.0.1\nport={port}\nsslmode=disable\n")
    (home / ".psqlrc").write_text("\\setenv PGSSLMODE disable\n\\connect\n")
    weak = "skip-ssl\nssl=0\nskip-ssl-verify-server-cert\nprotocol=socket\nhost=localhost\n"
    (home / ".my.cnf").write_text(f"[client]\n{weak}[mariadb-client]\n{weak}[mysql]\n{weak}")
    return {
        "HOME": str(home),
        "PGSERVICE": "weak",
        "PGSERVICEFILE": str(service),
        "PGSSLMODE": "disable",
        "PGREQUIRESSL": "0",
        "PGGSSENCMODE": "prefer",
        "PGREQUIREPEER": "root",
        "PGHOST": "/run",
        "PGHOSTADDR": "127.0.0.2",
        "PGPORT": "1",
        "PGUSER": "nobody",
        "PGPASSWORD": "hunter2",
        "MYSQL_PWD": "hunter2",
        "MYSQL_HOST": "localhost",
        "MYSQL_UNIX_PORT": "/run/none",
    }


@pytest.mark.parametrize("plain", [PlainPostgres], indirect=True)
@pytest.mark.parametrize("client", [("psql", "postgres"), ("pg_dump", "postgres"), ("psql", "-X")])
def test_psql_gives_no_token_without_tls(
    postgres: Logins, plain: PlainServer, tmp_path: pathlib.Path, client: tuple[str, ...]
) -> None:
    env = _weak_home(tmp_path, plain.port)
    done = execute(postgres, *client, port=plain.port, env=env)
    assert done.returncode != 0
    assert "server does not support SSL, but SSL was required" in done.stderr
    assert plain.connections
    assert received_no_token(plain)


@contextlib.contextmanager
def listening(directory: pathlib.Path, port: int) -> Iterator[socket.socket]:
    """Where libpq looks for a server of this port without TCP."""
    path = directory / f".s.PGSQL.{port}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(10)
        try:
            yield listener
        finally:
            path.unlink()


LIBPQS_OWN = pathlib.Path("/var/run/postgresql")
"""Where Debian's libpq looks if it is told of no directory."""


@pytest.mark.parametrize(
    ("client", "database"),
    [
        (("psql", "-h", "{}"), "postgres"),
        (("psql", "--host={}"), "postgres"),
        (("psql", "host={}"), "postgres"),
        (("psql", "postgresql://{quoted}/x"), "postgres"),
        (("psql", "--command=\\connect - - {}"), "postgres"),
        (("pg_dump", "--host={}"), "postgres"),
        (("vacuumdb",), "host={}"),
        *([(("psql", "host="), "postgres")] if os.access(LIBPQS_OWN, os.W_OK) else []),
    ],
    ids=str,
)
def test_psql_gives_no_token_over_a_unix_socket(
    postgres: Logins, tmp_path: pathlib.Path, client: tuple[str, ...], database: str
) -> None:
    """libpq does not ask for TLS there."""
    where = tmp_path if "{" in f"{client}{database}" else LIBPQS_OWN
    quoted = urllib.parse.quote(str(where), safe="")
    arguments = [text.format(where, quoted=quoted) for text in client]
    database = database.format(where)
    with listening(where, postgres.port) as listener:
        for options, env in (
            ((f"--database={database}",), {"PGREQUIREPEER": "root"}),
            ((), {"PGDATABASE": database}),
        ):
            env |= {"PGCONNECT_TIMEOUT": "5", "HOME": str(tmp_path)}
            done = execute(postgres, *arguments, options=options, env=env)
            with listener.accept()[0] as connection:
                assert connection.recv(1) == b""
            assert done.returncode != 0
            assert 'requirepeer specifies "nobody: a token needs TLS' in done.stderr


@pytest.mark.parametrize("plain", [PlainMariaDB], indirect=True)
@pytest.mark.parametrize("client", ["mariadb", "mysql", "mariadb-dump", "mariadb-admin"])
def test_mariadb_gives_no_token_without_tls(
    mariadb: Logins, plain: PlainServer, tmp_path: pathlib.Path, client: str
) -> None:
    env = _weak_home(tmp_path, plain.port)
    word = "ping" if client == "mariadb-admin" else "demo"
    done = execute(mariadb, client, word, port=plain.port, env=env)
    assert done.returncode != 0
    assert "SSL" in done.stderr
    assert plain.connections
    assert received_no_token(plain)


def test_the_callers_settings_change_nothing(
    postgres: Logins, mariadb: Logins, tmp_path: pathlib.Path
) -> None:
    env = _weak_home(tmp_path, 1)
    ask = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    options = (f"--database={postgres.dbname}",)
    with postgres.seen() as seen:
        done = execute(postgres, "psql", "-At", f"--command={ask}", options=options, env=env)
    assert done.stdout.splitlines()[-1] == "t", done.stderr
    assert seen
    assert all(seen)
    done = execute(mariadb, "mariadb", "-Ne", "SHOW STATUS LIKE 'Ssl_cipher'", env=env)
    assert done.stdout.split()[1].startswith("TLS_"), done.stderr


def test_a_database_that_is_a_connection_string(postgres: Logins) -> None:
    """vacuumdb and others take one from PGDATABASE."""
    weak = "postgresql:///postgres?sslmode=disable"
    for options, env, what in (
        ((), {"PGDATABASE": weak}, "PGDATABASE"),
        ((f"--database={weak}",), {}, "database"),
    ):
        done = execute(postgres, "vacuumdb", options=options, env=env)
        assert done.stderr.startswith(f"rdstoken: TlsRequired: {what} turns TLS"), done.stderr


def test_a_server_that_is_not_verified_gets_no_token(postgres: Logins, mariadb: Logins) -> None:
    for logins, other, client in ((postgres, mariadb, PSQL), (mariadb, postgres, MARIADB)):
        with logins.seen() as seen:
            for roots in ([f"--ca-file={other.ca_file}"], []):
                done = command(logins, "exec", *roots, "--", *client)
                assert (done.returncode != 0, done.stdout) == (True, "")
        assert seen == []


def test_the_callers_roots_are_the_default(postgres: Logins) -> None:
    env = {"PGSSLROOTCERT": postgres.ca_file, "PGDATABASE": postgres.dbname}
    assert command(postgres, "exec", "--", *PSQL, env=env).stdout == f"{USER}\n"


# url and odbc

WRITTEN = [(row.driver, row.form) for row in rdstoken.limits() if row.written]


@pytest.mark.parametrize(("driver", "form"), WRITTEN, ids=[" ".join(row) for row in WRITTEN])
@pytest.mark.parametrize("given", [False, True], ids=["plain", "options"])
def test_the_strings_are_those_of_every_face(
    postgres: Logins, driver: str, form: str, *, given: bool
) -> None:
    given_options = {"database": "a b", "ca_file": "/etc/ca bundle.pem"}
    options: dict[str, Any] = given_options if given else {}
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]

    def both() -> tuple[str, str]:
        signer = postgres.signer(align=600)
        try:
            ours = signer.connection_string(driver, form, **options) + "\n"
        except rdstoken.InvalidArgumentError as error:
            ours = f"rdstoken: InvalidArgument: {error}\n"
        where = ["--align=600", f"--driver={driver}", f"--form={form}", *arguments]
        done = command(postgres, "url", *where)
        return ours, done.stdout or done.stderr

    ours, printed = both()
    if ours != printed:  # ten minutes were over in between
        ours, printed = both()
    assert ours == printed


def test_strings_log_in(postgres: Logins, mariadb: Logins) -> None:
    def string(logins: Logins, name: str, *options: str) -> str:
        where = (f"--database={logins.dbname}", f"--ca-file={logins.ca_file}")
        done = command(logins, name, *options, *where, profile="token-8192")
        assert done.stderr == ""
        return done.stdout.rstrip("\n")

    uri = string(postgres, "url", "--driver=libpq", "--form=uri")
    assert run(*PSQL, uri, env={}).stdout == f"{USER}\n"
    conninfo = string(postgres, "url", "--driver=libpq", "--on-limit=warn")
    assert run(*PSQL, conninfo, env={}).stdout == f"{USER}\n"
    program = "import sys, sqlalchemy\nengine = sqlalchemy.create_engine(sys.argv[1])\n"
    program += (
        "with engine.connect() as c: print(c.exec_driver_sql('SELECT CURRENT_USER').scalar())"
    )
    for logins, driver in ((postgres, "psycopg"), (mariadb, "pymysql")):
        url = string(logins, "url", f"--driver={driver}")
        done = run(sys.executable, "-c", program, url, env={})
        assert done.stdout.startswith(USER), done.stderr
    for logins, driver in ((postgres, "psqlodbc"), (mariadb, "mariadb-odbc")):
        odbc = string(logins, "odbc", f"--driver={driver}")
        done = run("isql", "-b", "-k", odbc, env={}, text=WHO + "\n")
        assert f"| {USER}" in done.stdout, done.stderr
    for logins in (postgres, mariadb):
        assert logins.server.records()[-1].length == 8192


def test_odbcs_own_name_for_the_driver(postgres: Logins) -> None:
    done = command(postgres, "odbc", "--driver=psqlodbc", "--odbc-driver=Mine")
    assert done.stdout.startswith("Driver={Mine};") or "Mine" in done.stdout.split(";")[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("url", "--driver=libpq", "--form=password"),
            "form: expected one of conninfo, uri, passfile",
        ),
        (("url", "--driver=libpq", "--form=xml"), "form: expected one of "),
        (("url", "--driver=oracle"), "driver: expected one of libpq, psql, psycopg, "),
        (
            ("url", "--driver=psqlodbc", "--form=odbc.ini", "--on-limit=warn"),
            "form: expected one of ",
        ),
        (("url", "--driver=pymysql", "--hostaddr=127.0.0.1"), "hostaddr: expected none: "),
        (("url", "--driver=pymysql"), "ca_file: expected one: "),
        (("url", "--driver=libpq", "--database="), "database: "),
        (("url", "--driver=libpq", "--ca-file=a\nb"), "ca_file: "),
        (("odbc", "--driver=libpq"), "driver: expected one of psqlodbc, mariadb-odbc"),
        (("odbc", "--driver=mysql-odbc"), "driver: expected one of psqlodbc, mariadb-odbc"),
        (("odbc", "--driver=psqlodbc", "--odbc-driver="), "odbc_driver: "),
        (("odbc", "--driver=mariadb-odbc", "--hostaddr=::1"), "hostaddr: "),
    ],
)
def test_bad_options(postgres: Logins, arguments: tuple[str, ...], said: str) -> None:
    """They are told before credentials are looked for, of which there are none."""
    done = command(postgres, *arguments, profile="none")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"rdstoken: InvalidArgument: {said}")
    assert done.stderr.count("\n") == 1


# drivers


def test_the_table_and_the_json_agree() -> None:
    rows = json.loads(Command().run("drivers", "--json").stdout)
    assert [(row["driver"], row["form"], row["max_length"], row["written"]) for row in rows] == [
        (row.driver, row.form, row.max_length, row.written) for row in rdstoken.limits()
    ]
    lines = Command().run("drivers").stdout.splitlines()
    page = (ROOT / "docs" / "drivers.md").read_text()
    assert lines[0].split("  ")[0] == "DRIVER"
    assert len(lines) == len(rows) + 1
    for line, row in zip(lines[1:], rows, strict=True):
        limit = row["max_length"]
        assert line.split(None, 5) == [
            *(row["driver"], row["form"]),
            *(("-", "-") if limit is None else (str(limit), row["beyond"])),
            "yes" if row["written"] else "-",
            *([row["note"]] if row["note"] else []),
        ]
        whole = "no limit" if limit is None else f"{limit:,}"
        assert f"\n| {row['driver']} | {row['form']} | {whole} |" in page


# passfile


class Watching:
    """`rdstoken passfile --watch` at work. What it says is `told` at the end."""

    def __init__(self, logins: Logins, path: pathlib.Path, *options: str, **env: str) -> None:
        self._logins = logins
        self.path = path
        self._command: list[str | pathlib.Path] = [
            Command.path,
            "passfile",
            "--watch",
            f"--path={path}",
            *login(logins),
        ]
        self._command += options
        self._env = os.environ | keys(logins) | env
        self.printed = self.told = ""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert re.fullmatch(rf"{self.path}: a token that works until \S+Z\n", line)
        self.printed += line
        return self

    def __exit__(self, *_: object) -> None:
        start = time.monotonic()
        self.process.terminate()
        printed, self.told = self.process.communicate(timeout=10)
        assert time.monotonic() - start < 1
        assert self.process.returncode == -signal.SIGTERM
        self.printed += printed
        check_no_secret(self._logins, self.printed + self.told)

    def says(self) -> str:
        """A line of its standard error, when it comes."""
        stderr = self.process.stderr
        assert stderr
        assert select.select([stderr], [], [], 20)[0]
        line: str = stderr.readline()
        return line


def with_file(
    logins: Logins, path: pathlib.Path, *command: str, **env: str
) -> subprocess.CompletedProcess[str]:
    """psql, which finds its password in the file or nowhere."""
    settings = {"PGPASSFILE": str(path), "PGSSLMODE": "verify-full"}
    settings |= {"PGSSLROOTCERT": logins.ca_file, "PGDATABASE": logins.dbname}
    where = ("--no-password", f"--host={logins.host}", f"--port={logins.port}")
    return run(*PSQL, *where, f"--username={USER}", *command, env=settings | env)


@pytest.mark.parametrize("length", LENGTHS)
def test_no_password_anywhere(postgres: Logins, tmp_path: pathlib.Path, length: int) -> None:
    file = tmp_path / "pass"
    with Watching(postgres, file, AWS_PROFILE=f"token-{length}") as watching:
        assert with_file(postgres, file).stdout == f"{USER}\n"
        dsn = (
            f"Driver=PostgreSQL Unicode;Servername={postgres.host};Port={postgres.port};"
            f"Database={postgres.dbname};Username={USER};SSLmode=verify-full;"
            f"Pqopt={{gssencmode=disable sslrootcert={postgres.ca_file} passfile={file}}}"
        )
        done = run("isql", "-b", "-k", dsn, env={}, text=WHO + "\n")
        assert f"| {USER}" in done.stdout, done.stderr
    assert [record.length for record in postgres.server.records()[-2:]] == [length] * 2
    assert watching.told == ""
    assert list(tmp_path.iterdir()) == [file]


def test_asyncpgs_file(postgres: Logins, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "pass"
    options = (f"--path={file}", "--driver=asyncpg", f"--database={postgres.dbname}")
    done = command(postgres, "passfile", *options, profile="token-8192")
    assert done.stdout.startswith(f"{file}: a token that works until ")

    async def who() -> str:
        context = ssl.create_default_context(cafile=postgres.ca_file)
        connection = await asyncpg.connect(
            host=postgres.host,
            port=postgres.port,
            user=USER,
            database=postgres.dbname,
            passfile=str(file),
            ssl=context,
        )
        name = await connection.fetchval(WHO)
        await connection.close()
        return str(name)

    assert asyncio.run(who()) == USER
    assert postgres.server.records()[-1].length == 8192


class Reader(threading.Thread):
    """Reads a file again and again; `contents` is what it found, `modes` whose it was."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__()
        self._path = path
        self._over = threading.Event()
        self.contents: dict[bytes, int] = {}
        self.modes: set[int] = set()

    def run(self) -> None:
        while not self._over.wait(0.0005):
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                self.contents[file.read()] = status.st_ino
            self.modes.add(status.st_mode & 0o777)

    def end(self) -> None:
        self._over.set()
        self.join()


def test_the_file_is_fresh_and_whole_all_the_time(postgres: Logins, tmp_path: pathlib.Path) -> None:
    """Tokens of 4 seconds, for 12, behind a link, among other lines."""
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "pass", tmp_path / "link"
    others = b"# mine\nother.example.com:5432:*:app:p\xe4ss\n*:*:*:somebody:word\n"
    real.write_bytes(others)
    real.chmod(0o644)
    link.symlink_to(real)
    with Watching(postgres, link, "--expires-in=4") as watching, postgres.seen() as seen:
        reader = Reader(real)
        reader.start()
        end = time.monotonic() + 12
        logins = 0
        while time.monotonic() < end:
            done = with_file(postgres, link)
            assert done.stdout == f"{USER}\n", done.stderr
            logins += 1
            time.sleep(0.4)
        reader.end()
    assert watching.told == ""
    assert link.is_symlink()
    assert list(real.parent.iterdir()) == [real]
    assert seen == [True] * logins
    assert reader.modes == {0o600}
    # A token of 4 seconds gets half of that, and so is replaced every two or three.
    assert 4 <= len(reader.contents) <= 13
    assert len(reader.contents) == watching.printed.count("\n")
    inodes = list(reader.contents.values())
    assert all(one != next_one for one, next_one in itertools.pairwise(inodes))
    host = re.escape(postgres.host)
    token = rf"{host}\\:{postgres.port}/\S+&X-Amz-Signature=[0-9a-f]{{64}}"
    for content in reader.contents:
        line, _, rest = content.partition(b"\n")
        assert re.fullmatch(rf"{host}:{postgres.port}:\*:{USER}:{token}", line.decode())
        assert rest == others


def test_a_file_that_cannot_be_written(postgres: Logins, tmp_path: pathlib.Path) -> None:
    for path, why in (
        ("/nonexistent/pass", "No such file or directory (os error 2)"),
        ("/proc/pass", "No such file or directory (os error 2)"),
        (str(tmp_path), "it is no file"),
    ):
        for options in ((), ("--watch",)):
            done = command(postgres, "passfile", f"--path={path}", *options)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr == f"rdstoken: could not write {path}: {why}\n"
    long = tmp_path / "long"
    with long.open("wb") as file:
        file.truncate(5 << 20)
    done = command(postgres, "passfile", f"--path={long}")
    assert "longer than 4 MiB" in done.stderr
    assert long.stat().st_size == 5 << 20


def test_a_folder_that_goes_away_and_comes_back(postgres: Logins, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "pass"
    with Watching(postgres, file) as watching:
        file.unlink()
        folder.rmdir()
        assert watching.says() == (
            f"rdstoken: could not write {file}: No such file or directory (os error 2);"
            " trying again\n"
        )
        time.sleep(2.2)
        folder.mkdir()
        wait_until(file.exists, "the file is back")
        assert with_file(postgres, file).stdout == f"{USER}\n"
    assert watching.told == ""  # said once


def test_two_who_keep_one_file(postgres: Logins, tmp_path: pathlib.Path) -> None:
    """A line that another writer has taken away comes back, beside that writer's."""
    file = tmp_path / "pass"
    with (
        Watching(postgres, file) as watching,
        Watching(postgres, file, "--database=other") as other,
    ):
        start = f"{postgres.host}:{postgres.port}:"
        assert [line.partition(":*:")[0] + ":" == start for line in _lines(file)] == [False, True]
        file.write_text("of:somebody:else:x:y\n")
        wait_until(lambda: len(_lines(file)) == 3, "both lines are back")
        assert sum(line.startswith(start) for line in _lines(file)) == 2
        assert with_file(postgres, file).stdout == f"{USER}\n"
    assert (watching.told, other.told) == ("", "")


def test_a_line_of_yesterday_is_replaced(postgres: Logins, tmp_path: pathlib.Path) -> None:
    """Somebody who read the file before a renewal has put back what was there."""
    file = tmp_path / "pass"
    # It is renewed when 4 seconds are over.
    with Watching(postgres, file, "--expires-in=60", "--min-validity=56"):
        old = file.read_text()
        wait_until(lambda: file.read_text() != old, "a renewal")
        new = file.read_text()
        file.write_text(old)
        wait_until(lambda: file.read_text() != old, "the old line is gone")
        is_the_new_one = file.read_text() == new
        assert is_the_new_one  # and not yet another


def test_many_who_write_one_file(postgres: Logins, tmp_path: pathlib.Path) -> None:
    """No line is lost, although each reads the file and writes it again."""
    file = tmp_path / "pass"
    names = [f"db{number}" for number in range(8)]
    for _ in range(3):
        processes = [
            subprocess.Popen(
                [
                    Command.path,
                    "passfile",
                    *login(postgres),
                    f"--path={file}",
                    f"--database={name}",
                ],
                env=os.environ | keys(postgres),
                stdout=subprocess.DEVNULL,
            )
            for name in names
        ]
        assert [process.wait(30) for process in processes] == [0] * len(names)
        assert sorted(line.split(":")[2] for line in _lines(file)) == sorted(names)
        file.unlink()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_locked_while_the_file_is_written(
    postgres: Logins, tmp_path: pathlib.Path
) -> None:
    """By others for as long as they like: the token is worth more than another's line."""
    file = tmp_path / "pass"
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        start = time.monotonic()
        assert command(postgres, "passfile", f"--path={file}").returncode == 0
        assert 5 <= time.monotonic() - start < 10
    finally:
        os.close(folder)
    assert len(_lines(file)) == 1


@pytest.fixture(scope="session")
def killed_at_sync(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A library to preload: who brings a file to the disk gets the signal KILLED_BY."""
    folder = tmp_path_factory.mktemp("killed")
    source, library = folder / "killed.c", folder / "killed.so"
    source.write_text(
        "#include <signal.h>\n#include <stdlib.h>\n#include <unistd.h>\n"
        "int fsync(int file) {\n  (void)file;\n"
        '  return kill(getpid(), atoi(getenv("KILLED_BY")));\n}\n'
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-o", library, source], check=True)
    return library


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("options", [(), ("--watch",)], ids=["once", "watch"])
def test_a_signal_waits_until_the_file_is_whole(
    postgres: Logins,
    tmp_path: pathlib.Path,
    killed_at_sync: pathlib.Path,
    number: signal.Signals,
    options: tuple[str, ...],
) -> None:
    file = tmp_path / "pass"
    preload = f"{killed_at_sync}:{os.environ['LD_PRELOAD']}"
    env = {"LD_PRELOAD": preload, "KILLED_BY": str(number.value)}
    done = command(postgres, "passfile", f"--path={file}", *options, env=env)
    assert (done.returncode, done.stderr) == (-number, "")
    assert list(tmp_path.iterdir()) == [file]
    assert with_file(postgres, file).stdout == f"{USER}\n"


def _lines(file: pathlib.Path) -> list[str]:
    return file.read_text().splitlines()


def test_credentials_that_fail_for_a_while(postgres: Logins, tmp_path: pathlib.Path) -> None:
    """They come from a process, live as long as their tokens, and are not to be had for a time."""
    key = postgres.server.session_key
    answer = {
        "Version": 1,
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
        "SessionToken": key.session_token,
    }
    (tmp_path / "answer").write_text(json.dumps(answer)[:-1])
    broken = tmp_path / "broken"
    process = tmp_path / "process"
    process.write_text(
        f"#!/bin/sh\n[ -e {broken} ] && echo {key.secret_access_key} >&2 && exit 1\n"
        f"cat {tmp_path}/answer\n"
        "date --utc --date='+4 seconds' '+, \"Expiration\": \"%Y-%m-%dT%H:%M:%SZ\"}'\n"
    )
    process.chmod(0o700)
    config = tmp_path / "config"
    config.write_text(f"[profile brief]\ncredential_process = {process}\n")
    file = tmp_path / "pass"
    options = ("--profile=brief", "--expires-in=4")
    with Watching(postgres, file, *options, AWS_CONFIG_FILE=str(config)) as watching:
        assert with_file(postgres, file).stdout == f"{USER}\n"
        broken.touch()
        # As long as there is a token that is still good, it is no error.
        warning = "rdstoken: warning: no renewal of the credentials, those at hand serve meanwhile"
        while (said := watching.says()).startswith(warning):
            pass
        assert re.fullmatch(r"rdstoken: CredentialsFailed: .*; trying again\n", said), said
        before = file.read_text()
        time.sleep(1.2)
        assert file.read_text() == before
        broken.unlink()
        wait_until(lambda: file.read_text() != before, "a new token")
        assert with_file(postgres, file).stdout == f"{USER}\n"
    assert watching.told == ""


def test_whoever_read_the_output_has_gone(postgres: Logins, tmp_path: pathlib.Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    path = f"--path={tmp_path / 'pass'}"
    done = subprocess.run(
        [Command.path, "passfile", "--watch", path, *login(postgres)],
        env=os.environ | keys(postgres),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=30,
    )
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr.startswith("rdstoken: could not write to standard output: ")


def test_the_life_that_is_left(postgres: Logins, tmp_path: pathlib.Path) -> None:
    file = f"--path={tmp_path / 'pass'}"
    assert command(postgres, "passfile", file, "--min-validity=60").returncode == 2
    for align in (500, 600):
        assert command(postgres, "passfile", file, f"--align={align}").returncode == 0
        with Watching(postgres, tmp_path / "pass", f"--align={align}"):
            pass
    (tmp_path / "pass").unlink()
    done = command(postgres, "passfile", file, "--watch", "--min-validity=900")
    assert done.stderr.startswith("rdstoken: InvalidArgument: min_validity: ")
    assert not (tmp_path / "pass").exists()


# The page


class Page:
    """A home in which the blocks of the page are done, one after the other, in one shell each that
    knows what the one at the top sets.
    """

    def __init__(self, home: pathlib.Path, postgres: Logins, mariadb: Logins) -> None:
        self._home, self._logins = home, {"5432": postgres, "3306": mariadb}
        self.text = PAGE.read_text()
        self._first = self.blocks("sh")[0]
        authorities = [logins.server.ca_file.read_text() for logins in self._logins.values()]
        (home / "global-bundle.pem").write_text("".join(authorities))

    def blocks(self, language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)

    def environment(self, port: str) -> dict[str, str]:
        path = f"{Command.path.parent}:{os.environ['PATH']}"
        return keys(self._logins[port], HOME=str(self._home), PATH=path)

    def here(self, text: str) -> str:
        """What the page says, for the servers there are."""
        for port, logins in self._logins.items():
            text = re.sub(rf"\b{port}\b", str(logins.port), text)
        host = self._logins["5432"].host
        return text.replace("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", host)

    def do(self, block: str) -> str:
        port = "3306" if "3306" in block else "5432"
        script = self.here(f"cd\n{self._first}{block}")
        done = run("sh", "-e", "-u", "-c", script, env=self.environment(port))
        assert (done.returncode, done.stderr) == (0, ""), block + done.stderr
        return done.stdout

    def unit(self) -> list[str]:
        """The command of the page's systemd unit, as systemd would run it."""
        (unit,) = self.blocks("ini")
        (line,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
        line = line.replace("%h", str(self._home))
        return self.here(line.replace("/usr/local/bin/rdstoken", str(Command.path))).split()


@pytest.fixture
def page(postgres: Logins, mariadb: Logins, tmp_path: pathlib.Path) -> Page:
    return Page(tmp_path, postgres, mariadb)


def test_every_block_of_the_page(page: Page) -> None:
    logged_in = 0
    for block in page.blocks("sh"):
        output = page.do(block)
        if "current_user" in block.lower():
            assert USER in output, block
            logged_in += 1
    assert logged_in == 6


def test_the_pages_service(page: Page, postgres: Logins, tmp_path: pathlib.Path) -> None:
    (block,) = (block for block in page.blocks("sh") if "PGPASSFILE" in block)
    env = os.environ | page.environment("5432")
    with subprocess.Popen(page.unit(), env=env, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout
            assert service.stdout.readline().startswith(f"{tmp_path}/.rds-pass: ")
            with postgres.seen() as seen:
                assert USER in page.do(block)
            assert seen == [True]
        finally:
            service.terminate()


def test_the_pages_url_logs_in(page: Page) -> None:
    (block,) = (block for block in page.blocks("sh") if "DATABASE_URL" in block)
    program = "import os, sqlalchemy as s; e = s.create_engine(os.environ['DATABASE_URL']);"
    program += "print(e.connect().exec_driver_sql('SELECT CURRENT_USER()').scalar())"
    assert USER in page.do(f'{block}{sys.executable} -c "{program}"\n')


def test_the_page_leads_somewhere_and_leaves_nothing_out() -> None:
    text = PAGE.read_text()
    for target in re.findall(r"\]\((?!https:|#)([^)#]+)", text):
        assert (PAGE.parent / target).exists(), target
    names = re.findall(r"^  (\w+) ", Command().run("-h").stdout, re.MULTILINE)
    assert set(names) == {"token", "exec", "url", "odbc", "passfile", "drivers", "help"}
    for name in names:
        assert f"`{name}`" in text or name == "help"


@pytest.mark.parametrize("name", ["token", "exec", "url", "odbc", "passfile", "drivers"])
def test_help_fits_the_screen(name: str) -> None:
    """And its examples are commands that exist, with options that exist."""
    text = Command().run(name, "--help").stdout
    usage = [line for line in text.splitlines() if line.startswith("Usage: ")]
    assert max(len(line) for line in text.splitlines() if line not in usage) <= 100
    assert name == "drivers" or "Example" in text
    examples = text.partition("\nExample")[2].replace("\\\n", " ")
    used = re.findall(r"rdstoken (\w+)(.*?)(?: -- |$|\)\")", examples, re.MULTILINE)
    assert len(used) == examples.count("rdstoken ")
    for subcommand, arguments in used:
        known = Command().run(subcommand, "--help").stdout
        for option in re.findall(r"--[a-z][a-z-]*", arguments):
            assert f"{option}" in known.partition("Example")[0], (subcommand, option)
