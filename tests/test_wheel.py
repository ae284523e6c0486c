"""What a Python user installs: the wheel in a fresh virtual environment, with a driver beside it,
logs in to a real server.
"""

from __future__ import annotations

import pathlib
import sys
import venv
import zipfile

import pytest
from postgres import Postgres

from built import ROOT, run

PACKAGE = ROOT / "bindings" / "python"
LIMIT = 7 * 1024 * 1024


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    directory = tmp_path_factory.mktemp("wheel")
    maturin = pathlib.Path(sys.executable).with_name("maturin")
    manifest = PACKAGE / "Cargo.toml"
    run(maturin, "build", "--quiet", "--release", "--locked", "-m", manifest, "-o", directory)
    (wheel,) = directory.glob("*.whl")
    return wheel


def test_what_is_in_it(wheel: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    sources = (PACKAGE / "python").rglob("*")
    ours = {str(path.relative_to(PACKAGE / "python")) for path in sources if path.is_file()}
    ours = {name for name in ours if "__pycache__" not in name and not name.endswith(".so")}
    assert ours <= names
    assert wheel.stat().st_size < LIMIT


def test_it_logs_in(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    # The Makefile has fetched the driver, so that no test asks a registry.
    kept = ["--no-index", "--find-links", str(pathlib.Path(sys.prefix, "wheels"))]
    run(python, "-m", "pip", "install", "--quiet", *kept, wheel, "psycopg[binary]")
    with Postgres() as server:
        printed = run(
            python,
            PACKAGE / "examples" / "login.py",
            server.host,
            str(server.port),
            "app",
            AWS_SHARED_CREDENTIALS_FILE=str(server.credentials_file),
            PGHOSTADDR=server.hostaddr,
            PGDATABASE=server.dbname,
            PGSSLMODE="verify-full",
            PGSSLROOTCERT=str(server.ca_file),
        )
    assert printed == "app\n"
