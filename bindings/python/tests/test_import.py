"""What the package loads, and what it leaves until it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest
import rdstoken
from helpers import HOSTNAME

# Each of them takes longer to load than rdstoken.
SLOW = {"asyncio", "calendar", "collections", "datetime", "inspect", "logging", "re", "typing"}


def loaded(program: str) -> set[str]:
    # Without site: it loads what it finds in site-packages.
    path = f"import sys; sys.path = {sys.path!r}\n"
    told = f"{path}{program}\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-S", "-c", told], check=True, capture_output=True, text=True
    )
    return set(run.stdout.split())


@pytest.mark.usefixtures("keys_in_environment")
def test_signing_loads_nothing_slow() -> None:
    program = f"import rdstoken\nrdstoken.Signer('{HOSTNAME}', 1, 'app').token()"
    assert loaded(program).isdisjoint(SLOW)


@pytest.mark.parametrize(
    "wish",
    [
        "rdstoken.Credentials('a', 'b', expires_at=4e9).expires_at",
        "rdstoken.Stats",
        "rdstoken.limits()",
        "rdstoken.Signer('db.example.com', 1, 'app').stats()",
    ],
)
def test_what_is_left_comes_when_it_is_needed(wish: str) -> None:
    assert not loaded(f"import rdstoken\n{wish}").isdisjoint(SLOW)


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(AttributeError, match="module 'rdstoken' has no attribute 'nothing'"):
        rdstoken.nothing  # type: ignore[attr-defined]  # noqa: B018
