"""Signing in Rust, by criterion; through C, beside it; and what can be counted, by valgrind."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

from table import BENCHES, OUT, ROOT, SESSION_TOKEN, Measured, Row, Settings, compiled

if TYPE_CHECKING:
    from collections.abc import Iterator


def criterion(settings: Settings) -> None:
    seconds = "0.5" if settings.quick else "3"
    subprocess.run(
        ["cargo", "bench", "--bench", "sign", "--", "--measurement-time", seconds],
        cwd=BENCHES,
        env=os.environ | {"CARGO_TARGET_DIR": str(OUT)},
        check=True,
    )


def median(group: str, name: str) -> float:
    """In nanoseconds."""
    path = OUT / "criterion" / group / name / "new" / "estimates.json"
    return float(json.loads(path.read_text())["median"]["point_estimate"])


def counted() -> dict[str, dict[str, int]]:
    """Instructions ("Ir") and allocations ("TotalBlocks") of each function, by gungraun."""
    runner = ROOT / "target" / "tools" / "bin" / "gungraun-runner"
    done = subprocess.run(
        ["cargo", "bench", "--bench", "instructions", "--", "--output-format=json"],
        cwd=BENCHES,
        env=os.environ | {"CARGO_TARGET_DIR": str(OUT), "GUNGRAUN_RUNNER": str(runner)},
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, dict[str, int]] = {}
    for line in done.stdout.splitlines():
        summary = json.loads(line)
        for profile in summary["profiles"]:
            of_function = found.setdefault(summary["function_name"], {})
            for name in ("Ir", "TotalBlocks"):
                metric = find(profile["data"]["total"], name)
                if metric is not None:
                    of_function[name] = first_number(metric)
    return found


def find(tree: object, name: str) -> object:
    """What has this name, however deep."""
    if isinstance(tree, dict):
        if name in tree:
            return tree[name]
        return next((hit for part in tree.values() if (hit := find(part, name)) is not None), None)
    if isinstance(tree, list):
        return next((hit for part in tree if (hit := find(part, name)) is not None), None)
    return None


def first_number(tree: object) -> int:
    """The new one, where an old one is beside it."""
    while isinstance(tree, dict):
        tree = next(iter(tree.values()))
    while isinstance(tree, list):
        tree = tree[0]
    return int(str(tree)) if not isinstance(tree, dict) else first_number(tree)


def rows(settings: Settings) -> Iterator[Row]:
    criterion(settings)
    rds, sigv4 = median("sign", "aws-sdk-rds"), median("sign", "aws-sigv4")
    kept = Measured("Rust: sign, key kept", median("sign", "kept"), "ns")
    yield kept.at_most_times(1.25, "SHA-256 alone", median("sign", "floor-kept"))
    yield kept.faster(9, "aws-sdk-rds", rds)
    yield kept.faster(1, "aws-sigv4 presigner", sigv4)
    derived = Measured("Rust: sign, key derived", median("sign", "derived"), "ns")
    yield derived.faster(5, "aws-sdk-rds", rds)
    count = counted()
    beside = count["sign_kept"]["Ir"] - count["sha256_kept"]["Ir"]
    yield Measured("Rust: sign, key kept, beside SHA-256", beside, "instructions").at_most(5000)
    blocks = count["sign_kept"]["TotalBlocks"]
    yield Measured("Rust: sign, key kept", blocks, "allocations").at_most(1)
    done = subprocess.run(
        [compiled("calls.c"), SESSION_TOKEN], check=True, capture_output=True, text=True
    )
    c = json.loads(done.stdout)
    cold = Measured("C: sign, no cache", c["cold"], "ns")
    yield cold.at_most_times(1.1, "Rust's Signer, no cache", median("sign", "signer"))
    yield Measured("C: hit, shared", c["shared"], "ns").at_most(35)
    yield Measured("C: hit, copied", c["copied"], "ns").at_most(55)
    two = Measured("C: hit, two threads on one signer", c["two_threads"], "ns")
    yield two.at_most_times(1.1, "one thread", c["one_thread"])
