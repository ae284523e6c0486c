"""C and C++ programs that log in by token: the examples for libpq, libmariadb and ODBC, each form
that ODBC has for a password, and the forms that do not work.
"""

from __future__ import annotations

import hashlib
import socket
import time
import urllib.parse
from typing import TYPE_CHECKING

import pytest
from common import key_for_length
from matrix import is_as_measured
from plaintext import PlainMariaDB, PlainPostgres
from programs import EXAMPLES, Program, compile_program, environment, refusing_once, run
from signers import LENGTHS, USER

from built import ROOT

if TYPE_CHECKING:
    import pathlib
    import subprocess
    from collections.abc import Callable

    from signers import Logins

    Find = Callable[[str, str], pathlib.Path]

BRIEF = "2"
POSTGRES, MARIADB = "postgres", "mariadb"


class Example:
    """An example of ffi/examples, and its arguments after the login."""

    def __init__(self, file: str, package: str, server: str, driver: str = "") -> None:
        self.file, self.package, self.server, self.driver = file, package, server, driver

    def __str__(self) -> str:
        return f"{self.file}-{self.driver}" if self.driver else self.file

    def arguments(self, logins: Logins, port: int | None = None) -> list[str]:
        login = [logins.host, str(port or logins.port), USER]
        if self.driver:
            return [self.driver, *login, logins.dbname, logins.ca_file]
        return [*login, *([logins.ca_file] if self.file == "libmariadb.c" else [])]


LIVING = [
    Example("libpq.c", "libpq", POSTGRES),
    Example("login.cpp", "libpq", POSTGRES),
    Example("libmariadb.c", "libmariadb", MARIADB),
    Example("odbc.c", "odbc", POSTGRES, "psqlodbc"),
    Example("odbc.c", "odbc", MARIADB, "mariadb-odbc"),
]
RETRYING = [example for example in LIVING if example.file != "login.cpp"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Find:
    """Compiles a file when it is first asked for."""
    directory = tmp_path_factory.mktemp("programs")
    programs: dict[pathlib.Path, pathlib.Path] = {}

    def find(file: str, package: str) -> pathlib.Path:
        source = ROOT / file
        if source not in programs:
            programs[source] = compile_program(source, directory, package)
        return programs[source]

    return find


class Setting:
    """An example, compiled, and its server."""

    def __init__(self, example: Example, logins: Logins, program: pathlib.Path) -> None:
        self.example, self.logins, self.program = example, logins, program

    def start(self, *more: str, profile: str = "default", port: int | None = None) -> Program:
        arguments = self.example.arguments(self.logins, port)
        return Program(self.program, *arguments, *more, env=environment(self.logins, profile))

    def records(self, count: int) -> list[str]:
        return [record.sha256 for record in self.logins.server.records()[-count:]]


@pytest.fixture
def setting(request: pytest.FixtureRequest, built: Find) -> Setting:
    example: Example = request.param
    logins: Logins = request.getfixturevalue(example.server)
    return Setting(example, logins, built(f"ffi/examples/{example.file}", example.package))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("setting", LIVING, ids=str, indirect=True)
def test_logging_in(setting: Setting, length: int) -> None:
    with setting.start(profile=f"token-{length}") as program:
        assert program.answer() == USER
        assert program.ask() == USER
        assert program.end() == ""
        assert program.code == 0
    assert setting.logins.server.records()[-1].length == length
    assert len(set(setting.records(2))) == 1  # reused


@pytest.mark.parametrize("setting", LIVING, ids=str, indirect=True)
def test_an_old_process_connects(setting: Setting) -> None:
    with setting.start(BRIEF) as program:
        assert program.answer() == USER
        time.sleep(2.1)
        assert program.ask() == USER
    assert len(set(setting.records(2))) == 2


@pytest.mark.parametrize("setting", RETRYING, ids=str, indirect=True)
def test_a_refused_login_gets_one_retry(setting: Setting) -> None:
    with setting.logins.seen() as seen, setting.start() as program:
        assert program.answer() == USER
        time.sleep(1)  # a token of another second has other bytes
        with refusing_once(setting.logins):
            assert program.ask() == USER
        program.end()
        assert program.code == 0
    assert len(seen) == 3
    first, refused, fresh = setting.records(3)
    assert first == refused != fresh


@pytest.mark.parametrize("setting", RETRYING, ids=str, indirect=True)
def test_a_fresh_token_that_is_refused_gets_none(setting: Setting) -> None:
    with setting.logins.seen() as seen, refusing_once(setting.logins):
        program = run(
            setting.program,
            *setting.example.arguments(setting.logins),
            env=environment(setting.logins),
        )
    assert program.returncode == 1
    assert program.stdout == ""
    assert "X-Amz" not in program.stderr
    assert len(seen) == 1


@pytest.mark.parametrize("setting", RETRYING, ids=str, indirect=True)
def test_another_failure_gets_no_retry(setting: Setting) -> None:
    """Here: the server hangs up, and says nothing of passwords."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        setting.start(port=server.getsockname()[1]) as program,
    ):
        server.settimeout(10)
        server.accept()[0].close()
        said = program.end()
        assert program.code == 1
        assert said
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("setting", LIVING, ids=str, indirect=True)
def test_nothing_leaves_without_tls(setting: Setting) -> None:
    kind = {POSTGRES: PlainPostgres, MARIADB: PlainMariaDB}[setting.example.server]
    with kind() as server:
        arguments = setting.example.arguments(setting.logins, port=server.port)
        program = run(setting.program, *arguments, env=environment(setting.logins))
        assert (program.returncode, program.stdout) == (1, "")
        assert server.connections == 1
        assert server.passwords == []
        assert b"X-Amz" not in server.received


# ODBC's forms.


class Odbc:
    """The two drivers' data sources and connection strings, and the program that uses them."""

    def __init__(self, directory: pathlib.Path, program: pathlib.Path) -> None:
        self._ini, self._program = directory / "odbc.ini", program

    def data_source(self, logins: Logins, driver: str, *more: str) -> dict[str, str]:
        """Writes the data source `demo`, without user and password."""
        server = "Server" if "MariaDB" in driver else "Servername"
        where = [f"{server}={logins.host}", f"Port={logins.port}", f"Database={logins.dbname}"]
        lines = ["[demo]", f"Driver={driver}", *where, *self._tls(logins, driver), *more]
        self._ini.write_text("\n".join([*lines, ""]))
        return {"ODBCINI": str(self._ini)}

    def string(self, logins: Logins, driver: str, token: str) -> str:
        where = f"Server={logins.host};Port={logins.port};Database={logins.dbname}"
        tls = ";".join(self._tls(logins, driver))
        return f"Driver={{{driver}}};{where};UID={USER};PWD={token};{tls};"

    @staticmethod
    def _tls(logins: Logins, driver: str) -> list[str]:
        if "MariaDB" in driver:
            return ["FORCETLS=1", "SSLVERIFY=1", f"SSLCA={logins.ca_file}"]
        return ["SSLmode=verify-full", f"Pqopt=sslrootcert={logins.ca_file}"]

    def log_in(
        self, logins: Logins, driver: str, form: str, token: str, place: str = "{@}"
    ) -> subprocess.CompletedProcess[str]:
        """`place` is how the token stands in a connection string."""
        env = self.data_source(logins, driver)
        target = self.string(logins, driver, place) if "Driver" in form else "demo"
        return run(self._program, form, target, USER, env=env, text=token)


@pytest.fixture
def odbc(tmp_path: pathlib.Path, built: Find) -> Odbc:
    return Odbc(tmp_path, built("tests/drivers/c/odbc_forms.c", "odbc"))


FORMS = ["SQLConnect", "SQLConnectW", "SQLDriverConnect", "SQLDriverConnectW"]
SERVERS = {"PostgreSQL Unicode": POSTGRES, "MariaDB Unicode": MARIADB}


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("driver", SERVERS)
def test_the_forms_of_odbc(
    request: pytest.FixtureRequest, odbc: Odbc, driver: str, form: str, length: int
) -> None:
    logins: Logins = request.getfixturevalue(SERVERS[driver])
    with logins.seen() as seen:
        done = odbc.log_in(logins, driver, form, logins.long(length).token())
    assert done.stdout == f"{USER}\n"
    assert seen == [True]
    assert logins.server.records()[-1].length == length


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("driver", SERVERS)
def test_a_data_source_without_a_password(
    request: pytest.FixtureRequest, odbc: Odbc, built: Find, driver: str, length: int
) -> None:
    logins: Logins = request.getfixturevalue(SERVERS[driver])
    name = {"PostgreSQL Unicode": "psqlodbc", "MariaDB Unicode": "mariadb-odbc"}[driver]
    program = built("ffi/examples/odbc_dsn.c", "odbc")
    env = environment(logins, f"token-{length}", **odbc.data_source(logins, driver))
    done = run(program, name, "demo", logins.host, str(logins.port), USER, env=env)
    assert done.stderr == ""
    assert done.stdout.startswith(USER)
    assert logins.server.records()[-1].length == length


@pytest.mark.parametrize("driver", SERVERS)
def test_an_old_process_connects_to_a_data_source(
    request: pytest.FixtureRequest, odbc: Odbc, built: Find, driver: str
) -> None:
    logins: Logins = request.getfixturevalue(SERVERS[driver])
    name = {"PostgreSQL Unicode": "psqlodbc", "MariaDB Unicode": "mariadb-odbc"}[driver]
    program = built("ffi/examples/odbc_dsn.c", "odbc")
    where = (logins.host, str(logins.port), USER)
    env = environment(logins, **odbc.data_source(logins, driver))
    with logins.seen() as seen, Program(program, name, "demo", *where, BRIEF, env=env) as living:
        assert living.answer().startswith(USER)
        time.sleep(2.1)
        assert living.ask().startswith(USER)
    assert seen == [True, True]


# What does not work, and is refused before it is tried where rdstoken is asked.


def fault(driver: str, form: str) -> pytest.MarkDecorator:
    """Of the version that docs/drivers.md tells of; another need not have it."""
    return pytest.mark.skipif(
        not is_as_measured(driver, form), reason=f"another {driver} than in docs/drivers.md"
    )


@fault("psqlodbc", "connection-string-unbraced")
def test_psqlodbc_alters_a_token_without_braces(postgres: Logins, odbc: Odbc) -> None:
    token = postgres.signer().token()
    with postgres.seen() as seen:
        done = odbc.log_in(postgres, "PostgreSQL Unicode", "SQLDriverConnect", token, "@")
    assert "authentication failed for user" in done.stdout
    assert seen == [False]
    assert postgres.server.records()[-1].length < len(token)  # %XX became one byte


@pytest.mark.parametrize(
    ("driver", "length", "spoil"),
    [
        pytest.param(
            "PostgreSQL Unicode",
            900,
            urllib.parse.unquote_plus,
            id="altered",
            marks=fault("psqlodbc", "odbc.ini"),
        ),
        pytest.param("MariaDB Unicode", 988, str, id="whole"),
        pytest.param(
            "MariaDB Unicode",
            1500,
            lambda token: token[:988],
            id="cut",
            marks=fault("mariadb-odbc", "odbc.ini"),
        ),
    ],
)
def test_a_token_in_odbc_ini(
    request: pytest.FixtureRequest,
    odbc: Odbc,
    driver: str,
    length: int,
    spoil: Callable[[str], str],
) -> None:
    """A line of odbc.ini has room for 999 bytes, and psqlodbc decodes what stands there."""
    logins: Logins = request.getfixturevalue(SERVERS[driver])
    token = logins.signer(key_for_length(length)).token()
    user = "User" if "MariaDB" in driver else "Username"
    env = odbc.data_source(logins, driver, f"{user} = {USER}", f"Password = {token}")
    done = run("isql", "-b", "demo", env=env, text="SELECT 1\n")
    assert done.returncode == 1  # the server does not know the key, so not the whole one either
    record = logins.server.records()[-1]
    assert record.sha256 == hashlib.sha256(spoil(token).encode()).hexdigest()


@fault("psqlodbc-ansi", "SQLConnectW")
def test_psqlodbc_ansi_cuts_a_wide_token(postgres: Logins, odbc: Odbc) -> None:
    with postgres.seen() as seen:
        done = odbc.log_in(postgres, "PostgreSQL ANSI", "SQLConnectW", postgres.signer().token())
    assert "authentication failed for user" in done.stdout
    assert seen == [False]
    # 32 bytes of the token, and what lies behind them in memory.
    assert 32 <= postgres.server.records()[-1].length < 64


@fault("mariadb-odbc", "SQLConnect")
def test_mariadb_odbc_crashes_on_a_token_beyond_its_limit(mariadb: Logins, odbc: Odbc) -> None:
    done = odbc.log_in(mariadb, "MariaDB Unicode", "SQLConnect", "x" * 33_000)
    assert done.returncode < 0


def test_the_example_asks_first_and_does_not_try(mariadb: Logins, built: Find) -> None:
    program = built("ffi/examples/odbc_dsn.c", "odbc")
    keys = {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_SESSION_TOKEN": "x" * 33_000,
    }
    where = (mariadb.host, str(mariadb.port), USER)
    done = run(program, "mariadb-odbc", "demo", *where, env=keys)
    assert done.returncode == 1
    assert "takes tokens of up to 32767 bytes" in done.stderr


def test_the_examples_are_all_tested() -> None:
    tested = {example.file for example in LIVING} | {"odbc_dsn.c"}
    others = {"login.c", "presign.c"}  # `make run` and test_install.py
    assert {path.name for path in EXAMPLES.iterdir()} == tested | others
