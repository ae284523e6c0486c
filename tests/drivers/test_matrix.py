"""Every driver and form of core's table, measured (ways.py, matrix.py). docs/drivers.md says how.

With RDSTOKEN_WRITE_DRIVERS set (`make drivers`) the page is written instead of compared.
"""

from __future__ import annotations

import copy
import dataclasses
import os
import warnings
from typing import TYPE_CHECKING

import matrix
import pytest
import rdstoken
from mariadb import MariaDB
from matrix import PAGE, committed_rows, is_as_measured, measure, measured_elsewhere, page
from plaintext import PlainMariaDB, PlainPostgres
from postgres import Postgres
from signers import Logins
from ways import PSQLODBC, WAYS, Bench, Request, Way, command, psql, psql_variables

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator

    from plaintext import PlainServer

ROWS = {(row.driver, row.form): row for row in rdstoken.limits()}
READ = {key for key, row in ROWS.items() if row.source.startswith("read: ")}
"""Drivers that cannot be had here. Their rows name where they were read."""

WRITES = "RDSTOKEN_WRITE_DRIVERS" in os.environ
RESULTS: matrix.Results = {}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    lengths = sorted({*matrix.LENGTHS, *matrix.edges()})
    with Postgres(token_lengths=lengths) as postgres, MariaDB(token_lengths=lengths) as mariadb:
        yield Bench(tmp_path_factory.mktemp("bench"), Logins(postgres), Logins(mariadb))


def test_every_row_is_measured_once() -> None:
    ways = [(way.driver, way.form) for way in WAYS]
    assert len(ways) == len(set(ways))
    assert set(ways) == set(ROWS) - READ


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.driver} {way.form}")
def test_the_table_is_right(way: Way, bench: Bench) -> None:
    """Whole as far as the row says, and beyond that what it says of this version."""
    if way.version() is None:
        pytest.skip(f"{way.driver} is not on this machine")
    row = ROWS[way.driver, way.form]
    outcomes = measure(way, row, bench)
    RESULTS[way.driver, way.form] = outcomes
    beyond = set()
    for length, outcome in outcomes.items():
        if row.max_length is None or length <= row.max_length:
            assert outcome.kind == "whole", length
        else:
            beyond.add(outcome.kind)
    if not WRITES and not is_as_measured(way.driver, way.form):
        return
    assert row.max_length is None or row.beyond in beyond
    # Where a file's line is longer than its reader takes, an error may come before the rest.
    assert beyond <= {row.beyond, "error"}
    if row.beyond == "cut" and row.max_length:
        cut = {outcome.arrived for outcome in outcomes.values() if outcome.kind == "cut"}
        assert cut == {row.max_length}


def test_the_page_is_up_to_date() -> None:
    if len(RESULTS) < len([way for way in WAYS if way.version()]):
        pytest.skip("not all of the matrix was measured in this run")
    made = page(list(ROWS.values()), RESULTS)
    if WRITES:
        PAGE.write_text(made)
        return
    committed = PAGE.read_text()
    theirs, ours = committed_rows(committed), committed_rows(made)
    elsewhere = measured_elsewhere(theirs, ours)
    for key in elsewhere:
        warnings.warn(f"{key}: not compared, measured with another version", stacklevel=1)
    assert ours | elsewhere == theirs, "run `make drivers`"
    head, _, _ = made.partition("## What arrived")
    assert committed.startswith(head), "run `make drivers`"


@pytest.mark.parametrize(
    ("key", "committed", "made", "passes"),
    [
        (("libpq", "password"), "whole | libpq 15", "error | libpq 16", True),
        (("libpq", "password"), "whole | libpq 15", "error | libpq 15", False),
        (("libpq", "password"), "whole | libpq 15", None, True),
        (("libpq", "gone"), "whole | libpq 15", None, False),
        (("pg", "uri"), "whole | {pin}", "error | {pin}", False),
        (("pg", "uri"), "whole | pg 7.0.0", "error | {pin}", False),
        (("pg", "uri"), "whole | pg 7.0.0", "whole | {pin}", False),
        (("go-sql-driver", "password"), "whole | {pin}, Go 1.1", "error | {pin}, Go 1.2", True),
        (("go-sql-driver", "password"), "whole | {pin}0, Go 1.1", "whole | {pin}, Go 1.2", False),
    ],
)
def test_only_the_machines_versions_may_differ(
    key: tuple[str, str], committed: str, made: str | None, *, passes: bool
) -> None:
    pin = {(way.driver, way.form): way.pin for way in WAYS}.get(key, "")
    theirs = {key: f"| {committed.format(pin=pin)} |\n"}
    ours = {key: f"| {made.format(pin=pin)} |\n"} if made else {}
    assert (ours | measured_elsewhere(theirs, ours) == theirs) == passes


def test_a_fault_is_a_versions_own(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    committed = PAGE.read_text()
    monkeypatch.setattr(matrix, "PAGE", tmp_path / "drivers.md")
    version = PSQLODBC()
    for there, expected in ((version, True), (f"{version}.1", False), ("", False)):
        matrix.PAGE.write_text(committed.replace(f"| {version} |", f"| {there} |"))
        assert is_as_measured("psqlodbc", "odbc.ini") == expected
    matrix.PAGE.write_text("")
    assert not is_as_measured("psqlodbc", "odbc.ini")


# Without TLS.

PLAIN: dict[str, list[Callable[[], PlainServer]]] = {
    "postgres": [PlainPostgres],
    "mariadb": [PlainMariaDB, lambda: PlainMariaDB(in_greeting=True)],
}


def sent(way: Way, bench: Bench) -> Iterator[tuple[str, PlainServer]]:
    """The token, and the server that the driver believed to be the real one."""
    if way.version() is None:
        pytest.skip(f"{way.driver} is not on this machine")
    row = ROWS[way.driver, way.form]
    for kind in PLAIN[way.server]:
        with kind() as server:
            logins = copy.copy(bench.servers[way.server])
            logins.port = server.port
            signer = logins.signer()
            request = Request(logins, signer.token(), way.text(row, signer, bench, logins), bench)
            assert list(way.send(row, [request])) == ["refused"]
            assert server.connections
            yield request.token, server


def assert_nothing_sent(way: Way, bench: Bench) -> None:
    for _, server in sent(way, bench):
        assert server.passwords == []
        assert b"X-Amz" not in server.received


WRITTEN = [way for way in WAYS if ROWS[way.driver, way.form].written]
PASSFILES = [way for way in WRITTEN if way.form == "passfile"]


@pytest.mark.parametrize(
    "way",
    [way for way in WRITTEN if way not in PASSFILES],
    ids=lambda way: f"{way.driver} {way.form}",
)
def test_what_is_written_insists_on_tls(way: Way, bench: Bench) -> None:
    assert_nothing_sent(way, bench)


@pytest.mark.parametrize("way", PASSFILES, ids=lambda way: way.driver)
def test_a_passfile_whose_reader_insists_on_tls(way: Way, bench: Bench) -> None:
    assert_nothing_sent(way, bench)


def test_a_passfile_cannot_insist_itself(bench: Bench) -> None:
    def careless(request: Request) -> tuple[list[str], dict[str, str]]:
        variables = psql_variables(request)
        del variables["PGSSLMODE"], variables["PGSSLROOTCERT"]
        return psql("-w", **variables, PGPASSFILE=request.text)

    way = dataclasses.replace(PASSFILES[0], send=command(careless))
    assert way.driver == "libpq"
    for token, server in sent(way, bench):
        assert server.passwords == [token.encode()]
