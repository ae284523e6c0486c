"""A signer survives forks, also those in mid-renewal."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from helpers import HOSTNAME

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def run(program: str, *arguments: str, timeout: float) -> None:
    # A process of its own: pytest's may have threads, and a hang must not be pytest's.
    ran = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program, HOSTNAME, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "done\n", "")


PLAIN = """
import os, sys, rdstoken

signer = rdstoken.Signer(sys.argv[1], 5432, "app")
assert signer.token().startswith(sys.argv[1])
for _ in range(int(sys.argv[2])):
    child = os.fork()
    if child == 0:
        fine = signer.token().startswith(sys.argv[1]) and signer.expires_at is not None
        os._exit(0 if fine else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert signer.token().startswith(sys.argv[1])
print("done")
"""


@pytest.mark.usefixtures("keys_in_environment")
def test_parent_and_child_go_on() -> None:
    run(PLAIN, "20", timeout=60)


# Three threads that renew all the time: through a function (the interpreter), through the chain
# (tokio), and without keeping the token, with log records at every step.
SETUP = """
import itertools, logging, os, signal, sys, threading, time, rdstoken

class Nowhere(logging.Handler):
    null = os.open(os.devnull, os.O_WRONLY)

    def emit(self, record):
        os.write(self.null, self.format(record).encode())

logging.basicConfig(level=logging.DEBUG, handlers=[Nowhere()])
count = itertools.count()

def give():
    time.sleep(0.0005)
    return rdstoken.Credentials(f"AKID{next(count)}", "secret", expires_at=time.time() + 3600)

make = lambda **options: rdstoken.Signer(sys.argv[1], 5432, "app", timeout=20, **options)
own, chain, uncached = signers = [make(credentials=give), make(), make(cache=False)]
over = threading.Event()
rounds = [0, 0, 0]

def renew(number):
    signer = signers[number]
    while not over.is_set():
        signer.invalidate(credentials=True)
        assert signer.token().startswith(sys.argv[1])
        rounds[number] += 1

def use():
    for signer in signers:
        assert signer.token().startswith(sys.argv[1])
        signer.invalidate(credentials=True)
        assert signer.token().startswith(sys.argv[1])
    return True

# Once before the threads start: a fork in the midst of a process's very first fetch leaves the
# child a once-cell of tokio's that nobody fills.
use()
threads = [threading.Thread(target=renew, args=(number,), daemon=True) for number in range(3)]

def finish():
    over.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert min(rounds) > 10, rounds
    print("done")
"""

FORKS = (
    SETUP
    + """
for thread in threads:
    thread.start()
for number in range(int(sys.argv[2])):
    child = os.fork()
    if child == 0:
        # A hang ends the child by a signal, and with that the test.
        signal.alarm(30)
        status = 1
        try:
            use()
            status = 0
        finally:
            os._exit(status)
    if number % 10 == 0:
        use()
    _, status = os.waitpid(child, 0)
    assert status == 0, (number, status)
finish()
"""
)


@pytest.mark.usefixtures("keys_in_environment")
def test_forks_in_mid_renewal() -> None:
    run(FORKS, "1000", timeout=280)


POOL = (
    SETUP
    + """
import multiprocessing

def work(number):
    signal.alarm(30)
    return use()

if __name__ == "__main__":
    for thread in threads:
        thread.start()
    context = multiprocessing.get_context("fork")
    # A worker for each task: 100 forks.
    with context.Pool(4, maxtasksperchild=1) as pool:
        results = pool.map_async(work, range(100), chunksize=1)
        assert results.get(120) == [True] * 100
        pool.close()
        pool.join()
    finish()
"""
)


@pytest.mark.usefixtures("keys_in_environment")
def test_a_pool_inherits_the_signer() -> None:
    run(POOL, timeout=150)


APPLICATION = """
import itertools, os, time, rdstoken

count = itertools.count()

def give():
    return rdstoken.Credentials(f"AKID{next(count)}", "secret", expires_at=time.time() + 3600)

signer = rdstoken.Signer(os.environ["TEST_HOSTNAME"], 5432, "app", credentials=give)
master = os.getpid()
before_the_fork = signer.token()

def application(environ, start_response):
    assert os.getpid() != master
    kept = signer.token()
    signer.invalidate(credentials=True)
    fine = kept.startswith(os.environ["TEST_HOSTNAME"]) and signer.token() != kept
    start_response("200 OK" if fine else "500 Wrong", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""


@contextlib.contextmanager
def gunicorn(folder: pathlib.Path, *options: str) -> Iterator[str]:
    (folder / "application.py").write_text(APPLICATION, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "--preload",
            "--no-control-socket",
            "--graceful-timeout",
            "5",
            *options,
        ]
        command += ["--bind", f"fd://{server.fileno()}", "application:application"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, "TEST_HOSTNAME": HOSTNAME},
                pass_fds=[server.fileno()],
                stdout=log,
                stderr=log,
            )
            try:
                yield f"http://127.0.0.1:{port}/"
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    assert process.wait(20) == 0
                finally:
                    process.kill()
                    process.wait()


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=15) as answer:  # noqa: S310 - loopback
        assert answer.status == 200
        text: str = answer.read().decode()
        return text


@pytest.mark.parametrize("worker", [("sync",), ("gthread", "--threads", "4")])
def test_gunicorn_with_preload(tmp_path: pathlib.Path, worker: tuple[str, ...]) -> None:
    workers: set[str] = set()
    with gunicorn(tmp_path, "--workers", "2", "--worker-class", *worker) as url:
        end = time.monotonic() + 30
        answers = 0
        try:
            while answers < 60 or len(workers) < 2:
                assert time.monotonic() < end, workers
                workers.add(get(url))
                answers += 1
        except urllib.error.HTTPError as error:
            pytest.fail(f"{error.code}: {(tmp_path / 'log').read_text(encoding='utf-8')}")
    assert len(workers) == 2
