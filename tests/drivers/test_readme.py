"""The quick starts of README.md, and the programs of bindings/python/README.md, log in as they
stand there. Those of bindings/node are its own tests'; the one in C is part of a program that runs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from built import ROOT

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Sequence

    from signers import Logins

README = ROOT / "README.md"
PYTHON_README = ROOT / "bindings" / "python" / "README.md"


def blocks(page: pathlib.Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run(logins: Logins, command: Sequence[str], program: str, directory: pathlib.Path) -> str:
    program = re.sub(r"mydb\.cluster-\w+\.us-east-1\.rds\.amazonaws\.com", logins.host, program)
    program = program.replace("5432", str(logins.port)).replace("global-bundle.pem", logins.ca_file)
    path = os.environ["PATH"]
    done = subprocess.run(
        command,
        input=program,
        cwd=directory,
        env=os.environ
        | {
            "AWS_SHARED_CREDENTIALS_FILE": str(logins.server.credentials_file),
            "PATH": f"{ROOT / 'target' / 'release'}:{path}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("language", "command", "directory"),
    [
        ("python", [sys.executable, "-"], ROOT),
        # Where Node finds the package, and pg.
        ("js", ["node", "--input-type=module", "-"], ROOT / "bindings" / "node"),
    ],
)
def test_the_quick_starts_log_in(
    postgres: Logins, language: str, command: list[str], directory: pathlib.Path
) -> None:
    (program,) = blocks(README, language)
    assert "app" in run(postgres, command, program, directory)


def test_the_quick_start_of_the_shell_logs_in(postgres: Logins, tmp_path: pathlib.Path) -> None:
    commands, start = blocks(README, "sh")
    assert commands.splitlines()[0].startswith("make run ")
    assert "app" in run(postgres, ["sh", "-eu"], start, tmp_path)


def test_the_quick_start_of_c_is_of_a_program_that_runs() -> None:
    (fragment,) = blocks(README, "c")
    assert fragment in (ROOT / "ffi" / "examples" / "login.c").read_text()


def test_the_programs_of_pythons_readme_run(postgres: Logins, tmp_path: pathlib.Path) -> None:
    programs = blocks(PYTHON_README, "python")
    assert len(programs) == 5
    user, expiry, code = run(
        postgres, [sys.executable, "-"], "".join(programs), tmp_path
    ).splitlines()
    assert user == "('app',)"
    assert expiry.endswith("+00:00 1")
    assert code == "RegionNotFound"


def test_every_link_leads_somewhere() -> None:
    for page in (README, PYTHON_README, *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), (page.name, target)
