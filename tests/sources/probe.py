"""As probe.c, through Python: one token, and all that can be seen of the error in its place.

python probe.py HOSTNAME PORT USERNAME TIMEOUT_MILLISECONDS
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from typing import Any

import rdstoken

# Before anything is made, and to the finest grain.
logging.basicConfig(level=logging.NOTSET, stream=sys.stderr)

hostname, port, username, timeout = sys.argv[1:]
signer = rdstoken.Signer(hostname, int(port), username, timeout=int(timeout) / 1000)
answer: dict[str, Any] = {}
start = time.monotonic()
try:
    signer.token()
except rdstoken.Error as error:
    answer["elapsed"] = time.monotonic() - start
    answer["kind"] = error.code
    answer["seen"] = [
        str(error),
        repr(error),
        repr(error.args),
        repr(vars(error)),
        repr((error.__cause__, error.__context__)),
        *traceback.TracebackException.from_exception(error, capture_locals=True).format(),
    ]
else:
    answer["elapsed"] = time.monotonic() - start
    answer["kind"] = "OK"
answer["repr"] = repr(signer)
print(json.dumps(answer))
