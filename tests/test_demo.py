"""`make run`, and with it the examples of every face, against real servers."""

from __future__ import annotations

import subprocess
import sys

from built import ROOT


def test_the_demonstration() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "demo.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    logins = [line.split() for line in done.stdout.splitlines() if "current_user" in line]
    postgres = (("C", "libpq"), ("Python", "psycopg"), ("Node", "pg"), ("shell", "psql"))
    mariadb = (("rdstoken", "exec", "mariadb"), ("client", "plugin", "mariadb"))
    assert logins == [
        *([*face, "current_user", "=", "app"] for face in postgres),
        *([*way, "current_user", "=", "app@%"] for way in mariadb),
    ]
    assert done.stdout.count("PAM authentication failed") == 3
    for reason in ("the signature does not match", "has expired", "another host or port"):
        assert reason in done.stdout
