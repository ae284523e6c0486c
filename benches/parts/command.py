"""The command, by hyperfine; its memory; and the sizes of the files."""

from __future__ import annotations

import json
import lzma
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from table import HOSTNAME, KEYS, OUT, RELEASE, ROOT, Measured, Row, Settings, compiled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOGIN = f"--hostname {HOSTNAME} --port 5432 --username app"
INSTALLED = OUT / "rdstoken"
OURS = f"{INSTALLED} token {LOGIN}"
AWS = f"{ROOT / '.venv/bin/aws'} rds generate-db-auth-token {LOGIN} --region us-east-1"


def medians(
    commands: Mapping[str, str], environment: dict[str, str], runs: int
) -> dict[str, float]:
    """In milliseconds."""
    output = OUT / "hyperfine.json"
    OUT.mkdir(parents=True, exist_ok=True)
    names = [word for name in commands for word in ("--command-name", name)]
    fixed = ("--shell=none", "--style=none", "--warmup=3", f"--runs={runs}")
    subprocess.run(
        ["hyperfine", *fixed, f"--export-json={output}", *names, *commands.values()],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    results = json.loads(output.read_text())["results"]
    return {result["command"]: result["median"] * 1000 for result in results}


def megabytes(command: str, environment: dict[str, str]) -> float:
    done = subprocess.run(
        [compiled("memory.c"), *command.split()],
        env=os.environ | environment,
        check=True,
        capture_output=True,
    )
    return int(done.stdout) / 1024


def rows(settings: Settings) -> Iterator[Row]:
    OUT.mkdir(parents=True, exist_ok=True)
    # As an installation does. The linker leaves a file that takes longer to be mapped.
    shutil.copy(RELEASE / "rdstoken", INSTALLED)
    with tempfile.TemporaryDirectory() as directory:
        profile = Path(directory) / "credentials"
        lines = "".join(f"{name.lower()} = {value}\n" for name, value in KEYS.items())
        profile.write_text(f"[default]\n{lines}")
        profiles = {"AWS_SHARED_CREDENTIALS_FILE": str(profile), "AWS_CONFIG_FILE": "/nonexistent"}
        # Once, as it is slow and wobbles; both rows are held against the same.
        aws = medians({"aws": AWS}, KEYS, 3 if settings.quick else 15)["aws"]
        for name, environment in [("environment", KEYS), ("profile", profiles)]:
            path = f"rdstoken token, {name}"
            runs = 20 if settings.quick else 500
            ours = medians({"true": "true", "ours": OURS}, environment, runs)
            time = Measured(path, ours["ours"], "ms")
            yield time.at_most_times(2.5, "true", ours["true"])
            yield time.faster(240, "AWS CLI v1", aws)
            yield Measured(path, megabytes(OURS, environment), "MB").at_most(7)
    library = (RELEASE / "librdstoken.so").read_bytes()
    yield Measured("librdstoken.so, stripped", len(library) / 1e6, "MB").at_most(6.0)
    compressed = len(lzma.compress(library, preset=9)) / 1e6
    yield Measured("librdstoken.so, compressed by xz", compressed, "MB").at_most(2.5)
