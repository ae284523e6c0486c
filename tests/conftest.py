"""What the tests across the parts share."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TESTS = pathlib.Path(__file__).parent
ROOT = TESTS.parent

if "RDSTOKEN_TEST_GUARD" not in os.environ:
    pytest.exit("run the tests through tests/guard.sh, as `make test` does", returncode=2)


class Command:
    """The `rdstoken` command, as built by `make build`."""

    path = ROOT / "target" / "release" / "rdstoken"

    def run(
        self, *arguments: str, env: Mapping[str, str] | None = None, under: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*under, self.path, *arguments],
            env=os.environ | dict(env or {}),
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def command() -> Command:
    return Command()


def read_json(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((TESTS / name).read_text())
    return data


@pytest.fixture(scope="session")
def presign_cases() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = read_json("vectors/presign.json")["cases"]
    return cases


@pytest.fixture(scope="session")
def endpoints() -> dict[str, Any]:
    return read_json("vectors/endpoints.json")
