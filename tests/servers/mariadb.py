"""A private, real MariaDB that lets users in by IAM token alone, as Aurora MySQL does.

From Python: `with MariaDB() as server: ...`. From anything else, as a command:

    python3 tests/servers/mariadb.py --print-json [options]

It prints one line when the server is ready, and runs until its standard input ends or SIGTERM,
SIGINT or SIGHUP comes; `--help` lists the options. Clients connect over TCP to the endpoint's name,
which must resolve to 127.0.0.1 (`tests/hosts.sh` sees to that), verify the certificate against
`ca_file`, and allow `mysql_clear_password`.

There is no way in but a token over TLS: the server has no local socket and no root user, and its
users are made before it runs. Users may do as they like in the database `demo` and in those whose
names begin with `test_`.
"""

from __future__ import annotations

import pathlib
import shutil

from common import SERVICE, PrivateServer, ServerError, command

PLUGIN = "auth_pam_v1.so"
"""Not `auth_pam`: that one refuses passwords of 10,239 bytes and more."""

PLUGIN_DIRECTORIES = (
    "/usr/lib/mysql/plugin",
    "/usr/lib/mariadb/plugin",
    "/usr/lib/*/mariadb/plugin",
    "/usr/lib64/mariadb/plugin",
    "/usr/lib64/mysql/plugin",
)


class MariaDB(PrivateServer):
    name = "MariaDB"
    dbname = "demo"

    def _find_programs(self) -> None:
        self._mariadbd = find_program("mariadbd")
        self._install_db = find_program("mariadb-install-db")
        self._plugins = find_plugins()

    def _create(self) -> None:
        self._data = self._server / "data"
        self._temporary = self._server / "tmp"
        self._temporary.mkdir(mode=0o700)
        self._give(self._temporary)
        names = ["'" + user.replace("\\", "\\\\").replace("'", "\\'") + "'" for user in self.users]
        statements = [
            "SET NAMES utf8mb4",
            # What remains is locked: the owner of the system's views.
            "DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys'",
            "DELETE FROM mysql.proxies_priv",
            "FLUSH PRIVILEGES",
            f"CREATE DATABASE {self.dbname} CHARACTER SET utf8mb4",
        ]
        for name in names:
            statements += [
                self._create_user(name),
                f"GRANT ALL ON {self.dbname}.* TO {name}@'%'",
                f"GRANT ALL ON `test\\_%`.* TO {name}@'%'",
            ]
        script = self._server / "users.sql"
        self._write(script, "".join(f"{statement};\n" for statement in statements), give=True)
        try:
            self._run(
                str(self._install_db),
                "--no-defaults",  # it must come first
                f"--datadir={self._data}",
                "--auth-root-authentication-method=socket",
                "--auth-root-socket-user=root",
                "--skip-test-db",
                f"--extra-file={script}",
                *self._settings(),
            )
        except ServerError as error:
            # The rest is a page of advice.
            lines = [line for line in str(error).splitlines() if "ERROR" in line]
            message = "\n".join(["MariaDB could not make its tables and users:", *lines])
            raise ServerError(message) from error

    def _create_user(self, name: str) -> str:
        return f"CREATE USER {name}@'%' IDENTIFIED VIA pam USING '{SERVICE}' REQUIRE SSL"

    def _settings(self) -> list[str]:
        """What holds for making the data directory too."""
        settings = {
            "plugin-dir": self._plugins,
            "plugin-load-add": PLUGIN,
            "tmpdir": self._temporary,
            "character-set-server": "utf8mb4",
            # Nothing here outlives the server.
            "innodb-flush-method": "nosync",
            "innodb-flush-log-at-trx-commit": 0,
            "innodb-doublewrite": "OFF",
            "innodb-log-file-size": "4M",
            "innodb-buffer-pool-size": "8M",
            # Asynchronous input and output takes locked memory, which containers are short of.
            "innodb-use-native-aio": "OFF",
            "aria-log-file-size": "8M",
            "aria-pagecache-buffer-size": "1M",
            "key-buffer-size": "64K",
        }
        return ["--skip-name-resolve", *(f"--{name}={value}" for name, value in settings.items())]

    def _command(self) -> list[str]:
        settings = {
            "datadir": self._data,
            "pid-file": self._server / "mariadb.pid",
            "port": self.port,
            "bind-address": self.hostaddr,
            "socket": "",
            "ssl-cert": self._server / "server.crt",
            "ssl-key": self._server / "server.key",
            "pam-use-cleartext-plugin": "ON",
            "max-allowed-packet": "16M",
            "max-connections": 100,
        }
        command = [str(self._mariadbd), "--no-defaults", *self._settings()]
        return command + [f"--{name}={value}" for name, value in settings.items()]

    def _is_ready(self) -> bool:
        return "ready for connections" in self.log()


def find_program(name: str, path: str = "/usr/sbin:/usr/bin:/sbin:/bin") -> pathlib.Path:
    found = shutil.which(name, path=path)
    if not found:
        raise ServerError(
            f"MariaDB's server is not installed ({name}): install the package mariadb-server"
        )
    return pathlib.Path(found)


def find_plugins(patterns: tuple[str, ...] = PLUGIN_DIRECTORIES) -> pathlib.Path:
    """The directory with the server's PAM plugin."""
    for pattern in patterns:
        for plugin in pathlib.Path("/").glob(f"{pattern.lstrip('/')}/{PLUGIN}"):
            return plugin.parent
    raise ServerError(
        f"MariaDB's plugin {PLUGIN} is not installed: install the package mariadb-server"
    )


if __name__ == "__main__":
    command(MariaDB)
