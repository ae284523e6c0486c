"""`Signer.token_async()`. The native module calls this."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes longer to load than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable

    from rdstoken._rdstoken import Signer


async def token(at_hand: Callable[[Signer], str | None], signer: Signer) -> str:
    """Return the token at hand; make one on a thread only if there is none."""
    found = at_hand(signer)
    if found is not None:
        return found
    import asyncio  # noqa: PLC0415 - most programs that sign have no use for it

    return await asyncio.to_thread(signer.token)
