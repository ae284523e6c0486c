"""Makes `common` and `postgres` importable, which are plain modules beside the tests."""

from __future__ import annotations

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
