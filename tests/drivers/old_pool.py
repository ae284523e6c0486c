"""Goes through each pool of psycopg_pool's with tokens that die meanwhile, and prints who was in.

A program, to be run with another version of psycopg_pool in the path than the tests': it takes the
server's description (JSON) as its argument, and the credentials from the environment.
"""

from __future__ import annotations

import json
import sys
import time

import doors
import psycopg_pool
import rdstoken
from signers import USER

POOLS = ("psycopg", "psycopg async", "django pool")


def main() -> None:
    server = json.loads(sys.argv[1])
    signer = rdstoken.Signer(server["host"], server["port"], USER, expires_in=2)
    users = {}
    for door in doors.POSTGRES:
        if door.name in POOLS:
            assert door.pool
            with door.pool(signer, server["dbname"], server["ca_file"]) as open_:
                users[door.name] = open_(1)
                time.sleep(2.1)
                users[door.name] += open_(3)
    print(json.dumps({"version": psycopg_pool.__version__, "users": users}))


if __name__ == "__main__":
    main()
