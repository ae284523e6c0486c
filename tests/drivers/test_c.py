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
from programs import (
    EXAMPLES,
    Program,
    compile_program,
    environment,
    install_plugin,
    refusing_once,
    run,
)
from signers import LENGTHS, USER

from built import ROOT, Command

if TYPE_CHECKING:
    import pathlib
    import subprocess
    from collections.abc import Callable

    from signers import Logins

    Find = Callable[[str, str], pathlib.Path]

BRIEF = "2"
POSTGRES, MARIADB = "postgres", "mariadb"
DRIVERS = {"psqlodbc": "PostgreSQL Unicode", "mariadb-odbc": "MariaDB Unicode"}
"""What ODBC calls them."""


class Example:
    """An example of ffi/examples, and its arguments after the login."""

    def __init__(self, file: str, package: str, server: str, driver: str = "") -> None:
        self.file, self.package, self.server, self.driver = file, package, server, driver

    def __str__(self) -> str:
        return f"{self.file}-{self.driver}" if self.driver else self.file

    def arguments(self, logins: Logins, port: int | None = None) -> list[str]:
        login = [logins.host, str(port or logins.port), USER]
        if self.file == "odbc_dsn.c":
            return [self.driver, "demo", *login]
        if self.driver:
            return [self.driver, *login, logins.dbname, logins.ca_file]
        return [*login, *([logins.ca_file] if self.file == "libmariadb.c" else [])]


LIVING = [
    Example("libpq.c", "libpq", POSTGRES),
    Example("login.cpp", "libpq", POSTGRES),
    Example("libmariadb.c", "libmariadb", MARIADB),
    Example("odbc.c", "odbc", POSTGRES, "psqlodbc"),
    Example("odbc.c", "odbc", MARIADB, "mariadb-odbc"),
    Example("odbc_dsn.c", "odbc", POSTGRES, "psqlodbc"),
    Example("odbc_dsn.c", "odbc", MARIADB, "mariadb-odbc"),
]
SHORTEST = Example("login.c", "libpq", POSTGRES)
"""Logs in once."""
ON_LIBPQ = [example for example in [*LIVING, SHORTEST] if example.package == "libpq"]


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


def data_source(
    directory: pathlib.Path,
    logins: Logins,
    driver: str,
    *more: str,
    port: int | None = None,
    pqopt: str = "",
) -> dict[str, str]:
    """Writes the data source `demo`, without user and password, and says where it is."""
    server = "Server" if "MariaDB" in driver else "Servername"
    where = [f"{server}={logins.host}", f"Port={port or logins.port}", f"Database={logins.dbname}"]
    lines = ["[demo]", f"Driver={driver}", *where, *odbc_tls(logins, driver, pqopt), *more]
    ini = directory / "odbc.ini"
    ini.write_text("\n".join([*lines, ""]))
    return {"ODBCINI": str(ini)}


def odbc_tls(logins: Logins, driver: str, pqopt: str = "") -> list[str]:
    if "MariaDB" in driver:
        return ["FORCETLS=1", "SSLVERIFY=1", f"SSLCA={logins.ca_file}"]
    return ["SSLmode=verify-full", f"Pqopt=sslrootcert={logins.ca_file}{pqopt}"]


class Setting:
    """An example, compiled, and its server."""

    def __init__(
        self, example: Example, logins: Logins, program: pathlib.Path, directory: pathlib.Path
    ) -> None:
        self.example, self.logins, self.program = example, logins, program
        self._directory = directory

    def start(self, *more: str, profile: str = "default", port: int | None = None) -> Program:
        arguments = self.example.arguments(self.logins, port)
        return Program(self.program, *arguments, *more, env=self._environment(profile, port))

    def run(
        self, profile: str = "default", port: int | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        arguments = self.example.arguments(self.logins, port)
        return run(self.program, *arguments, env=self._environment(profile, port) | env)

    def records(self, count: int) -> list[str]:
        return [record.sha256 for record in self.logins.server.records()[-count:]]

    def _environment(self, profile: str, port: int | None) -> dict[str, str]:
        env = environment(self.logins, profile)
        if self.example.file == "odbc_dsn.c":
            driver = DRIVERS[self.example.driver]
            env |= data_source(self._directory, self.logins, driver, port=port)
        return env


@pytest.fixture
def setting(request: pytest.FixtureRequest, built: Find, tmp_path: pathlib.Path) -> Setting:
    example: Example = request.param
    logins: Logins = request.getfixturevalue(example.server)
    program = built(f"ffi/examples/{example.file}", example.package)
    return Setting(example, logins, program, tmp_path)


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


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("setting", [SHORTEST], ids=str, indirect=True)
def test_logging_in_once(setting: Setting, length: int) -> None:
    done = setting.run(f"token-{length}")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{USER}\n", "")
    assert setting.logins.server.records()[-1].length == length


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("setting", LIVING, ids=str, indirect=True)
def test_an_old_process_connects(setting: Setting, length: int) -> None:
    with setting.logins.seen() as seen, setting.start(BRIEF, profile=f"token-{length}") as program:
        assert program.answer() == USER
        time.sleep(2.1)
        assert program.ask() == USER
    assert seen == [True, True]
    assert len(set(setting.records(2))) == 2
    assert_brief(setting.logins, length)


def assert_brief(logins: Logins, length: int) -> None:
    """The last two tokens had a profile's length, but for a lifetime of one digit, not three."""
    assert [record.length for record in logins.server.records()[-2:]] == [length - 2] * 2


@pytest.mark.parametrize("setting", LIVING, ids=str, indirect=True)
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


@pytest.mark.parametrize("setting", LIVING, ids=str, indirect=True)
def test_a_fresh_token_that_is_refused_gets_none(setting: Setting) -> None:
    with setting.logins.seen() as seen, refusing_once(setting.logins):
        done = setting.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert "X-Amz" not in done.stderr
    assert len(seen) == 1


@pytest.mark.parametrize("setting", LIVING, ids=str, indirect=True)
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


@pytest.mark.parametrize("env", [{}, {"PGSSLMODE": "disable"}], ids=["unset", "disabled"])
@pytest.mark.parametrize("setting", [*LIVING, SHORTEST], ids=str, indirect=True)
def test_nothing_leaves_without_tls(setting: Setting, env: dict[str, str]) -> None:
    kind = {POSTGRES: PlainPostgres, MARIADB: PlainMariaDB}[setting.example.server]
    with kind() as server:
        done = setting.run(port=server.port, **env)
        assert (done.returncode, done.stdout) == (1, "")
        assert server.connections == 1
        assert server.passwords == []
        assert b"X-Amz" not in server.received


@pytest.mark.parametrize("setting", ON_LIBPQ, ids=str, indirect=True)
def test_the_users_settings_of_libpq_change_nothing(setting: Setting) -> None:
    """GSSAPI would encrypt in the place of TLS, and check no certificate."""
    done = setting.run(PGSSLMODE="disable", PGGSSENCMODE="require")
    assert (done.stdout, done.stderr) == (f"{USER}\n", "")


# ODBC's forms.


class Odbc:
    """The program that hands a token over in one of the forms, to either driver."""

    def __init__(self, directory: pathlib.Path, program: pathlib.Path) -> None:
        self._directory, self._program = directory, program

    def string(self, logins: Logins, driver: str, token: str) -> str:
        where = f"Server={logins.host};Port={logins.port};Database={logins.dbname}"
        tls = ";".join(odbc_tls(logins, driver))
        return f"Driver={{{driver}}};{where};UID={USER};PWD={token};{tls};"

    def log_in(
        self, logins: Logins, driver: str, form: str, token: str, place: str = "{@}"
    ) -> subprocess.CompletedProcess[str]:
        """`place` is how the token stands in a connection string."""
        env = data_source(self._directory, logins, driver)
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


# No password at all, in a process that lives longer than its tokens.


@pytest.mark.parametrize("length", LENGTHS)
def test_an_old_process_with_the_plugin(
    mariadb: Logins, built: Find, tmp_path: pathlib.Path, length: int
) -> None:
    program = built("tests/drivers/c/odbc_no_password.c", "odbc")
    plugins = install_plugin(tmp_path)
    more = (f"User={USER}", f"PLUGIN_DIR={plugins}")
    ini = data_source(tmp_path, mariadb, "MariaDB Unicode", *more)
    env = environment(mariadb, f"token-{length}", RDSTOKEN_EXPIRES_IN=BRIEF, **ini)
    with mariadb.seen() as seen, Program(program, "demo", env=env) as living:
        assert living.ask() == USER
        time.sleep(2.1)
        assert living.ask() == USER
    assert seen == [True, True]
    assert_brief(mariadb, length)


@pytest.mark.parametrize("length", LENGTHS)
def test_an_old_process_with_a_watched_passfile(
    postgres: Logins, built: Find, tmp_path: pathlib.Path, length: int
) -> None:
    program = built("tests/drivers/c/odbc_no_password.c", "odbc")
    file = tmp_path / "pass"
    login = ("--hostname", postgres.host, "--port", str(postgres.port), "--username", USER)
    watch = ("passfile", "--watch", "--path", file, "--expires-in", "4", *login)
    env = environment(postgres, f"token-{length}")
    ini = data_source(
        tmp_path, postgres, "PostgreSQL Unicode", f"Username={USER}", pqopt=f" passfile={file}"
    )
    with (
        Program(Command.path, *watch, env=env) as watching,
        postgres.seen() as seen,
        Program(program, "demo", env=ini) as living,
    ):
        assert watching.answer().startswith(f"{file}: a token that works until ")
        assert living.ask() == USER
        time.sleep(4.1)
        assert living.ask() == USER
    assert seen == [True, True]
    assert_brief(postgres, length)


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
    tmp_path: pathlib.Path,
    driver: str,
    length: int,
    spoil: Callable[[str], str],
) -> None:
    """A line of odbc.ini has room for 999 bytes, and psqlodbc decodes what stands there."""
    logins: Logins = request.getfixturevalue(SERVERS[driver])
    token = logins.signer(key_for_length(length)).token()
    user = "User" if "MariaDB" in driver else "Username"
    env = data_source(tmp_path, logins, driver, f"{user} = {USER}", f"Password = {token}")
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
    tested = {example.file for example in [*LIVING, SHORTEST]}
    others = {"presign.c"}  # `make run` and test_install.py
    assert {path.name for path in EXAMPLES.iterdir()} == tested | others
