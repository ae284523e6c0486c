"""Every driver and form of core's table, measured (ways.py, matrix.py). docs/drivers.md says how.

With RDSTOKEN_WRITE_DRIVERS set (`make drivers`) the page is written instead of compared.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

import matrix
import pytest
import rdstoken
from mariadb import MariaDB
from matrix import PAGE, committed_rows, measure, page
from postgres import Postgres
from signers import Logins
from ways import WAYS, Bench, Way

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = {(row.driver, row.form): row for row in rdstoken.limits()}
READ = {key for key, row in ROWS.items() if row.source.startswith("read: ")}
"""Drivers that cannot be had here. Their rows name where they were read."""

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
    """Whole as far as the row says, and beyond that what it says."""
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
    if "RDSTOKEN_WRITE_DRIVERS" in os.environ:
        PAGE.write_text(made)
        return
    committed = PAGE.read_text()
    theirs, ours = committed_rows(committed), committed_rows(made)
    for key, line in theirs.items():
        version = line.split("|")[-2]
        if key not in ours or ours[key].split("|")[-2] != version:
            # Another version may do otherwise; its row was still checked against core's table.
            warnings.warn(f"{key}: not compared, measured with{version}", stacklevel=1)
            ours[key] = line
    assert ours == theirs, "run `make drivers`"
    head, _, _ = made.partition("## What arrived")
    assert committed.startswith(head), "run `make drivers`"
