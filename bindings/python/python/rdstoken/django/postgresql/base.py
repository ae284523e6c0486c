"""Django's backend for PostgreSQL, with a token for each connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import base
from django.db.backends.postgresql.client import DatabaseClient as Client
from django.db.backends.postgresql.psycopg_any import is_psycopg3

from rdstoken import _connect, _postgres
from rdstoken.django import _settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["DatabaseClient", "DatabaseWrapper"]

PORT = 5432

_conninfo: Callable[..., str]
if is_psycopg3:
    from psycopg.conninfo import make_conninfo as _conninfo
else:
    from psycopg2.extensions import make_dsn as _conninfo

# Of libpq's parameters, those that Django hands on, and those that say where to and how safely.
_SHELL = (
    *("host", "hostaddr", "port", "user", "dbname", "service", "passfile"),
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "gssencmode"),
)


class DatabaseClient(Client):  # type: ignore[misc] # Django has no types
    """Starts `psql` with a token, for `manage.py dbshell`."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: Mapping[str, Any], parameters: list[str]
    ) -> tuple[list[str], dict[str, str]]:
        """Return the command and what stands in its environment."""
        signer, ca_file = _settings.read(settings_dict, PORT)
        given = {name: value for name, value in settings_dict["OPTIONS"].items() if value}
        options = _postgres.libpq_parameters(signer, ca_file, given)
        names = {"HOST": options["host"], "PORT": options["port"], "USER": options["user"]}
        # As Django has it.
        default = "" if options.get("service") else "postgres"
        options["dbname"] = settings_dict.get("NAME") or default
        # In place of the name, because a service's settings count more than the environment's, and
        # less than these.
        where = {name: options[name] for name in _SHELL if options.get(name)}
        login = {"NAME": _conninfo(**where), "PASSWORD": signer.token(), "OPTIONS": options}
        arguments, environment = super().settings_to_cmd_args_env(
            {**settings_dict, **names, **login}, parameters
        )
        return arguments, environment


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc] # Django has no types
    """A connection that Django opens with a token."""

    settings_dict: dict[str, Any]
    client_class = DatabaseClient

    @property
    def pool(self) -> Any:  # noqa: ANN401 - psycopg_pool.ConnectionPool, if there is one
        """The pool that all threads share, if the options ask for one."""
        options = self.settings_dict["OPTIONS"]
        pools = getattr(self, "_connection_pools", None)  # from Django 5.1 on
        if pools is None or not is_psycopg3 or not options.get("pool") or self.alias in pools:
            return getattr(super(), "pool", None)
        # Django makes the pool out of parameters that it asks for once. What the pool calls for
        # each connection is the connection's class.
        import psycopg  # noqa: PLC0415 - Django works with psycopg2 as well

        from rdstoken.psycopg import connection_class  # noqa: PLC0415

        pool = {} if options["pool"] is True else options["pool"]
        base_class = pool.get("connection_class", psycopg.Connection)
        signer, _ = _settings.read(self.settings_dict, PORT)
        pool = {**pool, "connection_class": connection_class(signer, base=base_class)}
        settings = self.settings_dict
        self.settings_dict = {**settings, "OPTIONS": {**options, "pool": pool}}
        try:
            return super().pool
        finally:
            self.settings_dict = settings

    def get_connection_params(self) -> dict[str, Any]:
        """Return the driver's keywords. The password is left out: it is asked for per login."""
        signer, ca_file = _settings.read(self.settings_dict, PORT)
        given = super().get_connection_params()
        given.pop(_settings.OPTION, None)
        return _postgres.libpq_parameters(signer, ca_file, given)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:  # noqa: ANN401 - psycopg's
        """Open a connection, or take one from the pool."""
        open_ = super().get_new_connection
        if self.pool:
            return open_(conn_params)
        signer, _ = _settings.read(self.settings_dict, PORT)
        return _connect.retrying(
            signer,
            lambda token: open_({**conn_params, "password": token}),
            _postgres.libpq_refused,
        )
