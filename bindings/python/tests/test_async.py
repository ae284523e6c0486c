"""token_async leaves the event loop free."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import time

import pytest
import rdstoken
from helpers import HOSTNAME, parsed


def test_it_is_a_coroutine(signer: rdstoken.Signer) -> None:
    coroutine = signer.token_async()
    assert inspect.iscoroutine(coroutine)
    authority, parameters = parsed(asyncio.run(coroutine))
    assert authority == f"{HOSTNAME}:5432"
    assert len(parameters["X-Amz-Signature"]) == 64
    assert signer.expires_at is not None


@pytest.mark.usefixtures("mute_source")
def test_the_loop_runs_on_while_it_waits() -> None:
    signer = rdstoken.Signer(HOSTNAME, 5432, "app", timeout=0.7)

    async def main() -> tuple[int, BaseException | None]:
        waiting = asyncio.ensure_future(signer.token_async())
        beats = 0
        while not waiting.done():
            await asyncio.sleep(0.01)
            beats += 1
        return beats, waiting.exception()

    beats, error = asyncio.run(main())
    assert isinstance(error, rdstoken.TimeoutError)
    assert beats >= 10


@pytest.mark.usefixtures("mute_source")
def test_it_can_be_cancelled() -> None:
    signer = rdstoken.Signer(HOSTNAME, 5432, "app", timeout=0.5)

    async def main() -> float:
        start = time.monotonic()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(signer.token_async(), 0.05)
        return time.monotonic() - start

    assert asyncio.run(main()) < 0.4


@pytest.mark.usefixtures("keys_in_environment")
def test_many_at_once() -> None:
    signer = rdstoken.Signer(HOSTNAME, 5432, "app")

    async def main() -> list[str]:
        return await asyncio.gather(*(signer.token_async() for _ in range(20)))

    tokens = asyncio.run(main())
    assert {parsed(token)[0] for token in tokens} == {f"{HOSTNAME}:5432"}


def test_asyncio_is_not_loaded_before_it_is_needed() -> None:
    program = "import sys, rdstoken; sys.exit('asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
