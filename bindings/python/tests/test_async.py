"""token_async leaves the event loop free."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import rdstoken
import uvloop
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


def loops() -> list[Any]:
    return [asyncio.new_event_loop, uvloop.new_event_loop]


def on_a_loop(make_loop: Any, main: Any) -> Any:
    loop = make_loop()
    try:
        result = loop.run_until_complete(main)
        loop.run_until_complete(loop.shutdown_default_executor())
        return result
    finally:
        loop.close()


@pytest.mark.parametrize("make_loop", loops())
def test_a_token_at_hand_takes_no_thread(make_loop: Any, signer: rdstoken.Signer) -> None:
    token = signer.token()
    threads: list[str] = []

    async def main() -> set[str]:
        asyncio.get_running_loop().set_default_executor(executor)
        return {await signer.token_async() for _ in range(10)}

    executor = ThreadPoolExecutor(1, initializer=lambda: threads.append("started"))
    assert on_a_loop(make_loop, main()) == {token}
    assert threads == []
    assert signer.stats()[:2] == (1, 10)


@pytest.mark.parametrize("make_loop", loops())
def test_a_token_to_be_made_takes_a_thread(make_loop: Any) -> None:
    names: list[str] = []

    def give() -> rdstoken.Credentials:
        names.append(threading.current_thread().name)
        time.sleep(0.3)
        return rdstoken.Credentials("AKID", "secret")

    signer = rdstoken.Signer(HOSTNAME, 5432, "app", credentials=give)

    async def main() -> tuple[set[str], int]:
        beats = 0
        waiting = asyncio.gather(*(signer.token_async() for _ in range(5)))
        while not waiting.done():
            await asyncio.sleep(0.01)
            beats += 1
        return set(await waiting), beats

    tokens, beats = on_a_loop(make_loop, main())
    assert len(tokens) == 1
    assert beats >= 10
    assert len(names) == 1
    assert names != [threading.main_thread().name]


def test_the_token_at_hand_is_looked_up_when_it_is_awaited(signer: rdstoken.Signer) -> None:
    signer.token()
    coroutine = signer.token_async()
    assert signer.stats().reused == 0
    signer.invalidate()
    asyncio.run(coroutine)
    assert signer.stats().signed == 2


def test_it_is_awaited_once(signer: rdstoken.Signer) -> None:
    async def main() -> None:
        for _ in range(2):
            coroutine = signer.token_async()
            await coroutine
            with pytest.raises(RuntimeError, match="already awaited"):
                await coroutine

    asyncio.run(main())


@pytest.mark.parametrize("make_loop", loops())
def test_an_error_comes_through(make_loop: Any) -> None:
    def fail() -> rdstoken.Credentials:
        raise OSError

    signer = rdstoken.Signer(HOSTNAME, 5432, "app", credentials=fail)
    with pytest.raises(rdstoken.CredentialsFailedError):
        on_a_loop(make_loop, signer.token_async())
