"""The stubs and the built module tell the same story, so that either is the manual."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import pathlib
from typing import TYPE_CHECKING, Any

import pytest
import rdstoken
from rdstoken import _rdstoken

if TYPE_CHECKING:
    from collections.abc import Iterator

STUB = pathlib.Path(rdstoken.__file__).with_name("_rdstoken.pyi")
Documented = ast.ClassDef | ast.FunctionDef


def stubs(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Documented]]:
    for node in body:
        if isinstance(node, Documented) and not node.name.startswith("__"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from stubs(node.body, node.name + ".")


STUBS = dict(stubs(ast.parse(STUB.read_text(encoding="utf-8")).body))


def native(path: str) -> Any:
    item: Any = _rdstoken
    for name in path.split("."):
        item = inspect.getattr_static(item, name)
    return item


def documented(item: Any, prefix: str = "") -> Iterator[str]:
    """The public names that the module was built with."""
    for name, member in vars(item).items():
        if not name.startswith("__"):
            yield prefix + name
            if isinstance(member, type):
                yield from documented(member, name + ".")


def test_the_stubs_name_what_there_is() -> None:
    assert set(STUBS) == set(documented(_rdstoken))


@pytest.mark.parametrize("path", STUBS)
def test_the_texts_are_the_same(path: str) -> None:
    text = native(path).__doc__
    assert text
    assert ast.get_docstring(STUBS[path]) == inspect.cleandoc(text)


def test_the_modules_text_is_the_same() -> None:
    text = _rdstoken.__doc__
    assert text
    assert ast.get_docstring(ast.parse(STUB.read_text(encoding="utf-8"))) == inspect.cleandoc(text)


FUNCTIONS = ["Credentials", "Signer", "check_length", "presign", "generate_db_auth_token"]


def signature_of_stub(path: str) -> inspect.Signature:
    node = STUBS[path]
    if isinstance(node, ast.ClassDef):
        node = next(
            item
            for item in node.body
            if isinstance(item, ast.FunctionDef) and item.name == "__new__"
        )
    namespace: dict[str, Any] = {}
    arguments = ast.unparse(strip_annotations(node.args))
    exec(f"def stub({arguments}): ...", namespace)  # noqa: S102 - the stub of this repository
    return inspect.signature(namespace["stub"])


def strip_annotations(arguments: ast.arguments) -> ast.arguments:
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        argument.annotation = None
    arguments.args = [argument for argument in arguments.args if argument.arg != "cls"]
    return arguments


@pytest.mark.parametrize("path", FUNCTIONS)
def test_the_signatures_are_the_same(path: str) -> None:
    assert inspect.signature(native(path)) == signature_of_stub(path)


@pytest.mark.parametrize("path", FUNCTIONS)
def test_every_argument_is_explained(path: str) -> None:
    text = native(path).__doc__
    for name in inspect.signature(native(path)).parameters:
        assert f"`{name}`" in text


@pytest.mark.parametrize("name", [name for name in rdstoken.__all__ if name != "__version__"])
def test_all_that_is_exported_has_a_text(name: str) -> None:
    item = getattr(rdstoken, name)
    assert item.__doc__
    assert item.__doc__ != Exception.__doc__


def test_all_is_complete() -> None:
    public = {
        name
        for name in dir(rdstoken)
        if not name.startswith("_") and not inspect.ismodule(getattr(rdstoken, name))
    }
    assert public | {"__version__"} == set(rdstoken.__all__)
    assert rdstoken.__all__ == sorted(rdstoken.__all__)
    assert rdstoken.__doc__


def test_the_version_is_one() -> None:
    assert rdstoken.__version__ == importlib.metadata.version("rdstoken")


def test_the_package_is_typed_and_needs_nothing() -> None:
    assert STUB.with_name("py.typed").exists()
    assert importlib.metadata.requires("rdstoken") is None
