#!/bin/sh
# Runs a command in an environment where the AWS credential chain finds nothing and can reach
# nothing off this machine, and where no database client finds settings: no inherited variables of
# theirs, a home of its own, no instance metadata, and a closed port for every service of AWS.
# Every test goes through here, and the suites refuse to start without it (RDSTOKEN_TEST_GUARD).
#
# usage: tests/guard.sh command [argument...]
set -eu

CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}
RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
export CARGO_HOME RUSTUP_HOME

# What the suites tell themselves stays: RDSTOKEN_TEST_*, RDSTOKEN_WRITE_*.
families='AWS_|PG|(LIB)?MYSQL_|MARIADB_|RDSTOKEN_'
for name in $(env | sed -En "/^RDSTOKEN_(TEST|WRITE)_/d; s/^(($families)[A-Za-z0-9_]*)=.*/\1/p"); do
    unset "$name"
done
# Nor may a proxy carry off what is meant for a server on loopback.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

home=$(mktemp -d "${TMPDIR:-/tmp}/rdstoken-guard.XXXXXX")
trap 'rm -rf "$home"' EXIT
# By themselves, signals end some shells without the line above.
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

export HOME="$home"
export AWS_CONFIG_FILE="$home/aws-config"
export AWS_SHARED_CREDENTIALS_FILE="$home/aws-credentials"
export AWS_EC2_METADATA_DISABLED=true
# A test that needs one of these names a server of its own; one that forgets finds a closed port.
export AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:9
export AWS_ENDPOINT_URL=http://127.0.0.1:9
export RDSTOKEN_TEST_GUARD=1

"$@"
