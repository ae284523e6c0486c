"""bindings/pam/README.md: servers whose configuration is what stands there, and its client."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from common import HERE, AccessKey, PrivateServer
from logins import DENIED, login, sign
from mariadb import MariaDB
from postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

README = (HERE.parents[1] / "bindings" / "pam" / "README.md").read_text()


def block(part: str) -> str:
    """The one with these words in it."""
    found = re.findall(r"^```\w*\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (text,) = (text for text in found if part in text)
    return str(text)


KEYS = block("aws_access_key_id")
CNF = block("[mariadbd]")


class AsDocumented(PrivateServer):
    """A server with the service file and the keys of the page."""

    def _write_pam_service(self) -> None:
        self._write(self._server / "credentials", KEYS, give=True)
        self._write(self.pam_service_file, self._here(block("/etc/pam.d/")), give=True)

    def _here(self, text: str) -> str:
        """With this server's files and port."""
        for where, here in {
            "/usr/local/lib/rdstoken": self._server,
            "/etc/rdstoken": self._server,
            "/etc/mysql": self._server,
            "=ca.crt": f"={self.ca_file}",
            "5432": self.port,
        }.items():
            text = text.replace(where, str(here))
        return text

    def token(self) -> str:
        keys = configparser.RawConfigParser()
        keys.read_string(KEYS)
        return sign(self.host, self.port, AccessKey(*keys["default"].values()))


class DocumentedPostgres(AsDocumented, Postgres):
    hba = block("hostssl")


class DocumentedMariaDB(AsDocumented, MariaDB):
    def _create_user(self, name: str) -> str:
        assert name == "'app'"
        return block("CREATE USER").rstrip(";\n")

    def _command(self) -> list[str]:
        self._write(self._server / "ca.crt", self.ca_file.read_text(), give=True)
        self._write(self._server / "my.cnf", self._here(CNF), give=True)
        given = re.findall(r"^(\S+) = ", CNF, re.MULTILINE)
        program, _, *options = super()._command()
        others = [one for one in options if one.removeprefix("--").partition("=")[0] not in given]
        return [program, f"--defaults-file={self._server / 'my.cnf'}", *others]


@pytest.fixture(
    params=[DocumentedPostgres, DocumentedMariaDB], ids=lambda kind: kind.name, scope="module"
)
def server(request: pytest.FixtureRequest) -> Iterator[AsDocumented]:
    with request.param(users=["app"]) as server:
        yield server


def test_logging_in(server: AsDocumented) -> None:
    token = server.token()
    assert login(server, token) == "app"
    with pytest.raises(DENIED):
        login(server, token[:-1])


def test_without_tls(server: AsDocumented) -> None:
    options = {"ssl_disabled": True} if isinstance(server, MariaDB) else {"sslmode": "disable"}
    with pytest.raises(DENIED):
        login(server, server.token(), **options)


@pytest.mark.parametrize("server", [DocumentedPostgres], ids=["PostgreSQL"], indirect=True)
def test_psql(server: AsDocumented) -> None:
    command = server._here(block("psql ")).strip() + " --no-psqlrc -Atc 'SELECT current_user'"  # noqa: SLF001
    done = subprocess.run(
        ["sh", "-c", command],
        env=os.environ | {"PGPASSWORD": server.token()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "app\n"), done.stderr
