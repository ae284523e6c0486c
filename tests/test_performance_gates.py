"""What performance is made of and does not wobble: instructions, allocations, bytes, files.

`performance.json` has what was measured last. A number may be up to 3 % above it; to go further,
change the file, and say why in the commit. Times are measured by `make bench`.
"""

from __future__ import annotations

import errno
import functools
import lzma
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from subprocess import PIPE
from typing import TYPE_CHECKING

import pytest

from built import ROOT, read_json, run

if TYPE_CHECKING:
    import pathlib

    from built import Command

RELEASE = ROOT / "target" / "release"
LIBRARY = RELEASE / "librdstoken.so"
SESSION_TOKEN = "IQoJb3JpZ2luX2VjEPn/" * 51 + "abcd"  # 1 KB
# The goals, whatever was measured last and by which compiler.
LIMITS = {
    "library_bytes": 6_000_000,
    "library_bytes_compressed": 2_500_000,
    "cold_instructions_beside_sha256": 5_000,
}


def check(**measured: int) -> None:
    last = read_json("performance.json")
    for name, count in measured.items():
        assert count <= LIMITS.get(name, count), f"{name}: {count}"
        if last["rustc"] == _rustc() or name.endswith("allocations"):
            assert count <= last[name] * 1.03, f"{name}: {count}, up from {last[name]}"
    if last["rustc"] != _rustc():
        pytest.skip(f"measured last with rustc {last['rustc']}, which is not this one")


@functools.cache
def _rustc() -> str:
    """The compiler's version: another makes more or fewer instructions of the same source."""
    return run("rustc", "--version").split()[1]


def test_the_size_of_the_library() -> None:
    library = LIBRARY.read_bytes()
    compressed = len(lzma.compress(library, preset=9))
    check(library_bytes=len(library), library_bytes_compressed=compressed)


def test_the_size_of_the_command() -> None:
    check(command_bytes=(RELEASE / "rdstoken").stat().st_size)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Makes one call in a function named `measured`."""
    path = tmp_path_factory.mktemp("performance") / "one"
    source = ROOT / "benches" / "c" / "one.c"
    ours = (f"-I{ROOT / 'include'}", f"-L{RELEASE}", f"-Wl,-rpath,{RELEASE}", "-lrdstoken")
    subprocess.run(["cc", "-std=c99", "-O2", source, "-o", path, *ours], check=True)
    return path


def instructions(program: pathlib.Path, call: str) -> list[int]:
    """Those of each function, the most first."""
    output = program.with_name(f"callgrind.{call}")
    subprocess.run(
        [
            *("valgrind", "--quiet", "--tool=callgrind", "--toggle-collect=measured"),
            *(f"--callgrind-out-file={output}", program, call, SESSION_TOKEN),
        ],
        check=True,
        capture_output=True,
    )
    of_function: dict[str, int] = {}
    function, called = "", False
    for line in output.read_text().splitlines():
        if line.startswith("fn="):
            function = re.sub(r"\).*", ")", line)
        elif line.startswith("calls="):
            called = True
        elif cost := re.fullmatch(r"[-+*\d]\S*(?: (\d+))?", line):
            # The line after "calls=" counts what the callee did.
            if not called:
                of_function[function] = of_function.get(function, 0) + int(cost[1] or 0)
            called = False
    return sorted(of_function.values(), reverse=True)


def test_instructions_of_a_signature(program: pathlib.Path) -> None:
    """Valgrind knows no SHA instructions, so nearly all is SHA-256's compression in software."""
    sha256, *others = instructions(program, "cold")
    assert sha256 > 10 * sum(others), "the compression of SHA-256 is not a function of its own"
    check(cold_instructions_beside_sha256=sum(others))


def test_instructions_of_a_hit(program: pathlib.Path) -> None:
    # The lowest: when the clock's tick goes on in between, a call looks at both clocks again.
    check(
        hit_instructions=min(sum(instructions(program, "hit")) for _ in range(5)),
        hit_instructions_after_a_tick=sum(instructions(program, "tick")),
    )


def test_allocations(program: pathlib.Path) -> None:
    counts = {
        call: int(subprocess.run([program, call, SESSION_TOKEN], check=True, stdout=PIPE).stdout)
        for call in ("cold", "hit")
    }
    check(cold_allocations=counts["cold"], hit_allocations=counts["hit"])


TOKEN = ("token", "--hostname=db.abc123.us-east-1.rds.amazonaws.com", "--port=5432", "--username=a")
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}


def run_watched(
    command: Command, directory: pathlib.Path, environment: dict[str, str], timeout: int
) -> tuple[subprocess.CompletedProcess[str], bool]:
    """With certificates that block whoever opens them, and whether anybody did."""
    certificates = directory / "certificates.pem"
    os.mkfifo(certificates)
    env = {"SSL_CERT_FILE": str(certificates), "SSL_CERT_DIR": str(directory / "none")}
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(command.run, *TOKEN, f"--timeout={timeout}", env=environment | env)
        opened = False
        while not (opened or running.done()):
            try:
                os.close(os.open(certificates, os.O_WRONLY | os.O_NONBLOCK))
                opened = True
            except OSError as error:
                if error.errno != errno.ENXIO:  # which says that nobody reads it
                    raise
            time.sleep(0.001)
        return running.result(), opened


@pytest.mark.parametrize("source", ["environment", "profile"])
def test_no_certificate_is_read_for_credentials_at_hand(
    command: Command, tmp_path: pathlib.Path, source: str
) -> None:
    environment = KEYS
    if source == "profile":
        file = tmp_path / "credentials"
        lines = "".join(f"{key.lower()} = {value}\n" for key, value in KEYS.items())
        file.write_text(f"[default]\n{lines}")
        environment = {"AWS_SHARED_CREDENTIALS_FILE": str(file)}
    done, opened = run_watched(command, tmp_path, environment, timeout=2)
    assert (done.returncode, done.stderr, opened) == (0, "", False)


def test_certificates_are_read_for_a_request(command: Command, tmp_path: pathlib.Path) -> None:
    """The other test would notice."""
    endpoint = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/"}
    done, opened = run_watched(command, tmp_path, endpoint, timeout=1)
    assert (done.returncode, opened) == (1, True)


def test_no_benchmark_runs_with_the_keys_of_whoever_starts_it() -> None:
    environment = {name: os.environ[name] for name in os.environ.keys() - {"RDSTOKEN_TEST_GUARD"}}
    run_py = (sys.executable, str(ROOT / "benches" / "run.py"), "--quick")
    done = subprocess.run(run_py, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "tests/guard.sh" in done.stderr
