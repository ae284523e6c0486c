"""A private PostgreSQL and a private MariaDB that let users in by IAM token alone, to try a login
without AWS: `make servers`.

    python3 tests/servers/local.py

It prints commands that log in, as text for a shell, and runs until Ctrl-C. The servers answer to
`localhost` besides the endpoint's name, so nothing has to be written to /etc/hosts. From Python,
`with both() as (postgres, mariadb): ...`; `--print-json` is for other programs.

Standard library only. It needs what `make build` builds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import pathlib
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from common import PrivateServer, ServerError, leave_on_signals, wait
from mariadb import MariaDB
from postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
NAME = "localhost"
USER = "app"


@contextlib.contextmanager
def both(**options: Any) -> Iterator[tuple[Postgres, MariaDB]]:
    """Both servers, of the same options. The keys of PostgreSQL's credentials file log in to both,
    and those of MariaDB's to MariaDB.
    """
    options.setdefault("more_hostnames", [NAME])
    with Postgres(**options) as postgres:
        options["credentials"] = postgres.credentials_file
        with MariaDB(**options) as mariadb:
            yield postgres, mariadb


class Line:
    """A command that logs in: what it is, the text for a shell, and what must be installed first.

    `make build` installs what most of them take.
    """

    def __init__(self, client: str, command: str, *missing: str) -> None:
        self.client, self.command, self.missing = client, command, " ".join(missing)


def _missing_in_venv(package: str) -> list[str]:
    is_there = any(VENV.glob(f"lib/python3*/site-packages/{package.lower()}"))
    return [] if is_there else [f"{package} in .venv"]


def _missing_for_odbc(driver: str, package: str) -> list[str]:
    isql, odbcinst = (shutil.which(name) for name in ("isql", "odbcinst"))
    query = [str(odbcinst), "-q", "-d", "-n", driver]
    is_there = odbcinst and not subprocess.run(query, capture_output=True, check=False).returncode
    return ([] if isql else ["unixodbc"]) + ([] if is_there else [package])


def environment(postgres: Postgres) -> str:
    """Where the keys are, and the region, which is not in the name `localhost`."""
    values = {
        "AWS_SHARED_CREDENTIALS_FILE": str(postgres.credentials_file),
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_REGION": postgres.region,
    }
    exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items())
    path = shlex.quote(str(ROOT / "target" / "release"))
    return (
        "unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN\n"
        f"export {exports}\n"
        f"export PATH={path}:$PATH\n"
    )


def lines(postgres: Postgres, mariadb: MariaDB) -> list[Line]:
    return [*_postgres_lines(postgres), *_mariadb_lines(mariadb)]


def _postgres_lines(server: Postgres) -> list[Line]:
    tls = f"sslmode=verify-full sslrootcert={server.ca_file}"
    conninfo = f"host={NAME} port={server.port} user={USER} dbname={server.dbname} {tls}"
    signer = f"rdstoken.Signer('{NAME}', {server.port}, '{USER}')"
    python = f"""
import rdstoken, rdstoken.psycopg
options = {{'dbname': '{server.dbname}', 'ca_file': '{server.ca_file}'}}
connection = rdstoken.psycopg.connect({signer}, **options)
print(connection.execute('SELECT current_user').fetchone()[0])
"""
    node = f"""
import pg from 'pg'
import {{ Signer }} from 'rdstoken'
import {{ pgOptions }} from 'rdstoken/pg'
const signer = new Signer({{ hostname: '{NAME}', port: {server.port}, username: '{USER}' }})
const options = pgOptions(signer, {{ database: '{server.dbname}', caFile: '{server.ca_file}' }})
const client = new pg.Client(options)
await client.connect()
console.log((await client.query('SELECT current_user')).rows[0].current_user)
await client.end()
"""
    exec_ = _rdstoken("exec", server, f"--database {server.dbname} --ca-file {server.ca_file}")
    odbc = _rdstoken("odbc", server, f"--driver psqlodbc --database {server.dbname}")
    return [
        Line("psql", f"{exec_} -- psql"),
        Line(
            "psql, without rdstoken exec", _with_token("PGPASSWORD", server, f'psql "{conninfo}"')
        ),
        Line("Python, psycopg", _python(python)),
        Line("Node, pg", _node(node)),
        Line(
            "ODBC, psqlodbc",
            f'isql -k "$({odbc} --ca-file {server.ca_file})"',
            *_missing_for_odbc("PostgreSQL Unicode", "odbc-postgresql"),
        ),
    ]


def _mariadb_lines(server: MariaDB) -> list[Line]:
    tls = f"--ssl-ca={server.ca_file} --ssl-verify-server-cert"
    # Without the protocol, `localhost` is a Unix socket to these clients.
    where = f"--protocol=tcp --host={NAME} --port={server.port} --user={USER}"
    signer = f"rdstoken.Signer('{NAME}', {server.port}, '{USER}')"
    python = f"""
import rdstoken, rdstoken.pymysql
options = {{'database': '{server.dbname}', 'ca_file': '{server.ca_file}'}}
connection = rdstoken.pymysql.connect({signer}, **options)
cursor = connection.cursor()
cursor.execute('SELECT current_user()')
print(cursor.fetchone()[0])
"""
    node = f"""
import mysql from 'mysql2/promise'
import {{ Signer }} from 'rdstoken'
import {{ mysql2Options }} from 'rdstoken/mysql2'
const signer = new Signer({{ hostname: '{NAME}', port: {server.port}, username: '{USER}' }})
const options = mysql2Options(signer, {{ database: '{server.dbname}', caFile: '{server.ca_file}' }})
const connection = await mysql.createConnection(options)
console.log((await connection.query('SELECT current_user() AS who'))[0][0].who)
await connection.end()
"""
    exec_ = _rdstoken("exec", server, f"--ca-file {server.ca_file}")
    odbc = _rdstoken("odbc", server, f"--driver mariadb-odbc --database {server.dbname}")
    plain = f"mariadb {where} {tls} {server.dbname}"
    return [
        Line("mariadb", f"{exec_} -- mariadb --protocol=tcp {server.dbname}"),
        Line("mariadb, without rdstoken exec", _with_token("MYSQL_PWD", server, plain)),
        Line("Python, PyMySQL", _python(python), *_missing_in_venv("PyMySQL")),
        Line("Node, mysql2", _node(node)),
        Line(
            "ODBC, MariaDB's",
            f'isql -k "$({odbc} --ca-file {server.ca_file})"',
            *_missing_for_odbc("MariaDB Unicode", "odbc-mariadb"),
        ),
    ]


def _rdstoken(verb: str, server: PrivateServer, options: str = "") -> str:
    login = f"--hostname {NAME} --port {server.port} --username {USER}"
    return f"rdstoken {verb} --no-hostname-warning {login} {options}".rstrip()


def _with_token(variable: str, server: PrivateServer, command: str) -> str:
    return f'{variable}="$({_rdstoken("token", server)})" {command}'


def _python(program: str) -> str:
    return f'{shlex.quote(str(VENV / "bin" / "python"))} -c "{program.strip()}"'


def _node(program: str) -> str:
    # From where its packages are.
    directory = shlex.quote(str(ROOT / "bindings" / "node"))
    return f'(cd {directory} && node --input-type=module -e "{program.strip()}")'


def text(postgres: Postgres, mariadb: MariaDB) -> str:
    """All of it can be given to a shell."""
    parts = [
        f"# {server.name} {server.host}:{server.port}, which is also {NAME}:{server.port}"
        for server in (postgres, mariadb)
    ]
    parts += [
        "# Both ask for IAM tokens, over TLS. In another shell, first take the keys, which nobody",
        "# but these two servers knows, and which go when they stop:",
        environment(postgres).rstrip(),
    ]
    every = lines(postgres, mariadb)
    parts += [f"\n# {line.client}\n{line.command}" for line in every if not line.missing]
    if left_out := [f"{line.client} ({line.missing})" for line in every if line.missing]:
        parts.append(
            f"\n# Left out, as what is in brackets is not installed: {'; '.join(left_out)}"
        )
    return "\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Runs a private PostgreSQL and a private MariaDB that let users in by IAM token"
        " alone, and prints commands that log in, until Ctrl-C."
    )
    parser.add_argument("--print-json", action="store_true",
        help="print one line of JSON for both, and stop when standard input ends")  # fmt: skip
    options = parser.parse_args()
    leave_on_signals()
    try:
        with both() as servers:
            if options.print_json:
                print(json.dumps({type(s).__name__: s.description() for s in servers}), flush=True)
            else:
                print(text(*servers), flush=True)
                print("# Ctrl-C stops both servers and removes their files.", flush=True)
            wait(*servers, standard_input=options.print_json)
    except (ServerError, OSError) as error:
        sys.exit(f"{parser.prog}: {error}")


if __name__ == "__main__":
    main()
