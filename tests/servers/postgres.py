"""A private, real PostgreSQL that lets users in by IAM token alone, as Aurora PostgreSQL does.

From Python: `with Postgres() as server: ...`. From anything else, as a command:

    python3 tests/servers/postgres.py --print-json [options]

It prints one line when the server is ready, and runs until its standard input ends or SIGTERM,
SIGINT or SIGHUP comes; `--help` lists the options. Clients connect with

    host=<host> hostaddr=<hostaddr> port=<port> dbname=<dbname> user=<one of users>
    sslmode=verify-full sslrootcert=<ca_file>

There is no way in but a token over TLS: the server has no local socket, and its users are made
before it runs. They may create tables in the database `postgres`.
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess

from common import SERVICE, PrivateServer, ServerError, command


class Postgres(PrivateServer):
    name = "PostgreSQL"
    dbname = "postgres"
    hba = (
        f"hostssl all all 127.0.0.1/32 pam pamservice={SERVICE}\n"
        "hostnossl all all 127.0.0.1/32 reject\n"
    )

    def _find_programs(self) -> None:
        self._bin = find_bin()

    def _create(self) -> None:
        self._data = self._server / "data"
        initdb = [str(self._bin / "initdb"), "--pgdata", str(self._data), "--username=postgres"]
        initdb += ["--encoding=UTF8", "--no-locale", "--no-sync", "--auth=reject"]
        self._run(*initdb)
        self._write(self._data / "pg_hba.conf", self.hba, give=True)
        names = [user.replace('"', '""') for user in self.users]
        create = "".join(f'CREATE ROLE "{name}" LOGIN;\n' for name in names)
        create += "GRANT CREATE ON SCHEMA public TO PUBLIC;\n"
        # The single-user mode needs no socket and no password. It ends well whatever happens.
        single = [str(self._bin / "postgres"), "--single", "-D", str(self._data), "-F", self.dbname]
        output = self._run(*single, text=create)
        if "ERROR:" in output:
            raise ServerError(f"PostgreSQL could not create the users:\n{output.strip()}")

    def _command(self) -> list[str]:
        settings = {
            "port": self.port,
            "listen_addresses": self.hostaddr,
            "unix_socket_directories": "",
            "ssl": "on",
            "ssl_cert_file": self._server / "server.crt",
            "ssl_key_file": self._server / "server.key",
            "max_connections": 50,
            "shared_buffers": "16MB",
            # Nothing here outlives the server.
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_wal_senders": 0,
            "wal_level": "minimal",
        }
        command = [str(self._bin / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _is_ready(self) -> bool:
        # What `pg_ctl start -w` reads: the state is the eighth line.
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"


def find_bin(
    debian: pathlib.Path = pathlib.Path("/usr/lib/postgresql"), path: str = "/usr/bin:/bin"
) -> pathlib.Path:
    """The directory of the newest PostgreSQL's programs. Debian keeps them out of the PATH."""
    found = [
        directory
        for directory in debian.glob("*/bin")
        if directory.parent.name.isdigit() and (directory / "initdb").exists()
    ]
    if found:
        return max(found, key=lambda directory: int(directory.parent.name))
    pg_config = shutil.which("pg_config", path=path)
    if pg_config:
        output = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
        directory = pathlib.Path(output.stdout.strip())
        if (directory / "initdb").exists():
            return directory
    raise ServerError("PostgreSQL's server is not installed: install the package postgresql")


if __name__ == "__main__":
    command(Postgres)
