"""Made-up keys, and the readers of what all languages share."""

from __future__ import annotations

import functools
import importlib.util
import json
import pathlib
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TESTS = pathlib.Path(__file__).parents[3] / "tests"

HOSTNAME = "mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com"
ACCESS_KEY_ID = "AKIDEXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SESSION_TOKEN = "FwoGZXIvYXdzE+/made/up=="
SIGNING_TIME = 1_767_225_600  # 2026-01-01T00:00:00Z


def shared_json(path: str) -> Any:
    return json.loads((TESTS / path).read_text(encoding="utf-8"))


def wait_for_the_next_second() -> None:
    """Past the next full second, when a new signature differs from the last."""
    time.sleep(1.01 - time.time() % 1)


def parsed(token: str) -> tuple[str, dict[str, str]]:
    """The token's `host:port` and its parameters, decoded."""
    url = urlsplit("https://" + token)
    assert url.path == "/"
    return url.netloc, dict(parse_qsl(url.query, strict_parsing=True))


def botocore_token(**request: Any) -> str:
    """What botocore, AWS's own signer, makes of a request of tests/vectors."""
    token: str = vector_generator().sign(request, request["region"])["token"]
    return token


@functools.cache
def vector_generator() -> Any:
    spec = importlib.util.spec_from_file_location("generate", TESTS / "vectors" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
