"""What a signer tells of itself."""

from __future__ import annotations

import datetime  # noqa: TC003 - the fields' types can be read at run time
from typing import NamedTuple


class Stats(NamedTuple):
    """What a `Signer` has done so far, from `Signer.stats()`: a tuple with names.

    The numbers are counted apart, and so may be a call or two out of step with each other.
    """

    signed: int
    """Tokens signed."""

    reused: int
    """Tokens handed out again."""

    renewals: int
    """Fetches of credentials that succeeded, by all signers that share them."""

    failures: int
    """Fetches of credentials that failed, by all signers that share them."""

    last_error: str | None
    """The `code` of the failed fetch last met; `None` before the first."""

    expires_at: datetime.datetime | None
    """When the token signed last stops working, in UTC, whole seconds; `None` before the first."""


# Reprs and pickles name the place that users import from.
Stats.__module__ = "rdstoken"
