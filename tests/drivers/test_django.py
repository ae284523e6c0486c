"""Django's backends with the other driver of each, which only a process of its own can choose."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from common import AccessKey
from signers import USER

if TYPE_CHECKING:
    import pathlib

    from signers import Logins

CHOOSE = {
    "psycopg2": 'sys.modules["psycopg"] = None',
    "PyMySQL": "import pymysql; pymysql.install_as_MySQLdb()",
}

PROGRAM = """
import json, sys, time
server = json.loads(sys.argv[1])
{choose}
import django
from django.conf import settings

settings.configure(
    DATABASES={{
        "default": {{
            "ENGINE": "rdstoken.django.{backend}",
            "HOST": server["host"],
            "PORT": server["port"],
            "USER": "app",
            "NAME": server["dbname"],
            "OPTIONS": {{
                "rdstoken": {{
                    "ca_file": server["ca_file"], "profile": "token-8192", "expires_in": 2
                }}
            }},
        }}
    }}
)
django.setup()
from django.db import connection

if len(sys.argv) > 2:  # credentials that the server does not know
    from django.db.utils import OperationalError

    try:
        connection.ensure_connection()
    except OperationalError as error:
        print(json.dumps([str(error), None]))
        sys.exit()
users = []
for pause in (2.1, 0):
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        users += cursor.fetchone()
    module = type(connection.connection).__module__
    connection.close()
    time.sleep(pause)
print(json.dumps([users, module.partition(".")[0]]))
"""


def run(logins: Logins, backend: str, driver: str, unknown: pathlib.Path | None = None) -> Any:
    program = PROGRAM.format(backend=backend, choose=CHOOSE[driver])
    arguments = [json.dumps(logins.server.description()), *(["unknown"] if unknown else [])]
    credentials = unknown or logins.server.credentials_file
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=os.environ | {"AWS_SHARED_CREDENTIALS_FILE": str(credentials)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


each = pytest.mark.parametrize(
    ("server", "backend", "driver", "user"),
    [
        ("postgres", "postgresql", "psycopg2", USER),
        ("mariadb", "mysql", "PyMySQL", f"{USER}@%"),
    ],
)


@each
def test_the_other_driver_gets_fresh_tokens_too(
    request: pytest.FixtureRequest, server: str, backend: str, driver: str, user: str
) -> None:
    logins: Logins = request.getfixturevalue(server)
    with logins.seen() as answers:
        users, module = run(logins, backend, driver)
    assert users == [user] * 2
    assert module == driver.lower()
    assert answers == [True, True]
    assert [record.length for record in logins.server.records()[-2:]] == [8190] * 2


@each
def test_a_fresh_token_that_is_refused_is_not_replaced(
    request: pytest.FixtureRequest,
    server: str,
    backend: str,
    driver: str,
    user: str,
) -> None:
    logins: Logins = request.getfixturevalue(server)
    unknown: pathlib.Path = request.getfixturevalue("tmp_path") / "credentials"
    unknown.touch(mode=0o600)
    unknown.write_text(AccessKey.random(40).section("token-8192"))
    with logins.seen() as answers:
        error, _ = run(logins, backend, driver, unknown)
    assert user.partition("@")[0] in error
    assert answers == [False]
