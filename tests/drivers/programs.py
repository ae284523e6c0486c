"""C and C++ programs for the tests of the drivers: how they are compiled, run and spoken to, and a
server that refuses a good password once.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from built import ROOT

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator, Mapping

    from signers import Logins
    from typing_extensions import Self

EXAMPLES = ROOT / "ffi" / "examples"
RELEASE = ROOT / "target" / "release"
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")

PLUGIN = RELEASE / "mysql_clear_password.so"


def compile_program(source: pathlib.Path, directory: pathlib.Path, *packages: str) -> pathlib.Path:
    """Compiles and links one file, with rdstoken as `make build` left it."""
    program = directory / f"{source.stem}-{source.suffix[1:]}"
    libraries = subprocess.run(
        ["pkg-config", "--cflags", "--libs", *packages],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.split()
    ours = [f"-I{ROOT / 'include'}", f"-L{RELEASE}", f"-Wl,-rpath,{RELEASE}", "-lrdstoken"]
    compiler = {
        ".c": ["cc", "-std=c99", "-D_POSIX_C_SOURCE=200809L"],
        ".cpp": ["c++", "-std=c++17"],
    }[source.suffix]
    done = subprocess.run(
        [*compiler, *WARNINGS, source, "-o", program, *ours, *libraries, "-pthread"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return program


def environment(logins: Logins, profile: str = "default", **more: str) -> dict[str, str]:
    """Credentials as a user has them, in a file, and what programs leave to libpq's variables."""
    return {
        "AWS_SHARED_CREDENTIALS_FILE": str(logins.server.credentials_file),
        "AWS_PROFILE": profile,
        "PGDATABASE": logins.dbname,
        "PGSSLROOTCERT": logins.ca_file,
        **more,
    }


class Program:
    """A running program that does something for each line that it is given, and answers in one."""

    def __init__(self, *command: str | pathlib.Path, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | dict(env),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()

    def answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().rstrip("\n")

    def ask(self, line: str = "") -> str:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self.answer()

    def end(self) -> str:
        """Ends its input, and answers what it had to say on standard error."""
        return self._process.communicate(timeout=30)[1]

    @property
    def code(self) -> int:
        return self._process.wait(timeout=30)


def run(
    *command: str | pathlib.Path, env: Mapping[str, str], text: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        env=os.environ | dict(env),
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextlib.contextmanager
def refusing_once(logins: Logins) -> Iterator[None]:
    """The server refuses the next login after it has read and checked the password."""
    server = logins.server
    before = server.pam_service_file.read_text()
    mark = server._server / "refuse-once"  # noqa: SLF001
    script = server._server / "refuse-once.sh"  # noqa: SLF001
    server._write(mark, "", give=True)  # noqa: SLF001
    server._write(script, f"#!/bin/sh\n! rm {mark}\n", give=True)  # noqa: SLF001
    script.chmod(0o700)
    refuse = f"auth required pam_exec.so quiet {script}\n"
    server._write(  # noqa: SLF001
        server.pam_service_file, before.replace("account ", f"{refuse}account ", 1), give=True
    )
    try:
        yield
    finally:
        server._write(server.pam_service_file, before, give=True)  # noqa: SLF001
        with contextlib.suppress(FileNotFoundError):
            mark.unlink()


def install_plugin(directory: pathlib.Path) -> pathlib.Path:
    """A directory with the client plugin alone."""
    shutil.copy(PLUGIN, directory)
    return directory
