"""The README's examples run."""

from __future__ import annotations

import pathlib
import re
import sys
import types
from typing import Any
from unittest import mock

import pytest
import rdstoken
from helpers import parsed

README = pathlib.Path(__file__).parents[1] / "README.md"


@pytest.mark.usefixtures("keys_in_environment")
def test_the_examples_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connect = mock.Mock()
    psycopg = types.ModuleType("psycopg")
    psycopg.__dict__["connect"] = connect
    monkeypatch.setitem(sys.modules, "psycopg", psycopg)

    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(README), "exec"), names)  # noqa: S102 - our own README

    connect.assert_called_once()
    password = connect.call_args.kwargs["password"]
    authority, _ = parsed(password)
    assert authority == f"{connect.call_args.kwargs['host']}:{connect.call_args.kwargs['port']}"
    assert capsys.readouterr().out.splitlines() == [
        f"{names['signer'].expires_at} 1",
        "RegionNotFound",
    ]


def test_every_exception_is_listed() -> None:
    text = README.read_text(encoding="utf-8")
    for name in rdstoken.__all__:
        if name.endswith("Error") and name != "Error":
            assert f"| `{name}`" in text
