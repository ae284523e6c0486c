#!/bin/sh
# Runs a command for which the endpoint names of the tests (tests/hosts) are 127.0.0.1, whatever
# /etc/hosts says, and other names are unknown: for drivers that cannot connect to another address
# than the name they verify. Programs that bring their own resolver do not see it: Go without cgo,
# musl. Nor do the private servers, which start with an environment of their own.
#
# usage: tests/hosts.sh command [argument...]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
library=$here/../target/hosts.so
if [ ! -e "$library" ] || [ "$here/hosts.c" -nt "$library" ]; then
    mkdir -p "${library%/*}"
    cc -shared -fPIC -O1 -Wall -Wextra -Werror -o "$library.$$" "$here/hosts.c" -ldl
    mv "$library.$$" "$library"
fi
LD_PRELOAD="$library${LD_PRELOAD:+:$LD_PRELOAD}"
RDSTOKEN_TEST_HOSTS=" $(sed 's/^[^ ]* //' "$here/hosts" | tr '\n' ' ')"
export LD_PRELOAD RDSTOKEN_TEST_HOSTS

exec "$@"
