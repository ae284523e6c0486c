"""Django's backend for MySQL and MariaDB, with a token for each connection."""

from __future__ import annotations

from typing import Any

import MySQLdb
from django.db.backends.mysql import base

from rdstoken import _connect
from rdstoken.django import _settings

__all__ = ["DatabaseWrapper"]

PORT = 3306

# pymysql.install_as_MySQLdb() puts PyMySQL in the other's place.
_PYMYSQL = MySQLdb.__name__ == "pymysql"


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc] # Django has no types
    """A connection that Django opens with a token."""

    def get_connection_params(self) -> dict[str, Any]:
        """Return the driver's keywords. The password is left out: it is asked for per login."""
        signer, ca_file = _settings.read(self.settings_dict, PORT)
        given = super().get_connection_params()
        given.pop(_settings.OPTION, None)
        if _PYMYSQL:
            from rdstoken.pymysql import options  # noqa: PLC0415 - one of the two is not there
        else:
            from rdstoken.mysqlclient import options  # noqa: PLC0415
        return options(signer, ca_file=ca_file, **given)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:  # noqa: ANN401 - MySQLdb's
        """Open a connection."""
        signer, _ = _settings.read(self.settings_dict, PORT)
        open_ = super().get_new_connection

        def login(token: str) -> Any:  # noqa: ANN401
            if _PYMYSQL:
                from rdstoken.pymysql import answering  # noqa: PLC0415

                # The token at hand, and not another that the signer would be asked for.
                return open_(answering(conn_params, lambda: token))
            return open_({**conn_params, "password": token})

        return _connect.retrying(signer, login, _connect.mysql_refused)
