#!/usr/bin/env bash
# Opens the interactive pages in a real browser, clicks and looks. Needs Node, and Chromium: it is installed by apt where
# that is possible. playwright-core, which drives it, comes from npm (8 MB) into the cache.
#
#   scripts/test-browser.sh [folder]   with a folder, screenshots are put there
set -euo pipefail
cd "$(dirname "$0")/.."

PLAYWRIGHT=1.56.1
CACHE=${AUTOJIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/autojit}
PREFIX="$CACHE/playwright-core-$PLAYWRIGHT"

fail() {
    printf 'test-browser.sh: %s\n' "$*" >&2
    exit 1
}

find_chromium() {
    command -v chromium || command -v chromium-browser || command -v google-chrome || true
}

command -v node >/dev/null && command -v npm >/dev/null || fail "Node is missing: install nodejs and npm"
if [ -z "${AUTOJIT_CHROMIUM:-}" ]; then
    AUTOJIT_CHROMIUM=$(find_chromium)
    if [ -z "$AUTOJIT_CHROMIUM" ] && command -v apt-get >/dev/null; then
        root=
        [ "$(id -u)" = 0 ] || root="sudo -n"
        echo "installing chromium"
        $root apt-get update -qq || true
        DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq chromium || true
        AUTOJIT_CHROMIUM=$(find_chromium)
    fi
    [ -n "$AUTOJIT_CHROMIUM" ] || fail "Chromium is missing: install it, or name it in AUTOJIT_CHROMIUM"
fi
export AUTOJIT_CHROMIUM

if [ ! -e "$PREFIX/node_modules/playwright-core/package.json" ]; then
    mkdir -p "$PREFIX"
    echo '{ "private": true }' >"$PREFIX/package.json"
    # No scripts are run: the browser is the system's.
    npm install --prefix "$PREFIX" --ignore-scripts --no-audit --no-fund --silent "playwright-core@$PLAYWRIGHT"
fi
export AUTOJIT_PLAYWRIGHT=$PREFIX

pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
cargo build --quiet --locked --example pictures
for n in 5 100; do
    cargo run --quiet --locked --example pictures -- --n $n --out "$pages/$n"
done
[ $# = 0 ] || mkdir -p "$1"
node tests/browser/page.mjs "$pages/5/gram_schmidt.html" "$pages/100/gram_schmidt.html" "$pages/5/loop.html" "$@"
