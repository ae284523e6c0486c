"""Signing and hits in Python beside boto3 and awscrt; what importing costs; the wheel's size."""

from __future__ import annotations

import os
import statistics
import subprocess
from typing import TYPE_CHECKING

from table import BENCHES, HOSTNAME, KEYS, OUT, ROOT, Measured, Row, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PYTHON = ROOT / ".venv" / "bin" / "python"
REQUIREMENTS = BENCHES / "requirements.txt"
PACKAGE = ROOT / "bindings" / "python" / "python" / "rdstoken"
FIRST_TOKEN = f"import rdstoken; rdstoken.Signer({HOSTNAME!r}, 5432, 'app').token()"
# Where awscrt is: beside the environment of the tests, where botocore would find it.
AWSCRT = OUT / "python"


def install() -> None:
    pip = (
        PYTHON,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--upgrade",
    )
    subprocess.run([*pip, "--no-deps", "--target", AWSCRT, "-r", REQUIREMENTS], check=True)


def nanoseconds(what: str, seconds: float, environment: Mapping[str, str]) -> float:
    done = subprocess.run(
        [PYTHON, BENCHES / "python" / "calls.py", what, HOSTNAME, str(seconds)],
        env={**os.environ, **KEYS, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def cpu(command: tuple[str, ...]) -> float:
    """Milliseconds that a program takes from its start to its end, on all threads."""
    child = os.posix_spawn(command[0], command, os.environ | KEYS)
    _, status, used = os.wait4(child, 0)
    if status != 0:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command)
    return (used.ru_utime + used.ru_stime) * 1000


def cpu_above(
    command: tuple[str, ...],
    empty: tuple[str, ...],
    settings: Settings,
) -> float:
    rounds = range(10 if settings.quick else 100)
    pairs = [(cpu(command), cpu(empty)) for _ in rounds]
    return statistics.median(ours - base for ours, base in pairs)


def rows(settings: Settings) -> Iterator[Row]:
    crt = {"PYTHONPATH": str(AWSCRT)}
    subjects: dict[str, tuple[str, Mapping[str, str]]] = {
        "hit": ("hit", {}),
        "sign": ("sign", {}),
        "boto3": ("boto3", {"BOTO_DISABLE_CRT": "true"}),
        "boto3 with awscrt": ("boto3", crt),
        "awscrt": ("awscrt", crt),
    }
    measured: dict[str, list[float]] = {name: [] for name in subjects}
    # Each in turn, so that all have met the same machine.
    for _ in range(1 if settings.quick else 5):
        for name, (what, environment) in subjects.items():
            measured[name].append(nanoseconds(what, 0.2 if settings.quick else 1, environment))
    medians = {name: statistics.median(times) for name, times in measured.items()}
    yield Measured("Python: hit", medians["hit"], "ns").at_most(80)
    sign = Measured("Python: sign, no cache", medians["sign"], "ns")
    yield sign.faster(65, "boto3", medians["boto3"])
    yield sign.faster(30, "boto3 with awscrt", medians["boto3 with awscrt"])
    yield sign.faster(10, "awscrt", medians["awscrt"])
    python = str(PYTHON)
    first = cpu_above((python, "-c", FIRST_TOKEN), (python, "-c", "pass"), settings)
    yield Measured("Python: import and first token, CPU above pass", first, "ms").at_most(5)
    files = [path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".pyi", ".so"}]
    size = sum(path.stat().st_size for path in files) / 1e6
    yield Measured("Python: the package, installed", size, "MB").at_most(7)
