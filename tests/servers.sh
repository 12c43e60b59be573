#!/bin/sh
# The tests of the shared control log and of databases as sources run a real PostgreSQL; as root it comes from Debian.
set -eu
if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1; then exit 0; fi
line="apt-get update && apt-get install -y --no-install-recommends postgresql"
if [ "$(id -u)" = "0" ]; then
    echo "Installing PostgreSQL for the tests of the shared control log."
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql) >/tmp/cockpit-servers.log 2>&1 \
        || { tail -20 /tmp/cockpit-servers.log; exit 1; }
else
    echo "The tests of the shared control log need PostgreSQL. As root, run:"
    echo "    $line"
    exit 1
fi
