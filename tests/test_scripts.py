"""What stands under all the tests: the Makefile, guard.sh and packages.sh."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from built import ROOT, TESTS

if TYPE_CHECKING:
    from collections.abc import Sequence


def finish(*command: str | pathlib.Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )


# The Makefile.


def make(*arguments: str, where: pathlib.Path = ROOT) -> subprocess.CompletedProcess[str]:
    # Not as a part of the `make` that may run this.
    command = ["make", "--no-print-directory", "-C", str(where), *arguments]
    return finish(*command, MAKEFLAGS="", CARGO_TARGET_DIR="/elsewhere")


@pytest.fixture
def elsewhere(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with a space in its name, and the Makefile."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    for name in ("Makefile", "Cargo.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def test_cargo_builds_where_make_looks() -> None:
    done = make("--eval", "show:;@echo $$CARGO_TARGET_DIR", "show")
    assert done.stdout == f"{ROOT}/target\n"


def test_a_path_that_make_cannot_deal_with(elsewhere: pathlib.Path) -> None:
    done = make("help", where=elsewhere)
    assert done.returncode != 0
    assert f'a folder with a space in its path: move "{elsewhere}"' in done.stderr
    assert make("help", where=elsewhere.rename(elsewhere.with_name("folder"))).returncode == 0


def test_one_target_at_a_time() -> None:
    first = "first:;@sleep 0.3; echo first"
    targets = f"{first}\nsecond:;@echo second\n.PHONY: all\nall: first second"
    assert make("-j2", "--eval", targets, "all").stdout == "first\nsecond\n"


@pytest.mark.parametrize(("version", "is_enough"), [((3, 10), False), ((3, 11), True)])
def test_the_python_of_the_tests(
    elsewhere: pathlib.Path, version: tuple[int, int], *, is_enough: bool
) -> None:
    folder = elsewhere.rename(elsewhere.with_name("folder"))
    python = folder / "python"
    program = f"import sys; sys.version_info = {version}; exec(sys.argv[1])"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{program}" "$2"\n')
    python.chmod(0o755)
    done = make("test-python-version", f"PYTHON={python}", where=folder)
    if is_enough:
        assert (done.returncode, done.stderr) == (0, "")
    else:
        said, *_ = done.stderr.splitlines()
        assert said.startswith("The tests take Python 3.11 or newer, and this is 3.10.")
        assert done.returncode != 0


# guard.sh.

GUARD = TESTS / "guard.sh"
NOWHERE = "http://127.0.0.1:9"


def test_nothing_of_the_users_settings_is_left() -> None:
    mine = {
        "AWS_PROFILE": "mine",
        "AWS_ENDPOINT_URL_STS": "https://mine.example",
        "PGHOST": "mine",
        "MYSQL_PWD": "mine",
        "LIBMYSQL_PLUGINS": "mine",
        "MARIADB_PLUGIN_DIR": "mine",
        "RDSTOKEN_HOSTNAME": "mine",
        "HTTPS_PROXY": "http://mine.example",
    }
    suites = {"RDSTOKEN_WRITE_DRIVERS": "1", "RDSTOKEN_TEST_HOSTS": " a b "}
    lines = finish(GUARD, "env", **mine, **suites).stdout.splitlines()
    left = dict(line.split("=", 1) for line in lines)
    assert not set(mine) & set(left)
    assert suites.items() <= left.items()
    assert left["AWS_ENDPOINT_URL"] == left["AWS_EC2_METADATA_SERVICE_ENDPOINT"] == NOWHERE
    assert not pathlib.Path(left["HOME"]).exists()


def test_the_guard_ends_as_its_command_does() -> None:
    assert finish(GUARD, "sh", "-c", "exit 3").returncode == 3


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_signals_leave_nothing_behind(tmp_path: pathlib.Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [GUARD, "sh", "-c", "echo ready; exec sleep 60"],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    assert len(list(tmp_path.iterdir())) == 1
    os.killpg(process.pid, number)
    process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []


# packages.sh.


class Machine:
    """Programs of our own in the place of the system's, which write down how they are called."""

    def __init__(self, directory: pathlib.Path, programs: Sequence[str], *, user: int) -> None:
        self._path, self._calls = directory, directory / "calls"
        self._program("dpkg-query", 'case "$*" in *there) echo installed ;; *) exit 1 ;; esac')
        self._program("id", f"echo {user}")
        for name in programs:
            program = {
                "sudo": 'echo sudo >> "$CALLS"; exec env -i PATH="$PATH" CALLS="$CALLS" "$@"',
                "apt-get": 'echo "$DEBIAN_FRONTEND: $*" >> "$CALLS"',
            }
            self._program(name, program[name])
        for name in ("sh", "env"):
            (self._path / name).symlink_to(str(shutil.which(name)))

    def _program(self, name: str, text: str) -> None:
        path = self._path / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def install(self, *packages: str) -> subprocess.CompletedProcess[str]:
        where = {"PATH": str(self._path), "CALLS": str(self._calls)}
        return finish("/bin/sh", TESTS / "packages.sh", *packages, **where)

    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines() if self._calls.exists() else []


APT_GET = [
    "noninteractive: update -qq",
    "noninteractive: install -y -qq --no-install-recommends one two",
]


@pytest.mark.parametrize(
    ("user", "calls"),
    [(0, APT_GET), (1000, ["sudo", APT_GET[0], "sudo", APT_GET[1]])],
    ids=["root", "sudo"],
)
def test_what_is_missing_is_installed(tmp_path: pathlib.Path, user: int, calls: list[str]) -> None:
    machine = Machine(tmp_path, ["apt-get", "sudo"], user=user)
    done = machine.install("one", "there", "two")
    assert done.returncode == 0, done.stderr
    assert machine.calls() == calls


def test_nothing_is_missing(tmp_path: pathlib.Path) -> None:
    machine = Machine(tmp_path, ["apt-get"], user=0)
    done = machine.install("there")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.calls() == []


@pytest.mark.parametrize(
    ("programs", "said"),
    [
        (["apt-get"], "install these packages as root, then try again: apt-get install one two"),
        ([], "install what these Debian packages hold, then try again: one two"),
    ],
    ids=["no sudo", "no apt-get"],
)
def test_who_cannot_install_is_told_what(
    tmp_path: pathlib.Path, programs: list[str], said: str
) -> None:
    machine = Machine(tmp_path, programs, user=1000)
    done = machine.install("one", "there", "two")
    assert done.returncode == 1
    assert (done.stdout, done.stderr) == ("", f"Please {said}\n")
    assert machine.calls() == []
