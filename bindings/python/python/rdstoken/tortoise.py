"""Tortoise ORM with IAM tokens: an engine, in place of `tortoise.backends.…`.

    import rdstoken
    from tortoise import Tortoise, connections

    signer = rdstoken.Signer("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", 5432, "app")


    async def main():
        await Tortoise.init(
            config={
                "connections": {
                    "default": {
                        "engine": "rdstoken.tortoise",
                        "credentials": {
                            "driver": "asyncpg",  # or "psycopg" or "mysql"
                            "signer": signer,
                            "database": "postgres",
                            "ca_file": "global-bundle.pem",
                        },
                    }
                },
                "apps": {"app": {"models": ["__main__"]}},
            }
        )
        await connections.get("default").execute_query("select current_user")
        await Tortoise.close_connections()

Each connection that Tortoise's pool opens gets a token of its own. The drivers are those of
Tortoise's backends: `asyncpg`, `psycopg`, and `mysql`, which is asyncmy if that is installed and
else aiomysql, as Tortoise has it.

Host, port and user are the signer's. To name others is an `InvalidArgumentError`, and so is a
password. All other credentials are the backend's (`minsize`, `maxsize`, `schema`, `charset`, ...).
TLS and the one retry are as in `rdstoken.asyncpg`, `rdstoken.psycopg`, `rdstoken.asyncmy` and
`rdstoken.aiomysql`.

Never put a token into a URL or into `password`: it would be the same for ever, and Tortoise logs
the first third of it.
"""

from __future__ import annotations

import datetime
import importlib
from typing import TYPE_CHECKING, Any

from tortoise.backends.base.client import BaseDBAsyncClient

from rdstoken import _connect, _errors

if TYPE_CHECKING:
    import os

    from rdstoken import Signer

__all__ = ["get_client_class"]


def get_client_class(db_info: dict[str, Any]) -> type[BaseDBAsyncClient]:
    """Give the client class for this entry of `connections`. Tortoise calls it."""
    makers = {"asyncpg": _asyncpg, "psycopg": _psycopg, "mysql": _mysql}
    driver = db_info["credentials"].get("driver")
    if driver not in makers:
        raise _errors.InvalidArgumentError(
            "driver: it must be asyncpg, psycopg or mysql", field="driver"
        )
    if driver not in _made:
        _made[driver] = makers[driver]()
    return _made[driver]


class _Client(BaseDBAsyncClient):
    """What the clients below have in common: they are made with a signer."""

    def __init__(
        self,
        *,
        driver: str,  # noqa: ARG002 - it has led here
        signer: Signer,
        ca_file: str | os.PathLike[str] | None = None,
        **kwargs: Any,  # noqa: ANN401 - the backend's
    ) -> None:
        _connect.refuse_given(kwargs, ("password",))
        _connect.refuse_others(signer, kwargs)
        self._signer = signer
        self._ca_file = ca_file
        own = {"host": signer.hostname, "port": signer.port, "user": signer.username}
        super().__init__(**kwargs | own | {"password": None})


# Each class is made when it is first asked for, because Tortoise's imports the driver.
_made: dict[str, type[BaseDBAsyncClient]] = {}


def _asyncpg() -> type[BaseDBAsyncClient]:
    from tortoise.backends.asyncpg.client import AsyncpgDBClient  # noqa: PLC0415

    import rdstoken.asyncpg  # noqa: PLC0415

    class AsyncpgClient(_Client, AsyncpgDBClient):
        async def create_pool(self, **kwargs: Any) -> Any:  # noqa: ANN401
            del kwargs["password"]
            return await rdstoken.asyncpg.create_pool(self._signer, ca_file=self._ca_file, **kwargs)

    return AsyncpgClient


def _psycopg() -> type[BaseDBAsyncClient]:
    from tortoise.backends.psycopg import client  # noqa: PLC0415

    import rdstoken.psycopg  # noqa: PLC0415

    class PsycopgClient(_Client, client.PsycopgClient):
        async def create_pool(self, **kwargs: Any) -> client.AsyncConnectionPool:  # noqa: ANN401
            kwargs["connection_class"] = rdstoken.psycopg.async_connection_class(
                self._signer, ca_file=self._ca_file, base=kwargs["connection_class"]
            )
            return await super().create_pool(**kwargs)

    return PsycopgClient


def _mysql() -> type[BaseDBAsyncClient]:
    from tortoise import timezone  # noqa: PLC0415
    from tortoise.backends.mysql import client  # noqa: PLC0415
    from tortoise.exceptions import DBConnectionError  # noqa: PLC0415

    adapter = importlib.import_module(f"rdstoken.{client.mysql.__name__}")  # type: ignore[attr-defined]

    class MySQLClient(_Client, client.MySQLClient):
        async def create_connection(self, with_db: bool) -> None:  # noqa: FBT001
            # Tortoise's own has no place for a pool of ours; what it sets, this sets as well.
            self._template = {
                "db": self.database if with_db else None,
                "autocommit": True,
                "charset": self.charset,
                "minsize": self.pool_minsize,
                "maxsize": self.pool_maxsize,
                **self.extra,
            }
            settings = []
            if self.storage_engine:
                settings.append(f"SET default_storage_engine='{self.storage_engine}'")
                if self.storage_engine.lower() != "innodb":
                    self.capabilities.__dict__["supports_transactions"] = False
            if timezone.get_use_tz():
                now = datetime.datetime.now(tz=timezone.get_default_timezone())
                settings.append(f"SET time_zone='{now.isoformat(timespec='minutes')[-6:]}'")
            try:
                self._pool = await adapter.create_pool(
                    self._signer, ca_file=self._ca_file, **self._template
                )
                async with self.acquire_connection() as connection, connection.cursor() as cursor:
                    for setting in settings:
                        await cursor.execute(setting)
                await self._post_connect()
            except client.errors.OperationalError as error:  # type: ignore[attr-defined]
                raise DBConnectionError(f"Can't connect to MySQL server: {error}") from error

    return MySQLClient
