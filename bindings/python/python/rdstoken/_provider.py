"""How credentials of the caller's own are read. The native module calls this."""

from __future__ import annotations

import sys
import time
import types

TYPE_CHECKING = False  # `typing` takes longer to load than all the rest
if TYPE_CHECKING:
    from typing import Any, Protocol, TypeAlias

    Keys: TypeAlias = tuple[str, str, str | None, int | None]

    class FrozenCredentials(Protocol):
        """What botocore freezes its credentials into."""

        @property
        def access_key(self) -> str:
            """The access key id."""

        @property
        def secret_key(self) -> str:
            """The secret access key."""

        @property
        def token(self) -> str | None:
            """The session token, if there is one."""

    class BotocoreCredentials(Protocol):
        """A botocore credentials object."""

        def get_frozen_credentials(self) -> FrozenCredentials:
            """Return keys that belong together, refreshed if need be."""


def identity(source: Any) -> tuple[int, int]:  # noqa: ANN401 - the caller's own object
    """Return what tells one source from another: a method is a new object at each look-up."""
    if isinstance(source, types.MethodType):
        return id(source.__self__), id(source.__func__)
    return id(source), 0


def is_asynchronous(source: Any) -> bool:  # noqa: ANN401 - the caller's own object
    """Tell whether to ask `source` for credentials gives a coroutine."""
    import inspect  # noqa: PLC0415 - slow to load, and of no use to most programs

    ask = getattr(source, "get_frozen_credentials", source)
    return inspect.iscoroutinefunction(ask) or inspect.iscoroutinefunction(
        getattr(ask, "__call__", None)  # noqa: B004 - not whether it can be called, but how
    )


def read(source: Any) -> tuple[object, Keys | None]:  # noqa: ANN401 - the caller's own object
    """Ask `source`; return its answer and, if that is of botocore's kind, the keys in it."""
    given = source if hasattr(source, "get_frozen_credentials") else source()
    if hasattr(given, "get_frozen_credentials"):
        return given, _keys_of_botocore(given)
    if hasattr(given, "access_key") and hasattr(given, "secret_key"):
        return given, (given.access_key, given.secret_key, getattr(given, "token", None), None)
    return given, None


def _keys_of_botocore(source: Any) -> Keys:  # noqa: ANN401 - botocore has no types
    for _ in range(10):
        frozen = source.get_frozen_credentials()
        expires_at = _unix_seconds(getattr(source, "_expiry_time", None))
        # Another thread may be refreshing it. Then the expiry is perhaps not that of the frozen
        # keys, which shows in the token: botocore replaces it before the expiry.
        if getattr(source, "_token", frozen.token) == frozen.token:
            break
        time.sleep(0.01)
    return frozen.access_key, frozen.secret_key, frozen.token, expires_at


def _unix_seconds(moment: object) -> int | None:
    # Whoever has one has loaded it. Most programs have no use for it.
    datetime = sys.modules.get("datetime")
    if datetime is None or not isinstance(moment, datetime.datetime):
        return None
    if moment.utcoffset() is None:
        return None
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    seconds: int = (moment - epoch) // datetime.timedelta(seconds=1)
    return seconds
