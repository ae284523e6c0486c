"""Tokens of many lengths through every driver and form of core's table to a real server: what
arrives there, compared by its digest. `measure` goes through one, `page` writes docs/drivers.md.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
from typing import TYPE_CHECKING, Any

import rdstoken
from ways import WAYS, Bench, Request, Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "drivers.md"

LENGTHS = (353, 1000, 2048, 4096, 8192, 16384, 32000)
BEYOND_ALL = 65000
"""What core's table means by "no limit"; PostgreSQL takes 65,530 bytes."""


def edges() -> list[int]:
    """The lengths on both sides of every limit that a token can have, and the longest of all."""
    limits = {row.max_length for row in rdstoken.limits() if (row.max_length or 0) >= LENGTHS[0]}
    return sorted({length + more for length in limits if length for more in (0, 1)} | {BEYOND_ALL})


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one token."""

    kind: str
    """whole, cut, altered, error or crash."""
    arrived: int
    """How many bytes arrived at the server."""

    def __str__(self) -> str:
        return f"cut to {self.arrived}" if self.kind == "cut" else self.kind


def lengths_for(row: rdstoken.Limit) -> list[int]:
    """Those of the page, and what else shows that the row's limit is right."""
    if row.max_length is None or row.form == "connection-string-W":
        # The latter's limit is that of a string with more in it than the token.
        own = [BEYOND_ALL]
    else:
        own = [row.max_length, row.max_length + 1]
    return sorted({*LENGTHS, *(length for length in own if length >= LENGTHS[0])})


def measure(way: Way, row: rdstoken.Limit, bench: Bench) -> dict[int, Outcome]:
    logins = bench.servers[way.server]
    lengths = lengths_for(row)
    tokens: list[str] = []

    def requests() -> Iterable[Request]:
        for length in lengths:
            signer = logins.signer(logins.server.keys[length])
            text = way.text(row, signer, bench, logins)
            tokens.append(signer.token())
            assert len(tokens[-1]) == length
            yield Request(logins, tokens[-1], text, bench)

    outcomes = {}
    before = len(logins.server.records())
    for length, answer in zip(lengths, way.send(row, requests()), strict=True):
        records = logins.server.records()[before:]
        before += len(records)
        outcomes[length] = _outcome(tokens[-1], answer, records)
    return outcomes


def _outcome(token: str, answer: str, records: Sequence[Any]) -> Outcome:
    if not records:
        assert answer != "in"
        return Outcome("crash" if answer == "crash" else "error", 0)
    first = records[0]
    if first.sha256 == _digest(token):
        assert answer == "in", "the whole token arrived, and the driver says that it failed"
        return Outcome("whole", first.length)
    assert answer != "in"
    is_beginning = first.sha256 == _digest(token[: first.length])
    return Outcome("cut" if is_beginning else "altered", first.length)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# The page.

Results = dict[tuple[str, str], dict[int, Outcome]]

INTRODUCTION = """\
# What drivers do to a token

A token is a password of 350 bytes to several thousand, with `:`, `/`, `?`, `&`, `=` and `%` in it. Many drivers, tools and file formats were made for shorter and simpler ones. This page says which ways of giving a token bring it through whole, and what the others do.

It is written by `make drivers`, from the table in `core/src/driver/table.rs` and from what a real PostgreSQL and a real MariaDB received; `make test` measures again and fails where a row differs. The same table answers `rdstoken drivers`, `check_length(driver, form, token)` and `limits()` in Python and Node, `rdstoken_check_length()` in C, and keeps the connection strings that rdstoken writes from being used where they would be cut.

How to log in with each driver: [C, C++ and ODBC](c-drivers.md), [Python](python-drivers.md), [Node](node-drivers.md), and `rdstoken exec` in a shell.
"""  # noqa: E501

LIMITS = """\
## The limits

*Written*: `rdstoken url`, `rdstoken odbc` and `connection_string()` write this form, quoted and escaped as the driver's parser wants it, with TLS and verification. *Cut* and *altered* happen without a word: the server refuses the login, and says only that authentication failed.

| driver | form | whole up to | beyond | written | what to know | source |
|---|---|---:|---|---|---|---|
"""  # noqa: E501

MEASURED = """\
## What arrived

Tokens of these many bytes were sent through each, and the SHA-256 of what the server's verifier received was compared with the token's. *Error*: the driver failed by itself, and nothing arrived.

"""  # noqa: E501


def page(rows: Sequence[rdstoken.Limit], results: Results) -> str:
    versions = {(way.driver, way.form): way.version() for way in WAYS}
    parts = [INTRODUCTION, "\n", LIMITS]
    for row in rows:
        limit = "no limit" if row.max_length is None else f"{row.max_length:,}"
        beyond = "" if row.max_length is None else row.beyond
        is_written = "yes" if row.written else ""
        cells = (row.driver, row.form, limit, beyond, is_written, row.note, row.source)
        parts.append(_table_row(*cells))
    lengths = [f"{length:,}" for length in LENGTHS]
    parts += ["\n", MEASURED, _table_row("driver", "form", *lengths, "version")]
    parts.append("|---|---|" + "---|" * len(LENGTHS) + "---|\n")
    for (driver, form), outcomes in results.items():
        became = [str(outcomes[length]) for length in LENGTHS]
        parts.append(_table_row(driver, form, *became, versions[driver, form] or ""))
    return "".join(parts)


def _table_row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


Rows = dict[tuple[str, str], str]


def committed_rows(text: str) -> Rows:
    """The lines of the second table of a page, by driver and form."""
    _, _, table = text.partition("## What arrived")
    lines = [line for line in table.splitlines(keepends=True) if line.startswith("| ")]
    return {
        (cells[1].strip(), cells[2].strip()): line for line in lines if (cells := line.split("|"))
    }


def measured_elsewhere(committed: Rows, made: Rows) -> Rows:
    """Those of a driver that is not here, or is here in another version which is not ours to pin:
    it may do otherwise. Its row was still checked against core's table.
    """
    pins = {(way.driver, way.form): way.pin for way in WAYS}
    return {
        key: line
        for key, line in committed.items()
        if key in pins
        and (
            key not in made
            or (_version(made[key]) != _version(line) and pins[key] in ("", _pin(line)))
        )
    }


def is_as_measured(driver: str, form: str) -> bool:
    """Whether this machine's version is the committed page's. Faults are a version's own."""
    (way,) = (way for way in WAYS if (way.driver, way.form) == (driver, form))
    line = committed_rows(PAGE.read_text()).get((driver, form))
    return line is not None and _version(line) == way.version()


def _version(line: str) -> str:
    return line.split("|")[-2].strip()


def _pin(line: str) -> str:
    return _version(line).partition(",")[0]
