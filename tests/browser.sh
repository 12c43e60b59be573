#!/bin/sh
# The browser tests need Chromium and fonts with Chinese characters; as root they are installed from Debian.
set -eu
have_fonts() { fc-list 2>/dev/null | grep -qi "cjk"; }
if command -v chromium >/dev/null 2>&1 && have_fonts; then exit 0; fi
line="apt-get update && apt-get install -y --no-install-recommends chromium fonts-noto-cjk fontconfig"
if [ "$(id -u)" = "0" ]; then
    echo "Installing Chromium and CJK fonts for the browser tests."
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk fontconfig) >/tmp/cockpit-browser.log 2>&1 \
        || { tail -20 /tmp/cockpit-browser.log; exit 1; }
else
    echo "The browser tests need Chromium and CJK fonts. As root, run:"
    echo "    $line"
    exit 1
fi
