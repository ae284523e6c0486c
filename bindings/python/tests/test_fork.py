"""A signer survives a fork."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from helpers import HOSTNAME

# A process of its own: pytest's may have threads, and Python warns when such a process forks.
PROGRAM = """
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
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_parent_and_child_go_on() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, HOSTNAME, "20"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")
