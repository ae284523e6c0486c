#!/bin/sh
# Runs a command for which the endpoint names of the tests (tests/hosts) are 127.0.0.1, whatever
# /etc/hosts says: for drivers that cannot connect to another address than the name they verify.
# It takes the package libnss-wrapper. Programs that bring their own resolver do not see it: Go
# without cgo, musl. Nor do the private servers, which start with an environment of their own.
#
# usage: tests/hosts.sh command [argument...]
set -eu

library=libnss_wrapper.so
if [ -n "$(LD_PRELOAD=$library /bin/true 2>&1)" ]; then
    echo "tests/hosts.sh: $library cannot be loaded: install the package libnss-wrapper" >&2
    exit 1
fi
here=$(cd "$(dirname "$0")" && pwd)
LD_PRELOAD="$library${LD_PRELOAD:+:$LD_PRELOAD}"
NSS_WRAPPER_HOSTS="$here/hosts"
export LD_PRELOAD NSS_WRAPPER_HOSTS

exec "$@"
