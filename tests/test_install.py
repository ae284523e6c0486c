"""`make install`: what a C programmer gets, and that it is enough to compile and run with."""

from __future__ import annotations

import os
import pathlib
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from built import ROOT

if TYPE_CHECKING:
    from built import Command

EXAMPLE = ROOT / "ffi" / "examples" / "presign.c"


def run(*command: str | pathlib.Path, **environment: str) -> str:
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    stage = tmp_path_factory.mktemp("stage")
    run("make", "-C", str(ROOT), "install", "PREFIX=/opt/rdstoken", f"DESTDIR={stage}")
    return stage


@pytest.fixture(scope="module")
def prefix(stage: pathlib.Path) -> pathlib.Path:
    return stage / "opt" / "rdstoken"


def pkg_config(stage: pathlib.Path, *arguments: str) -> list[str]:
    return run(
        "pkg-config",
        *arguments,
        "rdstoken",
        PKG_CONFIG_PATH=str(stage / "opt/rdstoken/lib/pkgconfig"),
        PKG_CONFIG_SYSROOT_DIR=str(stage),
    ).split()


def presign(program: pathlib.Path, case: dict[str, Any], **environment: str) -> str:
    return run(
        program,
        case["hostname"],
        str(case["port"]),
        case["username"],
        str(case["signing_time"]),
        AWS_ACCESS_KEY_ID=case["access_key_id"],
        AWS_SECRET_ACCESS_KEY=case["secret_access_key"],
        AWS_SESSION_TOKEN=case["session_token"] or "",
        **environment,
    ).strip()


def test_the_files(prefix: pathlib.Path, command: Command) -> None:
    version = command.run("--version").stdout.split()[1]
    found = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}
    assert found == {
        "bin/rdstoken",
        "include/rdstoken.h",
        "lib/librdstoken.a",
        "lib/librdstoken.so",
        "lib/librdstoken.so.0",
        f"lib/librdstoken.so.{version}",
        "lib/pkgconfig/rdstoken.pc",
    }
    assert (prefix / "lib/librdstoken.so").readlink() == pathlib.Path("librdstoken.so.0")
    assert (prefix / "lib/librdstoken.so.0").readlink() == pathlib.Path(f"librdstoken.so.{version}")
    assert run(prefix / "bin/rdstoken", "--version") == f"rdstoken {version}\n"


def test_compiling_with_pkg_config(
    stage: pathlib.Path, tmp_path: pathlib.Path, presign_cases: list[dict[str, Any]]
) -> None:
    program = tmp_path / "presign"
    flags = pkg_config(stage, "--cflags", "--libs")
    run("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", EXAMPLE, *flags, "-o", program)
    needed = run("readelf", "--dynamic", program)
    assert "[librdstoken.so.0]" in needed
    case = presign_cases[0]
    library = str(stage / "opt/rdstoken/lib")
    assert presign(program, case, LD_LIBRARY_PATH=library) == case["token"]


def test_linking_statically(
    stage: pathlib.Path, tmp_path: pathlib.Path, presign_cases: list[dict[str, Any]]
) -> None:
    program = tmp_path / "presign"
    flags = pkg_config(stage, "--static", "--cflags", "--libs")
    flags[flags.index("-lrdstoken")] = "-l:librdstoken.a"
    run("cc", "-std=c99", EXAMPLE, *flags, "-o", program)
    case = presign_cases[0]
    assert presign(program, case) == case["token"]


def test_the_library_exports_its_own_names_only(prefix: pathlib.Path) -> None:
    library = prefix / "lib/librdstoken.so"
    exported = {
        line.split()[-1] for line in run("nm", "--dynamic", "--defined-only", library).splitlines()
    }
    header = (ROOT / "include/rdstoken.h").read_text()
    assert exported
    assert all(f" {name}(" in header or f"*{name}(" in header for name in exported), exported
    assert all(name.startswith("rdstoken_") for name in exported)


def test_how_the_library_is_linked(prefix: pathlib.Path) -> None:
    """A soname, and no unloading: a thread that used the library still has its destructors."""
    dynamic = run("readelf", "--dynamic", prefix / "lib/librdstoken.so")
    assert "Library soname: [librdstoken.so.0]" in dynamic
    assert "NODELETE" in dynamic
