"""The programs of docs/python-drivers.md, and those in the adapters' own manuals, log in."""

from __future__ import annotations

import importlib
import os
import pathlib
import re
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from signers import Logins

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "python-drivers.md"
HOST = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com"

MANUALS = (
    *("aiomysql", "asyncmy", "asyncpg", "mysql_connector", "mysql_connector_aio", "mysqlclient"),
    *("pg8000", "psycopg", "psycopg2", "pymysql", "pyodbc", "sqlalchemy", "tortoise"),
)


def run(program: str, logins: Logins) -> str:
    """Runs a program of the docs against a server, in which it names another."""
    for theirs, ours in (
        (HOST, logins.host),
        ("5432", str(logins.port)),
        ("3306", str(logins.port)),
        ("global-bundle.pem", logins.ca_file),
        ("/etc/ssl/global-bundle.pem", logins.ca_file),
    ):
        program = program.replace(theirs, ours)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"AWS_SHARED_CREDENTIALS_FILE": str(logins.server.credentials_file)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, f"{program}\n{done.stderr}"
    return done.stdout


def programs() -> list[tuple[str, str, str]]:
    """Each program of the page: the chapter's name, its section, and the text. The first of a
    chapter makes the signer for the others.
    """
    found = []
    for chapter in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        title = chapter.partition("\n")[0]
        start = ""
        for section in chapter.split("\n### "):
            blocks = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
            for number, block in enumerate(blocks):
                name = section.partition("\n")[0] + (f" {number + 1}" if number else "")
                if start:
                    found.append((title, name, start + block))
                else:
                    start = block
    return found


PROGRAMS = programs()


def test_each_driver_has_a_program() -> None:
    text = "".join(program for _, _, program in PROGRAMS)
    for name in MANUALS:
        assert name == "tortoise" or f"import rdstoken.{name}\n" in text


@pytest.mark.parametrize(
    ("chapter", "program"),
    [(chapter, program) for chapter, _, program in PROGRAMS],
    ids=[name for _, name, _ in PROGRAMS],
)
def test_the_pages_programs_log_in(
    postgres: Logins, mariadb: Logins, chapter: str, program: str
) -> None:
    logins = {"PostgreSQL": postgres, "MySQL and MariaDB": mariadb}[chapter]
    with logins.seen() as answers:
        printed = run(program, logins)
    assert answers
    assert all(answers)
    assert "print(" not in program or "app" in printed


@pytest.mark.parametrize("name", MANUALS)
def test_the_manuals_programs_log_in(postgres: Logins, mariadb: Logins, name: str) -> None:
    text = importlib.import_module(f"rdstoken.{name}").__doc__ or ""
    blocks = re.findall(r"(?:^(?: {4}.*)?\n)+", text, re.MULTILINE)
    program = "".join(textwrap.dedent(block) for block in blocks if block.strip())
    assert program
    if "async def main" in program:
        program += "\nimport asyncio\n\nasyncio.run(main())\n"
    if name == "sqlalchemy":
        program += "engine.connect()\n"
    logins = postgres if "5432" in program else mariadb
    with logins.seen() as answers:
        run(program, logins)
    assert answers
    assert all(answers)
