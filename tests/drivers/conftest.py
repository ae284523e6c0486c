"""What the tests of the drivers share: one PostgreSQL and one MariaDB for all of them.

They run through tests/guard.sh, and through tests/hosts.sh for the drivers that connect to the
endpoint's name alone.
"""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import pytest
from common import AccessKey
from mariadb import MariaDB
from postgres import Postgres
from signers import LENGTHS, Logins

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator


if "RDSTOKEN_TEST_GUARD" not in os.environ or "RDSTOKEN_TEST_HOSTS" not in os.environ:
    pytest.exit(
        "run these through tests/guard.sh tests/hosts.sh, as `make test` does", returncode=2
    )


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logins]:
    with Postgres(token_lengths=LENGTHS, credentials=_more(tmp_path_factory)) as server:
        yield Logins(server)


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logins]:
    with MariaDB(token_lengths=LENGTHS, credentials=_more(tmp_path_factory)) as server:
        yield Logins(server)


def _more(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A file of keys, for `Logins.learn` to replace."""
    path = tmp_path_factory.mktemp("keys") / "credentials"
    path.touch(mode=0o600)
    path.write_text(AccessKey.random().section("none"))
    return path


@pytest.fixture(scope="session")
def settled() -> Iterator[None]:
    """What is there by now need not be looked at by each collection."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def collect(settled: None) -> Iterator[None]:  # noqa: ARG001
    """Whatever a test leaves to the collector is collected before the next one."""
    yield
    gc.collect()
