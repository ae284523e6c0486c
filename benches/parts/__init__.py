"""The parts of the benchmark, one module each.

A module has a function `rows(settings) -> Iterable[Row]`. It runs ours and the peers in one go, so
that both have met the same machine. What it needs from a registry, its function `install()` fetches
before, if there is one. `run.py` finds the modules by themselves.
"""
