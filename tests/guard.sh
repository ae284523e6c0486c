#!/bin/sh
# Runs a command in an environment where the AWS credential chain finds nothing and can reach
# nothing off this machine: no inherited AWS_* variables, a home of its own, no instance metadata.
# Every test goes through here, and the suites refuse to start without it (RDSTOKEN_TEST_GUARD).
#
# usage: tests/guard.sh command [argument...]
set -eu

CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}
RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
export CARGO_HOME RUSTUP_HOME

for name in $(env | sed -n 's/^\(AWS_[A-Za-z0-9_]*\)=.*/\1/p'); do
    unset "$name"
done
# Nor may a proxy carry off what is meant for a server on loopback.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

home=$(mktemp -d "${TMPDIR:-/tmp}/rdstoken-guard.XXXXXX")
trap 'rm -rf "$home"' EXIT

export HOME="$home"
export AWS_CONFIG_FILE="$home/aws-config"
export AWS_SHARED_CREDENTIALS_FILE="$home/aws-credentials"
export AWS_EC2_METADATA_DISABLED=true
# Should a test enable instance metadata, it finds a closed port and not the link-local address.
export AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:9
export RDSTOKEN_TEST_GUARD=1

"$@"
