"""Runs a case: a source that goes bad, as seen by processes of its own."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from common import HOSTNAME
from typing_extensions import Self

from built import ROOT, TESTS

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterable, Mapping

    from kinds import Source

TIMEOUT = 0.6
GRACE = 0.25
LIFE = 6.0
"""Of the credentials that serve meanwhile; long enough to go on working after two deadlines."""
ENOUGH = 120.0
"""No process of a case takes that long."""

STATUS = {
    0: "OK",
    **{
        row["c_status"]: row["kind"]
        for row in json.loads((TESTS / "errors.json").read_text())["errors"]
    },
}


class Canary:
    """Collects what anybody could see, and what nobody may."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: list[tuple[str, str]] = []
        self._secrets: set[str] = set()

    def keep(self, secrets: Iterable[str]) -> None:
        with self._lock:
            self._secrets |= {secret for secret in secrets if len(secret) >= 16}

    def see(self, case: str, text: str) -> None:
        with self._lock:
            self._seen.append((case, text))

    def leaks(self) -> list[str]:
        """The cases that showed a run of 16 characters of a secret, a token or a signature."""
        parts = {secret[at : at + 16] for secret in self._secrets for at in range(len(secret) - 15)}
        leaky = []
        for case, text in self._seen:
            runs = (text[at : at + 16] for at in range(len(text) - 15))
            if "X-Amz-" in text or any(run in parts for run in runs):
                leaky.append(case)
        return leaky

    def size(self) -> tuple[int, int]:
        return len(self._secrets), sum(len(text) for _, text in self._seen)


def compile_probe(path: pathlib.Path) -> pathlib.Path:
    release = ROOT / "target" / "release"
    command = ["cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", str(path)]
    command += [str(TESTS / "sources" / "probe.c"), f"-I{ROOT / 'include'}"]
    command += [f"-L{release}", f"-Wl,-rpath,{release}", "-lrdstoken"]
    subprocess.run(command, check=True)
    return path


def arguments(timeout: float) -> list[str]:
    return [HOSTNAME, "5432", "app", str(int(timeout * 1000))]


class Probe:
    """The C program, kept running. A context manager."""

    def __init__(
        self, path: pathlib.Path, environment: Mapping[str, str], timeout: float = TIMEOUT
    ) -> None:
        self.errors = ""
        self._process = subprocess.Popen(
            [path, *arguments(timeout)],
            env=os.environ | dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            rest, self.errors = self._process.communicate(timeout=ENOUGH)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise
        assert rest == ""
        assert self._process.returncode == 0, self.errors

    def ask(self) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("token\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the probe has died"
        answer: dict[str, Any] = json.loads(line)
        answer["kind"] = STATUS[answer["status"]]
        answer["at"] = time.time()
        return answer


@dataclasses.dataclass
class Seen:
    """What became of a case."""

    cold: dict[str, Any]
    """The first token, with the source bad from the start; through Python."""
    patient: dict[str, Any] | None = None
    """The same with a deadline that lets the SDK try again as often as it likes."""
    good: dict[str, Any] | None = None
    """The first token, while the source is well; this and all below through C."""
    served: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    """Two more, with the source bad and the credentials alive."""
    dead: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    """Two more, after the death of the credentials."""
    followed: int = 0
    """How often a redirect was."""
    left: int = 0
    """How many programs of a credential_process went on running."""


def cold(
    case: str, environment: Mapping[str, str], canary: Canary, timeout: float = TIMEOUT
) -> dict[str, Any]:
    """One token through Python, in a process of its own. Measured again, once, if it is late."""
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, TESTS / "sources" / "probe.py", *arguments(timeout)],
            env=os.environ | dict(environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=ENOUGH,
        )
        canary.see(f"{case}: standard output", done.stdout)
        canary.see(f"{case}: standard error", done.stderr)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        if answer["elapsed"] <= timeout + GRACE:
            break
    return answer


def run_case(
    case: str,
    probe_path: pathlib.Path,
    make: Callable[[str, float], Source],
    break_down: Callable[[Any], None],
    canary: Canary,
    *,
    patience: float | None = None,
) -> Seen:
    """`make` makes the source, given a name for its directory and the life of its credentials."""
    with make("cold", 3600) as source:
        environment = source.base() | source.environment()
        canary.keep(source.secrets)
        break_down(source)
        seen = Seen(cold(case, environment, canary))
        if patience:
            seen.patient = cold(f"{case}, patiently", environment, canary, patience)
        seen.followed += source.trapped()
        seen.left = source.left_running()
    for attempt in ("warm", "warm again"):
        with make(attempt, LIFE) as source:
            environment = source.base() | source.environment()
            canary.keep(source.secrets)
            process = Probe(probe_path, environment)
            try:
                _go_bad(process, source, break_down, seen)
            finally:
                canary.see(f"{case}: records and errors of the probe", process.errors)
        canary.see(f"{case}: answers of the probe", json.dumps([seen.served, seen.dead]))
        # Measured again, once, if any is late.
        if all(answer["elapsed"] <= TIMEOUT + GRACE for answer in seen.served + seen.dead):
            break
    return seen


def _go_bad(process: Probe, source: Source, break_down: Callable[[Any], None], seen: Seen) -> None:
    with process as probe:
        seen.good = probe.ask()
        break_down(source)
        seen.served = [probe.ask(), probe.ask()]
        time.sleep(max(0.0, source.expires_at + 0.2 - time.time()))
        seen.dead = [probe.ask(), probe.ask()]
    seen.followed += source.trapped()
    assert seen.good["kind"] == "OK", seen.good
    assert seen.good["access_key_id"] == source.key.access_key_id
