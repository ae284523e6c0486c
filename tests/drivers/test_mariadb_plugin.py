"""`mysql_clear_password` for libmariadb: programs that know no password log in by token."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from plaintext import PlainMariaDB
from programs import (
    PLUGIN,
    Program,
    compile_program,
    environment,
    install_plugin,
    refusing_once,
    run,
)
from signers import LENGTHS, USER

from built import ROOT

if TYPE_CHECKING:
    import pathlib
    import subprocess

    from signers import Logins
    from typing_extensions import Self

NO_TLS = "rdstoken: the password is only sent over TLS, and there is none"
OTHER_USER = "app_ro"
"""Whom plugin_host.c changes to."""
WHO = "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1)"


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return install_plugin(tmp_path_factory.mktemp("plugins"))


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    source = ROOT / "bindings" / "mariadb" / "examples" / "login.c"
    return compile_program(source, tmp_path_factory.mktemp("example"), "libmariadb")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    source = ROOT / "tests" / "drivers" / "c" / "plugin_host.c"
    return compile_program(source, tmp_path_factory.mktemp("host"), "libmariadb")


class Host:
    """How to start the program that does what it is told."""

    def __init__(self, program: pathlib.Path, plugins: pathlib.Path, logins: Logins) -> None:
        self._program, self._plugins, self._logins = program, plugins, logins

    def __call__(
        self, profile: str = "default", tls: str = "", host: str = "", port: int = 0, **env: str
    ) -> Program:
        """`tls` is one of the program's words; it verifies the server unless told otherwise."""
        logins = self._logins
        where = (host or logins.host, str(port or logins.port), USER, self._plugins)
        env = environment(logins, profile, **env)
        return Program(self._program, *where, tls or logins.ca_file, env=env)

    def by_address(self, **env: str) -> Program:
        """With an address in place of the name, as through a tunnel."""
        env |= {"RDSTOKEN_HOSTNAME": self._logins.host, "RDSTOKEN_TLS": "require"}
        return self("default", "on", "127.0.0.1", 0, **env)


@pytest.fixture
def start(host: pathlib.Path, plugins: pathlib.Path, mariadb: Logins) -> Host:
    return Host(host, plugins, mariadb)


def command(
    logins: Logins, plugins: pathlib.Path | None, *options: str, **env: str
) -> subprocess.CompletedProcess[str]:
    """The `mariadb` command, which holds a libmariadb of its own."""
    where = ("--host", logins.host, "--port", str(logins.port), "--user", USER)
    tls = (f"--ssl-ca={logins.ca_file}", "--ssl-verify-server-cert")
    return run(
        "mariadb",
        "--no-defaults",
        *([f"--plugin-dir={plugins}"] if plugins else []),
        *where,
        *tls,
        *options,
        "--skip-column-names",
        f"--execute={WHO}",
        env=environment(logins, **env),
    )


def isql(logins: Logins, plugins: pathlib.Path, directory: pathlib.Path, **env: str) -> str:
    """`isql` of unixODBC, with MariaDB's Connector/ODBC and a data source that has no password."""
    ini = directory / "odbc.ini"
    ini.write_text(
        f"[demo]\nDriver=MariaDB Unicode\nSERVER={logins.host}\nPORT={logins.port}\nUSER={USER}\n"
        f"DATABASE={logins.dbname}\nPLUGIN_DIR={plugins}\nFORCETLS=1\nSSLVERIFY=1\n"
        f"SSLCA={logins.ca_file}\n"
    )
    done = run(
        "isql",
        "-b",
        "-v",
        "demo",
        env=environment(logins, ODBCINI=str(ini), **env),
        text=WHO + "\n",
    )
    return done.stdout + done.stderr


class Relay:
    """Stands between clients and a server, one at a time, and keeps what the clients send."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.received = b""

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._thread.join()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # no more clients
            while True:
                client = self._listener.accept()[0]
                with client, socket.create_connection(("127.0.0.1", self._to)) as server:
                    self._talk(client, server)

    def _talk(self, client: socket.socket, server: socket.socket) -> None:
        sinks = {client: server, server: client}
        with contextlib.suppress(ConnectionError):
            while True:
                for source in select.select(list(sinks), [], [])[0]:
                    data = source.recv(65_536)
                    if not data:
                        return
                    if source is client:
                        self.received += data
                    sinks[source].sendall(data)


# Logging in.


@pytest.mark.parametrize("length", LENGTHS)
def test_a_c_program(
    mariadb: Logins, plugins: pathlib.Path, example: pathlib.Path, length: int
) -> None:
    done = run(
        example,
        mariadb.host,
        str(mariadb.port),
        USER,
        mariadb.ca_file,
        plugins,
        env=environment(mariadb, f"token-{length}"),
    )
    assert (done.stdout, done.stderr) == (f"{USER}\n", "")
    assert mariadb.server.records()[-1].length == length


@pytest.mark.parametrize("length", LENGTHS)
def test_the_mariadb_command(mariadb: Logins, plugins: pathlib.Path, length: int) -> None:
    done = command(mariadb, plugins, profile=f"token-{length}")
    assert (done.stdout, done.stderr) == (f"{USER}\n", "")
    assert mariadb.server.records()[-1].length == length


@pytest.mark.parametrize("length", LENGTHS)
def test_isql(mariadb: Logins, plugins: pathlib.Path, tmp_path: pathlib.Path, length: int) -> None:
    assert f"| {USER} " in isql(mariadb, plugins, tmp_path, profile=f"token-{length}")
    assert mariadb.server.records()[-1].length == length


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("how", ["connect", "default-auth", "without-blocking", "fork"])
def test_the_ways_to_connect(start: Host, mariadb: Logins, how: str, length: int) -> None:
    with start(profile=f"token-{length}") as program:
        assert program.ask("connect") == f"ok {USER}"
        assert program.ask(how) == f"ok {USER}"
        assert program.end() == ""
        assert program.code == 0
    assert mariadb.server.records()[-1].length == length


@pytest.mark.parametrize("length", LENGTHS)
def test_changing_the_user(start: Host, mariadb: Logins, length: int) -> None:
    """On one connection, which then needs a token for the other user."""
    with mariadb.seen() as seen, start(profile=f"token-{length}") as program:
        assert program.ask("change-user") == f"ok {OTHER_USER}"
        assert program.end() == ""
        assert program.code == 0
    assert seen == [True, True]
    one, other = mariadb.server.records()[-2:]
    assert (one.user, one.length) == (USER, length)
    assert (other.user, other.length) == (OTHER_USER, length + len(OTHER_USER) - len(USER))


def test_no_option_but_the_environment(mariadb: Logins, plugins: pathlib.Path) -> None:
    done = command(mariadb, None, MARIADB_PLUGIN_DIR=str(plugins))
    assert (done.stdout, done.stderr) == (f"{USER}\n", "")


def test_threads(plugins: pathlib.Path, start: Host) -> None:
    # Loaded at the start, and not by several threads at a time, which libmariadb cannot do.
    loaded = {"MARIADB_PLUGIN_DIR": str(plugins), "LIBMYSQL_PLUGINS": "mysql_clear_password"}
    for _ in range(5):
        with start.by_address(**loaded) as program:
            assert program.ask("threads") == f"ok {USER}"


# The life of a token.


def test_a_token_is_reused(start: Host, mariadb: Logins) -> None:
    """By the whole process: threads, and children that were forked later."""
    before = len(mariadb.server.records())
    with start.by_address() as program:
        for how in ("connect", "threads", "fork", "without-blocking"):
            assert program.ask(how) == f"ok {USER}"
    records = mariadb.server.records()[before:]
    assert len(records) == 11
    assert len({record.sha256 for record in records}) == 1


@pytest.mark.parametrize("length", LENGTHS)
def test_an_old_process_connects(start: Host, mariadb: Logins, length: int) -> None:
    before = len(mariadb.server.records())
    with start(profile=f"token-{length}", RDSTOKEN_EXPIRES_IN="2") as program:
        assert program.ask("connect") == f"ok {USER}"
        time.sleep(2.1)
        for how in ("connect", "fork", "default-auth"):
            assert program.ask(how) == f"ok {USER}"
        assert program.ask("change-user") == f"ok {OTHER_USER}"
    records = mariadb.server.records()[before:]
    assert records[0].sha256 != records[1].sha256
    assert {record.length for record in records if record.user == USER} == {length - len("00")}
    assert all(record.accepted for record in records)


def test_a_refused_token_is_not_given_to_the_next_login(start: Host, mariadb: Logins) -> None:
    with start() as program:
        assert program.ask("connect") == f"ok {USER}"
        time.sleep(1)  # a token of another second has other bytes
        with refusing_once(mariadb):
            assert program.ask("connect").startswith("error 1045 Access denied")
        assert program.ask("connect") == f"ok {USER}"
    first, second, third = (record.sha256 for record in mariadb.server.records()[-3:])
    assert first == second != third


def test_libmariadb_may_be_unloaded_and_loaded_again(start: Host) -> None:
    with start.by_address() as program:
        for what in ("connect", "unload", "connect", "threads", "unload"):
            assert program.ask(what).startswith("ok ")
        assert program.end() == ""
        assert program.code == 0


# TLS.


@pytest.mark.parametrize("in_greeting", [False, True])
@pytest.mark.parametrize("policy", ["verify", "require"])
def test_nothing_leaves_for_a_server_without_tls(
    mariadb: Logins, plugins: pathlib.Path, start: Host, policy: str, *, in_greeting: bool
) -> None:
    with PlainMariaDB(in_greeting=in_greeting) as server:
        env = {"RDSTOKEN_HOSTNAME": mariadb.host, "RDSTOKEN_TLS": policy}
        ways = ("connect", "default-auth", "password", "without-blocking")
        for tls in ("on", "off"):
            with start(tls=tls, host="127.0.0.1", port=server.port, **env) as program:
                for how in ways:
                    assert program.ask(how).startswith(f"error 2026 {NO_TLS}")
        done = run(
            "mariadb",
            "--no-defaults",
            f"--plugin-dir={plugins}",
            "--host=127.0.0.1",
            f"--port={server.port}",
            f"--user={USER}",
            "--execute=SELECT 1",
            env=environment(mariadb, **env),
        )
        assert f"(HY000): {NO_TLS}" in done.stderr
        assert server.connections == 2 * len(ways) + 1
        assert server.passwords == []
        assert b"X-Amz" not in server.received
        assert b"configured-password" not in server.received


def test_nothing_leaves_for_a_client_without_tls(start: Host, mariadb: Logins) -> None:
    """The server could, but the program has not asked: too late when the plugin is called."""
    with Relay(mariadb.port) as relay:
        env = {"RDSTOKEN_HOSTNAME": mariadb.host, "RDSTOKEN_TLS": "require"}
        env["RDSTOKEN_PORT"] = str(mariadb.port)
        with start("default", "off", "127.0.0.1", relay.port, **env) as program:
            for how in ("connect", "password", "without-blocking"):
                assert program.ask(how).startswith(f"error 2026 {NO_TLS}")
            # In time: it is turned on.
            assert program.ask("default-auth") == f"ok {USER}"
        assert USER.encode() in relay.received
        assert b"X-Amz" not in relay.received
        assert b"configured-password" not in relay.received


def test_a_fingerprint_verifies_too(start: Host, mariadb: Logins) -> None:
    certificate = mariadb.server._server / "server.crt"  # noqa: SLF001
    openssl = ("openssl", "x509", "-noout", "-fingerprint", "-sha1", "-in", certificate)
    right = run(*openssl, env={}).stdout.strip().partition("=")[2].replace(":", "")
    with mariadb.seen() as seen:
        for how in ("connect", "default-auth"):
            with start(tls="fingerprint=" + right) as program:
                assert program.ask(how) == f"ok {USER}"
            with start(tls="fingerprint=" + "0" * 40) as program:
                assert program.ask(how).startswith("error 2026 TLS/SSL error: Fingerprint")
    assert seen == [True, True]


@pytest.mark.parametrize("how", ["connect", "default-auth", "fork"])
def test_a_server_that_is_not_verified_gets_no_token(
    start: Host, mariadb: Logins, how: str
) -> None:
    with mariadb.seen() as seen, start(tls="on") as program:
        answer = program.ask(how)
    assert answer.startswith("error 2026 rdstoken: ")
    assert "ssl-verify-server-cert" in answer
    assert seen == []
    with mariadb.seen() as seen, start(tls="on", RDSTOKEN_TLS="require") as program:
        assert program.ask(how) == f"ok {USER}"
    assert seen == [True]


def test_a_server_with_another_name_gets_no_token(start: Host, mariadb: Logins) -> None:
    with mariadb.seen() as seen:
        for how in ("connect", "default-auth"):
            with start(host="other." + mariadb.host.partition(".")[2]) as program:
                assert "error 2026 " in program.ask(how)
    assert seen == []


def test_a_configured_password_is_sent_over_tls(start: Host, mariadb: Logins) -> None:
    for tls in ("", "on"):
        with start(tls=tls) as program:
            assert program.ask("password").startswith("error 1045 ")
        record = mariadb.server.records()[-1]
        assert (record.length, record.accepted) == (len("configured-password"), False)


# Settings and errors.


def test_the_environment_names_another_login(start: Host, mariadb: Logins) -> None:
    with start(tls="on", host="127.0.0.1", RDSTOKEN_TLS="require") as program:
        answer = program.ask("connect")
        assert answer.startswith("error 2061 rdstoken: hostname: ")
        assert "RDSTOKEN_HOSTNAME" in answer
    with start.by_address() as program:
        assert program.ask("connect") == f"ok {USER}"
    with start(RDSTOKEN_PORT=str(mariadb.port - 1)) as program:
        assert program.ask("connect").startswith("error 1045 ")
    assert "signed for another host or port" in mariadb.server.log().splitlines()[-2]
    with start(RDSTOKEN_REGION="eu-central-1") as program:
        assert program.ask("connect").startswith("error 1045 ")
    with start(profile="nobody", RDSTOKEN_PROFILE="token-1500") as program:
        assert program.ask("connect") == f"ok {USER}"
    assert mariadb.server.records()[-1].length == 1500


def test_what_is_missing_is_said(start: Host) -> None:
    for env, text in [
        ({"AWS_PROFILE": "nobody"}, "rdstoken: no credentials found"),
        ({"RDSTOKEN_EXPIRES_IN": "15m"}, "rdstoken: RDSTOKEN_EXPIRES_IN: expected whole seconds"),
        ({"RDSTOKEN_EXPIRES_IN": "901"}, "rdstoken: expires_in: expected 1 to 900 seconds"),
        ({"RDSTOKEN_TLS": "no"}, "rdstoken: RDSTOKEN_TLS: expected verify or require"),
        ({"RDSTOKEN_PROFILE": "nobody"}, "rdstoken: "),
    ]:
        with start("default", "", "", 0, **env) as program:
            assert program.ask("connect").startswith(f"error 2061 {text}")


def test_another_user_is_refused_by_the_server(start: Host) -> None:
    with start() as program:
        assert program.ask("no-user").startswith("error 1045 ")
        assert program.ask("connect") == f"ok {USER}"


def test_no_message_holds_a_secret(
    mariadb: Logins, plugins: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    key = mariadb.server.session_key
    said = ""
    for env in ({"RDSTOKEN_REGION": "eu-central-1"}, {"RDSTOKEN_TLS": "x"}, {"profile": "nobody"}):
        done = command(mariadb, plugins, **env)
        assert done.returncode != 0
        said += done.stdout + done.stderr + isql(mariadb, plugins, tmp_path, **env)
    assert "X-Amz" not in said
    assert key.secret_access_key not in said
    assert str(key.session_token) not in said


# The library itself.


def test_what_it_exports_and_needs() -> None:
    exported = run("nm", "--dynamic", "--defined-only", PLUGIN, env={}).stdout.split()
    assert exported[2::3] == ["_mysql_client_plugin_declaration_"]
    dynamic = run("readelf", "--dynamic", PLUGIN, env={}).stdout
    assert "NODELETE" in dynamic
    assert "mariadb" not in dynamic
