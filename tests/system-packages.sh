#!/bin/sh
# Installs the Debian packages that tests drive, where that can be done without asking; elsewhere it names what is
# missing, and the tests that need it skip and say so.
set -u
missing=""
for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests:$missing"
    # Their services are not started: the tests run them on ports of their own.
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d.vedette && chmod +x /usr/sbin/policy-rc.d.vedette
    [ -e /usr/sbin/policy-rc.d ] || { ln -s policy-rc.d.vedette /usr/sbin/policy-rc.d && made=1; }
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null || echo "Could not install:$missing"
    [ -n "${made:-}" ] && rm -f /usr/sbin/policy-rc.d
    rm -f /usr/sbin/policy-rc.d.vedette
else
    echo "Not installed, so some tests will be skipped:$missing (Debian, Ubuntu: sudo apt-get install$missing)"
fi
