#!/bin/sh
# Logs in to PostgreSQL with an IAM token, through psql.
#
#   PGSSLMODE=verify-full PGSSLROOTCERT=global-bundle.pem login.sh HOSTNAME PORT USERNAME
#
# The credentials come from the AWS SDKs' default chain; psql reads PGSSLMODE, PGSSLROOTCERT,
# PGDATABASE and so on from the environment. Never type a token at psql's prompt: a terminal cuts a
# line at 4095 bytes.
set -eu
PGPASSWORD=$(rdstoken token --hostname "$1" --port "$2" --username "$3")
export PGPASSWORD
psql --no-psqlrc --tuples-only --no-align --host="$1" --port="$2" --username="$3" \
    --command='SELECT current_user'
