"""Aligned tokens: one and the same from every language, in processes that know nothing of each
other but the credentials of one instance metadata service.
"""

from __future__ import annotations

import http.client
import http.server
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from built import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com"
ALIGN = 600
PYTHON = f"import rdstoken; print(rdstoken.Signer({HOST!r}, 5432, 'app', align={ALIGN}).token())"
NODE = f"""
const {{ Signer }} = require({str(ROOT / "bindings" / "node")!r});
new Signer({{ hostname: {HOST!r}, port: 5432, username: 'app', align: {ALIGN} }})
  .getAuthToken().then((token) => console.log(token));
"""


@pytest.fixture(scope="module")
def moto() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [pathlib.Path(sys.executable).with_name("moto_server"), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not answers(port):
        assert time.monotonic() < deadline, "moto does not start"
        time.sleep(0.1)
    yield port
    server.terminate()
    server.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def metadata(moto: int) -> Iterator[str]:
    """moto's instance metadata, with the header that the real one has and moto leaves out: how
    long the session token lives. The AWS SDK for Rust insists on it.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self._pass_on("PUT")

        def do_GET(self) -> None:
            self._pass_on("GET")

        def _pass_on(self, method: str) -> None:
            behind = http.client.HTTPConnection("127.0.0.1", moto, timeout=10)
            behind.request(method, self.path, headers=dict(self.headers))
            body = behind.getresponse().read()
            behind.close()
            self.send_response(200)
            self.send_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def token_of(command: list[str | pathlib.Path], metadata: str) -> str:
    environment = os.environ | {
        "AWS_EC2_METADATA_DISABLED": "false",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata,
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_face_makes_the_same_token(metadata: str, tmp_path: pathlib.Path) -> None:
    program = tmp_path / "align"
    release = ROOT / "target" / "release"
    subprocess.run(
        [
            *("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}"),
            *(ROOT / "tests" / "align.c", "-o", program, f"-L{release}", f"-Wl,-rpath,{release}"),
            "-lrdstoken",
        ],
        check=True,
    )
    shell = ["token", f"--hostname={HOST}", "--port=5432", "--username=app", f"--align={ALIGN}"]
    commands: dict[str, list[str | pathlib.Path]] = {
        "C": [program, HOST, str(ALIGN)],
        "Python": [sys.executable, "-c", PYTHON],
        "Node": ["node", "-e", NODE],
        "shell": [release / "rdstoken", *shell],
    }
    # Not across the end of a period.
    left = ALIGN - time.time() % ALIGN
    if left < 15:
        time.sleep(left)
    made = {face: token_of(command, metadata) for face, command in commands.items()}
    assert len(set(made.values())) == 1
    time.sleep(1.1)
    again = token_of(commands["shell"], metadata)
    assert again == made["C"]
    assert "X-Amz-Security-Token=" in again
