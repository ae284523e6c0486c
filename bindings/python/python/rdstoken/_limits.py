"""What drivers do to long passwords."""

from __future__ import annotations

from typing import NamedTuple


class Limit(NamedTuple):
    """A way to give a driver a password, from `limits()`: a tuple with names."""

    driver: str
    """The driver, for example "psqlodbc"."""

    form: str
    """The way that the password is given, for example "connection-string"."""

    max_length: int | None
    """The longest token that arrives whole, in bytes; 0 if none does, `None` if there is no limit
    below 65,000.
    """

    beyond: str
    """What the driver does to a longer one: "cut", "altered" (both without a word), "error",
    "crash", or "nothing" if there is no limit.
    """

    written: bool
    """Whether `Signer.connection_string()` can write this form."""

    note: str
    """What to do instead, or what else to know. May be empty."""

    source: str
    """Where the row comes from."""


# Reprs and pickles name the place that users import from.
Limit.__module__ = "rdstoken"
