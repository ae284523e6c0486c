"""What the tests of the sources share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from cases import Canary, compile_probe

if TYPE_CHECKING:
    import pathlib

assert "RDSTOKEN_TEST_GUARD" in os.environ, "run this through tests/guard.sh"


@pytest.fixture(scope="session")
def canary() -> Canary:
    return Canary()


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return compile_probe(tmp_path_factory.mktemp("probe") / "probe")
