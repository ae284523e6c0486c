"""Logs in to PostgreSQL with an IAM token, through psycopg.

PGSSLMODE=verify-full PGSSLROOTCERT=global-bundle.pem python login.py HOSTNAME PORT USERNAME

The credentials come from the AWS SDKs' default chain; libpq reads PGSSLMODE, PGSSLROOTCERT,
PGDATABASE and so on from the environment.
"""

import sys

import psycopg
import rdstoken

hostname, port, username = sys.argv[1], int(sys.argv[2]), sys.argv[3]
signer = rdstoken.Signer(hostname, port, username)
with psycopg.connect(
    host=hostname, port=port, user=username, password=signer.token()
) as connection:
    print(connection.execute("SELECT current_user").fetchone()[0])
