"""Signing in Rust, by criterion; and through C, beside it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

from table import BENCHES, OUT, ROOT, SESSION_TOKEN, Measured, Row, Settings, compiled

if TYPE_CHECKING:
    from collections.abc import Iterator


def install() -> None:
    subprocess.run(["cargo", "fetch", "--quiet", "--locked"], cwd=BENCHES, check=True)


def criterion(settings: Settings) -> None:
    seconds = "0.5" if settings.quick else "3"
    subprocess.run(
        [*("cargo", "bench", "--locked", "--bench", "sign"), "--", "--measurement-time", seconds],
        cwd=BENCHES,
        env=os.environ | {"CARGO_TARGET_DIR": str(OUT)},
        check=True,
    )


def median(group: str, name: str) -> float:
    """In nanoseconds."""
    path = OUT / "criterion" / group / name / "new" / "estimates.json"
    return float(json.loads(path.read_text())["median"]["point_estimate"])


def rows(settings: Settings) -> Iterator[Row]:
    criterion(settings)
    rds, sigv4 = median("sign", "aws-sdk-rds"), median("sign", "aws-sigv4")
    kept = Measured("Rust: sign, key kept", median("sign", "kept"), "ns")
    yield kept.at_most_times(1.25, "SHA-256 alone", median("sign", "floor-kept"))
    yield kept.faster(9, "aws-sdk-rds", rds)
    yield kept.faster(1, "aws-sigv4 presigner", sigv4)
    derived = Measured("Rust: sign, key derived", median("sign", "derived"), "ns")
    yield derived.faster(5, "aws-sdk-rds", rds)
    # Counted by CI, which allows 3 % more.
    counted = json.loads((ROOT / "tests" / "performance.json").read_text())
    beside = counted["cold_instructions_beside_sha256"]
    yield Measured("C: sign, beside SHA-256", beside, "instructions").at_most(5000)
    done = subprocess.run(
        [compiled("calls.c"), SESSION_TOKEN], check=True, capture_output=True, text=True
    )
    c = json.loads(done.stdout)
    cold = Measured("C: sign, no cache", c["cold"], "ns")
    yield cold.at_most_times(1.1, "SigningKey::presign", kept.ours)
    yield cold.at_most_times(1.1, "Rust's Signer, no cache", median("sign", "signer"))
    yield Measured("C: hit, shared", c["shared"], "ns").at_most(35)
    yield Measured("C: hit, copied", c["copied"], "ns").at_most(55)
    two = Measured("C: hit, two threads on one signer", c["two_threads"], "ns")
    yield two.at_most_times(1.1, "one thread", c["one_thread"])
