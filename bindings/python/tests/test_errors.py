"""The exceptions are those of the one table, tests/errors.json."""

from __future__ import annotations

import builtins
import copy
import multiprocessing
import pickle
from typing import Any

import pytest
import rdstoken
from helpers import HOSTNAME, shared_json
from rdstoken import _errors

TABLE: list[dict[str, Any]] = shared_json("errors.json")["errors"]
ROWS = [row for row in TABLE if row["python"] is not None]

every_class = pytest.mark.parametrize("cls", _errors.BY_CODE.values(), ids=lambda cls: cls.code)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["kind"])
def test_each_row_has_its_class(row: dict[str, Any]) -> None:
    cls = getattr(rdstoken, row["python"])
    assert issubclass(cls, rdstoken.Error)
    assert cls.code == row["kind"]
    assert cls.__name__ == row["python"]
    assert _errors.BY_CODE[row["kind"]] is cls


def test_each_class_has_its_row() -> None:
    assert set(_errors.BY_CODE) == {row["kind"] for row in ROWS}
    exported = [getattr(rdstoken, name) for name in rdstoken.__all__]
    classes = {item for item in exported if isinstance(item, type) and issubclass(item, Exception)}
    assert classes == {rdstoken.Error, *_errors.BY_CODE.values()}


@every_class
def test_base_classes(cls: type[rdstoken.Error]) -> None:
    assert issubclass(cls, ValueError) == (cls is rdstoken.InvalidArgumentError)
    assert issubclass(cls, builtins.TimeoutError) == (cls is rdstoken.TimeoutError)
    assert cls.__module__ == "rdstoken"


@every_class
@pytest.mark.parametrize("field", [None, "port"])
def test_text_and_field(cls: type[rdstoken.Error], field: str | None) -> None:
    error = cls("what went wrong", field=field)
    assert str(error) == "what went wrong"
    assert error.field == field
    assert error.args == ("what went wrong",)


@every_class
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(cls: type[rdstoken.Error], protocol: int) -> None:
    error = pickle.loads(pickle.dumps(cls("what went wrong", field="port"), protocol))
    assert type(error) is cls
    assert (str(error), error.code, error.field) == ("what went wrong", cls.code, "port")


@every_class
def test_copy(cls: type[rdstoken.Error]) -> None:
    error = copy.copy(cls("what went wrong", field="port"))
    assert type(error) is cls
    assert (str(error), error.field) == ("what went wrong", "port")


def test_an_error_crosses_processes() -> None:
    with (
        multiprocessing.get_context("spawn").Pool(1) as pool,
        pytest.raises(rdstoken.InvalidArgumentError, match="port: expected") as caught,
    ):
        pool.apply(rdstoken.Signer, (HOSTNAME, 0, "app"))
    assert caught.value.field == "port"


def test_an_unknown_code_is_an_internal_error() -> None:
    error = _errors.from_code("Unheard", "what went wrong", None)
    assert type(error) is rdstoken.InternalError
    assert str(error) == "what went wrong"


def test_the_native_module_raises_these_classes(credentials: rdstoken.Credentials) -> None:
    with pytest.raises(rdstoken.RegionNotFoundError) as caught:
        rdstoken.presign(
            hostname="db.example.com",
            port=5432,
            username="app",
            credentials=credentials,
            signing_time=0,
        )
    assert type(caught.value) is rdstoken.RegionNotFoundError
    assert (caught.value.code, caught.value.field) == ("RegionNotFound", None)
    assert str(caught.value) == "the hostname names no AWS region; pass the region"
