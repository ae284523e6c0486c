"""Where things are, how they are read and run, and the `rdstoken` command as built."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TESTS = pathlib.Path(__file__).resolve().parent
ROOT = TESTS.parent


def run(*command: str | pathlib.Path, **environment: str) -> str:
    """What a program printed, which must have ended well."""
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_json(name: str) -> dict[str, Any]:
    """A file of data in tests/."""
    data: dict[str, Any] = json.loads((TESTS / name).read_text())
    return data


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
