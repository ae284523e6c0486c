"""What the adapters for PostgreSQL, SQLAlchemy and Django refuse before anything is sent, and what
they let through.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import socket
import ssl
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import asyncpg
import doors
import psycopg
import psycopg2.extensions
import pytest
import rdstoken
import rdstoken.asyncpg
import rdstoken.pg8000
import rdstoken.psycopg
import rdstoken.psycopg2
import rdstoken.sqlalchemy
import sqlalchemy
import sqlalchemy.ext.asyncio
from common import HOSTNAME
from django.db import ConnectionHandler
from plaintext import PlainPostgres
from rdstoken.django import _settings
from signers import OTHER, USER

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator

    from signers import Logins

CREDENTIALS = rdstoken.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


@pytest.fixture
def signer() -> rdstoken.Signer:
    return rdstoken.Signer(HOSTNAME, 5432, USER, credentials=CREDENTIALS)


def _async(connect: Any) -> Any:
    return lambda *args, **kwargs: asyncio.run(connect(*args, **kwargs))


async def _create_pool(signer: rdstoken.Signer, **kwargs: Any) -> None:
    await rdstoken.asyncpg.create_pool(signer, **kwargs)


def _class(signer: rdstoken.Signer, *args: Any, **kwargs: Any) -> None:
    ours = {"ca_file": kwargs.pop("ca_file", None)}
    rdstoken.psycopg.connection_class(signer, **ours).connect(*args, **kwargs)


def _factory(signer: rdstoken.Signer, *args: Any, **kwargs: Any) -> None:
    factory = rdstoken.psycopg2.connection_factory(signer, ca_file=kwargs.pop("ca_file", None))
    factory(psycopg2.extensions.make_dsn(*args, **kwargs))


def _attach(url: str, signer: rdstoken.Signer, **kwargs: Any) -> None:
    ours = {"ca_file": kwargs.pop("ca_file", None)}
    rdstoken.sqlalchemy.attach(
        sqlalchemy.create_engine(url, connect_args=kwargs), signer, **ours
    ).connect()


LIBPQ: dict[str, Callable[..., Any]] = {
    "psycopg": rdstoken.psycopg.connect,
    "psycopg async": _async(rdstoken.psycopg.connect_async),
    "psycopg class": _class,
    "psycopg pool": rdstoken.psycopg.pool_kwargs,
    "psycopg async pool": rdstoken.psycopg.pool_kwargs_async,
    "psycopg options": rdstoken.psycopg.options,
    "psycopg2": rdstoken.psycopg2.connect,
    "psycopg2 factory": _factory,
    "psycopg2 options": rdstoken.psycopg2.options,
    "sqlalchemy psycopg": functools.partial(_attach, "postgresql+psycopg:///"),
    "sqlalchemy psycopg2": functools.partial(_attach, "postgresql+psycopg2:///"),
}
ASYNCPG: dict[str, Callable[..., Any]] = {
    "asyncpg": _async(rdstoken.asyncpg.connect),
    "asyncpg pool": _async(_create_pool),
    "asyncpg options": rdstoken.asyncpg.options,
}
PG8000: dict[str, Callable[..., Any]] = {
    "pg8000": rdstoken.pg8000.connect,
    "pg8000 native": rdstoken.pg8000.connect_native,
    "pg8000 options": rdstoken.pg8000.options,
    "sqlalchemy pg8000": functools.partial(_attach, "postgresql+pg8000:///"),
}
EVERY = LIBPQ | ASYNCPG | PG8000

TRANSLATING = {"psycopg2", "psycopg2 factory", "sqlalchemy psycopg2"}
"""Where libpq reads the parameters before the adapter does."""

TLS, INVALID = rdstoken.TlsRequiredError, rdstoken.InvalidArgumentError


def refused(
    error: type[rdstoken.Error], field: str, call: Callable[..., Any], *args: Any, **kwargs: Any
) -> None:
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    assert caught.value.field == field
    assert f"{field}: " in str(caught.value)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    ("field", "value"),
    [("host", OTHER), ("host", "127.0.0.1"), ("port", 5433), ("user", "admin"), ("password", "x")],
)
def test_what_contradicts_the_signer_is_refused(
    signer: rdstoken.Signer, name: str, field: str, value: object
) -> None:
    refused(INVALID, field, EVERY[name], signer, **{field: value})


@pytest.mark.parametrize("name", LIBPQ)
@pytest.mark.parametrize("sslmode", ["disable", "allow", "prefer", "", "none"])
def test_libpq_modes_that_can_do_without_tls_are_refused(
    signer: rdstoken.Signer, name: str, sslmode: str
) -> None:
    refused(TLS, "sslmode", LIBPQ[name], signer, sslmode=sslmode)


@pytest.mark.parametrize("name", LIBPQ)
@pytest.mark.parametrize("gssencmode", ["prefer", "require"])
def test_no_other_encryption_takes_the_place_of_tls(
    signer: rdstoken.Signer, name: str, gssencmode: str
) -> None:
    refused(TLS, "gssencmode", LIBPQ[name], signer, gssencmode=gssencmode)


@pytest.mark.parametrize("name", sorted(set(LIBPQ) - TRANSLATING))
def test_the_old_word_for_sslmode_is_refused(signer: rdstoken.Signer, name: str) -> None:
    given = {"sslmode": "verify-full", "requiressl": "0"}
    refused(INVALID, "requiressl", LIBPQ[name], signer, **given)


@pytest.mark.parametrize("name", sorted(TRANSLATING))
def test_psycopg2_itself_translates_the_old_word(signer: rdstoken.Signer, name: str) -> None:
    refused(TLS, "sslmode", LIBPQ[name], signer, sslmode="verify-full", requiressl="0")


@pytest.mark.parametrize("name", LIBPQ)
def test_there_is_one_ca_file(signer: rdstoken.Signer, name: str) -> None:
    refused(INVALID, "sslrootcert", LIBPQ[name], signer, ca_file="one", sslrootcert="two")


@pytest.mark.parametrize("name", ["psycopg", "psycopg async", "psycopg class", "psycopg2"])
def test_a_connection_string_is_read_too(signer: rdstoken.Signer, name: str) -> None:
    connect = LIBPQ[name]
    refused(INVALID, "host", connect, signer, f"postgresql://{OTHER}/postgres")
    refused(INVALID, "user", connect, signer, "user=admin dbname=postgres")
    refused(INVALID, "password", connect, signer, "postgresql://app:secret@/postgres")
    refused(TLS, "sslmode", connect, signer, "postgresql:///postgres?sslmode=prefer")


@pytest.mark.parametrize("name", ASYNCPG)
def test_what_asyncpg_could_be_led_astray_by_is_refused(signer: rdstoken.Signer, name: str) -> None:
    for value in (False, "disable", "allow", "prefer"):
        refused(TLS, "ssl", ASYNCPG[name], signer, ssl=value)
    refused(INVALID, "dsn", ASYNCPG[name], signer, dsn="postgresql:///postgres")
    refused(INVALID, "service", ASYNCPG[name], signer, service="mine")
    refused(INVALID, "passfile", ASYNCPG[name], signer, passfile="/home/me/.pgpass")
    refused(INVALID, "host", ASYNCPG[name], signer, host=[HOSTNAME, OTHER])
    context = ssl.create_default_context()
    refused(INVALID, "ssl", ASYNCPG[name], signer, ssl=context, ca_file="one")


def test_asyncpgs_pool_connects_in_one_way(signer: rdstoken.Signer) -> None:
    refused(INVALID, "connect", rdstoken.asyncpg.create_pool, signer, connect=print)


def test_asyncpgs_pool_checks_what_it_is_told_later(postgres: Logins) -> None:
    async def work() -> None:
        pool = rdstoken.asyncpg.create_pool(
            postgres.signer(), database=postgres.dbname, ca_file=postgres.ca_file, min_size=0
        )
        async with pool:
            for field, value in (("host", OTHER), ("dsn", f"postgresql://{OTHER}/postgres")):
                pool.set_connect_args(**{field: value})
                with pytest.raises(INVALID) as caught:
                    await pool.acquire()
                assert caught.value.field == field
            pool.set_connect_args(ssl="prefer")
            with pytest.raises(TLS):
                await pool.acquire()
            # What is left out is as it was.
            pool.set_connect_args(database=postgres.dbname)
            async with pool.acquire() as connection:
                assert await connection.fetchval("select current_user") == USER

    asyncio.run(work())


@pytest.mark.parametrize("name", PG8000)
def test_what_pg8000_could_be_led_astray_by_is_refused(signer: rdstoken.Signer, name: str) -> None:
    refused(TLS, "ssl_context", PG8000[name], signer, ssl_context=False)
    refused(INVALID, "unix_sock", PG8000[name], signer, unix_sock="/run/s")
    refused(INVALID, "sock", PG8000[name], signer, sock=object())


def test_a_context_and_a_ca_file_are_one_too_many(
    signer: rdstoken.Signer, postgres: Logins
) -> None:
    both: dict[str, Any] = {
        "ssl_context": ssl.create_default_context(),
        "ca_file": postgres.ca_file,
    }
    for connect in PG8000.values():
        refused(INVALID, "ssl_context", connect, signer, **both)


@pytest.mark.parametrize("name", ASYNCPG | PG8000)
def test_a_ca_file_must_be_there(
    signer: rdstoken.Signer, name: str, tmp_path: pathlib.Path
) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for path in (empty, tmp_path / "nowhere.pem"):
        refused(INVALID, "ca_file", (ASYNCPG | PG8000)[name], signer, ca_file=path)


def test_what_libpq_gets_is_complete(signer: rdstoken.Signer) -> None:
    expected = {
        "host": HOSTNAME,
        "port": 5432,
        "user": USER,
        "sslmode": "verify-full",
        "gssencmode": "disable",
    }
    for options in (rdstoken.psycopg.options, rdstoken.psycopg2.options):
        assert options(signer) == expected
        # To say the signer's own again is no fault, however it is spelled.
        assert options(signer, f"host={HOSTNAME.upper()}. port=5432 user={USER}") == expected | {
            "port": "5432"
        }
        given = options(signer, "sslmode=require", ca_file="ca.pem", dbname="postgres")
        assert given == expected | {
            "sslmode": "require",
            "sslrootcert": "ca.pem",
            "dbname": "postgres",
        }
        tunnel = options(signer, hostaddr="127.0.0.1", port=15432, sslmode=None)
        assert tunnel == expected | {"hostaddr": "127.0.0.1", "port": 15432}
    assert rdstoken.psycopg.options(signer, prepare_threshold=None)["prepare_threshold"] is None


def test_contexts_verify_what_they_are_asked_to(signer: rdstoken.Signer, postgres: Logins) -> None:
    def context(given: object = None, ca_file: str | None = None) -> tuple[bool, bool]:
        made = rdstoken.asyncpg.options(signer, ssl=given, ca_file=ca_file)["ssl"]
        return made.verify_mode is ssl.CERT_REQUIRED, made.check_hostname

    assert context() == context(given=True) == context("verify-full") == (True, True)
    assert context(asyncpg.connect_utils.SSLMode.verify_full) == (True, True)
    assert context("verify-ca") == (True, False)
    assert context("require") == (False, False)
    assert context("require", postgres.ca_file) == (True, False)  # as libpq has it
    own = ssl.create_default_context()
    assert rdstoken.asyncpg.options(signer, ssl=own)["ssl"] is own
    assert rdstoken.pg8000.options(signer, ssl_context=own)["ssl_context"] is own
    made = rdstoken.pg8000.options(signer, ssl_context=True)["ssl_context"]
    assert made.check_hostname


@pytest.fixture
def tunnel(postgres: Logins) -> Iterator[int]:
    """A port that leads to the server, as a tunnel's end does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def copy(source: socket.socket, target: socket.socket) -> None:
            with contextlib.suppress(OSError):  # whoever closes first
                while data := source.recv(65_536):
                    target.sendall(data)
                target.shutdown(socket.SHUT_WR)

        def serve() -> None:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", postgres.port))
            with near, far:
                back = threading.Thread(target=copy, args=(far, near))
                back.start()
                copy(near, far)
                back.join()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=5)


@pytest.mark.parametrize("driver", [rdstoken.psycopg, rdstoken.psycopg2])
def test_a_tunnel_leads_to_the_signers_host(postgres: Logins, tunnel: int, driver: Any) -> None:
    connection = driver.connect(
        postgres.signer(),
        hostaddr="127.0.0.1",
        port=tunnel,
        dbname=postgres.dbname,
        ca_file=postgres.ca_file,
    )
    assert connection.info.user == USER
    connection.close()


def test_classes_of_ones_own_stay(postgres: Logins) -> None:
    class Mine(psycopg.Connection[Any]):
        pass

    class Mine2(psycopg2.extensions.connection):
        pass

    options: dict[str, Any] = {"dbname": postgres.dbname}
    signer = postgres.signer()
    ours = rdstoken.psycopg.connection_class(signer, ca_file=postgres.ca_file, base=Mine)
    with ours.connect(**options, row_factory=psycopg.rows.dict_row) as connection:
        assert isinstance(connection, Mine)
        assert connection.execute("select 1 as one").fetchone() == {"one": 1}
    older = rdstoken.psycopg2.connect(
        signer, connection_factory=Mine2, ca_file=postgres.ca_file, **options
    )
    assert isinstance(older, Mine2)
    token = signer.token()
    assert token not in older.dsn + repr(older) + repr(connection)
    older.close()


# SQLAlchemy.


def engine(url: str = "postgresql+psycopg:///postgres", **options: Any) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine(url, **options)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "pg8000"])
def test_a_url_is_checked_at_once(signer: rdstoken.Signer, driver: str) -> None:
    attach = rdstoken.sqlalchemy.attach
    start = f"postgresql+{driver}://"
    refused(INVALID, "host", attach, engine(f"{start}{OTHER}/postgres"), signer)
    refused(INVALID, "port", attach, engine(f"{start}{HOSTNAME}:1/postgres"), signer)
    refused(INVALID, "user", attach, engine(f"{start}admin@{HOSTNAME}/postgres"), signer)
    refused(INVALID, "password", attach, engine(f"{start}app:secret@/postgres"), signer)
    attach(engine(f"{start}{USER}@{HOSTNAME}:5432/postgres"), signer)


def test_an_asynchronous_url_is_checked_at_once(signer: rdstoken.Signer) -> None:
    make, attach = sqlalchemy.ext.asyncio.create_async_engine, rdstoken.sqlalchemy.attach
    refused(INVALID, "host", attach, make(f"postgresql+asyncpg://{OTHER}/postgres"), signer)
    refused(TLS, "ssl", attach, make("postgresql+asyncpg:///postgres?ssl=prefer"), signer)
    refused(TLS, "sslmode", attach, make("postgresql+psycopg:///postgres?sslmode=allow"), signer)
    two = f"postgresql+asyncpg:///postgres?host={HOSTNAME}:5432&host={OTHER}:5432"
    refused(INVALID, "host", attach, make(two), signer)


def test_engines_that_would_never_ask_are_refused(signer: rdstoken.Signer) -> None:
    attach = rdstoken.sqlalchemy.attach
    refused(INVALID, "engine", attach, engine(creator=lambda: None), signer)
    own_pool = sqlalchemy.pool.NullPool(lambda: None)  # type: ignore[arg-type]
    refused(INVALID, "engine", attach, engine(pool=own_pool), signer)
    asynchronous = sqlalchemy.ext.asyncio.create_async_engine(
        "postgresql+asyncpg:///postgres", async_creator=print
    )
    refused(INVALID, "engine", attach, asynchronous, signer)
    refused(INVALID, "engine", attach, engine("sqlite://"), signer)
    attached = attach(engine(), signer)
    refused(INVALID, "engine", attach, attached, signer)


def test_the_engine_is_handed_back_as_it_is(signer: rdstoken.Signer) -> None:
    one = engine()
    assert rdstoken.sqlalchemy.attach(one, signer) is one
    two = sqlalchemy.ext.asyncio.create_async_engine("postgresql+psycopg:///postgres")
    assert rdstoken.sqlalchemy.attach(two, signer) is two


# Django.


def wrapper(server: str = "postgres", **changes: Any) -> Any:
    name = {"postgres": "postgresql", "mariadb": "mysql"}[server]
    settings = {
        "ENGINE": f"rdstoken.django.{name}",
        "HOST": HOSTNAME,
        "USER": USER,
        "NAME": "postgres",
        "OPTIONS": {"rdstoken": {"credentials": credentials}},
    }
    return ConnectionHandler({"default": settings | changes})["default"]


def credentials() -> rdstoken.Credentials:
    return CREDENTIALS


OWN = rdstoken.Signer(OTHER, 6543, "own", credentials=CREDENTIALS)


def test_django_parameters_are_complete() -> None:
    parameters = wrapper().get_connection_params()
    assert parameters["port"] == 5432
    assert parameters["sslmode"] == "verify-full"
    assert "password" not in parameters
    assert "rdstoken" not in parameters
    parameters = wrapper("mariadb").get_connection_params()
    assert parameters["port"] == 3306
    assert "password" not in parameters
    assert "rdstoken" not in parameters


def test_django_settings_that_contradict_are_refused() -> None:
    def refuse(
        error: type[rdstoken.Error], field: str, server: str = "postgres", **changes: Any
    ) -> None:
        refused(error, field, lambda: wrapper(server, **changes).get_connection_params())

    for server in ("postgres", "mariadb"):
        refuse(INVALID, "password", server, PASSWORD="secret")
        refuse(INVALID, "hostname", server, HOST="")
        refuse(INVALID, "username", server, USER="")
    refuse(TLS, "sslmode", OPTIONS={"sslmode": "prefer"})
    refuse(TLS, "ssl_mode", "mariadb", OPTIONS={"ssl_mode": "PREFERRED"})
    own = {"rdstoken": {"signer": OWN}}
    refuse(INVALID, "HOST", OPTIONS=own)
    refuse(INVALID, "USER", OPTIONS=own, HOST="")
    refuse(INVALID, "region", OPTIONS={"rdstoken": {"signer": OWN, "region": "us-east-1"}})
    refuse(INVALID, "signer", OPTIONS={"rdstoken": {"signer": "rdstoken.presign"}})
    with pytest.raises(TypeError, match="unexpected keyword"):
        wrapper(OPTIONS={"rdstoken": {"regoin": "x"}}).get_connection_params()


def test_django_threads_share_a_signer() -> None:
    def signer(**changes: Any) -> rdstoken.Signer:
        found, _ = _settings.read(wrapper(**changes).settings_dict, 5432)
        return found

    assert signer() is signer()
    assert signer() is not signer(USER="app_ro")


def test_django_takes_a_signer_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signers.OWN", OWN, raising=False)
    for own in (OWN, "signers.OWN"):
        options = {"rdstoken": {"signer": own, "ca_file": "ca.pem"}}
        parameters = wrapper(HOST="", USER="", OPTIONS=options).get_connection_params()
        assert (parameters["host"], parameters["port"]) == (OTHER, 6543)
        assert (parameters["user"], parameters["sslrootcert"]) == ("own", "ca.pem")


def test_dbshell_logs_psql_in(postgres: Logins) -> None:
    signer = postgres.signer()
    settings = doors.django_settings(
        "postgres",
        signer,
        postgres.dbname,
        rdstoken={"signer": signer, "ca_file": postgres.ca_file},
        hostaddr="127.0.0.1",
    )
    client = ConnectionHandler({"default": settings})["default"].client
    command, environment = client.settings_to_cmd_args_env(
        client.connection.settings_dict, ["-Atc", "select current_user"]
    )
    assert signer.token() not in command
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{USER}\n"


@pytest.mark.parametrize("options", [{}, {"service": "mine"}])
@pytest.mark.parametrize("name", ["postgres", "sslmode=prefer", "", "dbname=x sslmode=disable"])
def test_dbshell_sends_nothing_without_tls(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, str],
    name: str,
) -> None:
    services = tmp_path / "pg_service.conf"
    services.write_text("[mine]\nsslmode=prefer\ngssencmode=prefer\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    with PlainPostgres() as server:
        signer = rdstoken.Signer(HOSTNAME, server.port, USER, credentials=CREDENTIALS)
        given = {"rdstoken": {"signer": signer}, "hostaddr": "127.0.0.1"} | options
        client = wrapper(NAME=name, HOST="", USER="", OPTIONS=given).client
        command, environment = client.settings_to_cmd_args_env(
            client.connection.settings_dict, ["-c", "select 1"]
        )
        done = subprocess.run(
            command, env=os.environ | environment, capture_output=True, text=True, check=False
        )
        assert "server does not support SSL" in done.stderr
        assert server.connections == 1
        assert b"X-Amz" not in server.received


# What is loaded.


def test_importing_rdstoken_loads_no_driver() -> None:
    program = "import sys, rdstoken; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    loaded = set(done.stdout.decode().split())
    ours = {name for name in loaded if name.startswith("rdstoken.")}
    assert not {name for name in ours if not name.startswith("rdstoken._")}
    assert not loaded & {"psycopg", "psycopg2", "asyncpg", "pg8000", "sqlalchemy", "django", "ssl"}
    assert not ours & {"rdstoken._connect", "rdstoken._postgres", "rdstoken._mysql"}
