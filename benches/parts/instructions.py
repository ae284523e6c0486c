"""Instructions and allocations in Rust, by gungraun on valgrind's callgrind and DHAT, which hardly
wobble. Valgrind knows no SHA instructions, so SHA-256 alone is counted too, and taken off.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

from table import BENCHES, OUT, Measured, Row, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNNER = OUT / "bin" / "gungraun-runner"


def install() -> None:
    """The runner that goes with the library; Cargo does nothing if it is there already."""
    manifest = (BENCHES / "Cargo.toml").read_text()
    version = re.search(r'^gungraun = \{ version = "(.*?)"', manifest, re.MULTILINE)
    assert version
    command = ["cargo", "install", "--quiet", "--locked", "gungraun-runner"]
    subprocess.run(
        [*command, "--root", OUT, "--version", version[1]],
        env=os.environ | {"CARGO_TARGET_DIR": str(OUT / "gungraun-runner")},
        check=True,
    )


def counts() -> dict[str, dict[str, int]]:
    """Of each benchmark: `Ir`, the instructions, and `TotalBlocks`, the allocations."""
    done = subprocess.run(
        ["cargo", "bench", "--locked", "--bench", "instructions", "--", "--output-format=json"],
        cwd=BENCHES,
        env=os.environ | {"CARGO_TARGET_DIR": str(OUT), "GUNGRAUN_RUNNER": str(RUNNER)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, dict[str, int]] = {}
    for line in done.stdout.splitlines():
        summary = json.loads(line)
        metrics = found.setdefault(summary["function_name"], {})
        for profile in summary["profiles"]:
            for part in profile["data"]["parts"]:
                for name, values in part["metrics"].items():
                    metrics[name] = values["values"]["new"]
    return found


def rows(_: Settings) -> Iterator[Row]:
    counted = counts()
    for name, floor, path in (
        ("sign_kept", "sha256_kept", "Rust: sign, key kept"),
        ("sign_derived", "sha256_derived", "Rust: sign, key derived"),
    ):
        beside = counted[name]["Ir"] - counted[floor]["Ir"]
        row = Measured(f"{path}, beside SHA-256", beside, "instructions")
        yield row.at_most(5000)
    blocks = counted["sign_kept"]["TotalBlocks"]
    yield Measured("Rust: sign, key kept", blocks, "allocations").at_most(1)
    hit = counted["hit"]
    yield Measured("Rust: hit", hit["TotalBlocks"], "allocations").at_most(0)
