"""The README names all there is. Its programs are run, against a real server, in tests/drivers."""

from __future__ import annotations

import pathlib

import pytest
import rdstoken

README = pathlib.Path(__file__).parents[1] / "README.md"


def test_every_exception_is_listed() -> None:
    text = README.read_text(encoding="utf-8")
    for name in rdstoken.__all__:
        if name.endswith("Error") and name != "Error":
            assert f"| `{name}`" in text


@pytest.mark.parametrize("path", sorted(pathlib.Path(rdstoken.__file__).parent.glob("[a-z]*.py")))
def test_every_driver_is_named(path: pathlib.Path) -> None:
    assert f"`{path.stem}`" in README.read_text(encoding="utf-8").replace("rdstoken.", "")
