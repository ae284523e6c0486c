"""The wrong ways, which look right and are what the adapters are for: a token that is frozen in a
pool, decoded in a URL, cut in a file, or sent to whoever asks. And the ways around each.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pathlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import asyncpg
import doors
import pg8000.dbapi
import psycopg
import psycopg2
import psycopg_pool
import pytest
import rdstoken
import rdstoken.asyncpg
import rdstoken.psycopg
import sqlalchemy
import sqlalchemy.exc
from common import HOSTNAME
from plaintext import PlainPostgres
from signers import LEFT_TO_THE_COLLECTOR, USER, made, wait_until_dead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signers import Logins

ROOT = pathlib.Path(__file__).resolve().parents[2]
OLD_POOL = "3.2.8"  # requirements-old.txt, kept apart by the Makefile

pytestmark = LEFT_TO_THE_COLLECTOR


def plainly(logins: Logins) -> dict[str, Any]:
    """What psycopg and psycopg2 need besides a password."""
    return {
        "host": logins.host,
        "port": logins.port,
        "user": USER,
        "dbname": logins.dbname,
        "sslmode": "verify-full",
        "sslrootcert": logins.ca_file,
    }


# Frozen in a pool.


class DjangoPool:
    """What people write: Django's own backend with a token for a password."""

    @contextlib.contextmanager
    def __call__(self, logins: Logins, token: str) -> Iterator[Any]:
        settings = {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": logins.host,
            "PORT": logins.port,
            "USER": USER,
            "PASSWORD": token,
            "NAME": logins.dbname,
            "OPTIONS": {
                "sslmode": "verify-full",
                "sslrootcert": logins.ca_file,
                "pool": {"min_size": 1, "max_size": 3, "timeout": 1},
            },
        }
        with doors.django_of(settings, "postgres") as users:
            yield users


def _psycopg_pool(logins: Logins, token: str) -> Any:
    return doors.psycopg_pool_of(kwargs=plainly(logins) | {"password": token}, timeout=1)


def _psycopg2_pool(logins: Logins, token: str) -> Any:
    return doors.psycopg2_pool_of(**plainly(logins), password=token)


def _asyncpg_pool(logins: Logins, token: str) -> Any:
    options = rdstoken.asyncpg.options(
        logins.signer(), database=logins.dbname, ca_file=logins.ca_file
    )
    return doors.asyncpg_pool_of(
        lambda: asyncpg.create_pool(min_size=1, max_size=3, **options | {"password": token})
    )


@contextlib.contextmanager
def _engine(logins: Logins, token: str) -> Iterator[Any]:
    url = sqlalchemy.URL.create(
        "postgresql+psycopg",
        username=USER,
        password=token,
        host=logins.host,
        port=logins.port,
        database=logins.dbname,
    )
    engine = sqlalchemy.create_engine(
        url, connect_args={"sslmode": "verify-full", "sslrootcert": logins.ca_file}
    )

    def users(count: int) -> list[str]:
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(engine.connect()) for _ in range(count)]
            return [each.scalar(sqlalchemy.text("select current_user")) or "" for each in held]

    try:
        yield users
    finally:
        engine.dispose()


FROZEN: dict[str, Any] = {
    "psycopg": _psycopg_pool,
    "psycopg2": _psycopg2_pool,
    "asyncpg": _asyncpg_pool,
    "sqlalchemy": _engine,
    "django": DjangoPool(),
}


@pytest.fixture(scope="module")
def frozen(postgres: Logins) -> Iterator[dict[str, Any]]:
    """Pools that were given a token for a password, which is dead by now."""
    with contextlib.ExitStack() as stack:
        signer = postgres.brief()
        pools = {}
        for name, pool in FROZEN.items():
            pools[name] = stack.enter_context(pool(postgres, signer.token()))
            assert pools[name](1) == [USER]
        wait_until_dead(signer)
        yield pools


@pytest.mark.parametrize("name", FROZEN)
def test_a_pool_that_was_given_a_token_has_it_for_ever(
    postgres: Logins, frozen: dict[str, Any], name: str
) -> None:
    with postgres.seen() as answers, pytest.raises((*doors.FAILURES, psycopg_pool.PoolTimeout)):
        frozen[name](3)
    assert answers
    assert not any(answers)


def test_the_pools_own_hook_gets_fresh_tokens(postgres: Logins) -> None:
    one, two = postgres.brief(), postgres.brief()
    options: dict[str, Any] = {"dbname": postgres.dbname, "ca_file": postgres.ca_file}
    with (
        doors.psycopg_pool_of(kwargs=rdstoken.psycopg.pool_kwargs(one, **options)) as users,
        doors.psycopg_async_pool_of(
            kwargs=rdstoken.psycopg.pool_kwargs_async(two, **options)
        ) as async_users,
    ):
        assert users(1) + async_users(1) == [USER] * 2
        wait_until_dead(two)
        assert users(3) + async_users(3) == [USER] * 6


def test_asyncpg_asks_its_options_for_fresh_tokens(postgres: Logins) -> None:
    signer = postgres.brief()
    options = rdstoken.asyncpg.options(signer, database=postgres.dbname, ca_file=postgres.ca_file)
    with doors.asyncpg_pool_of(
        lambda: asyncpg.create_pool(min_size=1, max_size=3, **options)
    ) as users:
        assert users(1) == [USER]
        wait_until_dead(signer)
        assert users(3) == [USER] * 3


def test_pools_before_the_hook_get_fresh_tokens(postgres: Logins) -> None:
    path = [
        pathlib.Path(sys.prefix) / "old",
        ROOT / "tests" / "drivers",
        ROOT / "tests" / "servers",
    ]
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "tests" / "drivers" / "old_pool.py"),
            json.dumps(postgres.server.description()),
        ],
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "AWS_SHARED_CREDENTIALS_FILE": str(postgres.server.credentials_file),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["version"] == OLD_POOL
    assert len(answer["users"]) == 3
    assert all(users == [USER] * 4 for users in answer["users"].values())


# Altered on the way.


def test_sqlalchemy_decodes_a_token_in_a_url(postgres: Logins) -> None:
    token = postgres.signer().token()
    address = f"{postgres.host}:{postgres.port}/{postgres.dbname}"
    tls = {"sslmode": "verify-full", "sslrootcert": postgres.ca_file}
    engine = sqlalchemy.create_engine(
        f"postgresql+psycopg://{USER}:{token}@{address}", connect_args=tls
    )
    with pytest.raises(sqlalchemy.exc.OperationalError):
        engine.connect()
    arrived = postgres.server.records()[-1]
    assert not arrived.accepted
    assert arrived.length < len(token)


def test_no_passfile_serves_both_libpq_and_asyncpg(
    postgres: Logins, tmp_path: pathlib.Path
) -> None:
    token = postgres.signer().token()
    escaped = token.replace("\\", "\\\\").replace(":", "\\:")
    assert escaped != token
    passfile = tmp_path / "passfile"

    def lengths(password: str) -> list[int]:
        passfile.touch(mode=0o600)
        passfile.write_text(f"{postgres.host}:{postgres.port}:*:{USER}:{password}\n")
        before = len(postgres.server.records())
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(**plainly(postgres), passfile=str(passfile)).close()
        context = rdstoken.asyncpg.options(postgres.signer(), ca_file=postgres.ca_file)["ssl"]

        async def connect() -> None:
            with contextlib.suppress(asyncpg.PostgresError):
                connection = await asyncpg.connect(
                    host=postgres.host,
                    port=postgres.port,
                    user=USER,
                    database=postgres.dbname,
                    passfile=passfile,
                    ssl=context,
                )
                await connection.close()

        asyncio.run(connect())
        return [record.length for record in postgres.server.records()[before:]]

    colon = token.index(":")
    by_libpq, by_asyncpg = lengths(escaped)
    assert by_libpq == len(token)
    assert by_asyncpg != len(token)
    by_libpq, by_asyncpg = lengths(token)
    assert by_libpq == colon
    assert by_asyncpg == len(token)


# Sent to whoever asks.


def test_drivers_by_themselves_send_a_token_in_clear(postgres: Logins) -> None:
    """The fake server of test_doors.py is one that takes what it can get."""
    with PlainPostgres() as server:
        signer = rdstoken.Signer(
            HOSTNAME, server.port, USER, credentials=made(postgres.server.session_key)
        )
        token = signer.token()
        where: dict[str, Any] = {"host": HOSTNAME, "port": server.port, "user": USER}
        for connect in (psycopg.connect, psycopg2.connect):
            with pytest.raises((psycopg.Error, psycopg2.Error)):
                connect(**where, dbname="postgres", password=token)
        with pytest.raises(pg8000.dbapi.Error):
            pg8000.dbapi.connect(**where, password=token)
        with pytest.raises(asyncpg.PostgresError):
            asyncio.run(asyncpg.connect(**where, password=token))
        assert server.passwords == [token.encode()] * 4
