"""Signing and hits in Node beside @aws-sdk/rds-signer; the event loop; loading; the size."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
from typing import TYPE_CHECKING

from table import BENCHES, HOSTNAME, KEYS, ROOT, Measured, Row, Settings

from parts.python import cpu_above

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = ROOT / "bindings" / "node"
LOGIN = json.dumps({"hostname": HOSTNAME, "port": 5432, "username": "app"})
FIRST_TOKEN = f"new (require({json.dumps(str(PACKAGE))}).Signer)({LOGIN}).getAuthToken()"


def calls(settings: Settings) -> dict[str, float]:
    done = subprocess.run(
        [
            "node",
            BENCHES / "node" / "calls.mjs",
            LOGIN,
            "0.2" if settings.quick else "1",
        ],
        env=os.environ | KEYS,
        check=True,
        capture_output=True,
        text=True,
    )
    times: dict[str, float] = json.loads(done.stdout)
    return times


def rows(settings: Settings) -> Iterator[Row]:
    runs = [calls(settings) for _ in range(1 if settings.quick else 5)]
    medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    yield Measured("Node: hit, awaited", medians["hit"], "ns").at_most(200)
    sign = Measured("Node: sign, no cache, awaited", medians["sign"], "ns")
    yield sign.faster(20, "rds-signer", medians["rds-signer"])
    for name in ("first", "hits", "no cache"):
        path = f"Node: 10,000 at once delay a timer, {name}"
        yield Measured(path, medians[name] / 1e6, "ms").at_most(5)
    node = shutil.which("node") or "node"
    first = cpu_above((node, "-e", FIRST_TOKEN), (node, "-e", "0"), settings)
    yield Measured("Node: require and first token, CPU above 0", first, "ms").at_most(5)
    pack = ["npm", "pack", "--dry-run", "--json", "--ignore-scripts"]
    packed = subprocess.run(pack, cwd=PACKAGE, check=True, capture_output=True, text=True)
    size = json.loads(packed.stdout)[0]["unpackedSize"] / 1e6
    yield Measured("Node: the package, installed", size, "MB").at_most(7)
