"""What docs/c-drivers.md and the plugin's README show is done as it stands there, with what `make
install` installs, and is part of a program that is tested.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from signers import USER

from built import ROOT

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from signers import Logins

EXAMPLES = ROOT / "ffi" / "examples"
C_DRIVERS = ROOT / "docs" / "c-drivers.md"
PLUGIN = ROOT / "bindings" / "mariadb"
PREFIX = "/usr/local"


def blocks(page: pathlib.Path, *languages: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        if found[1] in languages:
            yield found[1], found[2]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Where everything is installed."""
    prefix = tmp_path_factory.mktemp("prefix")
    command = ["make", "-C", str(ROOT), "install", f"PREFIX={prefix}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return prefix


class Page:
    """A folder in which the blocks of a page are done, one after the other."""

    def __init__(self, directory: pathlib.Path, prefix: pathlib.Path, *servers: Logins) -> None:
        self._directory, self._prefix = directory, prefix
        self._ports = {"5432": servers[0].port, "3306": servers[-1].port}
        self._host = servers[0].host
        # Either server's certificate, and either's keys, under one name.
        bundle = "".join(server.server.ca_file.read_text() for server in servers)
        (directory / "global-bundle.pem").write_text(bundle)
        keys = [server.server.credentials_file.read_text() for server in servers]
        for port, text in zip(self._ports, keys if len(keys) == 2 else keys * 2, strict=True):
            (directory / f"credentials-{port}").write_text(text)

    def done(self, language: str, text: str) -> str:
        port = "3306" if "3306" in text or "mydb\n" in text else "5432"
        for documented, real in self._ports.items():
            text = re.sub(rf"\b{documented}\b", str(real), text)
        text = text.replace("mydb.cluster-abc123.us-east-1.rds.amazonaws.com", self._host)
        text = text.replace(PREFIX, str(self._prefix))
        if language == "ini":
            for documented in ("/etc/ssl/", "/home/me/"):
                text = text.replace(documented, f"{self._directory}/")
            name = ".my.cnf" if text.startswith("[client]") else ".odbc.ini"
            with (self._directory / name).open("a") as file:
                file.write(text)
            return ""
        if language == "cmake":
            text = f"cmake_minimum_required(VERSION 3.13)\nproject(app CXX)\n{text}"
            (self._directory / "CMakeLists.txt").write_text(text)
            text = f"cmake -B build -D CMAKE_PREFIX_PATH={self._prefix} . >&2\n"
            text += "cmake --build build >&2\n"
        return self._shell(text, port)

    def _shell(self, text: str, port: str) -> str:
        done = subprocess.run(
            ["sh", "-e", "-u"],
            input=text,
            env=os.environ
            | {
                "HOME": str(self._directory),
                "ODBCINI": str(self._directory / ".odbc.ini"),
                "PATH": f"{self._prefix}/bin:{os.environ['PATH']}",
                # What the page says of another prefix than its own.
                "LD_LIBRARY_PATH": f"{self._prefix}/lib",
                "PKG_CONFIG_PATH": f"{self._prefix}/lib/pkgconfig",
                "AWS_SHARED_CREDENTIALS_FILE": str(self._directory / f"credentials-{port}"),
            },
            cwd=self._directory,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, text + done.stdout + done.stderr
        return done.stdout


def test_the_page_on_drivers(
    postgres: Logins, mariadb: Logins, prefix: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    for example in EXAMPLES.iterdir():
        shutil.copy(example, tmp_path)
    page = Page(tmp_path, prefix, postgres, mariadb)
    logged_in = 0
    for language, text in blocks(C_DRIVERS, "sh", "ini", "cmake"):
        if " mymaria " in text:
            text = text.replace("demo", mariadb.dbname)  # noqa: PLW2901
        output = page.done(language, text)
        if "./" in text or "isql" in text:
            assert USER in output
            logged_in += 1
    assert logged_in == 8
    assert (tmp_path / "build" / "login").is_file()


def test_the_page_on_the_plugin(
    mariadb: Logins, prefix: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    page = Page(tmp_path, prefix, mariadb)
    outputs = [page.done(*block) for block in blocks(PLUGIN / "README.md", "sh", "ini")]
    assert [USER in output for output in outputs] == [False, True, False, True, True]


@pytest.mark.parametrize(
    ("page", "sources"),
    [(C_DRIVERS, EXAMPLES), (PLUGIN / "README.md", PLUGIN / "examples")],
    ids=["drivers", "plugin"],
)
def test_fragments_are_of_programs_that_run(page: pathlib.Path, sources: pathlib.Path) -> None:
    programs = [source.read_text() for source in sources.iterdir()]
    fragments = list(blocks(page, "c", "cpp"))
    assert fragments
    for _, fragment in fragments:
        assert any(fragment in program for program in programs), fragment


@pytest.mark.parametrize("page", [C_DRIVERS, PLUGIN / "README.md"], ids=["drivers", "plugin"])
def test_configuration_files_serve_in_every_folder(page: pathlib.Path) -> None:
    """A relative name in them is looked for where the program runs."""
    text = "".join(text for _, text in blocks(page, "ini"))
    paths = re.findall(r"(?i)(?:ssl-?ca|sslrootcert|passfile|plugin.dir) *= *(\S+)", text)
    assert paths
    assert [path for path in paths if not path.startswith("/")] == []


def test_every_setting_is_listed() -> None:
    source = (PLUGIN / "src" / "settings.rs").read_text()
    names = set(re.findall(r'"(RDSTOKEN_\w+)"', source))
    assert names == set(re.findall(r"`(RDSTOKEN_\w+)`", (PLUGIN / "README.md").read_text()))


def test_every_link_leads_somewhere() -> None:
    for page in (C_DRIVERS, PLUGIN / "README.md"):
        for target in re.findall(r"\]\((?!https:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), target
