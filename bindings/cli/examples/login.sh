#!/bin/sh
# Logs in to PostgreSQL with an IAM token, through psql.
#
#   PGSSLROOTCERT=global-bundle.pem login.sh HOSTNAME PORT USERNAME
#
# The credentials come from the AWS SDKs' default chain; psql reads PGDATABASE and so on from the
# environment. Never type a token at psql's prompt: a terminal cuts a line at 4095 bytes.
set -eu
exec rdstoken exec --hostname "$1" --port "$2" --username "$3" \
    ${PGHOSTADDR:+--hostaddr "$PGHOSTADDR"} \
    -- psql --no-psqlrc --tuples-only --no-align --command='SELECT current_user'
