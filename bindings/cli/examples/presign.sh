#!/bin/sh
# Prints the token for a given time: the same bytes from every language.
#
#   presign.sh HOSTNAME PORT USERNAME UNIX_SECONDS
#
# The credentials come from the AWS SDKs' default chain.
set -eu
rdstoken token --hostname "$1" --port "$2" --username "$3" \
    --signing-time "$(date --utc --date="@$4" +%Y-%m-%dT%H:%M:%SZ)"
