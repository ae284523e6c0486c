"""Prints the token for a given time: the same bytes from every language.

python presign.py HOSTNAME PORT USERNAME UNIX_SECONDS

The credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
"""

import os
import sys

import rdstoken

credentials = rdstoken.Credentials(
    os.environ["AWS_ACCESS_KEY_ID"],
    os.environ["AWS_SECRET_ACCESS_KEY"],
    os.environ.get("AWS_SESSION_TOKEN"),
)
print(
    rdstoken.presign(
        hostname=sys.argv[1],
        port=int(sys.argv[2]),
        username=sys.argv[3],
        credentials=credentials,
        signing_time=int(sys.argv[4]),
    )
)
