"""What the tests across the parts share."""

from __future__ import annotations

import os
from typing import Any

import pytest

from built import Command, read_json

if "RDSTOKEN_TEST_GUARD" not in os.environ:
    pytest.exit("run the tests through tests/guard.sh, as `make test` does", returncode=2)


@pytest.fixture(scope="session")
def command() -> Command:
    return Command()


@pytest.fixture(scope="session")
def presign_cases() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = read_json("vectors/presign.json")["cases"]
    return cases


@pytest.fixture(scope="session")
def endpoints() -> dict[str, Any]:
    return read_json("vectors/endpoints.json")
