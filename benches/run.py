"""Measures ours and the peers in one run, and prints one table of ratios and targets.

    run.py --install [PART...]
    tests/guard.sh run.py [--quick] [--json FILE] [PART...]

Run it on a machine that does nothing else, through `make bench`. The installation comes first, as
`tests/guard.sh` would keep it from proxies and caches. A target that is not met makes the run fail
only with `--strict`.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import pathlib
import pkgutil
import platform
import sys

import parts
from table import OUT, Row, Settings, as_text


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def main() -> int:
    names = sorted(module.name for module in pkgutil.iter_modules(parts.__path__))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"out of {', '.join(names)}")
    parser.add_argument("--install", action="store_true", help="what the parts need, no more")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--strict", action="store_true", help="fail if a target is not met")
    parser.add_argument("--json", type=pathlib.Path, default=OUT / "bench.json", metavar="FILE")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(names):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if not given.install and "RDSTOKEN_TEST_GUARD" not in os.environ:
        parser.error("run it through tests/guard.sh, as `make bench` does")
    rows: list[Row] = []
    for name in given.parts or names:
        print(f"--- {name}", flush=True)
        module = importlib.import_module(f"parts.{name}")
        if given.install:
            getattr(module, "install", lambda: None)()
            continue
        rows.extend(module.rows(Settings(quick=given.quick)))
    if given.install:
        return 0
    print(as_text(rows))
    given.json.parent.mkdir(parents=True, exist_ok=True)
    result = {"processor": processor(), "rows": [dataclasses.asdict(row) for row in rows]}
    given.json.write_text(json.dumps(result, indent=2) + "\n")
    return int(given.strict and not all(row.met for row in rows))


if __name__ == "__main__":
    sys.exit(main())
