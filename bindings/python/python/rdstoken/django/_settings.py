"""What the two backends read from Django's settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rdstoken import Signer, _connect, _errors

if TYPE_CHECKING:
    from collections.abc import Mapping

OPTION = "rdstoken"

# Every thread has database wrappers of its own; the tokens they log in with are shared.
_signers: dict[tuple[object, ...], Signer] = {}


def read(settings: Mapping[str, Any], port: int) -> tuple[Signer, str | None]:
    """Return the signer and the CA file of a database's settings. `port` stands in for none."""
    options = dict(settings["OPTIONS"].get(OPTION) or {})
    ca_file = options.pop("ca_file", None)
    own = options.pop("signer", None)
    login = (settings["HOST"], int(settings["PORT"] or port), settings["USER"])
    if own is None:
        key = (*login, *sorted(options.items()))
        signer = _signers.get(key) or _signers.setdefault(key, Signer(*login, **options))
    else:
        _connect.refuse_given(options, options, "the setting signer brings its own")
        signer = _by_path(own)
        names = dict(zip(("HOST", "PORT", "USER"), login, strict=True))
        given = {name: names[name] for name in names if settings[name]}
        _connect.refuse_others(signer, given, host="HOST", port="PORT", user="USER")
    return signer, None if ca_file is None else os.fspath(ca_file)


def _by_path(path: object) -> Signer:
    from django.utils.module_loading import import_string  # noqa: PLC0415 - see the callers

    signer = import_string(path) if isinstance(path, str) else path
    if not isinstance(signer, Signer):
        raise _errors.InvalidArgumentError(
            "signer: it is not the dotted path of a rdstoken.Signer", field="signer"
        )
    return signer
