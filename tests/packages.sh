#!/bin/sh
# Installs the Debian packages named on the command line that are not there yet.
set -eu

missing=
for package in "$@"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Please install what these Debian packages hold, then try again:$missing" >&2
    exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Please install these packages as root, then try again: apt-get install$missing" >&2
        exit 1
    fi
    as_root=sudo
fi
echo "Installing Debian packages:$missing"
# Set behind sudo, which passes no variables on.
apt_get() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@"
}
apt_get update -qq
# shellcheck disable=SC2086 # one word per package
apt_get install -y -qq --no-install-recommends $missing >/dev/null
