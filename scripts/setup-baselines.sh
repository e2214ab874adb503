#!/usr/bin/env bash
# Gets a library in C that the benchmarks have as a baseline, and prints the file of its shared library.
#
#   scripts/setup-baselines.sh sleef      SLEEF 3, of Debian's libsleef3
#   scripts/setup-baselines.sh libxsmm    LIBXSMM 1, of Debian's libxsmm-dev, made a shared library in the cache
#
# Uses apt-get where a library is missing. Needs a C compiler for LIBXSMM.
set -euo pipefail

CACHE=${AUTOJIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/autojit}

fail() {
    printf 'setup-baselines.sh: %s\n' "$*" >&2
    exit 1
}

package() {
    local root=
    [ "$(id -u)" = 0 ] || root="sudo -n"
    command -v apt-get >/dev/null && $root true 2>/dev/null || fail "$1 is missing, and there is no apt-get to install it with"
    $root apt-get update -qq >&2 || true
    DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq "$1" >&2
}

# The file of a shared library, as the loader finds it; nothing if it does not.
loaded() {
    /sbin/ldconfig -p | sed -n "s/^[[:space:]]*$1 .* => //p" | head -n 1
}

case "${1:-}" in
sleef)
    [ -n "$(loaded libsleef.so.3)" ] || package libsleef3
    loaded libsleef.so.3
    ;;
libxsmm)
    FILE="$CACHE/libxsmm-1.17.so"
    if [ ! -e "$FILE" ]; then
        archive=/usr/lib/libxsmm.a
        [ -e "$archive" ] || package libxsmm-dev
        [ "$(dpkg-query -W -f '${Version}' libxsmm-dev | cut -d- -f1)" = 1.17 ] || fail "only LIBXSMM 1.17 is known here"
        mkdir -p "$CACHE"
        "${CC:-cc}" -shared -o "$FILE.part" -Wl,--whole-archive "$archive" /usr/lib/libxsmmnoblas.a -Wl,--no-whole-archive \
            -lpthread -ldl -lm >&2
        mv "$FILE.part" "$FILE"
    fi
    echo "$FILE"
    ;;
*)
    # The comment above.
    sed -n '2,/^set /{s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
