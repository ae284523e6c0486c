"""Every driver and form of core's table as it comes, without an adapter of ours: how a token is put
into a text for it, and how that is sent. `WAYS` lists them; matrix.py goes through them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import functools
import importlib.metadata
import json
import os
import pathlib
import pty
import re
import select
import shutil
import socket
import subprocess
import sys
import termios
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

from common import free_port, unprivileged_user
from signers import USER, Logins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import rdstoken

HERE = pathlib.Path(__file__).resolve().parent
SENDERS = HERE / "senders"

SECONDS = 30


@dataclasses.dataclass
class Request:
    """One login: what it is made from."""

    logins: Logins
    token: str
    text: str
    bench: Bench

    def lines(self) -> str:
        logins = self.logins
        who = [logins.host, str(logins.port), logins.dbname, USER, logins.ca_file]
        return "".join(line + "\n" for line in (self.token, self.text, *who))


class Bench:
    """Where the senders are compiled, and where files with tokens lie."""

    def __init__(self, directory: pathlib.Path, postgres: Logins, mariadb: Logins) -> None:
        self.directory = directory
        self.servers = {"postgres": postgres, "mariadb": mariadb}
        self.odbc_ini = self.file("odbc.ini", self._odbc_ini())

    def file(self, name: str, text: str) -> pathlib.Path:
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    @functools.cache  # noqa: B019  a bench lives as long as the tests
    def compiled(self, name: str, *flags: str) -> str:
        program = self.directory / name
        source = SENDERS / f"{name}.c"
        warnings = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror"]
        subprocess.run(["cc", *warnings, source, "-o", program, *flags], check=True)
        return str(program)

    @functools.cache  # noqa: B019
    def go(self) -> str:
        program = self.directory / "go-sender"
        target = HERE.parents[1] / "target" / "go"  # where the Makefile put the driver
        home = {"GOPATH": str(target), "GOCACHE": str(target / "cache"), "GOPROXY": "off"}
        subprocess.run(
            ["go", "build", "-o", program, "."],
            cwd=SENDERS / "go",
            env=os.environ | home | {"CGO_ENABLED": "0"},
            check=True,
        )
        return str(program)

    @functools.cache  # noqa: B019
    def java(self) -> list[str]:
        classes = self.directory / "java"
        subprocess.run(["javac", "-d", classes, SENDERS / "Send.java"], check=True)
        jars = [f"/usr/share/java/{name}.jar" for name in ("postgresql", "mariadb-java-client")]
        return ["java", "-XX:TieredStopAtLevel=1", "-cp", ":".join([str(classes), *jars]), "Send"]

    def _odbc_ini(self) -> str:
        postgres, mariadb = self.servers["postgres"], self.servers["mariadb"]
        texts = []
        for name in ("psqlodbc", "psqlodbc-ansi", "mariadb-odbc"):
            logins = mariadb if name == "mariadb-odbc" else postgres
            options = {
                "Driver": odbc_driver(name),
                "Servername": logins.host,
                "Server": logins.host,
                "Port": logins.port,
                "Database": logins.dbname,
            } | _odbc_tls(name, logins)
            texts.append(
                f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in options.items())
            )
        return "\n".join(texts)


def odbc_driver(name: str) -> str:
    library = {"psqlodbc": "psqlodbcw", "psqlodbc-ansi": "psqlodbca", "mariadb-odbc": "libmaodbc"}
    (path,) = pathlib.Path("/usr/lib").glob(f"*/odbc/{library[name]}.so")
    return str(path)


def _odbc_tls(name: str, logins: Logins) -> dict[str, Any]:
    if name == "mariadb-odbc":
        return {"FORCETLS": 1, "SSLVERIFY": 1, "SSLCA": logins.ca_file}
    return {"SSLmode": "verify-full", "Pqopt": f"sslrootcert={logins.ca_file}"}


# How a request becomes a text.


def no_text(_row: rdstoken.Limit, _signer: rdstoken.Signer, _bench: Bench, _logins: Logins) -> str:
    return ""


def written(row: rdstoken.Limit, signer: rdstoken.Signer, _bench: Bench, logins: Logins) -> str:
    """What core writes."""
    options: dict[str, Any] = {"database": logins.dbname, "ca_file": logins.ca_file}
    if row.form == "passfile":
        del options["ca_file"]
    elif row.form == "properties":
        del options["database"]
    elif row.driver in ("postgres", "mysql2", "mariadb"):
        del options["ca_file"]  # from NODE_EXTRA_CA_CERTS
    if "odbc" in row.driver:
        options["odbc_driver"] = odbc_driver(row.driver)
    form = "connection-string" if row.form == "connection-string-W" else row.form
    return signer.connection_string(row.driver, form, **options)


def written_file(row: rdstoken.Limit, signer: rdstoken.Signer, bench: Bench, logins: Logins) -> str:
    text = written(row, signer, bench, logins)
    return str(bench.file(f"{row.driver}-{row.form}", text + "\n"))


def file_of(make: Callable[[Logins, str], str]) -> Any:
    """A file that the core does not write."""

    def text(row: rdstoken.Limit, signer: rdstoken.Signer, bench: Bench, logins: Logins) -> str:
        return str(bench.file(f"{row.driver}-{row.form}", make(logins, signer.token())))

    return text


def passfile_unescaped(logins: Logins, token: str) -> str:
    return f"{logins.host}:{logins.port}:*:{USER}:{token}\n"


def passfile_escaped(logins: Logins, token: str) -> str:
    return passfile_unescaped(logins, token.replace(":", "\\:"))


def service_file(logins: Logins, token: str) -> str:
    return (
        f"[rds]\nhost={logins.host}\nport={logins.port}\ndbname={logins.dbname}\nuser={USER}\n"
        f"sslmode=verify-full\nsslrootcert={logins.ca_file}\npassword={token}\n"
    )


def option_file(_logins: Logins, token: str) -> str:
    return f"[client]\npassword={token}\n"


def raw_sqlalchemy(
    _row: rdstoken.Limit, signer: rdstoken.Signer, _bench: Bench, logins: Logins
) -> str:
    # Without its `/`, `?` and `:`, which are no URL's, what remains is still decoded.
    tls = "sslmode=verify-full&sslrootcert=" + urllib.parse.quote(logins.ca_file, safe="")
    user = f"{USER}:{signer.token()}"
    return f"postgresql+psycopg://{user}@{logins.host}:{logins.port}/{logins.dbname}?{tls}"


def unbraced(row: rdstoken.Limit, signer: rdstoken.Signer, bench: Bench, logins: Logins) -> str:
    plain = row._replace(form="connection-string")
    return written(plain, signer, bench, logins).replace(
        f"PWD={{{signer.token()}}}", f"PWD={signer.token()}"
    )


def without_password(
    row: rdstoken.Limit, signer: rdstoken.Signer, bench: Bench, logins: Logins
) -> str:
    return unbraced(row, signer, bench, logins).replace(f"PWD={signer.token()};", "")


def dsn(row: rdstoken.Limit, _signer: rdstoken.Signer, _bench: Bench, _logins: Logins) -> str:
    return row.driver


def odbc_ini(row: rdstoken.Limit, signer: rdstoken.Signer, bench: Bench, logins: Logins) -> str:
    # Both drivers' words, each of which the other passes over.
    section = f"[{row.driver}]\n"
    text = bench.odbc_ini.read_text()
    login = f"Username = {USER}\nUser = {USER}\nPassword = {signer.token()}\n"
    bench.file("own-odbc.ini", text.replace(section, section + login))
    del logins
    return f"DSN={row.driver};"


def file_dsn(row: rdstoken.Limit, signer: rdstoken.Signer, bench: Bench, logins: Logins) -> str:
    words = unbraced(row, signer, bench, logins).split(";")
    path = bench.file("rds.dsn", "[ODBC]\n" + "\n".join(words).replace("Driver={", "DRIVER={"))
    return f"FILEDSN={path};"


# How a request is sent. Each answers "in", "refused" or "crash".


class Program:
    """A sender of tests/drivers/senders, for as many requests as it survives."""

    def __init__(self, command: Callable[[Bench], Sequence[str]], *, once: bool = False) -> None:
        self._command = command
        self._once = once

    def __call__(self, row: rdstoken.Limit, requests: Iterable[Request]) -> Iterable[str]:
        process: subprocess.Popen[str] | None = None
        for request in requests:
            if process is None:
                process = self._start(row, request)
            assert process.stdin
            assert process.stdout
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(request.lines())
                process.stdin.flush()
            readable, _, _ = select.select([process.stdout], [], [], SECONDS)
            line = process.stdout.readline().strip() if readable else "refused"
            if line not in ("in", "refused") or self._once or not readable:
                _end(process)
                process = None
            yield line if line in ("in", "refused") else "crash"
        if process:
            _end(process)

    def _start(self, row: rdstoken.Limit, request: Request) -> subprocess.Popen[str]:
        bench = request.bench
        environment = {
            "NODE_EXTRA_CA_CERTS": request.logins.ca_file,
            "ODBCSYSINI": str(bench.directory),
            "ODBCINI": str(
                bench.directory / ("own-odbc.ini" if row.form == "odbc.ini" else "odbc.ini")
            ),
        }
        return subprocess.Popen(
            [*self._command(bench), row.driver, row.form]
            if not self._command(bench)[-1].startswith("SQL")
            else self._command(bench),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | environment,
        )


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    assert process.stdout
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def command(make: Callable[[Request], tuple[list[str], dict[str, str]]]) -> Any:
    """A program to run for each request: its arguments and its variables."""

    def send(_row: rdstoken.Limit, requests: Iterable[Request]) -> Iterable[str]:
        for request in requests:
            arguments, variables = make(request)
            done = subprocess.run(
                arguments,
                env=os.environ | variables,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=SECONDS,
                start_new_session=True,  # without a terminal to ask at
            )
            yield _answer(done.returncode)

    return send


def typed(make: Callable[[Request], tuple[list[str], dict[str, str]]]) -> Any:
    """A program to run for each request, at a terminal where the token is typed at the prompt."""

    def send(_row: rdstoken.Limit, requests: Iterable[Request]) -> Iterable[str]:
        for request in requests:
            arguments, variables = make(request)
            ours, theirs = pty.openpty()

            def take_terminal(terminal: int = theirs) -> None:
                fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

            process = subprocess.Popen(
                arguments,
                env=os.environ | variables,
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
                preexec_fn=take_terminal,  # noqa: PLW1509  one system call
            )
            os.close(theirs)
            seen = b""
            with contextlib.suppress(OSError):
                while b"assword" not in seen:
                    seen += os.read(ours, 4096)
                time.sleep(0.2)  # until it has turned the echo off
                _type(ours, request.token.encode() + b"\n")
                while os.read(ours, 65536):
                    pass
            os.close(ours)
            yield _answer(process.wait(SECONDS))

    return send


def _type(terminal: int, text: bytes) -> None:
    os.set_blocking(terminal, False)
    deadline = time.monotonic() + SECONDS
    while text and time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            text = text[os.write(terminal, text) :]
        time.sleep(0.01)
    os.set_blocking(terminal, True)


def _answer(status: int) -> str:
    return "crash" if status < 0 else "refused" if status else "in"


def psql(*words: str, **variables: str) -> tuple[list[str], dict[str, str]]:
    return ["psql", "--no-psqlrc", "--pset=pager=off", "--command=SELECT 1", *words], variables


def psql_variables(request: Request) -> dict[str, str]:
    logins = request.logins
    return {
        "PGHOST": logins.host,
        "PGPORT": str(logins.port),
        "PGUSER": USER,
        "PGDATABASE": logins.dbname,
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": logins.ca_file,
    }


def mariadb(request: Request, *words: str, **variables: str) -> tuple[list[str], dict[str, str]]:
    logins = request.logins
    tls = ["--ssl", "--ssl-verify-server-cert", f"--ssl-ca={logins.ca_file}"]
    who = [f"--host={logins.host}", f"--port={logins.port}", f"--user={USER}"]
    return ["mariadb", *words, *who, *tls, "--execute=SELECT 1", logins.dbname], variables


def through_pgbouncer(_row: rdstoken.Limit, requests: Iterable[Request]) -> Iterable[str]:
    """PgBouncer logs in to the server with a token in its settings."""
    for request in requests:
        logins, directory = request.logins, request.logins.server.directory / "pgbouncer"
        user = unprivileged_user()
        directory.mkdir(mode=0o700, exist_ok=True)
        port = free_port()
        files = {
            "users": f'"{USER}" ""\n',
            "ca.crt": pathlib.Path(logins.ca_file).read_text(),
            "pgbouncer.ini": (
                f"[databases]\nrds = host=127.0.0.1 port={logins.port} dbname={logins.dbname}"
                f" user={USER} password='{request.token}'\n"
                f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
                f"auth_type = trust\nauth_file = {directory}/users\nlogfile = {directory}/log\n"
                f"server_tls_sslmode = verify-ca\nserver_tls_ca_file = {directory}/ca.crt\n"
            ),
        }
        for name, text in files.items():
            (directory / name).write_text(text)
        as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            as_user = {"user": user.pw_uid, "group": user.pw_gid}
            for path in (directory, *directory.iterdir()):
                os.chown(path, user.pw_uid, user.pw_gid)
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
        bouncer = subprocess.Popen(
            [str(program), directory / "pgbouncer.ini"], stderr=subprocess.DEVNULL, **as_user
        )
        client: subprocess.Popen[bytes] | None = None
        before = len(logins.server.records())
        try:
            _wait_for(port)
            who = f"host=127.0.0.1 port={port} user={USER} dbname=rds sslmode=disable"
            arguments, variables = psql(who, PGCONNECT_TIMEOUT=str(SECONDS))
            client = subprocess.Popen(
                arguments,
                env=os.environ | variables,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            # It tries again every 15 seconds; the first refusal is enough.
            while client.poll() is None and all(
                r.accepted for r in logins.server.records()[before:]
            ):
                time.sleep(0.02)
            yield "in" if client.poll() == 0 else "refused"
        finally:
            for process in (client, bouncer):
                if process is not None:
                    process.kill()
                    process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)


# Every way in.


@dataclasses.dataclass(frozen=True)
class Way:
    driver: str
    form: str
    server: str
    send: Callable[[rdstoken.Limit, Iterable[Request]], Iterable[str]]
    text: Callable[[rdstoken.Limit, rdstoken.Signer, Bench, Logins], str]
    version: Callable[[], str | None]
    pin: str = ""
    """What of the version we pin. The rest is the machine's."""


def tool_version(*arguments: str, find: str) -> Callable[[], str | None]:
    """As far as the pattern's group goes: what is not in it must not change the page."""

    @functools.cache
    def version() -> str | None:
        path = shutil.which(arguments[0], path=os.environ["PATH"] + ":/usr/sbin")
        if path is None:
            return None
        done = subprocess.run([path, *arguments[1:]], capture_output=True, text=True, check=False)
        match = re.search(find, done.stdout + done.stderr)
        return match[1] if match else None

    return version


def package_version(package: str, name: str, parts: int = 2) -> Callable[[], str | None]:
    """Of a Debian package, without what Debian adds."""
    return _prefixed(
        name,
        tool_version(
            "dpkg-query", "--show", "--showformat=${Version}", package,
            find=rf"^(?:\d+:)?(\d+(?:\.\d+){{0,{parts - 1}}})",
        ),
    )  # fmt: skip


def _prefixed(name: str, version: Callable[[], str | None]) -> Callable[[], str | None]:
    return lambda: f"{name} {found}" if (found := version()) else None


LIBPQ = package_version("libpq5", "libpq", 1)
MARIADB_CLIENT = package_version("mariadb-client", "MariaDB")
PSQLODBC = package_version("odbc-postgresql", "psqlodbc")
MAODBC = package_version("odbc-mariadb", "MariaDB Connector/ODBC", 3)


def _odbc(function: str, *, once: bool = False) -> Program:
    return Program(lambda bench: [bench.compiled("odbc", "-lodbc"), function], once=once)


def _python(
    driver: str, form: str, server: str, package: str, text: Any = no_text, *, on: Any = None
) -> Way:
    """`on` is the version of a library of the machine's, if the package stands on one."""
    send = Program(lambda _: [sys.executable, str(SENDERS / "python.py")])
    pin = f"{package} {importlib.metadata.version(package)}"
    version = _prefixed(f"{pin},", on) if on else lambda: pin
    return Way(driver, form, server, send, text, version, pin)


def _node(driver: str, form: str, server: str) -> Way:
    send = Program(lambda _: ["node", str(SENDERS / "node.mjs")])
    text = written if form == "uri" else no_text
    package = HERE.parents[1] / "bindings" / "node" / "node_modules" / driver / "package.json"
    pin = f"{driver} {json.loads(package.read_text())['version']}"
    return Way(driver, form, server, send, text, lambda: pin, pin)


def _go(driver: str, form: str, server: str, module: str) -> Way:
    send = Program(lambda bench: [bench.go()])
    match = re.search(rf"{re.escape(module)} v(\S+)", (SENDERS / "go" / "go.mod").read_text())
    assert match
    pin = f"{driver} {match[1]}"
    version = _prefixed(f"{pin}, Go", tool_version("go", "version", find=r"go(\d+\.\d+)"))
    return Way(driver, form, server, send, no_text, version, pin)


def _java(driver: str, form: str, server: str, version: Any) -> Way:
    text = written_file if form == "properties" else no_text
    return Way(driver, form, server, Program(lambda bench: bench.java()), text, version)


def _c(library: str, server: str, version: Any, *flags: str) -> Way:
    send = Program(lambda bench: [bench.compiled(library, *flags)])
    return Way(library, "password", server, send, no_text, version)


def _pkg_config(name: str) -> list[str]:
    done = subprocess.run(
        ["pkg-config", "--cflags", "--libs", name], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


PGJDBC = package_version("libpostgresql-jdbc-java", "pgjdbc")
MARIADB_J = package_version("libmariadb-java", "MariaDB Connector/J")

WAYS = [
    _c("libpq", "postgres", LIBPQ, *_pkg_config("libpq")),
    Way("libpq", "conninfo", "postgres", command(lambda r: psql("-w", r.text)), written, LIBPQ),
    Way("libpq", "uri", "postgres", command(lambda r: psql("-w", r.text)), written, LIBPQ),
    *(
        Way(
            "libpq",
            form,
            "postgres",
            command(lambda r: psql("-w", **psql_variables(r), PGPASSFILE=r.text)),
            text,
            LIBPQ,
        )
        for form, text in (
            ("passfile", written_file),
            ("passfile-unescaped", file_of(passfile_unescaped)),
        )
    ),
    Way(
        "libpq",
        "service-file",
        "postgres",
        command(lambda r: psql("-w", "service=rds", PGSERVICEFILE=r.text)),
        file_of(service_file),
        LIBPQ,
    ),
    Way(
        "psql",
        "environment",
        "postgres",
        command(lambda r: psql("-w", **psql_variables(r), PGPASSWORD=r.token)),
        no_text,
        LIBPQ,
    ),
    Way("psql", "prompt", "postgres", typed(lambda r: psql(**psql_variables(r))), no_text, LIBPQ),
    _python("psycopg", "password", "postgres", "psycopg"),
    _python("psycopg", "sqlalchemy-url", "postgres", "psycopg", written),
    _python("psycopg2", "password", "postgres", "psycopg2-binary"),
    _python("psycopg2", "sqlalchemy-url", "postgres", "psycopg2-binary", written),
    _python("asyncpg", "password", "postgres", "asyncpg"),
    _python("asyncpg", "passfile", "postgres", "asyncpg", written_file),
    _python("asyncpg", "passfile-escaped", "postgres", "asyncpg", file_of(passfile_escaped)),
    _python("pg8000", "password", "postgres", "pg8000"),
    _python("sqlalchemy", "raw-url", "postgres", "SQLAlchemy", raw_sqlalchemy),
    _node("pg", "password", "postgres"),
    _node("pg", "uri", "postgres"),
    _node("postgres", "password", "postgres"),
    _node("postgres", "uri", "postgres"),
    _java("pgjdbc", "properties", "postgres", PGJDBC),
    _java("pgjdbc", "raw-url", "postgres", PGJDBC),
    Way(
        "pgbouncer",
        "password",
        "postgres",
        through_pgbouncer,
        no_text,
        package_version("pgbouncer", "PgBouncer"),
    ),
    *(
        Way(driver, form, server, _odbc(function, once=once), text, version)
        for driver, server, version in (
            ("psqlodbc", "postgres", PSQLODBC),
            ("mariadb-odbc", "mariadb", MAODBC),
        )
        for form, function, text, once in (
            ("connection-string", "SQLDriverConnect", written, False),
            ("connection-string-W", "SQLDriverConnectW", written, False),
            ("SQLConnect", "SQLConnect", dsn, False),
            ("SQLConnectW", "SQLConnectW", dsn, False),
            ("odbc.ini", "SQLDriverConnect", odbc_ini, True),
        )
    ),
    Way(
        "psqlodbc",
        "connection-string-unbraced",
        "postgres",
        _odbc("SQLDriverConnect"),
        unbraced,
        PSQLODBC,
    ),
    Way(
        "psqlodbc", "filedsn", "postgres", _odbc("SQLDriverConnect", once=True), file_dsn, PSQLODBC
    ),
    _python("psqlodbc", "pyodbc-password", "postgres", "pyodbc", without_password, on=PSQLODBC),
    Way("psqlodbc-ansi", "SQLConnectW", "postgres", _odbc("SQLConnectW"), dsn, PSQLODBC),
    Way(
        "mariadb-cli",
        "environment",
        "mariadb",
        command(lambda r: mariadb(r, MYSQL_PWD=r.token)),
        no_text,
        MARIADB_CLIENT,
    ),
    Way(
        "mariadb-cli",
        "option",
        "mariadb",
        command(lambda r: mariadb(r, f"--password={r.token}")),
        no_text,
        MARIADB_CLIENT,
    ),
    Way(
        "mariadb-cli",
        "prompt",
        "mariadb",
        typed(lambda r: mariadb(r, "--password")),
        no_text,
        MARIADB_CLIENT,
    ),
    Way(
        "mariadb-cli",
        "option-file",
        "mariadb",
        command(lambda r: mariadb(r, f"--defaults-file={r.text}")),
        file_of(option_file),
        MARIADB_CLIENT,
    ),
    _c("libmariadb", "mariadb", MARIADB_CLIENT, *_pkg_config("libmariadb")),
    _python("pymysql", "password", "mariadb", "PyMySQL"),
    _python("pymysql", "sqlalchemy-url", "mariadb", "PyMySQL", written),
    _python("aiomysql", "password", "mariadb", "aiomysql"),
    _python("asyncmy", "password", "mariadb", "asyncmy"),
    *(
        _python("mysqlclient", form, "mariadb", "mysqlclient", text, on=MARIADB_CLIENT)
        for form, text in (
            ("password", no_text),
            ("sqlalchemy-url", written),
            ("option-file", file_of(option_file)),
        )
    ),
    _python("mysql-connector-python", "password", "mariadb", "mysql-connector-python"),
    _python(
        "mysql-connector-python", "sqlalchemy-url", "mariadb", "mysql-connector-python", written
    ),
    _node("mysql2", "password", "mariadb"),
    _node("mysql2", "uri", "mariadb"),
    _node("mariadb", "password", "mariadb"),
    _node("mariadb", "uri", "mariadb"),
    _java("mariadb-jdbc", "properties", "mariadb", MARIADB_J),
    _java("mariadb-jdbc", "raw-url", "mariadb", MARIADB_J),
    _go("go-sql-driver", "password", "mariadb", "github.com/go-sql-driver/mysql"),
]
