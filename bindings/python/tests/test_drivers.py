"""Connection strings, limits and the one retry. What the strings hold is core's, and tested there;
that they log in is tested in tests/drivers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import rdstoken
from helpers import wait_for_the_next_second

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_connection_string_holds_the_token(signer: rdstoken.Signer) -> None:
    string = signer.connection_string(
        "psqlodbc",
        "connection-string",
        database="shop",
        ca_file="/ca.pem",
        hostaddr="127.0.0.1",
        odbc_driver="mine",
    )
    assert f"PWD={{{signer.token()}}}" in string
    for part in ("Driver={mine};", "Database=shop;", "/ca.pem", "hostaddr='127.0.0.1'"):
        assert part in string
    assert "PWD={a token}" in signer.connection_string("psqlodbc", token="a token")
    # Without a form, the driver's first.
    assert signer.connection_string("libpq").startswith("host='")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"driver": "oracle"}, "driver"),
        ({"driver": "libpq", "form": "prompt"}, "form"),
        ({"driver": "libpq", "database": ""}, "database"),
        ({"driver": "mysql2", "ca_file": "/ca.pem"}, "ca_file"),
        ({"driver": "pgjdbc", "hostaddr": "127.0.0.1"}, "hostaddr"),
        ({"driver": "libpq", "on_limit": "ignore"}, "on_limit"),
    ],
)
def test_a_bad_argument_is_named(
    signer: rdstoken.Signer, arguments: dict[str, Any], field: str
) -> None:
    with pytest.raises(rdstoken.InvalidArgumentError) as caught:
        signer.connection_string(**arguments)
    assert caught.value.field == field


@pytest.mark.parametrize("name", ["driver", "form", "database", "ca_file", "hostaddr", "on_limit"])
def test_a_value_of_the_wrong_type_is_named(signer: rdstoken.Signer, name: str) -> None:
    arguments: dict[str, Any] = {"driver": "libpq", name: 1}
    with pytest.raises(TypeError, match=name):
        signer.connection_string(**arguments)


def test_lengths_are_checked() -> None:
    rdstoken.check_length("mariadb-cli", "prompt", 79 * "x")
    with pytest.raises(rdstoken.DriverLimitError, match="up to 79 bytes, this one has 80"):
        rdstoken.check_length("mariadb-cli", "prompt", 80 * "x")
    with pytest.raises(rdstoken.InvalidArgumentError) as caught:
        rdstoken.check_length("mariadb-cli", "odbc.ini", "x")
    assert caught.value.field == "form"


def test_limits_tell_the_table() -> None:
    rows = {(row.driver, row.form): row for row in rdstoken.limits()}
    row = rows["mariadb-cli", "prompt"]
    assert (row.max_length, row.beyond, row.written) == (79, "cut", False)
    assert rows["libpq", "uri"].max_length is None
    assert rows["libpq", "uri"].written
    assert all(row.source for row in rows.values())


@pytest.mark.parametrize("call", [str, repr])
def test_nothing_shows_the_token(signer: rdstoken.Signer, call: Callable[[object], str]) -> None:
    token = signer.token()
    with pytest.raises(rdstoken.DriverLimitError) as caught:
        rdstoken.check_length("libpq", "passfile-unescaped", token)
    assert "X-Amz" not in call(caught.value)


def test_a_refused_token_is_tried_again_if_it_was_handed_out_before(
    signer: rdstoken.Signer,
) -> None:
    assert not signer.refused(signer.token())
    wait_for_the_next_second()
    assert signer.refused(signer.token())
    signer.token()
    assert signer.stats().signed == 2
    assert not signer.refused("somebody else's password")


def test_whom_the_tokens_let_in_where() -> None:
    credentials = rdstoken.Credentials("AKIDEXAMPLE", "secret")
    signer = rdstoken.Signer("DB.Example.com.", 5432, "App", credentials=credentials)
    assert (signer.hostname, signer.port, signer.username) == ("db.example.com", 5432, "App")
