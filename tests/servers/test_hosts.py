"""tests/hosts.sh: programs in every language find the endpoint on loopback, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from common import HERE, HOSTNAME
from logins import sign
from mariadb import MariaDB
from postgres import Postgres

if TYPE_CHECKING:
    from common import PrivateServer

HOSTS = str(HERE.parent / "hosts.sh")
OTHER = "other.cluster-abc123def456.us-east-1.rds.amazonaws.com"


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HOSTS, *command],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


PYTHON = "import socket, sys; print(socket.gethostbyname(sys.argv[1]))"
NODE = """require('dns').lookup(process.argv[1], (error, address) => {
    if (error) throw error
    console.log(address)
})
"""
JAVA = """class Lookup {
    public static void main(String[] names) throws Exception {
        System.out.println(java.net.InetAddress.getByName(names[0]).getHostAddress());
    }
}
"""


@pytest.fixture(scope="module")
def lookups(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    source = tmp_path_factory.mktemp("java") / "Lookup.java"
    source.write_text(JAVA)
    return {
        "python": ["python3", "-c", PYTHON],
        "node": ["node", "-e", NODE],
        "java": ["java", str(source)],
    }


@pytest.mark.parametrize("program", ["python", "node", "java"])
def test_names(lookups: dict[str, list[str]], program: str) -> None:
    command = lookups[program]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    for name in (HOSTNAME, OTHER, "localhost"):
        assert run(*command, name).stdout == "127.0.0.1\n"
    assert run(*command, "elsewhere.us-east-1.rds.amazonaws.com").returncode != 0


@pytest.mark.parametrize("kind", [Postgres, MariaDB], ids=lambda kind: kind.name)
def test_clients(kind: type[PrivateServer]) -> None:
    """The servers' own commands, and isql with each server's ODBC driver, log in by the name."""
    with kind() as server:
        token = sign(server.host, server.port, server.session_key)
        where = {"SERVER": server.host, "PORT": server.port, "DATABASE": server.dbname}
        login = {**where, "UID": "app", "PWD": f"{{{token}}}"}
        if kind is Postgres:
            tls = f"sslmode=verify-full sslrootcert={server.ca_file}"
            conninfo = (
                f"host={server.host} port={server.port} user=app dbname={server.dbname} {tls}"
            )
            client = run("psql", "-XAtc", "SELECT current_user", conninfo, PGPASSWORD=token)
            odbc = {"DRIVER": "PostgreSQL Unicode", **login, "SSLMODE": "verify-full"}
            odbc["PQOPT"] = f"{{sslrootcert={server.ca_file}}}"
        else:
            options = [f"--host={server.host}", f"--port={server.port}", "--user=app"]
            options += [f"--ssl-ca={server.ca_file}", "--ssl-verify-server-cert"]
            query = ["--batch", "--skip-column-names", "--execute=SELECT CURRENT_USER()"]
            client = run("mariadb", "--no-defaults", *options, *query, MYSQL_PWD=token)
            odbc = {"DRIVER": "MariaDB Unicode", **login, "SSLCA": server.ca_file, "SSLVERIFY": 1}
        assert client.stdout.strip().removesuffix("@%") == "app"
        connection = ";".join(f"{name}={value}" for name, value in odbc.items())
        isql = run("isql", "-b", "-k", connection)
        assert isql.returncode == 0, isql.stdout
        assert [record.accepted for record in server.records()] == [True, True]
        assert {record.length for record in server.records()} == {len(token)}
