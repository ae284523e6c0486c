"""`make install`: what a C or C++ programmer gets, and that it is enough to compile with pkg-config
or CMake and to log in to a real server.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from postgres import Postgres

from built import ROOT, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from built import Command

EXAMPLES = ROOT / "ffi" / "examples"
EXAMPLE = EXAMPLES / "presign.c"


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
        "include/rdstoken.hpp",
        "lib/cmake/rdstoken/rdstoken-config-version.cmake",
        "lib/cmake/rdstoken/rdstoken-config.cmake",
        "lib/librdstoken.a",
        "lib/librdstoken.so",
        "lib/librdstoken.so.0",
        f"lib/librdstoken.so.{version}",
        "lib/pkgconfig/rdstoken.pc",
        "lib/rdstoken/plugin/mysql_clear_password.so",
    }
    assert (prefix / "lib/librdstoken.so").readlink() == pathlib.Path("librdstoken.so.0")
    assert (prefix / "lib/librdstoken.so.0").readlink() == pathlib.Path(f"librdstoken.so.{version}")
    assert run(prefix / "bin/rdstoken", "--version") == f"rdstoken {version}\n"


@pytest.mark.parametrize("destdir", [False, True])
@pytest.mark.parametrize("code", [0, 1])
def test_the_loaders_cache(tmp_path: pathlib.Path, code: int, *, destdir: bool) -> None:
    """It is renewed where the library is for this machine; who may not renew it can install."""
    ldconfig = tmp_path / "ldconfig"
    ldconfig.write_text(f"#!/bin/sh\necho renewed >{tmp_path}/said\nexit {code}\n")
    ldconfig.chmod(0o700)
    where = [f"PREFIX={tmp_path}/prefix"]
    if destdir:
        where = ["PREFIX=/opt/rdstoken", f"DESTDIR={tmp_path}/stage"]
    run("make", "-C", str(ROOT), "install", *where, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (tmp_path / "said").exists() != destdir


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


def test_where_the_client_plugin_is(stage: pathlib.Path) -> None:
    (directory,) = pkg_config(stage, "--variable=plugindir")
    assert directory == f"{stage}/opt/rdstoken/lib/rdstoken/plugin"


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


# Logging in with what was installed.


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


def log_in(program: pathlib.Path, server: Postgres, **environment: str) -> str:
    return run(
        program,
        server.host,
        str(server.port),
        server.users[0],
        AWS_SHARED_CREDENTIALS_FILE=str(server.credentials_file),
        PGHOSTADDR=server.hostaddr,
        PGDATABASE=server.dbname,
        PGSSLROOTCERT=str(server.ca_file),
        **environment,
    ).strip()


@pytest.mark.parametrize(
    ("compiler", "file"), [("cc -std=c99", "login.c"), ("c++ -std=c++17", "login.cpp")]
)
def test_logging_in_with_pkg_config(
    stage: pathlib.Path, tmp_path: pathlib.Path, server: Postgres, compiler: str, file: str
) -> None:
    program = tmp_path / "login"
    libpq = run("pkg-config", "--cflags", "--libs", "libpq").split()
    flags = pkg_config(stage, "--cflags", "--libs") + libpq
    run(*compiler.split(), "-Wall", "-Werror", EXAMPLES / file, *flags, "-o", program)
    library = str(stage / "opt/rdstoken/lib")
    assert log_in(program, server, LD_LIBRARY_PATH=library) == server.users[0]


CMAKE = """
cmake_minimum_required(VERSION 3.13)
project(app C CXX)
find_package(rdstoken 0.1 REQUIRED)
find_package(PostgreSQL REQUIRED)
add_executable(in_c {examples}/login.c)
target_link_libraries(in_c rdstoken::rdstoken PostgreSQL::PostgreSQL)
add_executable(in_cpp {examples}/login.cpp)
target_compile_features(in_cpp PRIVATE cxx_std_17)
target_link_libraries(in_cpp rdstoken::rdstoken PostgreSQL::PostgreSQL)
add_executable(static {examples}/login.c)
target_link_libraries(static rdstoken::static PostgreSQL::PostgreSQL)
file(WRITE ${{CMAKE_BINARY_DIR}}/plugins "${{rdstoken_PLUGIN_DIR}}")
"""


def configure(
    stage: pathlib.Path, directory: pathlib.Path, text: str
) -> subprocess.CompletedProcess[str]:
    (directory / "CMakeLists.txt").write_text(text)
    prefix = f"-DCMAKE_PREFIX_PATH={stage}/opt/rdstoken"
    command = ["cmake", "-S", str(directory), "-B", str(directory / "build"), prefix]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_logging_in_with_cmake(
    stage: pathlib.Path, tmp_path: pathlib.Path, server: Postgres
) -> None:
    done = configure(stage, tmp_path, CMAKE.format(examples=EXAMPLES))
    assert done.returncode == 0, done.stderr
    run("cmake", "--build", tmp_path / "build")
    # CMake leaves the library's place in the programs.
    for name in ("in_c", "in_cpp", "static"):
        assert log_in(tmp_path / "build" / name, server) == server.users[0]
    assert "[librdstoken.so.0]" in run("readelf", "--dynamic", tmp_path / "build" / "in_c")
    assert "rdstoken" not in run("readelf", "--dynamic", tmp_path / "build" / "static")
    plugins = pathlib.Path((tmp_path / "build" / "plugins").read_text())
    assert (plugins / "mysql_clear_password.so").is_file()


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("", True),
        ("0", True),
        ("0.1", True),
        ("0.1.0 EXACT", True),
        ("0.0", False),
        ("0.1.1", False),
        ("0.2", False),
        ("1", False),
    ],
)
def test_versions_that_cmake_finds(
    stage: pathlib.Path, tmp_path: pathlib.Path, version: str, *, found: bool
) -> None:
    text = "cmake_minimum_required(VERSION 3.13)\nproject(app NONE)\n"
    done = configure(stage, tmp_path, f"{text}find_package(rdstoken {version} REQUIRED)\n")
    assert (done.returncode == 0) == found, done.stderr
