"""The Python drivers. See README.md."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ssl
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclasses.dataclass
class Request:
    token: str
    text: str
    host: str
    port: int
    dbname: str
    user: str
    ca_file: str

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)

    def mysql(self, *, database: str = "database") -> dict[str, Any]:
        who = {"host": self.host, "port": self.port, "user": self.user}
        return {**who, "password": self.token, database: self.dbname}

    def postgres(self, *, database: str = "dbname") -> dict[str, Any]:
        return self.mysql(database=database)

    def libpq(self) -> dict[str, Any]:
        return {**self.postgres(), "sslmode": "verify-full", "sslrootcert": self.ca_file}


def psycopg(request: Request) -> Any:
    import psycopg

    return psycopg.connect(**request.libpq())


def psycopg2(request: Request) -> Any:
    import psycopg2

    return psycopg2.connect(**request.libpq())


def pg8000(request: Request) -> Any:
    import pg8000.dbapi

    return pg8000.dbapi.connect(**request.postgres(database="database"), ssl_context=request.tls())


def asyncpg(request: Request, **instead: Any) -> None:
    import asyncpg

    given = {**request.postgres(database="database"), "ssl": request.tls(), **instead}

    async def main() -> None:
        await (await asyncpg.connect(**given)).close()

    asyncio.run(main())


def asyncpg_passfile(request: Request) -> None:
    asyncpg(request, password=None, passfile=request.text)


def pymysql(request: Request) -> Any:
    import pymysql

    return pymysql.connect(**request.mysql(), ssl=request.tls())


def aiomysql(request: Request) -> None:
    import aiomysql

    async def main() -> None:
        connection = await aiomysql.connect(**request.mysql(database="db"), ssl=request.tls())
        await connection.ensure_closed()

    asyncio.run(main())


def asyncmy(request: Request) -> None:
    import asyncmy

    async def main() -> None:
        connection = await asyncmy.connect(**request.mysql(), ssl=request.tls())
        await connection.ensure_closed()

    asyncio.run(main())


def mysqlclient(request: Request) -> Any:
    import MySQLdb

    return MySQLdb.connect(
        **request.mysql(), ssl_mode="VERIFY_IDENTITY", ssl={"ca": request.ca_file}
    )


def mysqlclient_option_file(request: Request) -> Any:
    import MySQLdb

    given = request.mysql()
    del given["password"]
    return MySQLdb.connect(
        **given,
        read_default_file=request.text,
        ssl_mode="VERIFY_IDENTITY",
        ssl={"ca": request.ca_file},
    )


def mysql_connector(request: Request) -> Any:
    import mysql.connector

    return mysql.connector.connect(
        **request.mysql(),
        ssl_ca=request.ca_file,
        ssl_verify_cert=True,
        ssl_verify_identity=True,
        auth_plugin="mysql_clear_password",
    )


def sqlalchemy(request: Request) -> Any:
    import sqlalchemy

    return sqlalchemy.create_engine(request.text, poolclass=sqlalchemy.NullPool).connect()


def pyodbc(request: Request) -> Any:
    import pyodbc

    pyodbc.pooling = False
    # The text is all but the password.
    return pyodbc.connect(request.text, password=request.token)


SENDERS: dict[tuple[str, str], Callable[[Request], Any]] = {
    ("psycopg", "password"): psycopg,
    ("psycopg", "sqlalchemy-url"): sqlalchemy,
    ("psycopg2", "password"): psycopg2,
    ("psycopg2", "sqlalchemy-url"): sqlalchemy,
    ("pg8000", "password"): pg8000,
    ("asyncpg", "password"): asyncpg,
    ("asyncpg", "passfile"): asyncpg_passfile,
    ("asyncpg", "passfile-escaped"): asyncpg_passfile,
    ("sqlalchemy", "raw-url"): sqlalchemy,
    ("pymysql", "password"): pymysql,
    ("pymysql", "sqlalchemy-url"): sqlalchemy,
    ("aiomysql", "password"): aiomysql,
    ("asyncmy", "password"): asyncmy,
    ("mysqlclient", "password"): mysqlclient,
    ("mysqlclient", "option-file"): mysqlclient_option_file,
    ("mysqlclient", "sqlalchemy-url"): sqlalchemy,
    ("mysql-connector-python", "password"): mysql_connector,
    ("mysql-connector-python", "sqlalchemy-url"): sqlalchemy,
    ("psqlodbc", "pyodbc-password"): pyodbc,
}


def main() -> None:
    warnings.simplefilter("ignore")
    send = SENDERS[sys.argv[1], sys.argv[2]]
    while True:
        lines = [sys.stdin.readline() for _ in range(7)]
        if not lines[-1]:
            return
        token, text, host, port, dbname, user, ca_file = (line.rstrip("\n") for line in lines)
        try:
            made = send(Request(token, text, host, int(port), dbname, user, ca_file))
            with contextlib.suppress(Exception):
                made.close()
            answer = "in"
        except Exception:  # noqa: BLE001  whatever the driver raises; its text may hold the token
            answer = "refused"
        print(answer, flush=True)


if __name__ == "__main__":
    main()
